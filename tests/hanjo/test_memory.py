"""hanjo/memory.py: what a job takes, with the processes it starts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from hanjo.memory import own_peak, reset_peak, watched

SIZE = 200 << 20


def test_the_peak_is_that_of_the_job_and_not_of_what_came_before() -> None:
    np.ones(SIZE, np.uint8)
    reset_peak()
    before = own_peak()
    np.ones(SIZE // 2, np.uint8)
    assert SIZE // 2 <= own_peak() - before + (8 << 20) < SIZE


def test_a_child_s_memory_counts() -> None:
    with watched() as peak:
        code = f"import time; held = bytearray(b'x') * {SIZE}; time.sleep(1.5)"
        subprocess.run([sys.executable, "-c", code], check=True)
    assert peak[0] > SIZE
