"""Rows of the incremental index by key, through all of its segments: the newest word counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from dedup.index_segments import Segment, Table
from dedup.runs import Array, Columns, concatenate

I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Pairs = tuple[Array, Array]
GONE = -1


@njit(cache=True, nogil=True)
def _lower_bounds(first, second, wanted_first, wanted_second):  # type: ignore[no-untyped-def]
    places = np.empty(len(wanted_first), np.int64)
    for i in range(len(wanted_first)):
        low, high = 0, len(first)
        while low < high:
            middle = (low + high) // 2
            below = first[middle] < wanted_first[i]
            if below or (first[middle] == wanted_first[i] and second[middle] < wanted_second[i]):
                low = middle + 1
            else:
                high = middle
        places[i] = low
    return places


class Tables:
    """Look-ups through segments, the oldest first."""

    def __init__(self, shapes: Mapping[str, Table], segments: Sequence[Segment]) -> None:
        self.shapes, self.segments = shapes, tuple(segments)

    def find(self, table: str, *wanted: Array, columns: Sequence[str] | None = None) -> tuple[Bools, Columns]:
        """Values by whole keys.

        Args:
            wanted: m values of each key column (one or two).
            columns: the value columns asked for; all where left out.

        Returns:
            bool[m], whether there is such a row; the columns, m values each, 0 where there is none.
        """
        shape = self.shapes[table]
        names = list(shape.values) if columns is None else columns
        count = len(wanted[0])
        found, values = np.zeros(count, bool), {name: np.zeros(count, shape.columns[name]) for name in names}
        left = np.arange(count)
        for segment in reversed(self.segments):
            held = segment.tables[table]
            keys, asked = [held[name] for name in shape.keys], [one[left] for one in wanted]
            if len(left) == 0 or len(keys[0]) == 0:
                continue
            places = np.searchsorted(keys[0], asked[0]) if len(keys) == 1 else _lower_bounds(*keys, *asked)
            hit = places < len(keys[0])
            places[~hit] = 0
            for key, one in zip(keys, asked, strict=True):
                hit &= key[places] == one
            for name in names:
                values[name][left[hit]] = held[name][places[hit]]
            found[left[hit]] = True
            left = left[~hit]
        return found, values

    def under(self, table: str, wanted: Array) -> tuple[I64, Columns]:
        """All rows whose first key column holds a wanted value, each whole key once.

        Args:
            wanted: m distinct values.

        Returns:
            int64, the place in `wanted` of each row; the columns, keys included. In no order.
        """
        shape = self.shapes[table]
        first = next(iter(shape.keys))
        owners, pieces, ages = [], [], []
        for age, segment in enumerate(self.segments):
            held = segment.tables[table]
            low, high = (np.searchsorted(held[first], wanted, side) for side in ("left", "right"))
            rows = ranges(low, high - low)
            if len(rows) == 0:
                continue
            owners.append(np.repeat(np.arange(len(wanted)), high - low))
            pieces.append({name: column[rows] for name, column in held.items()})
            ages.append(np.full(len(rows), age))
        if not pieces:
            return np.zeros(0, np.int64), {name: np.zeros(0, kind) for name, kind in shape.columns.items()}
        owner, columns = np.concatenate(owners), concatenate(pieces)
        if len(pieces) > 1:
            newest = newest_rows([columns[name] for name in shape.keys], np.concatenate(ages))
            owner, columns = owner[newest], {name: column[newest] for name, column in columns.items()}
        return owner, columns

    def release(self) -> None:
        """Give back the pages that were read of the segments' files."""
        for segment in self.segments:
            segment.release()

    def count(self, table: str, wanted: Array) -> I64:
        """How many rows `under` would give for each wanted value (those said twice counted twice): int64[m]."""
        first, total = next(iter(self.shapes[table].keys)), np.zeros(len(wanted), np.int64)
        for segment in self.segments:
            held = segment.tables[table][first]
            total += np.searchsorted(held, wanted, "right") - np.searchsorted(held, wanted, "left")
        return total


def newest_rows(keys: Sequence[Array], ages: Array) -> I64:
    """Of rows with the same key the place of the one with the greatest age: int64, sorted by key."""
    order = np.lexsort((ages, *reversed(keys)))
    last = np.ones(len(order), bool)
    last[:-1] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
    return order[last]


def groups(first: Array, second: Array) -> I64:
    """For each of m pairs of values the number of its group of equal ones, counted as they first appear: int64[m]."""
    order = np.lexsort((np.arange(len(first)), second, first))
    new = np.ones(len(order), bool)
    new[1:] = (first[order][1:] != first[order][:-1]) | (second[order][1:] != second[order][:-1])
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(new) - 1
    number = np.empty(int(new.sum()), np.int64)
    number[np.argsort(order[new])] = np.arange(len(number))
    return number[group]


def ranges(starts: Array, lengths: Array) -> I64:
    """The numbers of several ranges, one range after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - lengths), lengths)


def in_chunks(weights: Array, limit: int) -> Iterable[slice]:
    """Slices of consecutive items whose weights add up to at most `limit` (one item may alone be more)."""
    start, total = 0, 0
    for place, weight in enumerate(weights.tolist()):
        if total + weight > limit and place > start:
            yield slice(start, place)
            start, total = place, 0
        total += weight
    if start < len(weights):
        yield slice(start, len(weights))


def without(pairs: Pairs, others: Pairs) -> Bools:
    """Whether each of m distinct pairs is none of the others (distinct too): bool[m]."""
    if all(side.dtype == np.int64 and (len(side) == 0 or side.max() >> 31 == 0) for side in (*pairs, *others)):
        words = np.sort(others[0] << 32 | others[1])  # both fit one word, which sorts several times faster
        word = pairs[0] << 32 | pairs[1]
        places = np.searchsorted(words, word)
        places[places == len(words)] = 0
        return words[places] != word if len(words) else np.ones(len(word), bool)
    left, right = (np.concatenate([others[side], pairs[side]]) for side in (0, 1))
    order = np.lexsort((np.arange(len(left)), right, left))  # an equal one of the others stands right before
    repeated = np.zeros(len(left), bool)
    repeated[order[1:]] = (left[order][1:] == left[order][:-1]) & (right[order][1:] == right[order][:-1])
    return ~repeated[len(left) - len(pairs[0]) :]
