"""JSON Lines: a JSON object a line, its text under one key; big uncompressed files are divided by byte ranges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.documents import Record, Rejected
from corpus.json_elements import parse
from corpus.sources import ReadOptions, fields_of
from corpus.streams import read_lines, too_long

ENDINGS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")
SPLIT = "bytes"

_NAME = re.compile(r"[A-Za-z_]{1,30}")  # others may be personal data: {"010-1234-5678": …}, {"홍길동": …}


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records whose line begins in [start, end) (decompressed bytes); blank lines are none."""
    empty = True
    for line in read_lines(path, start, end, options.first_line, options.max_record):
        empty = False
        if isinstance(line, Rejected):
            yield line
        elif line.data is None:
            yield too_long(line.offset, line.length, options.max_record, f"line {line.number}")
        elif line.data.strip():
            yield record_of(line.data, line.offset, line.length, f"line {line.number}", options)
    if empty and start == 0 and end in (None, 0):
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")


def record_of(data: bytes, offset: int, length: int, place: str, options: ReadOptions) -> Record | Rejected:
    """The record of an object's bytes; `place` says in words where that is."""
    found = object_of(data, offset, length, place, options.text)
    if isinstance(found, Rejected):
        return found
    row, losses = found
    value = row.get(options.text)
    if not isinstance(value, str):
        told = f"{place}, byte {offset}: {no_text(row, options.text)}"
        return Rejected(offset, length, "json.no_text", told)
    told_fields, lost = fields_of(row, options)
    return Record(value, offset, length, losses={**losses, **lost}, **told_fields)


def object_of(
    data: bytes, offset: int, length: int, place: str, field: str
) -> tuple[dict[str, Any], dict[str, int]] | Rejected:
    """The object in some bytes and what was lost on decoding it, or why there is none; `field` is for the message."""
    found = parse(data, offset, place)
    if isinstance(found, Rejected):
        return dataclasses.replace(found, length=length)
    row, losses = found
    if isinstance(row, dict):
        return row, losses
    told = f'{place}, byte {offset}: not an object: write {{"{field}": …}}'
    return Rejected(offset, length, "json.not_object", told)


def no_text(row: dict[str, Any], field: str) -> str:
    """What a person should do about an object without a text; names of fields are told where they are plain."""
    if field in row:
        return f"the field {field!r} holds no string: write the text there"
    names = [name for name in row if _NAME.fullmatch(name)][:8]
    there = f"; there are: {', '.join(names)}" if names else ""
    return f"no field {field!r}{there}: set the source's `text` to the field of the text"
