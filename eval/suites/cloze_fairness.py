"""Draws distractors that no rule of thumb can tell from the answers, and measures how far such rules get.

Used by `make_korean_cloze.py`; knows nothing of documents, only of a context, an answer and candidates.
"""

import random
from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def frequency(word: str, corpus: str) -> int:
    """How often `word` occurs in the documents that are not held out."""
    return corpus.count(word)


def shared_pairs(context: str, word: str) -> int:
    """How many of the word's pairs of neighbouring characters occur in the context."""
    return sum(word[at : at + 2] in context for at in range(len(word) - 1))


RULES_OF_THUMB: dict[str, Callable[[str, str, str], int]] = {
    "longest": lambda context, word, corpus: len(word),
    "most frequent": lambda context, word, corpus: frequency(word, corpus),
    "rarest": lambda context, word, corpus: -frequency(word, corpus),
    "repeated in context": lambda context, word, corpus: context.count(word),
    "shares character pairs with context": lambda context, word, corpus: shared_pairs(context, word),
    "shares characters with context": lambda context, word, corpus: sum(letter in context for letter in word),
}


def share_of_best(scores: list[int], answer: int) -> float:
    """What a guess among the best scores earns: 1 if the answer is the only best one, 1/n if one of n, else 0."""
    best = max(scores)
    return 1 / scores.count(best) if scores[answer] == best else 0.0


class FairDraw:
    """Draws three distractors so that rules of thumb stay at chance over the whole set.

    Answers share more with their context than any other span, and frequent spans are more often ruled out as
    distractors; so of many random triples the one is taken that keeps what each rule has scored so far nearest to
    one in four.
    """

    TRIALS = 80

    def __init__(self, corpus: str, rng: random.Random) -> None:
        self._corpus, self._rng = corpus, rng
        self._totals = dict.fromkeys(RULES_OF_THUMB, 0.0)
        self._drawn = 0

    def draw(self, context: str, answer: str, candidates: list[str]) -> list[str]:
        """Three of the candidates, or none where fewer than three different ones are left."""
        best: tuple[float, list[str], dict[str, float]] | None = None
        for _ in range(self.TRIALS if len(set(candidates)) >= 3 else 0):
            wrong = list(dict.fromkeys(self._rng.choices(candidates, k=12)))[:3]
            if len(wrong) < 3 or any(one in other for one in wrong for other in wrong if one is not other):
                continue
            gains = {
                name: share_of_best([score(context, word, self._corpus) for word in [answer, *wrong]], 0)
                for name, score in RULES_OF_THUMB.items()
            }
            target = (self._drawn + 1) / 4
            unfair = sum((self._totals[name] + gains[name] - target) ** 2 for name in RULES_OF_THUMB)
            if best is None or unfair < best[0]:
                best = unfair, wrong, gains
        if best is None:
            return []
        self._drawn += 1
        for name, gain in best[2].items():
            self._totals[name] += gain
        return best[1]


def heuristic_accuracies(items: list[dict[str, Any]], corpus: str) -> dict[str, float]:
    """How far rules that understand nothing get; ties count as a guess among the tied. Chance is 0.25."""
    return {
        name: round(
            sum(
                share_of_best([score(item["context"], word, corpus) for word in item["choices"]], item["answer"])
                for item in items
            )
            / len(items),
            3,
        )
        for name, score in RULES_OF_THUMB.items()
    }
