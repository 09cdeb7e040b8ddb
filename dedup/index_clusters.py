"""Clusters, survivors and splits of the incremental index: worked out anew for the components that a change touches.

A text takes its side (train, valid, test) when it first comes, from its cluster (or from the run that gave it out), and
keeps it. A newcomer that would join two sides is **held out** (rule `dedup.split`): it counts in its cluster, but it
never stays and vouches for nobody, so that what was accepted stays where it is and no near-copies stand on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dedup.clusters import components, survivors
from dedup.index_links import ranks_of
from dedup.index_parameters import IndexParameters
from dedup.index_tables import I64, Tables
from dedup.inputs import format_ids
from dedup.runs import Array, Columns
from dedup.splits import SPLITS, split_of
from dedup.unique import HELD

I8 = npt.NDArray[np.int8]
Edges = tuple[I64, I64, npt.NDArray[np.float64]]
UNDECIDED = -1


def closure(tables: Tables, seeds: I64) -> tuple[I64, Edges]:
    """All texts of the components that hold a seed, ascending, and their edges (lower number, higher, similarity)."""
    known = frontier = np.unique(seeds)
    pieces = [tables.under("edges", frontier[:0])[1]]
    while len(frontier):
        _, rows = tables.under("edges", frontier)
        real = rows["similarity"] >= 0
        pieces.append({name: column[real] for name, column in rows.items()})
        frontier = np.setdiff1d(rows["other"][real], known)
        known = np.union1d(known, frontier)
    one, other, similarity = (np.concatenate([p[name] for p in pieces]) for name in ("one", "other", "similarity"))
    once = one < other  # each edge stands there both ways
    return known, (one[once], other[once], similarity[once])


def settle(texts: I64, rows: Columns, wish: I8, edges: Edges, parameters: IndexParameters) -> Columns:
    """The rows of whole components with side, cluster, size, witness and similarity as they should be.

    Args:
        texts: int64[n], living texts, ascending.
        rows: columns of `texts` (the table) for them; side is UNDECIDED where it was never decided.
        wish: int8[n], the side on which those were given out before, UNDECIDED where nobody says.
        edges: all edges among them.
    """
    left, right = (np.searchsorted(texts, side) for side in edges[:2])
    ranks = ranks_of(rows, parameters)
    side = sides(ranks, rows, wish, (left, right, edges[2]), parameters)
    label = components(len(texts), left, right)
    high, low, _ = least_of(label, rows["least_hi"], rows["least_lo"])
    size = np.bincount(label, weights=rows["count"], minlength=len(texts)).astype(np.int64)[label]
    swapped = ranks[left] > ranks[right]
    better, worse = np.where(swapped, right, left), np.where(swapped, left, right)
    may_stay = side[better] != HELD
    witness, similarity = survivors(len(texts), ranks[better[may_stay]], ranks[worse[may_stay]], edges[2][may_stay])
    by_rank = np.argsort(ranks)
    witness, similarity = witness[ranks], similarity[ranks]
    seen_by = np.where(witness < 0, -1, texts[by_rank[witness]]) if len(texts) else witness
    found = {"side": side, "cluster_hi": high, "cluster_lo": low, "size": size}
    return {**rows, **found, "witness": seen_by, "similarity": similarity}


def least_of(label: Array, high: Array, low: Array) -> tuple[Array, Array, I64]:
    """Smallest id of each one's component (two columns), and the place of the text that has it."""
    order = np.lexsort((low, high, label))
    first = np.ones(len(order), bool)
    first[1:] = label[order][1:] != label[order][:-1]
    place = np.empty(len(order), np.int64)
    place[order] = order[first][np.cumsum(first) - 1]
    return high[place], low[place], place


def sides(ranks: I64, rows: Columns, wish: I8, edges: Edges, parameters: IndexParameters) -> I8:
    """The side of each text: those that have one keep it, or are held out where the other choice is a leak."""
    side = rows["side"].astype(np.int8)
    left, right = edges[:2]
    new = side == UNDECIDED
    # Two old ones found similar only now (a crowded bucket had kept them apart): the worse one steps back.
    across = (side[left] != side[right]) & ~new[left] & ~new[right] & (side[left] != HELD) & (side[right] != HELD)
    for edge in np.flatnonzero(across):
        a, b = left[edge], right[edge]
        if HELD not in (side[a], side[b]):
            side[a if ranks[a] > ranks[b] else b] = HELD
    if not new.any():
        return side
    said = np.where(new, wish, side)
    label = _without_held(side, left, right)
    speaks = (said != UNDECIDED) & (said != HELD)
    seen = np.unique(label[speaks] * len(SPLITS) + said[speaks])
    joined, times = np.unique(seen // len(SPLITS), return_counts=True)
    torn = new & np.isin(label, joined[times > 1])
    if torn.any():
        _hold_bridges(side, said, torn, ranks, left, right)
        label = _without_held(side, left, right)
    of_component = np.full(len(side), UNDECIDED, np.int8)
    speaks &= side != HELD
    of_component[label[speaks]] = said[speaks]
    open_ones = side == UNDECIDED
    side[open_ones] = of_component[label[open_ones]]
    open_ones = side == UNDECIDED
    if open_ones.any():
        high, low, place = least_of(label, rows["least_hi"], rows["least_lo"])
        firsts = np.unique(place[open_ones])
        names = format_ids(high[firsts], low[firsts]).to_pylist()
        drawn = np.array([_drawn(name, parameters) for name in names], np.int8)
        side[open_ones] = drawn[np.searchsorted(firsts, place[open_ones])]
    return side


def _drawn(cluster: str, parameters: IndexParameters) -> int:
    return SPLITS.index(split_of(cluster, parameters.seed, parameters.valid, parameters.test))


def _without_held(side: I8, left: I64, right: I64) -> I64:
    """Components once the texts that are held out are left aside."""
    free = (side[left] != HELD) & (side[right] != HELD)
    return components(len(side), left[free], right[free])


def _hold_bridges(side: I8, said: I8, torn: npt.NDArray[np.bool_], ranks: I64, left: I64, right: I64) -> None:
    """Hold out, in place, the newcomers that would join two sides, all being taken in the order of preference."""
    parent = np.arange(len(side))

    def root(text: int) -> int:
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = int(parent[text])
        return text

    neighbours: dict[int, list[int]] = {int(text): [] for text in np.flatnonzero(torn)}
    arrived = np.zeros(len(side), bool)
    arrived[~torn & (side != HELD)] = True
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        for text, other in ((a, b), (b, a)):
            if text in neighbours:
                neighbours[text].append(other)
        if arrived[a] and arrived[b]:
            parent[root(a)] = root(b)
    stands = {root(int(text)): int(said[text]) for text in np.flatnonzero(arrived & (said != UNDECIDED))}
    for text in sorted(neighbours, key=lambda one: int(ranks[one])):
        roots = {root(other) for other in neighbours[text] if arrived[other]}
        own = {int(said[text])} - {UNDECIDED}
        met: Sequence[int] = sorted({stands[one] for one in roots if one in stands} | own)
        if len(met) > 1:
            side[text] = HELD
            continue
        arrived[text] = True
        for one in roots:
            parent[one] = text
        if met:
            stands[text] = met[0]
