"""hanjo/execution.py and hanjo/workers.py: jobs once, failures that raise, nothing stale left behind."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import CountError, HanjoError, LockedError, SourceError, StorageError, WorkerError
from corpus.shards import Job, JobContext, Outcome, Output, Phase, Phases, atomic_path
from hanjo import execution
from hanjo.lock import locked
from hanjo.stages import StageResult
from hanjo.workers import Workers


def write(context: JobContext, *, name: str, text: str) -> Outcome:
    path = context.run / "documents" / name
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    output = Output(f"documents/{name}", 1, path.stat().st_size, context.fingerprint)
    return Outcome((output,), {"in": {"documents": 1}, "kept": {"documents": 1}}, {"pid": 0})


def fail(context: JobContext, *, how: str) -> Outcome:
    if how == "ours":
        raise SourceError("a bad source", where="a.txt", fix="mend it")
    if how == "disk":
        raise OSError(28, "No space left on device", "b.txt")
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ZeroDivisionError("one by none")


def context_of(run: Path) -> JobContext:
    return JobContext(run, "f" * 32, 1 << 20)


@pytest.mark.parametrize(
    ("how", "kind", "message"),
    [
        ("ours", SourceError, "a.txt: a bad source"),
        ("disk", StorageError, "No space left"),
        ("killed", WorkerError, "a worker process died"),
        ("unforeseen", WorkerError, "ZeroDivisionError"),
    ],
)
def test_the_first_failure_raises_and_finished_jobs_stay(
    tmp_path: Path, how: str, kind: type[HanjoError], message: str
) -> None:
    jobs = [Job("good", write, {"name": "a", "text": "x"}), Job("bad", fail, {"how": how})]
    with pytest.raises(kind, match=message), Workers(2) as workers:
        workers.carry_out_all([(job, context_of(tmp_path)) for job in jobs], lambda *_: None)


@dataclasses.dataclass(frozen=True)
class Settings:
    texts: tuple[str, ...] = ("x", "y")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """As much of a recipe as one stage needs."""

    collect: Settings = Settings()
    name: str = "r"
    seed: int = 0
    max_quarantined: float = 0.01

    def __post_init__(self) -> None:
        import datetime

        from corpus.settings import Target
        from hanjo.recipe import ExecutionSettings

        object.__setattr__(self, "as_of", datetime.date(2026, 11, 24))
        object.__setattr__(self, "target", Target())
        object.__setattr__(self, "execution", ExecutionSettings(workers=1))

    def common(self, base: Path) -> None:
        return None


def phases(run: Path, settings: Settings, common: object) -> Phases:
    yield Phase(
        "write",
        "map",
        [Job(f"{i}", write, {"name": f"{i}.txt", "text": text}) for i, text in enumerate(settings.texts)],
    )


@pytest.fixture
def run_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from hanjo.progress import Progress
    from hanjo.stages import STAGES

    module = types.ModuleType("stage_for_test")
    module.VERSION, module.phases = 1, phases  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stage_for_test", module)
    monkeypatch.setattr(execution, "dump", lambda recipe: "")
    stage = dataclasses.replace(STAGES[0], module="stage_for_test")
    monkeypatch.setattr(execution, "STAGES", (stage,))

    def go(*texts: str) -> StageResult:
        runner = execution.Runner(tmp_path, Recipe(Settings(texts)), tmp_path, Progress("quiet"))  # type: ignore[arg-type]
        return runner.run_stages([stage])[0]

    yield go


def test_what_is_done_is_not_done_again(run_stage: Any) -> None:
    assert run_stage("x", "y").ran == 2
    assert run_stage("x", "y").ran == 0


def test_only_the_changed_job_runs_and_what_nobody_named_goes(run_stage: Any, tmp_path: Path) -> None:
    first = run_stage("x", "y", "z")
    second = run_stage("x", "other")
    assert first.fingerprint != second.fingerprint
    assert {p.name: p.read_text() for p in (tmp_path / "documents").iterdir()} == {"0.txt": "x", "1.txt": "other"}
    assert second.counts["kept"]["documents"] == 2


def test_a_file_that_was_lost_is_made_again(run_stage: Any, tmp_path: Path) -> None:
    run_stage("x", "y")
    (tmp_path / "documents" / "1.txt").unlink()
    assert run_stage("x", "y").ran == 1
    assert (tmp_path / "documents" / "1.txt").read_text() == "y"


def test_two_processes_cannot_work_on_one_run(run_stage: Any, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(LockedError, match="another process"):
        run_stage("x")


def test_a_lost_document_stops_the_run(run_stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(context: JobContext, **_: object) -> Outcome:
        return Outcome((), {"in": {"documents": 2}, "kept": {"documents": 1}})

    def bad(run: Path, settings: Settings, common: object) -> Phases:
        yield Phase("lose", "map", [Job("a", lose)])

    monkeypatch.setattr(sys.modules["stage_for_test"], "phases", bad)
    with pytest.raises(CountError, match="2 documents came in, 1 are accounted for"):
        run_stage("x")
