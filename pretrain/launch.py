"""Starts the ranks through DeepSpeed's launcher and watches them: log, progress, errors, and no orphans.

`train` starts `python -m pretrain.launch …`, which is DeepSpeed's node launcher (what the `deepspeed` command starts
on each machine, by itself 2.5 s faster) tied to our life; that starts `python -m pretrain.train --run RUN` for each
rank. Several machines: `deepspeed --hostfile … --module pretrain.train --run RUN` on the plan that lies in the run.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from corpus.errors import TrainingError
from corpus.processes import die_with_parent
from pretrain.checkpoints import Say, resume_point
from pretrain.messages import heard, heard_error, leave
from pretrain.plan import Plan, write_plan

_GRACE = 10.0  # seconds that stopped ranks have to end by themselves
_RAISED = re.compile(r"^(?:\[rank\d+\]:\s*)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*)")
_NOISE = re.compile(r"CalledProcessError|SIGTERM|Killing subprocess")


def train(run: Path, plan: Plan, say: Say) -> None:
    """Train as planned: from the newest checkpoint to `plan.until` steps.

    Args:
        run: the run's folder; output goes to pretrain/train.log there.
        say: is given the lines of progress.

    Raises:
        TrainingError: a rank failed, with its own words; or the checkpoints cannot be resumed.
        StaleError: logs and checkpoints do not belong together.
    """
    (run / "pretrain").mkdir(parents=True, exist_ok=True)
    plan.sampler()  # too few tokens are told before anything starts
    resume_point(run, plan, say)
    write_plan(run, plan)
    log = run / "pretrain" / "train.log"
    process = subprocess.Popen(
        command(run, plan),
        env=environment(plan),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        error, tail = _follow(process, log, say)
        code = process.wait()
    finally:
        _stop(process)
    if error is not None:
        raise error
    if code:
        raise _unforeseen(code, tail, log)


def command(run: Path, plan: Plan) -> list[str]:
    """The command that starts all ranks of this machine; it needs nothing from PATH."""
    devices: list[int | str] = list(range(plan.ranks))
    chosen = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    if plan.gpu and chosen:  # the node launcher sets this variable anew, from the list it is given
        devices = list(chosen[: plan.ranks])
    world = base64.urlsafe_b64encode(json.dumps({"localhost": devices}).encode()).decode()
    launcher = [sys.executable, "-u", "-m", "pretrain.launch", f"--world_info={world}"]
    return [*launcher, f"--master_port={free_port()}", "--log_level=warning", *training(run)]


def training(run: Path) -> list[str]:
    """What every launcher of DeepSpeed is asked to start."""
    return ["--module", "pretrain.train", "--run", str(run)]


def environment(plan: Plan) -> dict[str, str]:
    """The ranks' environment: ours, with the accelerator, threads, and where our packages lie."""
    variables = dict(os.environ)
    here = str(Path(__file__).resolve().parents[1])
    paths = [here, *filter(None, [variables.get("PYTHONPATH")])]
    variables |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",  # a random.py in the folder we are started from must not shadow the standard library
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "HANJO_PARENT": str(os.getpid()),
    }
    if not plan.gpu:
        variables |= {"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": str(plan.settings.threads)}
        variables |= {"LOCAL_WORLD_SIZE": str(plan.ranks)}
        # glibc gives large buffers back to the system and faults them in again at every step; keeping them took
        # 13 % off a step of 4 × 256 tokens with 8,192 entries.
        variables |= {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
    return variables


def free_port() -> int:
    """A TCP port on the loopback interface that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _follow(process: subprocess.Popen[str], log: Path, say: Say) -> tuple[TrainingError | None, Sequence[str]]:
    """Read the ranks' output to its end; the first error that a rank told, and the last lines."""
    error: TrainingError | None = None
    tail: deque[str] = deque(maxlen=400)
    if process.stdout is None:
        raise TrainingError("the launcher gives no output")
    with log.open("a", encoding="utf-8") as kept:
        for line in process.stdout:
            kept.write(line)
            kept.flush()
            tail.append(line.rstrip("\n"))
            progress = heard(line)
            if progress is not None:
                say(progress)
            error = error or heard_error(line)
    return error, tail


def _stop(process: subprocess.Popen[str]) -> None:
    """End launcher and ranks, whatever state they are in; they are a process group of their own."""
    if process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(_GRACE)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
    if process.stdout is not None:
        process.stdout.close()


def _unforeseen(code: int, tail: Sequence[str], log: Path) -> TrainingError:
    """An error from what the ranks printed: the last exception's line, not the traceback."""
    raised = [match[1] for line in tail if (match := _RAISED.match(line)) and not _NOISE.search(line)]
    if raised:
        what = f"a rank failed: {raised[0] if len(raised) == 1 else raised[-1]}"
    elif code in (-signal.SIGKILL, 256 - signal.SIGKILL):
        what = "a rank was killed: from outside, or because memory ran out"
    else:
        what = f"the launcher ended with exit code {code}"
    return TrainingError(
        what, where=str(log), fix="the log has the whole story; run again to go on from the last checkpoint"
    )


def _node() -> None:
    """DeepSpeed's node launcher, which dies with the process that started it."""
    parent = os.environ.get("HANJO_PARENT")
    die_with_parent(int(parent) if parent else None)
    from deepspeed.launcher.launch import main

    main()
    leave()


if __name__ == "__main__":
    _node()
