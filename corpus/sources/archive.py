"""Zip files of any format that is read here: each member goes to the reader that its name asks for.

Formats of packed corpora (nikl, aihub) read some members themselves and hand the others to `member_records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from corpus.archives import Found, Member, read_members
from corpus.documents import Rejected
from corpus.places import scratch_folder
from corpus.sources import ReadOptions, Skipped, reader_for

ENDINGS = (".zip",)
SPLIT = "members"

_NOT_DATA = re.compile(r"(?:.*[/!])?(?:readme|notice|licen[sc]e|copying)(?:\.(?:md|rst|txt))?", re.IGNORECASE)
_BLOCK = 1 << 20


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Found]:
    """What the members [start, end) hold, in the archive's order."""
    yield from read_members(path, options, lambda member: member_records(member, options), start, end)


def member_records(member: Member, options: ReadOptions) -> Iterator[Found]:
    """A member's records by the reader of its name, from a temporary file: readers ask for a path."""
    if _NOT_DATA.fullmatch(member.name):
        yield Skipped(0, member.size, "source.not_data")
        return
    reader = reader_for(member.name)
    if reader is None:
        detail = "no reader for a name with this ending: unpack the archive and leave it out by `include`"
        yield Rejected(0, member.size, "format.unknown", detail)
        return
    ending = max((one for one in reader.endings if member.name.lower().endswith(one)), key=len)
    with scratch_folder(options.scratch) as folder:
        file = folder / f"member{ending}"
        with file.open("wb") as target:
            while block := member.stream.read(_BLOCK):
                target.write(block)
        yield from reader.load()(file, replace(options, first_line=1), 0, None)
