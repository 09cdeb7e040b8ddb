"""What a task of a Slurm array runs, on whatever node: its jobs one after another, a result for each.

    python -m hanjo.slurm_task RUN/.slurm/N TASK

It ends at the first job that fails, and at once when the head takes its order back, even on a node that Slurm has lost
from sight: two tasks never write one shard.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import HanjoError
from hanjo.slurm_batch import LEASE, gone, read_order, write_result
from hanjo.workers import Done, carry_out, keep_to_one_thread


def run_task(folder: Path, task: int) -> int:
    """Carry out one task's order; returns the exit code."""
    keep_to_one_thread()
    order = folder / "orders" / str(task)
    jobs = read_order(order)
    if jobs is None:
        print("nothing to do: the order was taken back", file=sys.stderr)
        return 0
    with _while_it_stands(order):
        for position, (job, context) in enumerate(jobs):
            print(f"job {job.name}", file=sys.stderr, flush=True)
            try:
                found: Done | HanjoError = carry_out(job, context)
            except HanjoError as error:
                found = error
            write_result(order, (task, position), found)
            if isinstance(found, HanjoError):
                print(found, file=sys.stderr)
                return 1
    return 0


@contextmanager
def _while_it_stands(order: Path) -> Iterator[None]:
    """End this process, whatever it is at, when its order is gone."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(LEASE):
            try:
                order.open("rb").close()
            except OSError as error:
                if gone(error):
                    print("the order was taken back: ended", file=sys.stderr, flush=True)
                    os.kill(os.getpid(), signal.SIGKILL)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()


if __name__ == "__main__":
    sys.exit(run_task(Path(sys.argv[1]), int(sys.argv[2])))
