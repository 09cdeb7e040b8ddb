"""What the benchmarks share: one core, several runs, medians, the machine in words, a table and JSON.

Rates are of processor time where one process works, since other work on the machine then takes nothing from them; of
the clock where several do.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def pin(cores: int = 1) -> None:
    """Keep this process, and all it starts, on that many cores: the last ones of those it may use."""
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, usable[-cores:])


def processor_seconds(work: Callable[[], object], runs: int) -> float:
    """Median of the processor seconds that a call takes in this process."""
    return statistics.median(_once(work, time.process_time) for _ in range(runs))


def clock_seconds(work: Callable[[], object], runs: int) -> float:
    """Median of the seconds that a call takes by the clock."""
    return statistics.median(_once(work, time.perf_counter) for _ in range(runs))


def _once(work: Callable[[], object], clock: Callable[[], float]) -> float:
    started = clock()
    work()
    return clock() - started


def machine() -> str:
    """Processor, cores, Python."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return f"{name}, {len(os.sched_getaffinity(0))} cores usable, Python {platform.python_version()}"


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table; floats with three digits that count."""
    print(f"\n| {' | '.join(heads)} |\n|{'-|' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(_shown(cell) for cell in row)} |")


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def write_result(path: Path | None, result: dict[str, Any]) -> None:
    """The result as JSON, to a file or on standard output."""
    text = json.dumps(result, ensure_ascii=False, indent=1)
    if path is None:
        print(f"\n{text}")
    else:
        path.write_text(text + "\n", encoding="utf-8")
