"""What a recipe may say about deduplication. Light to import: the command line reads it for every help text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from corpus.settings import setting

Preference = Literal["longest", "shortest", "earliest", "latest"]
_MEASURED = "25,000 documents with 5,000 planted copies"


@dataclass(frozen=True, slots=True)
class DedupSettings:
    """Settings of the stage `dedup`.

    Raises:
        ValueError: valid and test take more than everything, or a preference is named together with its opposite.
    """

    shingle: Annotated[int, Ge(1), Le(64)] = setting(
        5, "length of a shingle, white space left out", unit="code points", origin=_MEASURED
    )
    bands: Annotated[int, Ge(1), Le(256)] = setting(
        25, "bands of the signature; documents that share one become a candidate pair", origin=_MEASURED
    )
    rows: Annotated[int, Ge(1), Le(32)] = setting(5, "signature values in a band", origin=_MEASURED)
    similarity: Annotated[float, Ge(0.05), Le(1.0)] = setting(
        0.6, "Jaccard of the shingle sets from which two documents count as near-duplicates", origin=_MEASURED
    )
    neighbours: Annotated[int, Ge(0), Le(64)] = setting(
        8, "better documents that share a band which each one is compared with, beside the best of all that share it"
    )
    prefer: tuple[Preference, ...] = setting(
        ("longest", "earliest"), "which document of a cluster stays; what is left undecided goes to the smallest id"
    )
    valid: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for validation")
    test: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for testing")

    def __post_init__(self) -> None:
        if self.valid + self.test > 1:
            raise ValueError(f"valid ({self.valid}) and test ({self.test}) together take more than everything")
        for pair in ({"longest", "shortest"}, {"earliest", "latest"}):
            if pair <= set(self.prefer):
                raise ValueError(f"prefer names both {' and '.join(sorted(pair))}")
