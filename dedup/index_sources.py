"""Where an incremental index gets its documents: a finished run, or files with ids and texts; in batches that fit.

From a run come the documents that took part in its deduplication, edited as it edited them, under their own ids and on
the side (train, valid, test) where it put them; from a file every record, normalised as a run would. An id that is not
32 hex digits becomes the BLAKE2b-128 of itself.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import Record, Rejected
from corpus.errors import UsageError
from corpus.normalising import normalise
from corpus.shards import read_shards, read_sidecar
from corpus.sources import ReadOptions, reader_for
from dedup.index_clusters import I8, UNDECIDED
from dedup.index_tables import I64, in_chunks
from dedup.index_update import Documents, Ids
from dedup.inputs import NO_DATE, edited_texts, identities, layout_of, parse_ids, worth
from dedup.runs import Layout
from dedup.splits import SPLITS

_HEX = re.compile("[0-9a-f]{32}")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_TEXT_ROOM, _DOCUMENT_ROOM = 48, 8 << 10  # bytes of memory for a byte of text (shingles, hashed), for a document


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields (JSON) or columns that hold text, id and date; `created` None where there is none.

    nameless: a record without an id is no error; the place it begins at stands for it.
    """

    text: str = "text"
    id: str = "id"
    created: str | None = None
    nameless: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that was no document: file, offset (bytes or row), cause, and what a person should do."""

    path: str
    offset: int
    cause: str
    detail: str


@dataclass(slots=True)
class Batch:
    """Documents as they came.

    Attributes:
        keys: the ids as given where they were no 32 hex digits, else None.
        losses: cause → how often something was lost within a record that was read (`created.unreadable`, …).
    """

    documents: Documents
    keys: list[str | None]
    unreadable: list[Unreadable] = field(default_factory=list)
    losses: Counter[str] = field(default_factory=Counter)


def is_run(path: Path) -> bool:
    """Whether it is a run's folder."""
    return path.is_dir() and (path / "recipe.yaml").exists()


def require_sources(sources: Sequence[Path]) -> None:
    """Refuse what is neither a run nor a file that can be read, before anything is done.

    Raises:
        UsageError: naming the first.
    """
    for path in sources:
        if path.is_dir() and not is_run(path):
            fix = "give a run's folder, or files (JSON Lines, Parquet, …)"
            raise UsageError("a folder that is no run (there is no recipe.yaml)", where=str(path), fix=fix)
        if not path.exists():
            raise UsageError("no such file", where=str(path), fix="give a run's folder, or a file with ids and texts")
        if not path.is_dir() and reader_for(path.name) is None:
            fix = "give JSON Lines (.jsonl, also .gz, .zst), Parquet, CSV or another format that collect reads"
            raise UsageError("not a kind of file that is read", where=str(path), fix=fix)


def batches_of(path: Path, fields: Fields, memory: int, worth: Sequence[str] = ()) -> Iterator[Batch]:
    """The documents of a run or a file; of a run's also `quality` and `rights`, where they are asked for."""
    return _of_run(path, memory, worth) if is_run(path) else _of_file(path, fields, memory)


def _of_run(run: Path, memory: int, valued: Sequence[str]) -> Iterator[Batch]:
    read_shards(run, "dedup", "clusters")  # refused where deduplication has not finished
    layout = layout_of(run)
    for shard, name in enumerate(layout.names):
        sidecar = run / "clusters" / f"{name}.parquet"
        clusters = read_sidecar(sidecar, layout.fingerprints[shard], layout.rows[shard], ["cluster", "split"])
        rows = np.flatnonzero(pc.is_valid(clusters["cluster"]).to_numpy())
        split = sides_of(clusters["split"].take(pa.array(rows)))
        for documents in of_shard(run, layout, shard, rows, split, memory, valued):
            yield Batch(documents, [None] * len(documents))


def of_shard(
    run: Path, layout: Layout, shard: int, rows: I64, split: I8, memory: int, valued: Sequence[str]
) -> Iterator[Documents]:
    """Some of a shard's documents, edited, on the sides that are given, in batches that fit in memory.

    Args:
        rows: int64, ascending.
        split: int8 for each, the place in SPLITS, UNDECIDED where it has none.
        valued: what the index prefers by beside length and date.
    """
    who, values = identities(run, layout, shard), worth(run, layout, shard, valued)
    texts = edited_texts(run, layout, shard, rows)
    for part in in_chunks(_weights(pc.binary_length(texts).to_numpy()), memory):
        chosen = rows[part]
        yield Documents(
            who["id_hi"][chosen],
            who["id_lo"][chosen],
            who["created"][chosen],
            texts.slice(part.start, part.stop - part.start),
            split[part],
            {name: column[chosen] for name, column in values.items()},
        )


def sides_of(split: pa.ChunkedArray) -> I8:
    """Names of splits as places in SPLITS, UNDECIDED where a document has none: int8[n]."""
    places = pc.fill_null(pc.index_in(split, pa.array(SPLITS)), UNDECIDED).cast(pa.int8())
    return np.asarray(places.to_numpy(), np.int8)


def _of_file(path: Path, fields: Fields, memory: int) -> Iterator[Batch]:
    reader = reader_for(path.name)
    if reader is None:
        raise UsageError("not a kind of file that is read", where=str(path))
    options = ReadOptions(text=fields.text, key=fields.id, created=fields.created)
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    weight = 0
    for record in reader.load()(path, options, 0, None):
        if isinstance(record, Rejected):
            unreadable.append(Unreadable(str(path), record.offset, record.cause, record.detail))
        elif isinstance(record, Record) and record.key is None and not fields.nameless:
            told = f"no string or whole number under {fields.id!r}: name the field of the id with --id"
            unreadable.append(Unreadable(str(path), record.offset, "id.missing", told))
        elif isinstance(record, Record):
            records.append(record)
            weight += int(_weights(np.array([4 * len(record.text)]))[0])
        if weight >= memory:
            yield _batch(records, unreadable)
            records, unreadable, weight = [], [], 0
    if records or unreadable:
        yield _batch(records, unreadable)


def _weights(lengths: np.ndarray) -> np.ndarray:
    return lengths * _TEXT_ROOM + _DOCUMENT_ROOM


def _batch(records: Sequence[Record], unreadable: list[Unreadable]) -> Batch:
    given = [str(record.offset) if record.key is None else record.key for record in records]
    dates = [NO_DATE if record.created is None else (record.created - _EPOCH) // _MICROSECOND for record in records]
    texts = pa.array([normalise(record.text).text for record in records], pa.large_string())
    documents = Documents(*ids_of(given), np.array(dates, np.int64), texts)
    losses: Counter[str] = Counter()
    for record in records:
        losses.update(record.losses)
    return Batch(documents, [None if _HEX.fullmatch(key) else key for key in given], unreadable, losses)


def ids_of(given: Iterable[str]) -> Ids:
    """Ids as a person or a file gives them, as two uint64 each."""
    names = [
        key if _HEX.fullmatch(key) else hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
        for key in given
    ]
    return parse_ids(pa.array(names, pa.large_string()), "the ids")
