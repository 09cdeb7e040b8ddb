"""The evaluation's own process: its errors come back as they are, its death is told, and it outlives nobody."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import StaleError, WorkerError
from eval.apart import evaluate_apart
from eval.harness import Request


@pytest.fixture
def asked(model_folder: Path, tmp_path: Path) -> Request:
    return Request(str(model_folder), str(tmp_path), ("korean_cloze",), ("trained",), 0, 1, 1, 1, 1, "cpu")


def test_an_error_of_the_child_is_raised_here_as_it_was(asked: Request, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StaleError) as caught:
        evaluate_apart(dataclasses.replace(asked, model=str(empty)), tmp_path / "scratch")
    assert caught.value.where == str(empty)
    assert caught.value.fix == "run pretrain again"


def test_the_death_of_the_child_is_told_with_the_end_of_its_log(asked: Request, tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="ended with code 1") as caught:
        evaluate_apart(dataclasses.replace(asked, threads=-1), tmp_path / "scratch")
    assert "set_num_threads expects a positive integer" in str(caught.value)


def test_the_child_ends_when_its_parent_is_gone(asked: Request, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(dataclasses.asdict(asked)), encoding="utf-8")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "eval.apart", str(tmp_path)]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        child.stdin.close()  # as the system does for a parent that was killed
        assert child.wait(timeout=60) == 1
    assert not (tmp_path / "answers.json").exists()
