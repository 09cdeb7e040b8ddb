"""Where texts spell an added token: libraries would take that text for the token itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.kernels import Bytes, Ints, Longs, inner, kernel
from tokenizer.pieces import same


class Names(NamedTuple):
    """Strings to look for, those that begin alike with the longest first.

    Attributes:
        store, bounds: their UTF-8 bytes one after another, and int64 [names + 1].
        order: int32 [names], number of each in the list they were made of.
        pairs: uint8 [65536], whether some name begins with these two bytes; a name of one byte sets all that it begins.
    """

    store: Bytes
    bounds: Longs
    order: Ints
    pairs: Bytes


def names_of(given: Sequence[str]) -> Names:
    """Make strings ready to be looked for; empty ones are left out."""
    told = sorted(((name.encode(), number) for number, name in enumerate(given) if name), key=lambda one: -len(one[0]))
    pairs = np.zeros(1 << 16, np.uint8)
    for name, _ in told:
        if len(name) > 1:
            pairs[name[0] << 8 | name[1]] = 1
        else:
            pairs[name[0] << 8 : (name[0] + 1) << 8] = 1
    bounds = np.cumsum([0, *(len(name) for name, _ in told)], dtype=np.int64)
    store = np.frombuffer(b"".join(name for name, _ in told), np.uint8)
    return Names(store, bounds, np.array([number for _, number in told], np.int32), pairs)


def overlap(given: Sequence[str]) -> bool:
    """Whether an occurrence of one name may overlap one of another, so that it matters which is found first."""
    for name in given:
        for other in given:
            if name != other and name in other:
                return True
            if any(name.endswith(other[:length]) for length in range(1, min(len(name), len(other)))):
                return True
    return False


def find_names(buffer: Bytes, offsets: Longs, names: Names) -> tuple[Longs, Longs, Ints, Longs]:
    """Occurrences in documents from left to right, the longest at each place, none overlapping.

    Returns:
        First byte and byte after it, int64; number of the name, int32; number of the document, int64.
    """
    if not len(names.order):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64)
    inside = buffer[offsets[0] : offsets[-1]]
    begins = np.zeros(len(inside), np.bool_)
    for byte in np.unique(names.store[names.bounds[:-1]]):  # few; comparing with each is faster than a look-up a byte
        begins |= inside == byte
    places = np.flatnonzero(begins) + offsets[0]
    room = 64
    while True:
        rows = np.empty((4, room), np.int64)
        found = _find(buffer, offsets, places, names, rows)
        if found <= room:
            return rows[0, :found], rows[1, :found], rows[2, :found].astype(np.int32), rows[3, :found]
        room = found


@inner
def _name_at(buffer: Bytes, i: int, end: int, names: Names) -> int:
    """The place of the longest name that stands at byte i, -1 where none does."""
    for k in range(len(names.order)):
        length = names.bounds[k + 1] - names.bounds[k]
        if i + length <= end and same(buffer, i, names.store, names.bounds[k], length):
            return k
    return -1


@kernel
def _find(buffer: Bytes, offsets: Longs, places: Longs, names: Names, rows: npt.NDArray[np.int64]) -> int:
    """How many there are; `places` are the bytes at which a name may begin, `rows` takes as many as it has room for."""
    found, d, free = 0, 0, offsets[0]
    for i in places:
        if i < free:
            continue
        while offsets[d + 1] <= i:
            d += 1
        end = offsets[d + 1]
        following = np.int64(buffer[i + 1]) if i + 1 < end else np.int64(0)
        if names.pairs[np.int64(buffer[i]) << 8 | following] == 0:
            continue
        k = _name_at(buffer, i, end, names)
        if k >= 0:
            free = i + names.bounds[k + 1] - names.bounds[k]
            if found < rows.shape[1]:
                rows[0, found], rows[1, found], rows[2, found], rows[3, found] = i, free, names.order[k], d
            found += 1
    return found
