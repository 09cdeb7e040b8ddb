"""Answers per item to scores with error bars: per suite, model and metric, and trained against untrained.

Between the harness and `eval/stage.py`, which writes the results. Learning is claimed on bits per byte, as a paired
difference over documents; a small model's accuracy stands beside what guessing scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from corpus.errors import HanjoError
from eval.harness import Answers, Row
from eval.suites import Suite
from eval.uncertainty import Estimate, Floats, mean, per_byte, proportion

TOLERANCE = 1e-9
"""How far our figure of a metric may be from lm-eval's own, relatively: both sum the same numbers."""


def score(suite: Suite, metric: str, rows: Sequence[Row], confidence: float) -> Estimate:
    """One metric of one model.

    Args:
        rows: one an item, as `eval.harness.Answers` has them.

    Raises:
        ValueError: there are no rows.
    """
    if suite.kind == "loglikelihood_rolling":
        return per_byte(_nats(rows), [row["bytes"] for row in rows], confidence)
    return proportion([row[metric] for row in rows], [row["cluster"] for row in rows], confidence)


def difference(suite: Suite, metric: str, rows: Sequence[Row], against: Sequence[Row], confidence: float) -> Estimate:
    """The first model minus the second, paired by item; negative bits per byte are better.

    Raises:
        ValueError: the two answered different items.
    """
    if [row["id"] for row in rows] != [row["id"] for row in against]:
        raise ValueError("a paired difference needs the same items in the same order")
    if suite.kind == "loglikelihood_rolling":
        return per_byte(_nats(rows) - _nats(against), [row["bytes"] for row in rows], confidence)
    differences = [row[metric] - other[metric] for row, other in zip(rows, against, strict=True)]
    return mean(differences, [row["cluster"] for row in rows], confidence)


def results(wanted: Sequence[Suite], answers: Answers, confidence: float) -> dict[str, Any]:
    """What `evaluate/results.json` says beside the engine and the settings: `suites`, `scores`, `differences`.

    Raises:
        HanjoError: our figure of a metric is not lm-eval's.
    """
    scores, differences, described = [], [], {}
    for suite in wanted:
        rows = answers.rows[suite.name]
        described[suite.name] = _describe(suite, next(iter(rows.values())))
        for metric, higher in suite.metrics.items():
            same = {"suite": suite.name, "metric": metric, "unit": suite.unit, "higher_is_better": higher}
            for model, of_model in rows.items():
                estimate = score(suite, metric, of_model, confidence)
                _check(suite.name, metric, estimate.value, answers.totals[suite.name][model][metric])
                scores.append(same | {"model": model, "chance": suite.chance} | asdict(estimate))
            if {"trained", "untrained"} <= set(rows):
                estimate = difference(suite, metric, rows["trained"], rows["untrained"], confidence)
                told = {"of": "trained", "against": "untrained", "verdict": verdict(estimate, higher)}
                differences.append(same | told | asdict(estimate))
    return {"suites": described, "scores": scores, "differences": differences}


def verdict(estimate: Estimate, higher_is_better: bool) -> str:
    """`better`, `worse`, or `undecided` where the difference's interval holds zero or is unknown."""
    if estimate.low is None or estimate.high is None or estimate.low <= 0 <= estimate.high:
        return "undecided"
    return "better" if (estimate.low > 0) == higher_is_better else "worse"


def _nats(rows: Sequence[Row]) -> Floats:
    return -np.array([row["loglikelihood"] for row in rows], dtype=np.float64)


def _describe(suite: Suite, rows: Sequence[Row]) -> dict[str, Any]:
    told: dict[str, Any] = {"version": suite.version, "kind": suite.kind, "items": len(rows)}
    if suite.kind == "loglikelihood_rolling":
        return told | {"bytes": sum(row["bytes"] for row in rows)}
    return told | {"clusters": len({row["cluster"] for row in rows})}


def _check(suite: str, metric: str, ours: float, theirs: float) -> None:
    if not math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
        raise HanjoError(
            f"{metric} is {ours!r} by our count, {theirs!r} by lm-eval's",
            where=f"suite {suite}",
            fix="this is a defect in hanjo: please report it with evaluate/samples",
        )
