"""Product catalogues: rows of JSON lines, JSON, CSV or Parquet, each a document by the template of `product_text.py`.

The name of the format must be said (`format: catalogue`). Columns go by the source's `columns` or by their usual names;
reviews are joined to their product's document, or each is its own (`reviews: apart`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.columns import column_values
from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.errors import SourceError
from corpus.json_envelopes import Element, divide_elements, plain_names, read_elements
from corpus.product_text import FIELDS, Product, product_of
from corpus.ranges import BigFile, Range
from corpus.sources import UNREADABLE, ReadOptions, fields_of
from corpus.sources.jsonl import object_of
from corpus.streams import Line, read_lines, too_long

ENDINGS = ()
SPLIT = "records"

_LISTS = ("data", "items", "products")
_ROWS = 512  # of Parquet, a batch
_Row = tuple[int, int, dict[str, Any], dict[str, int]]  # offset, length, columns, what was lost on decoding


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The products of a file, and their reviews where they are apart; of JSON those that begin in [start, end).

    Raises:
        SourceError: `columns` names a part that no product has.
    """
    for name in options.columns:
        if name not in FIELDS:
            fix = f"the parts of a product are: {', '.join(FIELDS)}"
            raise SourceError(f"columns: {name!r} is no part of a product", fix=fix)
    if path.stat().st_size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    for row in _rows(path, options, start, end):
        if isinstance(row, Rejected):
            yield row
        else:
            yield from _documents(row, options)


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of rows of a JSON file; none of another kind of file."""
    if not file.path.name.lower().endswith(".json"):
        return []
    return divide_elements(file, _LISTS, options.max_record, unit_bytes)


def _rows(path: Path, options: ReadOptions, start: int, end: int | None) -> Iterator[_Row | Rejected]:
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    if name.endswith(".parquet"):
        return _parquet(path)
    if name.endswith((".csv", ".tsv")):
        return _table(path, "\t" if name.endswith(".tsv") else ",", options)
    if name.endswith(".json"):
        return (
            (one.offset, one.length, one.value, one.losses) if isinstance(one, Element) else one
            for one in read_elements(path, _LISTS, options.max_record, start, end, options.state)
        )
    return _lines(path, options)


def _documents(row: _Row, options: ReadOptions) -> Iterator[Record | Rejected]:
    offset, length, value, losses = row
    value = {name: one for name, one in value.items() if one is not UNREADABLE}
    product = product_of(value, options.columns)
    if product is None:
        detail = f"the row at {offset}: none of a product's columns{plain_names(value)}: set the source's `columns`"
        yield Rejected(offset, length, "catalogue.no_columns", detail)
        return
    told, lost = fields_of(row[2], options)
    losses = {**losses, **lost}
    apart = options.reviews == "apart"
    if product.text or not (apart and product.reviews):
        text = (product.text or product.name) if apart else product.joined()
        yield Record(text, offset, length, losses=losses, **told)
        length, losses = 0, {}  # the row's bytes and losses are counted once
    if apart:
        yield from _reviews(product, offset, length, losses, told)


def _reviews(
    product: Product, offset: int, length: int, losses: dict[str, int], told: dict[str, Any]
) -> Iterator[Record]:
    for number in range(len(product.reviews)):
        name = f"review{number + 1}"
        one = {**told, "key": f"{told['key']}!{name}"} if told["key"] is not None else told
        yield Record(product.review(number), offset, length, member=name, losses=losses, **one)
        length, losses = 0, {}


def _lines(path: Path, options: ReadOptions) -> Iterator[_Row | Rejected]:
    for line in read_lines(path, 0, None, 1, options.max_record):
        if isinstance(line, Rejected):
            yield line
        elif line.data is None:
            yield too_long(line.offset, line.length, options.max_record, f"line {line.number}")
        elif line.data.strip():
            parsed = object_of(line.data, line.offset, line.length, f"line {line.number}", FIELDS["name"][0])
            yield parsed if isinstance(parsed, Rejected) else (line.offset, line.length, *parsed)


def _table(path: Path, delimiter: str, options: ReadOptions) -> Iterator[_Row | Rejected]:
    """Rows of a CSV file; the first one names the columns."""
    names: list[str] | None = None
    for line in _quoted_lines(path, options.max_record):
        if isinstance(line, Rejected):
            yield line
            continue
        if line.data is None:
            yield too_long(line.offset, line.length, options.max_record, f"the row at line {line.number}")
            continue
        try:
            decoded = decode(line.data.removeprefix(b"\xef\xbb\xbf") if line.offset == 0 else line.data)
            cells = next(csv.reader([decoded.text], delimiter=delimiter, strict=True), [])
        except UndecodableError as error:
            yield Rejected(line.offset, line.length, error.cause, f"the row at line {line.number}: {error.detail}")
            continue
        except csv.Error:
            detail = f"the row at line {line.number}: quotes that do not close: mend the row"
            yield Rejected(line.offset, line.length, "csv.broken", detail)
            continue
        if names is None:
            names = [cell.strip() for cell in cells]
        elif len(cells) != len(names) and any(cells):
            detail = f"the row at line {line.number}: {len(cells)} cells, the first row has {len(names)}: mend the row"
            yield Rejected(line.offset, line.length, "csv.cells", detail)
        elif any(cells):
            yield line.offset, line.length, dict(zip(names, cells, strict=True)), dict(decoded.losses)


def _quoted_lines(path: Path, limit: int) -> Iterator[Line | Rejected]:
    """Lines, joined to one where a quoted cell goes on in the next; an open quote at the limit ends its row there."""
    held: list[Line] = []
    quotes = size = 0
    for line in read_lines(path, 0, None, 1, limit):
        if isinstance(line, Rejected) or line.data is None:
            if held:
                yield _one(held, limit)
            held, quotes, size = [], 0, 0
            yield line
            continue
        held.append(line)
        quotes += line.data.count(b'"')
        size += line.length + 1
        if quotes % 2 == 0 or size > limit:
            yield _one(held, limit)
            held, quotes, size = [], 0, 0
    if held:
        yield _one(held, limit)


def _one(lines: list[Line], limit: int) -> Line:
    first, last = lines[0], lines[-1]
    length = last.offset + last.length - first.offset
    data = b"\n".join(line.data or b"" for line in lines).removesuffix(b"\r") if length <= limit else None
    return Line(first.number, first.offset, length, data)


def _parquet(path: Path) -> Iterator[_Row | Rejected]:
    row = 0
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            for batch in file.iter_batches(_ROWS):
                columns = {name: column_values(batch.column(name)) for name in batch.schema.names}
                for at in range(batch.num_rows):
                    value = {name: values[at] for name, values in columns.items()}
                    size = sum(len(one.encode()) for one in value.values() if isinstance(one, str))
                    yield row, size, value, {}
                    row += 1
    except (pa.ArrowException, OSError):
        detail = f"cannot be read from row {row} on: copy the file again or write it anew"
        yield Rejected(row, max(0, path.stat().st_size) if row == 0 else 0, "parquet.broken", detail)
