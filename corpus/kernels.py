"""The ground of the compiled passes: how a kernel is compiled, UTF-8 decoded, keys named; and texts copied with edits.

All passes read Arrow's UTF-8 buffer and offsets as they lie, without a copy: `buffer` uint8 [bytes], `offsets` int64
[documents + 1]. UTF-8 is taken as valid (Arrow and collect saw to that). `corpus/counting.py`, `corpus/repetition.py`
and `corpus/folding.py` count for the signals, `corpus/scanning.py` looks for what may be cut or masked.

numba keeps a compiled kernel by the file the kernel stands in, and does not see a change in what it calls: whoever
changes this file or `corpus/repetition.py` removes __pycache__/*.nbi once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

# Compiled at the first call (some seconds for all), then kept in __pycache__ or NUMBA_CACHE_DIR.
kernel = njit(cache=True, nogil=True)
inner = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # for kernels alone: less to compile
# Let an inner function take few arrays: where LLVM does not inline it, each goes as seven arguments, at every call.
within = njit(inline="always")  # put into its caller whatever LLVM thinks of it: for many arrays, in a loop that counts

Bytes = npt.NDArray[np.uint8]
Shorts = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PRIME = 1099511628211  # of FNV-1a, 64 bits


@inner
def decode(buffer: Bytes, i: int) -> tuple[Any, int]:
    """The code point at byte i, and the byte after it."""
    at = np.uint64(i)  # an index that cannot be negative spares the test for it
    a = np.int64(buffer[at])
    if a < 0x80:
        return a, i + 1
    b = np.int64(buffer[at + np.uint64(1)]) & 0x3F
    if a < 0xE0:
        return ((a & 0x1F) << 6) | b, i + 2
    c = np.int64(buffer[at + np.uint64(2)]) & 0x3F
    if a < 0xF0:
        return ((a & 0x0F) << 12) | (b << 6) | c, i + 3
    return ((a & 0x07) << 18) | (b << 12) | (c << 6) | (np.int64(buffer[at + np.uint64(3)]) & 0x3F), i + 4


@inner
def decode_before(buffer: Bytes, i: int) -> tuple[Any, int]:
    """The code point that ends before byte i, and the byte it begins at."""
    i -= 1
    while buffer[i] & 0xC0 == 0x80:
        i -= 1
    return decode(buffer, i)[0], i


@inner
def mixed(value: Any) -> Any:
    """Bits of a 64-bit key spread over all of it."""
    value = (value ^ (value >> 29)) * -4658895280553007687
    return value ^ (value >> 32)


@inner
def cleared(keys: Longs, expected: int) -> int:
    """Empty as much of an open-addressing table as `expected` keys need at half load; the mask of that part."""
    size = 16
    while size < 2 * expected:
        size *= 2
    keys[:size] = 0
    return size - 1


@inner
def found(keys: Longs, mask: int, key: Any) -> Any:
    """The slot of a key in the table (0 is the empty key), or the empty one where it belongs."""
    key = key if key != 0 else 1
    slot = mixed(key) & mask
    while keys[np.uint64(slot)] != 0 and keys[np.uint64(slot)] != key:
        slot = (slot + 1) & mask
    return slot


@inner
def named(keys: Longs, names: Ints, mask: int, key: Any, new: int) -> int:
    """The name of a key in the table (0 is the empty key): the one it has, else `new`, which it gets."""
    slot = found(keys, mask, key)
    if keys[slot] == 0:
        keys[slot] = key if key != 0 else 1
        names[slot] = new
    return int(names[slot])


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
