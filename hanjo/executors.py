"""What carries out a recipe's jobs: processes here, tasks of Ray, or arrays of Slurm; all give the same bytes."""

from __future__ import annotations

from pathlib import Path

from hanjo.ray_workers import RayWorkers
from hanjo.recipe import ExecutionSettings
from hanjo.slurm_workers import SlurmWorkers, refuse_left_over
from hanjo.workers import Workers

Executor = Workers | RayWorkers | SlurmWorkers


def executor_of(execution: ExecutionSettings, run: Path, base: Path) -> Executor:
    """The executor that a recipe asks for. Call it under the run's lock.

    Args:
        base: folder that the recipe's relative paths start from.

    Raises:
        LockedError: tasks of Slurm may be at work on the run, and the recipe asks for another executor.
    """
    if execution.kind == "slurm":
        return SlurmWorkers(run, execution.workers, execution.memory, execution.slurm, base)
    refuse_left_over(run)
    if execution.kind == "ray":
        return RayWorkers(execution.workers, execution.address)
    return Workers(execution.workers)
