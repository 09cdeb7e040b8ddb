"""What a recipe may say about deduplication. Light to import: the command line reads it for every help text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from corpus.settings import setting
from dedup.banding import MOST_BANDS, MOST_ROWS, choose

Preference = Literal["longest", "shortest", "earliest", "latest", "quality", "rights"]
_MEASURED = "25,000 documents with 5,000 planted copies"


@dataclass(frozen=True, slots=True)
class DedupSettings:
    """Settings of the stage `dedup`.

    Raises:
        ValueError: valid and test take more than everything, a preference is named together with its opposite, or no
            bands reach the recall.
    """

    shingle: Annotated[int, Ge(1), Le(64)] = setting(
        5, "length of a shingle, white space left out", unit="code points", origin=_MEASURED
    )
    bands: Annotated[int, Ge(0), Le(MOST_BANDS)] = setting(
        0, "bands of the signature; documents that share one become a candidate pair; 0: by similarity and recall"
    )
    rows: Annotated[int, Ge(0), Le(MOST_ROWS)] = setting(0, "signature values in a band; 0: by similarity and recall")
    recall: Annotated[float, Gt(0.0), Lt(1.0)] = setting(
        0.98,
        "share of the pairs exactly at `similarity` that bands and rows, where they are not given, are chosen to find",
        origin="`hanjo dedup plan` shows the curve",
    )
    similarity: Annotated[float, Ge(0.05), Le(1.0)] = setting(
        0.6, "Jaccard of the shingle sets from which two documents count as near-duplicates", origin=_MEASURED
    )
    neighbours: Annotated[int, Ge(0), Le(64)] = setting(
        8, "better documents that share a band which each one is compared with, beside the best of all that share it"
    )
    prefer: tuple[Preference, ...] = setting(
        ("longest", "earliest"),
        "which document of a cluster stays: by length, date, the signal quality where there is one, or the freest "
        "rights (most flags granted, then the latest last day); what is left undecided goes to the smallest id",
    )
    valid: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for validation")
    test: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for testing")

    def __post_init__(self) -> None:
        # Bands and rows are fixed here, once: `replace(settings, similarity=…)` keeps them unless it also gives 0.
        banding = choose(self.similarity, self.recall, bands=self.bands, rows=self.rows)
        object.__setattr__(self, "bands", banding.bands)
        object.__setattr__(self, "rows", banding.rows)
        if self.valid + self.test > 1:
            raise ValueError(f"valid ({self.valid}) and test ({self.test}) together take more than everything")
        for pair in ({"longest", "shortest"}, {"earliest", "latest"}):
            if pair <= set(self.prefer):
                raise ValueError(f"prefer names both {' and '.join(sorted(pair))}")
