"""Text columns of Arrow tables, row by row: what Parquet and Arrow files have in common. Their readers build on it.

No cell is trusted: strings may be no UTF-8, times may lie beyond the year 9999; such a cell costs itself alone.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.sources import UNREADABLE, ReadOptions, fields_of
from corpus.streams import too_long

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}  # of a second
_CELL = (ValueError, OverflowError, pa.ArrowException)  # what a cell of no Python value raises


def wanted(options: ReadOptions) -> list[str]:
    """Names of the columns that a source's settings name."""
    return [name for name in (options.text, options.key, options.url, options.created, *options.meta) if name]


def refuse_columns(schema: pa.Schema, form: str, options: ReadOptions) -> tuple[str, str] | None:
    """Cause and detail where the columns are not those that the source's settings name."""
    try:
        names = schema.names
    except UnicodeDecodeError:
        return f"{form}.broken", "a column's name is no UTF-8 (damaged?): copy the file again or write it anew"
    twice = [name for name in wanted(options) if names.count(name) > 1]
    if twice:
        told = f"column {twice[0]!r} stands there more than once: write the file anew, each name once"
        return f"{form}.column_twice", told
    if options.text not in names:
        there = ", ".join(names[:8])
        told = f"no column {options.text!r} (there are: {there}): set the source's `text` to the column of the text"
        return f"{form}.no_text", told
    kind = schema.field(options.text).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if plain in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()):
        return None
    told = f"column {options.text!r} is {kind}, not text: set the source's `text` to the column of the text"
    return f"{form}.no_text", told


def rows_of(
    batch: pa.RecordBatch, columns: list[str], first: int, form: str, options: ReadOptions
) -> Iterator[Record | Rejected]:
    """A record for each row of a batch; `first` is the number of its first row, `form` opens the causes.

    Raises:
        pa.ArrowException: the batch cannot be read.
    """
    # As bytes: neither Parquet nor Arrow checks that its strings are UTF-8.
    texts = batch.column(options.text).cast(pa.large_binary()).to_pylist()
    others = {name: column_values(batch.column(name)) for name in columns if name != options.text}
    for at, value in enumerate(texts):
        yield _record(first + at, value, {name: values[at] for name, values in others.items()}, form, options)


def column_values(column: pa.Array) -> list[Any]:
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


def _record(row: int, value: bytes | None, other: dict[str, Any], form: str, options: ReadOptions) -> Record | Rejected:
    if value is None:
        return Rejected(row, 0, f"{form}.null_text", f"row {row}: column {options.text!r} is null: fill or remove it")
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
