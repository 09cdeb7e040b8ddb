"""Parquet: a text column and, if named, key, URL and time; big files are divided by row groups. Offsets are rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.sources import UNREADABLE, ReadOptions, fields_of
from corpus.streams import too_long

ENDINGS = (".parquet",)
SPLIT = "row_groups"

_ROWS = 512  # a batch: bounded even where texts are long
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # of a second
_CELL = (ValueError, OverflowError, pa.ArrowException)  # what a cell of no Python value raises


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
        yield Rejected(0, size, "parquet.broken", detail)
        return
    with file:
        refused = _refuse_columns(file.schema_arrow, options)
        if refused is not None:
            yield Rejected(0, size, *refused)
            return
        columns = [name for name in dict.fromkeys(_wanted(options)) if name in file.schema_arrow.names]
        last = file.num_row_groups if end is None else min(end, file.num_row_groups)
        row = sum(file.metadata.row_group(group).num_rows for group in range(start))
        for group in range(start, last):
            yield from _read_group(file, group, row, columns, options)
            row += file.metadata.row_group(group).num_rows


def _wanted(options: ReadOptions) -> list[str]:
    return [name for name in (options.text, options.key, options.url, options.created, *options.meta) if name]


def _refuse_columns(schema: pa.Schema, options: ReadOptions) -> tuple[str, str] | None:
    """Cause and detail where the columns are not those that the source's settings name."""
    twice = [name for name in _wanted(options) if schema.names.count(name) > 1]
    if twice:
        told = f"column {twice[0]!r} stands there more than once: write the file anew, each name once"
        return "parquet.column_twice", told
    if options.text not in schema.names:
        there = ", ".join(schema.names[:8])
        told = f"no column {options.text!r} (there are: {there}): set the source's `text` to the column of the text"
        return "parquet.no_text", told
    kind = schema.field(options.text).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if plain in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()):
        return None
    told = f"column {options.text!r} is {kind}, not text: set the source's `text` to the column of the text"
    return "parquet.no_text", told


def _read_group(
    file: pq.ParquetFile, group: int, first: int, columns: list[str], options: ReadOptions
) -> Iterator[Record | Rejected]:
    row = first
    try:
        for batch in file.iter_batches(_ROWS, row_groups=[group], columns=columns):
            # As bytes: Parquet does not check that its strings are UTF-8.
            texts = batch.column(options.text).cast(pa.large_binary()).to_pylist()
            others = {name: _values(batch.column(name)) for name in columns if name != options.text}
            for at, value in enumerate(texts):
                yield _record(row, value, {name: values[at] for name, values in others.items()}, options)
                row += 1
    except (pa.ArrowException, OSError):
        rows = file.metadata.row_group(group).num_rows - (row - first)
        size = file.metadata.row_group(group).total_byte_size
        detail = f"row group {group} cannot be read from row {row} on ({rows} rows): copy the file again"
        yield Rejected(row, size, "parquet.broken", detail)


def _values(column: pa.Array) -> list[Any]:
    """Python values of a column; a cell that has none (bytes that are no UTF-8, the year 10000) is UNREADABLE."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        # As numbers: a time zone that this machine does not know, or nanoseconds, would be no reason to lose a time.
        epoch = _EPOCH if kind.tz else _EPOCH.replace(tzinfo=None)
        return [_moment(value, epoch, _UNITS[kind.unit]) for value in column.cast(pa.int64()).to_pylist()]
    try:
        values = column.to_pylist()
    except _CELL:
        values = [_value(cell) for cell in column]
    return [_text(value) if isinstance(value, bytes) else value for value in values]


def _value(cell: pa.Scalar) -> Any:
    try:
        return cell.as_py()
    except _CELL:
        return UNREADABLE


def _text(value: bytes) -> Any:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return UNREADABLE


def _moment(value: int | None, epoch: datetime.datetime, unit: int) -> Any:
    if value is None:
        return None
    try:
        return epoch + datetime.timedelta(microseconds=value * 1_000_000 // unit)
    except OverflowError:
        return UNREADABLE


def _record(row: int, value: bytes | None, other: dict[str, Any], options: ReadOptions) -> Record | Rejected:
    if value is None:
        return Rejected(row, 0, "parquet.null_text", f"row {row}: column {options.text!r} is null: fill or remove it")
    if len(value) > options.max_record:
        return too_long(row, len(value), options.max_record, f"row {row}")
    try:
        text, losses = value.decode(), {}
    except UnicodeDecodeError:
        try:
            decoded = decode(value)
        except UndecodableError as error:
            return Rejected(row, len(value), error.cause, f"row {row}: {error.detail}")
        text, losses = decoded.text, dict(decoded.losses)
    told, lost = fields_of(other, options)
    return Record(text, row, len(value), losses={**losses, **lost}, **told)
