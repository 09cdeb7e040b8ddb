"""A run killed at any instant and started again ends with the same bytes as one never killed.

The kill comes when the n-th temporary file of a stage is seen (n seeded by the stage's name, never by the clock), with
SIGKILL to the whole process group. What may differ: `timings.jsonl`, logs and `report.html`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    "collect.sources=[{path: sample/udhr}, {path: sample/tax-rulings}, {path: sample/hwpx-form}]",
    "tokenize.vocab_size=1024",
    "pretrain.steps=4",
    "pretrain.checkpoint_every=2",
    "pretrain.validate_every=2",
    "pretrain.global_batch=2",
    "pretrain.micro_batch=1",
    "pretrain.model={hidden: 32, layers: 1, heads: 2, kv_heads: 1, intermediate: 64, context: 64}",
    "evaluate.documents=8",
    "evaluate.items=8",
)
FOLDERS = {
    "collect": ("documents/", "quarantine/", ".done/collect"),
    "measure": ("edits/", "signals/", ".done/measure"),
    "decide": ("verdicts/", ".done/decide"),
    "dedup": ("clusters/", "unique/", ".scratch/dedup", ".done/dedup"),
    "tokenize": ("tokens/", "tokenizer/", ".done/tokenize"),
    "pretrain": ("pretrain/", ".done/pretrain"),
    "evaluate": ("evaluate/", ".done/evaluate"),
}
DATA_STAGES = ("collect", "measure", "decide", "dedup", "tokenize")


def hanjo_run(
    run: Path,
    until: str,
    log: Path | None = None,
    kill: tuple[str, int] | None = None,
    overrides: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """`hanjo run` of the small recipe in a process group of its own, watched where `log` is given."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    if log is not None:
        environment |= {
            "PYTHONPATH": str(Path(__file__).parent / "killer"),
            "HANJO_KILL_LOG": str(log),
            "HANJO_KILL_RUN": str(run),
        }
    if kill is not None:
        environment |= {"HANJO_KILL_AT": kill[0], "HANJO_KILL_NTH": str(kill[1])}
    command = [sys.executable, "-m", "hanjo.cli", "run", str(ROOT / "recipes/quickstart.yaml")]
    command += ["--run", str(run), "--until", until]
    for override in (*SMALL, *overrides):
        command += ["--set", override]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, start_new_session=True
    )


def bytes_of(run: Path) -> dict[str, str]:
    """Every file of a run that must not differ → hash of its bytes."""
    may_differ = {"timings.jsonl", "report.html"}
    return {
        path.relative_to(run).as_posix(): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in may_differ and path.suffix != ".log"
    }


def kill_and_resume(tmp_path: Path, reference: Path, temporaries: list[str], stage: str, until: str) -> None:
    """Kill a fresh run at a seeded temporary file of `stage`, start it again, compare every byte."""
    folders = FOLDERS[stage]
    candidates = sorted(
        {next(f for f in folders if name.startswith(f)) for name in temporaries if name.startswith(folders)}
    )
    assert candidates, f"{stage} wrote no temporary file"
    seed = int(hashlib.blake2b(stage.encode(), digest_size=4).hexdigest(), 16)
    folder = candidates[seed % len(candidates)]
    total = sum(folder in name for name in temporaries)
    nth = 1 + seed // len(candidates) % total
    run = tmp_path / "killed"
    killed = hanjo_run(run, until, tmp_path / "log", (folder, nth))
    assert killed.returncode == -9, f"not killed at {folder} {nth}/{total}: {killed.stderr}"
    again = hanjo_run(run, until)
    assert again.returncode == 0, again.stderr
    assert bytes_of(run) == bytes_of(reference), f"killed at {folder}, temporary file {nth} of {total}"


@pytest.fixture(scope="module")
def data_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run up to tokenize, never killed, and its temporary files in their order."""
    folder = tmp_path_factory.mktemp("reference")
    done = hanjo_run(folder / "run", "tokenize", folder / "log")
    assert done.returncode == 0, done.stderr
    return folder / "run", (folder / "log").read_text().splitlines()


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run through every stage, never killed, and its temporary files in their order."""
    folder = tmp_path_factory.mktemp("whole")
    done = hanjo_run(folder / "run", "evaluate", folder / "log")
    assert done.returncode == 0, done.stderr
    return folder / "run", (folder / "log").read_text().splitlines()


@pytest.mark.parametrize("stage", ["collect", "dedup"])
def test_a_killed_run_ends_with_the_same_bytes(tmp_path: Path, data_run: tuple[Path, list[str]], stage: str) -> None:
    kill_and_resume(tmp_path, *data_run, stage, "tokenize")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", ["measure", "decide", "tokenize", "pretrain", "evaluate"])
def test_a_run_killed_in_any_stage_ends_with_the_same_bytes(
    tmp_path: Path, whole_run: tuple[Path, list[str]], stage: str
) -> None:
    kill_and_resume(tmp_path, *whole_run, stage, "evaluate")


def test_one_changed_threshold_runs_decide_and_what_follows_alone(
    tmp_path: Path, data_run: tuple[Path, list[str]]
) -> None:
    import json
    import shutil

    run = tmp_path / "run"
    shutil.copytree(data_run[0], run)
    command = [sys.executable, "-m", "hanjo.cli", "run", str(ROOT / "recipes/quickstart.yaml"), "--run", str(run)]
    command += ["--until", "dedup", "--json", "--set", "decide.min_eojeol=30"]
    for override in SMALL:
        command += ["--set", override]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    ran = {stage["stage"]: stage["ran"] for stage in json.loads(done.stdout)["stages"]}
    assert (ran["collect"], ran["measure"]) == (0, 0)
    assert ran["decide"] > 0
    assert ran["dedup"] > 0


def test_a_kill_in_another_recipe_s_run_leaves_no_file_that_passes_for_this_one_s(
    tmp_path: Path, data_run: tuple[Path, list[str]]
) -> None:
    import shutil

    run = tmp_path / "run"
    shutil.copytree(data_run[0], run)
    # Seen when the first marker of the other recipe is about to be written: verdicts are its, markers not yet.
    other = hanjo_run(run, "decide", tmp_path / "log", (".done/decide", 1), ["decide.min_eojeol=31"])
    assert other.returncode == -9, other.stderr
    again = hanjo_run(run, "tokenize")
    assert again.returncode == 0, again.stderr
    assert bytes_of(run) == bytes_of(data_run[0])


def test_what_a_kill_between_marker_and_clean_up_left_is_removed(
    tmp_path: Path, data_run: tuple[Path, list[str]]
) -> None:
    import shutil

    run = tmp_path / "run"
    shutil.copytree(data_run[0], run)
    (run / ".scratch" / "dedup").mkdir(parents=True)
    (run / ".scratch" / "dedup" / "left").write_text("over")
    assert hanjo_run(run, "tokenize").returncode == 0
    assert not (run / ".scratch" / "dedup").exists()


def test_another_target_is_told_by_the_manifest_though_no_job_ran(
    tmp_path: Path, data_run: tuple[Path, list[str]]
) -> None:
    import json
    import shutil

    run = tmp_path / "run"
    shutil.copytree(data_run[0], run)
    assert hanjo_run(run, "tokenize", overrides=["target.tokens=10M"]).returncode == 0
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["target"]["tokens"] == 10_000_000
    assert "10,000,000" in (run / "report.html").read_text()


def test_a_second_call_does_nothing_twice(data_run: tuple[Path, list[str]]) -> None:
    before = bytes_of(data_run[0])
    again = hanjo_run(data_run[0], "tokenize")
    assert again.returncode == 0
    assert again.stderr.count("unchanged") == len(DATA_STAGES)
    assert bytes_of(data_run[0]) == before
