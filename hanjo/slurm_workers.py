"""Jobs in arrays of Slurm, from a head process that plans, waits and marks: the same jobs, the same bytes.

It takes the place of `hanjo/workers.py`'s pool where a recipe says `execution.kind: slurm`. A head that was killed
leaves its arrays at work; the next one takes up those whose jobs it wants as they are, and ends the others before it
begins. What a task may do and how it tells stand in `hanjo/slurm_batch.py`.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from corpus.errors import HanjoError, LockedError, UsageError, WorkerError
from corpus.manifest import fingerprint
from corpus.shards import Job, JobContext
from hanjo import slurm
from hanjo.slurm import Array, SilentError, TaskState
from hanjo.slurm_batch import FOLDER, LEASE, Batch, Key, Place, folders, key_of, stands
from hanjo.slurm_settings import SlurmSettings
from hanjo.version import __version__
from hanjo.workers import Done

Finished = Callable[[Job, JobContext, Done], None]

_LOOK, _LOOK_AT_LEAST = 0.5, 5.0  # seconds between looks at the results: at first, and when nothing comes
_FENCE = 3 * LEASE  # by then a task whose order was taken back has ended, wherever it is
_SETTLE = 90.0  # seconds that a network file system may take to show what another machine wrote
_PATIENCE = 1800.0  # seconds that Slurm may be silent
_INTERRUPTED = ("PREEMPTED", "NODE_FAIL", "BOOT_FAIL", "REVOKED")
_HOPELESS = ("BadConstraints", "PartitionNodeLimit", "PartitionTimeLimit", "launch failed requeued held")
_TAIL = 2000  # characters of a log that an error shows
_FIXES = {
    "OUT_OF_MEMORY": "raise execution.slurm.spare_memory, or lower execution.memory, which the jobs plan with",
    "TIMEOUT": "raise execution.slurm.time, or execution.slurm.array so that a task has fewer jobs",
    "DEADLINE": "raise execution.slurm.time, or leave --deadline out",
    "CANCELLED": "somebody cancelled it; see whether that was meant",
}


@dataclass(slots=True)
class _Watched:
    """An array at work: what is missing of it, the tasks that gave a result, and since when something is awaited."""

    batch: Batch
    missing: dict[Place, Key]
    came: set[int] = field(default_factory=set)
    unseen: dict[Place, float] = field(default_factory=dict)
    left: dict[int, float] = field(default_factory=dict)

    @property
    def array(self) -> Array:
        assert self.batch.array is not None  # what has no number is not watched
        return self.batch.array


class SlurmWorkers:
    """Arrays of Slurm. Use it in a `with`, under the run's lock.

    Args:
        number: tasks of an array at work at a time.
        memory: bytes that a job may plan with.
        base: folder that a relative `logs` starts from.
    """

    def __init__(self, run: Path, number: int, memory: int, settings: SlurmSettings, base: Path) -> None:
        self.run, self.number, self.memory, self.settings, self.base = run, number, memory, settings, base
        self._asked = fingerprint("slurm", __version__, memory, settings)
        self._largest: int | None = None
        self._settled = False
        self._batches: list[_Watched] = []
        self._todo: dict[Key, tuple[Job, JobContext]] = {}
        self._tries: Counter[Key] = Counter()

    def __enter__(self) -> SlurmWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()
        with suppress(OSError):  # not empty: what a failure left there is looked at, and taken up by the next head
            (self.run / FOLDER).rmdir()

    def settle(self) -> None:
        """End what an earlier head left at work, before anything is written here."""
        if not self._settled:
            self._take_up({}, lambda *_: None)

    def carry_out_all(self, jobs: Iterable[tuple[Job, JobContext]], finished: Finished) -> None:
        """Run jobs; `finished` is called here, in this process, as each one ends.

        Raises:
            UsageError: Slurm refuses what is asked, or is not here. WorkerError: a task died, or Slurm is silent.
            HanjoError: a job failed; tasks at work are cancelled, what has finished stays done.
        """
        self._todo = {key_of(job, context): (job, context) for job, context in jobs}
        try:
            if not self._settled:
                self._take_up(self._todo, finished)
            awaited = {key for watched in self._batches for key in watched.missing.values()}
            self._hand_in([key for key in self._todo if key not in awaited])
            asked = heard = time.monotonic()
            pause = _LOOK
            while self._batches:
                pause = _LOOK if self._harvest(finished) else min(pause * 1.5, _LOOK_AT_LEAST)
                if time.monotonic() - asked >= self.settings.poll and self._batches:
                    asked = time.monotonic()
                    try:
                        ended = [task for watched in self._batches for task in self._ended(watched)]
                    except SilentError as error:
                        _refuse_silence(heard, error)
                        continue
                    heard = asked
                    if ended:
                        self._harvest(finished)
                        self._go_on_after(ended)
                if self._batches:
                    time.sleep(min(pause, self.settings.poll))
        except BaseException:
            self._cancel()
            raise

    # Handing in

    def _hand_in(self, keys: list[Key]) -> None:
        """Hand in jobs: one a task where the array has room, else as many more as it takes."""
        if not keys:
            return
        if self._largest is None:
            self._largest = slurm.largest_array()
        tasks = min(len(keys), self.settings.array, self._largest)
        self._submit([[self._todo[key] for key in keys[task::tasks]] for task in range(tasks)])

    def _submit(self, tasks: list[list[tuple[Job, JobContext]]]) -> None:
        began = time.monotonic()
        while True:
            batch = Batch.made(self.run, tasks, self._asked)
            path = batch.folder / "script.sh"
            path.write_text(slurm.script(self.settings, batch.folder), encoding="utf-8")
            given = slurm.arguments(
                self.settings,
                name=f"hanjo-{self.run.name}",
                memory=self.memory,
                tasks=len(tasks),
                at_a_time=self.number,
                log=self._log(batch),
            )
            try:
                batch.array = slurm.submit(given, path)
                batch.write()
                self._batches.append(_Watched(batch, batch.open_places()))
                return
            except BaseException as error:
                batch.take_back()  # Slurm may have taken the array all the same: then its tasks find nothing to do
                if isinstance(error, UsageError):
                    batch.remove()
                if not isinstance(error, SilentError):
                    raise
                _refuse_silence(began, error)
            time.sleep(_FENCE)
            batch.remove()

    def _log(self, batch: Batch, task: int | str = "%a") -> str:
        """Path of a task's log; `%a` is Slurm's word for each task's number."""
        folder, prefix = batch.folder / "logs", ""
        if self.settings.logs is not None:
            folder, prefix = self.base / self.settings.logs, f"{self.run.name}-{batch.folder.name}-"
            folder.mkdir(parents=True, exist_ok=True)
        path = f"{folder.resolve()}/{prefix}"
        return (path.replace("%", "%%") if task == "%a" else path) + f"{task}.log"

    # What came of it

    def _harvest(self, finished: Finished) -> bool:
        """Take the results that have come, if any; the first failure is raised when all others have been taken."""
        failure: HanjoError | None = None
        any_came = False
        for watched in self._batches:
            for place, found in watched.batch.results():
                key = watched.missing.get(place)
                if key is not None and isinstance(found, Done):
                    since = watched.unseen.setdefault(place, time.monotonic())
                    if not stands(self.run, found) and time.monotonic() - since < _SETTLE:
                        continue
                    finished(*self._todo[key], found)
                    watched.came.add(place[0])
                elif key is not None and isinstance(found, HanjoError):
                    failure = failure or found
                    continue  # its result stays beside its log, for who looks there
                watched.missing.pop(place, None)
                watched.batch.taken(place)
                any_came = True
        if failure is not None:
            raise failure
        for watched in [watched for watched in self._batches if not watched.missing]:
            self._batches.remove(watched)
            watched.batch.remove()
        return any_came

    def _ended(self, watched: _Watched) -> list[tuple[_Watched, int, TaskState]]:
        """The tasks that have ended, by Slurm's word, with results missing; those that will never begin raise."""
        told = slurm.states(watched.array)
        found = []
        for task in sorted({task for task, _ in watched.missing}):
            state = told.get(task)
            if state is not None and not state.ended:
                if state.reason in _HOPELESS:
                    raise UsageError(
                        f"array {watched.array.number} waits for ever: {state.reason}",
                        where="execution.slurm",
                        fix="`scontrol show job` says more; mend the settings and run again",
                    )
                continue
            on_the_way = state is None or state.state == "COMPLETED"
            if on_the_way and time.monotonic() - watched.left.setdefault(task, time.monotonic()) < _SETTLE:
                continue
            how = slurm.how_it_ended(watched.array, task, state)
            if how.ended or how.state == "UNKNOWN":
                found.append((watched, task, how))
        return found

    def _go_on_after(self, ended: list[tuple[_Watched, int, TaskState]]) -> None:
        """Hand in again what tasks left undone that were interrupted; any other end raises."""
        again: list[Key] = []
        lost = False
        for watched, task, how in ended:
            places = [place for place in watched.missing if place[0] == task]
            if not places:
                continue  # its last results came after all
            keys = [watched.missing[place] for place in places]
            self._tries.update(keys[:1])
            some_time = how.state == "TIMEOUT" and task in watched.came
            tries_left = how.state in _INTERRUPTED and self._tries[keys[0]] <= self.settings.retries
            if not some_time and not tries_left:
                raise self._death(watched, task, how, keys[0][0])
            lost = lost or how.state == "NODE_FAIL"
            watched.batch.take_back(task)
            for place in places:
                del watched.missing[place]
            again += keys
        if lost:  # the node may still be at work, only unseen
            time.sleep(_FENCE)
        self._hand_in(again)

    def _death(self, watched: _Watched, task: int, how: TaskState, job: str) -> WorkerError:
        log = self._log(watched.batch, task)
        told = [f"on node {how.node}" if how.node else "", f"exit code {how.exit_code}" if how.exit_code else ""]
        about = ", ".join(part for part in (*told, how.reason) if part)
        what = f"task {watched.array.number}_{task} of Slurm ended: {how.state}" + (f" ({about})" if about else "")
        tail = _tail_of(Path(log))
        # Where the kernel does not bound a task's memory, Slurm ends it as FAILED and says why in its log alone.
        cause = "OUT_OF_MEMORY" if how.state == "FAILED" and "exceeded memory limit" in tail else how.state
        return WorkerError(
            what + (f"; its log ends:\n{tail}" if tail else "; it left no log"),
            where=f"job {job}",
            fix=_FIXES.get(cause, f"mend what {log} says") + "; then run again: finished jobs are kept",
        )

    # Beginning and end

    def _take_up(self, todo: dict[Key, tuple[Job, JobContext]], finished: Finished) -> None:
        """Go through what an earlier head left: take its results, go on with an array that is as wanted, end others."""
        for folder in folders(self.run):
            batch = Batch.read(folder)
            if batch is None:
                Batch(folder, [], "").remove()  # no order had been written
                continue
            states = slurm.states(batch.array) if batch.array else {}
            live = any(not state.ended for state in states.values())
            results = dict(batch.results())
            # What has come is written; what is missing may be written at any moment.
            missing = {place: key for place, key in batch.open_places().items() if place not in results}
            failed = any(isinstance(found, HanjoError) for found in results.values())
            wanted = batch.asked == self._asked and not failed and all(key in todo for key in missing.values())
            if live and not wanted:
                end(batch)
            elif missing and not live and (not states or any(s.state == "NODE_FAIL" for s in states.values())):
                batch.take_back()  # Slurm cannot say that nobody is at work
                time.sleep(_FENCE)
            results |= batch.results()
            for (task, position), found in results.items():
                key = batch.keys[task][position]
                if isinstance(found, Done) and key in todo and stands(self.run, found):
                    finished(*todo.pop(key), found)
                    batch.taken((task, position))
            if live and wanted and missing:
                self._batches.append(_Watched(batch, missing))
            else:
                batch.remove()
        self._settled = True

    def _cancel(self) -> None:
        """End every array at work. Without an answer of Slurm the orders are gone all the same."""
        batches, self._batches = self._batches, []
        for watched in batches:
            watched.batch.take_back()
        for watched in batches:
            try:
                end(watched.batch)
            except SilentError:
                continue


def refuse_left_over(run: Path) -> None:
    """Refuse to work on a run by other means than Slurm while tasks of Slurm may.

    Raises:
        LockedError: an array is at work, or nobody can say.
    """
    for folder in folders(run):
        batch = Batch.read(folder)
        number = batch.array.number if batch and batch.array else None
        try:
            live = batch is not None and is_live(batch)
        except (SilentError, UsageError):
            live = True
        if live:
            raise LockedError(
                f"tasks of Slurm{f' (array {number})' if number else ''} may still work on this run",
                where=str(folder),
                fix=f"go on with execution.kind: slurm; or `scancel {number or 'NUMBER'}`, and remove that folder when "
                "squeue shows no task of it",
            )


def is_live(batch: Batch) -> bool:
    """Whether a task of an array may still work; one whose number nobody noted is presumed to.

    Raises:
        SilentError: Slurm does not answer.
    """
    if batch.array is None:
        return bool(batch.open_places())
    return any(not state.ended for state in slurm.states(batch.array).values())


def end(batch: Batch) -> None:
    """Take an array's orders back, cancel it, and wait until none of its tasks is left.

    Raises:
        SilentError: Slurm does not answer. WorkerError: it goes on.
    """
    batch.take_back()
    if batch.array is None:
        return
    slurm.cancel(batch.array)
    began = time.monotonic()
    while is_live(batch):
        if time.monotonic() - began > _PATIENCE:
            raise WorkerError(
                f"array {batch.array.number} does not end, though cancelled",
                where="execution.kind: slurm",
                fix="see `squeue`; a node that does not answer is the administrators' to mend",
            )
        time.sleep(_LOOK)


def _refuse_silence(since: float, error: SilentError) -> None:
    if time.monotonic() - since > _PATIENCE:
        raise error


def _tail_of(log: Path) -> str:
    """The last lines of a log, indented; empty where there is none."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, handle.seek(0, os.SEEK_END) - _TAIL))
            text = handle.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-10:])
