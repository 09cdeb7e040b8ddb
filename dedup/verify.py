"""Exact comparison of candidate pairs: the Jaccard similarity of their shingle sets. No pair joins on an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.shards import JobContext, Outcome
from dedup.bands import distinct_pairs
from dedup.inputs import edited_pieces
from dedup.runs import (
    Layout,
    between,
    by_shard,
    concatenate,
    distinct,
    of_shard,
    read_run,
    read_values,
    values_output,
    write_run,
    written_values,
)
from dedup.settings import DedupSettings
from dedup.shingles import I64, LONG, ShingleSets, shingle_sets

_SLACK = 1.0 - 1e-9  # the bounds are rounded; what is at the threshold must never be given up
_TEXT = 16 << 20  # bytes of text whose sets are made at once: they take 53 MB
_BYTES_A_PAIR = 160  # of a candidate pair while its turn lasts, with what sorting takes


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
    name, (first, last) = layout.names[shard], layout.span(shard)
    members = distinct(of_shard(context.run, "members", layout.partitions, "number", first, last)["number"])
    sizes, most = [np.zeros(0, np.int64)], max(1, min(_TEXT, context.memory // 16))

    with written_values(context, "hashes", name) as append:
        for _, texts in edited_pieces(context.run, layout, shard, members - first, most):
            sets = shingle_sets(texts, settings.shingle)
            sizes.append(np.diff(sets.bounds))
            append(sets.values)
    end = np.cumsum(np.concatenate(sizes))
    index = {"number": members, "begin": end - np.concatenate(sizes), "end": end}
    hashes = values_output(context, "hashes", name, int(end[-1]) if len(end) else 0)
    return Outcome((write_run(context, "sets", name, index), hashes))


def verify_pairs(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: the candidate pairs whose better document lies in a shard, compared exactly.

    Writes the run `edges` (`better`, `worse`, `similarity`), only the pairs at or above the threshold, sorted. The
    shard's documents are taken in turns, and those of the others in stretches of their sets, so that pairs and sets
    of a turn take three quarters of the memory at most (or one document's, where that is more).
    """
    room, found, compared = context.memory // 4, [], 0
    ours = _Sets.of(context.run, layout, shard)
    for low, high in _turns(context.run, layout, ours, room):
        pairs = of_shard(
            context.run, "pairs", layout.partitions, "better", ours.numbers[low], ours.numbers[high - 1] + 1
        )
        better, worse = distinct_pairs(pairs["better"], pairs["worse"])
        del pairs
        similarity = _compared(context.run, layout, ours, (low, high), better, worse, room, settings)
        near = similarity >= settings.similarity
        found.append({"better": better[near], "worse": worse[near], "similarity": similarity[near]})
        compared += len(better)
    nothing = np.zeros(0, np.int64)
    found.append({"better": nothing, "worse": nothing, "similarity": nothing.astype(np.float64)})
    edges = write_run(context, "edges", layout.names[shard], concatenate(found))
    return Outcome((edges,), facts={"compared": compared})


@dataclass(frozen=True, slots=True)
class _Sets:
    """Where the shingle sets of a shard's documents (`numbers`, ascending) stand in its run `hashes`."""

    run: Path
    name: str
    numbers: I64
    bounds: I64

    @classmethod
    def of(cls, run: Path, layout: Layout, shard: int) -> _Sets:
        index = read_run(run, "sets", layout.names[shard])
        bounds = np.concatenate(([0], index["end"])).astype(np.int64)
        return cls(run, layout.names[shard], index["number"], bounds)

    def read(self, low: int, high: int) -> ShingleSets:
        """The sets from place `low` up to `high`."""
        bounds = self.bounds[low : high + 1]
        values = read_values(self.run, "hashes", self.name, np.uint64, int(bounds[0]), int(bounds[-1]))
        return ShingleSets(values, bounds - bounds[0])


def _turns(run: Path, layout: Layout, ours: _Sets, room: int) -> list[tuple[int, int]]:
    """Stretches of places in `ours` whose sets, and whose pairs, take at most `room` bytes each, or of one place."""
    runs = [read_run(run, "pairs", part)["better"] for part in range(layout.partitions)]

    def divided(low: int, high: int) -> list[tuple[int, int]]:
        sides = ours.numbers[low], ours.numbers[high - 1] + 1
        stretches = [between(better, *sides) for better in runs]
        pairs = sum(rows.stop - rows.start for rows in stretches)
        taken = max(8 * int(ours.bounds[high] - ours.bounds[low]), _BYTES_A_PAIR * pairs)
        if taken <= room or high - low == 1:
            return [(low, high)]
        middle = low + (high - low) // 2
        return [*divided(low, middle), *divided(middle, high)]

    return divided(0, len(ours.numbers)) if len(ours.numbers) else []


def _compared(
    run: Path,
    layout: Layout,
    ours: _Sets,
    turn: tuple[int, int],
    better: I64,
    worse: I64,
    room: int,
    settings: DedupSettings,
) -> npt.NDArray[np.float64]:
    """Similarity of a turn's pairs, 0 where it is under the threshold; `better` are ascending."""
    similarity = np.zeros(len(better), np.float64)
    sets, left = ours.read(*turn), np.searchsorted(ours.numbers, better) - turn[0]
    for other, places, rows in by_shard(layout, worse):
        theirs = _Sets.of(run, layout, other)
        right = np.searchsorted(theirs.numbers, rows + layout.bases[other])
        stretch = 8 * theirs.bounds[right] // room
        for one in np.unique(stretch):
            here = np.flatnonzero(stretch == one)
            low, high = int(right[here].min()), int(right[here].max()) + 1
            chosen, asked = places[here], right[here] - low
            similarity[chosen] = jaccard(sets, left[chosen], theirs.read(low, high), asked, settings.similarity)
    return similarity
