"""Environments of peers: each a virtual environment under a cache folder, so that their pins move none of ours.

The benchmarks run a script that imports nothing of hanjo in them. A peer that cannot be installed is told, with pip's
reason, and left out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


class UnavailableError(Exception):
    """A peer could not be installed or failed; the message says why."""


def environment(work: Path, name: str, requirements: Sequence[str], alone: Sequence[str] = ()) -> Path:
    """The Python of a peer's environment `work/name`, made where it is not there yet.

    Args:
        alone: installed without what they declare to need; `requirements` holds what they really do.

    Raises:
        UnavailableError: pip could not install it.
    """
    python, done = work / name / "bin" / "python", work / name / "installed"
    wanted = "\n".join([*requirements, *alone])
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return python
    _call([sys.executable, "-m", "venv", str(work / name)])
    _call([str(python), "-m", "pip", "install", "-q", *requirements])
    if alone:
        _call([str(python), "-m", "pip", "install", "-q", "--no-deps", *alone])
    done.write_text(wanted, encoding="utf-8")
    return python


def ask(python: Path, script: Path, *arguments: str) -> str:
    """The last line that a script prints in a peer's environment.

    Raises:
        UnavailableError: it failed.
    """
    return _call([str(python), str(script), *arguments]).splitlines()[-1]


def _call(command: list[str]) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except subprocess.CalledProcessError as error:
        raise UnavailableError(error.stderr.strip()[-400:] or f"exit status {error.returncode}") from error
    except OSError as error:
        raise UnavailableError(str(error)) from error
