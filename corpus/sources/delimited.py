"""CSV and TSV: a header names the columns, a row is a document; line breaks within quotes belong to the cell.

Rows are put together from lines, so that a quote without its end costs its own line and the next rows go on.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, fields_of
from corpus.sources.jsonl import no_text
from corpus.streams import Line, Stream, read_lines, too_long

ENDINGS = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz", ".csv.zst", ".tsv.zst", ".tab.zst")
SPLIT = "no"

_DELIMITERS = ",\t;|"
_SAMPLE = 1 << 18  # bytes by which the file's encoding is told
_ROW_LINES = 1 << 16  # lines of one cell at most: a quote without its end must not hold the whole file
_EPOCH_DIGITS = 9  # a time of so many digits counts seconds; fewer are a date
_WASTE = 4  # bytes looked at in vain for the end of a quote, for each byte gone past


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The rows below the header, in order; offsets are bytes of the decompressed file. start and end are not used."""
    try:
        rows = _Rows(path, options, _encoding(path))
    except UndecodableError as error:
        yield Rejected(0, path.stat().st_size, error.cause, error.detail)
        return
    first = rows.pull()
    while isinstance(first, Line) and first.data is not None and not first.data.strip(b" \r"):
        first = rows.pull()
    if first is None:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    if isinstance(first, Rejected):
        yield first
        return
    rows.put_back(first)
    header = _header(rows, first, path.name, options)
    if isinstance(header, Rejected):
        yield header if header.length else Rejected(0, path.stat().st_size, header.cause, header.detail)
        return
    yield from _documents(rows, header, options)


@dataclass(frozen=True, slots=True)
class _Row:
    offset: int
    length: int
    lines: list[Line]
    cells: list[str]
    losses: dict[str, int]


class _Rows:
    """Rows of a file; a row is at once a list of cells or the reason why there is none."""

    def __init__(self, path: Path, options: ReadOptions, encoding: str) -> None:
        self.encoding, self._options = encoding, options
        wide = encoding.startswith(("utf-16", "utf-32"))
        limit = options.max_record
        self._lines = _wide_lines(path, encoding, limit) if wide else read_lines(path, 0, None, 1, limit)
        self._codec = "utf-8" if wide else encoding
        self._ahead: list[Line | Rejected] = []  # the next line stands last
        self._wasted, self._begun = 0, 0

    def pull(self) -> Line | Rejected | None:
        """The next line."""
        return self._ahead.pop() if self._ahead else next(self._lines, None)

    def put_back(self, *lines: Line | Rejected) -> None:
        """Lines that come again, in this order."""
        self._ahead += reversed(lines)

    def next(self, delimiter: str, columns: int | None) -> _Row | Rejected | None:
        """The next row, or why it is none; None at the end.

        Args:
            columns: how many cells it must have; None for the header.
        """
        first = self.pull()
        while isinstance(first, Line) and first.data is not None and not first.data.strip(b" \r"):
            first = self.pull()
        if not isinstance(first, Line):
            return first
        self._begun = first.offset
        cells, losses = _Cells(delimiter, columns), dict[str, int]()
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
            except _BrokenError as error:
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
        lavish = self._wasted > _WASTE * self._begun + 2 * self._options.max_record
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
        self._wasted += last.offset + last.length - first.offset if len(taken) > 1 else 0
        self.put_back(*taken[1:])
        return Rejected(first.offset, first.length, cause, f"line {first.number}, byte {first.offset}: {detail}")


class _BrokenError(Exception):
    pass


class _Cells:
    """Cells of one row, fed line by line (RFC 4180; a quote within a cell that does not begin with one is a sign)."""

    def __init__(self, delimiter: str, columns: int | None) -> None:
        self.found: list[str] = []
        self._delimiter, self._columns = delimiter, columns
        self._open: list[str] | None = None  # parts of a quoted cell without its end as yet

    def feed(self, line: str) -> bool:
        """Take a line; whether the row ends with it.

        Raises:
            _BrokenError: what follows a quoted cell is no delimiter, or there are too many cells.
        """
        at = 0
        if self._open is None and '"' not in line:
            self.found += line.removesuffix("\r").split(self._delimiter)
            return True
        if self._open is not None:
            self._open.append("\n")
        while True:
            if self._open is None and line.startswith('"', at):
                self._open, at = [], at + 1
            if self._open is None:
                end = line.find(self._delimiter, at)
                self.found.append(line[at:].removesuffix("\r") if end < 0 else line[at:end])
                if end < 0:
                    return True
            else:
                end = self._quoted(line, at)
                if end < 0:
                    return False
                if line[end : end + 2] in ("", "\r"):
                    return True
                if line[end] != self._delimiter:
                    raise _BrokenError('text after a closing quote: write " within a cell as ""')
            at = end + 1
            if self._columns is not None and len(self.found) >= self._columns:
                raise _BrokenError(f"more cells than the {self._columns} of the header: is a quote missing?")

    def _quoted(self, line: str, at: int) -> int:
        """Go on in an open cell; where it ends in the line (after its quote), -1 where it does not."""
        assert self._open is not None
        while True:
            end = line.find('"', at)
            if end < 0:
                self._open.append(line[at:])
                return -1
            if not line.startswith('"', end + 1):
                self.found.append("".join([*self._open, line[at:end]]))
                self._open = None
                return end + 1
            self._open.append(line[at : end + 1])
            at = end + 2


def _encoding(path: Path) -> str:
    """The encoding of the file's beginning, which its rows are read by where they fit it."""
    with Stream(path) as stream:
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
