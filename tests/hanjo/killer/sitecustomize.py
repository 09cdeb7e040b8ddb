"""Put on PYTHONPATH by tests/hanjo/test_resume.py: notes temporary files, kills the run at the n-th of a stage.

`corpus.shards.atomic_path` opens each temporary file once more to sync it before it is renamed; Python's audit hook
sees that in every process of a run. The n-th one whose path contains `HANJO_KILL_AT` ends the whole process group with
SIGKILL, in the middle of the write: whole but not renamed. No clock is asked.
"""

from __future__ import annotations

import os
import signal
import sys


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str) or not arguments[0].endswith(".tmp"):
        return
    path, mode = arguments[0], arguments[1]
    if not isinstance(mode, str) or "+" not in mode:  # opened to be synced, not to be written
        return
    relative = path.removeprefix(os.environ["HANJO_KILL_RUN"] + "/")
    log = os.open(os.environ["HANJO_KILL_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log, (relative + "\n").encode())
    os.close(log)
    wanted, number = os.environ.get("HANJO_KILL_AT"), int(os.environ.get("HANJO_KILL_NTH", "0"))
    if not wanted:
        return
    handle = os.open(os.environ["HANJO_KILL_LOG"], os.O_RDONLY)
    seen = os.read(handle, 1 << 24).decode().splitlines()
    os.close(handle)
    if sum(wanted in line for line in seen) >= number:
        os.killpg(
            int(os.environ["HANJO_KILL_GROUP"]) if "HANJO_KILL_GROUP" in os.environ else os.getpgid(0), signal.SIGKILL
        )


if "HANJO_KILL_LOG" in os.environ:
    # The first process of the run leads the group; ranks of a launcher may stand in another one.
    os.environ.setdefault("HANJO_KILL_GROUP", str(os.getpgid(0)))
    sys.addaudithook(_note)
