"""MinHash signatures and band keys: which documents are worth comparing.

One-permutation hashing (Li, Owen, Zhang 2012): the hash of a shingle chooses a bin by its high half and stands in it
by its low half; each bin keeps its smallest. Empty bins borrow from a full one by optimal densification
(Shrivastava 2017). One hash a shingle instead of one a shingle and bin, and the share of equal values still estimates
the Jaccard similarity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import one_array, text_buffers
from dedup.shingles import I64, U64, hash_document, mix, power_of_base

_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_STEP, _KEY = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


@njit(cache=True, nogil=True)
def _sign(data, offsets, size, power, bins):  # type: ignore[no-untyped-def]
    documents = len(offsets) - 1
    longest = 1
    for i in range(documents):
        longest = max(longest, offsets[i + 1] - offsets[i])
    found, ring = np.empty(longest, np.uint64), np.empty(size, np.uint64)
    smallest = np.empty(bins, np.uint64)
    values = np.zeros((documents, bins), np.uint32)
    counts, text = np.zeros(documents, np.int64), np.zeros((documents, 2), np.uint64)
    for i in range(documents):
        count, text[i, 0], text[i, 1] = hash_document(data, offsets[i], offsets[i + 1], power, ring, found)
        counts[i] = count
        if count == 0:
            continue
        smallest[:] = _EMPTY
        for j in range(count):
            spot = np.int64((found[j] >> _32) * np.uint64(bins) >> _32)
            smallest[spot] = min(smallest[spot], found[j] & _LOW)
        for place in range(bins):
            # A borrowed bin is chosen by (bin, attempt) alone, so that two documents with the same
            # empty bins borrow from the same place.
            source, attempt = np.int64(place), np.uint64(0)
            while smallest[source] == _EMPTY:
                attempt += np.uint64(1)
                drawn = mix(np.uint64(place + 1) * _STEP + attempt)
                source = np.int64((drawn >> _32) * np.uint64(bins) >> _32)
            values[i, place] = smallest[source]
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
