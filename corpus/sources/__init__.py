"""Readers of input files, one module a format; collect finds the right one here by a file's name.

A reader is a module of this folder that says `ENDINGS` (of file names, lower case; none where a source's `format` must
name it), `SPLIT` (how a big file is divided; "folder": the source is one folder, read whole; "records": by the module's
own `divide`, see `corpus/ranges.py`), `NONCOMMERCIAL` where all its data has such a licence, and defines
`read(path, options, start, end)`. The folder is listed and those lines are read without importing, so a new format is
one new file, and a missing optional library is noticed only where it occurs.
"""

from __future__ import annotations

import ast
import datetime
import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from corpus.documents import Record, Rejected
from corpus.errors import MissingExtraError, UsageError

Split = Literal["no", "bytes", "row_groups", "members", "records", "folder"]
Extractor = Literal["resiliparse", "trafilatura"]


UNREADABLE = object()
"""What stands for a field's value where a reader could not read it."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that was read and is no document by a rule of its source (not HTML, status 404): counted as removed."""

    offset: int
    length: int
    rule: str


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader is told.

    Attributes:
        text, key, url, created: names of fields (JSON) or columns (Parquet); None where there is none.
        meta: names of fields kept in the document's meta.
        first_line: number of the line that holds the byte where reading starts.
        max_record: bytes above which a record is refused.
        page: "main" for the main content of web pages, "all" for all their text.
        extractor: what finds the main content.
        splits: of a data set, those to read; none: all.
        subset: of a data set, its configuration; None where it has but one.
        columns: of a catalogue, what is there (name, spec, …) → the column or field that holds it.
        reviews: of a catalogue, "joined" to their product's document or "apart", a document each.
        scratch: folder of this machine for temporary files, None for the system's.
        state: what the reader's `divide` said of the place where reading starts; empty at a file's beginning.
    """

    text: str = "text"
    key: str | None = None
    url: str | None = None
    created: str | None = None
    meta: tuple[str, ...] = ()
    first_line: int = 1
    max_record: int = 64 << 20
    page: str = "main"
    extractor: Extractor = "resiliparse"
    splits: tuple[str, ...] = ()
    subset: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    reviews: str = "joined"
    scratch: Path | None = None
    state: dict[str, Any] = field(default_factory=dict)


Read = Callable[[Path, ReadOptions, int, int | None], Iterator[Record | Rejected | Skipped]]


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: its name, the endings of its files, how its big files are divided among work units.

    divides: whether its module has a `divide` (SPLIT "records"; "members", for files that are no archive).
    noncommercial: the licence that forbids commercial use of all data in this format, "" where there is none.
    """

    name: str
    endings: tuple[str, ...]
    split: Split = field(default="no")
    noncommercial: str = ""
    divides: bool = False

    def load(self) -> Read:
        """The format's `read`.

        Raises:
            MissingExtraError: a library it needs is not installed.
        """
        read: Read = self.module().read
        return read

    def module(self) -> Any:
        """The format's module.

        Raises:
            MissingExtraError: a library it needs is not installed.
        """
        try:
            return importlib.import_module(f"corpus.sources.{self.name}")
        except ModuleNotFoundError as error:
            raise missing(self.name, error) from error


def missing(name: str, error: ModuleNotFoundError) -> MissingExtraError:
    """The error of a format whose library is not installed."""
    return MissingExtraError(f"the format {name!r} needs the library {error.name}", extra="corpus")


def require_extractor(name: Extractor) -> None:
    """Refuse an extractor that is not installed.

    Raises:
        MissingExtraError: naming the extra.
    """
    if name == "trafilatura" and importlib.util.find_spec(name) is None:
        raise MissingExtraError("the extractor 'trafilatura' is not installed", extra="trafilatura")


@functools.cache
def readers() -> dict[str, Reader]:
    """Every format by name, from the folder's listing; nothing is imported."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        said = _constants(path)
        if "ENDINGS" in said:
            split, licence = said.get("SPLIT", "no"), said.get("NONCOMMERCIAL", "")
            found[path.stem] = Reader(path.stem, tuple(said["ENDINGS"]), split, licence, "divide" in said)
    return found


def _constants(path: Path) -> dict[str, Any]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    said = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "divide":
            said["divide"] = True
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in ("ENDINGS", "SPLIT", "NONCOMMERCIAL"):
                said[name] = ast.literal_eval(node.value)
    return said


def reader_for(name: str) -> Reader | None:
    """The format of a file by its name's longest known ending, None where no format claims it."""
    lower = name.lower()
    claims = [(len(ending), one) for one in readers().values() for ending in one.endings if lower.endswith(ending)]
    return max(claims, key=lambda claim: claim[0])[1] if claims else None


def named_reader(name: str) -> Reader:
    """The format of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in readers():
        raise UsageError(f"no format {name!r}", fix=f"the formats are: auto, {', '.join(readers())}")
    return readers()[name]


def parse_created(value: object) -> datetime.datetime | None:
    """A moment in UTC from ISO 8601 text, a date, or seconds (milliseconds above 10¹¹) since 1970; None if unreadable.

    A time without an offset is taken as UTC.
    """
    try:
        if isinstance(value, datetime.datetime):
            moment = value
        elif isinstance(value, datetime.date):
            moment = datetime.datetime(value.year, value.month, value.day)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, datetime.UTC)
        elif isinstance(value, str):
            moment = datetime.datetime.fromisoformat(value.strip())
        else:
            return None
        return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def fields_of(row: dict[str, Any], options: ReadOptions) -> tuple[dict[str, Any], dict[str, int]]:
    """Key, URL, creation time and meta of a JSON object or table row, as arguments of Record, and what was lost.

    A value that is UNREADABLE is left out and counted.
    """
    losses: dict[str, int] = {}
    key = row.get(options.key) if options.key else None
    if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
        if options.key:
            losses["key.missing"] = 1
        key = None
    url = row.get(options.url) if options.url else None
    if url is UNREADABLE:
        losses["url.unreadable"] = 1
    created = None
    if options.created and row.get(options.created) is not None:
        created = parse_created(row[options.created])
        if created is None:
            losses["created.unreadable"] = 1
    meta = {name: row[name] for name in options.meta if row.get(name) is not None}
    if unreadable := [name for name, value in meta.items() if value is UNREADABLE]:
        losses["meta.unreadable"] = len(unreadable)
        meta = {name: value for name, value in meta.items() if value is not UNREADABLE}
    told = {
        "key": None if key is None else str(key),
        "url": url if isinstance(url, str) and url else None,
        "created": created,
        "meta": meta,
    }
    return told, losses
