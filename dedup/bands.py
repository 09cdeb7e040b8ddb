"""Candidate pairs: documents that agree in all values of a band are worth an exact comparison."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.shards import JobContext, Outcome
from dedup.banding import sketch_words
from dedup.inputs import facts_about, rank
from dedup.minhash import alike
from dedup.runs import Array, Layout, by_shard, distinct, exchange, read_run, read_values, turns, write_run
from dedup.settings import DedupSettings
from dedup.shingles import U64

I64 = npt.NDArray[np.int64]
_LARGE = 256
# What `find_pairs` takes at its peak for a band key of its partition, and for its document's facts and sketch.
_BYTES_A_KEY = 250
_GATHERED = 1 << 14  # sketches read through one map
_BYTES_A_SHARED_KEY = 500  # what `link` takes for one where documents have many neighbours


@njit(cache=True, nogil=True)
def _perhaps_shared(keys):  # type: ignore[no-untyped-def]
    slots = 1024
    while slots < 4 * len(keys):
        slots *= 2
    # By the lowest bits: all keys of a partition share the highest.
    seen, mask = np.zeros(slots, np.uint8), np.uint64(slots - 1)
    for key in keys:
        slot = np.int64(key & mask)
        seen[slot] = min(seen[slot] + 1, 2)
    found = np.empty(len(keys), np.bool_)
    for i in range(len(keys)):
        found[i] = seen[np.int64(keys[i] & mask)] == 2
    return found


def shared(keys: Array) -> npt.NDArray[np.bool_]:
    """bool[n]: whether another of the n keys, uint64, is equal.

    Most keys are alone: a table of counters drops nearly all of those, so that few are sorted.
    """
    found = _perhaps_shared(keys)
    perhaps = np.flatnonzero(found)
    found[perhaps] = _shared(keys[perhaps])
    return found


def _shared(keys: Array) -> npt.NDArray[np.bool_]:
    order = np.argsort(keys)
    same = keys[order][1:] == keys[order][:-1]
    found = np.zeros(len(keys), bool)
    found[order[1:]] |= same
    found[order[:-1]] |= same
    return found


def link(keys: Array, ranks: I64, neighbours: int) -> tuple[I64, I64]:
    """Pairs of documents to compare, by rank: better (int64[m]) and worse (int64[m]), distinct, sorted.

    Within a bucket (equal keys) each document is paired with the best one and with the `neighbours` next better
    ones: a bucket of n costs n times `neighbours` + 1 pairs, not n². In a bucket of more than 256 (a page template, a
    shared notice) it is one neighbour: what is truly similar meets again in smaller ones.

    Args:
        keys: uint64[n], band keys, a document's once for each band.
        ranks: int64[n], the document's place in the order of preference, 0 the best.
    """
    order = np.lexsort((ranks, keys))
    keys, ranks = keys[order], ranks[order]
    place = np.arange(len(keys))
    start = np.ones(len(keys), bool)
    start[1:] = keys[1:] != keys[:-1]
    first = np.maximum.accumulate(np.where(start, place, 0))
    better, worse = [ranks[first[~start]]], [ranks[~start]]
    group = np.cumsum(start) - 1
    far = np.where(np.bincount(group)[group] > _LARGE, min(1, neighbours), neighbours)
    for distance in range(1, neighbours + 1):
        reach = np.flatnonzero((place - first > distance) & (distance <= far))  # the first is paired already
        if len(reach) == 0:
            break
        # Large buckets come again in every band with the same members: thinned here, memory stays that of one.
        left, right = distinct_pairs(ranks[reach - distance], ranks[reach])
        better.append(left)
        worse.append(right)
    return distinct_pairs(np.concatenate(better), np.concatenate(worse))


def distinct_pairs(left: I64, right: I64) -> tuple[I64, I64]:
    """Pairs without repeats and without a document paired with itself, sorted by left, then right."""
    if len(left) and max(left.max(), right.max()) >> 31:
        order = np.lexsort((right, left))
        left, right = left[order], right[order]
    else:  # both fit one word, which sorts several times faster
        word = np.sort(left << 32 | right)
        left, right = word >> 32, word & 0xFFFFFFFF
    new = np.ones(len(left), bool)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    new &= left != right
    return left[new], right[new]


def find_pairs(context: JobContext, *, layout: Layout, part: int, settings: DedupSettings) -> Outcome:
    """Exchange: the runs `pairs` (`better`, `worse`: numbers, sorted) and `members` (`number`: all that occur)."""
    better, worse = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for turn in turns(context, ("bands",), layout, part, _BYTES_A_KEY):
        left, right = _pairs_of(context, layout, turn, settings)
        better, worse = distinct_pairs(np.concatenate([better, left]), np.concatenate([worse, right]))
    members = distinct(np.concatenate([better, worse]))
    return Outcome(
        (
            write_run(context, "pairs", part, {"better": better, "worse": worse}),
            write_run(context, "members", part, {"number": members}),
        )
    )


def _pairs_of(context: JobContext, layout: Layout, turn: tuple[int, int], settings: DedupSettings) -> tuple[I64, I64]:
    columns = exchange(context.run, "bands", layout, "key", *turn)
    keys, numbers = columns["key"], columns["number"]
    several = shared(keys)
    keys, numbers = keys[several], numbers[several]
    documents = distinct(numbers)
    single = ~_is_worse_copy(context, layout, documents)
    index = np.searchsorted(documents, numbers)
    keys, index = keys[single[index]], (np.cumsum(single) - 1)[index[single[index]]]
    documents = documents[single]
    ranks = rank(facts_about(context.run, layout, documents), documents, settings.prefer)
    places = np.argsort(ranks)
    sketches = _sketches(context, layout, documents, settings)
    ranks, pieces = ranks[index], 1 + len(keys) * _BYTES_A_SHARED_KEY // max(1, context.memory)
    better, worse = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for piece in range(pieces):  # buckets stay whole, so that the pairs are the same
        here = keys % np.uint64(pieces) == piece if pieces > 1 else slice(None)
        left, right = link(keys[here], ranks[here], settings.neighbours)
        worth = alike(sketches, places[left], places[right], settings.bands * settings.rows, settings.similarity)
        left, right = left[worth], right[worth]
        if pieces > 1:
            left, right = distinct_pairs(np.concatenate([better, left]), np.concatenate([worse, right]))
        better, worse = left, right
    return documents[places[better]], documents[places[worse]]


def _sketches(context: JobContext, layout: Layout, documents: Array, settings: DedupSettings) -> U64:
    """Of documents by number, ascending: uint64[n, words]."""
    words = sketch_words(settings.bands * settings.rows)
    found = np.empty((len(documents), words), np.uint64)
    for shard, places, rows in by_shard(layout, documents):
        for start in range(0, len(rows), _GATHERED):
            here, there = places[start : start + _GATHERED], rows[start : start + _GATHERED]
            sides = int(there[0]) * words, (int(there[-1]) + 1) * words  # ascending, as `documents` are
            stretch = read_values(context.run, "sketches", layout.names[shard], np.uint64, *sides)
            found[here] = stretch.reshape(-1, words)[there - there[0]]
    return found


def _is_worse_copy(context: JobContext, layout: Layout, numbers: Array) -> npt.NDArray[np.bool_]:
    """Whether documents, by number, ascending, have the same text as a better one: bool[n]."""
    worse = np.zeros(len(numbers), bool)
    for part in range(layout.partitions):
        copies = read_run(context.run, "copies", part)
        losers = copies["number"][copies["number"] != copies["best"]]
        if len(losers):
            place = np.minimum(np.searchsorted(losers, numbers), len(losers) - 1)
            worse |= losers[place] == numbers
    return worse
