"""The first, compiled stage of every search in measure: where a needle or the shape of an identifier stands at all.

What is found here is a candidate; `corpus/boilerplate.py` and `corpus/privacy.py` look at it with patterns and context,
so that Python touches a few lines in a thousand. Texts come as Arrow's UTF-8 bytes and offsets, without a copy.
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


@kernel
def count_needles(buffer: Bytes, offsets: Longs, table: Table, found: Longs, rows: Longs) -> None:
    """Count the needles in every document; of those that end at one byte, one.

    Args:
        table, found: see `automaton`.
        rows: written, int64 [documents, 2]: how many there are, the bits of those there are.
    """
    for d in range(offsets.shape[0] - 1):
        state: Any = 0
        hits, bits = 0, 0
        for i in range(offsets[d], offsets[d + 1]):
            state = np.int64(table[state, buffer[i]])
            if found[state] != 0:
                hits += 1
                bits |= found[state]
        rows[d, 0], rows[d, 1] = hits, bits


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
        state: Any = 0
        start: Any = offsets[d]
        seen: Any = start - edge - 1  # where the last needle ended
        bits: Any = 0
        first: Any = 0  # bits of the needles near the line's beginning
        last: Any = 0  # … and of the last ones
        for i in range(offsets[d], offsets[d + 1] + 1):
            if i == offsets[d + 1] or buffer[i] == 10:
                if bits != 0:
                    if i - start > longest:
                        bits = first | (last if i - seen <= edge else 0)
                    if bits != 0:
                        if total < marked.shape[0]:
                            marked[total, 0], marked[total, 1], marked[total, 2], marked[total, 3] = d, start, i, bits
                        total += 1
                start, state, bits, first, last = i + 1, 0, 0, 0, 0
            else:
                state = np.int64(table[state, buffer[i]])
                hit = found[state]
                if hit != 0:
                    bits |= hit
                    if i - start < edge:
                        first |= hit
                    last = hit if i - seen > edge else last | hit
                    seen = i
    return total


@inner
def _dash(buffer: Bytes, i: int, end: int) -> int:
    """Bytes of the dash or dot at i, 0 where there is none: - . U+2010 to U+2015, U+2212 (minus), U+3161 (ㅡ)."""
    if i < end and (buffer[i] == 45 or buffer[i] == 46):
        return 1
    if i + 2 < end and buffer[i] == 0xE2 and buffer[i + 1] == 0x80 and 0x90 <= buffer[i + 2] <= 0x95:
        return 3
    if i + 2 < end and buffer[i] == 0xE2 and buffer[i + 1] == 0x88 and buffer[i + 2] == 0x92:
        return 3
    if i + 2 < end and buffer[i] == 0xE3 and buffer[i + 1] == 0x85 and buffer[i + 2] == 0xA1:
        return 3
    return 0


@inner
def _separator(buffer: Bytes, i: int, end: int) -> int:
    """Bytes of the separator between two groups of digits that starts at i, 0 where there is none.

    It is at most two dashes, with at most two of space, tab and closing parenthesis before and behind each.
    """
    n, dashes, blanks = 0, 0, 0
    while i + n < end:
        width = _dash(buffer, i + n, end)
        if width > 0 and dashes < 2:
            n, dashes, blanks = n + width, dashes + 1, 0
        elif blanks < 2 and (buffer[i + n] == 32 or buffer[i + n] == 9 or buffer[i + n] == 41):
            n, blanks = n + 1, blanks + 1
        else:
            return n
    return n


@kernel
def mark_private(buffer: Bytes, offsets: Longs, least: int, marked: Longs) -> int:
    """Candidates of identifiers: an e-mail's @, groups of digits with `least` digits in all, letter and digits, plates.

    Args:
        marked: written, int64 [room, 4]: document, first byte, byte after the last, kind (0 digits, 1 e-mail,
            2 a capital before three digits, 3 digits Hangul digits).

    Returns:
        How many there are; where it exceeds `room` the caller makes room and asks again.
    """
    total = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        while i < end:
            byte = buffer[i]
            kind, stop, after = -1, i + 1, i + 1
            if 48 <= byte <= 57:
                digits, first = 0, 0
                after = i
                while after < end and 48 <= buffer[after] <= 57:
                    while after < end and 48 <= buffer[after] <= 57:
                        after += 1
                        digits += 1
                    first = digits if first == 0 else first
                    stop = after
                    after += _separator(buffer, after, end)
                after = stop
                if digits >= least:
                    kind = 0
                elif 2 <= digits <= 3 and digits == first and stop + 6 < end and 0xEA <= buffer[stop] <= 0xED:
                    next_digit = stop + 3 + (buffer[stop + 3] == 32)
                    if 48 <= buffer[next_digit] <= 57:
                        kind = 3
            elif byte == 64:
                kind = 1
            elif 68 <= byte <= 83 and i + 8 < end and 48 <= buffer[i + 1] <= 57 and 48 <= buffer[i + 2] <= 57:
                kind = 2
            if kind >= 0:
                if total < marked.shape[0]:
                    marked[total, 0], marked[total, 1], marked[total, 2], marked[total, 3] = d, i, stop, kind
                total += 1
            i = after
    return total
