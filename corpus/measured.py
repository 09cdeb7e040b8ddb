"""What signals are made of: the counts of the compiled passes for one batch, and the shares taken of them.

Between the kernels (`corpus/counting.py`, `corpus/folding.py`) and the definitions in `corpus/signals.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus import count_columns
from corpus.lexicons import LEXICONS

Floats = npt.NDArray[np.float64]
_LEXICONS = tuple(LEXICONS)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the signals are computed from, for one batch.

    Attributes:
        counts: float64 [documents, count_columns.COLUMNS].
        terms: float64 [documents, len(LEXICONS) + 2], see `folding.count_terms`.
        cut_off: bool [documents], the text ends in … 더보기.
        boilerplate: float64 [documents], share of the bytes before editing that boilerplate rules describe.
        private: float64 [documents], identifiers found before editing.
        quality: float64 [documents], the classifier's scores; NaN where there is none.
        dropped: float64 [documents], see `privacy.Private.dropped`.
        tags: int64 [documents, 2], see `tags.count_tags`.
    """

    counts: Floats
    terms: Floats
    cut_off: npt.NDArray[np.bool_]
    boilerplate: Floats
    private: Floats
    quality: Floats
    dropped: Floats
    tags: npt.NDArray[np.int64]

    def __getitem__(self, column: str) -> Floats:
        """A column of the counts by its name in `corpus/count_columns.py`."""
        column_of_counts: Floats = self.counts[:, getattr(count_columns, column)]
        return column_of_counts

    def of_visible(self, *columns: str) -> Floats:
        """Share of the characters that are no white space."""
        return ratio(self._sum(*columns), self["CHARS"] - self["SPACE"] - self["NEWLINE"])

    def of_letters(self, *columns: str) -> Floats:
        """Share of the letters of any script."""
        return ratio(self._sum(*columns), self._sum("HANGUL", "JAMO", "HANJA", "KANA", "LATIN", "LETTER"))

    def of_words(self, *columns: str) -> Floats:
        return ratio(self._sum(*columns), self["WORDS"])

    def an_eojeol(self, numbers: Floats) -> Floats:
        """So many an eojeol."""
        return ratio(numbers, self["WORDS"])

    def of_lines(self, *columns: str) -> Floats:
        return ratio(self._sum(*columns), self["LINES"])

    def of_chars(self, *columns: str) -> Floats:
        """Share of the characters, white space too; 1 where n-grams that overlap come to more."""
        return np.minimum(ratio(self._sum(*columns), self["CHARS"]), 1)

    def in_lexicons(self, *names: str) -> Floats:
        """How many terms of these lexicons there are."""
        return np.sum([self.terms[:, _LEXICONS.index(name)] for name in names], axis=0)

    @property
    def disguised(self) -> Floats:
        """How many terms of advertisements are in disguise."""
        return self.terms[:, len(_LEXICONS)]

    @property
    def different_terms(self) -> Floats:
        """How many different terms of advertisements there are."""
        return self.terms[:, len(_LEXICONS) + 1]

    @property
    def contacts(self) -> Floats:
        """Calls to act, telephone numbers and web addresses."""
        return self.in_lexicons("offers", "calls") + self["PHONES"] + self["URLS"]

    def _sum(self, *columns: str) -> Floats:
        return np.sum([self[column] for column in columns], axis=0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


@dataclass(frozen=True, slots=True)
class Signal:
    """One number of a text.

    Attributes:
        name: its column in signals/.
        doc: what it says.
        unit: of the value; a share is between 0 and 1.
        value: from the counts, float64 [documents].
        source: where the idea is from, where it is not plain counting.
    """

    name: str
    doc: str
    unit: str
    value: Callable[[Measured], Floats]
    source: str = ""
