"""Shingle hashes straight from an Arrow UTF-8 buffer: the compiled innermost loop of deduplication.

A shingle is k code points in a row with the white space left out, so that spacing (which Korean writers disagree on)
does not tell two texts apart. Each is hashed once to 64 bits by a rolling polynomial over mixed code points; MinHash
(`minhash.py`) and the exact Jaccard (`verify.py`) both work on these hashes. The same pass gives a 128-bit hash of
the space-free text. None of them is cryptographic.

White space is what `str.split()` splits on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import one_array, text_buffers

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying loses nothing modulo 2**64
_POINT = np.uint64(0xD6E8FEB86659FD93)
_LANE0, _LANE1 = np.uint64(0xA0761D6478BD642F), np.uint64(0xE7037ED1A0B428DB)
_MIX0, _MIX1 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # MurmurHash3's finaliser
_5, _23, _32, _33, _41, _59 = (np.uint64(n) for n in (5, 23, 32, 33, 41, 59))
LONG = 1 << 22  # bytes above which a document's set is sorted instead of hashed: 8 bytes a shingle, no table


@njit(inline="always")
def mix(value):  # type: ignore[no-untyped-def]
    """MurmurHash3's 64-bit finaliser: every bit of the input moves every bit of the output."""
    value ^= value >> _33
    value *= _MIX0
    value ^= value >> _33
    value *= _MIX1
    return value ^ (value >> _33)


@njit(inline="always")
def _is_space(point):  # type: ignore[no-untyped-def]
    if point <= 0x20:
        return point == 0x20 or 9 <= point <= 13 or point >= 28
    if point < 0x85 or point >= 0xAC00:
        return False
    if point in (0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000):
        return True
    return 0x2000 <= point <= 0x200A


@njit(inline="always")
def _decode(data, at):  # type: ignore[no-untyped-def]
    """The code point at a byte of valid UTF-8, and its length in bytes."""
    lead = np.int64(data[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F), 2
    middle = np.int64(data[at + 1]) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | middle << 6 | (np.int64(data[at + 2]) & 0x3F), 3
    tail = (np.int64(data[at + 2]) & 0x3F) << 6 | (np.int64(data[at + 3]) & 0x3F)
    return (lead & 0x07) << 18 | middle << 12 | tail, 4


@njit(cache=True, nogil=True)
def begin_document(state):  # type: ignore[no-untyped-def]
    """Make `state` (uint64[5]: rolling hash, two lanes, points read, place in the ring) that of an unread document."""
    state[0], state[1], state[2], state[3], state[4] = np.uint64(0), _LANE1, _LANE0, np.uint64(0), np.uint64(0)


@njit(cache=True, nogil=True)
def hash_block(data, at, end, power, ring, state, out):  # type: ignore[no-untyped-def]
    """Hash on from byte `at` of a document until it ends or `out` is full; a long document never stands there whole.

    Args:
        data: uint8, valid UTF-8.
        power: `_BASE` to the power of the shingle's length, uint64.
        ring: uint64[k], scratch that holds from call to call; k is the shingle's length.
        state: uint64[5], likewise; see `begin_document`.
        out: uint64, gets the hashes in the text's order, repeats included.

    Returns:
        The byte to go on from, and the number of hashes in `out`.
    """
    size, room = len(ring), len(out)
    rolling, lane0, lane1, points, slot = state[0], state[1], state[2], np.int64(state[3]), np.int64(state[4])
    filled = 0
    while at < end and filled < room:
        point, length = _decode(data, at)
        at += length
        if _is_space(point):
            continue
        value = np.uint64(point + 1) * _POINT
        value ^= value >> _32
        lane0 = ((lane0 << _5 | lane0 >> _59) ^ value) * _LANE0
        lane1 = ((lane1 << _23 | lane1 >> _41) ^ value) * _LANE1
        rolling = rolling * _BASE + value
        if points >= size:
            rolling -= ring[slot] * power
        ring[slot] = value
        slot += 1
        if slot == size:
            slot = np.int64(0)
        points += 1
        if points >= size:
            out[filled] = mix(rolling)
            filled += 1
    state[0], state[1], state[2], state[3], state[4] = rolling, lane0, lane1, np.uint64(points), np.uint64(slot)
    return at, filled


@njit(cache=True, nogil=True)
def text_lanes(state):  # type: ignore[no-untyped-def]
    """The two hash lanes, uint64, of the space-free text that was read to its end."""
    return mix(state[1] ^ state[3]), mix(state[2] + state[3])


@njit(cache=True, nogil=True)
def hash_document(data, start, end, power, ring, out):  # type: ignore[no-untyped-def]
    """Hash the shingles and the space-free text of the document in bytes [start, end) at once.

    Args:
        out: uint64, at least end - start long; the others as in `hash_block`.

    Returns:
        Number of shingles (0 where the text is shorter than one), and the text's two hash lanes, uint64.
    """
    state = np.empty(5, np.uint64)
    begin_document(state)
    _, count = hash_block(data, start, end, power, ring, state, out)
    lane0, lane1 = text_lanes(state)
    return count, lane0, lane1


@njit(cache=True, nogil=True)
def hash_sets(data, offsets, size, power):  # type: ignore[no-untyped-def]
    """The set of shingle hashes of every document.

    Args:
        data: uint8, valid UTF-8 of all documents.
        offsets: int64[n + 1], where each document begins.
        size: length of a shingle in code points.

    Returns:
        values: uint64, the distinct hashes, document after document; in the order they first appear, but ascending
            where the document has more than LONG bytes.
        bounds: int64[n + 1], where each document's begin in `values`.
    """
    documents = len(offsets) - 1
    longest = 1  # of those that go through the table
    for i in range(documents):
        if offsets[i + 1] - offsets[i] <= LONG:
            longest = max(longest, offsets[i + 1] - offsets[i])
    capacity = 2
    while capacity < 2 * longest:
        capacity *= 2
    found, ring, state = np.empty(longest, np.uint64), np.empty(size, np.uint64), np.empty(5, np.uint64)
    table, stamps = np.empty(capacity, np.uint64), np.zeros(capacity, np.int64)
    # As long as can be; what is never written takes no memory.
    values, bounds = np.empty(offsets[documents] - offsets[0], np.uint64), np.zeros(documents + 1, np.int64)
    filled = 0
    for i in range(documents):
        begin_document(state)
        if offsets[i + 1] - offsets[i] > LONG:
            _, count = hash_block(data, offsets[i], offsets[i + 1], power, ring, state, values[filled:])
            values[filled : filled + count].sort()
            last = filled + count
            for j in range(filled, last):
                if j == last - count or values[j] != values[filled - 1]:
                    values[filled] = values[j]
                    filled += 1
            bounds[i + 1] = filled
            continue
        _, count = hash_block(data, offsets[i], offsets[i + 1], power, ring, state, found)
        mask = 2
        while mask < 2 * count:
            mask *= 2
        mask -= 1
        for j in range(count):
            value = found[j]
            slot = np.int64(value & np.uint64(mask))
            while stamps[slot] == i + 1 and table[slot] != value:
                slot = (slot + 1) & mask
            if stamps[slot] != i + 1:
                stamps[slot], table[slot] = i + 1, value
                values[filled] = value
                filled += 1
        bounds[i + 1] = filled
    return values[:filled], bounds


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """Sets of shingle hashes: document i holds `values[bounds[i]:bounds[i + 1]]`, uint64, distinct; see `hash_sets`."""

    values: U64
    bounds: I64

    def __len__(self) -> int:
        return len(self.bounds) - 1


def shingle_sets(texts: pa.Array | pa.ChunkedArray, size: int) -> ShingleSets:
    """Distinct shingle hashes of each text.

    Args:
        texts: large_string, n documents, no nulls.
        size: length of a shingle in code points.
    """
    data, offsets = text_buffers(one_array(texts))
    return ShingleSets(*hash_sets(data, offsets, size, power_of_base(size)))


def power_of_base(size: int) -> np.uint64:
    """The rolling hash's base to the power of the shingle's length, modulo 2**64."""
    return np.uint64(pow(int(_BASE), size, 1 << 64))
