"""The compiled pass of measure that counts: characters once, then the words and lines that they make.

Going over the characters only notes where words and lines are and how often each code point stands; what is asked of a
word or a line is asked at its end. What the counts mean stands in `corpus/signals.py`, their order in
`corpus/count_columns.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus import count_columns as c
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
from corpus.repetition import SPARSE, repeated_lines, repeated_words
from corpus.shapes import has_url, is_final, is_number, phones

Pair = tuple[Any, Any]
SHORT_LINE = 20  # characters; a line of fewer is short
LONG_WORD = 15  # characters; an eojeol of more is long
SPACED_RUN = 5  # so many single syllables, one eojeol each, are text spaced out: 글 자 띄 우 기
WINDOW = 4  # characters; what repeats at least so many could be a copy to a compressor
COPY_COST = 3  # bytes that it would take to write such a copy (LZ4: offset and length)
RECENT = 8192  # windows remembered
COUNTED = 1 << 20  # bytes of a document above which its words are counted before room is made for them
SIGNED = 1 << 15  # of a word's last letter: a sign that ends sentences follows
_WRITTEN = (1 << SYMBOL) | (1 << LATIN) | (1 << DIGIT)  # of these are web addresses and telephone numbers
_LETTERS = (1 << HANGUL) | (1 << JAMO) | (1 << HANJA) | (1 << KANA) | (1 << LATIN) | (1 << LETTER)


@inner
def _beyond(point: Any) -> int:
    """Class of a code point beyond U+FFFF."""
    return HANJA if 0x20000 <= point < 0x32000 else EMOJI if 0x1F000 <= point < 0x1FB00 else SYMBOL


@inner
def _cell(table: Shorts, point: Any) -> Any:
    return np.int64(table[point]) if point < 65536 else _beyond(point)


@inner
def _copied(recent: Longs, salt: Any, window: Any, begin: Any, after: Any, covered: Any) -> tuple[Any, Any]:
    """Bytes that a compressor would save by copying the last WINDOW characters; up to where all is so covered.

    Args:
        recent: where windows are remembered, int64 [RECENT]; what another document left there is told by its salt.
        window: the four characters, 16 bits each.
        begin, after: their first byte, and the byte after the last.
        covered: byte up to which copies go so far.
    """
    slot = np.uint64((((window ^ (window >> 23)) * PRIME) >> 32) & (RECENT - 1))
    if recent[slot] == window ^ salt:
        return after - max(covered, begin) - (COPY_COST if begin >= covered else 0), after
    recent[slot] = window ^ salt
    return 0, covered


@inner
def _note_word(words: Longs, n: int, word: tuple[Any, Any, Any, Any, Any, Any]) -> None:
    """Write all of a row of words but where it starts."""
    words[n, c.W_END], words[n, c.W_CHARS], words[n, c.W_HASH] = word[0], word[1], word[2]
    words[n, c.W_KINDS], words[n, c.W_LAST], words[n, c.W_LAST_AT] = word[3], word[4], word[5]


@inner
def _note_line(lines: Longs, m: int, line: tuple[Any, Any, Any, Any, Any, Any]) -> None:
    """Write a row of lines."""
    lines[m, c.L_START], lines[m, c.L_END], lines[m, c.L_FIRST] = line[0], line[1], line[2]
    lines[m, c.L_CHARS], lines[m, c.L_VISIBLE], lines[m, c.L_HASH] = line[3], line[4], line[5]


@inner
def _walk(
    buffer: Bytes, bounds: Pair, table: Shorts, row: Floats, noted: tuple[Longs, Longs, Ints, Ints, Longs], salt: Any
) -> tuple[int, int, int]:
    """Go over one document's characters; the number of words, of lines, of code points that stand in it.

    Args:
        noted: words, lines, how often each code point stands (zero on entry), those that do, see also `_copied`.
    """
    (start, end), (words, lines, seen, touched, recent) = bounds, noted
    zero: Any = 0
    kinds, last, last_at = zero, zero, zero
    n, m, different, length, hashed = 0, 0, 0, 0, 0
    chars, line_start, line_from, line_hash, visible, first = 0, start, 0, 0, 0, 0
    previous, run, window, saved, covered = 0, 0, 0, 0, start
    i, far, mid, near = start, start, start, start  # first bytes of this character and the three before
    while i <= end:
        point, cell, after = 10, np.int64(NEWLINE), i + 1  # the end is the end of a line
        if i < end:
            point, after = decode(buffer, i)
            low = min(point, 65535)
            place = np.uint64(low)  # an index that cannot be negative spares the test for it
            cell = np.int64(table[place])
            if point > 65535:
                cell = _beyond(point)
                row[c.BEYOND] += 1
                row[cell] += 1
            touched[np.uint64(different)] = low
            different += seen[place] == 0
            seen[place] += 1
            chars, window = chars + 1, (window << 16) | low
            if chars >= WINDOW:
                gained, covered = _copied(recent, salt, window, far, after, covered)
                saved += gained
            far, mid, near = mid, near, i
        kind = cell & 15
        if kind > NEWLINE:
            if length == 0:
                words[n, c.W_START] = i
                kinds, hashed, last, last_at = 0, 0, 0, i
            length, kinds, hashed = length + 1, kinds | 1 << kind, (hashed ^ point) * PRIME
            if kind != SYMBOL:
                last, last_at = point << 16 | cell, i
            elif cell & SIGN:
                last |= SIGNED
            run = run + 1 if point == previous else 1
            _count_odd(point, previous, kind, run, row)
        else:
            if length > 0:
                _note_word(words, n, (i, length, hashed, kinds, last, last_at))
                line_hash, visible, n, length = (line_hash ^ hashed) * PRIME, visible + length, n + 1, 0
            if kind != NEWLINE:
                line_hash = (line_hash ^ 32) * PRIME
            else:
                if visible > 0:
                    _note_line(lines, m, (line_start, i, first, chars - line_from - (i < end), visible, line_hash))
                    m += 1
                line_start, line_from, line_hash, visible, first = after, chars, 0, 0, n
        previous, i = point, after
    row[c.CHARS], row[c.SAVED] = chars, saved
    return n, m, different


@inner
def _count_odd(point: Any, previous: Any, kind: Any, run: int, row: Floats) -> None:
    """Count a character that goes on a run of equal ones, or is broken."""
    if run > 3:
        row[c.RUNS] += 1
        row[c.LAUGHTER] += kind == JAMO
    if kind == BROKEN or (0xA1 <= point <= 0xFF and 0xA1 <= previous <= 0xFF):
        row[c.MOJIBAKE] += 1


@inner
def _read_rare(buffer: Bytes, start: Any, end: Any, length: Any, kinds: Any, row: Floats) -> None:
    """Count what a word is only asked for when it is long, or has signs or digits."""
    if length > LONG_WORD:
        row[c.LONG] += 1
        hangul, i = 0, start
        while i < end:
            one, i = decode(buffer, i)
            hangul += 0xAC00 <= one < 0xD7A4
        if hangul > LONG_WORD:
            row[c.UNSPACED_CHARS] += hangul
    if kinds & (1 << SYMBOL):
        row[c.URLS] += has_url(buffer, start, end)
        row[c.PHONES] += phones(buffer, start, end)
    elif length > 8:
        row[c.PHONES] += phones(buffer, start, end)


@inner
def _read_words(buffer: Bytes, table: Shorts, words: Longs, first: int, last: int, row: Floats) -> None:
    """Count the words of one line, [first, last), and the sentences in it."""
    spaced, singles, strays, lettered, hangul, particles, chars, squares = 0, 0, 0, 0, 0, 0, 0, 0
    for k in range(first, last):
        cell, length, kinds = words[k, c.W_LAST] & (SIGNED - 1), words[k, c.W_CHARS], words[k, c.W_KINDS]
        chars, squares = chars + length, squares + length * length
        korean, single = cell & 15 == HANGUL, length == 1
        lettered += kinds & _LETTERS != 0
        hangul += korean
        particles += korean & (cell & PARTICLE != 0)
        singles += single
        spaced = (spaced + 1) * (korean & single)  # sums, not branches: how long a word is cannot be foreseen
        strays += korean & single & (cell & STRAY != 0) & (k > first)
        if spaced >= SPACED_RUN:
            row[c.SPACED] += SPACED_RUN if spaced == SPACED_RUN else 1
        if length > LONG_WORD or kinds & _WRITTEN > 1 << SYMBOL or (kinds & (1 << DIGIT) and length > 8):
            _read_rare(buffer, words[k, c.W_START], words[k, c.W_END], length, kinds, row)
        signed = words[k, c.W_LAST] & SIGNED > 0
        if k == first and signed and is_number(buffer, words[k, c.W_START], words[k, c.W_END]):
            signed = False
        if k == last - 1 or (signed and cell & 15 != DIGIT):
            row[c.SENTENCES] += 1
            row[c.SIGNS] += signed
            if is_final(buffer, table, words[first, c.W_START], words[k, c.W_LAST_AT], words[k, c.W_LAST]):
                row[c.FORMS] += 1
    row[c.WORD_CHARS] += chars
    row[c.WORD_SQUARES] += squares
    row[c.SINGLES] += singles
    row[c.STRAYS] += strays
    row[c.LETTERED] += lettered
    row[c.HANGUL_WORDS] += hangul
    row[c.PARTICLES] += particles


@inner
def _read_line(buffer: Bytes, lines: Longs, k: int, table: Shorts, words: Longs, row: Floats) -> None:
    """Count one line by how long it is, how it begins and how it ends."""
    start, end, first = lines[k, c.L_START], lines[k, c.L_END], lines[k, c.L_FIRST]
    row[c.LINE_BYTES] += end - start
    row[c.LINE_CHARS] += lines[k, c.L_CHARS]
    row[c.SHORT] += lines[k, c.L_VISIBLE] < SHORT_LINE
    opening, _ = decode(buffer, words[first, c.W_START])
    if _cell(table, opening) & BULLET:
        row[c.BULLETED] += 1
    row[c.NUMBERED] += is_number(buffer, words[first, c.W_START], words[first, c.W_END])
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
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    if longest <= COUNTED:
        return longest // 2 + 2, longest // 2 + 2
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
        rows: written, float64 [documents, count_columns.COLUMNS], zero on entry.
    """
    room, line_room = _room(buffer, offsets)
    words, lines = np.empty((room, 7), np.int64), np.empty((line_room, 6), np.int64)
    capacity = 16
    while capacity < max(2 * room, 4 * min(room, SPARSE)):
        capacity *= 2
    keys, names = np.empty(capacity, np.int64), np.empty(capacity, np.int32)
    grams, counts = np.empty(room, np.int32), np.empty(room, np.int32)
    first, places = np.empty(room, np.int32), np.empty(room, np.int32)
    seen, touched = np.zeros(65536, np.int32), np.empty(65537, np.int32)
    recent = np.zeros(RECENT, np.int64)
    products = np.arange(256) * np.log2(np.maximum(np.arange(256), 1))
    noted = (words, lines, seen, touched, recent)
    for d in range(rows.shape[0]):
        row, start, end = rows[d], offsets[d], offsets[d + 1]
        row[c.BYTES] = end - start
        n, m, different = _walk(buffer, (start, end), table, row, noted, (d + 1) * PRIME)
        row[c.WORDS] = n
        _read_characters(table, row, seen, touched, different, products)
        row[c.LINES] = m
        for k in range(m):
            _read_line(buffer, lines, k, table, words, row)
            _read_words(buffer, table, words, lines[k, c.L_FIRST], lines[k + 1, c.L_FIRST] if k + 1 < m else n, row)
        repeated_lines(lines, m, row, keys, names)
        repeated_words(words, n, row, keys, names, grams, counts, first, places)
