"""From sources to work units: which files a source has, who reads them, how they are grouped and divided. Collect asks.

Small files of a source are grouped, big ones divided (byte ranges of line formats, row groups of Parquet); the order of
files and units depends on names alone, so that numbers are stable.

Left out of a folder are hidden files, submission.yaml and, unless `include` names them, those called README, NOTICE,
LICENSE or COPYING (in any case; without ending, or .md, .rst, .txt): told as `skipped/source.not_data`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from annotated_types import MinLen

from corpus.errors import SourceError
from corpus.rights import rights_id
from corpus.settings import setting
from corpus.sources import Extractor, Reader, named_reader, reader_for, require_extractor
from corpus.streams import COMPRESSIONS
from corpus.submission import NAME, Submission, read_submission

_MANY = 10_000  # files in a group at most
_NOT_DATA = re.compile(r"(?:readme|notice|licen[sc]e|copying)(?:\.(?:md|rst|txt))?", re.IGNORECASE)
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A source: a folder (all of it) or a file, with a submission.yaml that says who gives it and what is allowed."""

    path: Annotated[str, MinLen(1)] = setting("", "folder or file, relative to the recipe's folder")
    format: str = setting("auto", "format of all its files; auto: by the endings of their names")
    include: tuple[str, ...] = setting((), "patterns of file names or relative paths to read; none: all files")
    text: str = setting("text", "field or column that holds the text")
    key: str | None = setting(None, "field or column that names a record; null: as submission.yaml says")
    url: str | None = setting(None, "field or column with the record's URL")
    created: str | None = setting(None, "field or column with the time of creation (ISO 8601 or seconds since 1970)")
    meta: tuple[str, ...] = setting((), "fields or columns kept in the document's meta (never masked)")
    page: Literal["main", "all"] = setting("main", "of web pages: the main content, or all visible text")
    extractor: Extractor = setting("resiliparse", "of web pages' main content: resiliparse, or trafilatura (its extra)")
    submission: str | None = setting(None, "path of the submission.yaml; null: the one in the folder")


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was found: its settings, its submission, the folder that its files' paths start from."""

    settings: SourceSettings
    submission: Submission
    rights_id: str
    root: Path


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or a part of it: printable path below the source's folder, real path, format ("" where none claims it).

    [start, end) are bytes or row groups, by the format; end None: to the file's end. bytes: about its size.
    changed: when its bytes, and when its bytes, name or permissions changed (ns since 1970).
    """

    path: str
    file: Path
    format: str
    start: int
    end: int | None
    bytes: int
    size: int
    changed: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unit:
    """Work for one job: its number in the whole run, its source, its pieces.

    left_out: of a source's first unit, the files of the source that are no data (README and the like); else 0.
    """

    number: int
    source: Source
    pieces: tuple[Piece, ...]
    left_out: int


def find_sources(settings: tuple[SourceSettings, ...], base: Path) -> list[Source]:
    """Check and read what the recipe names.

    Raises:
        SourceError: a missing path or submission.yaml, or one source name twice.
        MissingExtraError: the extractor of web pages is not installed.
    """
    found: dict[str, Source] = {}
    for one in settings:
        path = base / one.path
        if not path.exists():
            raise SourceError("no such file or folder", where=one.path, fix=f"put the data at {path}, or mend `path`")
        if one.format != "auto":
            named_reader(one.format)
        require_extractor(one.extractor)
        root = path if path.is_dir() else path.parent
        submission = read_submission(base / one.submission if one.submission else root / NAME)
        name = submission.source
        if name in found:
            raise SourceError(
                f"two sources are called {name!r}: {found[name].settings.path} and {one.path}",
                fix=f"give each its own `source:` in {NAME}; ids of documents are made of it",
            )
        granted = rights_id(submission.contributor, name, submission.rights)
        found[name] = Source(one, submission, granted, root)
    return list(found.values())


def work_units(sources: list[Source], base: Path, unit_bytes: int) -> Iterator[Unit]:
    """The units of all sources in their order, numbered from 0.

    Raises:
        SourceError: a source without files.
    """
    number = 0
    for source in sources:
        group: list[Piece] = []
        held = 0
        files, left_out = _files(source, base)
        if not files:
            raise SourceError(
                "no file to read", where=source.settings.path, fix="put data there, or mend `path` or `include`"
            )
        for piece in _pieces(source, files, unit_bytes):
            if group and (held + piece.bytes > unit_bytes or len(group) >= _MANY):
                yield Unit(number, source, tuple(group), left_out)
                number, group, held, left_out = number + 1, [], 0, 0
            group.append(piece)
            held += piece.bytes
        yield Unit(number, source, tuple(group), left_out)
        number += 1


def _pieces(source: Source, files: list[Path], unit_bytes: int) -> Iterator[Piece]:
    for file in files:
        try:
            stat = file.stat()
            size, changed = stat.st_size, (stat.st_mtime_ns, stat.st_ctime_ns)
        except OSError:  # a link to nothing, a file that has just gone: reading it will quarantine it
            size, changed = 0, (0, 0)
        name = _printable(file.relative_to(source.root).as_posix())
        reader = reader_for(file.name) if source.settings.format == "auto" else named_reader(source.settings.format)
        ranges: list[tuple[int, int | None, int]] = [(0, None, size)]
        if reader is not None and size > unit_bytes:
            ranges = _ranges(file, reader, size, unit_bytes)
        form = reader.name if reader is not None else ""
        for start, end, part in ranges:
            yield Piece(name, file, form, start, end, part, size, changed)


def _files(source: Source, base: Path) -> tuple[list[Path], int]:
    """The files of a source in their order, and how many were left out as no data by their names."""
    path = base / source.settings.path
    if path.is_file():
        return [path], 0
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        found += [Path(folder) / name for name in names if not name.startswith(".") and name != NAME]
    patterns = source.settings.include
    if patterns:
        kept = [one for one in found if _matches(one.relative_to(path).as_posix(), patterns)]
    else:
        kept = [one for one in found if not _NOT_DATA.fullmatch(one.name)]
    left_out = 0 if patterns else len(found) - len(kept)
    return sorted(kept, key=lambda one: one.relative_to(path).as_posix()), left_out


def _matches(relative: str, patterns: tuple[str, ...]) -> bool:
    name = relative.rpartition("/")[2]
    return any(fnmatchcase(relative, pattern) or fnmatchcase(name, pattern) for pattern in patterns)


def _printable(path: str) -> str:
    """A path that can be written as UTF-8: file names of old zips may hold CP949 bytes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _ranges(file: Path, reader: Reader, size: int, unit_bytes: int) -> list[tuple[int, int | None, int]]:
    whole: list[tuple[int, int | None, int]] = [(0, None, size)]
    if reader.split == "bytes" and file.suffix.lower() not in COMPRESSIONS:
        starts = range(0, size, unit_bytes)
        return [(start, min(start + unit_bytes, size), min(unit_bytes, size - start)) for start in starts]
    if reader.split == "row_groups":
        try:
            metadata = pq.read_metadata(file)
        except (pa.ArrowException, OSError):
            return whole  # the reader will say what is wrong with it
        return _row_group_ranges(
            [_group_span(metadata, group)[1] for group in range(metadata.num_row_groups)], unit_bytes
        )
    return whole


def _row_group_ranges(sizes: list[int], unit_bytes: int) -> list[tuple[int, int | None, int]]:
    ranges: list[tuple[int, int | None, int]] = []
    start, held = 0, 0
    for group, size in enumerate(sizes):
        if group > start and held + size > unit_bytes:
            ranges.append((start, group, held))
            start, held = group, 0
        held += size
    return [*ranges, (start, len(sizes), held)]


def _group_span(metadata: pq.FileMetaData, group: int) -> tuple[int, int]:
    """First byte and compressed bytes of a row group."""
    columns = [metadata.row_group(group).column(index) for index in range(metadata.num_columns)]
    starts = [one.dictionary_page_offset if one.has_dictionary_page else one.data_page_offset for one in columns]
    return min(starts, default=0), sum(one.total_compressed_size for one in columns)


def hash_piece(file: Path, split: str, start: int, end: int | None) -> tuple[str, int]:
    """BLAKE2b-128 (hex) of all that a reader of this piece looks at, and line ends within a byte range.

    A byte range is hashed from the byte before it to the end of its last line, row groups with the file's footer.
    A file that cannot be opened hashes as such; reading it will quarantine it.
    """
    digest = hashlib.blake2b(digest_size=16)
    lines = 0
    try:
        with file.open("rb") as handle:
            if split == "row_groups" and end is not None:
                metadata = pq.read_metadata(file)
                spans = [_group_span(metadata, group) for group in range(metadata.num_row_groups)]
                digest.update(repr((start, end)).encode())
                _update(digest, handle, max(0, file.stat().st_size - metadata.serialized_size - 8), None)
                for first, size in spans[start:end]:
                    _update(digest, handle, first, first + size)
            elif end is None:
                _update(digest, handle, 0, None)
            else:
                if start:
                    _update(digest, handle, start - 1, start)
                lines = _update(digest, handle, start, end)
                while block := handle.readline(_BLOCK):
                    digest.update(block)
                    if block.endswith(b"\n"):
                        break
    except (OSError, pa.ArrowException) as error:
        return f"unreadable: {type(error).__name__}", 0
    return digest.hexdigest(), lines


def _update(digest: hashlib.blake2b, handle: BinaryIO, start: int, end: int | None) -> int:
    """Feed the bytes [start, end) of a file to a digest; returns the line ends among them."""
    lines = 0
    handle.seek(start)
    left = None if end is None else end - start
    while left is None or left > 0:
        block = handle.read(_BLOCK if left is None else min(_BLOCK, left))
        if not block:
            break
        digest.update(block)
        if end is not None:
            lines += block.count(b"\n")
            left = end - handle.tell()
    return lines
