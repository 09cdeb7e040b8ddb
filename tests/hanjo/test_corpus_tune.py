"""`hanjo corpus tune` and `hanjo corpus calibrate` as a person types them, on a run of the sample."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def hanjo(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", *map(str, arguments)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "sample"
    done = hanjo("run", ROOT / "recipes/quickstart.yaml", "--run", folder, "--until", "decide", "--json")
    assert done.returncode == 0, done.stderr
    return folder


def test_tune_shows_the_funnel_before_and_after_and_flips(run: Path) -> None:
    started = time.monotonic()
    done = hanjo("corpus", "tune", run, "--set", "min_chars=40", "--set", "decide.max_digits=0.9", "--json")
    assert time.monotonic() - started < 20
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["before"]["in"] == told["after"]["in"]
    assert told["before"]["kept"]["documents"] - told["after"]["kept"]["documents"] == told["lost"] - told["regained"]
    assert told["lost"] > 0 and {flip["way"] for flip in told["flips"]} == {"lost"}
    text = hanjo("corpus", "tune", run, "--profile", "default", "--samples", "1").stdout
    assert "length.chars" in text and "before" in text and "lost: " in text


def test_a_calibrated_profile_can_be_saved_tried_and_run(run: Path, tmp_path: Path) -> None:
    done = hanjo("corpus", "calibrate", run, "--lose", "0.05")
    assert done.returncode == 0, done.stderr
    (tmp_path / "mine.yaml").write_text(done.stdout, encoding="utf-8")
    told = json.loads(hanjo("corpus", "tune", run, "--profile", "mine.yaml", "--json", cwd=tmp_path).stdout)
    assert told["after"]["kept"]["documents"] > 0.5 * told["after"]["in"]["documents"]
    derived = json.loads(hanjo("corpus", "calibrate", run, "--lose", "0.05", "--json").stdout)["derived"]
    assert all(one["loses"] <= 0.05 for one in derived)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tune", "nowhere"], "no run here"),
        (["tune", "RUN", "--set", "max_digit=0.5"], "did you mean 'max_digits'?"),
        (["tune", "RUN", "--set", "max_digits=5"], "decide.max_digits"),
        (["tune", "RUN", "--profile", "chatt"], "did you mean 'chat'"),
        (["tune", "RUN", "--profile", "gone.yaml"], "no such file"),
        (["calibrate", "RUN", "RUN"], "a run beside other references"),
        (["calibrate", "pyproject.toml", "--source", "a"], "--source is for runs"),
        (["calibrate", "RUN", "--lose", "3"], "no share of the reference"),
    ],
)
def test_a_mistake_is_one_message_and_exit_2(run: Path, arguments: list[str], said: str) -> None:
    done = hanjo("corpus", *[str(run) if word == "RUN" else word for word in arguments])
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr
