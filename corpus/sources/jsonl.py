"""JSON Lines: a JSON object a line, its text under one key; big uncompressed files are divided by byte ranges."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, fields_of
from corpus.streams import Line, read_lines, too_long

ENDINGS = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst")
SPLIT = "bytes"

# strict=False: a raw tab within a string is a common slip; control characters are removed later, and counted. One
# decoder for all lines: `loads` would make one for each.
_DECODER = json.JSONDecoder(strict=False)
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
            yield _record(line, line.data, options)
    if empty and start == 0 and end in (None, 0):
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")


def _record(line: Line, data: bytes, options: ReadOptions) -> Record | Rejected:
    place = f"line {line.number}, byte {line.offset}"

    def rejected(cause: str, detail: str) -> Rejected:
        return Rejected(line.offset, line.length, cause, detail)

    losses: dict[str, int] = {}
    try:
        text = data.decode("utf-8-sig" if line.offset == 0 else "utf-8")
    except UnicodeDecodeError:
        try:
            decoded = decode(data)
        except UndecodableError as error:
            return rejected(error.cause, f"{place}: {error.detail}")
        text, losses = decoded.text, dict(decoded.losses)
    try:
        row = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        at = line.offset + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        told = f"line {line.number}, byte {at}, column {error.pos + 1}: {error.msg}"
        return rejected("json.broken", f"{told}: mend or remove the line")
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        return rejected("json.broken", f"{place}: a number too long or brackets too deep: mend or remove the line")
    if not isinstance(row, dict):
        return rejected("json.not_object", f'{place}: not an object: write {{"{options.text}": …}}')
    value = row.get(options.text)
    if not isinstance(value, str):
        return rejected("json.no_text", f"{place}: {_no_text(row, options.text)}")
    told_fields, lost = fields_of(row, options)
    return Record(value, line.offset, line.length, losses={**losses, **lost}, **told_fields)


def _no_text(row: dict[str, Any], field: str) -> str:
    if field in row:
        return f"the field {field!r} holds no string: write the text there"
    names = [name for name in row if _NAME.fullmatch(name)][:8]
    there = f"; there are: {', '.join(names)}" if names else ""
    return f"no field {field!r}{there}: set the source's `text` to the field of the text"
