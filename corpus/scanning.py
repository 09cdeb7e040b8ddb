"""The first, compiled stage of searching in measure: where a needle stands at all.

What is found here is a candidate; `corpus/boilerplate.py` looks at it with patterns and context, so that Python touches
a few lines in a thousand. (`corpus/private_scan.py` marks the shapes of identifiers.) Texts come as Arrow's UTF-8 bytes
and offsets, without a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.kernels import inner, kernel

Bytes = npt.NDArray[np.uint8]
Table = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]
_LONGEST_NEEDLE = 96  # bytes


def all_marked(mark: Callable[[Longs], int], room: int) -> Longs:
    """Call a marking kernel, again where there was too little room; the candidates, int64 [candidates, 4]."""
    marked = np.empty((room, 4), np.int64)
    total = int(mark(marked))
    if total > room:
        marked = np.empty((total, 4), np.int64)
        mark(marked)
    return marked[:total]


def automaton(needles: Sequence[tuple[str, int]]) -> tuple[Table, Longs]:
    """The Aho-Corasick automaton of some needles, ASCII letters in either case.

    Args:
        needles: each with its bit, below 63; several may share one.

    Returns:
        The next state by state and byte, int16 [states, 256]; the bits of the needles that end in a state,
        int64 [states]. Source: Aho and Corasick, Efficient string matching, CACM 18(6), 1975.
    """
    trie: list[dict[int, int]] = [{}]
    bits = [0]
    for needle, bit in needles:
        state = 0
        for byte in needle.lower().encode():
            if byte not in trie[state]:
                trie[state][byte] = len(trie)
                trie.append({})
                bits.append(0)
            state = trie[state][byte]
        bits[state] |= 1 << bit
    table = np.zeros((len(trie), 256), np.int16)
    fallback = [0] * len(trie)
    queue = [0]
    for state in queue:
        table[state] = table[fallback[state]] if state else 0
        bits[state] |= bits[fallback[state]] if state else 0
        for byte, target in trie[state].items():
            fallback[target] = int(table[state, byte]) if state else 0
            table[state, byte] = target
            queue.append(target)
    table[:, ord("A") : ord("Z") + 1] = table[:, ord("a") : ord("z") + 1]
    return table, np.array(bits, np.int64)


@inner
def _bits_of(buffer: Bytes, begin: Any, first: Any, stop: Any, table: Table, found: Longs) -> Any:
    """Bits of the needles that end in the bytes [first, stop), the automaton started at `begin`."""
    state: Any = 0
    bits: Any = 0
    for i in range(begin, stop):
        state = np.int64(table[state, buffer[i]])
        if i >= first:
            bits |= found[state]
    return bits


@kernel
def mark_lines(
    buffer: Bytes, offsets: Longs, table: Table, found: Longs, longest: int, edge: int, marked: Longs
) -> int:
    """Lines in which a needle ends; of those longer than `longest` bytes, in the first or last `edge` bytes.

    Args:
        table, found: see `automaton`.
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
            bits: Any = 0
            if stop - start <= longest:
                bits = _bits_of(buffer, start, start, stop, table, found)
            else:  # most of prose: only its ends are looked at
                bits = _bits_of(buffer, start, start, start + edge, table, found)
                bits |= _bits_of(buffer, max(start, stop - edge - _LONGEST_NEEDLE), stop - edge, stop, table, found)
            if bits != 0:
                if total < marked.shape[0]:
                    marked[total, 0], marked[total, 1], marked[total, 2], marked[total, 3] = d, start, stop, bits
                total += 1
            start = stop + 1
    return total
