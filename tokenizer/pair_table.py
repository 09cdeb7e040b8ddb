"""The pairs of tokens that a BPE may merge next, how often each occurs and where: kept for `tokenizer/learning.py`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from corpus.kernels import Ints, Longs, inner, mixed


class Known(NamedTuple):
    """The pairs that may be merged.

    Attributes:
        table, names: open-addressing table of 1 + (left << 32 | right), and the newest entry of each.
        totals: int64, times that the pair of an entry occurs.
        older: int32, the entry that the pair had before, -1 where none: a token made twice makes its pairs twice.
        spans: int64 [entries, 2], first of its places and how many; some may hold another pair by now.
        used: int64 [1], entries.
    """

    table: Longs
    names: Ints
    totals: Longs
    older: Ints
    spans: Longs
    used: Longs


@inner
def _key(left: int, right: int) -> Any:
    return 1 + (np.int64(left) << 32 | np.int64(right))


@inner
def _slot_of(keys: Longs, key: Any) -> Any:
    mask = len(keys) - 1
    slot = mixed(key) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@inner
def entry_of(known: Any, left: int, right: int) -> Any:
    """The newest entry of a pair, -1 where it has none."""
    key = _key(left, right)
    slot = _slot_of(known.table, key)
    return np.int64(known.names[slot]) if known.table[slot] == key else np.int64(-1)


@inner
def with_room(known: Any, fresh: int) -> Any:
    """The pairs with room for so many more."""
    used, table, names = known.used[0], known.table, known.names
    while 2 * (used + fresh) > len(table):
        larger, others = np.zeros(2 * len(table), np.int64), np.zeros(2 * len(table), np.int32)
        for slot in range(len(table)):
            if table[slot] != 0:
                to = _slot_of(larger, table[slot])
                larger[to], others[to] = table[slot], names[slot]
        table, names = larger, others
    totals, older, spans = known.totals, known.older, known.spans
    if used + fresh > len(totals):
        room = max(used + fresh, 2 * len(totals))
        totals, older, spans = np.zeros(room, np.int64), np.zeros(room, np.int32), np.zeros((room, 2), np.int64)
        totals[:used], older[:used], spans[:used] = known.totals[:used], known.older[:used], known.spans[:used]
    return Known(table, names, totals, older, spans, known.used)


@inner
def enter(known: Any, left: int, right: int, times: int, first: int, places: int, least: int) -> None:
    """A pair that has been made at some places; one too rare to be merged is left out: it gets no more frequent."""
    before = entry_of(known, left, right)
    if before < 0 and times < least:
        return
    entry = known.used[0]
    known.totals[entry], known.older[entry] = times, before
    if before >= 0:
        known.totals[entry] += known.totals[before]
        known.totals[before] = 0
    known.spans[entry, 0], known.spans[entry, 1] = first, places
    key = _key(left, right)
    slot = _slot_of(known.table, key)
    known.table[slot], known.names[slot] = key, entry
    known.used[0] += 1


@inner
def no_pairs() -> Any:
    """A table that knows none."""
    return Known(
        np.zeros(1 << 18, np.int64),
        np.zeros(1 << 18, np.int32),
        np.zeros(1 << 17, np.int64),
        np.zeros(1 << 17, np.int32),
        np.zeros((1 << 17, 2), np.int64),
        np.zeros(1, np.int64),
    )


@inner
def gathered(known: Any, entry: int, arena: Ints) -> Ints:
    """The places of a pair's entry and of those before it, newest first."""
    n, e = 0, np.int64(entry)
    while e >= 0:
        n += known.spans[e, 1]
        e = np.int64(known.older[e])
    places = np.empty(n, np.int32)
    n, e = 0, np.int64(entry)
    while e >= 0:
        first, many = known.spans[e, 0], known.spans[e, 1]
        places[n : n + many] = arena[first : first + many]
        n += many
        e = np.int64(known.older[e])
    return places
