"""Where the batches of an Arrow IPC file lie and how many rows each has, from its footer and their heads alone.

pyarrow tells neither without reading (and decompressing) the batches. `corpus/sources/arrow.py` divides by it. The
layout is the one of the Arrow columnar format's `File.fbs` and `Message.fbs`; flatbuffers are read by hand, each place
checked by `struct` before it is followed.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

_MAGIC = b"ARROW1"
_NEW = b"\xff\xff\xff\xff"  # before a message's size, since Arrow 0.15
_DICTIONARIES, _BATCHES = 2, 3  # fields of Footer
_HEADER = 2  # field of Message
_LENGTH = 0  # field of RecordBatch
_BLOCK = struct.Struct("<qi4xq")  # offset, bytes of the message, bytes of its body


@dataclass(frozen=True, slots=True)
class Blocks:
    """First byte and byte after the last of each batch, of each dictionary, and of the footer."""

    batches: tuple[tuple[int, int], ...]
    dictionaries: tuple[tuple[int, int], ...]
    footer: tuple[int, int]


def blocks_of(handle: BinaryIO) -> Blocks | None:
    """The blocks of an open file; None where they cannot be told (damaged, or no Arrow IPC file)."""
    try:
        size = handle.seek(0, io.SEEK_END)
        tail = len(_MAGIC) + 4
        (length,) = struct.unpack("<i", _part(handle, size - tail, 4))
        if not 0 < length <= size - tail or _part(handle, size - len(_MAGIC), len(_MAGIC)) != _MAGIC:
            return None
        footer = _part(handle, size - tail - length, length)
        root = _indirect(footer, 0)
        batches, dictionaries = (_vector(footer, root, field) for field in (_BATCHES, _DICTIONARIES))
    except (struct.error, ValueError, OSError):
        return None
    if any(not 0 <= start <= after <= size for start, after in (*batches, *dictionaries)):
        return None
    return Blocks(batches, dictionaries, (size - tail - length, size))


def rows_in(handle: BinaryIO, block: tuple[int, int]) -> int | None:
    """Rows of the batch in a block, by its head; None where that cannot be told."""
    try:
        return _rows(handle, *block)
    except (struct.error, ValueError, OSError):
        return None


def _part(handle: BinaryIO, start: int, size: int) -> bytes:
    if start < 0:
        raise ValueError("before the file's beginning")
    handle.seek(start)
    return handle.read(size)


def _indirect(data: bytes, at: int) -> int:
    return at + int(struct.unpack_from("<I", data, at)[0])


def _field(data: bytes, table: int, field: int) -> int | None:
    """Where a table's field lies, None where it has its default."""
    vtable = table - int(struct.unpack_from("<i", data, table)[0])
    if vtable < 0:
        raise ValueError("a table's own list of fields lies before the data")
    (size,) = struct.unpack_from("<H", data, vtable)
    if 4 + 2 * field >= size:
        return None
    (offset,) = struct.unpack_from("<H", data, vtable + 4 + 2 * field)
    return table + offset if offset else None


def _vector(data: bytes, table: int, field: int) -> tuple[tuple[int, int], ...]:
    at = _field(data, table, field)
    if at is None:
        return ()
    at = _indirect(data, at)
    (count,) = struct.unpack_from("<I", data, at)
    if count * _BLOCK.size > len(data):
        raise ValueError("more blocks than the footer holds")
    found = (_BLOCK.unpack_from(data, at + 4 + n * _BLOCK.size) for n in range(count))
    return tuple((offset, offset + message + body) for offset, message, body in found)


def _rows(handle: BinaryIO, start: int, after: int) -> int:
    head = _part(handle, start, 8)
    at = 8 if head[:4] == _NEW else 4
    (size,) = struct.unpack("<i", head[at - 4 : at])
    if not 0 < size <= after - start:
        raise ValueError("a message longer than its block")
    message = _part(handle, start + at, size)
    header = _field(message, _indirect(message, 0), _HEADER)
    if header is None:
        raise ValueError("a message without a header")
    length = _field(message, _indirect(message, header), _LENGTH)
    rows = 0 if length is None else int(struct.unpack_from("<q", message, length)[0])
    if rows < 0:
        raise ValueError("fewer rows than none")
    return rows
