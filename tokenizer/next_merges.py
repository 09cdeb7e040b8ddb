"""Byte pair encoding gone on with: from pieces as an old vocabulary cuts them to the merges that come next.

The kernel under `tokenizer/extend.py`. Pairs are counted over all pieces; the most frequent is merged, the counts are
brought up to date, and so on (Sennrich et al. 2016). Only pairs that may be merged are ever counted:

- what comes out contains Hangul whatever stands around it (`byte_level.certain_hangul`), so that text without Hangul
  meets no new merge;
- what comes out begins where a character begins, and a character is completed before the next is added, so that no
  token lies across the border of two characters but those that the old vocabulary has;
- what comes out is no token yet: a second way to a token could let an old merge follow a new one.

The state is flat arrays with a place for each token of each piece; the places of a pair are a doubly linked chain, so
that a merge touches only the places that change.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.kernels import inner, kernel, mixed
from tokenizer.byte_level import HANGUL

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
LONGEST = 64  # bytes of a token: longer ones are names learned by heart
_NONE = -1


@dataclass(frozen=True, slots=True)
class Merges:
    """What was learned, in order: merge i joins `left[i]` and `right[i]` into the i-th new token."""

    left: Longs
    right: Longs
    times: Longs


def learn_merges(
    ids: Ints, starts: Longs, times: Longs, token_bytes: list[bytes], known: set[bytes], wanted: int, least: int
) -> Merges:
    """Learn up to `wanted` merges.

    Args:
        ids: int32 (tokens,): the pieces' tokens one after another, in the old vocabulary.
        starts: int64 (pieces + 1,): where each piece's tokens begin.
        times: int64 (pieces,): how often each occurs.
        token_bytes: the bytes of each old id; empty for ids that no merge may touch.
        known: the bytes of every token there is.
        least: times that a pair must occur.
    """
    offsets = np.zeros(len(token_bytes) + wanted + 1, np.int64)
    np.cumsum([len(one) for one in token_bytes], out=offsets[1 : len(token_bytes) + 1])
    buffer = np.zeros(int(offsets[len(token_bytes)]) + wanted * LONGEST, np.uint8)
    buffer[: offsets[len(token_bytes)]] = np.frombuffer(b"".join(token_bytes), np.uint8)
    taken = np.array(sorted(_hash_of(one) for one in known), np.int64)
    first = len(token_bytes)
    merges, made = _learn(_laid_out(ids, starts), times, buffer, offsets, first, taken, wanted, least)
    return Merges(*merges[:, :made])


def _hash_of(data: bytes) -> int:
    return int(_hash(np.frombuffer(data, np.uint8), 0, len(data)))


@kernel
def _hash(buffer: Bytes, start: int, stop: int) -> Any:
    value = np.int64(stop - start)
    for i in range(start, stop):
        value = mixed(value * 1099511628211 + np.int64(buffer[i]) + 1)
    return value


@inner
def _size(lead: int) -> int:
    if lead < 0x80 or lead >= 0xF8:
        return 1
    if lead < 0xC0:
        return 0
    return 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


@inner
def _ends_whole(data: Bytes, start: int, stop: int) -> bool:
    i = stop - 1
    while i >= start and data[i] & 0xC0 == 0x80:
        i -= 1
    return i < start or _size(data[i]) <= stop - i


@inner
def _certain(data: Bytes, length: int) -> bool:
    """As `byte_level.certain_hangul`."""
    i = 0
    while i < length:
        size = _size(data[i])
        if size > 1:
            value = np.int64(data[i] & (0x7F >> size))
            have = min(size, length - i)
            for j in range(i + 1, i + have):
                value = (value << 6) | np.int64(data[j] & 0x3F)
            bits = 6 * (size - have)
            low = value << bits
            high = ((value + 1) << bits) - 1
            if low < 0xD800:
                high = min(high, np.int64(0xD7FF))
            for first, last in HANGUL:
                if low >= first and high <= last:
                    return True
        i += max(size, 1)
    return False


@kernel
def _certain_of(data: Bytes) -> bool:
    """The same, to be called from Python."""
    return _certain(data, len(data))


@inner
def _joined(buffer: Bytes, offsets: Longs, a: int, b: int, scratch: Bytes) -> int:
    """Both tokens' bytes into `scratch`; how many, 0 where they may not be merged."""
    a0, a1, b0, b1 = offsets[a], offsets[a + 1], offsets[b], offsets[b + 1]
    length = (a1 - a0) + (b1 - b0)
    if a1 == a0 or b1 == b0 or length > LONGEST or buffer[a0] & 0xC0 == 0x80:
        return 0
    begins = buffer[b0] & 0xC0 != 0x80
    if _ends_whole(buffer, a0, a1):
        if not begins or not _ends_whole(buffer, b0, b1):
            return 0
    elif begins:
        return 0
    scratch[: a1 - a0] = buffer[a0:a1]
    scratch[a1 - a0 : length] = buffer[b0:b1]
    return length if _certain(scratch, length) else 0


# Rows of `state`, int32 (7, places): the token at a place (-1 where it went into the one before), the places after and
# before it in its piece, its piece, and its place in the chain of its pair: the pair's number, next and previous place.
_SYMBOL, _AFTER, _BEFORE, _PIECE, _PAIR, _NEXT, _PREVIOUS = range(7)
# Rows of `pairs`, int64 (3, …): both tokens in one number, first place of the chain, times.
_KEY, _HEAD, _TIMES = range(3)


@inner
def _find(table: Longs, key: int) -> int:
    """The column of a key in an open table (its first row), or of the empty one where it would stand."""
    mask = table.shape[1] - 1
    at = mixed(key) & mask
    while table[0, at] != _NONE and table[0, at] != key:
        at = (at + 1) & mask
    return at


@inner
def _open_table(size: int) -> Longs:
    table = np.empty((2, size), np.int64)
    table[0] = _NONE
    return table


@inner
def _grown(table: Longs) -> Longs:
    larger = _open_table(2 * table.shape[1])
    for i in range(table.shape[1]):
        if table[0, i] != _NONE:
            larger[:, _find(larger, table[0, i])] = table[:, i]
    return larger


@inner
def _unlink(p: int, state: Ints, pairs: Longs, weight: int) -> None:
    """Take place p out of its pair's chain, if it stands in one."""
    pair, after, before = state[_PAIR, p], state[_NEXT, p], state[_PREVIOUS, p]
    if pair < 0:
        return
    pairs[_TIMES, pair] -= weight
    if before >= 0:
        state[_NEXT, before] = after
    else:
        pairs[_HEAD, pair] = after
    if after >= 0:
        state[_PREVIOUS, after] = before
    state[_PAIR, p] = _NONE


@inner
def _link(p: int, pair: int, state: Ints, pairs: Longs, weight: int) -> None:
    head = pairs[_HEAD, pair]
    state[_PAIR, p], state[_NEXT, p], state[_PREVIOUS, p] = pair, head, _NONE
    if head >= 0:
        state[_PREVIOUS, head] = p
    pairs[_HEAD, pair] = p
    pairs[_TIMES, pair] += weight


@kernel
def _laid_out(ids: Ints, starts: Longs) -> Ints:
    """`state` of pieces as the old vocabulary cuts them."""
    state = np.full((7, len(ids)), _NONE, np.int32)
    state[_SYMBOL] = ids
    for i in range(len(starts) - 1):
        for p in range(starts[i], starts[i + 1]):
            state[_PIECE, p] = i
            if p > starts[i]:
                state[_BEFORE, p], state[_AFTER, p - 1] = p - 1, p
    return state


@kernel
def _learn(
    state: Ints, times: Longs, buffer: Bytes, offsets: Longs, first: int, taken: Longs, wanted: int, least: int
) -> tuple[Longs, int]:
    """Rows left, right and times of the merges made, and how many they are."""
    known = _open_table(1 << 16)
    while known.shape[1] < 4 * (len(taken) + wanted):
        known = _open_table(2 * known.shape[1])
    for value in taken:
        known[0, _find(known, value)] = value
    table, pairs, used = _open_table(1 << 16), np.zeros((3, 1 << 16), np.int64), np.zeros(2, np.int64)
    merges, scratch, made = np.empty((3, wanted), np.int64), np.empty(2 * LONGEST, np.uint8), 0
    heap = [(np.int64(0), np.int64(0), np.int64(0))]
    heap.pop()
    todo = np.arange(state.shape[1]).astype(np.int32)  # at first all places, then those beside what was merged
    while True:
        old = used[0]
        table, pairs = _count(todo, state, times, buffer, offsets, known, table, pairs, used, scratch)
        for pair in range(old, used[0]):
            if pairs[_TIMES, pair] >= least:
                heapq.heappush(heap, (-pairs[_TIMES, pair], pairs[_KEY, pair], np.int64(pair)))
        pair = _most(heap, pairs, least) if made < wanted else _NONE
        if pair < 0:
            return merges, made
        a, b = pairs[_KEY, pair] >> 32, pairs[_KEY, pair] & 0x7FFFFFFF
        length = _joined(buffer, offsets, a, b, scratch)
        value = _hash(scratch, 0, length)
        at = _find(known, value)
        if known[0, at] == value:  # another pair has made the same token meanwhile
            pairs[_TIMES, pair] = -(1 << 60)
            todo = todo[:0]
            continue
        known[0, at] = value
        new = first + made
        buffer[offsets[new] : offsets[new] + length] = scratch[:length]
        offsets[new + 1] = offsets[new] + length
        merges[0, made], merges[1, made], merges[2, made] = a, b, pairs[_TIMES, pair]
        made += 1
        todo = _merge(pair, new, state, pairs, times)


@inner
def _count(
    todo: Ints,
    state: Ints,
    times: Longs,
    buffer: Bytes,
    offsets: Longs,
    known: Longs,
    table: Longs,
    pairs: Longs,
    used: Longs,
    scratch: Bytes,
) -> Any:
    """Put places into the chains of their pairs; `table` and `pairs`, larger where they were full.

    `used` holds how many pairs have a chain, and how many stand in the table, those that may not be merged among them.
    """
    for p in todo:
        if state[_SYMBOL, p] < 0 or state[_AFTER, p] < 0 or state[_PAIR, p] >= 0:
            continue
        a, b = state[_SYMBOL, p], state[_SYMBOL, state[_AFTER, p]]
        key = (np.int64(a) << 32) | np.int64(b)
        at = _find(table, key)
        if table[0, at] == _NONE:
            length = _joined(buffer, offsets, a, b, scratch)
            pair = np.int64(_NONE)
            if length:
                value = _hash(scratch, 0, length)
                if known[0, _find(known, value)] == _NONE:
                    pair = used[0]
                    used[0] += 1
                    if pair == pairs.shape[1]:
                        pairs = np.concatenate((pairs, np.zeros((3, pair), np.int64)), axis=1)
                    pairs[_KEY, pair], pairs[_HEAD, pair] = key, _NONE
            table[0, at], table[1, at] = key, pair
            used[1] += 1
            if 2 * used[1] > table.shape[1]:
                table = _grown(table)
                at = _find(table, key)
        if table[1, at] >= 0:
            _link(p, table[1, at], state, pairs, times[state[_PIECE, p]])
    return table, pairs


@inner
def _most(heap: Any, pairs: Longs, least: int) -> int:
    """The most frequent pair, of several the one of the lower ids; -1 where none is frequent enough."""
    while len(heap):
        number, key, pair = heapq.heappop(heap)
        if pairs[_TIMES, pair] == -number:
            return pair
        if pairs[_TIMES, pair] >= least:  # some of its places went to other merges
            heapq.heappush(heap, (-pairs[_TIMES, pair], key, pair))
    return _NONE


@inner
def _merge(pair: int, new: int, state: Ints, pairs: Longs, times: Longs) -> Ints:
    """Merge a pair everywhere, from left to right; the places whose pairs are new."""
    found, p = 0, pairs[_HEAD, pair]
    while p >= 0:
        found, p = found + 1, np.int64(state[_NEXT, p])
    where, p = np.empty(found, np.int32), pairs[_HEAD, pair]
    for i in range(found):
        where[i], p = p, np.int64(state[_NEXT, p])
    where.sort()
    changed, size = np.empty(2 * found, np.int32), 0
    for p in where:
        if state[_PAIR, p] != pair:  # it overlapped with the one before it
            continue
        weight, q, one = times[state[_PIECE, p]], state[_AFTER, p], state[_BEFORE, p]
        _unlink(p, state, pairs, weight)
        _unlink(q, state, pairs, weight)
        if one >= 0:
            _unlink(one, state, pairs, weight)
            changed[size] = one
            size += 1
        state[_SYMBOL, p], state[_SYMBOL, q] = new, _NONE
        state[_AFTER, p] = state[_AFTER, q]
        if state[_AFTER, q] >= 0:
            state[_BEFORE, state[_AFTER, q]] = p
        changed[size] = p
        size += 1
    return changed[:size]
