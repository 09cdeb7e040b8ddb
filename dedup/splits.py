"""Which side a cluster stands on: train, valid or test, by a hash of its name and the seed alone.

BLAKE2b-64 of `seed:cluster` (the cluster's name: 32 hex digits) as a fraction of 2**64: the lowest `test` of it is
test, the next `valid` is valid. Anyone can check it with a standard library (`split_of`); `sides` is the same,
compiled, since a call from Python for each document would be a twentieth of the stage's time.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from numba import njit

SPLITS = ("train", "valid", "test")
_BLOCK = 128  # bytes that BLAKE2b takes at once
NAME = 32  # hex digits of a cluster's name
_INITIAL = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_ORDER = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.int64,
)
_MIXED = np.array(
    [
        [0, 4, 8, 12],
        [1, 5, 9, 13],
        [2, 6, 10, 14],
        [3, 7, 11, 15],
        [0, 5, 10, 15],
        [1, 6, 11, 12],
        [2, 7, 8, 13],
        [3, 4, 9, 14],
    ],
    np.int64,
)
_HEADER = np.uint64(0x01010008)  # no key, one leaf, a digest of 8 bytes
_16, _24, _32, _63, _1, _40, _48, _8 = (np.uint64(n) for n in (16, 24, 32, 63, 1, 40, 48, 8))


def split_of(cluster: str, seed: int, valid: float, test: float) -> str:
    """The side of one cluster."""
    digest = hashlib.blake2b(f"{seed}:{cluster}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < test:
        return "test"
    return "valid" if place < test + valid else "train"


@njit(cache=True, nogil=True)
def _digests(names, prefix):  # type: ignore[no-untyped-def]
    """BLAKE2b-64 of prefix + name for every name (uint8[n, 32]), as a big-endian number: uint64[n]."""
    found, state, words = np.empty(len(names), np.uint64), np.empty(16, np.uint64), np.empty(16, np.uint64)
    block, length = np.zeros(_BLOCK, np.uint8), len(prefix) + names.shape[1]
    block[: len(prefix)] = prefix
    for i in range(len(names)):
        block[len(prefix) : length] = names[i]
        for word in range(16):
            words[word] = np.uint64(0)
            for byte in range(8):
                words[word] |= np.uint64(block[8 * word + byte]) << np.uint64(8 * byte)
        for place in range(8):
            state[place], state[8 + place] = _INITIAL[place], _INITIAL[place]
        state[0] ^= _HEADER
        state[12] ^= np.uint64(length)
        state[14] = ~state[14]  # the last block
        for turn in range(12):
            for step in range(8):
                a, b, c, d = _MIXED[step, 0], _MIXED[step, 1], _MIXED[step, 2], _MIXED[step, 3]
                state[a] += state[b] + words[_ORDER[turn, 2 * step]]
                value = state[d] ^ state[a]
                state[d] = value >> _32 | value << _32
                state[c] += state[d]
                value = state[b] ^ state[c]
                state[b] = value >> _24 | value << _40
                state[a] += state[b] + words[_ORDER[turn, 2 * step + 1]]
                value = state[d] ^ state[a]
                state[d] = value >> _16 | value << _48
                state[c] += state[d]
                value = state[b] ^ state[c]
                state[b] = value >> _63 | value << _1
        digest = _INITIAL[0] ^ _HEADER ^ state[0] ^ state[8]
        turned = np.uint64(0)
        for _ in range(8):
            turned = turned << _8 | digest & np.uint64(255)
            digest >>= _8
        found[i] = turned
    return found


def sides(names: npt.NDArray[np.uint8], seed: int, valid: float, test: float) -> npt.NDArray[np.int8]:
    """The side of each cluster, int8[n], a place in SPLITS.

    Args:
        names: uint8[n, 32], the clusters' names in ASCII.
    """
    prefix = np.frombuffer(f"{seed}:".encode(), np.uint8)
    if len(prefix) + NAME > _BLOCK:  # a seed of a hundred digits
        told = [split_of(bytes(name).decode(), seed, valid, test) for name in names]
        return np.array([SPLITS.index(side) for side in told], np.int8)
    place = _digests(names, prefix) / 2.0**64
    return np.where(place < test, 2, np.where(place < test + valid, 1, 0)).astype(np.int8)
