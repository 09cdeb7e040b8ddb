"""The trained model in the report: loss curves, scores with their error bars, and what every stage cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from hanjo.report.charts import Series, interval, line_chart
from hanjo.report.facts import Cost, Facts, read_curve

_METRICS = ("step", "tokens", "loss", "lr", "grad_norm")
FEW = 20  # items below which a verdict is told to be a hint


@dataclass(frozen=True, slots=True)
class Training:
    """Charts of a training run and its last figures.

    Attributes:
        charts: (heading, SVG).
        table: (name, first, last) of each curve.
        stretch: steps that one point of a curve stands for.
        planned: steps that the recipe asks for, None where it does not say.
        finished: the stage is marked done.
    """

    charts: tuple[tuple[str, Markup], ...]
    table: tuple[tuple[str, float, float], ...]
    steps: int
    tokens: int
    stretch: int
    planned: int | None
    finished: bool


def read_training(facts: Facts) -> Training | None:
    """The curves so far, None where training has not begun."""
    curve = read_curve(facts.run / "pretrain" / "metrics.jsonl", _METRICS)
    if not curve.read:
        return None
    validation = read_curve(facts.run / "pretrain" / "validation.jsonl", ("step", "bits_per_byte"))
    bits = validation.points("step", "bits_per_byte")
    loss, rate, norm = (_done(curve.points("step", name)) for name in ("loss", "lr", "grad_norm"))
    wanted = (
        ("Training loss", "nats per token", loss, "accent", False),
        ("Validation", "bits per UTF-8 byte of the validation split", bits, "accent", True),
        ("Learning rate", "per step, as the schedule set it", rate, "ink", False),
        ("Gradient norm", "before clipping", norm, "ink", False),
    )
    charts, table = [], []
    for name, unit, points, css, marks in wanted:
        if points:
            zero = name in ("Learning rate", "Gradient norm")
            chart = line_chart(f"{name} by step", [Series(name, points, css, marks)], "steps done", unit, zero=zero)
            charts.append((name, chart))
            table.append((f"{name} ({unit})", points[0][1], points[-1][1]))
    planned = (facts.recipe.get("pretrain") or {}).get("steps")
    tokens = int(curve.last["tokens"])
    return Training(tuple(charts), tuple(table), curve.read, tokens, curve.width, planned, facts.finished("pretrain"))


def _done(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """By steps done, as validation counts: the metrics name a step by its number, the first being 0."""
    return [(step + 1, value) for step, value in points]


@dataclass(frozen=True, slots=True)
class Score:
    """One model's figure of one metric, or the difference of two models, drawn on the scale of its group."""

    model: str
    value: float
    low: float | None
    high: float | None
    n: int
    chart: Markup
    verdict: str = ""

    @property
    def few(self) -> bool:
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class Group:
    """One metric of one suite: the models' scores and the paired difference, `chance` where guessing has a score."""

    suite: str
    metric: str
    unit: str
    higher_is_better: bool
    chance: float | None
    scores: tuple[Score, ...]
    differences: tuple[Score, ...]

    @property
    def few(self) -> bool:
        """Whether a verdict rests on few items."""
        return any(score.few and score.verdict for score in self.differences)

    @property
    def above_chance_undecided(self) -> bool:
        """Whether the trained model is better than guessing while its difference from the untrained is undecided."""
        if self.chance is None or not any(score.verdict == "undecided" for score in self.differences):
            return False
        ends = [score.low if self.higher_is_better else score.high for score in self.scores if score.model == "trained"]
        return any(
            end is not None and (end > self.chance if self.higher_is_better else end < self.chance) for end in ends
        )


def read_scores(results: Mapping[str, Any]) -> list[Group]:
    """The scores of evaluate/results.json by suite and metric, in the file's order."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for score in results.get("scores", ()):
        groups.setdefault((score["suite"], score["metric"]), []).append(score)
    found = []
    for (suite, metric), scores in groups.items():
        differences = [d for d in results.get("differences", ()) if (d["suite"], d["metric"]) == (suite, metric)]
        chance = scores[0].get("chance")
        scale = _scale([*scores], chance)
        around_zero = _scale(differences, 0.0)
        found.append(
            Group(
                suite,
                metric,
                str(scores[0].get("unit") or ""),
                bool(scores[0].get("higher_is_better")),
                chance,
                tuple(_score(score, score["model"], scale, chance) for score in scores),
                tuple(_score(d, f"{d['of']} − {d['against']}", around_zero, 0.0) for d in differences),
            )
        )
    return found


def _scale(scores: list[Mapping[str, Any]], mark: float | None) -> tuple[float, float]:
    ends = [score[name] for score in scores for name in ("low", "value", "high") if score.get(name) is not None]
    ends += [mark] if mark is not None else []
    if not ends:
        return 0.0, 1.0
    room = 0.08 * ((max(ends) - min(ends)) or abs(max(ends)) or 1.0)
    return min(ends) - room, max(ends) + room


def _score(score: Mapping[str, Any], name: str, scale: tuple[float, float], mark: float | None) -> Score:
    css = "muted" if name == "untrained" else "accent"
    low, high = score.get("low"), score.get("high")
    chart = interval(score["value"], low, high, scale, css, mark)
    return Score(name, score["value"], low, high, int(score.get("n", 0)), chart, str(score.get("verdict", "")))


def bits_per_byte(groups: list[Group]) -> Group | None:
    """The group that learning is claimed on."""
    return next((group for group in groups if group.metric == "bits_per_byte"), None)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one stage took.

    Attributes:
        rate: bytes a second of one worker.
        tokens: tokens a second of training.
        peak: bytes of the job that took most resident memory, see `Cost.peak`.
    """

    stage: str
    cost: Cost
    bytes_in: int | None
    rate: float | None
    tokens: float | None
    peak: int | None


def spent(facts: Facts, costs: Mapping[str, Cost]) -> list[Spent]:
    """A row for every stage that has run, in the order of the stages."""
    rows = []
    for stage in facts.stages:
        cost = costs.get(stage)
        if cost is None:
            continue
        bytes_in = facts.amount(stage, "in", "bytes")
        rate = bytes_in / cost.busy if bytes_in and cost.busy else None
        trained = facts.amount(stage, "trained", "steps")
        if trained is not None:  # beyond them only a longer training before this one went
            cost = replace(cost, steps={step: took for step, took in cost.steps.items() if step < trained})
        rows.append(Spent(stage, cost, bytes_in, rate, _token_rate(facts, stage, cost), cost.peak))
    return rows


def _token_rate(facts: Facts, stage: str, cost: Cost) -> float | None:
    """Tokens a second over the steps whose time is known."""
    tokens, steps = facts.amount(stage, "trained", "tokens"), facts.amount(stage, "trained", "steps")
    seconds = sum(cost.steps.values())
    return tokens / steps * len(cost.steps) / seconds if tokens and steps and seconds else None
