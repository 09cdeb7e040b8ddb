"""What a person sees while stages run: one bar a stage on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from hanjo.stages import StageResult

_PLAIN_EVERY = 10.0  # seconds between plain lines


class _ToConsole(logging.Handler):
    """Prints log records above the bar."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"          {record.getMessage()}", markup=False)


class Progress:
    """Tells how a run goes, on standard error; `quiet` tells nothing. What our packages log at INFO is told too."""

    def __init__(self, how: Literal["auto", "quiet"] = "auto") -> None:
        self.quiet = how == "quiet"
        self.console = Console(stderr=True, quiet=self.quiet, highlight=False, soft_wrap=True)
        logger = logging.getLogger("hanjo")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.handlers = [_ToConsole(self.console)]

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[..., None]]:
        """A bar for one stage: the yielded function takes `phase=`, `total=` (a new phase) and `advance=`."""
        if self.console.is_terminal and not self.quiet:
            with self._bar(name) as tell:
                yield tell
        else:
            yield self._lines(name)

    @contextmanager
    def _bar(self, name: str) -> Iterator[Callable[..., None]]:
        columns = (
            SpinnerColumn(),
            TextColumn("[bold]{task.fields[stage]:<9}[/] {task.description:<12}"),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bars(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task("", total=None, stage=name)

            def tell(phase: str | None = None, total: int | None = None, advance: int = 0) -> None:
                if phase is not None:
                    bars.reset(task, description=phase, total=total)
                bars.advance(task, advance)

            yield tell

    def _lines(self, name: str) -> Callable[..., None]:
        done, whole, last, label = 0, 0, time.monotonic(), ""

        def tell(phase: str | None = None, total: int | None = None, advance: int = 0) -> None:
            nonlocal done, whole, last, label
            if phase is not None:
                done, whole, label = 0, total or 0, phase
            done += advance
            if time.monotonic() - last > _PLAIN_EVERY and whole:
                last = time.monotonic()
                self.console.print(f"{name}: {label} {done / whole:.0%}")

        return tell

    def warn(self, told: str) -> None:
        """One line that should not be passed over."""
        self.console.print(f"[yellow]warning:[/] {escape(told)}")

    def say(self, result: StageResult) -> None:
        """One line for a stage that has ended."""
        counts = result.counts
        if not result.ran:
            self.console.print(f"[bold]{result.stage:<9}[/] unchanged: all {result.jobs} jobs were done before")
            return
        parts = [f"{result.seconds:6.1f} s"]
        if "in" in counts:
            parts.append(f"{counts['in'].get('documents', 0):,} documents in")
            parts.append(f"{counts.get('kept', {}).get('documents', 0):,} kept")
        for kind in ("removed", "quarantined"):
            number = sum(a.get("documents", 0) for reason, a in counts.items() if reason.startswith(f"{kind}/"))
            if number:
                parts.append(f"{number:,} {kind}")
        tokens = counts.get("kept", {}).get("tokens") or counts.get("trained", {}).get("tokens")
        if tokens:
            parts.append(f"{tokens:,} tokens")
        self.console.print(f"[bold]{result.stage:<9}[/] " + ", ".join(parts))
