"""Characters and eojeol of documents, for the table of documents; counted over UTF-8 bytes as Arrow holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.kernels import Bytes, Longs, decode, inner, kernel


def _kinds() -> npt.NDArray[np.uint8]:
    """uint8 [256], of each byte: 0 no white space, 1 white space, 2 the first of a character that may be."""
    kinds = np.zeros(256, np.uint8)
    kinds[[0x20, *range(0x09, 0x0E), *range(0x1C, 0x20)]] = 1
    kinds[[0xC2, 0xE1, 0xE2, 0xE3]] = 2
    return kinds


_KINDS = _kinds()


@inner
def _white(point: Any) -> bool:
    """Whether a character beyond ASCII is white space as Python's `str.split` has it."""
    return (
        point in (0x85, 0xA0, 0x1680, 0x202F, 0x205F, 0x3000) or 0x2000 <= point <= 0x200A or 0x2028 <= point <= 0x2029
    )


@kernel
def count_units(buffer: Bytes, offsets: Longs) -> tuple[Longs, Longs]:
    """Characters (code points) and eojeol (pieces between white space) of each document, int64 [documents]."""
    chars, eojeol = np.zeros(len(offsets) - 1, np.int64), np.zeros(len(offsets) - 1, np.int64)
    for d in range(len(offsets) - 1):
        i, end, words, before = offsets[d], offsets[d + 1], 0, 1
        for k in range(i, end):  # a loop of its own, which is compiled to many bytes at a time
            chars[d] += buffer[k] & 0xC0 != 0x80
        while i < end:
            kind = np.int64(_KINDS[buffer[i]])
            if kind == 2:
                point, i = decode(buffer, i)
                kind = np.int64(_white(point))
            else:
                i += 1  # within a character too: its later bytes are no white space
            words += before & int(1 - kind)
            before = int(kind)
        eojeol[d] = words
    return chars, eojeol
