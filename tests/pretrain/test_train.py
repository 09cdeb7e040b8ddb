from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import TrainingError
from corpus.settings import Common
from pretrain.plan import read_plan
from pretrain.settings import PretrainSettings
from pretrain.stage import train
from pretrain.validation import token_nats, validation_set


def files(run: Path) -> dict[str, bytes]:
    """Every file of a training run that has to be the same each time."""
    paths = (path for path in (run / "pretrain").rglob("*") if path.is_file() and path.suffix != ".log")
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in paths}


def lines(path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_step_is_a_line_of_metrics_with_the_samples_it_used(trained: Path, small: PretrainSettings) -> None:
    found = lines(trained / "pretrain/metrics.jsonl")
    assert [list(line) for line in found] == [
        ["step", "tokens", "first_sample", "last_sample", "loss", "lr", "grad_norm"]
    ] * small.steps
    assert [(line["step"], line["first_sample"], line["last_sample"]) for line in found] == [
        (step, 8 * step, 8 * step + 7) for step in range(6)
    ]
    assert found[-1]["tokens"] == 6 * 8 * 16
    assert all(abs(line["loss"] - np.log(64)) < 0.2 for line in found)
    timings = lines(trained / "timings.jsonl")
    assert [line["step"] for line in timings if line["event"] == "step"] == list(range(6))


def test_validation_is_what_the_exported_model_scores_on_whole_valid_documents(trained: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    found = lines(trained / "pretrain/validation.jsonl")
    assert [line["step"] for line in found] == [0, 3, 6]
    model = AutoModelForCausalLM.from_pretrained(trained / "pretrain/model").eval()
    plan = read_plan(trained)
    held_out = validation_set(trained, plan)
    assert held_out is not None
    from pretrain.packing import pack

    batch = pack(held_out.windows, plan.end_of_text)
    with torch.no_grad():
        nats = token_nats(model, batch).double().numpy()
    # 20 + 33 + 8 tokens are the documents; the 100 that were asked for have room for them all.
    assert (found[-1]["tokens"], found[-1]["bytes"]) == (61, 3 * 58)
    assert found[-1]["loss"] == pytest.approx(nats.sum() / 61, rel=1e-6)
    text = nats[(batch.labels != plan.end_of_text)].sum()
    assert found[-1]["bits_per_byte"] == pytest.approx(text / np.log(2) / (3 * 58), rel=1e-6)


def test_the_exported_folder_opens_with_its_tokenizer(trained: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(trained / "pretrain/model")
    tokenizer = AutoTokenizer.from_pretrained(trained / "pretrain/model")
    assert model.config.vocab_size == len(tokenizer) == 64
    assert model.config.eos_token_id == tokenizer.eos_token_id == 0
    assert model.lm_head.weight is model.model.embed_tokens.weight


def test_a_stopped_and_resumed_run_ends_with_the_same_bytes(
    trained: Path, tokenized: Callable[[], Path], small: PretrainSettings, common: Common
) -> None:
    run, said = tokenized(), []
    train(run, small, common, until_step=3, say=said.append)
    assert [line["step"] for line in lines(run / "pretrain/metrics.jsonl")] == [0, 1, 2]
    assert not (run / "pretrain/model").exists()
    train(run, small, common, say=said.append)
    assert any("going on after step 3" in line for line in said)
    expected, found = files(trained), files(run)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


@pytest.mark.parametrize("ranks", [1, 3, 4])  # three do not even share out the batch; the checkpoint is the reason
def test_other_ranks_are_refused_before_anything_starts(
    trained: Path, small: PretrainSettings, common: Common, ranks: int
) -> None:
    before = files(trained)
    with pytest.raises(TrainingError, match=f"written by 2 ranks and cannot be resumed by {ranks}"):
        train(trained, small, common, ranks=ranks)
    assert files(trained) == before


@pytest.mark.slow
def test_a_killed_run_leaves_no_rank_behind_and_ends_with_the_same_bytes(
    trained: Path, tokenized: Callable[[], Path], small: PretrainSettings, common: Common
) -> None:
    run = tokenized()
    program = (
        "import pickle, sys; from pathlib import Path; from pretrain.stage import train;"
        "train(Path(sys.argv[1]), *pickle.load(sys.stdin.buffer))"
    )
    import pickle

    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(run)], stdin=subprocess.PIPE, env=os.environ | {"PYTHONPATH": root}
    )
    assert process.stdin is not None
    process.stdin.write(pickle.dumps((small, common)))
    process.stdin.close()
    until = time.monotonic() + 120
    while not (run / "pretrain/metrics.jsonl").exists() or not (run / "pretrain/metrics.jsonl").stat().st_size:
        assert time.monotonic() < until, "training does not begin"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(3)
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(run).encode() in read(path)]
    assert running == []
    train(run, small, common)
    assert files(run) == files(trained)


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process ended while we looked
        return b""


@pytest.mark.slow
def test_the_first_loss_does_not_depend_on_ranks_and_micro_batches(
    trained: Path, tokenized: Callable[[], Path], small: PretrainSettings, common: Common
) -> None:
    run = tokenized()
    train(run, dataclasses.replace(small, ranks=1, micro_batch=8), common)
    one, two = lines(trained / "pretrain/metrics.jsonl"), lines(run / "pretrain/metrics.jsonl")
    for name in ("loss", "grad_norm"):
        assert [line[name] for line in one] == pytest.approx([line[name] for line in two], rel=1e-4)
