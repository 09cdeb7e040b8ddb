"""The lock of a run's folder: whoever writes there holds it, so that no two commands do at once."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import LockedError, UsageError


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's lock; the system gives it back when the process ends, however it ends.

    Raises:
        LockedError: another process holds it.
    """
    if run.exists() and not run.is_dir():
        raise UsageError("a file, where the run's folder should be", where=str(run), fix="choose another --run")
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(
                "another process works on this run", where=str(run), fix="wait for it, or stop it first"
            ) from error
        yield
