"""The rules by which lines of a CSV file are rows, cell by cell. `corpus/sources/delimited.py` reads by them.

`corpus/table_rows.py` holds the same rules compiled, for where rows end alone: whoever changes one changes both.
"""

from __future__ import annotations


class BrokenError(Exception):
    """A row that goes against the rules, and what to do."""


class Cells:
    """Cells of one row, fed line by line (RFC 4180; a quote within a cell that does not begin with one is a sign)."""

    def __init__(self, delimiter: str, columns: int | None) -> None:
        self.found: list[str] = []
        self._delimiter, self._columns = delimiter, columns
        self._open: list[str] | None = None  # parts of a quoted cell without its end as yet

    def feed(self, line: str) -> bool:
        """Take a line; whether the row ends with it.

        Raises:
            BrokenError: what follows a quoted cell is no delimiter, or there are too many cells.
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
                    raise BrokenError('text after a closing quote: write " within a cell as ""')
            at = end + 1
            if self._columns is not None and len(self.found) >= self._columns:
                raise BrokenError(f"more cells than the {self._columns} of the header: is a quote missing?")

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
