"""Runs stages: plans their jobs, skips what is done, marks what is, checks the counts, writes the manifest.

A job is done when its marker under `.done/` carries its fingerprint and its files stand. Killed at any instant and
started again, a run ends with the same bytes: files are renamed into place whole, markers come after them.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus.documents import SHARDS
from corpus.errors import CountError, QuarantineError, StaleError, UsageError
from corpus.manifest import check_counts, fingerprint, read_manifest, write_manifest
from corpus.shards import (
    Counts,
    Job,
    JobContext,
    Outcome,
    Output,
    Phase,
    atomic_path,
    merge,
    private_folder,
    sync,
    write_json,
    write_table,
)
from corpus.tombstones import see
from dedup.members import index_members
from hanjo.executors import Executor, executor_of
from hanjo.journal import recover
from hanjo.ledger import LAST, record
from hanjo.lock import locked
from hanjo.noticed import noticed
from hanjo.progress import Progress
from hanjo.recipe import Recipe, dump
from hanjo.slurm_workers import SlurmWorkers
from hanjo.stages import STAGES, Stage, StageResult
from hanjo.version import __version__
from hanjo.workers import Done, carry_out

SCRATCH = ".scratch"
_REPORT = "this is a defect in hanjo: please report it with manifest.json"


@dataclass(slots=True)
class Runner:
    """Carries out a recipe in a run's folder.

    Attributes:
        run: the folder.
        base: folder that the recipe's relative paths start from.
        strict: any quarantined record fails the run.
        workers: those that carry out the jobs, which stay open; None: the recipe's, for each `run_stages` anew.
    """

    run: Path
    recipe: Recipe
    base: Path
    progress: Progress
    strict: bool = False
    workers: Executor | None = None

    def run_stages(self, stages: Sequence[Stage]) -> list[StageResult]:
        """Run the stages in order under the run's lock.

        Raises:
            HanjoError: as any job did; LockedError: another process works here; QuarantineError: too much unreadable.
        """
        self._refuse_another_run()
        own = nullcontext(self.workers) if self.workers else executor_of(self.recipe.execution, self.run, self.base)
        with locked(self.run), own as workers:
            recover(self.run)
            private_folder(self.run / ".done")
            with atomic_path(self.run / "recipe.yaml") as temporary:
                note = (
                    "# Resolved: every default written out. Relative paths start from the original recipe's folder.\n"
                )
                temporary.write_text(note + dump(self.recipe), encoding="utf-8")
            results = []
            for stage in stages:
                result = self._run_stage(stage, workers)
                results.append(result)
                for told in noticed(result, self.recipe, self._shown()):
                    self.progress.warn(told)
                if stage.name == "collect":
                    self._refuse_quarantine(result.counts)
                if stage.name == "dedup":
                    index_members(self.run)  # for withdrawal
                if stage.name == LAST:
                    record(self.run)  # also where nothing ran: a kill may have come between that stage and the ledger
            return results

    def _shown(self) -> str:
        """The run's folder as a command typed here would name it."""
        return os.path.relpath(self.run)

    def _refuse_another_run(self) -> None:
        """A folder that holds a run of another name is not taken over: its work may have cost days."""
        held = read_manifest(self.run).get("name", self.recipe.name)
        if held != self.recipe.name:
            raise UsageError(
                f"the folder holds the run {held!r}, the recipe's name is {self.recipe.name!r}",
                where=str(self.run),
                fix=f"choose another --run, or --set name={held}",
            )

    def _phases(self, stage: Stage) -> Any:
        return stage.load().phases(self.run, getattr(self.recipe, stage.name), self.recipe.common(self.base))

    def _context(self, stage: Stage, phase: Phase, job: Job) -> JobContext:
        made_of = job_fingerprint(stage, phase, job, getattr(self.recipe, stage.name))
        return JobContext(self.run, made_of, self.recipe.execution.memory)

    def _run_stage(self, stage: Stage, workers: Executor) -> StageResult:
        started = time.monotonic()
        marker = self.run / ".done" / f"{stage.name}.json"
        done = self._walk(stage, None) if marker.exists() else None
        if done is None:
            marker.unlink(missing_ok=True)
            see(self.run, stage.name)
            self._forget_from(stage)
            note = Timings(self.run, stage.name)
            with self.progress.stage(stage.name) as tell:

                def run_phase(phase: Phase, todo: list[tuple[Job, JobContext]]) -> None:
                    self._run_phase(stage, phase, todo, note, tell, workers)

                done = self._walk(stage, run_phase)
            if done is None:
                raise CountError("jobs were left undone", where=f"stage {stage.name}", fix=_REPORT)
        counts, outputs, identity, jobs, ran = done
        check_counts(stage.name, counts)
        if ran or not marker.exists() or self._untold(stage, identity):
            self._finish(stage, identity, counts, outputs)
            seconds = time.monotonic() - started
            Timings(self.run, stage.name).write(
                event="stage", seconds=seconds, jobs=jobs, skipped=jobs - ran, workers=self.recipe.execution.workers
            )
            write_json(marker, {"fingerprint": identity})
        # Also of a stage that was found done: a kill may have come between its marker and this line.
        shutil.rmtree(self.run / SCRATCH / stage.name, ignore_errors=True)
        result = StageResult(stage.name, identity, counts, jobs, ran, time.monotonic() - started)
        self.progress.say(result)
        return result

    def _walk(
        self, stage: Stage, run_phase: Callable[[Phase, list[tuple[Job, JobContext]]], None] | None
    ) -> tuple[Counts, list[Output], str, int, int] | None:
        """Go through a stage's phases; with `run_phase` what is undone is done, without it None says that something is.

        Without `run_phase` the stage was once marked done: its scratch files are gone and not asked for.
        """
        parents = {name: self.finished(name) for name in stage.follows}
        plan = self._phases(stage)
        counts, outputs, made_of, jobs, ran = [], [], [], 0, 0
        outcomes: list[Outcome] | None = None
        while True:
            try:
                phase: Phase = next(plan) if outcomes is None else plan.send(outcomes)
            except StopIteration:
                break
            contexts = [(job, self._context(stage, phase, job)) for job in phase.jobs]
            todo = [
                (job, context)
                for job, context in contexts
                if self._outcome(stage, phase, job, context, scratch=run_phase is not None) is None
            ]
            if todo and run_phase is None:
                plan.close()
                return None
            if todo and run_phase is not None:
                run_phase(phase, todo)
            found = [
                self._outcome(stage, phase, job, context, scratch=run_phase is not None) for job, context in contexts
            ]
            outcomes = [outcome for outcome in found if outcome is not None]
            if len(outcomes) != len(contexts):
                raise CountError(
                    f"{len(contexts)} jobs, {len(outcomes)} done", where=f"stage {stage.name}, {phase.name}"
                )
            if not phase.of_machine:
                made_of += [context.fingerprint for _, context in contexts]
            counts += [outcome.counts for outcome in outcomes]
            outputs += [output for outcome in outcomes for output in outcome.outputs]
            jobs, ran = jobs + len(contexts), ran + len(todo)
        module = stage.load()
        identity = fingerprint(stage.name, module.VERSION, getattr(self.recipe, stage.name), parents, made_of)
        return merge(counts), [o for o in outputs if not o.path.startswith(SCRATCH)], identity, jobs, ran

    def _run_phase(
        self,
        stage: Stage,
        phase: Phase,
        todo: list[tuple[Job, JobContext]],
        note: Timings,
        tell: Callable[..., None],
        workers: Executor,
    ) -> None:
        def finished(job: Job, context: JobContext, done: Done) -> None:
            path = self._marker(stage, phase, job)
            write_json(path, {"fingerprint": context.fingerprint, **asdict(done.outcome)})
            note.write(
                event="job",
                phase=phase.name,
                job=job.name,
                seconds=done.seconds,
                bytes=job.weight,
                peak_memory_bytes=done.peak_memory,
            )
            tell(advance=job.weight)

        # First of all the old markers go: a file that is made anew must never be vouched for by another recipe's.
        for job, _ in todo:
            self._marker(stage, phase, job).unlink(missing_ok=True)
        folder = self.run / ".done" / stage.name / phase.name
        if folder.exists():
            sync(folder)
        tell(phase=phase.name, total=sum(job.weight for job, _ in todo))
        if phase.here:
            if isinstance(workers, SlurmWorkers):
                workers.settle()
            for job, context in todo:
                finished(job, context, carry_out(job, context, family=True))
        else:
            workers.carry_out_all(todo, finished)

    def _marker(self, stage: Stage, phase: Phase, job: Job) -> Path:
        return self.run / ".done" / stage.name / phase.name / f"{job.name.replace('/', '-')}.json"

    def _outcome(self, stage: Stage, phase: Phase, job: Job, context: JobContext, *, scratch: bool) -> Outcome | None:
        """The outcome of a job that is done, None of one that is not."""
        path = self._marker(stage, phase, job)
        try:
            marker = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        if marker.get("fingerprint") != context.fingerprint:
            return None
        outputs = tuple(Output(**output) for output in marker["outputs"])
        for output in outputs:
            if output.path.startswith(SCRATCH) and not scratch:
                continue
            file = self.run / output.path
            if not file.is_file() or file.stat().st_size != output.bytes:
                return None
        return Outcome(outputs, marker["counts"], marker["facts"])

    def _finish(self, stage: Stage, identity: str, counts: Counts, outputs: list[Output]) -> None:
        """Remove what no job named, list the shards, write the manifest; a report of what was before goes."""
        (self.run / "report.html").unlink(missing_ok=True)
        named = {output.path for output in outputs}
        for folder in stage.folders:
            for path in sorted((self.run / folder).rglob("*"), reverse=True):
                relative = path.relative_to(self.run).as_posix()
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
                elif path.is_file() and relative not in named and not _left_alone(path):
                    path.unlink()
        ordered = sorted(outputs, key=lambda output: output.path)
        table = pa.table(
            {
                "name": [output.path for output in ordered],
                "rows": [output.rows for output in ordered],
                "bytes": [output.bytes for output in ordered],
                "fingerprint": [output.fingerprint for output in ordered],
            },
            schema=SHARDS,
        )
        write_table(self.run / "shards" / f"{stage.name}.parquet", table, SHARDS, JobContext(self.run, identity, 0))
        manifest = self._manifest()
        if stage.gets is not None:
            came = manifest["stages"][stage.gets]["counts"].get("kept", {}).get("documents", 0)
            got = counts.get("in", {}).get("documents", 0) - counts.get("withdrawn", {}).get("documents", 0)
            if came != got:
                raise CountError(
                    f"{stage.gets} kept {came} documents, {stage.name} got {got}", fix="please report this"
                )
        manifest["stages"][stage.name] = {
            "fingerprint": identity,
            "version": stage.load().VERSION,
            "counts": counts,
            "shards": len(ordered),
        }
        write_manifest(self.run, manifest)

    def finished(self, name: str) -> str:
        """The fingerprint of a stage that another follows.

        Raises:
            StaleError: it has not finished.
        """
        entry = read_manifest(self.run)["stages"].get(name)
        if entry is None:
            raise StaleError(f"stage {name} has not finished", where=str(self.run), fix=f"run it: --until {name}")
        return str(entry["fingerprint"])

    def _manifest(self) -> dict[str, Any]:
        manifest = read_manifest(self.run)
        recipe = self.recipe
        manifest |= {
            "hanjo": __version__,
            "name": recipe.name,
            "seed": recipe.seed,
            "as_of": recipe.as_of.isoformat(),
            "target": {"tokens": recipe.target.tokens, "rights": list(recipe.target.rights)},
        }
        return manifest

    def _forget_from(self, stage: Stage) -> None:
        """A stage that is made anew makes what follows it untrue: the manifest says so before anything changes."""
        (self.run / "report.html").unlink(missing_ok=True)
        if not (self.run / "manifest.json").exists():
            return
        manifest = read_manifest(self.run)
        later = [one.name for one in STAGES[STAGES.index(stage) :]]
        if any(name in manifest["stages"] for name in later):
            for name in later:
                manifest["stages"].pop(name, None)
            write_manifest(self.run, manifest)
        for name in later:  # without its list nobody takes a stage's shards for finished ones
            (self.run / "shards" / f"{name}.parquet").unlink(missing_ok=True)

    def _untold(self, stage: Stage, identity: str) -> bool:
        """Whether the manifest says something else of the stage, or of the recipe, than what stands."""
        manifest = read_manifest(self.run)
        entry = manifest["stages"].get(stage.name, {})
        return entry.get("fingerprint") != identity or self._manifest() != manifest

    def _refuse_quarantine(self, counts: Counts) -> None:
        came = counts.get("in", {}).get("documents", 0)
        causes = {r.partition("/")[2]: a["documents"] for r, a in counts.items() if r.startswith("quarantined/")}
        unread = sum(causes.values())
        limit = 0.0 if self.strict else self.recipe.max_quarantined
        if unread > limit * came:
            told = ", ".join(f"{cause} {number}" for cause, number in causes.items())
            allowed = "--strict allows none" if self.strict else f"the limit is {limit:.1%}"
            enough = min(1.0, math.ceil(unread / came * 100) / 100)
            raise QuarantineError(
                f"{unread} of {came} records could not be read ({told}); {allowed}",
                where=str(self.run / "quarantine"),
                fix=f"`hanjo status {self.run}` lists them; mend the files, or "
                + ("leave --strict out" if self.strict else f"--set max_quarantined={enough:g}"),
            )


def job_fingerprint(stage: Stage, phase: Phase, job: Job, settings: object) -> str:
    """What a job is made of: the fingerprint of its marker and of its files."""
    told = None if phase.told_all else settings
    return fingerprint(stage.name, stage.load().VERSION, told, job.name, dict(job.arguments), list(job.inputs))


def _left_alone(path: Path) -> bool:
    """Logs, and checkpoints that training set aside."""
    return path.suffix == ".log" or any(part.startswith("stale-") for part in path.parts)


@dataclass(frozen=True, slots=True)
class Timings:
    """Appends lines to timings.jsonl, the one file of a run (beside report.html) that knows the clock."""

    run: Path
    stage: str

    def write(self, **values: object) -> None:
        """Append one line with the stage, the time in UTC, and the values."""
        line = {"stage": self.stage, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **values}
        with (self.run / "timings.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line, sort_keys=True) + "\n")
