"""MinHash signatures and band keys: which documents are worth comparing.

One-permutation hashing (Li, Owen, Zhang 2012): the hash of a shingle chooses a bin by its high half and stands in it
by its low half; each bin keeps its smallest. Bins that stay empty, in short documents, are filled by further rounds of
the same with other hashes, then one by one (fast similarity sketching: Dahlgaard, Knudsen, Thorup 2017). A bin of two
texts is equal with the probability of their Jaccard similarity; unlike bins that borrow from one another
(densification), the bins of a short text are nearly independent, so that bands find what the S-curve promises.
One hash a shingle where there are many, a few hundred more where there are few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import one_array, text_buffers
from dedup.banding import sketch_words
from dedup.shingles import I64, U64, begin_document, hash_block, mix, power_of_base, text_lanes

_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_BLOCK, _FEW = 1 << 16, 1 << 13  # shingles hashed at once; below the second, repeats cost less than finding them
_MISSED = 1e-7  # of pairs at the threshold, by `alike`: bands miss a fiftieth
_TURNS = 8  # rounds for all bins, the first by the hashes themselves; then each empty bin by itself
_SEVEN, _EVEN, _SUM = (np.uint64(int(one * (8 // len(one) * 2), 16)) for one in ("7F", "00FF", "0001"))
_7, _8, _48 = (np.uint64(n) for n in (7, 8, 48))
_STEP, _KEY = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@njit(cache=True, nogil=True)
def _fill(smallest, hashes):  # type: ignore[no-untyped-def]
    """Fill the empty bins from the distinct hashes of a text, by a schedule that is the same for every text."""
    bins = len(smallest)
    full = smallest != _EMPTY
    for turn in range(1, _TURNS):
        salt, missing = np.uint64(turn) * _STEP, 0
        for j in range(len(hashes)):
            thrown = mix(hashes[j] ^ salt)
            spot = np.int64((thrown >> _32) * np.uint64(bins) >> _32)
            if not full[spot]:
                smallest[spot] = min(smallest[spot], thrown & _LOW)
        for place in range(bins):
            full[place] = smallest[place] != _EMPTY
            missing += not full[place]
        if missing == 0:
            return
    for place in range(bins):
        if not full[place]:
            salt = np.uint64(_TURNS + place) * _STEP
            for j in range(len(hashes)):
                smallest[place] = min(smallest[place], mix(hashes[j] ^ salt) & _LOW)


@njit(cache=True, nogil=True)
def _distinct(data, start, end, power, ring, state, found):  # type: ignore[no-untyped-def]
    """The distinct hashes of a text that left bins empty although it is long: they are few, so they fit."""
    begin_document(state)
    distinct, at = np.empty(0, np.uint64), start
    while at < end:
        at, count = hash_block(data, at, end, power, ring, state, found)
        distinct = np.unique(np.concatenate((distinct, np.unique(found[:count]))))
    return distinct


@njit(cache=True, nogil=True)
def _sign(data, offsets, size, power, bins):  # type: ignore[no-untyped-def]
    documents = len(offsets) - 1
    found, ring, state = np.empty(_BLOCK, np.uint64), np.empty(size, np.uint64), np.empty(5, np.uint64)
    smallest = np.empty(bins, np.uint64)
    values = np.zeros((documents, bins), np.uint32)
    counts, text = np.zeros(documents, np.int64), np.zeros((documents, 2), np.uint64)
    for i in range(documents):
        begin_document(state)
        smallest[:] = _EMPTY
        at = offsets[i]
        while at < offsets[i + 1]:
            at, count = hash_block(data, at, offsets[i + 1], power, ring, state, found)
            for j in range(count):
                spot = np.int64((found[j] >> _32) * np.uint64(bins) >> _32)
                smallest[spot] = min(smallest[spot], found[j] & _LOW)
            counts[i] += count
        text[i, 0], text[i, 1] = text_lanes(state)
        if counts[i] == 0:
            continue
        if (smallest == _EMPTY).any():
            if counts[i] <= _FEW:
                _fill(smallest, found[: counts[i]])
            else:
                _fill(smallest, _distinct(data, offsets[i], offsets[i + 1], power, ring, state, found))
        for place in range(bins):
            values[i, place] = smallest[place]
    return values, counts, text


@njit(cache=True, nogil=True)
def _band_keys(values, bands, rows):  # type: ignore[no-untyped-def]
    keys = np.empty((len(values), bands), np.uint64)
    for i in range(len(values)):
        for band in range(bands):
            key = np.uint64(band + 1) * _STEP
            for row in range(rows):
                key = mix(key ^ np.uint64(values[i, band * rows + row])) * _KEY
            keys[i, band] = mix(key)
    return keys


@njit(cache=True, nogil=True)
def _alike(sketches, left, right, least):  # type: ignore[no-untyped-def]
    found = np.empty(len(left), np.bool_)
    for pair in range(len(left)):
        a, b, lanes = left[pair], right[pair], np.uint64(0)
        for word in range(sketches.shape[1]):
            other = sketches[a, word] ^ sketches[b, word]  # a byte is 0 where the bins are equal
            lanes += ~((other & _SEVEN) + _SEVEN | other | _SEVEN) >> _7  # and 1 is counted in its lane
        lanes = (lanes & _EVEN) + (lanes >> _8 & _EVEN)
        found[pair] = np.int64(lanes * _SUM >> _48) >= least
    return found


@dataclass(frozen=True, slots=True)
class Signatures:
    """What the first pass over n texts finds.

    Attributes:
        values: uint32[n, bins], the MinHash; zeros where the text has no shingle.
        shingles: int64[n], shingles with repeats; 0 where the text is shorter than one.
        text: uint64[n, 2], hash of the space-free text.
    """

    values: npt.NDArray[np.uint32]
    shingles: I64
    text: U64


def sign(texts: pa.Array | pa.ChunkedArray, size: int, bins: int) -> Signatures:
    """Sign texts.

    Args:
        texts: large_string, n documents, no nulls.
        size: length of a shingle in code points.
        bins: values of a signature (bands times rows).
    """
    data, offsets = text_buffers(one_array(texts))
    return Signatures(*_sign(data, offsets, size, power_of_base(size), bins))


def band_keys(values: npt.NDArray[np.uint32], bands: int, rows: int) -> U64:
    """64-bit keys, uint64[n, bands]: equal where all `rows` values of a band are equal; bands never mix."""
    return _band_keys(values, bands, rows)


def sketches_of(values: npt.NDArray[np.uint32]) -> U64:
    """The lowest byte of each value of signatures, 8 in a word, uint64[n, words]: what `alike` looks at."""
    found = np.zeros((len(values), 8 * sketch_words(values.shape[1])), np.uint8)
    found[:, : values.shape[1]] = values.astype(np.uint8)
    return found.view(np.uint64)


def alike(sketches: U64, left: I64, right: I64, bins: int, similarity: float) -> npt.NDArray[np.bool_]:
    """Which pairs are worth an exact comparison, bool[m]: one at `similarity` is missed once in ten million times.

    Bands bring together many documents that share a paragraph and no more. Equal bins are at least as many as a
    binomial variable of the pair's Jaccard says (bytes that are equal by chance come on top), and nobody joins a
    cluster by this count: it only spares making and comparing sets that come nowhere near.

    Args:
        sketches: uint64[n, words], of signatures of so many bins.
        left, right: int64[m], places in `sketches`.
    """
    padding = 8 * sketches.shape[1] - bins
    return _alike(sketches, left, right, fewest_equal(bins, similarity) + padding)


@cache
def fewest_equal(bins: int, similarity: float) -> int:
    """The most equal bins that two texts of this similarity fall short of at most once in ten million times."""
    if similarity >= 1.0:
        return bins
    missed = 0.0
    for equal in range(bins):
        ways = math.lgamma(bins + 1) - math.lgamma(equal + 1) - math.lgamma(bins - equal + 1)
        missed += math.exp(ways + equal * math.log(similarity) + (bins - equal) * math.log1p(-similarity))
        if missed > _MISSED:
            return equal
    return bins
