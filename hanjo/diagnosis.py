"""What `hanjo doctor` finds: Python, libraries by extra, devices, DeepSpeed ops, compiler, memory and disk."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import platform
import re
import shutil
from pathlib import Path
from typing import Any

Finding = tuple[str, str, str]
"""What, state (ok, note, missing), detail."""

_GIVES = {
    "corpus": "reading and judging text, deduplication, tokenizers",
    "hanyang": "old Hangul in Hanyang's private-use code as jamo (it is counted as text.private_use without)",
    "trafilatura": "a second extractor of web pages",
    "pretrain": "training with DeepSpeed",
    "eval": "benchmark suites through lm-eval",
    "dev": "tests, lint and type checks",
}


def diagnose() -> list[Finding]:
    """Everything worth knowing before a run; importing torch and DeepSpeed to ask them takes seconds."""
    return [_python(), *_libraries(), *_devices(), _ops(), _compiler(), _memory(), _disk()]


def _python() -> Finding:
    return ("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _libraries() -> list[Finding]:
    found: list[Finding] = []
    needs: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("hanjo") or []:
        name = re.match(r"[A-Za-z0-9_.-]+", line)
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        if name:
            needs.setdefault(extra[1] if extra else "core", []).append(name[0])
    return found + [_extra(part, names) for part, names in needs.items()]


def _extra(part: str, names: list[str]) -> Finding:
    have, lack = [], []
    for name in names:
        try:
            have.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            lack.append(name)
    if not lack:
        return (f"extra {part}", "ok", ", ".join(have))
    if part == "core":
        return ("extra core", "missing", f"{', '.join(lack)}; pip install hanjo")
    return (f"extra {part}", "note", f"without {', '.join(lack)}; pip install 'hanjo[{part}]' gives {_GIVES[part]}")


def _devices() -> list[Finding]:
    cores = len(os.sched_getaffinity(0))
    found: list[Finding] = [("processor", "ok", f"{cores} cores usable")]
    try:
        import torch
    except ImportError:
        return [*found, ("gpu", "note", "unknown: torch is not installed")]
    if not torch.cuda.is_available():
        return [
            *found,
            ("gpu", "note", f"none seen by torch {torch.__version__}: training runs on the processor in fp32"),
        ]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append((f"gpu {index}", "ok", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"))
    return found


def _ops() -> Finding:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # DeepSpeed prints while it looks around
            from deepspeed.ops.op_builder.all_ops import ALL_OPS

            good = sorted(name for name, builder in ALL_OPS.items() if _works(name, builder))
    except ImportError:
        return ("deepspeed ops", "note", "unknown: deepspeed is not installed")
    return ("deepspeed ops", "ok", f"compatible here: {', '.join(good) or 'none'} (hanjo needs none of them)")


def _works(name: str, builder: Any) -> bool:
    return name != "deepspeed_not_implemented" and bool(builder.is_compatible(verbose=False))


def _compiler() -> Finding:
    path = shutil.which("c++")
    if path:
        return ("c++ compiler", "ok", path)
    return ("c++ compiler", "note", "none: DeepSpeed's own ops stay off, hanjo needs none of them")


def _memory() -> Finding:
    information = Path("/proc/meminfo")
    if not information.exists():
        return ("memory", "note", "unknown on this system")
    free = re.search(r"MemAvailable:\s+(\d+) kB", information.read_text())
    gibibytes = int(free[1]) / 2**20 if free else 0.0
    return ("memory", "ok" if gibibytes >= 8 else "note", f"{gibibytes:.1f} GiB available (the quickstart wants 8)")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    return ("disk", "ok" if free >= 5 else "note", f"{free:.0f} GiB free here")
