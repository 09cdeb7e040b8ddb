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
class LineSettings:
    """Settings of the search for lines that recur at the heads and tails of a site's documents."""

    cut: bool = setting(False, "whether lines that recur from document to document are cut (docs/dedup-lines.md)")
    documents: Annotated[int, Ge(2)] = setting(
        20, "documents of one source, and of one host where documents have URLs, in which a line must stand to be cut"
    )
    share: Annotated[float, Ge(0.0), Le(1.0)] = setting(
        0.05, "share of the documents of that source and host in which it must stand too"
    )
    chars: Annotated[int, Ge(1)] = setting(16, "shorter lines are kept", unit="letters and digits")


@dataclass(frozen=True, slots=True)
class SubstringSettings:
    """Settings of the search for passages that stand in several documents."""

    cut: bool = setting(False, "whether passages that a preferred document holds too are cut (docs/dedup-lines.md)")
    chars: Annotated[int, Ge(20), Le(10_000)] = setting(
        100, "length from which a repeated passage is cut, white space left out", unit="code points"
    )


@dataclass(frozen=True, slots=True)
class DedupSettings:
    """Settings of the stage `dedup`.

    Raises:
        ValueError: valid and test take more than everything, a preference is named together with its opposite, no
            bands reach the recall, or documents are to be added to no index.
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
    lines: LineSettings = setting(LineSettings, "lines that recur across documents")
    substrings: SubstringSettings = setting(SubstringSettings, "passages that recur across documents")
    cut_budget: Annotated[float, Ge(0.0), Le(0.9)] = setting(
        0.3, "largest share of a document's bytes that both may cut; where it would be more, nothing is cut"
    )
    valid: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for validation")
    test: Annotated[float, Ge(0.0), Le(1.0)] = setting(0.01, "share of the clusters kept for testing")

    index: str | None = setting(
        None,
        "folder of an incremental index (docs/dedup-index.md): documents that it has already are removed as duplicates "
        "of it, and what resembles it takes its split; null: the documents are compared with each other only",
    )
    index_add: bool = setting(
        False, "whether the documents that stay are added to that index when the stage ends; it is made where it is not"
    )

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
        if self.index_add and self.index is None:
            raise ValueError("index_add names no index to add to: write index: FOLDER too, or leave it out")
