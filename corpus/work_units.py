"""From sources to work units: which files a source has, who reads them, how they are grouped and divided. Collect asks.

Small files of a source are grouped, big ones divided: byte ranges of line formats, row groups of Parquet, members of
zips, and records where a reader finds them itself (`corpus/ranges.py`). The order of files and units depends on names
alone, so that numbers are stable.

Left out of a folder are hidden files, submission.yaml and, unless `include` names them, those called README, NOTICE,
LICENSE or COPYING (in any case; without ending, or .md, .rst, .txt): told as `skipped/source.not_data`.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from annotated_types import MinLen

from corpus import places
from corpus.archives import DAMAGE, PART, is_archive, member_spans, parts_of
from corpus.errors import SourceError
from corpus.manifest import fingerprint
from corpus.places import Changed, Place, is_url, located
from corpus.ranges import Range, part_ranges, ranges_of
from corpus.rights import rights_id
from corpus.settings import setting
from corpus.sources import Extractor, Reader, ReadOptions, named_reader, reader_for, readers, require_extractor
from corpus.spans import at_hand, group_span
from corpus.streams import COMPRESSIONS
from corpus.submission import NAME, Submission, read_submission

_MANY = 10_000  # files in a group at most
_NOT_DATA = re.compile(r"(?:readme|notice|licen[sc]e|copying)(?:\.(?:md|rst|txt))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A source: a folder (all of it) or a file, with a submission.yaml that says who gives it and what is allowed."""

    path: Annotated[str, MinLen(1)] = setting(
        "", "folder or file, relative to the recipe's folder, or a URL (s3://, …)"
    )
    format: str = setting("auto", "format of all its files; auto: by the endings of their names")
    include: tuple[str, ...] = setting((), "patterns of file names or relative paths to read; none: all files")
    text: str = setting("text", "field or column that holds the text")
    key: str | None = setting(None, "field or column that names a record; null: as submission.yaml says")
    url: str | None = setting(None, "field or column with the record's URL")
    created: str | None = setting(None, "field or column with the time of creation (ISO 8601 or seconds since 1970)")
    meta: tuple[str, ...] = setting((), "fields or columns kept in the document's meta (never masked)")
    page: Literal["main", "all"] = setting("main", "of web pages: the main content, or all visible text")
    extractor: Extractor = setting("resiliparse", "of web pages' main content: resiliparse, or trafilatura (its extra)")
    splits: tuple[str, ...] = setting((), "format datasets: the splits to read; none: all")
    subset: str | None = setting(None, "format datasets: the subset (configuration); null: its only one")
    columns: dict[str, str] = setting(dict, "format catalogue: what (name, spec, price, …) → the column that holds it")
    reviews: Literal["joined", "apart"] = setting(
        "joined", "format catalogue: reviews with their product, or each apart"
    )
    submission: str | None = setting(None, "path of the submission.yaml; null: the one in the folder")


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was found: its settings, its submission, the folder that its files' paths start from."""

    settings: SourceSettings
    submission: Submission
    rights_id: str
    root: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A file or a part of it: printable path below the source's folder, real path, format ("" where none claims it).

    [start, end) are bytes, row groups, members or batches, by the format; end None: to the file's end. bytes: about its
    size. part: where a reader has divided the file by its records, what it said of this range.
    files: its path or URL; of a file that came in parts, all of them in their order.
    changed: when its bytes, and when its bytes, name or permissions changed (ns since 1970), or its store's marks.
    """

    path: str
    files: tuple[str, ...]
    format: str
    start: int
    end: int | None
    bytes: int
    size: int
    changed: Changed
    part: Range | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a source, each whole, and how many were left out as no data."""

    source: Source
    pieces: tuple[Piece, ...]
    left_out: int


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
        SourceError: a missing path or submission.yaml, one source name twice, rights that a format's licence denies.
        MissingExtraError: the extractor of web pages is not installed.
    """
    found: dict[str, Source] = {}
    for one in settings:
        reader = named_reader(one.format) if one.format != "auto" else None
        require_extractor(one.extractor)
        folder = reader is not None and reader.split == "folder"
        path = located(one.path, base)
        if is_url(path) and folder and not places.HUB.fullmatch(path):
            fix = "copy the folder here, or write hf://datasets/OWNER/NAME"
            raise SourceError(f"the format {one.format!r} reads no folder there", where=places.shown(path), fix=fix)
        what = "folder" if folder and is_url(path) else _kind(path)
        if what is None:
            where, shown = (one.path, path) if not is_url(path) else (places.shown(path), places.shown(path))
            raise SourceError("no such file or folder", where=where, fix=f"put the data at {shown}, or mend `path`")
        root = path if what == "folder" else places.parent(path) if is_url(path) else str(Path(path).parent)
        declared = located(one.submission, base) if one.submission else _below(root, NAME)
        submission = _submission(declared)
        if reader is not None and reader.noncommercial and submission.rights.commercial:
            raise SourceError(
                f"commercial is true, but all data of {one.format} is {reader.noncommercial}, not for commercial use",
                where=places.shown(declared) if is_url(declared) else declared,
                fix="write `commercial: false` below `rights`",
            )
        name = submission.source
        if name in found:
            raise SourceError(
                f"two sources are called {name!r}: {found[name].settings.path} and {one.path}",
                fix=f"give each its own `source:` in {NAME}; ids of documents are made of it",
            )
        granted = rights_id(submission.contributor, name, submission.rights)
        found[name] = Source(one, submission, granted, root)
    return list(found.values())


def _kind(path: str) -> str | None:
    if is_url(path):
        return places.kind(path)
    return "folder" if Path(path).is_dir() else "file" if Path(path).exists() else None


def _below(root: str, name: str) -> str:
    return places.below(root, name) if is_url(root) else str(Path(root) / name)


def _submission(where: str) -> Submission:
    """Read a submission.yaml from where it lies."""
    if not is_url(where):
        return read_submission(Path(where))
    if places.kind(where) != "file":
        return read_submission(Path(where), places.shown(where))  # says that it is missing, and what to write
    with at_hand([where], "no", 0, None, None) as file:
        return read_submission(file, places.shown(where))


def work_units(sources: list[Source], base: Path, unit_bytes: int) -> Iterator[Unit]:
    """The units of all sources in their order, numbered from 0; what is to be divided by its records is read for it.

    Raises:
        SourceError: a source without files.
    """
    listed = source_files(sources, base)
    ranges = [ranges_of(file.files[0], file.format, told, unit_bytes) for file, told in to_divide(listed, unit_bytes)]
    yield from units_of(listed, ranges, unit_bytes)


def source_files(sources: list[Source], base: Path) -> list[Files]:
    """The files of all sources in their order.

    Raises:
        SourceError: a source without files.
    """
    listed = []
    for source in sources:
        files, left_out = _files(source, base)
        if not files:
            raise SourceError(
                "no file to read", where=source.settings.path, fix="put data there, or mend `path` or `include`"
            )
        listed.append(Files(source, tuple(_pieces(source, files)), left_out))
    return listed


def to_divide(listed: list[Files], unit_bytes: int) -> list[tuple[Piece, ReadOptions]]:
    """The files whose own readers must look for places to divide them, and what those readers are told."""
    return [
        (piece, asked_options(one.source)) for one in listed for piece in one.pieces if _by_records(piece, unit_bytes)
    ]


def asked_options(source: Source) -> ReadOptions:
    """What a source's settings tell a reader about its records."""
    made = source.settings
    key = made.key or source.submission.key
    return ReadOptions(text=made.text, key=key, url=made.url, created=made.created, meta=made.meta)


def units_of(listed: list[Files], ranges: Sequence[list[Range]], unit_bytes: int) -> Iterator[Unit]:
    """The units; `ranges` are those of the files of `to_divide`, in its order."""
    number, divided = 0, iter(ranges)
    for files in listed:
        group: list[Piece] = []
        held, left_out = 0, files.left_out
        for file in files.pieces:
            found = next(divided) if _by_records(file, unit_bytes) else None
            for piece in _divided(file, found, unit_bytes):
                if group and (held + piece.bytes > unit_bytes or len(group) >= _MANY):
                    yield Unit(number, files.source, tuple(group), left_out)
                    number, group, held, left_out = number + 1, [], 0, 0
                group.append(piece)
                held += piece.bytes
        yield Unit(number, files.source, tuple(group), left_out)
        number += 1


def _pieces(source: Source, files: list[Place]) -> Iterator[Piece]:
    for place, wheres in _whole(files):
        name = _printable(place.path)
        form = source.settings.format
        whole = PART.fullmatch(place.path)
        reader = reader_for(whole["whole"] if whole else place.path) if form == "auto" else named_reader(form)
        yield Piece(name, wheres, reader.name if reader else "", 0, None, place.size, place.size, place.changed)


def _by_records(file: Piece, unit_bytes: int) -> bool:
    big = file.size > unit_bytes and len(file.files) == 1 and file.format != ""
    return big and readers()[file.format].divides and not is_archive(file.files[0])


def _divided(file: Piece, found: list[Range] | None, unit_bytes: int) -> Iterator[Piece]:
    if found is not None:
        for part in found:
            yield replace(file, start=part.start, end=part.end, bytes=part.bytes, part=part)
        if not found:
            yield file
        return
    ranges: list[tuple[int, int | None, int]] = [(0, None, file.size)]
    if file.format and file.size > unit_bytes and len(file.files) == 1:
        ranges = _ranges(file.files[0], readers()[file.format], file.size, unit_bytes)
    for start, end, size in ranges:
        yield replace(file, start=start, end=end, bytes=size)


def _whole(files: list[Place]) -> Iterator[tuple[Place, tuple[str, ...]]]:
    """Each file with its paths: the parts of a zip are one file, called as the first of them."""
    parts: dict[str, list[Place]] = {}
    for one in files:
        if match := PART.fullmatch(one.path):
            parts.setdefault(match["whole"], []).append(one)
    for one in files:
        match = PART.fullmatch(one.path)
        if match is None:
            yield one, (one.where,)
            continue
        same = {part.path: part for part in parts.pop(match["whole"], [])}
        if same:
            ordered = [same[path] for path in parts_of(one.path, list(same))]
            changed = tuple(mark for part in ordered for mark in part.changed)
            size = sum(part.size for part in ordered)
            yield Place(ordered[0].path, ordered[0].where, size, changed), tuple(part.where for part in ordered)


def _files(source: Source, base: Path) -> tuple[list[Place], int]:
    """The files of a source in their order, and how many were left out as no data by their names."""
    path = located(source.settings.path, base)
    if source.settings.format != "auto" and named_reader(source.settings.format).split == "folder":
        return [_folder(path)], 0
    if is_url(path):
        found = [one for one in places.remote_files(path) if posixpath.basename(one.path) != NAME]
        if len(found) == 1 and found[0].path == posixpath.basename(path.partition("::")[0].rstrip("/")):
            return found, 0
    elif not Path(path).is_dir():
        return [_local(Path(path), Path(path).parent)], 0
    else:
        found = []
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(one for one in folders if not one.startswith("."))
            files = (Path(folder) / name for name in names if not name.startswith(".") and name != NAME)
            found += [Place(one.relative_to(path).as_posix(), str(one), 0, ()) for one in files]
    patterns = source.settings.include
    if patterns:
        kept = [one for one in found if _matches(one.path, patterns)]
    else:
        kept = [one for one in found if not _NOT_DATA.fullmatch(posixpath.basename(one.path))]
    left_out = 0 if patterns else len(found) - len(kept)
    kept.sort(key=lambda one: one.path)
    return kept if is_url(path) else [_local(Path(one.where), Path(path)) for one in kept], left_out


def _local(file: Path, root: Path) -> Place:
    try:
        stat = file.stat()
        size, changed = stat.st_size, (stat.st_mtime_ns, stat.st_ctime_ns)
    except OSError:  # a link to nothing, a file that has just gone: reading it will quarantine it
        size, changed = 0, (0, 0)
    return Place(file.relative_to(root).as_posix(), str(file), size, changed)


def _folder(path: str) -> Place:
    """A folder that is read as one: of this machine, or a data set of the hub, held to its commit."""
    if is_url(path):
        revision = places.hub_revision(path)
        return Place(".", f"{path.partition('@')[0].rstrip('/')}@{revision}", 0, (revision,))
    size, state = places.folder_state(Path(path))
    return Place(".", path, size, (fingerprint(state),))


def _matches(relative: str, patterns: tuple[str, ...]) -> bool:
    name = relative.rpartition("/")[2]
    return any(fnmatchcase(relative, pattern) or fnmatchcase(name, pattern) for pattern in patterns)


def _printable(path: str) -> str:
    """A path that can be written as UTF-8: file names of old zips may hold CP949 bytes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _ranges(where: str, reader: Reader, size: int, unit_bytes: int) -> list[tuple[int, int | None, int]]:
    whole: list[tuple[int, int | None, int]] = [(0, None, size)]
    if reader.split == "bytes" and posixpath.splitext(where.partition("::")[0])[1].lower() not in COMPRESSIONS:
        starts = range(0, size, unit_bytes)
        return [(start, min(start + unit_bytes, size), min(unit_bytes, size - start)) for start in starts]
    if reader.split == "row_groups":
        try:
            with places.opened(where) as handle:
                metadata = pq.read_metadata(handle)
        except (pa.ArrowException, OSError):
            return whole  # the reader will say what is wrong with it
        sizes = [group_span(metadata, group)[1] for group in range(metadata.num_row_groups)]
        return list(part_ranges(sizes, unit_bytes))
    if reader.split == "members" and is_archive(where):
        try:
            with places.opened(where) as handle:
                members, _ = member_spans(handle)
        except DAMAGE:
            return whole
        return list(part_ranges([after - first for first, after in members], unit_bytes))
    return whole
