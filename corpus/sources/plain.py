"""Plain text: a file is a document, in whatever encoding it came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.streams import read_whole

ENDINGS = (".txt", ".txt.gz", ".txt.zst", ".text")
SPLIT = "no"


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    data = read_whole(path, options.max_record)
    if isinstance(data, Rejected):
        yield data
        return
    try:
        decoded = decode(data)
    except UndecodableError as error:
        yield Rejected(0, len(data), error.cause, error.detail)
        return
    meta = {} if decoded.encoding == "utf-8" else {"encoding": decoded.encoding}
    yield Record(decoded.text, 0, len(data), meta=meta, losses=decoded.losses)
