"""Namuwiki's JSON dumps, named in the recipe (`format: namuwiki`): an article is a document, its markup removed.

The dumps are CC BY-NC-SA 2.0 KR, and hold the IP addresses of those who wrote: neither is forgotten here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.namumark import plain_text, redirects
from corpus.ranges import BigFile, Range
from corpus.sources import ReadOptions, Skipped
from corpus.sources.objects import divide as divide_objects
from corpus.sources.objects import read as read_objects

ENDINGS = ()
SPLIT = "records"
NONCOMMERCIAL = "CC BY-NC-SA 2.0 KR"

_AUTHORS = "contributors"
_OTHER_SPACES = ("틀:", "분류:", "파일:", "사용자:", "나무위키:", "토론:")  # where the dump does not tell them apart


def read(
    path: Path, options: ReadOptions, start: int = 0, end: int | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """The articles that begin in [start, end), in the order of the file."""
    asked = _asked(options)
    for one in read_objects(path, asked, start, end):
        yield _article(one) if isinstance(one, Record) else one


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of articles."""
    return divide_objects(file, _asked(options), unit_bytes)


def _asked(options: ReadOptions) -> ReadOptions:
    kept = tuple(name for name in options.meta if name != _AUTHORS)
    told = dataclasses.replace(options, key=options.key or "title", meta=tuple({**dict.fromkeys(kept), "title": None}))
    return dataclasses.replace(told, meta=(*told.meta, "namespace"))


def _article(record: Record) -> Record | Skipped:
    meta = dict(record.meta)
    space, title = meta.pop("namespace", ""), str(meta.get("title", ""))
    if str(space) not in ("0", "") or (space == "" and title.startswith(_OTHER_SPACES)):
        return Skipped(record.offset, record.length, "source.namespace")
    if redirects(record.text):
        return Skipped(record.offset, record.length, "source.redirect")
    text, losses = plain_text(record.text)
    if not text:
        return Skipped(record.offset, record.length, "source.no_text")
    return dataclasses.replace(record, text=text, meta=meta, losses={**record.losses, **losses})
