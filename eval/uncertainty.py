"""Every score's error bar: means, proportions, bits per byte and paired differences, with standard errors, intervals.

Between the harness, which gives numbers per item, and `eval/scores.py`, which makes results of them. Items that come
from one document are not independent; where their documents are given, errors are those of documents drawn, not items
(Miller, "Adding Error Bars to Evals", arXiv 2411.00640, section 2.2). Pure numpy and scipy.special; no randomness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pretrain.bits import bits_over_documents

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and how far it can be trusted.

    Attributes:
        value: the point estimate.
        stderr: its standard error; None where a single item leaves it unknown.
        low: lower end of the interval; None with `stderr`.
        high: upper end of the interval; None with `stderr`.
        n: items (documents, questions) it stands on.
    """

    value: float
    stderr: float | None
    low: float | None
    high: float | None
    n: int


def mean(values: Sequence[float] | Floats, clusters: Sequence[str] | None = None, confidence: float = 0.95) -> Estimate:
    """Mean with a Student interval.

    Args:
        values: float64[n], one an item; for a paired comparison, the differences.
        clusters: the document each item comes from; None takes every item as its own.
        confidence: coverage of the interval, in (0, 1).

    Raises:
        ValueError: there are no values.
    """
    items = _items(values)
    value = float(items.mean())
    groups, sums = _sums(items - value, clusters)
    if groups < 2:
        return Estimate(value, None, None, None, len(items))
    stderr = math.sqrt(groups / (groups - 1) * float(sums @ sums)) / len(items)
    return _student(value, stderr, groups - 1, len(items), confidence)


def proportion(
    hits: Sequence[float] | Floats, clusters: Sequence[str] | None = None, confidence: float = 0.95
) -> Estimate:
    """Share of hits with a Wilson interval, which stays inside [0, 1] and holds for few items and rare hits.

    Clustered items count as n / d of them, d the design effect (clustered over plain variance, at least 1).

    Args:
        hits: float64[n] of 0 and 1.
        clusters: the document each item comes from.
        confidence: coverage of the interval, in (0, 1).

    Raises:
        ValueError: there are no hits to count, or a value is neither 0 nor 1.

    Source: Wilson 1927 (JASA 22:209); standard error s / √n with s over n − 1, as lm-eval gives it.
    """
    items = _items(hits)
    if not np.isin(items, (0.0, 1.0)).all():
        raise ValueError("a proportion is of zeros and ones")
    n, value = len(items), float(items.mean())
    plain = value * (1 - value) / (n - 1) if n > 1 else 0.0
    groups, sums = _sums(items - value, clusters)
    effect = 1.0
    if groups > 1 and plain > 0:
        effect = max(1.0, groups / (groups - 1) * float(sums @ sums) / n**2 / plain)
    elif groups < n:
        effect = n / groups  # all alike, or one document: nothing tells the items apart from copies of one another
    n_effective = n / effect
    z = _normal(confidence)
    centre = (value + z * z / (2 * n_effective)) / (1 + z * z / n_effective)
    half = z / (1 + z * z / n_effective) * math.sqrt(value * (1 - value) / n_effective + (z / (2 * n_effective)) ** 2)
    stderr = math.sqrt(plain * effect) if n > 1 else None
    return Estimate(value, stderr, max(0.0, centre - half), min(1.0, centre + half), n)


def per_byte(nats: Sequence[float] | Floats, sizes: Sequence[int], confidence: float = 0.95) -> Estimate:
    """Bits per byte over documents drawn, with a Student interval.

    A long document weighs as much as its bytes, and the error counts documents, not bytes. For the difference of two
    models on the same documents give the differences of their nats: the bytes are the same, which makes that exact.

    Args:
        nats: float64[n], negative log-likelihood of each document, or the difference of two.
        sizes: int[n], UTF-8 bytes of each document.
        confidence: coverage of the interval, in (0, 1).

    Raises:
        ValueError: lengths differ, there are no documents, or one has no bytes.
    """
    score = bits_over_documents(_items(nats), sizes)
    if score.documents < 2:
        return Estimate(score.value, None, None, None, score.documents)
    return _student(score.value, score.error, score.documents - 1, score.documents, confidence)


def _items(values: Sequence[float] | Floats) -> Floats:
    items = np.asarray(values, dtype=np.float64)
    if items.ndim != 1 or len(items) == 0:
        raise ValueError("an estimate needs at least one value")
    if not np.isfinite(items).all():
        raise ValueError("a value is not finite")
    return items


def _sums(residuals: Floats, clusters: Sequence[str] | None) -> tuple[int, Floats]:
    """Number of clusters, and the sum of residuals in each."""
    if clusters is None:
        return len(residuals), residuals
    if len(clusters) != len(residuals):
        raise ValueError("every item needs its cluster")
    names, of = np.unique(np.asarray(clusters), return_inverse=True)
    return len(names), np.bincount(of, weights=residuals, minlength=len(names)).astype(np.float64)


def _student(value: float, stderr: float, freedom: int, n: int, confidence: float) -> Estimate:
    from scipy.special import stdtrit

    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * stderr
    return Estimate(value, stderr, value - half, value + half, n)


def _normal(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(0.5 + confidence / 2))
