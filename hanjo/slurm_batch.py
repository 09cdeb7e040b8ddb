"""An array's folder in the run: orders for its tasks, their results, what it is; the one thing head and tasks share.

    RUN/.slurm/N/array.json     what was handed in: Slurm's number, and each task's jobs by name and fingerprint
    RUN/.slurm/N/script.sh      the batch script
    RUN/.slurm/N/orders/T       task T's jobs; a task works only while its order stands, so taking it back ends the task
    RUN/.slurm/N/results/T-J    what its J-th job came to
    RUN/.slurm/N/taken/T-J      the same, when the head has marked it done
    RUN/.slurm/N/logs/T.log     what the task printed

Written whole and renamed, like every file of a run. Nothing but the head's lock says who may hand in an array, and
nothing but a standing order lets a task write; so a head that was killed can be followed by another.
"""

from __future__ import annotations

import errno
import json
import os
import pickle
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import HanjoError
from corpus.shards import PRIVATE, Job, JobContext, atomic_path, private_folder, write_json
from hanjo.slurm import Array
from hanjo.workers import Done

FOLDER = ".slurm"
LEASE = 10.0  # seconds between a task's looks at its order
Key = tuple[str, str]
"""A job's name and fingerprint: what it is, whoever plans it."""
Place = tuple[int, int]
"""A task of an array, and the position of a job in it."""


@dataclass(slots=True)
class Batch:
    """One array. `keys[t][j]` is the j-th job of task t; `asked` the fingerprint of what was asked of Slurm for it."""

    folder: Path
    keys: list[list[Key]]
    asked: str
    array: Array | None = None

    @classmethod
    def made(cls, run: Path, tasks: Sequence[Sequence[tuple[Job, JobContext]]], asked: str) -> Batch:
        """Write the orders of a new array, which nobody has handed in yet."""
        taken = [int(path.name) for path in folders(run)]
        folder = private_folder(run / FOLDER) / str(max(taken, default=0) + 1)
        for name in ("", "orders", "results", "taken", "logs"):
            private_folder(folder / name)
        batch = cls(folder, [[key_of(job, context) for job, context in task] for task in tasks], asked)
        batch.write()
        for number, task in enumerate(tasks):
            _write(batch.order(number), pickle.dumps(list(task)))
        return batch

    @classmethod
    def read(cls, folder: Path) -> Batch | None:
        """What stands in a folder; None where a kill came before its list was written."""
        try:
            told = json.loads((folder / "array.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        keys = [[(str(name), str(made_of)) for name, made_of in task] for task in told["tasks"]]
        array = Array(told["number"], told["cluster"]) if told["number"] else None
        return cls(folder, keys, told["asked"], array)

    def write(self) -> None:
        """Write what this array is; again when Slurm has given it a number."""
        number, cluster = (self.array.number, self.array.cluster) if self.array else (None, None)
        told = {"asked": self.asked, "tasks": self.keys, "number": number, "cluster": cluster}
        write_json(self.folder / "array.json", told)

    def order(self, task: int) -> Path:
        """The file that lets a task work."""
        return self.folder / "orders" / str(task)

    def take_back(self, task: int | None = None) -> None:
        """Take a task's order back, or all of them: it begins nothing, or ends within `LEASE` seconds."""
        if task is not None:
            self.order(task).unlink(missing_ok=True)
        elif (self.folder / "orders").is_dir():
            for path in (self.folder / "orders").iterdir():
                path.unlink(missing_ok=True)

    def open_places(self) -> dict[Place, Key]:
        """The jobs that tasks may work on or tell of: the order stands, and the head has not taken the result."""
        taken = {place for path in (self.folder / "taken").iterdir() if (place := _place(path)) is not None}
        standing = {task for task in range(len(self.keys)) if self.order(task).exists()}
        every = (((task, j), key) for task in standing for j, key in enumerate(self.keys[task]))
        return {place: key for place, key in every if place not in taken}

    def results(self) -> Iterator[tuple[Place, Done | HanjoError]]:
        """The results that have come and not been removed."""
        look = self.folder / "results" / ".look"
        look.touch(PRIVATE)  # a network file system then lists the folder anew instead of from its memory
        look.unlink()
        for path in sorted((self.folder / "results").iterdir()):
            place = _place(path)
            if place is not None:
                yield place, pickle.loads(path.read_bytes())

    def taken(self, place: Place) -> None:
        """Put a result aside: its job is marked done."""
        name = f"{place[0]}-{place[1]}"
        (self.folder / "results" / name).replace(self.folder / "taken" / name)

    def remove(self) -> None:
        """Remove the folder; what a task still writes there is of no use to anyone."""
        self.take_back()
        shutil.rmtree(self.folder, ignore_errors=True)


def folders(run: Path) -> list[Path]:
    """The arrays' folders of a run, oldest first."""
    return sorted(
        (path for path in (run / FOLDER).glob("[0-9]*") if path.name.isdigit()), key=lambda path: int(path.name)
    )


def key_of(job: Job, context: JobContext) -> Key:
    """What a job is known by."""
    return job.name, context.fingerprint


def read_order(path: Path) -> list[tuple[Job, JobContext]] | None:
    """A task's jobs; None when they were taken back. Imports what the jobs are made of."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        if gone(error):
            return None
        raise
    jobs: list[tuple[Job, JobContext]] = pickle.loads(packed)
    return jobs


def gone(error: OSError) -> bool:
    """Whether a file was removed, as a network file system may also say it."""
    return error.errno in (errno.ENOENT, errno.ESTALE)


def write_result(order: Path, place: Place, found: Done | HanjoError) -> None:
    """Tell the head what a job came to."""
    _write(order.parents[1] / "results" / f"{place[0]}-{place[1]}", pickle.dumps(found))


def stands(run: Path, done: Done) -> bool:
    """Whether the files of a job are seen here as it left them. They are opened: a name may be remembered wrongly."""
    for output in done.outcome.outputs:
        try:
            with (run / output.path).open("rb") as handle:
                if os.fstat(handle.fileno()).st_size != output.bytes:
                    return False
        except OSError:
            return False
    return True


def _place(path: Path) -> Place | None:
    task, _, position = path.name.partition("-")
    return (int(task), int(position)) if task.isdigit() and position.isdigit() else None


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path, PRIVATE) as temporary:
        temporary.write_bytes(content)
