"""The compiled pass of measure that counts: characters once, then the words and lines that they make.

Going over the characters only notes where words and lines are and how often each code point stands; what is asked of a
word or a line is asked at its end. What the counts mean stands in `corpus/signals.py`, their order in
`corpus/columns.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus import columns as c
from corpus.characters import (
    BROKEN,
    BULLET,
    DIGIT,
    EMOJI,
    ENDING,
    HANGUL,
    HANJA,
    JAMO,
    KANA,
    LATIN,
    LETTER,
    NEWLINE,
    PARTICLE,
    SIGN,
    STOP,
    STRAY,
    SYMBOL,
)
from corpus.kernels import PRIME, Bytes, Floats, Ints, Longs, Shorts, decode, decode_before, inner, kernel
from corpus.repetition import repeated_lines, repeated_words
from corpus.shapes import has_url, is_final, is_number, phones

SHORT_LINE = 20  # characters; a line of fewer is short
LONG_WORD = 15  # characters; an eojeol of more is long
SPACED_RUN = 5  # so many single syllables, one eojeol each, are text spaced out: 글 자 띄 우 기
WINDOW = 4  # characters; what repeats at least so many could be a copy to a compressor
COPY_COST = 3  # bytes that it would take to write such a copy (LZ4: offset and length)
RECENT = 8192  # windows remembered
_LETTERS = (1 << HANGUL) | (1 << JAMO) | (1 << HANJA) | (1 << KANA) | (1 << LATIN) | (1 << LETTER)


@inner
def _beyond(point: Any) -> int:
    """Class of a code point beyond U+FFFF."""
    return HANJA if 0x20000 <= point < 0x32000 else EMOJI if 0x1F000 <= point < 0x1FB00 else SYMBOL


@inner
def _cell(table: Shorts, point: Any) -> Any:
    return np.int64(table[point]) if point < 65536 else _beyond(point)


@inner
def _walk(
    buffer: Bytes,
    start: Any,
    end: Any,
    table: Shorts,
    row: Floats,
    words: Longs,
    lines: Longs,
    seen: Ints,
    touched: Ints,
) -> tuple[int, int, int]:
    """Go over one document's characters; the number of words, of lines, of code points listed in `touched`."""
    kind: Any = 0
    n, m, different, length, kinds, hashed = 0, 0, 0, 0, 0, 0
    chars, line_start, line_from, line_hash, visible, first = 0, start, 0, 0, 0, 0
    previous, run = 0, 0
    i = start
    while i <= end:
        point: Any = 10
        after, kind = i + 1, NEWLINE  # the end is the end of a line
        if i < end:
            point, after = decode(buffer, i)
            low = min(point, 65535)
            kind = np.int64(table[low]) & 15
            if point > 65535:
                kind = _beyond(point)
                row[c.BEYOND] += 1
                row[kind] += 1
            if seen[low] == 0:
                touched[different] = low
                different += 1
            seen[low] += 1
            chars += 1
        if kind > NEWLINE:
            if length == 0:
                words[n, c.W_START] = i
                kinds, hashed = 0, 0
            length += 1
            kinds |= 1 << kind
            hashed = (hashed ^ point) * PRIME
            run = run + 1 if point == previous else 1
            if run > 3:
                row[c.RUNS] += 1
                row[c.LAUGHTER] += kind == JAMO
            if kind == BROKEN or (0xA1 <= point <= 0xFF and 0xA1 <= previous <= 0xFF):
                row[c.MOJIBAKE] += 1
        else:
            if length > 0:
                words[n, c.W_END], words[n, c.W_CHARS], words[n, c.W_HASH] = i, length, hashed
                words[n, c.W_KINDS] = kinds
                line_hash = (line_hash ^ hashed) * PRIME
                visible += length
                n, length = n + 1, 0
            if kind == NEWLINE:
                if visible > 0:
                    lines[m, c.L_START], lines[m, c.L_END], lines[m, c.L_FIRST] = line_start, i, first
                    lines[m, c.L_CHARS] = chars - line_from - (i < end)
                    lines[m, c.L_VISIBLE], lines[m, c.L_HASH] = visible, line_hash
                    m += 1
                line_start, line_from, line_hash, visible, first = after, chars, 0, 0, n
            else:
                line_hash = (line_hash ^ 32) * PRIME
        previous = point
        i = after
    row[c.CHARS] = chars
    return n, m, different


@inner
def _saved(buffer: Bytes, start: Any, end: Any, recent: Longs, salt: Any) -> Any:
    """Bytes that a compressor would save by writing copies of WINDOW characters and more as such.

    Args:
        recent: where windows are remembered, int64 [RECENT]; what another document left there is told by its salt.
    """
    window, chars, saved = 0, 0, 0
    a, b, d = start, start, start  # where the three characters before begin
    covered = start
    i = start
    while i < end:
        point, after = decode(buffer, i)
        window = (window << 16) | (point & 0xFFFF)
        chars += 1
        slot = (((window ^ (window >> 23)) * PRIME) >> 32) & (RECENT - 1)
        if recent[slot] == window ^ salt:
            if chars >= WINDOW:
                saved += after - max(covered, a) - (COPY_COST if a >= covered else 0)
                covered = after
        else:
            recent[slot] = window ^ salt
        a, b, d = b, d, i
        i = after
    return saved


@inner
def _last_letter(buffer: Bytes, start: Any, end: Any, table: Shorts) -> tuple[Any, Any, Any, int]:
    """The last character of a word that is no symbol: it, its cell (0 where there is none), its first byte.

    And whether a sign that ends sentences follows it.
    """
    signed = 0
    i = end
    while i > start:
        point, i = decode_before(buffer, i)
        cell = _cell(table, point)
        if cell & 15 != SYMBOL:
            return point, cell, i, signed
        if cell & SIGN:
            signed = 1
    return 0, 0, start, signed


@inner
def _read_word(buffer: Bytes, words: Longs, k: int, cell: Any, row: Floats) -> None:
    """Count word k, whose last letter has this cell."""
    start, end, length, kinds = words[k, c.W_START], words[k, c.W_END], words[k, c.W_CHARS], words[k, c.W_KINDS]
    row[c.WORD_CHARS] += length
    row[c.WORD_SQUARES] += length * length
    if kinds & _LETTERS:
        row[c.LETTERED] += 1
    if length == 1:
        row[c.SINGLES] += 1
    elif length > LONG_WORD:
        row[c.LONG] += 1
        hangul, i = 0, start
        while i < end:
            one, i = decode(buffer, i)
            hangul += 0xAC00 <= one < 0xD7A4
        if hangul > LONG_WORD:
            row[c.UNSPACED_CHARS] += hangul
    if cell & 15 == HANGUL:
        row[c.HANGUL_WORDS] += 1
        if cell & PARTICLE:
            row[c.PARTICLES] += 1
    if kinds & (1 << SYMBOL) and length > 2:
        row[c.URLS] += has_url(buffer, start, end)
        row[c.PHONES] += phones(buffer, start, end)
    elif kinds & (1 << DIGIT) and length > 8:
        row[c.PHONES] += phones(buffer, start, end)


@inner
def _read_line(
    buffer: Bytes, start: Any, end: Any, words: Longs, first: int, last: int, table: Shorts, row: Floats
) -> None:
    """Count one line, bytes [start, end), and the words in it, [first, last)."""
    spaced = 0
    for k in range(first, last):
        point, cell, at, signed = _last_letter(buffer, words[k, c.W_START], words[k, c.W_END], table)
        _read_word(buffer, words, k, cell, row)
        single = words[k, c.W_CHARS] == 1 and cell & 15 == HANGUL
        spaced = spaced + 1 if single else 0
        if spaced >= SPACED_RUN:
            row[c.SPACED] += SPACED_RUN if spaced == SPACED_RUN else 1
        if single and cell & STRAY and k > first:
            row[c.STRAYS] += 1
        if k == first:
            opening, _ = decode(buffer, words[k, c.W_START])
            if _cell(table, opening) & BULLET:
                row[c.BULLETED] += 1
            if is_number(buffer, words[k, c.W_START], words[k, c.W_END]):
                row[c.NUMBERED] += 1
                signed = 0
        if k == last - 1 or (signed and cell & 15 != DIGIT):
            row[c.SENTENCES] += 1
            row[c.SIGNS] += signed
            if is_final(buffer, words[k, c.W_START], at, point, cell):
                row[c.FORMS] += 1
    _read_end(buffer, start, end, table, row)


@inner
def _read_end(buffer: Bytes, start: Any, end: Any, table: Shorts, row: Floats) -> None:
    """Count whether a line ends like a sentence, by ending or sign, and whether in an ellipsis."""
    dots, i = 0, end
    while i > start and dots < 3:
        point, i = decode_before(buffer, i)
        if _cell(table, point) & 15 > NEWLINE:
            if point != 46 and point != 0x2026:
                break
            dots += 1 if point == 46 else 3
    if dots >= 3:
        row[c.ELLIPSES] += 1
    i = end
    while i > start:
        point, i = decode_before(buffer, i)
        cell = _cell(table, point)
        if cell & 15 > NEWLINE and (cell & 15 != SYMBOL or cell & STOP):
            if cell & (ENDING | STOP):
                row[c.ENDED] += 1
            return


@inner
def _read_characters(table: Shorts, row: Floats, seen: Ints, touched: Ints, different: int, products: Floats) -> None:
    """Count characters by class, and their entropy, from how often each code point stands; clears `seen`.

    Args:
        products: n log2(n) of the first numbers.
    """
    total, summed = 0, 0.0
    for k in range(different):
        low: Any = touched[k]
        times: Any = np.int64(seen[low])
        seen[low] = 0
        kind = table[low] & 15
        row[kind] += times - (row[c.BEYOND] if low == 65535 else 0)
        if 0x1100 <= low < 0x1200 or 0xA960 <= low < 0xA97D or 0xD7B0 <= low < 0xD7FC:
            row[c.OLD_HANGUL] += times
        if kind > NEWLINE:
            total += times
            summed += products[times] if times < len(products) else times * np.log2(times)
    if total > 0:
        row[c.ENTROPY] = max(0.0, np.log2(total) - summed / total)


@inner
def _room(buffer: Bytes, offsets: Longs) -> tuple[int, int]:
    """Words and lines that no document has more of, and one: there is a white space between any two of them."""
    most_words, most_lines = 0, 0
    for d in range(offsets.shape[0] - 1):
        spaces, newlines = 0, 0
        for i in range(offsets[d], offsets[d + 1]):
            byte = buffer[i]
            spaces += (byte <= 32) | (byte == 0xC2) | ((byte >= 0xE1) & (byte <= 0xE3))
            newlines += byte == 10
        most_words, most_lines = max(most_words, spaces), max(most_lines, newlines)
    return most_words + 2, most_lines + 2


@kernel
def count_texts(buffer: Bytes, offsets: Longs, table: Shorts, rows: Floats) -> None:
    """Count every document.

    Args:
        table: class and flags of the code points below 65,536, uint16 [65536].
        rows: written, float64 [documents, columns.COLUMNS], zero on entry.
    """
    room, line_room = _room(buffer, offsets)
    words, lines = np.empty((room, 5), np.int64), np.empty((line_room, 6), np.int64)
    capacity = 16
    while capacity < 2 * room:
        capacity *= 2
    keys, names = np.empty(capacity, np.int64), np.empty(capacity, np.int32)
    grams, counts = np.empty(room, np.int32), np.empty(room, np.int32)
    first, places = np.empty(room, np.int32), np.empty(room, np.int32)
    seen, touched = np.zeros(65536, np.int32), np.empty(65536, np.int32)
    recent = np.zeros(RECENT, np.int64)
    products = np.arange(256) * np.log2(np.maximum(np.arange(256), 1))
    for d in range(rows.shape[0]):
        row, start, end = rows[d], offsets[d], offsets[d + 1]
        row[c.BYTES] = end - start
        n, m, different = _walk(buffer, start, end, table, row, words, lines, seen, touched)
        row[c.WORDS] = n
        row[c.SAVED] = _saved(buffer, start, end, recent, (d + 1) * PRIME)
        _read_characters(table, row, seen, touched, different, products)
        row[c.LINES] = m
        for k in range(m):
            begin, stop = lines[k, c.L_START], lines[k, c.L_END]
            row[c.LINE_BYTES] += stop - begin
            row[c.LINE_CHARS] += lines[k, c.L_CHARS]
            row[c.SHORT] += lines[k, c.L_VISIBLE] < SHORT_LINE
            last = lines[k + 1, c.L_FIRST] if k + 1 < m else n
            _read_line(buffer, begin, stop, words, lines[k, c.L_FIRST], last, table, row)
        repeated_lines(lines, m, row, keys, names)
        repeated_words(words, n, row, keys, names, grams, counts, first, places)
