"""Run by tests/hanjo/test_withdraw_killed.py, by its path: ends a withdrawal at its n-th change of the disk.

    withdrawing.py carry RUN SCRATCH N …     RUN has a journal and nothing of it done; kill at its N-th change
    withdrawing.py stage RUN SCRATCH ID N …  kill a whole withdrawal of ID at its N-th change

One N after another, until one of them is more than there are changes, and the withdrawal ends by itself.

Each time a copy of RUN is used, a child is forked (this process has no threads) and ends by `os._exit` when it is
about to rename, remove or overwrite; another child then opens the run as the next command would. Printed is a line
each: the number, whether a journal stood, and the hash of every file.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
_CHANGES = ("os.rename", "os.remove", "os.rmdir")
_KILLED = 9


def in_child(call: Callable[[], object], at: int = 0) -> int:
    """Call it in a forked child that ends before its `at`-th change of the disk (0: never); the child's exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seen = 0

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        overwrites = event == "open" and isinstance(arguments[1], str) and "+" in arguments[1]
        if event in _CHANGES or overwrites:
            seen += 1
            if seen == at:
                os._exit(_KILLED)

    sys.addaudithook(note)
    code = 1
    try:
        call()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def tree(run: Path) -> dict[str, str]:
    """File → hash of its bytes, but for what knows the clock."""
    return {
        path.relative_to(run).as_posix(): hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("timings.jsonl", ".lock")
    }


def opened(run: Path) -> None:
    from hanjo.journal import recover
    from hanjo.lock import locked

    with locked(run):
        recover(run)


def one(base: Path, run: Path, number: int, call: Callable[[Path], object]) -> bool:
    """Kill one copy, open it again, print it; False where it came to its end before the kill."""
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(base, run)
    code = in_child(lambda: call(run), number)
    assert code in (0, _KILLED), code
    journal = (run / ".withdraw" / "journal.json").exists()
    assert in_child(lambda: opened(run)) == 0
    print(json.dumps({"number": number, "killed": code == _KILLED, "journal": journal, "tree": tree(run)}))
    return code == _KILLED


def main() -> None:
    what, base, scratch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    staging = ["dedup.forgetting", "tokenizer.stage", "eval.forgetting"] if what == "stage" else []
    for name in ("hanjo.execution", *staging, *(["dedup.index"] if (base / "index").exists() else [])):
        importlib.import_module(name)  # before the fork, so that a child is quick
    if what == "carry":
        numbers, call = sys.argv[4:], opened
    else:
        from hanjo.withdraw import Asked, withdraw

        asked, numbers = Asked(ids=(sys.argv[4],)), sys.argv[5:]

        def call(run: Path) -> object:
            return withdraw(run, asked)

    for number in map(int, numbers):
        if not one(base, scratch / base.name, number, call):
            return


if __name__ == "__main__":
    main()
