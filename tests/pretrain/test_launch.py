from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import StaleError, TrainingError, UsageError
from corpus.settings import Common
from pretrain import launch
from pretrain.plan import Plan
from pretrain.settings import ModelSettings, PretrainSettings
from pretrain.stage import plan_training


@pytest.fixture
def plan(tokenized: Callable[[], Path], small: PretrainSettings, common: Common) -> tuple[Path, Plan]:
    run = tokenized()
    return run, plan_training(run, small, common.seed)


def program(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Let the launcher start a program of ours instead of the ranks."""
    monkeypatch.setattr(launch, "command", lambda run, plan: [launch.sys.executable, "-c", source])


def test_a_ranks_own_error_is_raised_with_its_words(plan: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    program(
        monkeypatch,
        "from pretrain.messages import say, say_error\n"
        "from corpus.errors import TrainingError\n"
        "say('step 1'); print('noise'); say_error(TrainingError('loss is nan', where='step 2', fix='lower it'))\n"
        "raise SystemExit(1)",
    )
    said: list[str] = []
    with pytest.raises(TrainingError) as raised:
        launch.train(*plan, said.append)
    assert (raised.value.what, raised.value.where, raised.value.fix) == ("loss is nan", "step 2", "lower it")
    assert said == ["step 1"]
    assert "noise" in (plan[0] / "pretrain/train.log").read_text()


def test_an_unforeseen_error_is_told_in_one_line_with_the_log(
    plan: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, "raise MemoryError('no more')")
    with pytest.raises(TrainingError) as raised:
        launch.train(*plan, lambda line: None)
    assert raised.value.what == "a rank failed: MemoryError: no more"
    assert raised.value.where == str(plan[0] / "pretrain/train.log")


def test_a_killed_rank_is_said_to_be_killed(plan: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(TrainingError, match="a rank was killed"):
        launch.train(*plan, lambda line: None)


def test_an_interrupt_ends_the_ranks(plan: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "from pretrain.messages import say\nimport os,time; say(str(os.getpid())); time.sleep(600)")
    number: list[int] = []

    def interrupt(line: str) -> None:
        number.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch.train(*plan, interrupt)
    assert not Path(f"/proc/{number[0]}").exists()


def test_the_fingerprint_knows_the_recipe_and_the_tokens_but_not_the_ranks(
    plan: tuple[Path, Plan], small: PretrainSettings, common: Common
) -> None:
    run, planned = plan
    assert plan_training(run, dataclasses.replace(small, ranks=1), common.seed).fingerprint == planned.fingerprint
    rarer = dataclasses.replace(small, checkpoint_every=3, keep_last=1)
    assert plan_training(run, rarer, common.seed).fingerprint == planned.fingerprint
    assert plan_training(run, dataclasses.replace(small, steps=7), common.seed).fingerprint != planned.fingerprint
    assert plan_training(run, small, common.seed + 1).fingerprint != planned.fingerprint


def test_what_cannot_be_trained_is_refused_before_anything_starts(
    plan: tuple[Path, Plan], small: PretrainSettings, common: Common, tmp_path: Path
) -> None:
    run, planned = plan
    with pytest.raises(StaleError, match="missing"):
        plan_training(tmp_path, small, common.seed)
    with pytest.raises(UsageError, match="no multiple"):
        plan_training(run, small, common.seed, ranks=3)
    with pytest.raises(UsageError, match="cannot stop after 7 of 6"):
        plan_training(run, small, common.seed, until_step=7)
    long = dataclasses.replace(small, model=ModelSettings(context=4096))
    with pytest.raises(TrainingError, match=r"fill no window(.|\n)*pretrain\.model\.context"):
        launch.train(run, dataclasses.replace(planned, settings=long), lambda line: None)


def test_the_gpus_that_the_user_chose_are_the_ones_that_are_used(
    plan: tuple[Path, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5,7")

    def devices(gpu: bool) -> object:
        (world,) = [part for part in launch.command(plan[0], dataclasses.replace(plan[1], gpu=gpu)) if "world" in part]
        return json.loads(base64.urlsafe_b64decode(world.partition("=")[2]))["localhost"]

    assert devices(True) == ["3", "5"]
    assert devices(False) == [0, 1]


def test_progress_can_be_heard_and_other_output_is_none() -> None:
    assert launch.heard("hanjo: step 1\n") == "step 1"
    assert launch.heard("[INFO] hanjo: x\n") is None
