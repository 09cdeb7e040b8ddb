"""Histograms of the signals that rules look at, with the rules' limits and what became of the documents.

From a bounded number of seeded rows (`ROWS` at most, out of the shards that `rows` chooses); the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from markupsafe import Markup

from corpus.rules import RULES
from corpus.signals import SIGNALS
from corpus.tags import TAGS
from hanjo.report.charts import histogram
from hanjo.report.facts import Facts
from hanjo.report.figures import trim
from hanjo.report.limits import limits_in_use
from hanjo.report.limits import others as other_limits
from hanjo.report.rows import chosen_shards

ROWS = 200_000
_BINS = 40
_MOSTLY = 0.5  # share of the documents


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule's limit on a signal, and how many documents of the whole run it removed.

    `value` is the usual profile's; `others` tells profiles (registers) with another one.
    """

    rule: str
    bound: str  # min, max
    value: float
    removed: int
    others: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal's chart (empty where no document has any), its limits, and the quartiles beside it as numbers."""

    name: str
    doc: str
    unit: str
    chart: Markup
    limits: tuple[Limit, ...]
    quartiles: tuple[float, ...]  # minimum, lower, median, upper, maximum
    zeros: int  # documents with the value 0 that are left out of the chart, where most have it; else 0


@dataclass(frozen=True, slots=True)
class Tag:
    """A signal of `corpus/tags.py`, and how many of the documents looked at have any of it."""

    name: str
    doc: str
    documents: int


@dataclass(frozen=True, slots=True)
class Signals:
    """The charts, and from how many documents they were drawn."""

    rows: int
    judged: bool
    signals: tuple[Signal, ...]
    tags: tuple[Tag, ...] = ()


def read_signals(facts: Facts) -> Signals | None:
    """Histograms of every signal that a rule limits; None before measure has finished."""
    if not facts.finished("measure"):
        return None
    limits = limits_by_signal(facts)
    described = {signal.name: signal for signal in SIGNALS}
    names = [name for name in described if name in limits]
    judged = facts.finished("decide")
    tables, kept = _read(facts, list(dict.fromkeys([*names, *TAGS])), judged)
    if not tables.num_rows:
        return Signals(0, judged, ())
    drawn = []
    for name in names:
        values = np.asarray(tables[name], dtype=np.float64)
        if np.isfinite(values).any():  # quality has no value where the run has no classifier
            drawn.append(_draw(described[name], values, kept, limits[name], judged))
    # Rules that removed something first: they are what a reader has to judge.
    drawn.sort(key=lambda signal: -sum(limit.removed for limit in signal.limits))
    tags = tuple(Tag(name, described[name].doc, int((np.asarray(tables[name]) > 0).sum())) for name in TAGS)
    return Signals(tables.num_rows, judged, tuple(drawn), tags)


def limits_by_signal(facts: Facts) -> dict[str, list[Limit]]:
    """Signal → the limits on it that judged the run."""
    limits = limits_in_use(facts)
    found: dict[str, list[Limit]] = {}
    for rule in RULES if limits else ():
        value = next(iter(limits.values()))[rule.limit]
        removed = facts.amount("decide", f"removed/{rule.id}", "documents") or 0
        limit = Limit(rule.id, rule.bound, value, removed, other_limits(limits, rule.limit))
        found.setdefault(rule.signal, []).append(limit)
    return found


def _read(facts: Facts, names: Sequence[str], judged: bool) -> tuple[pa.Table, np.ndarray]:
    """The signals of a bounded choice of rows, and whether each was kept."""
    shards, _ = chosen_shards(facts.run, facts.seed)
    each = ROWS // max(len(shards), 1)
    tables, kept = [], []
    for shard in shards:
        rows = pa.array(shard.some(np.arange(shard.output.rows), each, "signals"), pa.int64())
        tables.append(shard.sidecar("signals", names).take(rows))
        if judged:
            kept.append(np.asarray(shard.sidecar("verdicts", ["keep"])["keep"].take(rows)))
    table = pa.concat_tables(tables) if tables else pa.table({})
    return table, np.concatenate(kept) if kept else np.ones(table.num_rows, bool)


def _draw(signal: Any, values: np.ndarray, kept: np.ndarray, limits: list[Limit], judged: bool) -> Signal:
    known = np.isfinite(values)
    values, kept = values[known], kept[known]
    quartiles = tuple(float(q) for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1))) if len(values) else ()
    zeros = int((values == 0).sum())
    if zeros > len(values) * _MOSTLY:  # their bar would flatten all the others
        values, kept = values[values != 0], kept[values != 0]
    else:
        zeros = 0
    if not len(values):
        return Signal(signal.name, signal.doc, signal.unit, Markup(""), tuple(limits), quartiles, zeros)
    edges, log = bins(values, [limit.value for limit in limits])
    inside = np.clip(values, edges[0], edges[-1])
    parts = [("kept" if judged else "measured", "accent", np.histogram(inside[kept], edges)[0].tolist())]
    if judged:
        parts.append(("removed", "muted", np.histogram(inside[~kept], edges)[0].tolist()))
    labels = [(limit.value, f"{limit.bound} {trim(limit.value)}") for limit in limits]
    chart = histogram(f"Documents by {signal.name}", edges.tolist(), parts, labels, signal.unit or "value", log=log)
    return Signal(signal.name, signal.doc, signal.unit, chart, tuple(limits), quartiles, zeros)


def bins(values: np.ndarray, limits: Sequence[float]) -> tuple[np.ndarray, bool]:
    """Bin edges over the middle 99 % of the values and the limits, and whether they rise by powers.

    Values beyond the edges belong into the outermost bins. A long tail of positive values gets powers.
    """
    if not len(values):
        return np.linspace(0, 1, _BINS + 1), False
    low, middle, high = (float(q) for q in np.quantile(values, (0.005, 0.5, 0.995)))
    reach = [low, high, *(limit for limit in limits if np.isfinite(limit))]
    low, high = min(reach), max(reach)
    if low >= 0 and middle >= 1 and high > 20 * middle:
        low = max(low, 1.0)
        return np.geomspace(low, max(high * 1.1, low * 10), _BINS + 1), True
    width, greatest = high - low, max(abs(low), abs(high))
    if width <= max(1e-9 * greatest, 1e-300):  # too narrow for so many bins to differ in floating point
        width = max(1.0, 1e-6 * greatest)
    room = 0.03 * width
    low = 0.0 if 0 <= low < 4 * room else low - room
    return np.linspace(low, high + room, _BINS + 1), False
