"""Nothing leaves the machine: the whole pipeline runs in a network namespace that has loopback alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_a_recipe_runs_through_with_loopback_alone(tmp_path: Path) -> None:
    from subprocess import run

    isolated = ["unshare", "--net", sys.executable, "-c", LOOPBACK_UP, sys.executable]
    probe = run([*isolated, "-c", "import os; print(os.listdir('/sys/class/net'))"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no network namespace may be made here: {probe.stderr.strip()}")
    command = [*isolated, "-m", "hanjo.cli", "run", "recipes/quickstart.yaml", "--run", str(tmp_path / "run")]
    for override in (
        "collect.sources=[{path: sample/udhr}, {path: sample/tax-rulings}]",
        "tokenize.vocab_size=1024",
        "pretrain.steps=2",
        "pretrain.model={hidden: 32, layers: 1, heads: 2, kv_heads: 1, intermediate: 64, context: 64}",
        "evaluate.documents=4",
        "evaluate.items=4",
    ):
        command += ["--set", override]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "evaluate" / "results.json").exists()
