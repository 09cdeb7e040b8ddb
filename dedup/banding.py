"""Bands and rows from a target: how many values of a signature must agree for two documents to be compared.

A pair of Jaccard similarity x shares at least one of b bands of r values with the probability 1 - (1 - x^r)^b, an
S-curve. Of the (b, r) whose curve passes the target recall at the threshold, the one that costs least is chosen; what
costs are the values, the band keys, and the pairs compared in vain. Light to import: the settings read it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

MOST_BANDS, MOST_ROWS, MOST_VALUES = 256, 32, 1024
DOCUMENTS = 10**6  # of the corpus that the default is chosen for
# Estimates for one core; only their ratios matter here.
_VALUE, _KEY, _PAIR = 6e-9, 250e-9, 6e-6  # seconds: a signature's value, a band key to its bucket, a pair compared
_UNRELATED = 0.011  # Jaccard; that of unrelated Korean texts of 1.5 kB, by the mean of its fourth power (of one sample)


@dataclass(frozen=True, slots=True)
class Banding:
    """So many bands of so many values: the signature has bands times rows values."""

    bands: int
    rows: int

    @property
    def values(self) -> int:
        """Values of a signature."""
        return self.bands * self.rows

    def found(self, similarity: float) -> float:
        """Probability that two documents of this similarity share a band, hence are compared."""
        return float(1.0 - (1.0 - similarity**self.rows) ** self.bands)

    def vain(self, documents: float) -> float:
        """Pairs of unrelated documents that share a band by chance, for each document of a corpus of so many."""
        return documents * self.found(_UNRELATED) / 2

    def seconds(self, documents: float) -> float:
        """What signature, bands and pairs in vain cost for each document, on one core."""
        return self.values * _VALUE + self.bands * _KEY + self.vain(documents) * _PAIR


def sketch_words(values: int) -> int:
    """Words of 8 bytes in the sketch of a signature of so many values: a byte of each (`minhash.py`)."""
    return -(-values // 8)


def choose(similarity: float, recall: float, documents: float = DOCUMENTS, bands: int = 0, rows: int = 0) -> Banding:
    """The cheapest banding that finds a pair at the threshold with the probability `recall`.

    Args:
        similarity: the threshold.
        documents: of the corpus, on which the pairs in vain depend.
        bands, rows: fixed where not 0; with both fixed there is nothing to choose.

    Raises:
        ValueError: none within the limits reaches it.
    """
    if bands and rows:
        return Banding(bands, rows)
    if bands:  # the most rows with which so many bands still reach it
        reach = [Banding(bands, n) for n in range(1, MOST_ROWS + 1) if Banding(bands, n).found(similarity) >= recall]
        best = max(reach, key=lambda one: one.rows, default=None)
    else:
        tried = [_fewest_bands(similarity, recall, n) for n in ([rows] if rows else range(1, MOST_ROWS + 1))]
        best = min((one for one in tried if one), key=lambda one: one.seconds(documents), default=None)
    if best is None:
        raise ValueError(
            f"no {MOST_BANDS} bands or {MOST_VALUES} values find pairs at similarity {similarity:g} with recall "
            f"{recall:g}: lower recall, raise similarity, or leave bands and rows to be chosen"
        )
    return best


def _fewest_bands(similarity: float, recall: float, rows: int) -> Banding | None:
    agree = similarity**rows
    bands = 1 if agree >= 1 else math.ceil(math.log(1 - recall) / math.log1p(-agree) - 1e-9) if agree > 1e-9 else 0
    if not 1 <= bands <= MOST_BANDS or bands * rows > MOST_VALUES:
        return None
    return Banding(bands, rows)
