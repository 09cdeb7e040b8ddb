"""Ranks started by the usual variables, as Slurm or a hostfile would, on the plan that lies in the run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from corpus.settings import Common
from pretrain.launch import environment, free_port, training
from pretrain.plan import write_plan
from pretrain.settings import PretrainSettings
from pretrain.stage import plan_training


def test_ranks_of_another_launcher_give_the_same_bytes(
    tokenized: Callable[[], Path], trained: Path, small: PretrainSettings, common: Common
) -> None:
    run = tokenized()
    plan = plan_training(run, small, common.seed, here=False)
    write_plan(run, plan)
    variables = {**environment(plan), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    ranks = [
        subprocess.Popen(
            [sys.executable, *["-m" if part == "--module" else part for part in training(run)]],
            env=variables | {"RANK": str(rank), "LOCAL_RANK": str(rank), "HANJO_PARENT": str(os.getpid())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=300)[0] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], said
    for name in ("metrics.jsonl", "validation.jsonl", "model/model.safetensors"):
        assert (run / "pretrain" / name).read_bytes() == (trained / "pretrain" / name).read_bytes(), name
