"""Exact comparison of candidate pairs: the Jaccard similarity of their shingle sets. No pair joins on an estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.shards import JobContext, Outcome
from dedup.bands import distinct_pairs
from dedup.inputs import edited_texts
from dedup.runs import Layout, by_shard, of_shard, read_run, write_run
from dedup.settings import DedupSettings
from dedup.shingles import I64, LONG, ShingleSets, shingle_sets

_SLACK = 1.0 - 1e-9  # the bounds are rounded; what is at the threshold must never be given up


@njit(cache=True, nogil=True)
def _shared_of_sorted(few, many):  # type: ignore[no-untyped-def]
    """How many values of `few` stand in `many`, which is ascending."""
    both = 0
    for j in range(len(few)):
        place = np.searchsorted(many, few[j])
        both += place < len(many) and many[place] == few[j]
    return both


@njit(cache=True, nogil=True)
def _jaccard(left_values, left_bounds, left, right_values, right_bounds, right, least):  # type: ignore[no-untyped-def]
    longest = 1  # of those that go into the table
    for i in left:
        if left_bounds[i + 1] - left_bounds[i] <= LONG:
            longest = max(longest, left_bounds[i + 1] - left_bounds[i])
    capacity = 2
    while capacity < 2 * longest:
        capacity *= 2
    table, stamps = np.empty(capacity, np.uint64), np.zeros(capacity, np.int64)
    similarities = np.zeros(len(left), np.float64)
    stamp, standing, mask = 0, np.int64(-1), 1
    for pair in range(len(left)):
        first, last = left_bounds[left[pair]], left_bounds[left[pair] + 1]
        begin, end = right_bounds[right[pair]], right_bounds[right[pair] + 1]
        ours, theirs = last - first, end - begin
        if min(ours, theirs) == 0 or min(ours, theirs) < least * max(ours, theirs) * _SLACK:
            continue  # even a subset would not reach `least`
        if ours > LONG:
            both = _shared_of_sorted(right_values[begin:end], left_values[first:last])
            similarities[pair] = both / (ours + theirs - both)
            continue
        if left[pair] != standing:
            standing, stamp, mask = left[pair], stamp + 1, 2
            while mask < 2 * ours:
                mask *= 2
            mask -= 1
            for j in range(first, last):
                slot = np.int64(left_values[j] & np.uint64(mask))
                while stamps[slot] == stamp:
                    slot = (slot + 1) & mask
                stamps[slot], table[slot] = stamp, left_values[j]
        # both / (ours + theirs - both) >= least needs so many shared ones, so at most so many others.
        spare = theirs - np.int64(least / (1.0 + least) * (ours + theirs) * _SLACK)
        others = 0
        for j in range(begin, end):
            value = right_values[j]
            slot = np.int64(value & np.uint64(mask))
            while stamps[slot] == stamp and table[slot] != value:
                slot = (slot + 1) & mask
            others += stamps[slot] != stamp
            if others > spare:
                break
        if others <= spare:
            both = theirs - others
            similarities[pair] = both / (ours + theirs - both)
    return similarities


def jaccard(
    left_sets: ShingleSets, left: I64, right_sets: ShingleSets, right: I64, least: float = 0.0
) -> npt.NDArray[np.float64]:
    """Exact Jaccard similarity of m pairs of shingle sets: float64[m]; 0 where both are empty.

    Args:
        left: int64[m], places in `left_sets`; fastest where equal ones stand together.
        right: int64[m], places in `right_sets`.
        least: a pair that cannot reach it is given up early, with 0.
    """
    sides = left_sets.values, left_sets.bounds, left, right_sets.values, right_sets.bounds, right
    return _jaccard(*sides, least)


def list_sets(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: the shingle sets of a shard's documents that stand in some candidate pair (runs `sets`, `hashes`)."""
    first, last = layout.span(shard)
    members = np.unique(of_shard(context.run, "members", layout.partitions, "number", first, last)["number"])
    sets = shingle_sets(edited_texts(context.run, layout, shard, members - first), settings.shingle)
    name = layout.names[shard]
    index = {"number": members, "begin": sets.bounds[:-1], "end": sets.bounds[1:]}
    return Outcome(
        (write_run(context, "sets", name, index), write_run(context, "hashes", name, {"value": sets.values}))
    )


def verify_pairs(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: the candidate pairs whose better document lies in a shard, compared exactly.

    Writes the run `edges` (`better`, `worse`, `similarity`), only the pairs at or above the threshold.
    """
    first, last = layout.span(shard)
    pairs = of_shard(context.run, "pairs", layout.partitions, "better", first, last)
    better, worse = distinct_pairs(pairs["better"], pairs["worse"])
    similarity = np.zeros(len(better), np.float64)
    if len(better):
        numbers, sets = _read_sets(context.run, layout, shard)
        for other, places, rows in by_shard(layout, worse):
            other_numbers, other_sets = _read_sets(context.run, layout, other)
            left = np.searchsorted(numbers, better[places])
            right = np.searchsorted(other_numbers, rows + layout.bases[other])
            similarity[places] = jaccard(sets, left, other_sets, right, settings.similarity)
    near = similarity >= settings.similarity
    edges = {"better": better[near], "worse": worse[near], "similarity": similarity[near]}
    return Outcome((write_run(context, "edges", layout.names[shard], edges),), facts={"compared": len(better)})


def _read_sets(run: Path, layout: Layout, shard: int) -> tuple[I64, ShingleSets]:
    index = read_run(run, "sets", layout.names[shard])
    bounds = np.concatenate(([0], index["end"])).astype(np.int64)
    return index["number"], ShingleSets(read_run(run, "hashes", layout.names[shard])["value"], bounds)
