"""Fixtures for every package's tests: a stage carried out serially, as `hanjo/execution.py` would, without a recipe."""

from __future__ import annotations

import gc
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

from corpus.documents import SHARDS
from corpus.manifest import check_counts, fingerprint
from corpus.settings import Common
from corpus.shards import Counts, JobContext, Outcome, Output, merge, write_table

# A first call compiles, and a shared machine is slow: neither is a defect. Where a change is judged, the examples are
# the same each time; elsewhere new ones are looked for.
settings.register_profile(
    "hanjo", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("hanjo")
MEMORY = 1 << 30
RunPhases = Callable[[str, ModuleType, Path, Any, Common], Counts]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """`small_disk(size)` → a folder with so much room ("64k"); called again, it has that much from then on."""
    folder = tmp_path / "small"

    def of(size: str) -> Path:
        if os.geteuid() != 0:
            pytest.skip("mounting a small tmpfs needs root")
        if folder.is_mount():
            subprocess.run(["mount", "-o", f"remount,size={size}", str(folder)], check=True)
            return folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no tmpfs may be mounted here: {mounted.stderr.strip()}")
        return folder

    yield of
    if folder.is_mount():
        gc.collect()  # a memory map that is still open keeps a disk busy
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def run_phases() -> RunPhases:
    """`run_phases(stage, module, run, settings, common)` → the stage's merged counts; files stand in `run` after it.

    Every job gets its fingerprint, its outcome goes through JSON as a done-marker would take it, its outputs must
    exist, the counts must add up, and `shards/STAGE.parquet` lists what was written outside `.scratch/`.
    """
    return _run_phases


def _run_phases(stage: str, module: ModuleType, run: Path, settings: Any, common: Common) -> Counts:
    plan = module.phases(run, settings, common)
    counts: list[Counts] = []
    outputs: list[Output] = []
    outcomes: list[Outcome] | None = None
    while True:
        try:
            phase = next(plan) if outcomes is None else plan.send(outcomes)
        except StopIteration:
            break
        names = [job.name for job in phase.jobs]
        assert len(set(names)) == len(names), f"{phase.name}: job names are not unique"
        outcomes = []
        for job in phase.jobs:
            counted = None if phase.told_all else settings
            made_of = fingerprint(stage, module.VERSION, counted, job.name, dict(job.arguments), list(job.inputs))
            done = job.call(JobContext(run, made_of, MEMORY), **job.arguments, **job.local)
            told = json.loads(json.dumps(asdict(done)))
            outcome = Outcome(tuple(Output(**one) for one in told["outputs"]), told["counts"], told["facts"])
            for output in outcome.outputs:
                assert (run / output.path).stat().st_size == output.bytes, output.path
            outcomes.append(outcome)
            counts.append(outcome.counts)
            outputs.extend(outcome.outputs)
    total = merge(counts)
    check_counts(stage, total)
    kept = sorted((one for one in outputs if not one.path.startswith(".scratch")), key=lambda one: one.path)
    rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in kept]
    table = pa.Table.from_pylist(rows, schema=SHARDS)
    write_table(run / "shards" / f"{stage}.parquet", table, SHARDS, JobContext(run, "0" * 32, MEMORY))
    return total
