"""The first stage, collect: contributors' files → documents/ (one form of Korean text) and quarantine/ (unreadable).

Big files are divided (by a pass through those whose records alone say where), units of work hashed (a file whose size
and time are unchanged is not read again), read, and their ids indexed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from corpus.dividing import divide_jobs, told_parts, told_ranges
from corpus.documents import DOCUMENTS, QUARANTINE, Record, Rejected, document_id, text_hash
from corpus.hanyang import table_version
from corpus.identity import id_phases
from corpus.long_shards import LongShards
from corpus.manifest import fingerprint
from corpus.normalising import mended
from corpus.places import size_of
from corpus.rights import rights_row, write_rights
from corpus.settings import Common, Size, setting
from corpus.shards import Counts, Job, JobContext, Outcome, Phase, Phases, add, private_folder
from corpus.sources import ReadOptions, Skipped, readers
from corpus.spans import Spans, at_hand, hash_piece
from corpus.staging import BLANK, WITHDRAWN
from corpus.tombstones import read_tombstones
from corpus.work_units import SourceSettings, Unit, find_sources, source_files, units_of

VERSION = 2
_WHOLE: dict[str, Any] = {"spans": None, "state": {}}  # of a piece that its reader has not divided
_SMALL = 256 << 20  # bytes; hashing fewer takes less time than starting worker processes


@dataclass(frozen=True, slots=True)
class CollectSettings:
    """Bytes to documents."""

    sources: tuple[SourceSettings, ...] = setting((), "what to read, in this order")
    unit_bytes: Annotated[Size, Ge(1)] = setting(256 << 20, "input of one job, and text of one shard", unit="bytes")
    max_record: Annotated[Size, Ge(1)] = setting(64 << 20, "longest record; a longer one is quarantined", unit="bytes")


def phases(run: Path, settings: CollectSettings, common: Common) -> Phases:
    """Plan: rights.parquet; divide big files; hash every unit; read every unit; index the ids.

    Raises:
        SourceError: a source is missing, empty, or its submission.yaml is wrong.
    """
    sources = find_sources(settings.sources, common.base)
    listed = source_files(sources, common.base)
    rows = [
        _json_like(rights_row(one.submission.contributor, one.submission.source, one.submission.rights))
        for one in sources
    ]
    yield Phase("rights", "map", [Job("rights", rights_table, {"rows": rows})], here=True, told_all=True)
    dividing = divide_jobs(listed, settings.unit_bytes, settings.max_record)
    divided = (yield Phase("divide", "map", dividing, of_machine=True, told_all=True)) if dividing else []
    units = list(units_of(listed, told_ranges(divided), settings.unit_bytes))
    small = sum(piece.bytes for unit in units for piece in unit.pieces) < _SMALL
    hashing = [_hash_job(unit) for unit in units]
    hashed = yield Phase("hash", "map", hashing, here=small, of_machine=True, told_all=True)
    private_folder(run / "documents")
    private_folder(run / "quarantine")
    reading = list(_read_jobs(units, [one.facts for one in hashed], settings))
    read = yield Phase("read", "map", reading, told_all=True)
    shards = [output for outcome in read for output in outcome.outputs if output.path.startswith("documents/")]
    yield from id_phases(run, "collect", "documents", shards)


def _json_like(row: dict[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, bool) or value is None else str(value) for name, value in row.items()}


def _hash_job(unit: Unit) -> Job:
    known = readers()
    pieces = [
        [
            piece.path,
            known[piece.format].split if piece.format else "no",
            piece.start,
            piece.end,
            piece.size,
            list(piece.changed),
        ]
        for piece in unit.pieces
    ]
    weight = sum(piece.bytes for piece in unit.pieces)
    files = [list(piece.files) for piece in unit.pieces]
    arguments = {"pieces": pieces, "left_out": unit.left_out, **_parts(unit)}
    return Job(_name(unit), hash_unit, arguments, local={"files": files}, weight=weight)


def _parts(unit: Unit) -> dict[str, Any]:
    """The argument of a job that tells of divided files, where a unit has any."""
    parts = told_parts(unit)
    return {"parts": parts} if parts else {}


def _read_jobs(units: list[Unit], facts: list[dict[str, Any]], settings: CollectSettings) -> Iterator[Job]:
    lines: dict[str, int] = {}  # line ends before the piece at hand, of files that are divided
    for unit, fact in zip(units, facts, strict=True):
        pieces = []
        for piece, ends in zip(unit.pieces, fact["lines"], strict=True):
            first = lines.get(piece.files[0], 0)
            pieces.append([piece.path, piece.format, piece.start, piece.end, first + 1])
            lines[piece.files[0]] = first + ends
        made, submission = unit.source.settings, unit.source.submission
        yield Job(
            _name(unit),
            read_unit,
            {
                "name": _name(unit),
                "pieces": pieces,
                "columns": {
                    "source": submission.source,
                    "contributor": submission.contributor,
                    "rights_id": unit.source.rights_id,
                    "lang": submission.lang,
                    "domain": submission.domain,
                    "origin": submission.origin,
                },
                "options": {
                    "text": made.text,
                    "key": made.key or submission.key,
                    "url": made.url,
                    "created": made.created,
                    "meta": list(made.meta),
                    "page": made.page,
                    "splits": list(made.splits),
                    "subset": made.subset,
                    "columns": made.columns,
                    "reviews": made.reviews,
                    "extractor": made.extractor,
                    "max_record": settings.max_record,
                },
                "shard_bytes": settings.unit_bytes,
                **_parts(unit),
            },
            (fact["hash"], f"hypua2jamo {table_version()}"),
            {"files": [list(piece.files) for piece in unit.pieces]},
            sum(piece.bytes for piece in unit.pieces),
        )


def _name(unit: Unit) -> str:
    return f"{unit.number:05d}"


def rights_table(context: JobContext, *, rows: list[dict[str, Any]]) -> Outcome:
    """Write rights.parquet; `until` comes as ISO text."""
    import datetime

    for row in rows:
        row["until"] = datetime.date.fromisoformat(row["until"]) if row["until"] else None
    return Outcome((write_rights(context.run, rows, context),))


def hash_unit(
    context: JobContext,
    *,
    pieces: list[list[Any]],
    left_out: int,
    files: list[list[str]],
    parts: dict[str, Any] | None = None,
) -> Outcome:
    """Map job: one hash of a unit's contents, and the line ends of each of its pieces (`facts`); tells `left_out`."""
    looked = [(parts or {}).get(str(place), {}).get("spans") for place in range(len(pieces))]
    counts: Counts = {}
    if left_out:
        add(counts, "skipped/source.not_data", files=left_out)
    hashed = [
        hash_piece(paths, split, start, end, spans)
        for (_, split, start, end, _, _), paths, spans in zip(pieces, files, looked, strict=True)
    ]
    facts = {"hash": fingerprint([one for one, _ in hashed]), "lines": [ends for _, ends in hashed]}
    return Outcome(counts=counts, facts=facts)


def read_unit(
    context: JobContext,
    *,
    name: str,
    pieces: list[list[Any]],
    columns: dict[str, str],
    options: dict[str, Any],
    shard_bytes: int,
    files: list[list[str]],
    parts: dict[str, Any] | None = None,
) -> Outcome:
    """Map job: the records of a unit → documents/NAME.parquet, and quarantine/NAME.parquet if any was unreadable."""
    counts: Counts = {}
    source = f"source/{columns['source']}"
    graves = read_tombstones(context.run)
    all_gone = graves.holds("contributor", columns["contributor"]) or graves.holds("source", columns["source"])
    given = {
        **options,
        "meta": tuple(options["meta"]),
        "splits": tuple(options["splits"]),
        "scratch": context.run / ".scratch" / "collect" / name,
    }
    with (
        LongShards(context.run / "documents", name, DOCUMENTS, context, shard_bytes) as shards,
        # One file, by row groups: a file of nothing but broken lines must not fill the memory.
        LongShards(context.run / "quarantine", name, QUARANTINE, context, shard_bytes, empty=False) as quarantine,
    ):
        for place, ((path, form, start, end, first_line), paths) in enumerate(zip(pieces, files, strict=True)):
            part = (parts or {}).get(str(place), _WHOLE)
            told = ReadOptions(**{**given, "first_line": first_line, "state": part["state"]})
            for record in records(paths, form, told, start, end, part["spans"]):
                add(counts, "in", documents=1, bytes=record.length)
                if isinstance(record, Rejected) and all_gone:
                    add(counts, WITHDRAWN, documents=1, bytes=record.length)
                    continue
                if isinstance(record, Rejected):
                    add(counts, f"quarantined/{record.cause}", documents=1, bytes=record.length)
                    quarantine.add(_quarantine_row(columns["source"], path, record), 0)
                    continue
                if isinstance(record, Skipped):
                    add(counts, f"removed/{record.rule}", documents=1, bytes=record.length)
                    continue
                row, size, losses = _document(record, path, columns)
                for cause, times in losses.items():
                    add(counts, f"lost/{cause}", times=times)
                text = row["text"]
                if not text.strip():
                    add(counts, "removed/text.empty", documents=1, bytes=record.length)
                    continue
                if all_gone or graves.holds("document", row["id"]):
                    # Its row stays, blank, as withdrawal leaves it: a shard is the same whichever came first.
                    add(counts, WITHDRAWN, documents=1, bytes=record.length)
                    shards.add(row | BLANK, size)
                    continue
                add(counts, "kept", documents=1, bytes=size)
                add(counts, source, documents=1, bytes=size, chars=len(text), eojeol=len(text.split()))
                shards.add(row, size)
    return Outcome((*shards.outputs, *quarantine.outputs), counts)


def records(
    paths: list[str], form: str, options: ReadOptions, start: int, end: int | None, looked: Spans | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """A piece's records; a file that cannot be opened or read on is one Rejected.

    Args:
        looked: of a file that its reader has divided, the spans that it looks at.
    """
    size = 0
    try:
        size = size_of(paths[0])
        if not form:
            detail = "no reader for a name with this ending: set the source's `format`, or leave it out by `include`"
            yield Rejected(0, size, "format.unknown", detail)
            return
        with at_hand(paths, readers()[form].split, start, end, options.scratch, looked) as file:
            yield from readers()[form].load()(file, options, start, end)
    except OSError as error:
        detail = f"cannot be read ({error.strerror or 'input/output error'}): check the file and its permissions"
        yield Rejected(0, size, "file.unreadable", detail)


def _document(record: Record, path: str, columns: dict[str, str]) -> tuple[dict[str, Any], int, dict[str, int]]:
    """The row of a record, UTF-8 bytes of its text, and cause → times of what was lost or repaired."""
    normalised = mended(record.text)
    text = normalised.text
    data = text.encode()
    losses = dict(record.losses)
    for cause, times in normalised.losses.items():
        losses[cause] = losses.get(cause, 0) + times
    where = path if record.member is None else f"{path}!{record.member}"
    key = _writable(record.key) if record.key is not None else f"{where}\0{record.offset}"
    row = {
        "id": document_id(columns["source"], key),
        "text": text,
        **columns,
        "path": where,
        "offset": record.offset,
        "length": record.length,
        "url": None if record.url is None else _writable(record.url),
        "created": record.created,
        "text_hash": text_hash(data),
        "meta": _meta(record.meta),
    }
    return row, len(data), losses


def _meta(meta: dict[str, Any]) -> str:
    return _writable(json.dumps(meta, ensure_ascii=False, sort_keys=True, default=str)) if meta else "{}"


def _quarantine_row(source: str, path: str, record: Rejected) -> dict[str, Any]:
    return {
        "source": source,
        "path": path if record.member is None else f"{path}!{record.member}",
        "offset": record.offset,
        "length": record.length,
        "cause": record.cause,
        "detail": _writable(record.detail),
    }


def _writable(text: str) -> str:
    """Lone surrogates (JSON's \\ud800) cannot be written as UTF-8: each becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
