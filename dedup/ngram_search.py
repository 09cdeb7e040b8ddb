"""Search known items in a collection that comes in batches: word for word by n-grams, and nearly so by shingles.

Used by `hanjo dedup ngrams` and by `eval/`. Memory: the index, one batch, and for each item its best documents.

Nearly so: where a document shares a stretch of 8 characters with an item, the text about the longest such stretch, as
long as the item and a half, is compared: the share of the item's different shingles of 5 characters that stand in it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from dedup.ngram_index import Hits, N, NgramIndex, column_of

I64 = npt.NDArray[np.int64]
SEED, SHINGLE = 8, 5
_BYTES = 8  # of UTF-8 that one visible character and the white space before it take at most, but for odd texts


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """A document that holds some of an item.

    Attributes:
        share: of the item's n-grams (word for word) or of its shingles (nearly), those that the document holds.
        longest: characters of the longest stretch they share, white space left out.
        document: the document's id.
    """

    share: float
    longest: int
    document: str


@dataclass(slots=True)
class Found:
    """What was found of one item.

    Attributes:
        grams: n-grams of the item; 0 where it is too short to be searched.
        share: of them, those that stand in some document of the collection.
        documents: how many documents hold one at least.
        best: the documents that hold most of it, the fullest first.
        near: how many documents hold nearly all of it, where that was asked.
        nearest: the nearest of these, the nearest first.
    """

    grams: int
    share: float = 0.0
    documents: int = 0
    best: list[Match] = field(default_factory=list)
    near: int = 0
    nearest: list[Match] = field(default_factory=list)

    @property
    def best_share(self) -> float:
        """The largest share of the item that one document holds."""
        return self.best[0].share if self.best else 0.0


@dataclass(frozen=True, slots=True)
class Search:
    """What was found of each item, in their order, in so many documents."""

    items: list[Found]
    documents: int


def search(
    items: Sequence[str] | pa.Array | pa.ChunkedArray,
    batches: Iterable[tuple[Sequence[str], pa.Array]],
    *,
    n: int = N,
    near: float | None = None,
    most: int = 100,
) -> Search:
    """Search items in documents.

    Args:
        items: texts, no nulls.
        batches: ids and texts (large_string, no nulls) of the documents, as many as fit in memory at a time.
        n: length of an n-gram in characters, white space left out.
        near: share of an item's shingles from which a document counts as holding it nearly; None looks for none.
        most: documents listed for each item at most.
    """
    index = NgramIndex.of(items, n)
    seeds = NgramIndex.of(items, SEED) if near is not None else None
    found = [Found(int(grams)) for grams in index.grams]
    places, documents = np.zeros(int(index.bounds[-1]), bool), 0
    for ids, texts in batches:
        documents += len(ids)
        hits = index.scan(texts)
        places |= hits.found
        for document, item, grams, longest in zip(
            *(column.tolist() for column in (hits.document, hits.item, hits.grams, hits.longest)), strict=True
        ):
            one = found[item]
            one.documents += 1
            _keep(one.best, Match(grams / one.grams, longest + n - 1, ids[document]), most)
        if seeds is not None and near is not None:
            for document, item, share, longest in near_matches(seeds, texts, near):
                found[item].near += 1
                _keep(found[item].nearest, Match(share, longest, ids[document]), most)
    for item, one in enumerate(found):
        held = places[index.bounds[item] : index.bounds[item + 1]]
        one.share = float(held.mean()) if len(held) else 0.0
        one.best.sort(key=_fullest_first)
        one.nearest.sort(key=_fullest_first)
    return Search(found, documents)


def _fullest_first(match: Match) -> tuple[float, int, str]:
    return -match.share, -match.longest, match.document


def _keep(matches: list[Match], match: Match, most: int) -> None:
    if len(matches) < most:
        heapq.heappush(matches, match)
    else:
        heapq.heappushpop(matches, match)


def near_matches(seeds: NgramIndex, texts: pa.Array, least: float) -> list[tuple[int, int, float, int]]:
    """Documents that hold an item nearly: document, item, share of its shingles, longest shared stretch.

    Args:
        seeds: the items, indexed with stretches of a few characters; an item shorter than one is not found.
        texts: large_string, no nulls.
        least: share of the item's shingles that must stand in the text about the longest shared stretch.
    """
    column = column_of(texts)
    hits = seeds.scan(column)
    # A letter put in costs 4 shingles and n - 1 seeds, one changed 5 and n: who keeps most shingles keeps some seeds.
    needed = (1 - (1 - least) * (seeds.n - 1) / (SHINGLE - 1)) * seeds.grams[hits.item] - seeds.n
    rows = np.flatnonzero(hits.grams >= np.maximum(1, needed))
    view, offsets = text_buffers(column)
    shingles: dict[int, tuple[int, frozenset[str]]] = {}
    found = []
    for row in rows.tolist():
        document, item = int(hits.document[row]), int(hits.item[row])
        if item not in shingles:
            bare = "".join(seeds.items[item].as_py().split())
            shingles[item] = len(bare), _shingles(bare)
        size, wanted = shingles[item]
        window = _window(view[offsets[document] : offsets[document + 1]], hits, row, size)
        share = len(wanted & _shingles(window)) / len(wanted)
        if share >= least:
            found.append((document, item, share, int(hits.longest[row]) + seeds.n - 1))
    return found


def _shingles(bare: str) -> frozenset[str]:
    return frozenset(bare[i : i + SHINGLE] for i in range(len(bare) - SHINGLE + 1))


def _window(text: npt.NDArray[np.uint8], hits: Hits, row: int, size: int) -> str:
    """Visible characters of a text about the longest stretch it shares with an item of so many characters."""
    at, place, slack = int(hits.at[row]), int(hits.place[row]), size // 4 + SHINGLE
    before, after = place + slack, size - place + slack
    left = text[max(0, at - _BYTES * before) : at].tobytes().decode(errors="ignore")
    right = text[at : at + _BYTES * after].tobytes().decode(errors="ignore")
    return "".join(left.split())[-before:] + "".join(right.split())[:after]
