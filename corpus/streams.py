"""Bytes of input files, decompressed on the way, in bounded memory; lines of them by byte range. Readers build on it.

Offsets are decompressed bytes. A compressed file that ends or breaks early gives what was whole; `Stream.cut` says so.
"""

from __future__ import annotations

import bz2
import io
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from corpus.documents import Rejected

COMPRESSIONS = (".gz", ".bz2", ".zst")
_NAMES = {".gz": "gzip", ".bz2": "bzip2", ".zst": "zstd"}
_BLOCK = 1 << 18
_MEMBERS = 1 << 12  # whose places are held, of a file of nothing but tiny ones
_ZSTD_BLOCK = 4 << 10  # zstd bounds no output by call: 4 KiB of it hold at most about 128 MiB


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a compressed file ended early or broke: cause (`gzip.truncated`, …) and byte of the compressed file."""

    cause: str
    at: int

    def rejected(self, offset: int, length: int) -> Rejected:
        """The record that the cut destroyed: what is left of it, decompressed."""
        ended = "ends" if self.cause.endswith("truncated") else "is damaged"
        return Rejected(
            offset,
            length,
            self.cause,
            f"the compressed file {ended} at byte {self.at}; what came before it was read: copy the file again",
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end: number from 1, byte offset, length in bytes; data is None where it is over the limit."""

    number: int
    offset: int
    length: int
    data: bytes | None


class Stream(io.RawIOBase):
    """A file's bytes, decompressed by its name's ending (.gz, .bz2, .zst; several members are one stream).

    Attributes:
        cut: set when the compressed bytes end early or are damaged; reading then ends there.
        members: decompressed and compressed byte at which each member begins, those that were come to; whoever asks
            for them takes them out.
    """

    def __init__(
        self,
        path: Path,
        start: int = 0,
        opened: BinaryIO | None = None,
        stop: int | None = None,
        told: int | None = None,
    ) -> None:
        """Open a file, or read one that is open.

        Args:
            start, stop: bytes of the file as it lies; of a compressed one, where members begin.
            told: decompressed bytes before `start`, where these are others.
        """
        self.cut: Cut | None = None
        self.members: deque[tuple[int, int]] = deque(maxlen=_MEMBERS)
        self._file = opened or path.open("rb")
        self._stop = stop
        self._kind = path.suffix.lower()
        if start:
            self._file.seek(start)
        self._decoder: Any = None
        self._pending = b""
        self._ready = memoryview(b"")
        self._told = start if told is None else told

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end or the cut."""
        target = memoryview(buffer).cast("B")
        if not self._ready:
            self._ready = memoryview(self._next())
        taken = min(len(target), len(self._ready))
        target[:taken] = self._ready[:taken]
        self._ready = self._ready[taken:]
        self._told += taken
        return taken

    def tell(self) -> int:
        """Decompressed bytes handed out, from the start of the file."""
        return self._told

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _next(self) -> bytes:
        if self._kind not in COMPRESSIONS:
            return self._raw(_BLOCK)
        while self.cut is None:
            data = self._pending
            if not data and getattr(self._decoder, "needs_input", True):  # bzip2 may hold back more than it gave
                data = self._raw(_ZSTD_BLOCK if self._kind == ".zst" else _BLOCK)
            self._pending = b""
            if self._decoder is None:
                if not data:
                    return b""
                data = data.lstrip(b"\0")  # padding between members, of any length
                if not data:
                    continue
                self._decoder = _decoder(self._kind)
                self.members.append((self._told, self._file.tell() - len(data)))
            out = self._decode(data)
            if out:
                return out
        return b""

    def _raw(self, size: int) -> bytes:
        return self._file.read(size if self._stop is None else max(0, min(size, self._stop - self._file.tell())))

    def _decode(self, data: bytes) -> bytes:
        decoder, kind = self._decoder, _NAMES[self._kind]
        waited = getattr(decoder, "needs_input", True)
        try:
            out: bytes = decoder.decompress(data) if kind == "zstd" else decoder.decompress(data, _BLOCK)
        except _broken(self._kind):
            self.cut = Cut(f"{kind}.broken", max(0, self._file.tell() - len(data)))
            return b""
        if decoder.eof:
            self._pending, self._decoder = decoder.unused_data, None
        elif kind == "gzip":
            self._pending = decoder.unconsumed_tail
        if not data and not out and not decoder.eof and waited:
            self.cut = Cut(f"{kind}.truncated", self._file.tell())
        return out


def _decoder(kind: str) -> Any:
    if kind == ".gz":
        return zlib.decompressobj(31)
    if kind == ".bz2":
        return bz2.BZ2Decompressor()
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()


def _broken(kind: str) -> type[Exception]:
    if kind == ".gz":
        return zlib.error
    if kind == ".bz2":
        return OSError
    import zstandard

    broken: type[Exception] = zstandard.ZstdError
    return broken


def read_lines(
    path: Path, start: int, end: int | None, first: int, limit: int, opened: BinaryIO | None = None
) -> Iterator[Line | Rejected]:
    """Lines whose first byte lies in [start, end); an unfinished last line of a cut stream comes as Rejected.

    Args:
        start: only for files that are not compressed may it differ from 0.
        first: number of the line that holds byte `start`, from 1.
        limit: bytes above which a line is skipped over, its data None.
        opened: read instead of the file, which then only names the compression (standard input).
    """
    stream = Stream(path, max(0, start - 1), opened)
    with io.BufferedReader(stream, _BLOCK) as reader:
        offset, number = start, first
        if start and reader.read(1) != b"\n":  # the line that holds this byte began in the range before
            offset, number = start + _skip_line(reader), first + 1
        while end is None or offset < end:
            data = reader.readline(limit + 1)
            if not data:
                break
            whole = data.endswith(b"\n")
            length = len(data) - whole
            took = len(data)
            if not whole and took > limit:
                rest = _skip_line(reader)
                took += rest
                length = took - 1 if rest and not stream.cut else took
            if stream.cut and not whole:
                yield stream.cut.rejected(offset, length)
                return
            yield Line(number, offset, length, data[:length] if took <= limit + 1 and length <= limit else None)
            offset, number = offset + took, number + 1
        if stream.cut:
            yield stream.cut.rejected(offset, 0)


def _skip_line(reader: io.BufferedReader[Any]) -> int:
    """Go past the next line end; returns the bytes gone past."""
    gone = 0
    while block := reader.readline(_BLOCK):
        gone += len(block)
        if block.endswith(b"\n"):
            break
    return gone


def refuse_file(path: Path, limit: int) -> Rejected | None:
    """Why a file is not even opened: it is empty, or too long."""
    size = path.stat().st_size
    if size == 0:
        return Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
    return too_long(0, size, limit, "the file") if size > limit else None


def read_whole(path: Path, limit: int) -> bytes | Rejected:
    """All bytes of a file that is one record, or why not: empty, cut, or longer than `limit` bytes."""
    with Stream(path) as stream:
        data = io.BufferedReader(stream, _BLOCK).read(limit + 1)
        if stream.cut:
            return stream.cut.rejected(0, len(data))
        if not data:
            return Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        if len(data) > limit:
            return too_long(0, max(len(data), path.stat().st_size), limit, "the file")
    return data


def too_long(offset: int, length: int, limit: int, what: str) -> Rejected:
    """A record above collect.max_record."""
    detail = f"{what} takes {length} bytes, more than collect.max_record ({limit}): split it or raise the limit"
    return Rejected(offset, length, "record.too_long", detail)
