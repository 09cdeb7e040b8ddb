"""The first, compiled stage of searching in measure: where a needle stands at all.

What is found here is a candidate; `corpus/boilerplate.py` looks at it with patterns and context, so that Python touches
a few lines in a thousand. (`corpus/private_scan.py` marks the shapes of identifiers.) Texts come as Arrow's UTF-8 bytes
and offsets, without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus.automaton import automaton, in_one_row
from corpus.kernels import Bytes, Ints, Longs, decode, inner, kernel

Shorts = npt.NDArray[np.int16]
_LONGEST_NEEDLE = 96  # bytes


def all_marked(mark: Callable[[Longs], int], room: int) -> Longs:
    """Call a marking kernel, again where there was too little room; the candidates, int64 [candidates, 4]."""
    marked = np.empty((room, 4), np.int64)
    total = int(mark(marked))
    if total > room:
        marked = np.empty((total, 4), np.int64)
        mark(marked)
    return marked[:total]


class Needles(NamedTuple):
    """The automaton of some needles, as the kernel reads it.

    Attributes:
        symbols: of every code point below 65,536, ASCII letters in either case alike, 0 of those in no needle, int16.
        table, quiet: see `corpus/automaton.py`, in_one_row.
        width: symbols of a state.
        bits: of the needles that end in a state, by the state's number, int64 [states].
    """

    symbols: Shorts
    table: Ints
    quiet: int
    width: int
    bits: Longs


def needles(words: Sequence[tuple[str, int]]) -> Needles:
    """The automaton of some needles, each with its bit, below 63; several may share one."""
    folded = [word.lower() for word, _ in words]
    number = {letter: n for n, letter in enumerate(sorted(set("".join(folded))), 1)}
    built = automaton([[number[letter] for letter in word] for word in folded], len(number) + 1)
    bits = np.zeros(len(built.fallback), np.int64)
    for state, (_, bit) in zip(built.ends, words, strict=True):
        bits[state] |= 1 << bit
    for state in built.order[1:]:
        bits[state] |= bits[built.fallback[state]]
    symbols = np.zeros(65536, np.int16)
    for letter, n in number.items():
        symbols[ord(letter)] = n
        if "a" <= letter <= "z":
            symbols[ord(letter.upper())] = n
    table, quiet, order = in_one_row(built, bits != 0)
    return Needles(symbols, table, quiet, len(number) + 1, bits[order])


@inner
def _bits_of(
    buffer: Bytes, begin: Any, first: Any, stop: Any, symbols: Shorts, table: Ints, quiet: Any, width: Any, bits: Longs
) -> Any:
    """Bits of the needles whose last byte is in [first, stop), the automaton started at `begin`."""
    state: Any = 0
    found: Any = 0
    i = begin
    while i < stop:
        point, i = decode(buffer, i)
        state = np.int64(table[np.uint64(state + np.int64(symbols[np.uint64(min(point, 65535))]))])
        if state >= quiet and first < i <= stop:
            found |= bits[state // width]
    return found


@kernel
def mark_lines(
    buffer: Bytes,
    offsets: Longs,
    symbols: Shorts,
    table: Ints,
    quiet: int,
    width: int,
    bits: Longs,
    longest: int,
    edge: int,
    marked: Longs,
) -> int:
    """Lines in which a needle ends; of those longer than `longest` bytes, in the first or last `edge` bytes.

    Args:
        symbols to bits: see `Needles`.
        marked: written, int64 [room, 4]: document, first byte, byte after the last (no newline), bits of needles.

    Returns:
        How many lines there are; where it exceeds `room` the caller makes room and asks again.
    """
    total = 0
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        while start <= end:
            stop = start
            while stop < end and buffer[stop] != 10:
                stop += 1
            found: Any = 0
            if stop - start <= longest:
                found = _bits_of(buffer, start, start, stop, symbols, table, quiet, width, bits)
            else:  # most of prose: only its ends are looked at
                found = _bits_of(buffer, start, start, start + edge, symbols, table, quiet, width, bits)
                begin = max(start, stop - edge - _LONGEST_NEEDLE)
                while buffer[begin] & 0xC0 == 0x80:
                    begin += 1
                found |= _bits_of(buffer, begin, stop - edge, stop, symbols, table, quiet, width, bits)
            if found != 0:
                if total < marked.shape[0]:
                    marked[total, 0], marked[total, 1], marked[total, 2], marked[total, 3] = d, start, stop, found
                total += 1
            start = stop + 1
    return total
