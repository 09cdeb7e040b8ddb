"""The harness in a process of its own: started, fed, watched and read here.

Between `eval/stage.py` and `eval/harness.py`. The child gets its own environment (no network, caches in the scratch
folder, threads), leaves its memory behind when it ends, and ends when its parent does: it watches its standard input.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import corpus.errors
from corpus.errors import HanjoError, WorkerError
from corpus.shards import write_json
from eval.harness import Answers, Request, evaluate

_ROOT = Path(__file__).resolve().parents[1]  # the folder that the packages are imported from
_REQUEST, _ANSWERS = "request.json", "answers.json"
_LINES = 12
_PROGRESS = re.compile(r"\d+%\|")  # lm-eval's bars, which it cannot be asked to leave out


def evaluate_apart(request: Request, scratch: Path) -> Answers:
    """`eval.harness.evaluate` in a new process.

    Args:
        request: what to evaluate.
        scratch: a folder for the child's log, caches and answers; the caller removes it.

    Raises:
        HanjoError: as `evaluate` raises; WorkerError: the child died, with the last lines of its log.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    log, answers = scratch / "evaluate.log", scratch / _ANSWERS
    answers.unlink(missing_ok=True)
    (scratch / _REQUEST).write_text(json.dumps(asdict(request)), encoding="utf-8")
    # -P: neither the working folder nor the script's may shadow a module.
    command = [sys.executable, "-P", "-m", "eval.apart", str(scratch)]
    environment = _environment(scratch, request.threads)
    # The child's standard input is a lifeline: it closes when this block or this process ends, and the child with it.
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment) as child,
    ):
        code = child.wait()
    if code != 0 or not answers.exists():
        raise _death(code, log)
    answer: dict[str, Any] = json.loads(answers.read_text(encoding="utf-8"))
    if "error" in answer:
        kind: type[HanjoError] = getattr(corpus.errors, answer["error"].pop("kind"))
        raise kind(answer["error"].pop("what"), **answer["error"])
    return Answers(**answer)


def _environment(scratch: Path, threads: int) -> dict[str, str]:
    path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
    return os.environ | {
        "PYTHONPATH": path,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HOME": str(scratch / "caches"),
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait must not hold the cores that others need
        "PYTHONHASHSEED": "0",
    }


def _death(code: int, log: Path) -> WorkerError:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    lines = [line for line in lines if not _PROGRESS.search(line)][-_LINES:]
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    fix = "lower evaluate.batch_size if memory ran out" if code == -9 else "see its log"
    what = "\n    ".join([f"the evaluation {how}; the last lines of its log:", *lines])
    return WorkerError(what, where=str(log), fix=fix)


def main() -> None:
    """The child: reads the request in the folder that is its only argument, and leaves answers or an error there."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    scratch = Path(sys.argv[1])
    request = json.loads((scratch / _REQUEST).read_text(encoding="utf-8"))
    for name in ("suites", "models"):
        request[name] = tuple(request[name])
    try:
        answer: dict[str, Any] = asdict(evaluate(Request(**request)))
    except HanjoError as error:
        answer = {"error": {"kind": type(error).__name__, "what": error.what, "where": error.where, "fix": error.fix}}
    write_json(scratch / _ANSWERS, answer)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when the parent closes the pipe, or is gone
    os._exit(1)


if __name__ == "__main__":
    main()
