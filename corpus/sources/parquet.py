"""Parquet: a text column and, if named, key, URL and time; big files are divided by row groups. Offsets are rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.columns import refuse_columns, rows_of, wanted
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions

ENDINGS = (".parquet",)
SPLIT = "row_groups"

_ROWS = 512  # a batch: bounded even where texts are long


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records of the row groups [start, end); a file or row group that cannot be read is one Rejected."""
    size = path.stat().st_size
    if size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError):
        detail = "not a readable Parquet file (cut short, or another format): copy it again or write it anew"
        if start == 0:  # once, however the file is divided
            yield Rejected(0, size, "parquet.broken", detail)
        return
    with file:
        refused = refuse_columns(file.schema_arrow, "parquet", options)
        if refused is not None:
            if start == 0:
                yield Rejected(0, size, *refused)
            return
        columns = [name for name in dict.fromkeys(wanted(options)) if name in file.schema_arrow.names]
        last = file.num_row_groups if end is None else min(end, file.num_row_groups)
        row = sum(file.metadata.row_group(group).num_rows for group in range(start))
        for group in range(start, last):
            yield from _read_group(file, group, row, columns, options)
            row += file.metadata.row_group(group).num_rows


def _read_group(
    file: pq.ParquetFile, group: int, first: int, columns: list[str], options: ReadOptions
) -> Iterator[Record | Rejected]:
    row = first
    try:
        for batch in file.iter_batches(_ROWS, row_groups=[group], columns=columns):
            for record in rows_of(batch, columns, row, "parquet", options):
                yield record
                row += 1
    except (pa.ArrowException, OSError):
        rows = file.metadata.row_group(group).num_rows - (row - first)
        size = file.metadata.row_group(group).total_byte_size
        detail = f"row group {group} cannot be read from row {row} on ({rows} rows): copy the file again"
        yield Rejected(row, size, "parquet.broken", detail)
