"""Texts → ids by the merges of a byte-level BPE, compiled: what `tokenizers` does for our own tokenizers, faster.

A short piece that came before is looked up in a bounded table; a new one is merged, the pair of lowest rank first and
of several the leftmost. Where the merges make characters before anything else, as ours do, it is merged from those.
What costs time is memory and branches that no processor foresees: so the places of a block of pieces are fetched before
the first of them is looked at, and the rank of a pair stands in one of two places, read both without asking.
`tokenizer/engines.py` decides which tokenizers this may be done for and compares samples with the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from corpus.kernels import Bytes, Ints, Longs, decode, inner, kernel, mixed, within
from tokenizer.pieces import piece_end
from tokenizer.prefetch import prefetch
from tokenizer.pretokenize import POINTS

MOST_IDS = 1 << 19  # that a pair of them fits into its entry beside the rank
_RANK_BITS = 24
NOTHING = 1 << _RANK_BITS  # rank of a pair that is not merged
_AT_ONCE = 96  # bytes of a piece that is merged by looking over all its pairs; a longer one goes through a heap
_BYTES, _IDS = 24, 6  # of a piece that is kept in the table
_WORDS = 8  # of an entry of the table: bytes and ids in number, three of bytes, three of ids, one is free: a cache line
_ENTRIES = 1 << 19
_BLOCK = 64  # pieces whose entries are fetched at a time
_MOVES = 500  # of pairs for the sake of one more; a table that is a quarter full needs few
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)  # of so many bytes
_KEYS = (-7046029254386353131, -4417276706812531889, 1609587929392839161)  # odd, of no meaning


class Merges(NamedTuple):
    """The merge list as a table in which each pair has two places (cuckoo hashing, Pagh and Rodler 2004).

    Attributes:
        byte_ids: int32 [256], the id of each byte.
        units: int32 [POINTS], ids of characters that are made before anything else, else -1; ASCII is always there.
        whole: whether parts of characters merge with nothing else, so that `units` may be begun with.
        pairs: int64 [a power of two]: (1 + (left << 19 | right)) << 24 | rank, 0 where free.
        results: int32 [merges], the id that each gives.
    """

    byte_ids: Ints
    units: Ints
    whole: bool
    pairs: Longs
    results: Ints


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
    given, slots = np.array(merges, np.int64).reshape(-1, 2), 1 << max(4, (4 * len(merges)).bit_length())
    while not _fill(given, pairs := np.zeros(slots, np.int64)):
        slots *= 2
    byte_ids, units = np.zeros(256, np.int32), np.full(POINTS, -1, np.int32)
    for number, data in spelt.items():
        if len(data) == 1:
            byte_ids[data[0]] = number
    units[:128] = byte_ids[:128]
    made = _characters_made(spelt, merges, results)
    for point, number in (made or {}).items():
        units[point] = number
    return Merges(byte_ids, units, made is not None, pairs, np.array(results, np.int32))


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


@inner
def _places(pairs: Longs, key: Any) -> Any:
    told, mask = mixed(key), np.uint64(len(pairs) - 1)
    return np.uint64(told) & mask, np.uint64(told >> 32) & mask


@kernel
def _fill(merges: Longs, pairs: Longs) -> bool:
    """Write all pairs into an empty table; whether there was room."""
    for rank in range(len(merges)):
        key = 1 + merges[rank, 0] * MOST_IDS + merges[rank, 1]
        entry = key << _RANK_BITS | rank
        at, other = _places(pairs, key)
        if pairs[other] >> _RANK_BITS == key:  # given twice: the last counts, as in the library
            at = other
        elif pairs[at] >> _RANK_BITS != key:
            for _ in range(_MOVES):
                if pairs[at] == 0:
                    break
                entry, pairs[at] = pairs[at], entry
                one, two = _places(pairs, entry >> _RANK_BITS)
                at = two if at == one else one
            if pairs[at] != 0:
                return False
        pairs[at] = entry
    return True


@inner
def _rank(pairs: Longs, left: int, right: int) -> Any:
    key = 1 + np.int64(left) * MOST_IDS + right
    a, b = _places(pairs, key)
    one, two = pairs[a], pairs[b]
    rank = one & (NOTHING - 1) if one >> _RANK_BITS == key else np.int64(NOTHING)
    return two & (NOTHING - 1) if two >> _RANK_BITS == key else rank


@within
def _merge_short(n: int, pairs: Longs, results: Ints, tokens: Ints, ranks: Longs) -> int:
    """Merge `tokens` in place; how many stay."""
    for i in range(n - 1):
        ranks[i] = _rank(pairs, tokens[i], tokens[i + 1])
    while n > 1:
        best = 0
        for i in range(1, n - 1):
            if ranks[i] < ranks[best]:
                best = i
        if ranks[best] == NOTHING:
            break
        tokens[best] = results[ranks[best]]
        n -= 1
        for i in range(best + 1, n):
            tokens[i] = tokens[i + 1]
            ranks[i - 1] = ranks[i]
        if best > 0:
            ranks[best - 1] = _rank(pairs, tokens[best - 1], tokens[best])
        if best < n - 1:
            ranks[best] = _rank(pairs, tokens[best], tokens[best + 1])
    return n


@inner
def _merge_long(n: int, pairs: Longs, results: Ints, tokens: Ints) -> int:
    """Merge `tokens` through a heap, so that ten thousand characters without a space cost no square of that."""
    before, after = np.arange(-1, n - 1), np.arange(1, n + 1)
    heap: Any = [(np.int64(NOTHING), np.int64(n))]
    for i in range(n - 1):
        rank = _rank(pairs, tokens[i], tokens[i + 1])
        if rank != NOTHING:
            heappush(heap, (rank, np.int64(i)))
    while True:
        rank, i = heappop(heap)
        if rank == NOTHING:
            break
        j = after[i]
        if tokens[i] < 0 or j >= n or _rank(pairs, tokens[i], tokens[j]) != rank:
            continue
        tokens[i], tokens[j] = results[rank], -1
        after[i] = after[j]
        if after[i] < n:
            before[after[i]] = i
            right = _rank(pairs, tokens[i], tokens[after[i]])
            if right != NOTHING:
                heappush(heap, (right, i))
        if before[i] >= 0:
            left = _rank(pairs, tokens[before[i]], tokens[i])
            if left != NOTHING:
                heappush(heap, (left, before[i]))
    kept = 0
    for i in range(n):
        if tokens[i] >= 0:
            tokens[kept] = tokens[i]
            kept += 1
    return kept


@within
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
                n = first + _merge_short(n - first, merges.pairs, merges.results, tokens[first:], values)
        i = after
    return (
        _merge_short(n, merges.pairs, merges.results, tokens, values)
        if n <= _AT_ONCE
        else _merge_long(n, merges.pairs, merges.results, tokens)
    )


@inner
def _word(words: Any, at: int) -> Any:
    """Eight bytes from byte `at` on, the first lowest; `words` is the buffer eight by eight, with one more behind."""
    shift = np.uint64(8 * (at & 7))
    return words[at >> 3] >> shift | words[(at >> 3) + 1] << np.uint64(1) << np.uint64(63) - shift


@inner
def _remember(known: Longs, length: int, entry: Any, tokens: Ints, n: int) -> None:
    """Write a piece and its ids into a free entry; a table that is three quarters full is emptied."""
    at = entry[0]
    last = len(known) - _WORDS
    if 4 * (known[last] + 1) > 3 * (last // _WORDS):
        known[:] = 0
    known[last] += 1
    known[at] = length << 8 | n
    known[at + 1], known[at + 2], known[at + 3] = entry[1], entry[2], entry[3]
    for k in range(n):
        known[at + 4 + (k >> 1)] |= np.int64(tokens[k]) << (32 * (k & 1))


@within
def _new_piece(
    buffer: Bytes, start: int, end: int, merges: Any, known: Longs, entry: Any, scratch: Any, out: Ints, to: int
) -> Any:
    """Write the ids of a piece that is not in the table; where they end. `entry`: its place (-1: none) and words."""
    tokens, values = scratch
    n = _merge_piece(buffer, start, end, merges, tokens, values)
    for k in range(n):
        out[to + k] = tokens[k]
    if entry[0] >= 0 and n <= _IDS:
        _remember(known, end - start, entry, tokens, n)
    return to + n


@inner
def _words_of(words: Any, start: int, length: int) -> Any:
    """The bytes of a short piece as three numbers."""
    a = np.int64(_word(words, start) & _MASKS[min(length, 8)])
    b = c = np.int64(0)
    if length > 8:
        b = np.int64(_word(words, start + 8) & _MASKS[min(length - 8, 8)])
        c = np.int64(_word(words, start + 16) & _MASKS[max(length - 16, 0)])
    return a, b, c


@inner
def _cut(buffer: Bytes, i: int, end: int, table: Bytes, words: Any, known: Longs, block: Longs) -> Any:
    """Find the next pieces, fetch what the table may know of them; how many, and the byte after the last.

    Args:
        block: int64 [2, _BLOCK], written to: the byte after each piece; the slot where it is looked for, -1 for none.
    """
    count, safe, mask = 0, 8 * (len(words) - 4), len(known) // _WORDS - 2
    while i < end and count < _BLOCK:
        start, slot = i, np.int64(-1)
        i = piece_end(buffer, start, end, table)
        if i - start <= _BYTES and start < safe:
            a, b, c = _words_of(words, start, i - start)
            slot = mixed(a * _KEYS[0] ^ b * _KEYS[1] ^ c * _KEYS[2] ^ (i - start)) & mask
            prefetch(known, slot * _WORDS)
        block[0, count], block[1, count] = i, slot
        count += 1
    return count, i


@kernel
def encode_buffer(
    buffer: Bytes, offsets: Longs, table: Bytes, merges: Any, known: Longs, spots: Any, end_id: int, out: Ints
) -> Longs:
    """Write the ids of documents one after another, `end_id` after each; how many each has, int64 [documents].

    Args:
        table: classes of code points, see `tokenizer.pretokenize`.
        known: see `empty_table`.
        out: int32, room for an id for each byte and each document, and one more.
    """
    sizes, scratch = np.zeros(len(offsets) - 1, np.int64), (np.empty(4096, np.int32), np.empty(_AT_ONCE, np.int64))
    words = buffer[: len(buffer) // 8 * 8].view(np.uint64)
    block = np.empty((2, _BLOCK), np.int64)
    to, spot, mask = 0, 0, len(known) // _WORDS - 2
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
                count, i = _cut(buffer, start, end, table, words, known, block)
                for k in range(count):
                    length, slot, at = block[0, k] - start, block[1, k], np.int64(-1)
                    a = b = c = told = np.int64(0)
                    if slot >= 0:
                        a, b, c = _words_of(words, start, length)
                        at = slot * _WORDS
                        told = known[at]
                        while told != 0 and not (
                            told >> 8 == length and known[at + 1] == a and known[at + 2] == b and known[at + 3] == c
                        ):
                            slot = (slot + 1) & mask
                            at = slot * _WORDS
                            told = known[at]
                    if told != 0:
                        n = int(told & 255)
                        out[to] = known[at + 4] & 0xFFFFFFFF
                        out[to + 1] = known[at + 4] >> 32
                        for j in range(2, n):
                            out[to + j] = known[at + 4 + (j >> 1)] >> (32 * (j & 1)) & 0xFFFFFFFF
                        to += n
                    else:
                        if length > len(scratch[0]):
                            scratch = np.empty(2 * length, np.int32), scratch[1]
                        entry = (at, a, b, c)
                        to = _new_piece(buffer, start, start + length, merges, known, entry, scratch, out, to)
                    start += length
        out[to], sizes[d] = end_id, to + 1 - first
        to += 1
    return sizes
