"""Where texts repeat known items (benchmark questions, held-out documents): an index of the items' n-grams.

Used by `ngram_search.py` and, for contamination, by `eval/`. An n-gram is n code points in a row with the white space
left out, so that spacing hides nothing. A text goes by once, compiled: each of its n-grams is hashed, looked up in a
small bitmap and then a table, and compared with the item's letters before it counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import one_array, text_buffers
from corpus.errors import UsageError
from dedup.shingles import _BASE as BASE
from dedup.shingles import _POINT as POINT
from dedup.shingles import _decode as decode
from dedup.shingles import _is_space as is_space
from dedup.shingles import mix, power_of_base
from dedup.winnowing import count_visible, hash_grams, next_visible, take_apart

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
U8 = npt.NDArray[np.uint8]


N = 13
_6, _32, _63 = np.uint64(6), np.uint64(32), np.uint64(63)
_ONE = np.uint64(1)
_LEAST_BITS, _MOST_BITS = 1 << 12, 1 << 33  # of the bitmap; 16 for each n-gram


@njit(cache=True, nogil=True)
def _same(data, at, end, other, other_at, other_end, size):  # type: ignore[no-untyped-def]
    """Whether the next `size` visible code points of two texts are the same."""
    for _ in range(size):
        point, at = next_visible(data, at, end)
        other_point, other_at = next_visible(other, other_at, other_end)
        if point != other_point or point < 0:
            return False
    return True


@njit(cache=True, nogil=True)
def _count_grams(data, offsets, size, grams):  # type: ignore[no-untyped-def]
    for i in range(len(offsets) - 1):
        grams[i] = max(0, count_visible(data, offsets[i], offsets[i + 1]) - size + 1)


@njit(cache=True, nogil=True)
def _build(data, offsets, size, power, bounds, item, place, gram, table, hashes, first):  # type: ignore[no-untyped-def]
    """Number the different n-grams; how many there are.

    Args:
        bounds: int64[items + 1], where each item's places begin.
        item, place, gram: written, [places]: of each place its item, its first byte in `data`, its n-gram's number.
        table: written, int64, a power of two: n-gram's number + 1 at its hash or after; 0 is free.
        hashes, first: written, [places]: of each n-gram its hash, and the place where it first stands.
    """
    longest = 1
    for i in range(len(offsets) - 1):
        longest = max(longest, bounds[i + 1] - bounds[i] + size)
    values, places = np.empty(longest, np.uint64), np.empty(longest, np.int64)
    found, mask, different = np.empty(longest, np.uint64), len(table) - 1, 0
    for i in range(len(offsets) - 1):
        if bounds[i + 1] == bounds[i]:
            continue
        count = take_apart(data, offsets[i], offsets[i + 1], values, places)
        count = hash_grams(values, count, size, power, found)
        for j in range(count):
            here = bounds[i] + j
            item[here], place[here] = i, offsets[i] + places[j]
            slot = np.int64(found[j] & np.uint64(mask))
            while table[slot] != 0:
                known = table[slot] - 1
                at = first[known]
                end = offsets[item[at] + 1]
                if hashes[known] == found[j] and _same(data, place[here], offsets[i + 1], data, place[at], end, size):
                    break
                slot = (slot + 1) & mask
            if table[slot] == 0:
                table[slot], hashes[different], first[different] = different + 1, found[j], here
                different += 1
            gram[here] = table[slot] - 1
    return different


@njit(cache=True, nogil=True)
def _fill(bits, hashes):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(bits) * 64 - 1)
    for value in hashes:
        bit = (value >> _32 ^ value) & mask
        bits[np.int64(bit >> _6)] |= _ONE << (bit & _63)


@njit(inline="always")
def _may_hold(bits, key):  # type: ignore[no-untyped-def]
    """What the bitmap says of a hash: 0 where no item has it."""
    bit = (key >> _32 ^ key) & np.uint64(len(bits) * 64 - 1)
    return bits[np.int64(bit >> _6)] >> (bit & _63) & _ONE


@njit(cache=True, nogil=True)
def _look_up(key, data, at, end, size, text, place, table, hashes, first):  # type: ignore[no-untyped-def]
    """Number of the n-gram that begins at a byte of `data` and has this hash; -1 where no item holds it."""
    mask = len(table) - 1
    spot = np.int64(key & np.uint64(mask))
    while table[spot] != 0:
        gram = table[spot] - 1
        if hashes[gram] == key and _same(data, at, end, text, place[first[gram]], len(text), size):
            return gram
        spot = (spot + 1) & mask
    return np.int64(-1)


@njit(cache=True, nogil=True)
def _scan(data, offsets, size, power, index, rows, found):  # type: ignore[no-untyped-def]
    """Look for the items in every document; the number of rows, more than were written where there was no room.

    Args:
        index: arrays of `NgramIndex`, see `NgramIndex._arrays`.
        rows: written, int64[room, 6]: document, item, different places of it found, most of them in a row, first byte
            of the last n-gram of that row in the document, its place in the item.
        found: written, bool[places]: places of items that stand in some document.
    """
    text, bounds, item, place, bits, table, hashes, first, posting_bounds, postings = index
    items = len(bounds) - 1
    ring, places = np.empty(size, np.uint64), np.empty(size, np.int64)
    seen, run = np.full(len(item), -2, np.int64), np.zeros(len(item), np.int64)
    counted = np.full(len(item), -1, np.int64)  # the document in which a place was counted last
    listed, touched = np.full(items, -1, np.int64), np.empty(items, np.int64)
    of_item = np.zeros((items, 4), np.int64)
    clock, filled = np.int64(0), 0  # the clock ticks with each character
    for document in range(len(offsets) - 1):
        start, end = offsets[document], offsets[document + 1]
        rolling, points, slot, at, listings = np.uint64(0), 0, 0, start, 0
        clock += 1  # so that no run goes on from one document into the next
        while at < end:
            point, length = decode(data, at)
            at += length
            if is_space(point):
                continue
            value = np.uint64(point + 1) * POINT
            value ^= value >> _32
            rolling = rolling * BASE + value - (ring[slot] * power if points >= size else np.uint64(0))
            ring[slot], places[slot] = value, at - length
            slot = slot + 1 if slot + 1 < size else 0
            points, clock = points + 1, clock + 1
            key = mix(rolling)
            if points < size or not _may_hold(bits, key):
                continue
            gram = _look_up(key, data, places[slot], end, size, text, place, table, hashes, first)
            if gram < 0:
                continue
            for k in range(posting_bounds[gram], posting_bounds[gram + 1]):  # an item's later places come first
                spot = postings[k]
                here = item[spot]
                if listed[here] != document:
                    listed[here], touched[listings] = document, here
                    listings += 1
                    of_item[here] = 0
                if counted[spot] != document:
                    counted[spot], found[spot] = document, True
                    of_item[here, 0] += 1
                goes_on = spot > bounds[here] and seen[spot - 1] == clock - 1
                run[spot], seen[spot] = (run[spot - 1] + 1 if goes_on else 1), clock
                if run[spot] > of_item[here, 1]:
                    of_item[here, 1], of_item[here, 2] = run[spot], places[slot] - start
                    of_item[here, 3] = spot - bounds[here]
        for k in range(listings):
            if filled < len(rows):
                rows[filled, 0], rows[filled, 1] = document, touched[k]
                rows[filled, 2:] = of_item[touched[k]]
            filled += 1
    return filled


@dataclass(frozen=True, slots=True)
class Hits:
    """Items found in documents, a row for each item and document that share an n-gram; by document, then item.

    Attributes:
        document: int64[m], place among the texts.
        item: int64[m], place among the items.
        grams: int64[m], places of the item at which an n-gram stands that the document holds too.
        longest: int64[m], most of those that follow one another in both: a stretch of `longest + n - 1` characters.
        found: bool[places], places of items that stand in some document; item i's are `index.bounds[i:i + 2]`.
        at: int64[m], first byte in the document of the last n-gram of the longest stretch.
        place: int64[m], that n-gram's place in the item.
    """

    document: I64
    item: I64
    grams: I64
    longest: I64
    found: npt.NDArray[np.bool_]
    at: I64
    place: I64


def column_of(texts: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    """Texts as one large_string array.

    Raises:
        UsageError: one is null.
    """
    column = one_array(texts) if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, pa.large_string())
    if column.null_count:
        raise UsageError(f"{column.null_count} texts are null", fix="leave them out first")
    return column if column.type == pa.large_string() else column.cast(pa.large_string())


@dataclass(frozen=True, slots=True)
class NgramIndex:
    """All n-grams of some items; a place is one n-gram of one item, in the order of the items and of their text.

    Attributes:
        n: length of an n-gram in code points, white space left out.
        items: large_string[items].
        bounds: int64[items + 1], where each item's places begin; an item shorter than an n-gram has none.
        different: how many different n-grams there are.
    """

    n: int
    items: pa.Array
    bounds: I64
    different: int
    _arrays: tuple[npt.NDArray[np.generic], ...]

    @classmethod
    def of(cls, items: Sequence[str] | pa.Array | pa.ChunkedArray, n: int = N) -> NgramIndex:
        """Index items, in about 60 bytes an n-gram.

        Args:
            items: texts, no nulls.
            n: length of an n-gram in code points; an item must hold that many to be found.

        Raises:
            UsageError: n is not positive, or an item is null.
        """
        if n < 1:
            raise UsageError(f"n-grams of {n} characters", fix="give at least 1")
        column = column_of(items)
        data, offsets = text_buffers(column)
        bounds = np.zeros(len(column) + 1, np.int64)
        _count_grams(data, offsets, n, bounds[1:])
        np.cumsum(bounds, out=bounds)
        places = int(bounds[-1])
        item, place, gram = np.empty(places, np.int64), np.empty(places, np.int64), np.empty(places, np.int64)
        hashes, first = np.empty(places, np.uint64), np.empty(places, np.int64)
        table = np.zeros(_power_of_two(2 * places), np.int64)
        different = int(_build(data, offsets, n, power_of_base(n), bounds, item, place, gram, table, hashes, first))
        bits = np.zeros(min(_MOST_BITS, max(_LEAST_BITS, _power_of_two(16 * different))) // 64, np.uint64)
        _fill(bits, hashes[:different])
        postings = np.lexsort((-np.arange(places), gram)).astype(np.int64)
        posting_bounds = np.concatenate(([0], np.cumsum(np.bincount(gram, minlength=different)))).astype(np.int64)
        arrays = (data, bounds, item, place, bits, table, hashes, first, posting_bounds, postings)
        return cls(n, column, bounds, different, arrays)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def grams(self) -> I64:
        """int64[items]: places of each item; 0 where it is shorter than an n-gram and cannot be found."""
        return np.diff(self.bounds)

    def scan(self, texts: Sequence[str] | pa.Array | pa.ChunkedArray) -> Hits:
        """Look for the items in texts; every n-gram that counts was compared letter by letter.

        Args:
            texts: documents, no nulls.
        """
        data, offsets = text_buffers(column_of(texts))
        room, found = max(1024, len(offsets)), np.zeros(int(self.bounds[-1]), bool)
        while True:
            rows = np.empty((room, 6), np.int64)
            filled = int(_scan(data, offsets, self.n, power_of_base(self.n), self._arrays, rows, found))
            if filled <= room:
                break
            room = filled
        rows = rows[np.lexsort((rows[:filled, 1], rows[:filled, 0]))]
        document, item, grams, longest, at, place = (np.ascontiguousarray(column) for column in rows.T)
        return Hits(document, item, grams, longest, found, at, place)


def _power_of_two(least: int) -> int:
    return 1 << max(1, (least - 1).bit_length())
