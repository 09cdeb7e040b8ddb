"""Where the rows of a CSV file begin, found by a kernel as far as it is sure of them. Dividing such files asks.

The rules are those of `corpus/table_cells.py`. Sure is what holds whatever the cells say: a line without a quote that
opens is a row; one that goes on in the next lines is one where all its bytes are of the file's encoding, no cell goes
against the rules, and its length is within bounds. At any other row the finder stops, and the reader itself goes on.
"""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pyarrow as pa

from corpus.kernels import Bytes, kernel

_BLOCK = 4 << 20
_MORE, _STOPPED, _UNSURE = 0, 1, 2
_QUOTE, _LF, _CR = 0x22, 0x0A, 0x0D


class Finder:
    """A place in an open file at which a row begins.

    Attributes:
        at, line: the byte, and the number of its line.
        unsure: the byte up to which the reader itself should go on, where `find` has stopped for it.
    """

    def __init__(
        self, handle: BinaryIO, encoding: str, delimiter: str, columns: int, longest: int, most_lines: int
    ) -> None:
        self._handle, self._encoding = handle, encoding
        self._rules = (ord(delimiter), columns, longest, most_lines)
        self.at, self.line, self.unsure = 0, 1, 0
        self._data, self._base = b"", 0  # whole lines from a row's beginning on, or what is not known to be so yet
        self._checked = 0  # of it, bytes that are of the encoding
        self._ended = False

    def go(self, at: int, line: int) -> None:
        """Stand at a row's beginning."""
        self._data, self._base, self._checked, self._ended = b"", at, 0, False
        self.at, self.line = at, line
        self._handle.seek(at)

    def find(self, goal: int, sure_from: int) -> bool:
        """Go on to the last row that begins at byte `goal` or before, at least one row; whether there is one more.

        Args:
            sure_from: rows of several lines before this byte are left to the reader.
        """
        moved = False
        while True:
            whole = self._checked
            if whole > self.at - self._base:
                data = np.frombuffer(self._data, np.uint8)
                at, lines, why = row_starts(
                    data, self.at - self._base, whole, goal - self._base, sure_from - self._base, moved, *self._rules
                )
                moved = moved or at > self.at - self._base
                self.at, self.line = self._base + at, self.line + lines
                if why == _STOPPED:
                    return True
                if why == _UNSURE:
                    self.unsure = self.at + 1
                    return False
            if not self._more():
                return False

    def _more(self) -> bool:
        """Hold a block more; False at the end, or where what is held is not of the encoding."""
        gone = self.at - self._base
        self._data, self._base, self._checked = self._data[gone:], self.at, self._checked - gone
        if len(self._data) > self._rules[2] + 2 * _BLOCK:  # no row that is sure is so long
            self.unsure = self.at + 1
            return False
        block = b"" if self._ended else self._handle.read(_BLOCK)
        if not block and not self._ended:
            self._ended = True
            block = b"" if self._data.endswith(b"\n") else b"\n"  # the last line ends with the file
        elif not block:
            self.unsure = self._base + len(self._data)
            return False
        self._data += block
        whole = self._data.rfind(b"\n") + 1
        try:
            _require(self._encoding, memoryview(self._data)[self._checked : whole])
        except (UnicodeDecodeError, pa.ArrowInvalid):
            self.unsure = self._base + max(whole, len(self._data))
            return False
        self._checked = whole
        return True


def _require(encoding: str, data: memoryview) -> None:
    if encoding == "utf-8":  # three times as fast as decoding it
        offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    else:
        str(data, encoding)


@kernel
def row_starts(
    data: Bytes,
    start: int,
    end: int,
    goal: int,
    sure_from: int,
    moved: bool,
    delimiter: int,
    columns: int,
    longest: int,
    most_lines: int,
) -> tuple[int, int, int]:
    """Go from row to row; the byte at which the row begins that it stopped at, line ends gone past, and why it stopped.

    Args:
        start, end: the bytes to look at, from a row's beginning to a line's end.
        goal: it stops at a row that ends after this byte, unless it has not moved by a row.
        sure_from: rows of several lines before this byte are not sure.
        moved: whether it has moved before.
        delimiter, columns, longest, most_lines: of the table; bytes and lines that a row of several may have.
    """
    row, gone = start, 0
    while row < end:
        i, lines, cells = row, 0, 0
        quoted, closed, fresh, wrong, ended = False, False, True, False, False
        while i < end:
            byte = data[i]
            i += 1
            if byte == _LF:
                lines += 1
                if not quoted:
                    ended = True
                    break
                if row < sure_from or i - row > longest or lines >= most_lines:
                    return row, gone, _UNSURE
            elif wrong:
                continue
            elif quoted:
                if byte == _QUOTE:
                    if data[i] == _QUOTE:
                        i += 1
                    else:
                        quoted, closed = False, True
            elif byte == delimiter:
                cells += 1
                closed, fresh, wrong = False, True, cells >= columns
            elif closed:
                wrong = not (byte == _CR and data[i] == _LF)
            elif fresh and byte == _QUOTE:
                quoted, fresh = True, False
            else:
                fresh = False
            if wrong and lines > 0:
                return row, gone, _UNSURE
        if not ended:
            return row, gone, _MORE
        if i > goal and moved:
            return row, gone, _STOPPED
        row, gone, moved = i, gone + lines, True
    return row, gone, _MORE
