"""corpus/interrupts.py: Ctrl-C is heard while compiled code runs, and never within it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from corpus.interrupts import heard

SLEEPER = (
    "import ctypes, os, sys, time\n"
    "from corpus.interrupts import heard\n"
    "print('on', flush=True)\n"
    "try:\n"
    "    heard(lambda: ctypes.CDLL(None).sleep(60))\n"
    "except KeyboardInterrupt:\n"
    "    print('heard', flush=True)\n"
    "    os._exit(130)\n"
)


def test_what_the_call_gives_and_raises_comes_through() -> None:
    assert heard(threading.current_thread) is not threading.main_thread()
    with pytest.raises(ZeroDivisionError):
        heard(lambda: 1 / 0)
    within: list[threading.Thread] = []
    heard(lambda: within.extend([threading.current_thread(), heard(threading.current_thread)]))
    assert within[0] is within[1]  # a thread waits for no further one


def test_ctrl_c_is_heard_while_c_code_sleeps() -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout.read() == "heard\n"
    assert process.wait() == 130
    assert time.monotonic() - began < 5
