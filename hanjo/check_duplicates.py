"""Duplicates inside a submission: exact by a hash of all texts, near by MinHash bands and an exact comparison.

The same functions as the stage dedup, over the store of `check_store.py`: equal space-free texts first, then for each
band the documents that share a key become candidate pairs, then every pair's shingle sets are compared. Nothing is
joined on an estimate. Of a pair the longer one stays, of equals the one that comes first. Numbers of documents are in
memory, a bounded part of the keys and of the texts at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dedup.bands import distinct_pairs, link, shared
from dedup.clusters import components, survivors
from dedup.settings import DedupSettings
from dedup.shingles import shingle_sets
from dedup.verify import jaccard
from hanjo.check_store import Store

if TYPE_CHECKING:
    from dedup.index import Index
    from hanjo.check_index import Listed

Array = npt.NDArray[Any]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Tell = Callable[[str, int, int], None]
"""Told of progress: `known`, `pairs` or `compare`, steps done, steps in all."""

_PARTITION = 1 << 20  # documents whose hashes or keys are sorted at a time
# Bytes of text on both sides of the pairs that a thread compares at a time; their shingles take several times that.
_COMPARED = 6 << 20
_PARTNERS = 8  # better documents that each one is compared with at most, those that would stay first
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What was found among n documents.

    Attributes:
        unique: bool[n], what dedup would keep.
        exact, near: documents that repeat another one.
        compared: pairs compared exactly.
        unsigned: documents that took part in the exact comparison only: too short for a shingle, or too long.
        examples: the first pairs of near-duplicates: `document`, `of` (numbers), `similarity`.
        listed: what an index has already; None where none was given. Those count as nothing else here.
    """

    unique: npt.NDArray[np.bool_]
    exact: int
    near: int
    compared: int
    unsigned: int
    examples: list[dict[str, Any]]
    listed: Listed | None = None


def find_duplicates(store: Store, tell: Tell, index: Index | None = None, threads: int = 1) -> Found:
    """Exact and near-duplicates among all documents of the store that the index, where there is one, has not.

    Args:
        threads: at work on the comparison, which is most of it.
    """
    settings = DedupSettings()
    sizes, signed = store.column("bytes"), store.column("signed").astype(bool)
    count = len(sizes)
    by_rank = np.lexsort((np.arange(count), -sizes)).astype(np.int32)
    ranks = np.empty(count, np.int32)
    ranks[by_rank] = np.arange(count, dtype=np.int32)
    single = _without_copies(store, ranks)
    listed, new = _listed(store, index, single, tell)
    documents = np.flatnonzero(single & signed & new)
    better, worse = np.empty(0, np.int64), np.empty(0, np.int64)
    for band in range(settings.bands if len(documents) > 1 else 0):
        keys = store.keys(band, settings.bands)[documents]
        more = _band_pairs(keys, ranks[documents].astype(np.int64), settings.neighbours)
        better, worse = _merged(np.concatenate([better, more[0]]), np.concatenate([worse, more[1]]))
        tell("pairs", band + 1, settings.bands)
    better, worse, similarity = _compared(store, by_rank, sizes, (better, worse), tell, threads)
    near = similarity >= settings.similarity
    members, places = np.unique(np.concatenate([better[near], worse[near]]), return_inverse=True)  # by rank: best first
    half = int(near.sum())
    witness, strength = survivors(len(members), places[:half], places[half:], similarity[near])
    lost = np.flatnonzero(witness >= 0)
    unique = single & new
    unique[by_rank[members[lost]]] = False
    pairs = zip(by_rank[members[lost]], by_rank[members[witness[lost]]], strength[lost], strict=True)
    shown = sorted((int(one), int(other), float(alike)) for one, other, alike in pairs)[:_SHOWN]
    return Found(
        unique,
        exact=int((new & ~single).sum()),
        near=len(lost),
        compared=len(near),
        unsigned=int((~signed & single).sum()),
        examples=[{"document": one, "of": other, "similarity": alike} for one, other, alike in shown],
        listed=listed,
    )


def _listed(
    store: Store, index: Index | None, single: npt.NDArray[np.bool_], tell: Tell
) -> tuple[Listed | None, npt.NDArray[np.bool_]]:
    """What the index has, and bool[n]: what it has not."""
    if index is None:
        return None, np.ones(len(single), bool)
    from hanjo.check_index import find_listed

    listed = find_listed(store, index, single, tell)
    return listed, ~listed.any


def _without_copies(store: Store, ranks: Array) -> npt.NDArray[np.bool_]:
    """bool[n]: whether a document is the best of those with its text."""
    count = len(ranks)
    single = np.zeros(count, bool)
    parts = max(1, -(-count // _PARTITION))
    for part in range(parts if count else 0):
        hashes, documents = [], []
        for first, numbers in store.numbers():
            here = np.flatnonzero(numbers["hash"][:, 0] % np.uint64(parts) == part)
            hashes.append(numbers["hash"][here])
            documents.append(here + first)
        text, number = np.concatenate(hashes), np.concatenate(documents)
        order = np.lexsort((ranks[number], text[:, 1], text[:, 0]))
        best = np.ones(len(order), bool)
        best[1:] = (text[order][1:] != text[order][:-1]).any(axis=1)
        single[number[order[best]]] = True
    return single


def _band_pairs(keys: Array, ranks: Longs, neighbours: int) -> tuple[Longs, Longs]:
    """The candidate pairs of one band, by rank: better, worse."""
    parts = max(1, -(-len(keys) // _PARTITION))
    found = []
    for part in range(parts):
        here = np.flatnonzero(keys % np.uint64(parts) == part)
        here = here[shared(keys[here])]
        found.append(link(keys[here], ranks[here], neighbours))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _merged(better: Longs, worse: Longs) -> tuple[Longs, Longs]:
    """Pairs once each, of each worse document those with its best partners."""
    better, worse = distinct_pairs(better, worse)
    # They come sorted by better, then worse: a stable sort by worse puts each one's best partners first.
    order = np.argsort(worse, kind="stable")
    new = np.ones(len(order), bool)
    new[1:] = worse[order][1:] != worse[order][:-1]
    place = np.arange(len(order))
    kept = order[place - np.maximum.accumulate(np.where(new, place, 0)) < _PARTNERS]
    return better[kept], worse[kept]


def _compared(
    store: Store, by_rank: Array, sizes: Array, pairs: tuple[Longs, Longs], tell: Tell, threads: int
) -> tuple[Longs, Longs, Floats]:
    """The pairs, ordered so that what belongs together is read together, and their exact similarity."""
    better, worse = pairs
    if not len(better):
        return better, worse, np.empty(0)
    members, places = np.unique(np.concatenate([better, worse]), return_inverse=True)
    label = components(len(members), places[: len(better)], places[len(better) :])[places[: len(better)]]
    order = np.lexsort((worse, better, label))
    better, worse = better[order], worse[order]
    left, right = by_rank[better], by_rank[worse]
    text = np.cumsum(sizes[left].astype(np.int64) + sizes[right])
    bounds = np.unique([0, *(np.flatnonzero(np.diff(text // _COMPARED)) + 1).tolist(), len(better)]).tolist()
    similarity = np.empty(len(better))

    def compare(bound: tuple[int, int]) -> int:
        first, last = bound
        documents, places = np.unique(np.concatenate([left[first:last], right[first:last]]), return_inverse=True)
        sets = shingle_sets(store.texts(documents), DedupSettings().shingle)
        similarity[first:last] = jaccard(sets, places[: last - first], sets, places[last - first :])
        return last

    with ThreadPoolExecutor(threads) as pool:  # the kernels let go of the interpreter's lock
        for last in pool.map(compare, pairwise(bounds)):
            tell("compare", last, len(better))
    return better, worse, similarity
