"""What a classifier's scores are worth, from those of good and of bad text: accuracy, AUC, the price of thresholds.

Used by `hanjo corpus classifier train` on the part held out, and by `… eval` on other text. Each figure has its 95 %
interval, since held-out parts are small.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z = 1.959964  # two-sided 95 %
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_DIGITS = 6  # what a card says of a share; the same on every machine


def wilson(hits: int, of: int) -> dict[str, Any]:
    """A share with its 95 % interval (Wilson 1927, JASA 22:209): value, low, high, hits, of; None where of is 0."""
    if not of:
        return {"value": None, "low": None, "high": None, "hits": hits, "of": of}
    share, weight = hits / of, Z * Z / of
    middle = share + weight / 2
    half = Z * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    low, high = (middle - half) / (1 + weight), (middle + half) / (1 + weight)
    return {"value": _told(share), "low": _told(max(low, 0)), "high": _told(min(high, 1)), "hits": hits, "of": of}


def area(good: Floats, bad: Floats) -> dict[str, Any]:
    """Area under the ROC curve: the chance that a good text scores above a bad one, half where they are equal.

    The interval is that of Hanley and McNeil 1982, Radiology 143:29.

    Args:
        good, bad: scores, float64 [n], without NaN.
    """
    m, n = len(good), len(bad)
    if not m or not n:
        return {"value": None, "low": None, "high": None, "good": m, "bad": n}
    ordered = np.sort(bad)
    below = np.searchsorted(ordered, good, "left").sum()
    equal = np.searchsorted(ordered, good, "right").sum() - below
    value = float((below + equal / 2) / (m * n))
    q1, q2 = value / (2 - value), 2 * value * value / (1 + value)
    spread = value * (1 - value) + (m - 1) * (q1 - value * value) + (n - 1) * (q2 - value * value)
    half = Z * math.sqrt(max(spread, 0) / (m * n))
    low, high = max(value - half, 0), min(value + half, 1)
    return {"value": _told(value), "low": _told(low), "high": _told(high), "good": m, "bad": n}


def scores_of(good: Floats, bad: Floats) -> dict[str, Any]:
    """All the figures of a card, from the scores of good and of bad text; texts without a score (NaN) are counted only.

    `thresholds`: what `min_quality` of each value would do: `precision`, good among what is kept; `kept_good` and
    `removed_bad`, shares of the good and of the bad.
    """
    unscored = int(np.isnan(good).sum() + np.isnan(bad).sum())
    good, bad = good[~np.isnan(good)], bad[~np.isnan(bad)]
    right = int((good >= 0.5).sum() + (bad < 0.5).sum())
    thresholds = []
    for limit in THRESHOLDS:
        kept_good, kept_bad = int((good >= limit).sum()), int((bad >= limit).sum())
        thresholds.append(
            {
                "min_quality": limit,
                "precision": wilson(kept_good, kept_good + kept_bad),
                "kept_good": wilson(kept_good, len(good)),
                "removed_bad": wilson(len(bad) - kept_bad, len(bad)),
            }
        )
    return {
        "good": len(good),
        "bad": len(bad),
        "unscored": unscored,
        "accuracy": wilson(right, len(good) + len(bad)),
        "auc": area(good, bad),
        "thresholds": thresholds,
    }


def _told(value: float) -> float:
    return round(float(value), _DIGITS)
