"""The compiled loops of measure: count characters, words and lines; copy texts with their edits applied.

Both read Arrow's UTF-8 buffer and offsets as they lie, without a copy: `buffer` uint8 [bytes], `offsets` int64
[documents + 1]. What the counts mean stands in `corpus/signals.py`; this file only counts. UTF-8 is taken as valid
(Arrow and collect saw to that). Hashes only compare words and lines within one document, so 64 bits are ample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

# Compiled at the first call (some seconds for all), then kept in __pycache__ or NUMBA_CACHE_DIR.
kernel = njit(cache=True, nogil=True)
inner = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # for kernels alone: less to compile

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Classes of characters: the low four bits of a cell of the character table.
SPACE, NEWLINE, HANGUL, JAMO, HANJA, KANA, LATIN, DIGIT, LETTER, EMOJI, SYMBOL, BROKEN = range(12)
# Flags of characters: the high four bits.
PARTICLE, ENDING, STOP, BULLET = 16, 32, 64, 128

# Columns of the counts, after the twelve classes.
(BYTES, CHARS, WORDS, WORD_CHARS, SINGLES, PARTICLES, HANGUL_WORDS, URLS) = range(12, 20)
(LINES, LINE_BYTES, ENDED, SHORT, BULLETED, ELLIPSES, REPEATED_LINE_BYTES) = range(20, 27)
(RUNS, LAUGHTER, MOJIBAKE, ENTROPY, TOP_PAIR, REPEATED_FIVES, DISTINCT) = range(27, 34)
COLUMNS = 34

# State of the walk between two characters.
(W_LENGTH, W_HASH, W_LAST, W_URL, W_START, L_HASH, L_CHARS, L_FIRST, L_LAST, L_START, L_DOTS, PREVIOUS, RUN) = range(13)
_STATES = 13
_PRIME = 1099511628211
SHORT_LINE = 20  # characters


@inner
def _decode(buffer: Bytes, i: int) -> tuple[Any, int]:
    """The code point at byte i, and the byte after it."""
    a = np.int64(buffer[i])
    if a < 0x80:
        return a, i + 1
    if a < 0xE0:
        return ((a & 0x1F) << 6) | (buffer[i + 1] & 0x3F), i + 2
    if a < 0xF0:
        return ((a & 0x0F) << 12) | (np.int64(buffer[i + 1] & 0x3F) << 6) | (buffer[i + 2] & 0x3F), i + 3
    high = ((a & 0x07) << 18) | (np.int64(buffer[i + 1] & 0x3F) << 12)
    return high | (np.int64(buffer[i + 2] & 0x3F) << 6) | (buffer[i + 3] & 0x3F), i + 4


@inner
def _mixed(value: Any) -> Any:
    value = (value ^ (value >> 29)) * -4658895280553007687
    return value ^ (value >> 32)


@inner
def _seen(keys: Longs, counts: Ints, mask: int, key: Any) -> Any:
    """Count a key in an open-addressing table (0 is the empty key); how often it now was."""
    key = key if key != 0 else 1
    slot = _mixed(key) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    keys[slot] = key
    counts[slot] += 1
    return counts[slot]


@inner
def _clear(keys: Longs, counts: Ints, expected: int) -> int:
    """Empty as much of the table as `expected` keys need at half load; the mask of that part."""
    size = 16
    while size < 2 * expected:
        size *= 2
    for slot in range(size):
        keys[slot] = 0
        counts[slot] = 0
    return size - 1


@inner
def _end_word(state: Longs, row: Floats, words: Longs) -> None:
    if state[W_LENGTH] == 0:
        return
    words[int(row[WORDS])] = state[W_HASH]
    row[WORDS] += 1
    row[WORD_CHARS] += state[W_LENGTH]
    if state[W_LENGTH] == 1:
        row[SINGLES] += 1
    if state[W_LAST] & 15 == HANGUL:
        row[HANGUL_WORDS] += 1
        if state[W_LAST] & PARTICLE:
            row[PARTICLES] += 1
    row[URLS] += state[W_URL]
    state[W_LENGTH], state[W_HASH], state[W_LAST], state[W_URL] = 0, 0, 0, 0


@inner
def _end_line(state: Longs, row: Floats, lines: Longs, sizes: Longs, at: int) -> None:
    if state[L_CHARS] > 0:
        n = int(row[LINES])
        lines[n], sizes[n] = state[L_HASH], at - state[L_START]
        row[LINES] += 1
        row[LINE_BYTES] += at - state[L_START]
        if state[L_LAST] & (ENDING | STOP):
            row[ENDED] += 1
        if state[L_CHARS] < SHORT_LINE:
            row[SHORT] += 1
        if state[L_FIRST] & BULLET:
            row[BULLETED] += 1
        if state[L_DOTS] >= 3:
            row[ELLIPSES] += 1
    state[L_HASH], state[L_CHARS], state[L_FIRST], state[L_LAST], state[L_DOTS] = 0, 0, 0, 0, 0
    state[L_START] = at + 1


@inner
def _visible(buffer: Bytes, i: int, end: int, point: Any, cell: Any, state: Longs, row: Floats) -> None:
    """Take one character that is no space into the word, the line and the runs."""
    state[W_HASH] = (state[W_HASH] ^ point) * _PRIME
    state[L_HASH] = (state[L_HASH] ^ point) * _PRIME
    kind = cell & 15
    if state[W_LENGTH] == 0:
        state[W_START] = i
    state[W_LENGTH] += 1
    if kind != SYMBOL:
        state[W_LAST] = cell
        state[L_LAST] = cell
    elif cell & STOP:
        state[L_LAST] = cell
    if state[L_CHARS] == 0:
        state[L_FIRST] = cell
    state[L_CHARS] += 1
    if point == 46:
        state[L_DOTS] += 1
    else:
        state[L_DOTS] = 3 if point == 0x2026 else 0
    if point == 58 and i + 2 < end and buffer[i + 1] == 47 and buffer[i + 2] == 47:  # ://
        state[W_URL] = 1
    if state[W_LENGTH] == 4 and point == 46 and buffer[state[W_START]] | 32 == 119 and buffer[i - 1] | 32 == 119:
        state[W_URL] = 1  # www.
    state[RUN] = state[RUN] + 1 if point == state[PREVIOUS] else 1
    if state[RUN] > 3:
        row[RUNS] += 1
        if kind == JAMO:
            row[LAUGHTER] += 1
    if kind == BROKEN or (0xA1 <= point <= 0xFF and 0xA1 <= state[PREVIOUS] <= 0xFF):
        row[MOJIBAKE] += 1


@inner
def _walk(
    buffer: Bytes,
    start: Any,
    end: Any,
    table: Bytes,
    row: Floats,
    state: Longs,
    words: Longs,
    lines: Longs,
    sizes: Longs,
    seen: Ints,
    touched: Ints,
) -> int:
    """Go over one document's characters; the number of different code points, listed in `touched`."""
    for k in range(_STATES):
        state[k] = 0
    state[L_START] = start
    different = 0
    i = start
    while i < end:
        point, after = _decode(buffer, i)
        low = point if point < 65536 else 65535
        cell: Any = np.int64(table[low])
        if point >= 65536:
            cell = HANJA if 0x20000 <= point < 0x32000 else EMOJI if 0x1F000 <= point < 0x1FB00 else SYMBOL
        row[cell & 15] += 1
        row[CHARS] += 1
        if cell & 15 == NEWLINE:
            _end_word(state, row, words)
            _end_line(state, row, lines, sizes, i)
        elif cell & 15 == SPACE:
            _end_word(state, row, words)
            state[L_HASH] = (state[L_HASH] ^ 32) * _PRIME
        else:
            if seen[low] == 0:
                touched[different] = low
                different += 1
            seen[low] += 1
            _visible(buffer, i, end, point, cell, state, row)
        state[PREVIOUS] = point
        i = after
    _end_word(state, row, words)
    _end_line(state, row, lines, sizes, end)
    return different


@inner
def _repetition(row: Floats, words: Longs, lines: Longs, sizes: Longs, keys: Longs, counts: Ints) -> None:
    """Repeated lines, the most frequent pair of words, words under a repeated run of five, different words."""
    n = int(row[LINES])
    mask = _clear(keys, counts, n)
    for k in range(n):
        if _seen(keys, counts, mask, lines[k]) > 1:
            row[REPEATED_LINE_BYTES] += sizes[k]
    n = int(row[WORDS])
    mask = _clear(keys, counts, n)
    for k in range(n):
        if _seen(keys, counts, mask, words[k]) == 1:
            row[DISTINCT] += 1
    mask = _clear(keys, counts, n)
    top = 0
    for k in range(n - 1):
        top = max(top, _seen(keys, counts, mask, _mixed(words[k]) * 3 + words[k + 1]))
    row[TOP_PAIR] = top if top > 1 else 0
    mask = _clear(keys, counts, n)
    covered = 0
    for k in range(n - 4):
        key = words[k]
        for step in range(1, 5):
            key = _mixed(key) * 3 + words[k + step]
        if _seen(keys, counts, mask, key) > 1:
            row[REPEATED_FIVES] += k + 5 - max(covered, k)
            covered = k + 5


@kernel
def count_texts(buffer: Bytes, offsets: Longs, table: Bytes, rows: Floats) -> None:
    """Count every document.

    Args:
        table: class and flags of the code points below 65,536, uint8 [65536].
        rows: written, float64 [documents, COLUMNS], zero on entry.
    """
    longest = 0
    for d in range(rows.shape[0]):
        longest = max(longest, offsets[d + 1] - offsets[d])
    room = longest // 2 + 2  # a word or a line is at least one byte and its end
    words, lines, sizes = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    capacity = 16
    while capacity < 2 * room:
        capacity *= 2
    keys, counts = np.empty(capacity, np.int64), np.empty(capacity, np.int32)
    seen, touched = np.zeros(65536, np.int32), np.empty(65536, np.int32)
    state = np.zeros(_STATES, np.int64)
    for d in range(rows.shape[0]):
        row = rows[d]
        row[BYTES] = offsets[d + 1] - offsets[d]
        different = _walk(buffer, offsets[d], offsets[d + 1], table, row, state, words, lines, sizes, seen, touched)
        visible = row[CHARS] - row[SPACE] - row[NEWLINE]
        for k in range(different):
            share = seen[touched[k]] / visible
            row[ENTROPY] -= share * np.log2(share)
            seen[touched[k]] = 0
        _repetition(row, words, lines, sizes, keys, counts)


@kernel
def copy_edited(
    buffer: Bytes,
    offsets: Longs,
    first: Longs,
    starts: Longs,
    ends: Longs,
    filling: Bytes,
    filling_offsets: Longs,
    out: Bytes,
    out_offsets: Longs,
) -> None:
    """Copy texts without their edited spans and with what replaces them.

    Args:
        first: index of each document's first edit, int64 [documents + 1].
        starts, ends: bytes from the start of the document, int64 [edits], sorted and disjoint in each document.
        filling, filling_offsets: the replacements' bytes, uint8, and their bounds, int64 [edits + 1].
        out, out_offsets: written to, read from: uint8, int64 [documents + 1].
    """
    for d in range(offsets.shape[0] - 1):
        at, to = offsets[d], out_offsets[d]
        for k in range(first[d], first[d + 1]):
            for i in range(at, offsets[d] + starts[k]):
                out[to] = buffer[i]
                to += 1
            for i in range(filling_offsets[k], filling_offsets[k + 1]):
                out[to] = filling[i]
                to += 1
            at = offsets[d] + ends[k]
        for i in range(at, offsets[d + 1]):
            out[to] = buffer[i]
            to += 1
