"""The commands of Slurm: sbatch, squeue, scontrol, sacct and scancel, their arguments and what they print.

No more is believed of them than they can know: whether a job is done its result says (`hanjo/slurm_batch.py`), and
Slurm only whether a task may still work and why it ended. sacct is asked last, since many clusters keep no accounts.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import UsageError, WorkerError
from hanjo.slurm_settings import SlurmSettings

_DIED = (
    "BOOT_FAIL",
    "CANCELLED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
)
_KEPT = ("SLURM_CONF", "SLURM_JWT", "SLURM_CLUSTERS")
_NO_SUCH = "Invalid job id"
_SILENT = ("Unable to contact", "Socket timed out", "temporarily unable", "Zero Bytes", "onnection refused", "timeout")
_LIMITS = ("SubmitJob", "job array specification", "violates accounting/QOS policy")
_ANSWER = 120  # seconds that a command of Slurm may take


class SilentError(WorkerError):
    """The controller does not answer; it may do so again."""


@dataclass(frozen=True, slots=True)
class Array:
    """A job array that was handed in: its number, and its cluster where sbatch named one."""

    number: str
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class TaskState:
    """How a task is, or how it ended; what Slurm did not tell is empty."""

    state: str
    node: str = ""
    reason: str = ""
    exit_code: str = ""

    @property
    def ended(self) -> bool:
        """Whether none of its processes is left."""
        return self.state == "COMPLETED" or self.state in _DIED


def script(settings: SlurmSettings, folder: Path) -> str:
    """The batch script of an array whose orders lie in `folder`."""
    lines = ["#!/bin/bash", "# One task of an array that `hanjo run` handed in (docs/executors.md).", "set -e"]
    if settings.setup:
        lines += settings.setup.rstrip("\n").split("\n")
    root = Path(__file__).resolve().parents[1]
    if root not in (Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")):  # a checkout
        lines.append(f"export PYTHONPATH={shlex.quote(str(root))}${{PYTHONPATH:+:$PYTHONPATH}}")
    python = shlex.quote(settings.python or sys.executable)
    lines.append(f'exec {python} -P -m hanjo.slurm_task {shlex.quote(str(folder))} "$SLURM_ARRAY_TASK_ID"')
    return "\n".join(lines) + "\n"


def arguments(settings: SlurmSettings, *, name: str, memory: int, tasks: int, at_a_time: int, log: str) -> list[str]:
    """The arguments of sbatch for an array. On the command line, so that no SBATCH_ variable outdoes the recipe.

    Args:
        memory: bytes that a job may plan with.
        log: path of the tasks' logs, with Slurm's `%a` for a task's number.
    """
    told = {
        "job-name": name,
        "array": f"0-{tasks - 1}%{at_a_time}",
        "nodes": 1,
        "ntasks": 1,
        "cpus-per-task": settings.cpus,
        "mem": f"{-(-(memory + settings.spare_memory) // (1 << 20))}M",
        "output": log,
        "error": log,
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "time": settings.time,
    }
    given = [f"--{key}={value}" for key, value in told.items() if value is not None]
    return ["--parsable", "--no-requeue", *given, *settings.options]


def submit(given: Sequence[str], path: Path) -> Array:
    """Hand in the batch script at `path`.

    Raises:
        UsageError: Slurm refused it. SilentError: no answer, and it may have been taken all the same.
    """
    done = _call("sbatch", *given, str(path))
    if done.returncode:
        told = " ".join(line.removeprefix("sbatch: ").removeprefix("error: ") for line in done.stderr.splitlines())
        _raise_silent(told)
        fix = "mend execution.slurm or execution.memory; `sinfo` and `scontrol show partition` say what there is"
        if any(limit in told for limit in _LIMITS):
            fix = "lower execution.slurm.array, the tasks that are handed in at once; or: " + fix
        raise UsageError(f"sbatch refused the array: {told}", where="execution.slurm", fix=fix)
    number, _, cluster = done.stdout.strip().splitlines()[-1].partition(";")
    return Array(number, cluster or None)


def states(array: Array) -> dict[int, TaskState]:
    """Every task of an array that Slurm still knows; those long ended are forgotten (MinJobAge).

    Raises:
        SilentError: no answer.
    """
    asked = ("--noheader", "--states=all", f"--jobs={array.number}", "--format=%K|%T|%N|%r")
    done = _call("squeue", *_of(array), *asked)
    if done.returncode:
        if _NO_SUCH in done.stderr:
            return {}
        raise SilentError(f"squeue: {done.stderr.strip() or done.returncode}", where=f"array {array.number}")
    return parse_states(done.stdout)


def parse_states(text: str) -> dict[int, TaskState]:
    """What `squeue --format=%K|%T|%N|%r` printed, task by task; tasks that wait stand in one line together."""
    found = {}
    for line in text.splitlines():
        indices, state, node, reason = line.strip().split("|", 3)
        for index in parse_indices(indices):
            found[index] = TaskState(state, node, "" if reason == "None" else reason)
    return found


def parse_indices(text: str) -> list[int]:
    """The tasks that an expression such as `3-9:2,12%4` names."""
    found: list[int] = []
    for part in text.partition("%")[0].split(","):
        if matched := re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part):
            first, last, step = int(matched[1]), int(matched[2] or matched[1]), int(matched[3] or 1)
            found += range(first, last + 1, step)
    return found


def how_it_ended(array: Array, task: int, known: TaskState | None) -> TaskState:
    """All that can be learned of a task that ended: scontrol for a while, then sacct if it keeps accounts."""
    one = f"{array.number}_{task}"
    try:
        shown = _call("scontrol", *_of(array), "--oneliner", "show", "job", one)
        if shown.returncode == 0:
            return parse_shown(shown.stdout)
        kept = _call("sacct", *_of(array), "-X", "-n", "-P", "-j", one, "-o", "State,NodeList,ExitCode")
    except (SilentError, UsageError):
        return known or TaskState("UNKNOWN")
    rows = [line.split("|") for line in kept.stdout.splitlines() if line.count("|") == 2]
    if kept.returncode or not rows:
        return known or TaskState("UNKNOWN")
    state, node, exit_code = rows[-1]
    return TaskState(state.split()[0], node, "", exit_code)  # "CANCELLED by 1000"


def parse_shown(text: str) -> TaskState:
    """What `scontrol --oneliner show job` printed of one task."""
    values = dict(re.findall(r"(\w+)=(\S*)", text))
    node = values.get("NodeList", "")
    reason = values.get("Reason", "")
    return TaskState(
        values.get("JobState", "UNKNOWN"),
        "" if node == "(null)" else node,
        "" if reason == "None" else reason,
        values.get("ExitCode", ""),
    )


def cancel(array: Array) -> None:
    """Cancel an array; one that has ended is no error.

    Raises:
        SilentError: no answer.
    """
    done = _call("scancel", *_of(array), array.number)
    if done.returncode:
        _raise_silent(done.stderr.strip())


def largest_array() -> int:
    """The tasks that the cluster allows in one array; without its word, Slurm's default."""
    done = _call("scontrol", "show", "config")
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", done.stdout, re.MULTILINE)
    return int(found[1]) if found else 1001


def _of(array: Array) -> list[str]:
    return [f"--clusters={array.cluster}"] if array.cluster else []


def _raise_silent(told: str) -> None:
    if any(part in told for part in _SILENT):
        raise SilentError(f"Slurm does not answer: {told}", where="execution.kind: slurm")


def _call(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Slurm without the variables of a job that we ourselves may be: they would change its meaning."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_") or name in _KEPT}
    environment["SLURM_BITSTR_LEN"] = "0"  # else the tasks that wait are told in 64 characters, the rest cut off
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, errors="replace", check=False, timeout=_ANSWER
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no {command[0]} here",
            where="execution.kind: slurm",
            fix="run this where Slurm's commands are, on a login node or in a job, or write execution.kind: local",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SilentError(f"{command[0]} did not answer in {_ANSWER} s", where="execution.kind: slurm") from error
