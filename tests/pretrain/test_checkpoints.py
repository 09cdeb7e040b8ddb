from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import StaleError, TrainingError
from pretrain.checkpoints import checkpoints_folder, kept_steps, logs, read_checkpoints, resume_point
from pretrain.plan import Plan, read_plan
from pretrain.settings import PretrainSettings


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> tuple[Path, Plan, list[str]]:
    """A trained run that may be damaged, its plan, and what is said about it."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    return run, read_plan(run), []


def names(run: Path) -> list[str]:
    return [one.path.name for one in read_checkpoints(run)]


def test_the_last_checkpoints_are_kept_and_hold_their_place(copied: tuple[Path, Plan, list[str]]) -> None:
    run, plan, said = copied
    assert names(run) == ["step-000004", "step-000006"]
    newest = resume_point(run, plan, said.append)
    assert newest is not None
    assert (newest.state.step, newest.state.next_sample, newest.state.ranks) == (6, 48, 2)
    assert not said


def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_taken_with_its_logs(
    copied: tuple[Path, Plan, list[str]],
) -> None:
    run, plan, said = copied
    state = next((checkpoints_folder(run) / "step-000006").rglob("mp_rank_00_model_states.pt"))
    state.write_bytes(state.read_bytes()[:-1])
    newest = resume_point(run, plan, said.append)
    assert newest is not None
    assert newest.state.step == 4
    assert [line.partition(":")[0] for line in said] == ["set aside step-000006, damaged, as stale-damaged-step-000006"]
    metrics, validation = (path.read_text().splitlines() for path in logs(run))
    assert [json.loads(line)["step"] for line in metrics] == [0, 1, 2, 3]
    assert [json.loads(line)["step"] for line in validation] == [0, 3]


def test_a_half_written_checkpoint_and_a_half_written_line_are_dropped(copied: tuple[Path, Plan, list[str]]) -> None:
    run, plan, said = copied
    (checkpoints_folder(run) / ".step-000008.tmp" / "deepspeed").mkdir(parents=True)
    metrics, _ = logs(run)
    before = metrics.read_bytes()
    metrics.write_bytes(before + b'{"step": 6, "tok')
    assert resume_point(run, plan, said.append) is not None
    assert metrics.read_bytes() == before
    assert not list(checkpoints_folder(run).glob(".step-*"))


def test_checkpoints_of_another_recipe_are_set_aside_and_training_starts_anew(
    copied: tuple[Path, Plan, list[str]],
) -> None:
    run, plan, said = copied
    assert resume_point(run, dataclasses.replace(plan, fingerprint="other"), said.append) is None
    assert names(run) == []
    assert [path.read_bytes() for path in logs(run)] == [b"", b""]
    aside = sorted(path.name for path in checkpoints_folder(run).iterdir())
    assert aside == [f"stale-{plan.fingerprint[:8]}-step-{step:06d}" for step in (4, 6)]
    assert len(said) == 2
    assert not (run / "pretrain/model").exists(), "a model of the old recipe must not pass for the new one's"


def test_another_number_of_ranks_is_refused_with_the_reason_and_nothing_is_lost(
    copied: tuple[Path, Plan, list[str]],
) -> None:
    run, plan, said = copied
    with pytest.raises(TrainingError, match=r"2 ranks and cannot be resumed by 4: ZeRO(.|\n)*pretrain\.ranks=2"):
        resume_point(run, dataclasses.replace(plan, ranks=4), said.append)
    assert names(run) == ["step-000004", "step-000006"]


def test_logs_that_were_changed_are_not_continued(copied: tuple[Path, Plan, list[str]]) -> None:
    run, plan, said = copied
    metrics, _ = logs(run)
    metrics.write_text(metrics.read_text().replace('"lr": ', '"lr": 1'))
    with pytest.raises(StaleError, match=r"metrics\.jsonl is not what it was"):
        resume_point(run, plan, said.append)


@given(
    steps=st.integers(1, 40),
    every=st.integers(1, 12),
    last=st.integers(1, 4),
    keep=st.integers(0, 9),
    stop=st.integers(1, 40),
)
def test_a_stop_changes_nothing_about_which_checkpoints_stand_at_the_end(
    steps: int, every: int, last: int, keep: int, stop: int
) -> None:
    settings = PretrainSettings(steps=steps, checkpoint_every=every, keep_last=last, keep_every=keep)

    def written(stops: set[int]) -> set[int]:
        standing: set[int] = set()
        for step in range(1, steps + 1):
            if step % every == 0 or step == steps or step in stops:
                standing = (standing | {step}) & kept_steps(step, settings)
        return standing

    assert written({stop}) == written(set())
    assert steps in written(set())
    assert len(written(set()) - set(range(0, steps + 1, keep or 100))) <= last
