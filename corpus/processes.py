"""Processes that must not outlive those that started them: workers, launchers and training ranks of every package.

A run killed with SIGKILL can clean up nothing. Linux ends its children for it, if they ask in time.
"""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent(ancestor: int | None = None) -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere nothing happens.

    Args:
        ancestor: process that must be our parent or our parent's parent. When it is neither, it died before we could
            ask, and this process ends at once.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.getppid()
    if ancestor is not None and ancestor not in (parent, _parent_of(parent)):
        os._exit(1)


def _parent_of(process: int) -> int | None:
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(after_name[1])
