"""The compiled first stage of privacy: where the shape of an identifier stands at all, in one pass over UTF-8.

A table (`corpus/private_anchors.py`) says of every character whether it may begin or announce one; the rest is
stepped over, three bytes at a time in Hangul. What is marked is a candidate, and `corpus/privacy.py` looks at it with
patterns and context. The shapes here are wide on purpose: what is not marked is never found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.kernels import Bytes, Longs, Shorts, inner, kernel
from corpus.private_anchors import (
    ADDRESS,
    EMAIL,
    FIELD,
    IPV6,
    MESSENGER,
    NUMBER,
    PLATE,
    QUAD,
    SERIAL,
    SPELT,
    SPELT_EMAIL,
)


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


@inner
def _is_digit(buffer: Bytes, i: int, end: int) -> bool:
    return i < end and 48 <= buffer[i] <= 57


@inner
def _point(buffer: Bytes, i: int, end: int) -> Any:
    """The code point of three bytes at i, 0 where there are none such."""
    if i < 0 or i + 2 >= end or not 0xE0 <= buffer[i] < 0xF0:
        return 0
    high = (np.int64(buffer[i] & 0x0F) << 12) | (np.int64(buffer[i + 1] & 0x3F) << 6)
    return high | np.int64(buffer[i + 2] & 0x3F)


@inner
def _groups(buffer: Bytes, i: int, end: int) -> tuple[int, int, int, int, int]:
    """Groups of digits from i on: end of the first, start and end of the last, digits in all, dots if nothing else."""
    digits, first_end, dots, others = 0, 0, 0, 0
    after, stop, last = i, i, i
    while after < end and 48 <= buffer[after] <= 57:
        last = after
        while after < end and 48 <= buffer[after] <= 57:
            after += 1
            digits += 1
        if first_end == 0:
            first_end = after
        stop = after
        width = _separator(buffer, after, end)
        if _is_digit(buffer, after + width, end):
            if width == 1 and buffer[after] == 46:
                dots += 1
            else:
                others += 1
        after += width
    return first_end, last, stop, digits, dots if others == 0 else 0


@inner
def _behind_street(buffer: Bytes, low: int, i: int, table: Bytes) -> bool:
    """Whether the number at i stands behind a street, quarter or village, and that behind a town or 주소."""
    p = i - 1 if i > low and buffer[i - 1] == 32 else i
    if p - 3 < low or not table[_point(buffer, p - 3, i)] & 16:
        return False
    j = p - 4
    while j >= low and j > i - 75 and buffer[j] != 10:
        if 0xEA <= buffer[j] <= 0xED:
            point = _point(buffer, j, i)
            if buffer[j + 3] == 32 and table[point] & 32:
                return True
            if point == 0xC18C and _point(buffer, j - 3, i) == 0xC8FC and j - 3 >= low:  # 주소
                return True
        j -= 1
    return False


@inner
def _flat(buffer: Bytes, i: int, end: int) -> bool:
    """Whether 동 and a number stand at i: 101동 1203호."""
    if _point(buffer, i, end) != 0xB3D9:
        return False
    return _is_digit(buffer, i + 3, end) or (i + 3 < end and buffer[i + 3] == 32 and _is_digit(buffer, i + 4, end))


@inner
def _numerals(buffer: Bytes, i: int, end: int, table: Bytes) -> tuple[int, int]:
    """Digits, written as 0, o, l or 공, from i on: how many, and the byte after the last."""
    count, stop, gap = 0, i, 0
    while i < end and gap < 5:
        byte = buffer[i]
        if 48 <= byte <= 57 or byte == 79 or byte == 111 or byte == 108 or byte == 73:
            count, i, gap = count + 1, i + 1, 0
            stop = i
        elif 0xE0 <= byte < 0xF0:
            point = _point(buffer, i, end)
            i += 3
            if table[point] & 64:
                count, gap, stop = count + 1, 0, i
            elif point == 0xC5D0 or point == 0xB2E4 or point == 0xC2DC or point == 0x3161 or 0x2010 <= point <= 0x2015:
                gap += 1  # 공일공에 일이삼사에, 공일공 다시, dashes
            else:
                break
        elif byte == 32 or byte == 45 or byte == 46 or byte == 44:
            i, gap = i + 1, gap + 1
        else:
            break
    return count, stop


@inner
def _follows(buffer: Bytes, i: int, end: int, word: Bytes) -> bool:
    """Whether the word (small letters) stands at i, in either case."""
    if i + word.shape[0] > end:
        return False
    for k in range(word.shape[0]):
        byte = buffer[i + k]
        if (byte | 32 if 65 <= byte <= 90 else byte) != word[k]:
            return False
    return True


_AT_WORD = np.frombuffer(b"at", np.uint8)
_DOT_WORD = np.frombuffer(b" dot ", np.uint8)
_KAKAO_WORD = np.frombuffer(b"kakao", np.uint8)
_TELEGRAM_WORD = np.frombuffer(b"telegram", np.uint8)


@inner
def _spelt_at(buffer: Bytes, low: int, i: int, end: int) -> int:
    """The byte after what stands for an @ at i, 0 where none does: (at) [골뱅이] {@}, hong at naver dot com."""
    if buffer[i] == 97:
        if i == low or buffer[i - 1] != 32 or not _follows(buffer, i, end, _AT_WORD):
            return 0
        j = i + 2
        if j >= end or buffer[j] != 32:
            return 0
        j += 1
        while j < end and j < i + 40 and (97 <= buffer[j] | 32 <= 122 or _is_digit(buffer, j, end) or buffer[j] == 45):
            j += 1
        return i + 2 if _follows(buffer, j, end, _DOT_WORD) else 0
    j = i + 2 if i + 1 < end and buffer[i + 1] == 32 else i + 1
    if _follows(buffer, j, end, _AT_WORD) and j + 2 < end and (buffer[j + 2] == 32 or buffer[j + 2] in (41, 93, 125)):
        return j + 2
    if j < end and buffer[j] == 64:
        return j + 1
    return j + 9 if _point(buffer, j, end) == 0xACE8 and _point(buffer, j + 3, end) == 0xBC45 else 0  # 골뱅이


@inner
def _soon_latin(buffer: Bytes, i: int, end: int) -> bool:
    """Whether a Latin letter or @ stands in the 36 bytes from i on."""
    for j in range(i, min(end, i + 36)):
        byte = buffer[j] | 32
        if buffer[j] == 64 or 97 <= byte <= 122:
            return True
    return False


@inner
def _serial(buffer: Bytes, i: int, end: int) -> bool:
    """Whether a capital, three digits, a digit or capital, and three digits stand at i: M12345678, M123A4567."""
    if i + 7 >= end:
        return False
    for k in range(1, 8):  # noqa: SIM110
        if not (48 <= buffer[i + k] <= 57 or (k == 4 and 65 <= buffer[i + k] <= 90)):
            return False
    return True


@inner
def _hex_group(buffer: Bytes, i: int, end: int) -> bool:
    """Whether 2001: or another group of a global IPv6 address begins at i."""
    if i + 5 >= end or not 50 <= buffer[i] <= 51 or buffer[i + 4] != 58:
        return False
    for k in range(1, 4):
        byte = buffer[i + k] | 32
        if not (48 <= buffer[i + k] <= 57 or 97 <= byte <= 102):
            return False
    return True


@inner
def _put(marked: Longs, total: int, d: int, start: int, stop: int, kind: int) -> int:
    if total < marked.shape[0]:
        marked[total, 0], marked[total, 1], marked[total, 2], marked[total, 3] = d, start, stop, kind
    return total + 1


@inner
def _mark_digits(
    buffer: Bytes, place: tuple[int, int, int, int], least: int, table: Bytes, marked: Longs, total: int
) -> tuple[int, int]:
    """Mark what begins with the digit at i; where to go on, and the candidates so far."""
    d, low, i, end = place
    first_end, last, stop, digits, dots = _groups(buffer, i, end)
    after = stop + _separator(buffer, stop, end)
    if first_end - i <= 5 and (_behind_street(buffer, low, i, table) or _flat(buffer, first_end, end)):
        total = _put(marked, total, d, i, first_end, ADDRESS)
    if digits >= least:
        return stop, _put(marked, total, d, i, stop, NUMBER)
    if dots == 3:
        return stop, _put(marked, total, d, i, stop, QUAD)
    if _hex_group(buffer, i, end):
        return stop, _put(marked, total, d, i, i + 4, IPV6)
    if after < end and buffer[after] >= 0xE0:
        if buffer[i] == 48 and table[_point(buffer, after, end)] & 64:
            count, spelt = _numerals(buffer, i, end, table)
            if count >= least:
                return spelt, _put(marked, total, d, i, spelt, SPELT)
        if 2 <= stop - last <= 3 and table[_point(buffer, after, end)] & 128 and after - stop <= 1:
            j = after + 4 if after + 3 < end and buffer[after + 3] == 32 else after + 3
            if _is_digit(buffer, j, end) and _is_digit(buffer, j + 1, end) and _is_digit(buffer, j + 3, end):
                return stop, _put(marked, total, d, last, stop, PLATE)
    elif buffer[i] == 48 and stop < end and (buffer[stop] == 108 or buffer[stop] | 32 == 111 or buffer[stop] == 73):
        count, spelt = _numerals(buffer, i, end, table)  # 0l0-1234-5678
        if count >= least:
            return spelt, _put(marked, total, d, i, spelt, SPELT)
    return stop, total


@inner
def _mark_word(buffer: Bytes, place: tuple[int, int, int, int], what: int, table: Bytes) -> tuple[int, int]:
    """The kind of what the character at i announces, -1 for nothing, and the byte after it."""
    _, low, i, end = place
    if what == 2:  # _AT
        return EMAIL, i + 1
    if what == 3:  # _CAPITAL
        return SERIAL if _serial(buffer, i, end) else -1, i + 1
    if what == 4 or what == 6:  # _BRACKET, _LETTER_A
        at = _spelt_at(buffer, low, i, end)
        return (SPELT_EMAIL, at) if at > 0 else (-1, i + 1)
    if what == 5 or what == 9:  # _LETTER_O, _ZERO
        if what == 5 and _serial(buffer, i, end):
            return SERIAL, i + 1
        if what == 5 and not (i + 1 < end and (buffer[i + 1] == 49 or buffer[i + 1] == 108 or buffer[i + 1] == 73)):
            return -1, i + 1
        count, stop = _numerals(buffer, i, end, table)
        return (SPELT, stop) if count >= 10 else (-1, i + (1 if what == 5 else 3))
    if what == 7:  # _KAKAO
        if _serial(buffer, i, end):
            return SERIAL, i + 1
        return (MESSENGER, i + 5) if _follows(buffer, i, end, _KAKAO_WORD) else (-1, i + 1)
    if what == 8:  # _TELEGRAM
        if _serial(buffer, i, end):
            return SERIAL, i + 1
        return (MESSENGER, i + 8) if _follows(buffer, i, end, _TELEGRAM_WORD) else (-1, i + 1)
    if what == 10:  # _SNAIL
        return (SPELT_EMAIL, i + 9) if _point(buffer, i + 3, end) == 0xBC45 else (-1, i + 3)
    if what == 11:  # _TALK
        return (MESSENGER if _soon_latin(buffer, i + 3, end) else -1), i + 3
    return FIELD, i + 3


@kernel
def mark_private(buffer: Bytes, offsets: Longs, least: int, table: Bytes, follow: Shorts, marked: Longs) -> int:
    """Candidates of identifiers.

    Args:
        least: fewest digits of a NUMBER.
        table, follow: see `private_anchors.anchors`.
        marked: written, int64 [room, 4]: document, first byte, byte after the last, kind.

    Returns:
        How many there are, by place; where it exceeds `room` the caller makes room and asks again.
    """
    total = 0
    for d in range(offsets.shape[0] - 1):
        i, low, end = offsets[d], offsets[d], offsets[d + 1]
        while i < end:
            byte = buffer[i]
            if byte < 0x80:
                what = table[byte] & 15
                if what == 0 or (what > 1 and (i + 1 == end or (follow[buffer[i + 1]] >> what) & 1 == 0)):
                    i += 1
                    continue
            elif byte < 0xE0:
                i += 2
                continue
            elif byte < 0xF0:
                point = ((byte & 0x0F) << 12) | ((buffer[i + 1] & 0x3F) << 6) | (buffer[i + 2] & 0x3F)
                what = table[point] & 15
                if what == 0:
                    i += 3
                    continue
            else:
                i += 4
                continue
            if what == 1:  # _DIGIT
                i, total = _mark_digits(buffer, (d, low, i, end), least, table, marked, total)
            else:
                kind, after = _mark_word(buffer, (d, low, i, end), what, table)
                if kind >= 0:
                    total = _put(marked, total, d, i, after, kind)
                i = after
    return total
