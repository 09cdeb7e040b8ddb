"""`hanjo corpus judge` on files: where the lines come from, where the verdicts go, what is told of them at the end."""

from __future__ import annotations

import gzip
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from corpus.errors import UsageError
from corpus.judging import judge_lines, judge_of
from corpus.shards import atomic_path
from corpus.streams import read_lines

STANDARD = Path("-")
_MAX_RECORD = 64 << 20  # as collect.max_record by default
Tally = Counter[tuple[str, str]]


def judge_file(source: Path, target: Path, profile: str = "auto") -> Tally:
    """Judge every line of `source` into `target`, which appears when it is whole; (verdict, rule or "") → lines.

    Raises:
        UsageError: no such file, no such profile.
    """
    judge = judge_of(profile)
    if source != STANDARD and (source.is_dir() or not source.exists()):
        raise UsageError("no such file", where=str(source), fix="give a JSON Lines file, or - for standard input")
    if target != STANDARD and target.is_dir():
        raise UsageError("a folder, where the verdicts' file should be", where=str(target), fix="name a file in it")
    tally: Tally = Counter()
    opened = sys.stdin.buffer if source == STANDARD else None
    lines = read_lines(source, 0, None, 1, _MAX_RECORD, opened)
    with _written(target) as out:
        for line in judge_lines(lines, judge, _MAX_RECORD, tally):
            out.write(line)
    return tally


def warnings(tally: Tally) -> Iterator[str]:
    """What a person must know of the lines that could not be read: how many by cause."""
    causes = {rule: number for (verdict, rule), number in sorted(tally.items()) if verdict == "quarantine"}
    if causes:
        told = ", ".join(f"{number:,} {cause}" for cause, number in causes.items())
        yield f"{sum(causes.values()):,} of {sum(tally.values()):,} lines could not be read: {told}"


@contextmanager
def _written(target: Path) -> Iterator[BinaryIO]:
    """Somewhere to write; a file is compressed by its name's ending."""
    if target == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with atomic_path(target) as temporary, temporary.open("wb") as handle:
        if target.suffix.lower() == ".gz":
            with gzip.GzipFile(filename="", fileobj=handle, mode="wb", compresslevel=6, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        elif target.suffix.lower() == ".zst":
            import zstandard

            with zstandard.ZstdCompressor().stream_writer(handle, closefd=False) as packed:
                yield cast(BinaryIO, packed)
        else:
            yield handle
