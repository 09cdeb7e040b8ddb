"""Segments of the incremental index: one file each, sorted columns of fixed width, read through a memory map.

A segment never changes once it stands under its name. Later ones speak louder: a row with the same key overrides the
earlier, a row that says "gone" takes it back. `index_tables.py` looks rows up through all of them.

File: magic, the columns one after another (each from a multiple of 64 bytes), a JSON footer that names them, the
footer's length, magic. The manifest holds the file's size and hash, so that a cut or foreign file is never believed.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import shutil
import struct
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from corpus.errors import StaleError
from corpus.shards import PRIVATE, atomic_path
from dedup.runs import Array, Columns

MAGIC = b"hanjo.dedup.seg\n"
REBUILD = "build the index again from its sources (`hanjo dedup add` into a new folder), or bring back a copy of it"
_ALIGN, _SPOOL, _TAIL = 64, 8 << 20, struct.Struct("<Q16s")


@dataclass(frozen=True, slots=True)
class Table:
    """What a table holds: the columns it is sorted by, and the others; column → NumPy's name of its type."""

    keys: Mapping[str, str]
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, str]:
        """Keys, then values."""
        return {**self.keys, **self.values}


_ID = {"id_hi": "<u8", "id_lo": "<u8"}
_TEXT_ROW = {
    "count": "<i8",  # documents with this text; 0: none is left
    "best_hi": "<u8",  # the preferred one of them, and what the preference goes by
    "best_lo": "<u8",
    "length": "<i8",
    "created": "<i8",
    "least_hi": "<u8",  # the smallest id of them
    "least_lo": "<u8",
    "side": "<i1",  # train, valid, test, held out
    "cluster_hi": "<u8",
    "cluster_lo": "<u8",
    "size": "<i8",  # documents of the cluster
    "witness": "<i8",  # text that this one repeats, -1 where it stays
    "similarity": "<f8",
}


def band(number: int) -> str:
    """Name of the table of a band, and of its keys' column in `sets`."""
    return f"band-{number:03d}"


WORTH = {"quality": "<f8", "rights": "<i8"}
"""What a preference may go by beside length and date (see `dedup.inputs.worth`): held where the index prefers by it."""


def tables(bands: int, prefer: Sequence[str] = ()) -> dict[str, Table]:
    """Every table of a segment. A text is the set of documents whose space-free text is the same; it has a number."""
    worth = {name: kind for name, kind in WORTH.items() if name in prefer}
    named = {
        "documents": Table(_ID, {"text": "<i8", "length": "<i8", "created": "<i8", **worth}),  # text -1: gone
        "hashes": Table({"hash0": "<u8", "hash1": "<u8"}, {"text": "<i8"}),
        "members": Table({"text": "<i8", **_ID}),  # true while `documents` says the same
        "texts": Table({"text": "<i8"}, {**_TEXT_ROW, **worth}),
        "sets": Table({"text": "<i8"}, {band(one): "<u8" for one in range(bands)}),  # texts of at least one shingle
        "bounds": Table({}, {"at": "<i8"}),  # a row more: where in `shingles` each set begins, in the order of `sets`
        "shingles": Table({}, {"value": "<u8"}),
        "edges": Table({"one": "<i8", "other": "<i8"}, {"similarity": "<f8"}),  # both ways; similarity -1: gone
    }
    return named | {band(one): Table({"key": "<u8", "text": "<i8"}) for one in range(bands)}


@dataclass(frozen=True, slots=True)
class Segment:
    """Tables of one segment, in memory or over a memory-mapped file; arrays are read-only."""

    name: str
    tables: dict[str, Columns]
    mapped: mmap.mmap | None = None

    def release(self) -> None:
        """Give back the pages that were read of its file: whoever reads much of an index holds little of it at a time.

        They come again from the system's cache when they are asked for.
        """
        if self.mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.mapped.madvise(mmap.MADV_DONTNEED)

    def put(self, table: str, shape: Table, columns: Mapping[str, Array]) -> None:
        """Set a table of a segment in memory, its columns cast to their types."""
        cast = {name: np.ascontiguousarray(columns[name], kind) for name, kind in shape.columns.items()}
        for name, array in cast.items():
            cast[name] = array.view()
            cast[name].flags.writeable = False  # as over a file: compiled code is then the same for both
        self.tables[table] = cast


def empty_segment(name: str, shapes: Mapping[str, Table]) -> Segment:
    """A segment in memory without rows."""
    segment = Segment(name, {})
    for table, shape in shapes.items():
        segment.put(table, shape, {column: np.zeros(0, kind) for column, kind in shape.columns.items()})
    return segment


@dataclass(frozen=True, slots=True)
class Written:
    """A segment's file: name, bytes, BLAKE2b-128 of them."""

    name: str
    bytes: int
    hash: str


def write_segment(
    folder: Path, name: str, shapes: Mapping[str, Table], pieces: Mapping[str, Iterable[Columns]]
) -> Written:
    """Write a segment atomically.

    Args:
        pieces: for each table its rows in pieces, sorted throughout; a piece must fit in memory, the table need not.
    """
    final = folder / name
    with atomic_path(final, PRIVATE) as temporary, temporary.open("wb") as handle:
        out = _Hashing(handle)
        out.write(MAGIC)
        footer = {table: _write_table(out, folder, shape, pieces[table]) for table, shape in shapes.items()}
        told = json.dumps(footer, separators=(",", ":")).encode()
        out.write(told)
        out.write(_TAIL.pack(len(told), MAGIC))
        size, digest = out.size, out.hash.hexdigest()
    return Written(name, size, digest)


class _Hashing:
    """A file being written, its size and hash kept up."""

    def __init__(self, handle: IO[bytes]) -> None:
        self.handle, self.size, self.hash = handle, 0, hashlib.blake2b(digest_size=16)

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data."""
        self.handle.write(data)
        self.hash.update(data)
        self.size += len(data)
        return len(data)


def _write_table(out: _Hashing, folder: Path, shape: Table, pieces: Iterable[Columns]) -> dict[str, Any]:
    with ExitStack() as stack:
        spools = {
            column: stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOL, dir=str(folder)))
            for column in shape.columns
        }
        rows = 0
        for piece in pieces:
            for column, kind in shape.columns.items():
                spools[column].write(np.ascontiguousarray(piece[column], kind).view(np.uint8).data)
            rows += len(next(iter(piece.values())))
        offsets = {}
        for column, spool in spools.items():
            out.write(bytes(-out.size % _ALIGN))
            offsets[column] = out.size
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 20)
    return {"rows": rows, "offsets": offsets}


def read_segment(folder: Path, name: str, size: int, shapes: Mapping[str, Table]) -> Segment:
    """Map a segment's file.

    Args:
        size: bytes that the manifest says it has.

    Raises:
        StaleError: it is cut, longer, or no segment with these tables.
        FileNotFoundError: it is not there.
    """
    path = folder / name
    with path.open("rb") as handle:
        held = path.stat().st_size
        if held != size:
            told = f"{held} bytes, the manifest says {size}: cut short, or another file"
            raise StaleError(told, where=str(path), fix=REBUILD)
        mapped = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        length, magic = _TAIL.unpack(mapped[size - _TAIL.size :])
        if magic != MAGIC or mapped[: len(MAGIC)] != MAGIC:
            raise ValueError("no segment of an index")
        footer = json.loads(mapped[size - _TAIL.size - length : size - _TAIL.size])
        segment = Segment(name, {}, mapped)
        for table, shape in shapes.items():
            rows, offsets = footer[table]["rows"], footer[table]["offsets"]
            segment.tables[table] = {
                column: np.frombuffer(mapped, kind, rows, offsets[column]) for column, kind in shape.columns.items()
            }
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise StaleError(f"not a segment that can be read ({error})", where=str(path), fix=REBUILD) from error
    return segment
