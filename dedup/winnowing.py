"""Hashes of stretches of characters, and a sparse choice of them that any two texts which share enough agree on.

Compiled; used by `passages.py` and `ngram_index.py`. White space is left out, as in `shingles.py`.

Winnowing: of every `window` consecutive hashes the smallest (the rightmost of equal ones) is chosen, so that a stretch
of `window + size - 1` characters shared by two texts holds a choice that both made. Source: Schleimer, Wilkerson,
Aiken, Winnowing, SIGMOD 2003.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import one_array, text_buffers
from dedup.shingles import _BASE as BASE
from dedup.shingles import _POINT as POINT
from dedup.shingles import _decode as decode
from dedup.shingles import _is_space as is_space
from dedup.shingles import mix, power_of_base

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
_32 = np.uint64(32)


@njit(inline="always")
def next_visible(data, at, end):  # type: ignore[no-untyped-def]
    """The code point at or after a byte that is not white space (-1 where there is none), and the byte after it."""
    while at < end:
        point, length = decode(data, at)
        at += length
        if not is_space(point):
            return point, at
    return np.int64(-1), at


@njit(cache=True, nogil=True)
def count_visible(data, start, end):  # type: ignore[no-untyped-def]
    """Code points in bytes [start, end) that are not white space."""
    count, at = 0, start
    while at < end:
        point, length = decode(data, at)
        at += length
        count += not is_space(point)
    return count


@njit(cache=True, nogil=True)
def take_apart(data, start, end, values, places):  # type: ignore[no-untyped-def]
    """Visible code points of bytes [start, end), mixed, into `values`, and each one's byte from `start` into `places`.

    Both are at least as long as there are such code points; returns their number.
    """
    count, at = 0, start
    while at < end:
        point, length = decode(data, at)
        if not is_space(point):
            value = np.uint64(point + 1) * POINT
            values[count] = value ^ value >> _32
            places[count] = at - start
            count += 1
        at += length
    return count


@njit(cache=True, nogil=True)
def hash_grams(values, count, size, power, out):  # type: ignore[no-untyped-def]
    """Hashes of all stretches of `size` of the first `count` values into `out`; how many there are."""
    rolling = np.uint64(0)
    for i in range(count):
        rolling = rolling * BASE + values[i]
        if i >= size:
            rolling -= values[i - size] * power
        if i >= size - 1:
            out[i - size + 1] = mix(rolling)
    return max(0, count - size + 1)


@njit(cache=True, nogil=True)
def choose(hashes, count, window, chosen):  # type: ignore[no-untyped-def]
    """Places of the winnowed hashes into `chosen`, ascending; how many. None where there are fewer than `window`."""
    found, least = 0, -1
    for i in range(count):
        if least < 0 or least <= i - window:  # it left the window, or there is none yet
            least = max(0, i - window + 1)
            for j in range(least + 1, i + 1):
                if hashes[j] <= hashes[least]:
                    least = j
        elif hashes[i] <= hashes[least]:
            least = i
        if i >= window - 1 and (found == 0 or chosen[found - 1] != least):
            chosen[found] = least
            found += 1
    return found


@njit(cache=True, nogil=True)
def _winnow(data, offsets, size, power, window, document, place, hashes):  # type: ignore[no-untyped-def]
    room, filled = 1, 0
    values, places = np.empty(1, np.uint64), np.empty(1, np.int32)
    grams, chosen = np.empty(1, np.uint64), np.empty(1, np.int64)
    for i in range(len(offsets) - 1):
        count = count_visible(data, offsets[i], offsets[i + 1])
        if count < size + window - 1:
            continue
        if count > room:
            room = 2 * count
            values, places = np.empty(room, np.uint64), np.empty(room, np.int32)
            grams, chosen = np.empty(room, np.uint64), np.empty(room, np.int64)
        take_apart(data, offsets[i], offsets[i + 1], values, places)
        found = choose(grams, hash_grams(values, count, size, power, grams), window, chosen)
        for j in range(found):
            if filled + j < len(document):
                document[filled + j], place[filled + j] = i, chosen[j]
                hashes[filled + j] = grams[chosen[j]]
        filled += found
    return filled


@dataclass(frozen=True, slots=True)
class Winnowed:
    """Chosen stretches: `document` (int64[n], ascending), `place` (int64[n], visible code point it begins with, from
    the document's start, ascending in each), `hashes` (uint64[n])."""

    document: I64
    place: I64
    hashes: U64


def winnow(texts: pa.Array | pa.ChunkedArray, size: int, window: int) -> Winnowed:
    """Choose stretches of `size` characters; about 2 of every `window + 1`.

    Args:
        texts: large_string, no nulls; those shorter than `window + size - 1` visible characters get none.
    """
    data, offsets = text_buffers(one_array(texts))
    room = int(offsets[-1] - offsets[0]) // (window + 1) + 64
    while True:
        document, place = np.empty(room, np.int64), np.empty(room, np.int64)
        hashes = np.empty(room, np.uint64)
        found = int(_winnow(data, offsets, size, power_of_base(size), window, document, place, hashes))
        if found <= room:
            return Winnowed(document[:found], place[:found], hashes[:found])
        room = found
