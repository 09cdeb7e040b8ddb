"""Clusters and survivors: which documents belong together, and which of them stays.

A cluster is a connected component of verified pairs; it decides the split. Removal is stricter: a document goes only
if one that stays is itself similar to it, so that a chain A ~ B ~ C does not take C away for A's sake. On arrays;
`resolving.py` does it by shards and partitions.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

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
