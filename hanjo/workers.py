"""Where jobs run: in this process or in a pool of spawned ones, with their time and peak memory; failures raise.

datatrove's local pool dies with the first failing rank and its Ray executor swallows one; here the first failure is
raised as the error of its job, what had finished stays done, and a dead worker is said to be one. The workers of Ray
stand in `hanjo/ray_workers.py`.
"""

from __future__ import annotations

import concurrent.futures as futures
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass

import pyarrow as pa

from corpus.errors import HanjoError, StorageError, WorkerError
from corpus.processes import die_with_parent
from corpus.shards import Job, JobContext, Outcome
from hanjo.memory import own_peak, reset_peak, watched

_KEPT = 8  # of a job's memory Arrow may keep this part: to give it back and ask again costs a twentieth of the time


@dataclass(frozen=True, slots=True)
class Done:
    """A finished job: its outcome, wall seconds, and peak resident memory in bytes (0 if unknown)."""

    outcome: Outcome
    seconds: float
    peak_memory: int


def carry_out(job: Job, context: JobContext, family: bool = False) -> Done:
    """Run one job in this process.

    Args:
        family: it starts processes of its own; their memory counts too.

    Raises:
        HanjoError: as the job raised it; anything else becomes a WorkerError, its traceback kept in error.log.
    """
    reset_peak()
    started = time.monotonic()
    try:
        with watched() if family else nullcontext([0]) as peak:
            outcome = job.call(context, **job.arguments, **job.local)
    except HanjoError:
        raise
    except OSError as error:
        raise StorageError(
            f"{error.strerror or error}", where=str(error.filename or job.name), fix="mend that and run again"
        ) from error
    except Exception as error:
        log = context.run / "error.log"
        log.write_text(traceback.format_exc(), encoding="utf-8")
        raise WorkerError(
            f"unforeseen {type(error).__name__}: {error}", where=f"job {job.name}", fix=f"please report it with {log}"
        ) from error
    done = Done(outcome, time.monotonic() - started, max(own_peak(), peak[0]))
    pool = pa.default_memory_pool()
    if (pool.max_memory() or 0) * _KEPT > context.memory:
        pool.release_unused()  # what Arrow keeps for later would stand beside the next job's memory
    return done


class Workers:
    """Processes that jobs run in, started when first needed and kept for all phases of a run. Use it in a `with`.

    Args:
        number: processes; with one, jobs run in this process.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._pool: futures.ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._pool is None:
            return
        if kind is KeyboardInterrupt:  # no one waits for a job that is to be stopped: begun again it ends alike
            for process in list(self._pool._processes.values()):
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def carry_out_all(
        self, jobs: Iterable[tuple[Job, JobContext]], finished: Callable[[Job, JobContext, Done], None]
    ) -> None:
        """Run jobs; `finished` is called here, in this process, as each one ends.

        Raises:
            WorkerError: a worker process died. HanjoError: a job failed; jobs not begun are cancelled.
        """
        todo = list(jobs)
        if self.number == 1 or len(todo) <= 1:
            for job, context in todo:
                finished(job, context, carry_out(job, context))
            return
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = futures.ProcessPoolExecutor(
                self.number, mp_context=spawn, initializer=_start_worker, initargs=(os.getpid(),)
            )
        running = {self._pool.submit(carry_out, job, context): (job, context) for job, context in todo}
        try:
            for future in futures.as_completed(running):
                job, context = running[future]
                finished(job, context, future.result())
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process died: killed from outside or out of memory",
                fix="lower execution.workers or execution.memory and run again; finished jobs are kept",
            ) from error
        finally:
            for future in running:
                future.cancel()


def _start_worker(parent: int) -> None:
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and stops the pool
    keep_to_one_thread()


def keep_to_one_thread() -> None:
    """Have the libraries that this process will import start no threads: processes are the parallelism."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
