"""Texts → ids by the merges of a byte-level BPE, compiled: what `tokenizers` does for our own tokenizers, faster.

A piece that came before is looked up with its bytes in a bounded table; a new one is merged from its bytes, the pair of
lowest rank first and of several the leftmost. `tokenizer/engines.py` decides which tokenizers this may be done for and
compares samples with the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from corpus.kernels import Bytes, Ints, Longs, inner, kernel, mixed
from tokenizer.pieces import piece_end, same

NOTHING = (1 << 63) - 1  # value of a pair that is not merged; others are rank << 32 | id of the result
_LONGEST = 64  # bytes of a piece that is kept in the table
_AT_ONCE = 96  # bytes of a piece that is merged by looking over all its pairs; a longer one goes through a heap
_PIECES = 1 << 19


class Merges(NamedTuple):
    """The merge list as an open-addressing table.

    Attributes:
        byte_ids: int32 [256], the id of each byte.
        pairs: int64 [a power of two], 1 + (left << 32 | right), 0 where free.
        values: int64, beside `pairs`.
    """

    byte_ids: Ints
    pairs: Longs
    values: Longs


class Known(NamedTuple):
    """Pieces met before, and their ids: `slots` names them, `used` counts pieces, bytes of `store` and `ids`."""

    slots: Ints
    keys: Longs
    bounds: Longs
    firsts: Longs
    store: Bytes
    ids: Ints
    used: Longs


class Spots(NamedTuple):
    """Spans of a buffer that are one id each, sorted: placeholders."""

    starts: Longs
    ends: Longs
    ids: Ints


def merge_table(byte_ids: Sequence[int], merges: Sequence[tuple[int, int]], results: Sequence[int]) -> Merges:
    """The table of a merge list: pairs of ids by rank, and the id that each gives."""
    size = 1 << max(4, (3 * len(merges)).bit_length())
    pairs, values = np.zeros(size, np.int64), np.zeros(size, np.int64)
    _fill(np.array(merges, np.int64).reshape(-1, 2), np.array(results, np.int64), pairs, values)
    return Merges(np.array(byte_ids, np.int32), pairs, values)


def empty_table() -> Known:
    """Room for half a million pieces."""
    return Known(
        np.zeros(4 * _PIECES, np.int32),
        np.zeros(_PIECES + 1, np.int64),
        np.zeros(_PIECES + 1, np.int64),
        np.zeros(_PIECES + 1, np.int64),
        np.empty(16 * _PIECES, np.uint8),
        np.empty(8 * _PIECES, np.int32),
        np.zeros(1, np.int64),
    )


def spots_of(starts: Longs, ends: Longs, names: Ints, ids: Mapping[int, int]) -> Spots:
    """Spans with the number of a name each, as spans with an id."""
    return Spots(starts, ends, np.array([ids[name] for name in names.tolist()], np.int32))


@kernel
def _fill(merges: Longs, results: Longs, pairs: Longs, values: Longs) -> None:
    mask = len(pairs) - 1
    for rank in range(len(merges)):
        key = 1 + (merges[rank, 0] << 32 | merges[rank, 1])
        slot = mixed(key) & mask
        while pairs[slot] != 0 and pairs[slot] != key:
            slot = (slot + 1) & mask
        pairs[slot] = key
        values[slot] = rank << 32 | results[rank]


@inner
def _value(merges: Any, left: int, right: int) -> Any:
    key = 1 + (np.int64(left) << 32 | np.int64(right))
    mask = len(merges.pairs) - 1
    slot = mixed(key) & mask
    while merges.pairs[slot] != 0:
        if merges.pairs[slot] == key:
            return merges.values[slot]
        slot = (slot + 1) & mask
    return np.int64(NOTHING)


@inner
def _merge_short(buffer: Bytes, start: int, end: int, merges: Any, tokens: Ints, values: Longs) -> int:
    """Merge a piece in place; how many `tokens` it has."""
    n = end - start
    for i in range(n):
        tokens[i] = merges.byte_ids[buffer[start + i]]
    for i in range(n - 1):
        values[i] = _value(merges, tokens[i], tokens[i + 1])
    while n > 1:
        best = 0
        for i in range(1, n - 1):
            if values[i] < values[best]:
                best = i
        if values[best] == NOTHING:
            break
        tokens[best] = values[best] & 0xFFFFFFFF
        n -= 1
        for i in range(best + 1, n):
            tokens[i] = tokens[i + 1]
            values[i - 1] = values[i]
        if best > 0:
            values[best - 1] = _value(merges, tokens[best - 1], tokens[best])
        if best < n - 1:
            values[best] = _value(merges, tokens[best], tokens[best + 1])
    return n


@inner
def _merge_long(buffer: Bytes, start: int, end: int, merges: Any, tokens: Ints) -> int:
    """Merge a piece through a heap, so that ten thousand characters without a space cost no square of that."""
    n = end - start
    before, after = np.arange(-1, n - 1), np.arange(1, n + 1)
    heap: Any = [(np.int64(NOTHING), np.int64(n))]
    for i in range(n):
        tokens[i] = merges.byte_ids[buffer[start + i]]
    for i in range(n - 1):
        value = _value(merges, tokens[i], tokens[i + 1])
        if value != NOTHING:
            heappush(heap, (value, np.int64(i)))
    while True:
        value, i = heappop(heap)
        if value == NOTHING:
            break
        j = after[i]
        if tokens[i] < 0 or j >= n or _value(merges, tokens[i], tokens[j]) != value:
            continue
        tokens[i], tokens[j] = value & 0xFFFFFFFF, -1
        after[i] = after[j]
        if after[i] < n:
            before[after[i]] = i
            right = _value(merges, tokens[i], tokens[after[i]])
            if right != NOTHING:
                heappush(heap, (right, i))
        if before[i] >= 0:
            left = _value(merges, tokens[before[i]], tokens[i])
            if left != NOTHING:
                heappush(heap, (left, before[i]))
    kept = 0
    for i in range(n):
        if tokens[i] >= 0:
            tokens[kept] = tokens[i]
            kept += 1
    return kept


@inner
def _remember(buffer: Bytes, start: int, length: int, key: Any, slot: Any, known: Any, tokens: Ints, n: int) -> None:
    """Put a piece and its ids into the table; a full table is emptied first."""
    number = known.used[0] + 1
    full = number >= len(known.keys) or known.bounds[number - 1] + length > len(known.store)
    if full or known.firsts[number - 1] + n > len(known.ids):
        known.slots[:] = 0
        number, slot = 1, mixed(key) & (len(known.slots) - 1)
    at, first = known.bounds[number - 1], known.firsts[number - 1]
    for i in range(length):
        known.store[at + i] = buffer[start + i]
    for i in range(n):
        known.ids[first + i] = tokens[i]
    known.keys[number] = key
    known.bounds[number], known.firsts[number] = at + length, first + n
    known.slots[slot] = number
    known.used[0] = number


@kernel
def encode_buffer(
    buffer: Bytes, offsets: Longs, table: Bytes, merges: Any, known: Any, spots: Any, end_id: int, out: Ints
) -> Longs:
    """Write the ids of documents one after another, `end_id` after each; how many each has, int64 [documents].

    Args:
        table: classes of code points, see `tokenizer.pretokenize`.
        out: int32, room for an id for each byte and each document.
    """
    sizes = np.zeros(len(offsets) - 1, np.int64)
    mask = len(known.slots) - 1
    tokens, values = np.empty(4096, np.int32), np.empty(_AT_ONCE, np.int64)
    to, spot = 0, 0
    for d in range(len(offsets) - 1):
        first, i, finish = to, offsets[d], offsets[d + 1]
        while i < finish:
            end = finish
            if spot < len(spots.starts) and spots.starts[spot] < finish:
                end = spots.starts[spot]
                if end == i:
                    out[to] = spots.ids[spot]
                    to += 1
                    i = spots.ends[spot]
                    spot += 1
                    continue
            while i < end:
                start = i
                i, key = piece_end(buffer, start, end, table)
                length = i - start
                slot = mixed(key) & mask
                number = known.slots[slot]
                while number != 0:
                    at = known.bounds[number - 1]
                    if (
                        known.keys[number] == key
                        and known.bounds[number] - at == length
                        and same(buffer, start, known.store, at, length)
                    ):
                        break
                    slot = (slot + 1) & mask
                    number = known.slots[slot]
                if number != 0:
                    for k in range(known.firsts[number - 1], known.firsts[number]):
                        out[to] = known.ids[k]
                        to += 1
                    continue
                if length > len(tokens):
                    tokens = np.empty(2 * length, np.int32)
                if length <= _AT_ONCE:
                    n = _merge_short(buffer, start, i, merges, tokens, values)
                else:
                    n = _merge_long(buffer, start, i, merges, tokens)
                out[to : to + n] = tokens[:n]
                to += n
                if length <= _LONGEST:
                    _remember(buffer, start, length, key, slot, known, tokens, n)
        out[to] = end_id
        to += 1
        sizes[d] = to - first
    return sizes
