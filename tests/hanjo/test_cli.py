"""The command line as a person meets it: fast help, one message for a mistake, exit codes, nothing lost."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from corpus.errors import UsageError
from hanjo.guard import check_packages
from hanjo.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def hanjo(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hanjo.cli", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_help_answers_in_half_a_second_and_imports_nothing_heavy() -> None:
    hanjo("--help")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        done = hanjo("--help")
        times.append(time.perf_counter() - started)
    assert done.returncode == 0
    assert {"run", "status", "trace", "recipe", "doctor"} <= set(done.stdout.split())
    assert min(times) < 0.5
    heavy = (
        "import sys, hanjo.cli; print([m for m in ('torch', 'numba', 'pyarrow', 'transformers') if m in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_version() -> None:
    assert hanjo("--version").stdout.strip() == f"hanjo {__version__}"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "nowhere.yaml"], 2, "nowhere.yaml: no such file"),
        (["run", "recipes/quickstart.yaml", "--until", "dedupe"], 2, "no stage 'dedupe'"),
        (["run", "recipes/quickstart.yaml", "--set", "pretrain.stepps=3"], 2, "did you mean 'steps'?"),
        (["run", "recipes/quickstart.yaml", "--untli", "dedup"], 2, "No such option"),
        (["run", "recipes/quickstart.yaml", "--run", "pyproject.toml"], 2, "a file, where the run's folder should be"),
        (["run", "recipes/quickstart.yaml", "--run", "/proc/nowhere"], 1, "/proc/nowhere"),
        (["status", "nowhere"], 2, "no run here"),
        (["trace", "0" * 32, "--run", "nowhere"], 2, "no run here"),
        (["recipe", "explain", "pretrain.stepps"], 2, "pretrain.steps"),
    ],
)
def test_a_mistake_is_one_message_without_traceback(arguments: list[str], code: int, message: str) -> None:
    done = hanjo(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_finds_this_python() -> None:
    found = json.loads(hanjo("doctor", "--json").stdout)
    assert any(row["what"] == "python" and sys.version.split()[0] in row["detail"] for row in found)
    assert {row["state"] for row in found} <= {"ok", "note", "missing"}


def test_a_new_recipe_passes_the_check(tmp_path: Path) -> None:
    assert hanjo("recipe", "new", tmp_path / "mine.yaml", "--source", "data").returncode == 0
    checked = hanjo("recipe", "check", tmp_path / "mine.yaml", "--json")
    assert checked.returncode == 0
    assert json.loads(checked.stdout)["collect"]["sources"][0]["path"] == "data"


def test_a_package_of_another_distribution_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    intruder = types.ModuleType("tokenizer")
    intruder.__file__ = "/elsewhere/tokenizer/__init__.py"
    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name: intruder if name == "tokenizer" else real(name))
    with pytest.raises(UsageError, match=r"/elsewhere/tokenizer.*'tokenizer' is not hanjo's"):
        check_packages()


def test_explain_shows_the_bounds_of_a_value_as_a_person_would_write_them() -> None:
    assert "dedup.rows  (int ≥ 0, ≤ 32) = 0" in hanjo("recipe", "explain", "dedup").stdout


def test_after_ctrl_c_one_word_and_no_wait_for_what_still_runs(tmp_path: Path) -> None:
    """A command interrupted while a thread of compiled code, here a sleeping one, goes on."""
    source = tmp_path / "stop.py"
    source.write_text(
        "import ctypes, signal, threading, os\n"
        "from hanjo import cli\n"
        "from corpus.interrupts import heard\n"
        "@cli.app.command('sleep')\n"
        "def sleep():\n"
        "    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "    heard(lambda: ctypes.CDLL(None).sleep(60))\n"
        "import sys; sys.argv = ['hanjo', 'sleep']\n"
        "cli.main()\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, source], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
