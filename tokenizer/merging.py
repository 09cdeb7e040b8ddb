"""Texts → ids by the merges of a byte-level BPE, compiled: what `tokenizers` does for our own tokenizers, faster.

A short piece that came before is looked up in a bounded table; a new one is merged, the pair of lowest rank first and
of several the leftmost. Where the merges make characters before anything else, as ours do, it is merged from those.
`tokenizer/engines.py` decides which tokenizers this may be done for and compares samples with the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from corpus.kernels import Bytes, Ints, Longs, decode, inner, kernel, mixed
from tokenizer.pieces import piece_end
from tokenizer.pretokenize import POINTS

NOTHING = (1 << 63) - 1  # value of a pair that is not merged; others are rank << 32 | id of the result
_AT_ONCE = 96  # bytes of a piece that is merged by looking over all its pairs; a longer one goes through a heap
_BYTES, _IDS = 24, 6  # of a piece that is kept in the table
_WORDS = 8  # of an entry of the table: bytes and ids in number, three of bytes, three of ids, one is free: a cache line
_ENTRIES = 1 << 19
_KEYS = (-7046029254386353131, -4417276706812531889, 1609587929392839161)  # odd, of no meaning


class Merges(NamedTuple):
    """The merge list as an open-addressing table.

    Attributes:
        byte_ids: int32 [256], the id of each byte.
        units: int32 [POINTS], ids of characters that are made before anything else, else -1; ASCII is always there.
        whole: whether parts of characters merge with nothing else, so that `units` may be begun with.
        pairs: int64 [2 * a power of two]: 1 + (left << 32 | right), 0 where free, and beside it the value.
    """

    byte_ids: Ints
    units: Ints
    whole: bool
    pairs: Longs


class Spots(NamedTuple):
    """Spans of a buffer that are one id each, sorted: placeholders."""

    starts: Longs
    ends: Longs
    ids: Ints


def merge_table(spelt: Mapping[int, bytes], merges: Sequence[tuple[int, int]], results: Sequence[int]) -> Merges:
    """The table of a merge list.

    Args:
        spelt: bytes of each id that is a byte or the result of a merge.
        merges, results: pairs of ids by rank, and the id that each gives.
    """
    pairs = np.zeros(2 << max(4, (3 * len(merges)).bit_length()), np.int64)
    _fill(np.array(merges, np.int64).reshape(-1, 2), np.array(results, np.int64), pairs)
    byte_ids, units = np.zeros(256, np.int32), np.full(POINTS, -1, np.int32)
    for number, data in spelt.items():
        if len(data) == 1:
            byte_ids[data[0]] = number
    units[:128] = byte_ids[:128]
    made = _characters_made(spelt, merges, results)
    for point, number in (made or {}).items():
        units[point] = number
    return Merges(byte_ids, units, made is not None, pairs)


def _characters_made(
    spelt: Mapping[int, bytes], merges: Sequence[tuple[int, int]], results: Sequence[int]
) -> dict[int, int] | None:
    """Code points that the first merges make, with their ids; None where a part of a character merges otherwise."""
    made: dict[int, int] = {}
    whole = {number for number, data in spelt.items() if len(data) == 1 and data[0] < 0x80}
    began = False
    for (left, right), number in zip(merges, results, strict=True):
        if left in whole and right in whole:
            began = True
            whole.add(number)
            continue
        data = spelt[number]
        length = 2 if data[0] < 0xE0 else 3 if data[0] < 0xF0 else 4
        if began or data[0] < 0xC2 or len(data) > length or len(spelt[right]) != 1:
            return None
        if len(data) == length:
            try:
                made[ord(data.decode())] = number
            except UnicodeDecodeError:
                return None
            whole.add(number)
    return made


def empty_table() -> Longs:
    """Pieces met before, an open-addressing table of entries of _WORDS each; the last entry counts them."""
    return np.zeros((_ENTRIES + 1) * _WORDS, np.int64)


def spots_of(starts: Longs, ends: Longs, names: Ints, ids: Mapping[int, int]) -> Spots:
    """Spans with the number of a name each, as spans with an id."""
    return Spots(starts, ends, np.array([ids[name] for name in names.tolist()], np.int32))


@kernel
def _fill(merges: Longs, results: Longs, pairs: Longs) -> None:
    mask = len(pairs) // 2 - 1
    for rank in range(len(merges)):
        key = 1 + (merges[rank, 0] << 32 | merges[rank, 1])
        slot = mixed(key) & mask
        while pairs[2 * slot] != 0 and pairs[2 * slot] != key:
            slot = (slot + 1) & mask
        pairs[2 * slot], pairs[2 * slot + 1] = key, rank << 32 | results[rank]


@inner
def _value(merges: Any, left: int, right: int) -> Any:
    key = 1 + (np.int64(left) << 32 | np.int64(right))
    mask = len(merges.pairs) // 2 - 1
    slot = mixed(key) & mask
    while merges.pairs[2 * slot] != 0:
        if merges.pairs[2 * slot] == key:
            return merges.pairs[2 * slot + 1]
        slot = (slot + 1) & mask
    return np.int64(NOTHING)


@inner
def _merge_short(n: int, merges: Any, tokens: Ints, values: Longs) -> int:
    """Merge `tokens` in place; how many stay."""
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
def _merge_long(n: int, merges: Any, tokens: Ints) -> int:
    """Merge `tokens` through a heap, so that ten thousand characters without a space cost no square of that."""
    before, after = np.arange(-1, n - 1), np.arange(1, n + 1)
    heap: Any = [(np.int64(NOTHING), np.int64(n))]
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
def _merge_piece(buffer: Bytes, start: int, end: int, merges: Any, tokens: Ints, values: Longs) -> int:
    """The ids of a piece; how many there are."""
    n, i = 0, start
    while i < end:
        point, after = decode(buffer, i)
        if merges.whole and merges.units[point] >= 0:
            tokens[n] = merges.units[point]
            n += 1
        else:
            first = n
            for k in range(i, after):
                tokens[n] = merges.byte_ids[buffer[k]]
                n += 1
            if merges.whole:
                n = first + _merge_short(n - first, merges, tokens[first:], values)
        i = after
    return _merge_short(n, merges, tokens, values) if n <= _AT_ONCE else _merge_long(n, merges, tokens)


@inner
def _packed(buffer: Bytes, start: int, end: int) -> tuple[Any, Any, Any]:
    """At most _BYTES bytes as three words."""
    a, b, c = np.int64(0), np.int64(0), np.int64(0)
    for i in range(start, min(start + 8, end)):
        a = a << 8 | buffer[i]
    for i in range(start + 8, min(start + 16, end)):
        b = b << 8 | buffer[i]
    for i in range(start + 16, end):
        c = c << 8 | buffer[i]
    return a, b, c


@inner
def _remember(known: Longs, at: int, length: int, words: Any, tokens: Ints, n: int) -> None:
    """Write a piece and its ids into the free entry at word `at`; a table that is three quarters full is emptied."""
    last = len(known) - _WORDS
    if 4 * (known[last] + 1) > 3 * (last // _WORDS):
        known[:] = 0
    known[last] += 1
    known[at] = length << 8 | n
    known[at + 1], known[at + 2], known[at + 3] = words
    for k in range(n):
        known[at + 4 + (k >> 1)] |= np.int64(tokens[k]) << (32 * (k & 1))


@inner
def _piece(buffer: Bytes, start: int, end: int, merges: Any, known: Longs, scratch: Any, out: Ints, to: int) -> int:
    """Write the ids of a piece; the place after them."""
    tokens, values = scratch
    length = end - start
    if length > _BYTES:
        n = _merge_piece(buffer, start, end, merges, tokens, values)
        out[to : to + n] = tokens[:n]
        return to + n
    words = _packed(buffer, start, end)
    mask = len(known) // _WORDS - 2
    slot = mixed(words[0] * _KEYS[0] ^ words[1] * _KEYS[1] ^ words[2] * _KEYS[2] ^ length) & mask
    while True:
        at = slot * _WORDS
        told = known[at]
        if told == 0:
            break
        if (
            told >> 8 == length
            and known[at + 1] == words[0]
            and known[at + 2] == words[1]
            and known[at + 3] == words[2]
        ):
            for k in range(told & 255):
                out[to + k] = known[at + 4 + (k >> 1)] >> (32 * (k & 1)) & 0xFFFFFFFF
            return to + (told & 255)
        slot = (slot + 1) & mask
    n = _merge_piece(buffer, start, end, merges, tokens, values)
    for k in range(n):
        out[to + k] = tokens[k]
    if n <= _IDS:
        _remember(known, at, length, words, tokens, n)
    return to + n


@kernel
def encode_buffer(
    buffer: Bytes, offsets: Longs, table: Bytes, merges: Any, known: Longs, spots: Any, end_id: int, out: Ints
) -> Longs:
    """Write the ids of documents one after another, `end_id` after each; how many each has, int64 [documents].

    Args:
        table: classes of code points, see `tokenizer.pretokenize`.
        known: see `empty_table`.
        out: int32, room for an id for each byte and each document.
    """
    sizes = np.zeros(len(offsets) - 1, np.int64)
    scratch = np.empty(4096, np.int32), np.empty(_AT_ONCE, np.int64)
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
                i = piece_end(buffer, start, end, table)
                if i - start > len(scratch[0]):
                    scratch = np.empty(2 * (i - start), np.int32), scratch[1]
                to = _piece(buffer, start, i, merges, known, scratch, out, to)
        out[to] = end_id
        to += 1
        sizes[d] = to - first
    return sizes
