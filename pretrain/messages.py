"""What a training rank tells its launcher, through its output: lines of progress, and one line when it fails.

Other output (DeepSpeed's log, warnings) goes to pretrain/train.log only.
"""

from __future__ import annotations

import json
import os
import sys
from typing import NoReturn

from corpus.errors import HanjoError, TrainingError

_SAY, _ERROR = "hanjo: ", "hanjo-error: "


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"{_SAY}{text}", flush=True)


def say_error(error: HanjoError) -> None:
    """Print an error as the line that `heard_error` reads."""
    print(_ERROR + json.dumps([error.what, error.where, error.fix]), flush=True)


def heard(line: str) -> str | None:
    """The progress in a line of output, None where it is none."""
    return line.rstrip("\n").removeprefix(_SAY) if line.startswith(_SAY) else None


def heard_error(line: str) -> TrainingError | None:
    """The error in a line of output, None where it is none."""
    if not line.startswith(_ERROR):
        return None
    what, where, fix = json.loads(line.removeprefix(_ERROR))
    return TrainingError(what, where=where, fix=fix)


def leave() -> NoReturn:
    """End a process whose work is done and on disk, without the seconds that taking torch apart would cost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
