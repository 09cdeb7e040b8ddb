"""Shapes of words that the compiled pass asks for at their end: final forms, numbers of lists, addresses, telephones.

Called by `corpus/counting.py` alone, on bytes [start, end) of the text.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corpus.characters import FORM, HANGUL, INFORMAL, JAMO, PAIRS, SPACE, SYMBOL
from corpus.kernels import Bytes, Shorts, decode, decode_before, inner


@inner
def is_final(buffer: Bytes, table: Shorts, start: Any, at: Any, last: Any) -> bool:
    """Whether a sentence ends in a form that is final in Korean; ㅋㅋ and ㅠㅠ behind it are passed over.

    Args:
        start: first byte of the line.
        at, last: first byte of the last letter, and it: code point and cell, as in a row of words.
    """
    point, cell = last >> 16, last & 0x7FFF
    while at > start and (cell & 15 == JAMO or cell & 15 == SYMBOL or cell & 15 == SPACE):
        point, at = decode_before(buffer, at)
        cell = np.int64(table[min(point, 65535)])
    if cell & FORM:
        return True
    if cell & 15 != HANGUL or at <= start:
        return False
    before, _ = decode_before(buffer, at)
    if cell & INFORMAL and 0xAC00 <= before < 0xD7A4 and ((before - 0xAC00) % 28 == 20 or (before - 0xAC00) % 28 == 18):
        return True
    pair = (before << 16) | point
    for k in range(len(PAIRS)):  # noqa: SIM110  (numba has no any)
        if PAIRS[k] == pair:
            return True
    return False


@inner
def is_number(buffer: Bytes, start: Any, end: Any) -> bool:
    """Whether a line's first word is its number: 1. 12) (3) 가. 나) ① A. 제3조 제2항(목적)."""
    i = start
    if end - start >= 7 and buffer[i] == 0xEC and buffer[i + 1] == 0xA0 and buffer[i + 2] == 0x9C:  # 제
        i += 3
        while i < end and 48 <= buffer[i] <= 57:
            i += 1
        if i > start + 3:
            point, _ = decode(buffer, min(i, end - 3))
            return bool(i + 3 <= end and point in (0xC870, 0xD56D, 0xD638, 0xC7A5, 0xC808, 0xAD00, 0xD3B8))  # 조 항 …
        i = start  # 제. is a label like 가.
    if end - start == 3 and buffer[i] == 0xE2 and 0x2460 <= decode(buffer, i)[0] <= 0x24FF:
        return True  # ① to ⓿
    opened = buffer[i] == 40
    i += opened
    digits = i
    while i < end and i - digits < 3 and 48 <= buffer[i] <= 57:
        i += 1
    if i == digits and i < end:
        point, after = decode(buffer, i)
        if 0xAC00 <= point < 0xD7A4 or 97 <= point | 32 <= 122:
            i = after
    if i == digits or i >= end or buffer[i] == 41:
        return bool(i > digits and i < end)
    if opened or buffer[i] != 46:
        return False
    following = buffer[i + 1] if i + 1 < end else 0
    return not (48 <= following <= 57 or 97 <= following | 32 <= 122)


@inner
def has_url(buffer: Bytes, start: Any, end: Any) -> bool:
    """Whether a word has :// in it or begins with www."""
    if end - start > 3 and buffer[start + 3] == 46 and buffer[start] | 32 == 119:
        return bool(buffer[start + 1] | 32 == 119 and buffer[start + 2] | 32 == 119)
    for i in range(start, end - 2):  # noqa: SIM110
        if buffer[i] == 58 and buffer[i + 1] == 47 and buffer[i + 2] == 47:
            return True
    return False


@inner
def phones(buffer: Bytes, start: Any, end: Any) -> int:
    """Numbers in a word that look like a telephone's, and the placeholder <|phone|> that privacy leaves of one."""
    count = 0
    i = start
    while i < end:
        if buffer[i] == 124 and i + 8 <= end and buffer[i + 1] == 112 and buffer[i + 2] == 104 and buffer[i + 7] == 62:
            count += 1
            i += 8
        if i >= end or not 48 <= buffer[i] <= 57:
            i += 1
            continue
        digits, group, groups, head = 0, 0, 1, 0
        while i < end and (48 <= buffer[i] <= 57 or 40 <= buffer[i] <= 46):
            if buffer[i] >= 48:
                head = head * 10 + buffer[i] - 48 if digits < 4 else head
                digits, group = digits + 1, group + 1
            elif group > 0 and i + 1 < end and 48 <= buffer[i + 1] <= 57:
                group, groups = 0, groups + 1
            i += 1
        if head < 1000:  # 0…
            grouped = 2 <= groups <= 4 and group == 4
            count += 9 <= digits <= 12 and (grouped or (groups == 1 and head // 10 in (10, 70)))
        elif head // 100 == 82:
            count += 10 <= digits <= 12 and groups > 1 and group == 4
        else:
            count += digits == 8 and groups == 2 and group == 4 and head // 100 in (15, 16, 18)
    return count
