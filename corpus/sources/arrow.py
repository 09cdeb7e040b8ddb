"""Arrow IPC: files (Feather 2 is one), and streams such as Hugging Face `datasets` caches. Offsets are rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from corpus.columns import refuse_columns, rows_of, wanted
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions

ENDINGS = (".arrow", ".feather", ".ipc")
SPLIT = "no"

_ROWS = 512  # at once: bounded even where texts are long
_FILE, _FEATHER_1 = b"ARROW1", b"FEA1"
_BROKEN = (pa.ArrowException, OSError)
_BYTES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records of all batches; a batch that cannot be read is one Rejected. start and end are not used."""
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
            yield Rejected(0, size, "arrow.broken", detail)
            return
        refused = refuse_columns(reader.schema, "arrow", options)
        if refused is not None:
            yield Rejected(0, size, *refused)
            return
        yield from _batches(reader, magic == _FILE, options)


def _batches(
    reader: pa.RecordBatchFileReader | pa.RecordBatchStreamReader, seekable: bool, options: ReadOptions
) -> Iterator[Record | Rejected]:
    columns = [name for name in dict.fromkeys(wanted(options)) if name in reader.schema.names]
    row, number = 0, 0
    while not seekable or number < reader.num_record_batches:
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
        number += 1


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
