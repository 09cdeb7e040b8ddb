"""corpus/processes.py: no process outlives those that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

CHILD = (
    "from corpus.processes import die_with_parent; import time; "
    "die_with_parent({}); print('on', flush=True); time.sleep(60)"
)


def test_a_process_whose_ancestor_is_gone_ends_at_once() -> None:
    stranger = subprocess.run([sys.executable, "-c", CHILD.format(2**22 - 1)], capture_output=True, text=True)
    assert (stranger.returncode, stranger.stdout) == (1, "")


def test_a_process_ends_with_its_parent() -> None:
    middle = (
        "import subprocess, sys, os; "
        f"child = subprocess.Popen([sys.executable, '-c', {CHILD.format(os.getpid())!r}], stdout=subprocess.PIPE); "
        "child.stdout.readline(); print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    told = subprocess.run([sys.executable, "-c", middle], capture_output=True, text=True)
    child = Path(f"/proc/{int(told.stdout)}")
    for _ in range(100):
        if not child.exists() or "\nState:\tZ" in (child / "status").read_text():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the child lives on")
