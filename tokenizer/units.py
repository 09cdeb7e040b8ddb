"""Characters and eojeol of documents, for the table of documents; counted over UTF-8 bytes as Arrow holds them."""

from __future__ import annotations

import numpy as np

from corpus.kernels import Bytes, Longs, decode, inner, kernel


@inner
def _white_at(buffer: Bytes, i: int) -> bool:
    """Whether the character at byte i is white space as Python's `str.split` has it."""
    a = buffer[i]
    if a < 0x80:
        return a == 0x20 or 0x09 <= a <= 0x0D or 0x1C <= a <= 0x1F
    if a != 0xC2 and not 0xE1 <= a <= 0xE3:
        return False
    point = decode(buffer, i)[0]
    return (
        point in (0x85, 0xA0, 0x1680, 0x202F, 0x205F, 0x3000) or 0x2000 <= point <= 0x200A or 0x2028 <= point <= 0x2029
    )


@kernel
def count_units(buffer: Bytes, offsets: Longs) -> tuple[Longs, Longs]:
    """Characters (code points) and eojeol (pieces between white space) of each document, int64 [documents]."""
    chars, eojeol = np.zeros(len(offsets) - 1, np.int64), np.zeros(len(offsets) - 1, np.int64)
    for d in range(len(offsets) - 1):
        points, words, within = 0, 0, False
        for i in range(offsets[d], offsets[d + 1]):
            if buffer[i] & 0xC0 == 0x80:
                continue
            points += 1
            if _white_at(buffer, i):
                within = False
            elif not within:
                within = True
                words += 1
        chars[d], eojeol[d] = points, words
    return chars, eojeol
