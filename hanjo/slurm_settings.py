"""What a recipe may say of Slurm: the keys below `execution.slurm`, checked before anything is handed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge
from pydantic import BeforeValidator

from corpus.settings import Size, setting

# Options of sbatch that an array of hanjo cannot do without, or that the recipe says elsewhere.
_OURS = {
    "array": "execution.slurm.array",
    "a": "execution.slurm.array",
    "mem": "execution.memory and execution.slurm.spare_memory",
    "time": "execution.slurm.time",
    "t": "execution.slurm.time",
    "partition": "execution.slurm.partition",
    "p": "execution.slurm.partition",
    "account": "execution.slurm.account",
    "A": "execution.slurm.account",
    "qos": "execution.slurm.qos",
    "q": "execution.slurm.qos",
    "cpus-per-task": "execution.slurm.cpus",
    "c": "execution.slurm.cpus",
    "output": "execution.slurm.logs",
    "o": "execution.slurm.logs",
    "error": "execution.slurm.logs",
    "e": "execution.slurm.logs",
}
_NEVER = ("parsable", "wait", "W", "wrap", "requeue", "nodes", "N", "ntasks", "n", "mem-per-cpu", "test-only")
_TIME = r"\d+|\d+:\d\d|\d+:\d\d:\d\d|\d+-\d+(:\d\d){0,2}"


def _time(value: object) -> object:
    """A time limit as Slurm writes it; a plain number is minutes there and here."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not (isinstance(value, str) and re.fullmatch(_TIME, value)):
        raise ValueError("no time of Slurm; write 90 (minutes), 12:00:00 or 2-00:00:00 (days before the hyphen)")
    return value


@dataclass(frozen=True, slots=True)
class SlurmSettings:
    """What a task of an array asks of Slurm. A task runs one job after another, or just one where there is room."""

    partition: str | None = setting(None, "partition to run in; null: the cluster's default")
    account: str | None = setting(None, "account to charge; null: the user's default")
    qos: str | None = setting(None, "quality of service; null: the default")
    time: Annotated[str | None, BeforeValidator(_time)] = setting(
        None, "time limit of a task as Slurm writes it: 12:00:00, 2-00:00:00; null: the partition's default"
    )
    cpus: Annotated[int, Ge(1)] = setting(
        1, "CPUs of a task; a job keeps to one, more are of use where a cluster ties memory to them", unit="CPUs"
    )
    spare_memory: Size = setting(
        512 << 20,
        "asked for a task on top of execution.memory: the interpreter and its libraries, which jobs do not plan with",
        unit="bytes",
    )
    array: Annotated[int, Ge(1)] = setting(
        1000, "tasks of one array at most; fewer where the cluster's MaxArraySize is smaller", unit="tasks"
    )
    retries: Annotated[int, Ge(0)] = setting(
        3, "times that a job is handed in again after its task was preempted or lost its node", unit="times"
    )
    setup: str | None = setting(None, "shell lines before a task's Python starts: `module load …`, `source …/activate`")
    python: str | None = setting(None, "Python of the tasks; null: the one that `hanjo run` runs in")
    logs: str | None = setting(
        None, "folder of the tasks' logs, which every node must see; null: with their array in the run's .slurm/"
    )
    poll: Annotated[float, Ge(0.1)] = setting(10.0, "how often Slurm is asked how its tasks are", unit="seconds")
    options: tuple[str, ...] = setting((), "further options of sbatch, each one a string: --constraint=…")

    def __post_init__(self) -> None:
        for option in self.options:
            found = re.fullmatch(r"--([a-z][a-z\-]*)(=.*)?|-([a-zA-Z])(.*)", option, re.DOTALL)
            if found is None:
                raise ValueError(f"options: {option!r} is no option of sbatch; write e.g. '--constraint=skylake'")
            name = found[1] or found[3]
            if name in _OURS:
                raise ValueError(f"options: {option!r} is said by {_OURS[name]}")
            if name in _NEVER:
                raise ValueError(f"options: {option!r} would break how jobs are handed in and awaited; leave it out")
