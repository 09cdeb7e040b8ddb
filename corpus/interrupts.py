"""Compiled code that takes long, run so that Ctrl-C is heard at once and cannot end up within it.

Python raises KeyboardInterrupt in the main thread, between two of its own steps: code of numba, LLVM or sentencepiece
that the main thread is in hears nothing until it returns, or, where it happens to call Python, breaks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from typing import TypeVar

T = TypeVar("T")
_LISTEN = 0.1  # seconds


def heard(call: Callable[[], T]) -> T:
    """What `call` returns or raises, carried out by a thread while the main thread waits for it or for Ctrl-C.

    After Ctrl-C the thread goes on until the process ends; whoever ends the process then does it by `os._exit`.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    thread = futures.ThreadPoolExecutor(1)
    future = thread.submit(call)
    thread.shutdown(wait=False)
    while not futures.wait([future], timeout=_LISTEN).done:
        pass
    return future.result()
