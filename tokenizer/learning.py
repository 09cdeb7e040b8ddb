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

from corpus.kernels import PRIME, Bytes, Ints, Longs, decode, inner, kernel, mixed
from tokenizer.pair_table import enter, entry_of, gathered, no_pairs, with_room
from tokenizer.pieces import same
from tokenizer.pretokenize import POINTS

_STRETCH = 1 << 12
COVERED = 0.999  # share of the characters beyond ASCII that have tokens from the start


class _First(NamedTuple):
    """The tokens to begin with: bytes, and characters that are tokens from the start.

    Attributes:
        units: int32 [POINTS], the token of each character, -1 where it has none.
        partial: bool [tokens], whether a token is a part of a character, which is merged with nothing else.
        spelt, ends: bytes of the tokens one after another, uint8, and int64 [tokens + 1].
    """

    units: Ints
    partial: Any
    spelt: Bytes
    ends: Longs


def learn_merges(
    pieces: tuple[Bytes, Longs, Longs], byte_ranks: Ints, wanted: int, least: int, whole: bool = True
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Learn merges until there are `wanted` new tokens or no pair occurs `least` times.

    Tokens are numbered here by the order of their ids: the bytes from 0 to 255, then what merges give.

    Args:
        pieces: bytes, bounds and counts, see `tokenizer.piece_counts.Pieces.told`.
        byte_ranks: int32 [256], the number of each byte.
        whole: first make tokens of the characters that fill COVERED of the text, and merge no part of a character
            with anything else; False merges bytes as the `tokenizers` trainer does.

    Returns:
        Pairs by rank, int32 [merges, 2], and the number of each result, int32 [merges]. Two merges may spell the same
        token; then both give its number, and there are more merges than new tokens.
    """
    store, bounds, counts = (np.array(one) for one in pieces)
    given: list[tuple[int, int]] = []
    spelt = [bytes([byte]) for byte in np.argsort(byte_ranks)]
    units, partial = np.full(POINTS, -1, np.int32), [False] * 256
    if whole:
        units[:128] = byte_ranks[:128]
        partial = [one[0] >= 0x80 for one in spelt]
        _make_characters(count_characters(store, bounds, counts), spelt, units, given, partial, wanted // 2, least)
    ends = np.cumsum([0, *(len(one) for one in spelt)], dtype=np.int64)
    first = _First(units, np.array(partial), np.frombuffer(b"".join(spelt), np.uint8).copy(), ends)
    pairs, results = _learn((store, bounds, counts), byte_ranks, first, wanted - len(given), max(1, least))
    made = np.arange(256, 256 + len(given), dtype=np.int32)
    return np.concatenate([np.array(given, np.int32).reshape(-1, 2), pairs]), np.concatenate([made, results])


def _make_characters(
    times: Longs,
    spelt: list[bytes],
    units: Ints,
    given: list[tuple[int, int]],
    partial: list[bool],
    most: int,
    least: int,
) -> None:
    """Make tokens of the most frequent characters by merging their bytes from the left, at most so many merges."""
    times[:128] = 0
    points = np.flatnonzero(times >= least)
    points = points[np.lexsort((points, -times[points]))]
    enough = int(np.searchsorted(np.cumsum(times[points]), COVERED * times.sum())) + 1
    numbers = {one: number for number, one in enumerate(spelt)}
    for point in points[:enough].tolist():
        data = chr(point).encode()
        new = [data[:length] for length in range(2, len(data) + 1) if data[:length] not in numbers]
        if len(given) + len(new) > most:
            return
        for one in new:
            given.append((numbers[one[:-1]], numbers[one[-1:]]))
            numbers[one] = len(spelt)
            spelt.append(one)
            partial.append(one != data)
        units[point] = numbers[data]


@inner
def _longer(array: Any, length: int) -> Any:
    """The array with room for at least `length`."""
    if length <= len(array):
        return array
    longer = np.empty(max(length, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def count_characters(store: Bytes, bounds: Longs, counts: Longs) -> Longs:
    """Times that each code point occurs in pieces, int64 [POINTS]."""
    found = np.zeros(POINTS, np.int64)
    for w in range(len(bounds) - 1):
        i = bounds[w]
        while i < bounds[w + 1]:
            point, i = decode(store, i)
            found[point] += counts[w]
    return found


@inner
def _laid_out(store: Bytes, bounds: Longs, ranks: Ints, units: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Of every place its token, the place before and after it in its piece (-1: none), and its piece.

    A character that has a token is one place, that of its first byte; of another every byte is one.
    """
    n = bounds[-1]
    token, piece = np.full(n, -1, np.int32), np.empty(n, np.int32)
    before, after = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    for w in range(len(bounds) - 1):
        i, last = bounds[w], np.int64(-1)
        while i < bounds[w + 1]:
            point, end = decode(store, i)
            whole = units[point] >= 0
            step = end - i if whole else 1
            while i < end:
                token[i], piece[i] = units[point] if whole else ranks[store[i]], w
                before[i] = last
                if last >= 0:
                    after[last] = i
                last, i = i, i + step
    return token, before, after, piece


@inner
def _joins(token: Ints, after: Ints, partial: Any, i: int) -> bool:
    """Whether place i makes a pair with the next one that may be merged."""
    j = after[i]
    return j >= 0 and not (partial[token[i]] or partial[token[j]])


@inner
def _first_pairs(text: Any, counts: Longs, partial: Any, least: int) -> tuple[Any, Any, Ints]:
    """The pairs that the pieces begin with and their places, ordered by pair; and a heap of those to be merged."""
    token, after, piece = text[0], text[2], text[3]
    known = no_pairs()
    for start in range(0, len(token), _STRETCH):
        known = with_room(known, _STRETCH)
        for i in range(start, min(start + _STRETCH, len(token))):
            if _joins(token, after, partial, i):
                entry = entry_of(known, token[i], token[after[i]])
                if entry < 0:
                    entry = known.used[0]
                    enter(known, token[i], token[after[i]], 0, 0, 0, 0)
                known.totals[entry] += counts[piece[i]]
                known.spans[entry, 1] += 1
    held = 0
    for e in range(known.used[0]):
        places = known.spans[e, 1]
        known.spans[e, 0], known.spans[e, 1] = held, 0
        held += places
    arena = np.empty(held, np.int32)
    for i in range(len(token)):
        if _joins(token, after, partial, i):
            at = entry_of(known, token[i], token[after[i]])
            arena[known.spans[at, 0] + known.spans[at, 1]] = i
            known.spans[at, 1] += 1
    heap: Any = [(np.int64(0), np.int64(0), np.int64(0), np.int64(0))]  # so that numba knows of what it is a list
    heap.pop()
    for slot in range(len(known.table)):
        key, number = known.table[slot] - 1, np.int64(known.names[slot])
        if key >= 0 and known.totals[number] >= least:
            heap.append((-known.totals[number], key >> 32, key & 0xFFFFFFFF, number))
    heapify(heap)
    return known, heap, arena


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
def _is_partial(partial: Any, token: int) -> Any:
    return token < len(partial) and partial[token]


@inner
def _apply(
    merge: Any, places: Ints, text: Any, counts: Longs, partial: Any, sums: Longs, seen: Ints, made: Ints
) -> Any:
    """Merge a pair (one, two → new) at some places; what that takes from and gives to the pairs beside it.

    Args:
        text: token, before, after, piece, see `_laid_out`.
        sums: int64 [4, tokens]: times lost by (s, one), lost by (two, s), won by (s, new), won by (new, s).
        seen: int32 [4, tokens + 1]: for each of the four the tokens s, their number first.
        made: int32 [4, …]: s and place of (s, new), s and place of (new, s).
    """
    one, two, new = merge
    token, before, after, piece = text
    lefts, rights = 0, 0
    for p in places:
        q = after[p]
        if token[p] != one or q < 0 or token[q] != two:
            continue
        times, a, z = counts[piece[p]], before[p], after[q]
        token[p], token[q] = new, -1
        after[p] = z
        s = token[a] if a >= 0 else 0
        if a >= 0 and not _is_partial(partial, s):
            _count(sums, seen, 0, s, times)
            _count(sums, seen, 2, s, times)
            made[0, lefts], made[1, lefts] = s, a
            lefts += 1
        if z >= 0:
            before[z] = p
        s = token[z] if z >= 0 else 0
        if z >= 0 and not _is_partial(partial, s):
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
def _settle(known: Any, one: int, two: int, new: int, sums: Longs, seen: Ints, heap: Any, least: int) -> None:
    """Take from the pairs what they lost, offer those that were made, and clear the sums."""
    for kind in (0, 1):
        for k in range(1, seen[kind, 0] + 1):
            s = seen[kind, k]
            lost = entry_of(known, s, one) if kind == 0 else entry_of(known, two, s)
            if lost >= 0:
                known.totals[lost] -= sums[kind, s]
    known.totals[entry_of(known, one, two)] = 0
    for kind in (2, 3):
        for k in range(1, seen[kind, 0] + 1):
            s = np.int64(seen[kind, k])
            left, right = (s, np.int64(new)) if kind == 2 else (np.int64(new), s)
            entry = entry_of(known, left, right)
            if entry >= 0 and known.totals[entry] >= least:
                heappush(heap, (-known.totals[entry], left, right, entry))
    for kind in range(4):
        for k in range(1, seen[kind, 0] + 1):
            sums[kind, seen[kind, k]] = 0
        seen[kind, 0] = 0


@inner
def _spelt_slots(spelt: Bytes, ends: Longs, tokens: int, wanted: int) -> Longs:
    """An open-addressing table of the tokens by what they spell: 1 + number."""
    size = 16
    while size < 4 * (wanted + tokens):
        size *= 2
    slots = np.zeros(size, np.int64)
    for k in range(tokens):
        slots[_same_token(spelt, ends, slots, ends[k + 1] - ends[k], k)] = k + 1
    return slots


@kernel
def _learn(
    pieces: tuple[Bytes, Longs, Longs], ranks: Ints, first: Any, wanted: int, least: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    counts, tokens = pieces[2], len(first.partial)
    text = _laid_out(pieces[0], pieces[1], ranks, first.units)
    known, heap, arena = _first_pairs(text, counts, first.partial, least)
    most = tokens + wanted
    spelt, ends = first.spelt.copy(), np.zeros(most + 2, np.int64)
    ends[: tokens + 1] = first.ends
    slots = _spelt_slots(spelt, ends, tokens, wanted)
    pairs, results = np.empty((wanted + 16, 2), np.int32), np.empty(wanted + 16, np.int32)
    sums, seen, at = np.zeros((4, most + 1), np.int64), np.zeros((4, most + 2), np.int32), np.zeros(most + 1, np.int64)
    held, merges = len(arena), 0
    while tokens < most and len(heap) > 0:
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
        places = gathered(known, e, arena)
        made = np.empty((4, len(places)), np.int32)
        lefts, rights = _apply((one, two, new), places, text, counts, first.partial, sums, seen, made)
        arena = _longer(arena, held + lefts + rights)
        known = with_room(known, seen[2, 0] + seen[3, 0])
        for kind in (2, 3):
            begin = held
            held = _laid_by(made, 2 * kind - 4, lefts if kind == 2 else rights, seen, kind, at, arena, held)
            for k in range(1, seen[kind, 0] + 1):
                s = seen[kind, k]
                left, right = (s, new) if kind == 2 else (new, s)
                enter(known, left, right, sums[kind, s], begin, at[s] - begin, least)
                begin = at[s]
        _settle(known, one, two, new, sums, seen, heap, least)
    return pairs[:merges].copy(), results[:merges].copy()
