"""Jobs in Ray's workers, on this machine or on a cluster that stands already: the same jobs, the same bytes.

It takes the place of `hanjo/workers.py`'s pool where a recipe says `execution.kind: ray`. A job's failure comes back as
a value and is raised here as its error; a task is never tried a second time behind our back, since a job that kills its
worker once will do so again. Ray is imported when the first job goes out.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from corpus.errors import HanjoError, MissingExtraError, UsageError, WorkerError
from corpus.shards import Job, JobContext
from hanjo.workers import Done, carry_out, keep_to_one_thread

_LOOPBACK = "127.0.0.1"
_STORE = 128 << 20  # bytes of Ray's object store: jobs and outcomes are small, shards go by the disk


class RayWorkers:
    """Ray tasks, one a job, at most `number` of them at a time. Use it in a `with`.

    Args:
        number: tasks at a time.
        address: host:port of a cluster, whose machines share the disk of the run and have hanjo installed; None: Ray
            is started on this machine, heard on the loopback alone, and ended with this object.
    """

    def __init__(self, number: int, address: str | None = None) -> None:
        self.number, self.address = number, address
        self._ray: Any = None
        self._ours = False
        self._folder: Path | None = None

    def __enter__(self) -> RayWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._ray.shutdown()
        self._ray, self._ours = None, False
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def carry_out_all(
        self, jobs: Iterable[tuple[Job, JobContext]], finished: Callable[[Job, JobContext, Done], None]
    ) -> None:
        """Run jobs; `finished` is called here, in this process, as each one ends.

        Raises:
            MissingExtraError: Ray is not installed. UsageError: no cluster answers, or no machine of it has the memory
                that a job may plan with. WorkerError: a worker died. HanjoError: a job failed; jobs not begun are
                cancelled.
        """
        todo = list(jobs)[::-1]
        if not todo:
            return
        ray = self._started()
        self._refuse_what_never_fits(max(context.memory for _, context in todo))
        task = ray.remote(_attempt)
        running: dict[Any, tuple[Job, JobContext]] = {}
        try:
            while todo or running:
                while todo and len(running) < self.number:
                    job, context = todo.pop()
                    asked = task.options(num_cpus=1, memory=context.memory, max_retries=0, name=job.name)
                    running[asked.remote(pickle.dumps((job, context)))] = job, context
                for reference in ray.wait(list(running))[0]:
                    job, context = running.pop(reference)
                    finished(job, context, self._outcome(reference, job))
        finally:
            for reference in running:
                ray.cancel(reference, force=True)

    def _outcome(self, reference: Any, job: Job) -> Done:
        """What the job gave; its error, or Ray's as one of ours, is raised."""
        try:
            found: Done | HanjoError = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise WorkerError(
                f"a worker of Ray died: killed from outside or out of memory ({type(error).__name__})",
                where=f"job {job.name}",
                fix="lower execution.workers, or raise execution.memory so that Ray puts fewer jobs on a machine, "
                "and run again; finished jobs are kept",
            ) from error
        if isinstance(found, HanjoError):
            raise found
        return found

    def _started(self) -> Any:
        if self._ray is not None:
            return self._ray
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing leaves the machine
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # its jobs ask for no GPU, and none is hidden
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError("Ray is not installed", where="execution.kind: ray", extra="ray") from error
        if ray.is_initialized():  # by who calls us: it is theirs to end
            self._ray = ray
            return ray
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
        if self.address is not None:
            try:
                ray.init(address=self.address, **quiet)
            except (ConnectionError, RuntimeError, ValueError) as error:
                told = str(error).strip().splitlines()[:1]
                raise UsageError(
                    f"no Ray cluster answers ({''.join(told)})",
                    where=f"execution.address: {self.address}",
                    fix="start one with `ray start --head`, or leave address out",
                ) from error
        else:
            self._start_here(ray, quiet)
        self._ray, self._ours = ray, True
        return ray

    def _start_here(self, ray: Any, quiet: dict[str, Any]) -> None:
        """Start Ray for this process alone, so that nothing outside this machine can reach it."""
        from ray._private import ray_constants

        # As on macOS and Windows. On Linux Ray replaces a loopback address by an outward one and then listens on all.
        ray_constants.ENABLE_RAY_CLUSTER = False
        # Not under the run: the names of its sockets would be longer than the system allows.
        self._folder = Path(tempfile.mkdtemp(prefix="hanjo-ray-"))
        ray.init(
            address="local",
            num_cpus=self.number,
            include_dashboard=False,
            object_store_memory=_STORE,
            _node_ip_address=_LOOPBACK,
            _temp_dir=str(self._folder),
            **quiet,
        )
        addresses = {node["NodeManagerAddress"] for node in ray.nodes()}
        if addresses != {_LOOPBACK}:
            ray.shutdown()
            raise WorkerError(
                f"Ray {ray.__version__} does not stay on the loopback address",
                where="execution.kind: ray",
                fix="use execution.kind: local, or give the address of a cluster that you have secured",
            )

    def _refuse_what_never_fits(self, memory: int) -> None:
        """Ray would wait for ever for a machine that is large enough."""
        largest = max((node["Resources"].get("memory", 0) for node in self._ray.nodes() if node["Alive"]), default=0)
        if memory > largest:
            raise UsageError(
                f"a job may plan with {memory} bytes of memory, and the largest machine of Ray has {int(largest)}",
                where="execution.memory",
                fix="lower it",
            )


def _attempt(packed: bytes) -> Done | HanjoError:
    """Run a job in a worker of Ray. It comes as bytes, so that its imports see the settings made here."""
    keep_to_one_thread()
    job, context = pickle.loads(packed)
    try:
        return carry_out(job, context)
    except HanjoError as error:
        return error
