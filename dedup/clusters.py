"""Clusters and survivors: which documents belong together, and which of them stays.

A cluster is a connected component of verified pairs; it decides the split. Removal is stricter: a document goes only
if one that stays is itself similar to it, so that a chain A ~ B ~ C does not take C away for A's sake.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.shards import JobContext, Outcome
from dedup.inputs import facts_about, rank
from dedup.runs import Array, Columns, Layout, concatenate, read_run, write_run
from dedup.settings import DedupSettings

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def _components(parent, left, right):  # type: ignore[no-untyped-def]
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    for i in range(len(parent)):
        parent[i] = parent[parent[i]]  # a parent is never larger, so one step from below is enough


@njit(cache=True, nogil=True)
def _survivors(better, worse, similarity, witness, strength):  # type: ignore[no-untyped-def]
    for pair in range(len(better)):
        a, b = better[pair], worse[pair]
        if witness[a] < 0 and similarity[pair] > strength[b]:
            witness[b], strength[b] = a, similarity[pair]


def components(documents: int, left: I64, right: I64) -> I64:
    """Connected components by union-find: int64[documents], the smallest index of each one's component."""
    parent = np.arange(documents)
    _components(parent, left, right)
    return parent


def survivors(documents: int, better: I64, worse: I64, similarity: F64) -> tuple[I64, F64]:
    """Who stays, documents being numbered in the order of preference (0 the best).

    In that order, a document is removed if a pair joins it to a better one that stays; the most similar such one
    (then the better one) is its witness.

    Args:
        better, worse: int64[m], the pairs, `better` < `worse`, all at or above the threshold.
        similarity: float64[m].

    Returns:
        witness: int64[documents], -1 where the document stays.
        similarity: float64[documents], with the witness; 0 where it stays.
    """
    order = np.lexsort((better, worse))  # when a pair's turn comes, the fate of its better document is sealed
    witness, strength = np.full(documents, -1), np.zeros(documents, np.float64)
    _survivors(better[order], worse[order], similarity[order], witness, strength)
    return witness, strength


def resolve(context: JobContext, *, layout: Layout, settings: DedupSettings) -> Outcome:
    """One job over all verified pairs (of documents without an exact copy that is better): the run `near`, by number.

    Columns: `number`, `cluster_hi`, `cluster_lo` (smallest id of the component, exact copies included), `size`
    (documents, exact copies included), `keep`, `witness_hi`, `witness_lo`, `similarity`. It holds pairs and the
    documents in them, never the others: about 100 bytes for each near-duplicate.
    """
    edges = concatenate([read_run(context.run, "edges", name) for name in layout.names])
    numbers = np.unique(np.concatenate([edges["better"], edges["worse"]]))
    facts = facts_about(context.run, layout, numbers)
    ranks = rank(facts, numbers, settings.prefer)
    better = ranks[np.searchsorted(numbers, edges["better"])]
    worse = ranks[np.searchsorted(numbers, edges["worse"])]
    label = components(len(numbers), better, worse)
    witness, similarity = survivors(len(numbers), better, worse, edges["similarity"])
    high, low, size = _with_copies(context, layout, numbers, facts)
    high, low, size = _cluster_identity(label[ranks], high, low, size)
    by_rank = np.empty_like(ranks)
    by_rank[ranks] = np.arange(len(ranks))
    standing = witness[ranks] < 0
    seen_by = np.where(standing, np.arange(len(numbers)), by_rank[witness[ranks]])
    found = {
        "number": numbers,
        "cluster_hi": high,
        "cluster_lo": low,
        "size": size,
        "keep": standing.astype(np.int8),
        "witness_hi": facts["id_hi"][seen_by],
        "witness_lo": facts["id_lo"][seen_by],
        "similarity": similarity[ranks],
    }
    return Outcome((write_run(context, "near", 0, found),))


def _with_copies(context: JobContext, layout: Layout, numbers: I64, facts: Columns) -> tuple[Array, Array, Array]:
    """Smallest id and number of documents of each one's group of equal texts (itself and 1 where it has no copy)."""
    high, low, size = facts["id_hi"].copy(), facts["id_lo"].copy(), np.ones(len(numbers), np.int64)
    for part in range(layout.partitions):
        copies = read_run(context.run, "copies", part)
        _, here, there = np.intersect1d(numbers, copies["number"], assume_unique=True, return_indices=True)
        high[here], low[here] = copies["least_hi"][there], copies["least_lo"][there]
        size[here] = copies["size"][there]
    return high, low, size


def _cluster_identity(label: Array, high: Array, low: Array, size: Array) -> tuple[Array, Array, Array]:
    """Smallest id and sum of sizes of each one's component."""
    order = np.lexsort((low, high, label))
    first = np.ones(len(order), bool)
    first[1:] = label[order][1:] != label[order][:-1]
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(first) - 1
    least = order[first]
    total = np.bincount(group, weights=size, minlength=len(least)).astype(np.int64)
    return high[least][group], low[least][group], total[group]
