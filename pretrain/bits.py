"""Bits per byte: how many bits a model needs for a byte of text, comparable between tokenizers.

Training validates with it and eval scores with it, so that both numbers mean the same: the summed negative
log-likelihood of a document's tokens (its end of text left out) over its UTF-8 bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class BitsPerByte:
    """A score over documents.

    Attributes:
        value: bits per UTF-8 byte, Σ nats / (ln 2 · Σ bytes): documents weigh by their bytes.
        error: its standard error over documents; NaN for fewer than two.
        documents: how many went in.
        bytes: UTF-8 bytes of them.
    """

    value: float
    error: float
    documents: int
    bytes: int

    def told(self, sign: str = "") -> str:
        """The score and its error for a person; `sign` "+" where it is a difference."""
        error = "" if math.isnan(self.error) else f" ± {self.error:.3f}"
        return f"{self.value:{sign}.3f}{error}"


def bits_per_byte(nats: float, size: int) -> float:
    """Bits per byte of a text.

    Args:
        nats: summed negative log-likelihood of its tokens, natural logarithm.
        size: UTF-8 bytes of the text.

    Raises:
        ValueError: there are no bytes.
    """
    if size <= 0:
        raise ValueError("bits per byte of no text")
    return nats / (math.log(2) * size)


def bits_over_documents(nats: ArrayLike, sizes: ArrayLike) -> BitsPerByte:
    """Bits per byte over documents, with the standard error of the ratio of two sums.

    Documents are the unit that was drawn; their bytes differ, so the mean is a ratio estimate and its variance is
    that of the residuals nats − ratio · bytes (Cochran, Sampling Techniques, 3rd ed., §6.4).

    Args:
        nats: float, shape (documents,): summed negative log-likelihood of each.
        sizes: int, shape (documents,): UTF-8 bytes of each, all above 0.

    Raises:
        ValueError: shapes differ, there is no document, or one without bytes.
    """
    summed, size = np.asarray(nats, dtype=np.float64), np.asarray(sizes, dtype=np.int64)
    if summed.shape != size.shape or summed.ndim != 1 or not summed.size:
        raise ValueError(f"one number of nats and one of bytes for each document, not {summed.shape} and {size.shape}")
    if (size <= 0).any():
        raise ValueError("bits per byte of a document without text")
    total = int(size.sum())
    ratio = math.fsum(summed.tolist()) / total
    error = math.nan
    if summed.size > 1:
        squares = math.fsum(((summed - ratio * size) ** 2).tolist())
        error = math.sqrt(summed.size / (summed.size - 1) * squares) / total / math.log(2)
    return BitsPerByte(ratio / math.log(2), error, int(summed.size), total)
