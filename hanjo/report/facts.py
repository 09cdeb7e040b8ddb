"""What a run's folder says without its text: manifest, recipe, timings, training curves, rights. The report reads here.

Files that grow with a run (timings, metrics) are streamed; what is kept of them is bounded by stages, jobs and steps.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from corpus.documents import RIGHTS
from corpus.errors import StaleError
from corpus.manifest import read_manifest
from corpus.shards import Counts, read_table
from hanjo.stages import NAMES

_POINTS = 600  # of a curve; a longer one is drawn by the means of equal stretches


@dataclass(frozen=True, slots=True)
class Facts:
    """A run as its manifest tells it.

    Attributes:
        run: its folder.
        shown: how commands in the report name it.
        manifest: as `corpus.manifest.read_manifest` gives it.
        recipe: recipe.yaml, empty where there is none.
        stages: the seven by name, then any that this version does not know.
    """

    run: Path
    shown: str
    manifest: dict[str, Any]
    recipe: dict[str, Any]
    stages: tuple[str, ...]

    def finished(self, stage: str) -> bool:
        return stage in self.manifest["stages"]

    def counts(self, stage: str) -> Counts:
        """Reason → amounts of a finished stage, empty of another."""
        counts: Counts = self.manifest["stages"].get(stage, {}).get("counts", {})
        return counts

    def amount(self, stage: str, reason: str, name: str) -> int | None:
        """One amount, None where the stage did not tell it."""
        return self.counts(stage).get(reason, {}).get(name)

    @property
    def seed(self) -> int:
        return int(self.manifest.get("seed", 0))

    @property
    def last(self) -> str | None:
        """The last finished stage."""
        return next((stage for stage in reversed(self.stages) if self.finished(stage)), None)


def read_facts(run: Path) -> Facts:
    """Read manifest and recipe.

    Raises:
        StaleError: there is no such run, or its recipe cannot be read.
    """
    recipe_path = run / "recipe.yaml"
    if not recipe_path.is_file() and not (run / "manifest.json").is_file():
        raise StaleError(
            "no run here: neither recipe.yaml nor manifest.json", where=str(run), fix="name a run's folder"
        )
    manifest = read_manifest(run)
    recipe: dict[str, Any] = {}
    if recipe_path.is_file():
        try:
            recipe = yaml.safe_load(recipe_path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise StaleError(
                f"not readable YAML ({error})", where=str(recipe_path), fix="run the recipe again"
            ) from error
    known = (*NAMES, *(stage for stage in manifest["stages"] if stage not in NAMES))
    return Facts(run, _shown(run), manifest, recipe, known)


def _shown(run: Path) -> str:
    """The run as a command would name it from here, without this machine's folders."""
    try:
        return run.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return run.name


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON-lines file, none where it is missing.

    A line that does not parse is passed over: a killed process leaves one half written, and later ones follow it.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as handle:
        for line in handle:
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value


@dataclass(slots=True)
class Cost:
    """What a stage took. `busy` and `peak` come from its jobs' latest runs, `wall` from the stage's last run.

    Attributes:
        wall, busy: seconds; `busy` summed over jobs, so it exceeds `wall` where workers share the work.
        peak: bytes of the job that took most memory: of one worker, or of this process with all that it started.
        jobs, skipped: of the last run; skipped ones had been done before.
        steps: training step → seconds, in rising order; steps count from 0.
    """

    wall: float | None = None
    workers: int | None = None
    jobs: int = 0
    skipped: int = 0
    each: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    steps: dict[int, float] = field(default_factory=dict)

    def add_step(self, step: int, seconds: float) -> None:
        """A step that is not beyond the last one is trained anew, and so is all that follows it."""
        if self.steps and step <= next(reversed(self.steps)):
            self.steps = {earlier: took for earlier, took in self.steps.items() if earlier < step}
        self.steps[step] = seconds

    @property
    def busy(self) -> float | None:
        return sum(seconds for seconds, _ in self.each.values()) if self.each else None

    @property
    def peak(self) -> int | None:
        return max((peak for _, peak in self.each.values()), default=0) or None

    @property
    def step(self) -> float | None:
        """Median seconds of a training step."""
        return statistics.median(self.steps.values()) if self.steps else None


def read_costs(run: Path) -> dict[str, Cost]:
    """Costs by stage from timings.jsonl; a job timed again replaces its earlier time, a step also those after it."""
    costs: dict[str, Cost] = {}
    for line in json_lines(run / "timings.jsonl"):
        cost = costs.setdefault(str(line.get("stage", "")), Cost())
        if line.get("event") == "job":
            key = (str(line.get("phase", "")), str(line.get("job", "")))
            cost.each.pop(key, None)  # so that the newest stand last
            cost.each[key] = (float(line["seconds"]), int(line.get("peak_memory_bytes", 0)))
        elif line.get("event") == "stage":
            cost.wall, cost.workers = float(line["seconds"]), line.get("workers")
            cost.jobs, cost.skipped = int(line.get("jobs", 0)), int(line.get("skipped", 0))
            # Jobs of an earlier plan (other shards) are older than the last plan's: forget them.
            cost.each = dict(list(cost.each.items())[-cost.jobs :]) if cost.jobs else {}
        elif "step" in line and "seconds" in line:
            cost.add_step(int(line["step"]), float(line["seconds"]))
    return costs


@dataclass(slots=True)
class Curve:
    """Means over equal stretches of a long series of rows, at most twice `_POINTS` at a time in memory."""

    names: tuple[str, ...]
    rows: list[tuple[float, ...]] = field(default_factory=list)
    width: int = 1
    read: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    _open: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        if not all(isinstance(row.get(name), int | float) for name in self.names):
            return
        self.last, self.read = row, self.read + 1
        self._open.append(tuple(float(row[name]) for name in self.names))
        if len(self._open) == self.width:
            self.rows.append(_mean(self._open))
            self._open = []
        if len(self.rows) >= 2 * _POINTS:
            self.rows = [_mean(self.rows[i : i + 2]) for i in range(0, len(self.rows), 2)]
            self.width *= 2

    def points(self, x: str, y: str) -> list[tuple[float, float]]:
        i, j = self.names.index(x), self.names.index(y)
        rows = [*self.rows, _mean(self._open)] if self._open else self.rows
        return [(row[i], row[j]) for row in rows]


def _mean(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def read_curve(path: Path, names: tuple[str, ...]) -> Curve:
    """A JSON-lines file's columns as a bounded curve; rows that lack one of them are passed over."""
    curve = Curve(names)
    for row in json_lines(path):
        curve.add(row)
    return curve


def read_rights(run: Path) -> dict[str, dict[str, Any]]:
    """rights_id → its row of rights.parquet, empty where collect has not written it."""
    path = run / "rights.parquet"
    if not path.is_file():
        return {}
    return {row["rights_id"]: row for row in read_table(path, schema=RIGHTS).to_pylist()}
