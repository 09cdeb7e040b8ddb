"""Arrow IPC: files (Feather 2 is one), and streams such as Hugging Face `datasets` caches. Offsets are rows.

Big files are divided by their batches; a stream has no list of them and is read whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from corpus.arrow_blocks import blocks_of, rows_in
from corpus.columns import refuse_columns, rows_of, wanted
from corpus.documents import Record, Rejected
from corpus.ranges import BigFile, Range, part_ranges
from corpus.sources import ReadOptions

ENDINGS = (".arrow", ".feather", ".ipc")
SPLIT = "records"

_ROWS = 512  # at once: bounded even where texts are long
_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"
_BROKEN = (pa.ArrowException, OSError)
_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records of the batches [start, end); a batch that cannot be read is one Rejected. A stream is read whole."""
    size = path.stat().st_size
    if size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    with path.open("rb") as handle:
        magic = handle.read(6)
    if magic[:4] == _FEATHER_1:
        yield Rejected(
            0, size, "arrow.feather_1", "Feather version 1: write it anew as Feather 2 (Arrow IPC) or Parquet"
        )
        return
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_file(source) if magic == _FILE else pa.ipc.open_stream(source)
        except _BROKEN:
            detail = "not a readable Arrow file (cut short, or another format): copy it again or write it anew"
            if start == 0:  # once, however the file is divided
                yield Rejected(0, size, "arrow.broken", detail)
            return
        refused = refuse_columns(reader.schema, "arrow", options)
        if refused is not None:
            if start == 0:
                yield Rejected(0, size, *refused)
            return
        if magic == _FILE:
            last = reader.num_record_batches if end is None else min(end, reader.num_record_batches)
            with path.open("rb") as handle:
                yield from _batches(reader, range(start, last), handle, options)
        else:
            yield from _batches(reader, itertools.count(), None, options)


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of batches, which a file's footer lists; none of a stream or of a damaged file."""
    blocks = blocks_of(file.handle)
    if blocks is None:
        return []
    file.handle.seek(0)
    if file.handle.read(len(_FILE)) != _FILE:
        return []
    first_rows = [0]
    for block in blocks.batches:
        rows = rows_in(file.handle, block)
        if rows is None:
            return []
        first_rows.append(first_rows[-1] + rows)
    around = ((0, len(_FILE)), *blocks.dictionaries, blocks.footer)
    sizes = [after - first for first, after in blocks.batches]
    found = []
    for start, end, size in part_ranges(sizes, unit_bytes):
        spans = (*around, *blocks.batches[start:end])
        state = {"row": first_rows[start]} if start else {}
        found.append(Range(start, end if end < len(sizes) else None, size, spans, state))
    return found


def _batches(
    reader: pa.RecordBatchFileReader | pa.RecordBatchStreamReader,
    numbers: Iterable[int],
    handle: BinaryIO | None,
    options: ReadOptions,
) -> Iterator[Record | Rejected]:
    seekable = isinstance(reader, pa.RecordBatchFileReader)
    columns = [name for name in dict.fromkeys(wanted(options)) if name in reader.schema.names]
    blocks = blocks_of(handle) if handle is not None else None
    row = options.state.get("row", 0)
    for number in numbers:
        first = row
        try:
            batch = _checked((reader.get_batch(number) if seekable else reader.read_next_batch()).select(columns))
            for at in range(0, batch.num_rows, _ROWS):
                for record in rows_of(batch.slice(at, _ROWS), columns, row, "arrow", options):
                    yield record
                    row += 1
        except StopIteration:
            return
        except _BROKEN:
            detail = f"batch {number}, from row {row} on, cannot be read"
            yield Rejected(row, 0, "arrow.broken", f"{detail}: write the file anew, or copy it again")
            if not seekable:  # nor can what follows it
                return
        if handle is not None and blocks is not None and number < len(blocks.batches):
            rows = rows_in(handle, blocks.batches[number])
            row = row if rows is None else first + rows  # however many of them could be read


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, its strings as bytes, every offset looked at: Arrow itself follows them unchecked, wherever they lead.

    Raises:
        pa.ArrowException: an offset leads out of its buffer.
    """
    # As bytes, since strings are rarely but sometimes no UTF-8: that costs a cell, not the batch.
    columns = [one.view(_BYTES[one.type]) if one.type in _BYTES else one for one in batch.columns]
    for column in columns:
        column.validate(full=True)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
