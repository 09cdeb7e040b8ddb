"""What a line looks like: its hash, and the form that says whether it may be boilerplate. A compiled pass over text.

Used by `lines.py`. Forms are told from the shape of a line, never from a list of phrases: headings, numbered items,
citations of law and sentences in the plain style of rulings and statutes recur by right.

White space is left out of the hash, so that spacing does not tell two lines apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.characters import DIGIT, HANGUL, HANJA, JAMO, KANA, LATIN, LETTER, character_table
from dedup.shingles import _decode as decode
from dedup.shingles import _is_space as is_space
from dedup.shingles import mix

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

# Flags of a line.
MARKED = 1  # a sign of imprints, menus and breadcrumbs: © ⓒ ® ☎ | » @, a URL, " > "
ENDED = 2  # ends like a sentence: 다 죠 까, 요 after an ending's syllable (not 개요), or . ! ? …
NUMBERED = 4  # 1. (1) 2.1 가. ① Ⅰ. 제1조 # …: an item or a numbered heading
INTRODUCES = 8  # ends in a colon: what follows belongs to it
FORMULA = 16  # a sentence in the plain style (… 판결한다), or one that cites 제N조

_MARKS = np.array([ord(mark) for mark in "©ⓒ®☎℡☏|ㅣ│@»›"], np.int64)
_ITEMS = np.array([ord(item) for item in "가나다라마바사아자차카타파하"], np.int64)
_OF_LAW = np.array([ord(unit) for unit in "조항호장절편관목"], np.int64)
_STOPS = np.array([ord(stop) for stop in ".!?…。"], np.int64)
_ENDINGS = np.array([ord(ending) for ending in "다죠까"], np.int64)
_BEFORE_YO = np.array([ord(syllable) for syllable in "세어아해에예네군지데여와워려래겨쳐져"], np.int64)
_JE, _DA, _NI, _A, _YO = (ord(letter) for letter in "제다니아요")
_LANE0, _LANE1 = np.uint64(0x9FB21C651E98DF25), np.uint64(0xD1B54A32D192ED03)
_POINT = np.uint64(0xA24BAED4963EE407)
_7, _25, _39, _57 = (np.uint64(n) for n in (7, 25, 39, 57))
_COLUMNS = 5  # document, start, end, letters, flags


@njit(inline="always")
def _among(point, points):  # type: ignore[no-untyped-def]
    found = False
    for one in points:
        found |= one == point
    return found


@njit(inline="always")
def _is_letter(point, table):  # type: ignore[no-untyped-def]
    if point >= 65536:
        return 0x20000 <= point < 0x32000  # rare hanja
    kind = table[point] & 15
    return kind in (HANGUL, LATIN, DIGIT, HANJA, JAMO, KANA, LETTER)


@njit(cache=True, nogil=True)
def _is_numbered(head, size):  # type: ignore[no-untyped-def]
    """Whether a line that begins with these code points (space-free, `size` of them) begins like an item."""
    at = 0
    if size and head[0] == 35:  # '#' of Markdown
        return True
    if size and (head[0] == 40 or head[0] == 91 or head[0] == 12304):  # ( [ 【
        at = 1
    if at >= size:
        return False
    if 0x2460 <= head[at] <= 0x24E9 and head[at] != 0x24D2:  # ⓒ is a mark, ⓐ ⓑ are items
        return True
    if 0x2160 <= head[at] <= 0x217F or 0x3260 <= head[at] <= 0x327B:
        return True
    if head[at] == _JE:
        return at + 1 < size and 48 <= head[at + 1] <= 57
    digits = at
    while digits < size and 48 <= head[digits] <= 57:
        digits += 1
    if digits > at:
        dotted = digits < size and (head[digits] == 46 or head[digits] == 41 or head[digits] == 93)
        return digits - at <= 3 and head[at] != 48 and dotted
    return _among(head[at], _ITEMS) and at + 1 < size and (head[at + 1] == 46 or head[at + 1] == 41)


@njit(cache=True, nogil=True)
def _read_line(data, start, end, table, head):  # type: ignore[no-untyped-def]
    """Hash lanes, letters and flags of the line in bytes [start, end); no letters and flag -1 where it is blank."""
    lane0, lane1 = _LANE1, _LANE0
    points, letters, flags, law = 0, 0, 0, 0
    last, first_before, second_before, third_before = 0, 0, 0, 0  # last visible; code points before this one
    letter, letter_before, letter_two_before = 0, 0, 0
    crumb = False
    at = start
    while at < end:
        point, length = decode(data, at)
        at += length
        if is_space(point):
            if first_before == 62 and second_before == 32 and third_before != 0:  # " > ", if something follows
                crumb = True
            if first_before != 32:
                third_before, second_before, first_before = second_before, first_before, 32
            continue
        value = np.uint64(point + 1) * _POINT
        lane0 = ((lane0 << _7 | lane0 >> _57) ^ value) * _LANE0
        lane1 = ((lane1 << _25 | lane1 >> _39) ^ value) * _LANE1
        if crumb:
            flags |= MARKED
        if points < len(head):
            head[points] = point
        points += 1
        if _among(point, _MARKS) or (point == 47 and first_before == 47 and second_before == 58):
            flags |= MARKED
        if point == 46 and first_before | 32 == 119 and second_before | 32 == 119 and third_before | 32 == 119:
            flags |= MARKED
        if _is_letter(point, table):
            letters += 1
            letter_two_before, letter_before, letter = letter_before, letter, point
        digit = 48 <= point <= 57
        if law == 2 and _among(point, _OF_LAW):
            flags |= FORMULA
        law = 2 if digit and law > 0 else 1 if point == _JE else 0
        third_before, second_before, first_before, last = second_before, first_before, point, point
    if points == 0:
        return lane0, lane1, 0, -1
    polite = letter == _YO and _among(letter_before, _BEFORE_YO)
    if polite or _among(last, _STOPS) or _among(letter, _ENDINGS):
        flags |= ENDED
    if letter == _DA and (letter_before != _NI or letter_two_before == _A):
        flags |= FORMULA
    if flags & MARKED:
        flags &= ~FORMULA
    if last == 58 or last == 0xFF1A:
        flags |= INTRODUCES
    if _is_numbered(head, min(points, len(head))):
        flags |= NUMBERED
    count = np.uint64(points)
    return mix(lane0 ^ count), mix(lane1 + count), letters, flags


@njit(cache=True, nogil=True)
def _read_lines(data, offsets, table, rows, hashes):  # type: ignore[no-untyped-def]
    head = np.zeros(8, np.int64)
    found = 0
    for document in range(len(offsets) - 1):
        first, last = offsets[document], offsets[document + 1]
        start = first
        while start < last:
            end = start
            while end < last and data[end] != 10:
                end += 1
            hash0, hash1, letters, flags = _read_line(data, start, end, table, head)
            if flags >= 0:
                if found < len(rows):
                    rows[found, 0], rows[found, 1], rows[found, 2] = document, start - first, end - first
                    rows[found, 3], rows[found, 4] = letters, flags
                    hashes[found, 0], hashes[found, 1] = hash0, hash1
                found += 1
            start = end + 1
    return found


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of some documents that are not blank, in order.

    Attributes:
        document: int64[n], the document's place.
        start, end: int64[n], bytes from the start of the document; the newline is not in it.
        letters: int64[n], letters and digits.
        flags: int64[n], see the constants above.
        hashes: uint64[n, 2], of the line without its white space.
    """

    document: I64
    start: I64
    end: I64
    letters: I64
    flags: I64
    hashes: U64


@lru_cache(maxsize=1)
def _characters() -> npt.NDArray[np.uint16]:
    return character_table()


def read_lines(data: npt.NDArray[np.uint8], offsets: I64) -> Lines:
    """Look at every line of some documents.

    Args:
        data: uint8, valid UTF-8 of all documents.
        offsets: int64[documents + 1], where each begins.
    """
    room = int(offsets[-1] - offsets[0]) // 40 + 64
    while True:
        rows, hashes = np.empty((room, _COLUMNS), np.int64), np.empty((room, 2), np.uint64)
        found = int(_read_lines(data, offsets, _characters(), rows, hashes))
        if found <= room:
            document, start, end, letters, flags = (np.ascontiguousarray(rows[:found, i]) for i in range(_COLUMNS))
            return Lines(document, start, end, letters, flags, hashes[:found])
        room = found
