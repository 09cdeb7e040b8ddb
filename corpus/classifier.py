"""The quality classifier as measure uses it: text → jamo features → the probability that it is like the good text.

fastText over eojeol spelled in jamo, so that its n-grams of characters reach across particles and endings (은/는, 했다/
했다가) and into misspellings. Trained on the user's own good and bad text (`corpus/classifier_training.py`); a folder
with model.bin and card.json. The score becomes the signal `quality` of the edited text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import MissingExtraError, SourceError
from corpus.hangul import LEADS, TAILS, VOWELS
from corpus.manifest import fingerprint, hash_file

MODEL, CARD = "model.bin", "card.json"
FEATURES = 1  # raised when `features` gives other tokens: a model of another one is refused
SEEN = 2000  # characters of a text that are looked at: from a longer one the first and the last half of them
GOOD, BAD = "__label__good", "__label__bad"
NO_TAIL = "_"  # closes a syllable without a final consonant, so that every syllable is three signs
LINE = "¶"
_BATCH = 1024  # texts scored at a time: their features take at most about 20 kB each

Floats = npt.NDArray[np.float64]
Scorer = Callable[[pa.Array], Floats]
"""Texts, large_string [documents] → probability of being good, float64 [documents]; NaN where there is no eojeol."""


@lru_cache(maxsize=1)
def _spelling() -> dict[int, str]:
    """For str.translate: syllables → three signs, digits → 0, upper case → lower, signs fastText reads → others."""
    table = {}
    for index in range(11172):
        lead, rest = divmod(index, 588)
        vowel, tail = divmod(rest, 28)
        table[0xAC00 + index] = LEADS[lead] + VOWELS[vowel] + (TAILS[tail - 1] if tail else NO_TAIL)
    table |= {ord(digit): "0" for digit in "123456789"}
    table |= {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    # So that no text holds __label__… (a label to fastText), </s> (its end of a line) or our own marks.
    return table | {ord("_"): "-", ord("<"): "‹", ord("\n"): f" {LINE} ", ord(LINE): "§", 0: " "}


def features(text: str) -> str:
    """A text (what `seen` leaves of it) as tokens for fastText between single spaces, on one line.

    >>> features("한글을 3번 썼다")
    'ㅎㅏㄴㄱㅡㄹㅇㅡㄹ 0ㅂㅓㄴ ㅆㅓㅆㄷㅏ_'
    """
    return " ".join(text.translate(_spelling()).split())


def seen(texts: pa.Array) -> list[str]:
    """As much of each text as is looked at; a longer text's two halves are joined by a space."""
    import pyarrow.compute as pc

    heads = pc.utf8_slice_codeunits(texts, 0, SEEN).to_pylist()
    long = pc.greater(pc.utf8_length(texts), SEEN)
    tails = pc.if_else(long, pc.utf8_slice_codeunits(texts, -SEEN // 2), None).to_pylist()
    return [
        head or "" if tail is None else f"{head[: SEEN // 2]} {tail}" for head, tail in zip(heads, tails, strict=True)
    ]


def content_hash(folder: Path) -> str:
    """32 hex digits over the model's bytes and the meaning of its features: part of measure's fingerprint.

    Raises:
        SourceError: the folder holds no classifier, or one that this version cannot use.
    """
    card = read_card(folder)
    if card.get("features") != FEATURES:
        raise SourceError(
            f"its features are of version {card.get('features')!r}, this hanjo makes version {FEATURES}",
            where=str(folder / CARD),
            fix="train it again: hanjo corpus classifier train",
        )
    return fingerprint("classifier", FEATURES, SEEN, hash_file(folder / MODEL))


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a trained classifier.

    Raises:
        SourceError: the folder holds none.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        card, what = None, f"no readable {CARD} ({type(error).__name__})"
    else:
        what = f"{CARD} is no card of a classifier"
    if not isinstance(card, dict) or not (folder / MODEL).is_file():
        what = what if not isinstance(card, dict) else f"no {MODEL}"
        raise SourceError(what, where=str(folder), fix="give a folder that `hanjo corpus classifier train --out` wrote")
    return card


def fasttext() -> Any:
    """The library, wanted only where a classifier is.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import fasttext
    except ModuleNotFoundError as error:
        raise MissingExtraError("the classifier needs the library fasttext-community", extra="corpus") from error
    return fasttext


def open_classifier(folder: Path) -> Scorer:
    """Load a trained classifier. A batch of texts is held at a time; the model takes the size of its file.

    Raises:
        SourceError: the model cannot be read. MissingExtraError: fastText is not installed.
    """
    try:
        model = fasttext().load_model(str(folder / MODEL))
    except (ValueError, RuntimeError) as error:
        raise SourceError(f"not a fastText model ({error})", where=str(folder / MODEL), fix="train it again") from error
    if set(model.get_labels()) != {GOOD, BAD}:
        raise SourceError("its labels are not good and bad", where=str(folder / MODEL), fix="train it again")

    def score(texts: pa.Array) -> Floats:
        parts = [
            score_lines(model, [features(text) for text in seen(texts.slice(start, _BATCH))])
            for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    return score


def score_lines(model: Any, lines: list[str]) -> Floats:
    """Probability of being good, float64 [lines], of texts as `features` gives them; NaN of an empty one."""
    scores = np.full(len(lines), np.nan)
    rows = [row for row, line in enumerate(lines) if line]
    if rows:
        labels, shares = model.predict([lines[row] for row in rows], k=2)
        for row, names, values in zip(rows, labels, shares, strict=True):
            scores[row] = min(float(values[list(names).index(GOOD)]), 1.0)
    return scores
