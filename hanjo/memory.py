"""How much memory a job takes: this process's own high-water mark, or that of all the processes it starts."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROC = Path("/proc")
_EVERY = 0.5  # seconds between looks at the processes


def reset_peak() -> None:
    """Begin a new high-water mark for this process, where Linux allows it."""
    clear = _PROC / "self" / "clear_refs"
    if clear.exists() and os.access(clear, os.W_OK):
        clear.write_text("5")


def own_peak() -> int:
    """Highest resident memory of this process since `reset_peak`, in bytes; 0 where the system does not tell."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", (_PROC / "self" / "status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def tree_memory() -> int:
    """Resident memory of this process and all its descendants now, in bytes; shared pages count once for each."""
    parents, resident = {}, {}
    page = os.sysconf("SC_PAGE_SIZE")
    for folder in _PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            number = int(folder.name)
            parents[number] = int(after_name[1])
            resident[number] = int(after_name[21]) * page
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    family = {os.getpid()}
    while grown := {number for number, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(resident.get(number, 0) for number in family)


@contextmanager
def watched() -> Iterator[list[int]]:
    """Watch the whole family while the block runs; the list then holds its peak in bytes (0 without /proc)."""
    peak, stop = [0], threading.Event()

    def look() -> None:
        while not stop.is_set():
            peak[0] = max(peak[0], tree_memory())
            stop.wait(_EVERY)

    thread = threading.Thread(target=look, daemon=True)
    if _PROC.exists():
        thread.start()
    try:
        yield peak
    finally:
        stop.set()
        if thread.is_alive():
            thread.join()
