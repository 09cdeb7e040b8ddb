"""CSV and TSV: a header names the columns, a row is a document; line breaks within quotes belong to the cell.

Rows are put together from lines, so that a quote without its end costs its own line and the next rows go on. Where a
row begins depends on all before it, so a big file is gone through once to be divided, by a kernel as far as that can be
sure of the rows (`corpus/table_rows.py`), else as it is read.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.ranges import BigFile, Cuts, Range
from corpus.sources import ReadOptions, fields_of
from corpus.sources.jsonl import no_text
from corpus.streams import Line, Stream, read_lines, too_long
from corpus.table_cells import BrokenError, Cells

ENDINGS = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz", ".csv.zst", ".tsv.zst", ".tab.zst")
SPLIT = "records"

_DELIMITERS = ",\t;|"
_SAMPLE = 1 << 18  # bytes by which the file's encoding is told
_DIVIDED = ("utf-8", "cp949")  # in which no byte of another sign is one of a quote, a line's end or a delimiter
_ROW_LINES = 1 << 16  # lines of one cell at most: a quote without its end must not hold the whole file
_EPOCH_DIGITS = 9  # a time of so many digits counts seconds; fewer are a date
_WASTE = 4  # bytes looked at in vain for the end of a quote, for each byte gone past


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The rows below the header that begin in [start, end); offsets are bytes of the decompressed file."""
    if state := options.state:
        rows = _Rows(path, options, state["encoding"], (start, end), state["line"], state["wasted"])
        yield from _documents(rows, (state["delimiter"], state["names"]), options)
        return
    try:
        with Stream(path) as stream:
            rows = _Rows(path, options, _encoding(stream), (0, end))
    except UndecodableError as error:
        yield Rejected(0, path.stat().st_size, error.cause, error.detail)
        return
    header = _opening(rows, path.name, options)
    if isinstance(header, Rejected):
        told = header.length or header.cause == "file.empty"
        yield header if told else Rejected(0, path.stat().st_size, header.cause, header.detail)
        return
    yield from _documents(rows, header, options)


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of rows, of a file in UTF-8 or CP949 that is not compressed."""
    if file.compressed:
        return []
    try:
        encoding = _encoding(file.stream())
    except UndecodableError:
        return []
    if encoding not in _DIVIDED:
        return []
    file.handle.seek(0)
    rows = _Rows(file.path, options, encoding, opened=file.handle)
    header = _opening(rows, file.path.name, options)
    if isinstance(header, Rejected):
        return []
    cuts = Cuts(unit_bytes)
    for at, line, wasted, looked in _places(file, rows, header, options, cuts):
        names = {"encoding": encoding, "delimiter": header[0], "names": header[1]}
        cuts.offer(at, {**names, "line": line, "wasted": wasted}, looked)
    # The byte before a range is looked at too: that it ends a line.
    return [replace(one, spans=((max(0, one.start - 1), one.spans[0][1]),)) for one in cuts.ranges(file.size)]


def _places(
    file: BigFile, rows: _Rows, header: tuple[str, list[str]], options: ReadOptions, cuts: Cuts
) -> Iterator[tuple[int, int, int, int]]:
    """Where rows begin that are the last in the range at hand, or near: byte, line, waste, furthest byte looked at."""
    from corpus.table_rows import Finder

    delimiter, names = header
    finder = Finder(file.handle, rows.encoding, delimiter, len(names), options.max_record, _ROW_LINES)
    finder.go(rows.at, rows.line)
    looked = max(rows.looked, 2 * _SAMPLE)
    while True:
        sure_from = (rows.wasted - 2 * options.max_record) // _WASTE + 1  # before it `_may_hold` counts the waste
        while finder.find(cuts.goal, sure_from):
            yield finder.at, finder.line, rows.wasted, looked
        if finder.at >= file.size:
            return
        rows = _Rows(file.path, options, rows.encoding, (finder.at, None), finder.line, rows.wasted, file.handle)
        until = max(finder.at + _SAMPLE, finder.unsure)
        while rows.at < until and rows.next(delimiter, len(names)) is not None:
            yield rows.at, rows.line, rows.wasted, max(looked, rows.looked)
        looked = max(looked, rows.looked)
        finder.go(rows.at, rows.line)


@dataclass(frozen=True, slots=True)
class _Row:
    offset: int
    length: int
    lines: list[Line]
    cells: list[str]
    losses: dict[str, int]


class _Rows:
    """Rows of a file; a row is at once a list of cells or the reason why there is none."""

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        encoding: str,
        part: tuple[int, int | None] = (0, None),
        line: int = 1,
        wasted: int = 0,
        opened: BinaryIO | None = None,
    ) -> None:
        self.encoding, self._options = encoding, options
        wide = encoding.startswith(("utf-16", "utf-32"))
        limit = options.max_record
        self.at, self._end = part
        self.line, self.wasted, self.looked = line, wasted, 0
        narrow = read_lines(path, self.at, None, line, limit, opened)
        self._lines = _wide_lines(path, encoding, limit) if wide else narrow
        self._codec = "utf-8" if wide else encoding
        self._ahead: list[Line | Rejected] = []  # the next line stands last
        self._begun = 0

    def pull(self) -> Line | Rejected | None:
        """The next line."""
        line = self._ahead.pop() if self._ahead else next(self._lines, None)
        if isinstance(line, Line):
            self.at, self.line = line.offset + line.length + 1, line.number + 1
            self.looked = max(self.looked, self.at)
        return line

    def pull_first(self) -> Line | Rejected | None:
        """The next line that is not blank, None where none begins before the end."""
        while self._end is None or self.at < self._end:
            line = self.pull()
            if not isinstance(line, Line) or line.data is None or line.data.strip(b" \r"):
                return line
        return None

    def put_back(self, *lines: Line | Rejected) -> None:
        """Lines that come again, in this order."""
        self._ahead += reversed(lines)
        if lines and isinstance(lines[0], Line):
            self.at, self.line = lines[0].offset, lines[0].number

    def next(self, delimiter: str, columns: int | None) -> _Row | Rejected | None:
        """The next row, or why it is none; None at the end.

        Args:
            columns: how many cells it must have; None for the header.
        """
        first = self.pull_first()
        if not isinstance(first, Line):
            return first
        self._begun = first.offset
        cells, losses = Cells(delimiter, columns), dict[str, int]()
        taken: list[Line] = []
        line: Line | Rejected | None = first
        while True:
            if not isinstance(line, Line) or not self._may_hold(taken, line):
                return self._unclosed(first, taken, line)
            taken.append(line)
            try:
                done = cells.feed(self._text(line, losses))
            except UndecodableError as error:
                return self._refuse(first, taken, error.cause, error.detail)
            except BrokenError as error:
                return self._refuse(first, taken, "csv.broken", str(error))
            if done:
                break
            line = self.pull()
        length = line.offset + line.length - first.offset
        if length > self._options.max_record:
            return too_long(first.offset, length, self._options.max_record, f"line {first.number}")
        if columns is not None and len(cells.found) != columns:
            told = f"line {first.number}, byte {first.offset}: {len(cells.found)} cells where the header has {columns}"
            return Rejected(first.offset, length, "csv.cells", f"{told}: put a cell that holds the delimiter in quotes")
        return _Row(first.offset, length, taken, cells.found, losses)

    def _may_hold(self, taken: list[Line], line: Line) -> bool:
        if not taken:
            return line.data is not None
        held = line.offset - taken[0].offset
        lavish = self.wasted > _WASTE * self._begun + 2 * self._options.max_record
        return line.data is not None and held <= self._options.max_record and len(taken) < _ROW_LINES and not lavish

    def _text(self, line: Line, losses: dict[str, int]) -> str:
        data = line.data or b""
        if line.offset == 0:
            data = data.removeprefix(codecs.BOM_UTF8)
        try:
            return data.decode(self._codec)
        except UnicodeDecodeError:
            decoded = decode(data)
        for cause, times in decoded.losses.items():
            losses[cause] = losses.get(cause, 0) + times
        return decoded.text

    def _unclosed(self, first: Line, taken: list[Line], at: Line | Rejected | None) -> Rejected:
        if not taken:  # the line itself is too long to hold
            return too_long(first.offset, first.length, self._options.max_record, f"line {first.number}")
        if isinstance(at, Rejected):  # the compressed file was cut within this row
            length = at.offset + at.length - first.offset
            return Rejected(first.offset, length, at.cause, at.detail)
        if at is not None:
            self.put_back(at)
        return self._refuse(first, taken, "csv.unclosed", 'a quote without its end: write " within a cell as ""')

    def _refuse(self, first: Line, taken: list[Line], cause: str, detail: str) -> Rejected:
        """The first line alone is refused; those that were looked at after it come again."""
        last = taken[-1]
        self.wasted += last.offset + last.length - first.offset if len(taken) > 1 else 0
        self.put_back(*taken[1:])
        return Rejected(first.offset, first.length, cause, f"line {first.number}, byte {first.offset}: {detail}")


def _encoding(stream: Stream) -> str:
    """The encoding of the file's beginning, which its rows are read by where they fit it."""
    sample = b"".join(iter(lambda: stream.read(_SAMPLE) if stream.tell() < _SAMPLE else b"", b""))
    if len(sample) >= _SAMPLE and not sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    try:
        return decode(sample).encoding if sample else "utf-8"
    except UndecodableError as error:
        if error.cause == "text.undecodable":  # some of its rows are broken: each is told when its turn comes
            return "utf-8"
        raise


def _wide_lines(path: Path, encoding: str, limit: int) -> Iterator[Line | Rejected]:
    """Lines of a UTF-16 or UTF-32 file, their data as UTF-8, their offsets in the file's own bytes."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    number, offset, rest, skipped = 1, 0, "", 0
    with Stream(path) as stream:
        while True:
            block = stream.read(_SAMPLE)
            rest += decoder.decode(block, final=not block)
            *whole, rest = rest.split("\n") if block or not rest else [*rest.split("\n"), ""]
            for line in whole:
                length = skipped + len(line.encode(encoding, "replace"))
                mark = "\ufeff" if offset == 0 else ""
                data = None if length > limit else line.removeprefix(mark).encode("utf-8", "replace")
                yield Line(number, offset, length, data)
                number, offset, skipped = number + 1, offset + length + len("\n".encode(encoding)), 0
            if len(rest) > limit:
                skipped, rest = skipped + len(rest.encode(encoding, "replace")), ""
            if not block:
                break
        if stream.cut is not None:
            yield stream.cut.rejected(offset, 0)


def _opening(rows: _Rows, name: str, options: ReadOptions) -> tuple[str, list[str]] | Rejected:
    """Delimiter and names of the columns; the rows then stand below the header."""
    first = rows.pull_first()
    if first is None:
        return Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
    if isinstance(first, Rejected):
        return first
    rows.put_back(first)
    return _header(rows, first, name, options)


def _header(rows: _Rows, first: Line, name: str, options: ReadOptions) -> tuple[str, list[str]] | Rejected:
    """Delimiter and names of the columns; the delimiter is the one by which the wanted names are found."""
    tried: list[tuple[int, int, int, str, list[str]]] = []
    usual = "\t" if ".tsv" in name.lower() or ".tab" in name.lower() else ","
    wanted = {one for one in (options.key, options.url, options.created, *options.meta) if one}
    broken = None
    for rank, delimiter in enumerate([usual, *_DELIMITERS.replace(usual, "")]):
        row = rows.next(delimiter, None)
        if isinstance(row, _Row):
            names = [cell.strip() for cell in row.cells]
            tried.append((options.text in names, len(wanted & set(names)), -rank, delimiter, names))
            rows.put_back(*row.lines)
        else:
            broken = broken or row
            rows.put_back(first)
    if not tried:
        return broken or Rejected(0, 0, "csv.broken", "no header could be read")
    found, _, _, delimiter, names = max(tried)
    rows.next(delimiter, None)
    if not found:
        most = max(tried, key=lambda one: len(one[4]))[4]
        told = f"line {first.number} must be the header: {no_text(dict.fromkeys(most), options.text)}"
        if b"\r" in (first.data or b"").rstrip(b"\r"):
            told = (
                f"line {first.number} has CR within: end lines by LF or CRLF (or no column {options.text!r} is there)"
            )
        return Rejected(0, 0, "csv.no_text", told)
    twice = [one for one in (options.text, *sorted(wanted)) if names.count(one) > 1]
    if twice:
        told = f"column {twice[0]!r} stands in the header more than once: give each its own name"
        return Rejected(0, 0, "csv.column_twice", told)
    return delimiter, names


def _documents(rows: _Rows, header: tuple[str, list[str]], options: ReadOptions) -> Iterator[Record | Rejected]:
    delimiter, names = header
    while (row := rows.next(delimiter, len(names))) is not None:
        if isinstance(row, Rejected):
            yield row
        else:
            yield _document(row, names, options)


def _document(row: _Row, names: list[str], options: ReadOptions) -> Record:
    cells: dict[str, Any] = {name: cell or None for name, cell in zip(names, row.cells, strict=True)}
    moment = cells.get(options.created) if options.created else None
    if moment and len(moment) >= _EPOCH_DIGITS and moment.isascii() and moment.isdigit():
        cells[str(options.created)] = int(moment)
    told, lost = fields_of(cells, options)
    return Record(cells[options.text] or "", row.offset, row.length, losses={**row.losses, **lost}, **told)
