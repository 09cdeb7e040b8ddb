"""How one big file is divided among work units: ranges of records that are read apart exactly as the file is whole.

A reader whose SPLIT is "records" defines `divide(file, options, unit_bytes)`, which finds them by the very rules that
its `read` goes by, and `read` begins within the file where its options' `state` says so. `corpus/work_units.py` asks.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from corpus.places import opened
from corpus.sources import ReadOptions, named_reader
from corpus.spans import file_name
from corpus.streams import COMPRESSIONS, Stream


@dataclass(frozen=True, slots=True)
class Range:
    """Records that begin in [start, end); what these count is the reader's own (bytes, batches).

    Attributes:
        end: None in the last range, which ends as the file does.
        bytes: about its size.
        spans: first byte and byte after the last of all that its reader looks at.
        state: what is known at `start` from all that came before, small and JSON-like; empty in the first range.
    """

    start: int
    end: int | None
    bytes: int
    spans: tuple[tuple[int, int], ...]
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BigFile:
    """An open file that is to be divided: its bytes (which nobody closes), its name and its size; a remote one too."""

    handle: BinaryIO
    path: Path
    size: int

    @property
    def compressed(self) -> bool:
        """Whether its name says so."""
        return self.path.suffix.lower() in COMPRESSIONS

    def stream(self, start: int = 0) -> Stream:
        """Its bytes from `start` on, decompressed."""
        self.handle.seek(start)
        return Stream(self.path, start, self.handle)


_BLOCK = 4 << 20


class _Held:
    """An open file that those who read it do not close."""

    def __init__(self, handle: BinaryIO) -> None:
        self.read, self.seek, self.tell = handle.read, handle.seek, handle.tell

    def close(self) -> None:
        """Nothing: whoever opened it closes it."""


Divide = Callable[[BigFile, ReadOptions, int], list[Range]]


def ranges_of(where: str, form: str, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """How a file is divided for the reader of that format; no ranges where it is read whole.

    Raises:
        SourceError: a remote file cannot be read.
    """
    divide: Divide = named_reader(form).module().divide
    try:
        with opened(where) as handle:
            size = handle.seek(0, io.SEEK_END)
            handle.seek(0)
            found = divide(BigFile(cast(BinaryIO, _Held(handle)), Path(file_name(where)), size), options, unit_bytes)
    except OSError:  # reading it will say what is wrong with it
        return []
    return found if len(found) > 1 else []


class Cuts:
    """Ranges of at most so many bytes (or of one record), made from the places where records begin, in their order."""

    def __init__(self, unit_bytes: int) -> None:
        self._unit = unit_bytes
        self._ranges: list[Range] = []
        self._begun, self._state = 0, dict[str, Any]()  # of the range at hand
        self._last, self._after = 0, dict[str, Any]()  # where it may end: the last place that was offered
        self._looked = 0  # the furthest byte that a reader of [begun, last) looks at

    @property
    def goal(self) -> int:
        """The byte at or before which the range at hand should end: the last place there and the next are enough."""
        return self._begun + self._unit

    def offer(self, at: int, state: dict[str, Any], looked: int = 0) -> None:
        """A record begins at byte `at`; those since the last place are read by bytes before `looked` alone."""
        if at - self._begun > self._unit:
            self._cut()
        self._last, self._after = at, state
        self._looked = max(self._looked, looked)

    def ranges(self, size: int) -> list[Range]:
        """All of them, of a file of that size."""
        if size - self._begun > self._unit:
            self._cut()
        last = Range(self._begun, None, size - self._begun, ((self._begun, size),), self._state)
        return [*self._ranges, last]

    def _cut(self) -> None:
        if self._last > self._begun:
            reach = max(self._last, self._looked)
            size = self._last - self._begun
            self._ranges.append(Range(self._begun, self._last, size, ((self._begun, reach),), self._state))
            self._begun, self._state, self._looked = self._last, self._after, 0


def line_ranges(file: BigFile, unit_bytes: int, looked: int) -> list[Range]:
    """Ranges of lines, the number of the first of each in its state (`line`).

    Args:
        looked: the first bytes of the file, which tell that it has lines.
    """
    cuts, line, base = Cuts(unit_bytes), 1, 0
    cuts.offer(0, {}, looked)
    file.handle.seek(0)
    while block := file.handle.read(_BLOCK):
        at = 0
        while True:
            # The last line that begins at the goal or before, else the next one.
            end = block.rfind(b"\n", at, max(at, cuts.goal - base))
            end = end if end >= 0 else block.find(b"\n", at)
            if end < 0:
                break
            line += block.count(b"\n", at, end + 1)
            at = end + 1
            cuts.offer(base + at, {"line": line})
        base += len(block)
    return [replace(one, spans=((max(0, one.start - 1), one.spans[0][1]),)) for one in cuts.ranges(file.size)]


def part_ranges(sizes: list[int], unit_bytes: int) -> list[tuple[int, int, int]]:
    """Ranges of numbered parts of these sizes, and the bytes of each range; a part that is bigger is one by itself."""
    ranges: list[tuple[int, int, int]] = []
    start, held = 0, 0
    for part, size in enumerate(sizes):
        if part > start and held + size > unit_bytes:
            ranges.append((start, part, held))
            start, held = part, 0
        held += size
    return [*ranges, (start, len(sizes), held)]
