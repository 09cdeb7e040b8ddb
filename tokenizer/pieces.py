"""Where the pieces of a text end, and how often each one occurs: the compiled twin of `tokenizer/pretokenize.py`.

Used by the encoder (`tokenizer/merging.py`) and by the trainer (`tokenizer/learning.py`). Texts are read as Arrow holds
them: UTF-8 bytes and int64 offsets, no copy, no string objects. Whoever changes this file or `tokenizer/pair_table.py`
removes __pycache__/*.nbi once (see `corpus/kernels.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.kernels import PRIME, Bytes, Longs, decode, inner, kernel, mixed
from tokenizer.pretokenize import DIGIT, JAMO, LINE_END, OTHER, SPACE

_SEED = -3750763034362895579  # FNV-1a's offset basis, as a signed number


def _following() -> npt.NDArray[np.uint8]:
    """uint8 [64], at 8 * state + class of the next character the state after it; a piece begins in state 0.

    One look-up a character instead of a branch for each kind, which a processor guesses wrong in every word.
    """
    begun, other, jamo, ends = range(4)
    told = np.full((8, 8), _DONE, np.uint8)
    told[begun, [OTHER, JAMO]] = other, jamo
    told[other, [OTHER, LINE_END]] = other, ends
    told[jamo, JAMO] = jamo
    told[ends, LINE_END] = ends
    return told.ravel()


_DONE = 7  # its row holds nothing else: a digit is a piece by itself
_FOLLOWING = _following()


@inner
def _white(buffer: Bytes, start: int, end: int, table: Bytes) -> Any:
    """A piece of white space: up to its last line end, else up to the last character, which goes with the next word."""
    i, last, line = start, start, start
    while i < end:
        point, after = decode(buffer, i)
        kind = table[point]
        if kind < SPACE:
            break
        last, i = i, after
        if kind == LINE_END:
            line = after
    if line > start:
        return line
    return last if i < end and last > start else i


@inner
def piece_end(buffer: Bytes, start: int, end: int, table: Bytes) -> Any:
    """The byte after the piece that begins at byte `start` of a text that ends at `end`.

    `table` is `tokenizer.pretokenize.classes(…)`.
    """
    point, i = decode(buffer, start)
    kind = table[point]
    if kind >= SPACE:
        if kind > SPACE or i >= end or table[decode(buffer, i)[0]] >= DIGIT:
            return _white(buffer, start, end, table)
        point, i = decode(buffer, i)
        kind = table[point]
    state = _FOLLOWING[kind]
    while i < end:
        point, after = decode(buffer, i)
        state = _FOLLOWING[8 * state + table[point]]
        if state == _DONE:
            break
        i = after
    return i


@inner
def same(a: Bytes, at: int, b: Bytes, other: int, length: int) -> bool:
    """Whether `length` bytes of a from `at` on are those of b from `other` on."""
    for k in range(length):  # noqa: SIM110 (numba compiles no generator)
        if a[at + k] != b[other + k]:
            return False
    return True


@kernel
def find_ends(buffer: Bytes, offsets: Longs, table: Bytes, ends: Longs) -> int:
    """Write the byte after every piece of some texts; how many there are. `ends` needs room for a piece a byte."""
    found = 0
    for d in range(len(offsets) - 1):
        i = offsets[d]
        while i < offsets[d + 1]:
            i = piece_end(buffer, i, offsets[d + 1], table)
            ends[found] = i
            found += 1
    return found


@kernel
def count_spans(
    buffer: Bytes, ends: Longs, begin: int, slots: Longs, keys: Longs, bounds: Longs, counts: Longs, store: Bytes
) -> tuple[int, int]:
    """Count pieces that follow one another from byte `begin` on.

    Args:
        ends: the byte after each piece.
        slots: int64 [a power of two], an open-addressing table: 1 + number of the piece, 0 where free.
        keys, counts: int64 [pieces], of each piece its hash and times.
        bounds: int64 [pieces + 1], where each piece's bytes lie in `store`; `bounds[0]` is 0.
        store: uint8.

    Returns:
        Spans counted and the pieces known after that; fewer than given where the tables want more room. `counts[0]`
        is the number of pieces known, of which the first has number 1.
    """
    mask, known = len(slots) - 1, counts[0]
    start = begin
    for k in range(len(ends)):
        end = ends[k]
        length = end - start
        if 2 * known > mask - 2 or known + 2 >= len(bounds) or bounds[known] + length > len(store):
            counts[0] = known
            return k, known
        key = np.int64(_SEED)
        for i in range(start, end):
            key = (key ^ buffer[i]) * PRIME
        slot = mixed(key) & mask
        while slots[slot] != 0:
            number = slots[slot]
            at = bounds[number - 1]
            if keys[number] == key and bounds[number] - at == length and same(buffer, start, store, at, length):
                break
            slot = (slot + 1) & mask
        number = slots[slot]
        if number == 0:
            known += 1
            number = known
            slots[slot] = number
            keys[number] = key
            at = bounds[number - 1]
            for i in range(length):
                store[at + i] = buffer[start + i]
            bounds[number] = at + length
        counts[number] += 1
        start = end
    counts[0] = known
    return len(ends), known


@kernel
def place_again(keys: Longs, known: int, slots: Longs) -> None:
    """Fill a larger, empty table with the pieces known."""
    mask = len(slots) - 1
    for number in range(1, known + 1):
        slot = mixed(keys[number]) & mask
        while slots[slot] != 0:
            slot = (slot + 1) & mask
        slots[slot] = number
