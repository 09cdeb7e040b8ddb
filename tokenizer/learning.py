"""Learning a byte-level BPE, compiled: pieces and their counts → the merges that the `tokenizers` trainer would make.

The most frequent pair is merged, of equally frequent ones that of the smallest ids, until the vocabulary is full or no
pair occurs often enough. Only the pieces that hold a pair are touched: a pair keeps the places where it was made, and a
place that has changed since is passed over. (Sennrich et al. 2016; order and ties as in `tokenizers`' BpeTrainer.)
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.kernels import PRIME, Bytes, Ints, Longs, inner, kernel, mixed
from tokenizer.pieces import same


def learn_merges(
    pieces: tuple[Bytes, Longs, Longs], byte_ranks: Ints, wanted: int, least: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Learn merges until there are `wanted` new tokens or no pair occurs `least` times.

    Tokens are numbered here by the order of their ids: the bytes from 0 to 255, then what merges give.

    Args:
        pieces: bytes, bounds and counts, see `tokenizer.piece_counts.Pieces.told`.
        byte_ranks: int32 [256], the number of each byte.

    Returns:
        Pairs by rank, int32 [merges, 2], and the number of each result, int32 [merges]. Two merges may spell the same
        token; then both give its number, and there are more merges than new tokens.
    """
    store, bounds, counts = (np.array(one) for one in pieces)
    return _learn(store, bounds, counts, byte_ranks, wanted, max(1, least))


class _Known(NamedTuple):
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
def _entry_of(known: Any, left: int, right: int) -> Any:
    """The newest entry of a pair, -1 where it has none."""
    key = _key(left, right)
    slot = _slot_of(known.table, key)
    return np.int64(known.names[slot]) if known.table[slot] == key else np.int64(-1)


@inner
def _with_room(known: Any, fresh: int) -> Any:
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
    return _Known(table, names, totals, older, spans, known.used)


@inner
def _enter(known: Any, left: int, right: int, times: int, first: int, places: int, least: int) -> None:
    """A pair that has been made at some places; one too rare to be merged is left out: it gets no more frequent."""
    before = _entry_of(known, left, right)
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
def _longer(array: Any, length: int) -> Any:
    """The array with room for at least `length`."""
    if length <= len(array):
        return array
    longer = np.empty(max(length, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@inner
def _laid_out(store: Bytes, bounds: Longs, ranks: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Of every place its token, the place before and after it in its piece (-1: none), and its piece."""
    n = bounds[-1]
    token, before, after, piece = (
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
    )
    for w in range(len(bounds) - 1):
        for i in range(bounds[w], bounds[w + 1]):
            token[i], piece[i] = ranks[store[i]], w
            before[i] = i - 1 if i > bounds[w] else -1
            after[i] = i + 1 if i + 1 < bounds[w + 1] else -1
    return token, before, after, piece


@inner
def _byte_pairs(token: Ints, after: Ints, piece: Ints, counts: Longs) -> tuple[Longs, Longs, Ints]:
    """Times of each pair of bytes, where its places begin, and all places ordered by their pair."""
    times, starts = np.zeros(1 << 16, np.int64), np.zeros((1 << 16) + 1, np.int64)
    for i in range(len(token)):
        if after[i] >= 0:
            pair = np.int64(token[i]) << 8 | token[i + 1]
            times[pair] += counts[piece[i]]
            starts[pair + 1] += 1
    for pair in range(1 << 16):
        starts[pair + 1] += starts[pair]
    places, at = np.empty(starts[-1], np.int32), starts[:-1].copy()
    for i in range(len(token)):
        if after[i] >= 0:
            pair = np.int64(token[i]) << 8 | token[i + 1]
            places[at[pair]] = i
            at[pair] += 1
    return times, starts, places


@inner
def _same_token(spelt: Bytes, ends: Longs, slots: Ints, length: int, known: int) -> Any:
    """The slot of the token whose bytes stand after those of the `known` ones: its own, or the first free one."""
    at = ends[known]
    key: Any = np.int64(0)
    for i in range(at, at + length):
        key = (key ^ (spelt[i] + 1)) * PRIME
    slot = mixed(key) & (len(slots) - 1)
    while slots[slot] != 0:
        other = slots[slot] - 1
        if ends[other + 1] - ends[other] == length and same(spelt, at, spelt, ends[other], length):
            break
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@inner
def _apply(
    one: int, two: int, new: int, places: Ints, text: Any, counts: Longs, sums: Longs, seen: Ints, made: Ints
) -> Any:
    """Merge a pair at some places; what that takes from and gives to the pairs beside it.

    Args:
        text: token, before, after, piece, see `_laid_out`.
        sums: int64 [4, tokens]: times lost by (s, one), lost by (two, s), won by (s, new), won by (new, s).
        seen: int32 [4, tokens + 1]: for each of the four the tokens s, their number first.
        made: int32 [4, …]: s and place of (s, new), s and place of (new, s).
    """
    token, before, after, piece = text
    lefts, rights = 0, 0
    for p in places:
        q = after[p]
        if token[p] != one or q < 0 or token[q] != two:
            continue
        times, a, z = counts[piece[p]], before[p], after[q]
        token[p], token[q] = new, -1
        after[p] = z
        if a >= 0:
            s = token[a]
            _count(sums, seen, 0, s, times)
            _count(sums, seen, 2, s, times)
            made[0, lefts], made[1, lefts] = s, a
            lefts += 1
        if z >= 0:
            before[z] = p
            s = token[z]
            _count(sums, seen, 1, s, times)
            _count(sums, seen, 3, s, times)
            made[2, rights], made[3, rights] = s, p
            rights += 1
    return lefts, rights


@inner
def _count(sums: Longs, seen: Ints, kind: int, s: int, times: int) -> None:
    if sums[kind, s] == 0:
        seen[kind, 0] += 1
        seen[kind, seen[kind, 0]] = s
    sums[kind, s] += times


@inner
def _token_of(one: int, two: int, tokens: int, spelt: Bytes, ends: Longs, slots: Longs) -> tuple[int, int, Bytes]:
    """The number of the token that two spell together, how many tokens there are now, and their bytes."""
    first, second = ends[one + 1] - ends[one], ends[two + 1] - ends[two]
    to = ends[tokens]
    spelt = _longer(spelt, to + first + second)
    spelt[to : to + first] = spelt[ends[one] : ends[one + 1]]
    spelt[to + first : to + first + second] = spelt[ends[two] : ends[two + 1]]
    slot = _same_token(spelt, ends, slots, first + second, tokens)
    if slots[slot] != 0:
        return slots[slot] - 1, tokens, spelt
    ends[tokens + 1], slots[slot] = to + first + second, tokens + 1
    return tokens, tokens + 1, spelt


@inner
def _gathered(known: Any, entry: int, arena: Ints) -> Ints:
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


@inner
def _laid_by(made: Ints, row: int, n: int, seen: Ints, kind: int, at: Longs, arena: Ints, held: Any) -> Any:
    """Put the places of new pairs into the arena, ordered by the token beside; where the arena ends then.

    Afterwards at[s] is the place after the last one of token s.
    """
    for k in range(1, seen[kind, 0] + 1):
        at[seen[kind, k]] = 0
    for k in range(n):
        at[made[row, k]] += 1
    for k in range(1, seen[kind, 0] + 1):
        s = seen[kind, k]
        at[s], held = held, held + at[s]
    for k in range(n):
        s = made[row, k]
        arena[at[s]] = made[row + 1, k]
        at[s] += 1
    return held


@inner
def _bytes_spelt(ranks: Ints, wanted: int) -> tuple[Bytes, Longs, Longs]:
    """Bytes of the tokens one after another, where each ends, and an open-addressing table of them: 1 + number."""
    spelt, ends = np.empty(1 << 16, np.uint8), np.zeros(wanted + 258, np.int64)
    size = 16
    while size < 4 * (wanted + 256):
        size *= 2
    slots = np.zeros(size, np.int64)
    by_rank = np.argsort(ranks)
    for k in range(256):
        spelt[k], ends[k + 1] = by_rank[k], k + 1
        slots[_same_token(spelt, ends, slots, 1, k)] = k + 1
    return spelt, ends, slots


@inner
def _settle(known: Any, one: int, two: int, new: int, sums: Longs, seen: Ints, heap: Any, least: int) -> None:
    """Take from the pairs what they lost, offer those that were made, and clear the sums."""
    for kind in (0, 1):
        for k in range(1, seen[kind, 0] + 1):
            s = seen[kind, k]
            lost = _entry_of(known, s, one) if kind == 0 else _entry_of(known, two, s)
            if lost >= 0:
                known.totals[lost] -= sums[kind, s]
    known.totals[_entry_of(known, one, two)] = 0
    for kind in (2, 3):
        for k in range(1, seen[kind, 0] + 1):
            s = np.int64(seen[kind, k])
            left, right = (s, np.int64(new)) if kind == 2 else (np.int64(new), s)
            entry = _entry_of(known, left, right)
            if entry >= 0 and known.totals[entry] >= least:
                heappush(heap, (-known.totals[entry], left, right, entry))
    for kind in range(4):
        for k in range(1, seen[kind, 0] + 1):
            sums[kind, seen[kind, k]] = 0
        seen[kind, 0] = 0


@kernel
def _learn(
    store: Bytes, bounds: Longs, counts: Longs, ranks: Ints, wanted: int, least: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    text = _laid_out(store, bounds, ranks)
    times, starts, arena = _byte_pairs(text[0], text[2], text[3], counts)
    known = _Known(
        np.zeros(1 << 18, np.int64),
        np.zeros(1 << 18, np.int32),
        np.zeros(1 << 17, np.int64),
        np.zeros(1 << 17, np.int32),
        np.zeros((1 << 17, 2), np.int64),
        np.zeros(1, np.int64),
    )
    heap: Any = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0)) for _ in range(0)]
    for pair in range(1 << 16):
        if times[pair] >= least:
            heap.append((-times[pair], np.int64(pair >> 8), np.int64(pair & 255), known.used[0]))
            _enter(known, pair >> 8, pair & 255, times[pair], starts[pair], starts[pair + 1] - starts[pair], least)
    heapify(heap)
    spelt, ends, slots = _bytes_spelt(ranks, wanted)
    pairs, results = np.empty((wanted + 16, 2), np.int32), np.empty(wanted + 16, np.int32)
    sums, seen = np.zeros((4, wanted + 257), np.int64), np.zeros((4, wanted + 258), np.int32)
    at = np.zeros(wanted + 257, np.int64)
    held, tokens, merges = len(arena), 256, 0
    while tokens < wanted + 256 and len(heap) > 0:
        negative, one, two, e = heappop(heap)
        if known.totals[e] != -negative:
            if known.totals[e] >= least:
                heappush(heap, (-known.totals[e], one, two, e))
            continue
        new, tokens, spelt = _token_of(one, two, tokens, spelt, ends, slots)
        if merges == len(results):
            pairs, results = np.concatenate((pairs, pairs)), np.concatenate((results, results))
        pairs[merges, 0], pairs[merges, 1], results[merges] = one, two, new
        merges += 1
        places = _gathered(known, e, arena)
        made = np.empty((4, len(places)), np.int32)
        lefts, rights = _apply(one, two, new, places, text, counts, sums, seen, made)
        arena = _longer(arena, held + lefts + rights)
        known = _with_room(known, seen[2, 0] + seen[3, 0])
        for kind in (2, 3):
            first = held
            held = _laid_by(made, 2 * kind - 4, lefts if kind == 2 else rights, seen, kind, at, arena, held)
            for k in range(1, seen[kind, 0] + 1):
                s = seen[kind, k]
                left, right = (s, new) if kind == 2 else (new, s)
                _enter(known, left, right, sums[kind, s], first, at[s] - first, least)
                first = at[s]
        _settle(known, one, two, new, sums, seen, heap, least)
    return pairs[:merges].copy(), results[:merges].copy()
