"""Whether tokens end where morphemes end: borders within eojeol against Kiwi's. For reports.

A border counts where it lies inside an eojeol: those at spaces are everyone's. A token border within a character is a
border that no morpheme has. Contracted morphemes (했 of 하 and 었) have one place, so they ask for no border.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpus.errors import MissingExtraError
from tokenizer.opened import Encoded


@dataclass(frozen=True, slots=True)
class Agreement:
    """Borders within eojeol: of tokens, of morphemes, and of both at once."""

    tokens: int
    morphemes: int
    both: int

    @property
    def precision(self) -> float:
        """Share of token borders that are morpheme borders; NaN without any."""
        return self.both / self.tokens if self.tokens else float("nan")

    @property
    def recall(self) -> float:
        """Share of morpheme borders that are token borders; NaN without any."""
        return self.both / self.morphemes if self.morphemes else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.both / (self.tokens + self.morphemes) if self.tokens + self.morphemes else float("nan")


def morpheme_borders(texts: Sequence[str]) -> list[set[int]]:
    """Places (characters) within eojeol at which a morpheme begins, by Kiwi.

    Raises:
        MissingExtraError: kiwipiepy is not installed.
    """
    try:
        from kiwipiepy import Kiwi
    except ImportError as error:
        raise MissingExtraError("kiwipiepy is not installed; --morphemes 0 does without", extra="kiwi") from error
    kiwi = Kiwi(num_workers=1)
    return [{token.start for token in kiwi.tokenize(text) if _inside(text, token.start)} for text in texts]


def agreement(texts: Sequence[str], borders: Sequence[set[int]], encoded: Sequence[Encoded]) -> Agreement:
    """Compare the tokens of texts with their morpheme borders."""
    tokens = both = 0
    for text, wanted, one in zip(texts, borders, encoded, strict=True):
        ends = 0
        for start, end in one.spans:
            if start < ends:  # within a character
                tokens += 1
            elif start < end and _inside(text, start):
                tokens += 1
                both += start in wanted
            ends = max(ends, end)
    return Agreement(tokens, sum(map(len, borders)), both)


def _inside(text: str, place: int) -> bool:
    return 0 < place < len(text) and not text[place - 1].isspace() and not text[place].isspace()
