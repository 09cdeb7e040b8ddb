"""Shards on disk and the jobs that write them: atomic files, Parquet with fingerprints in the footer, typed jobs.

Two kinds of job (a phase says which): *map*, one shard or work unit → one shard; *exchange*, all shards → one
partition of the keys. Both are pure functions of their inputs and configuration. A file appears under its final name
only when it is whole: temporary name, sync, rename. `hanjo/execution.py` runs the jobs and marks them done.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.documents import SCHEMA_VERSION, SHARDS, require_columns
from corpus.errors import SchemaError, StaleError, StorageError

ROW_GROUP_BYTES = 64 << 20
PRIVATE = 0o600  # files that hold text with personal data in it; their folders are 0700
_AGAIN = "run the stage again"
_FINGERPRINT, _OF, _VERSION = b"hanjo.fingerprint", b"hanjo.of", b"hanjo.schema_version"

Counts = dict[str, dict[str, int]]
"""Reason → amounts. Reasons: `in`, `kept`, `removed/RULE`, `quarantined/CAUSE`, `withdrawn`; any other is only told.
Amounts: `documents`, `bytes` (UTF-8 text, or raw bytes for `in` and `quarantined` of collect), `tokens`, …"""


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job is told beside its arguments: the run's folder, its own fingerprint, memory it may use in bytes."""

    run: Path
    fingerprint: str
    memory: int


@dataclass(frozen=True, slots=True)
class Output:
    """A file a job wrote: path relative to the run (posix), rows (documents, sequences, …), bytes on disk."""

    path: str
    rows: int
    bytes: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job did. `facts` is small JSON that a later phase needs to plan (never a list of documents)."""

    outputs: tuple[Output, ...] = ()
    counts: Counts = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of work: `call(context, **arguments)` returns an Outcome.

    Attributes:
        name: unique in its stage and stable from run to run.
        call: a module-level function (it crosses process borders by name).
        arguments: picklable and JSON-like; they are part of the fingerprint, so no path of this machine in them.
        inputs: fingerprints of what the job reads.
        local: picklable arguments that are not part of the fingerprint (folders of this machine).
        weight: bytes of work, for the progress bar.
    """

    name: str
    call: Callable[..., Outcome]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    local: Mapping[str, Any] = field(default_factory=dict)
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Phase:
    """Jobs that may run in any order on any number of workers; `here` keeps them in the parent process.

    `of_machine`: its jobs are named by this machine's file times, so it is no part of the stage's fingerprint.
    `told_all`: its jobs' arguments hold all that they need of the settings, so that their fingerprints need not cover
    the rest (a source added to a recipe must not read the others again).
    """

    name: str
    kind: Literal["map", "exchange"]
    jobs: Sequence[Job]
    here: bool = False
    of_machine: bool = False
    told_all: bool = False


Phases = Generator[Phase, list[Outcome], None]
"""A stage's plan: yields a phase, is sent that phase's outcomes in the order of its jobs."""


def add(counts: Counts, reason: str, **amounts: int) -> None:
    """Add amounts under a reason, in place."""
    row = counts.setdefault(reason, {})
    for name, amount in amounts.items():
        row[name] = row.get(name, 0) + int(amount)


def merge(parts: Sequence[Counts]) -> Counts:
    """Sum of several counts, reasons and amounts sorted by name."""
    total: Counts = {}
    for part in parts:
        for reason, amounts in part.items():
            add(total, reason, **amounts)
    return {reason: dict(sorted(total[reason].items())) for reason in sorted(total)}


@contextmanager
def atomic_path(final: Path, mode: int = 0o644) -> Iterator[Path]:
    """A temporary path beside `final`, synced and renamed onto it when the block ends well, removed when it does not.

    Raises:
        StorageError: the disk is full or not writable; nothing is left under the final name.
    """
    temporary = final.with_name(f".{final.name}.tmp")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.chmod(mode)
        temporary.replace(final)
        sync(final.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                "no space left on the disk", where=str(final), fix="free some space and run the same command again"
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise StorageError(
                f"cannot write: {error.strerror}",
                where=str(final),
                fix="make the folder writable or choose another run folder",
            ) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync(folder: Path) -> None:
    """Have the system put a file or a folder's list of names on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def private_folder(folder: Path) -> Path:
    """Make a folder that only its owner may enter (documents and quarantine hold personal data)."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def write_json(path: Path, value: object) -> None:
    """Write JSON with sorted keys, atomically; the same value gives the same bytes."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def write_table(
    path: Path,
    table: pa.Table,
    schema: pa.Schema,
    context: JobContext,
    *,
    of: str | None = None,
    mode: int = 0o644,
    joined: bool = False,
) -> Output:
    """Write one Parquet shard atomically and say what was written.

    Args:
        path: final path inside `context.run`.
        table: rows in the columns of `schema`, cast to it.
        of: for sidecars, the fingerprint of the shard whose rows these rows speak of.
        joined: write what a table of one chunk would give, the chunks of a row group put together when it is its turn.
    """
    require_columns(table.schema, schema, str(path))
    table = table.select(schema.names).replace_schema_metadata(footer(context, of))
    size = sum(map(_joined_bytes, table.columns)) if joined else table.nbytes
    rows_a_group = min(max(1, int(table.num_rows * ROW_GROUP_BYTES / max(size, 1))), 1 << 20)
    pieces = [table]
    if joined:
        pieces = [table.slice(first, rows_a_group) for first in range(0, table.num_rows, rows_a_group)]
    with (
        atomic_path(path, mode) as temporary,
        pq.ParquetWriter(temporary, table.schema, compression="zstd", use_dictionary=repeating(schema)) as writer,
    ):
        for piece in pieces:
            writer.write_table(piece.combine_chunks() if joined else piece, row_group_size=rows_a_group)
    relative = path.relative_to(context.run).as_posix()
    return Output(relative, table.num_rows, path.stat().st_size, context.fingerprint)


def _joined_bytes(column: pa.ChunkedArray) -> int:
    """What a column's chunks take once they are one: each of strings has an offset more than rows, each with nulls a
    map of them in whole bytes."""
    kind, chunks = column.type, [chunk for chunk in column.chunks if len(chunk)]
    offset = 8 if pa.types.is_large_string(kind) else 4 if pa.types.is_string(kind) else 0
    maps = [-(-len(chunk) // 8) for chunk in chunks if chunk.buffers()[0] is not None]
    joined_map = -(-len(column) // 8) if maps else 0
    return sum(chunk.nbytes for chunk in chunks) - offset * max(0, len(chunks) - 1) - sum(maps) + joined_map


def footer(context: JobContext, of: str | None = None) -> dict[bytes, bytes]:
    """Metadata of a shard's footer: its fingerprint, the schema's version and, for sidecars, whose rows it tells of."""
    metadata = {_FINGERPRINT: context.fingerprint.encode(), _VERSION: str(SCHEMA_VERSION).encode()}
    return metadata if of is None else metadata | {_OF: of.encode()}


def repeating(schema: pa.Schema) -> list[str]:
    """Columns worth a dictionary; where almost every value differs it costs and gains nothing."""
    return [name for name in schema.names if name not in ("text", "id", "text_hash", "meta")]


def fingerprint_of(path: Path) -> str:
    """The fingerprint in a shard's footer.

    Raises:
        StaleError: the file is missing, broken, or not written by hanjo.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise StaleError(f"not a readable Parquet shard ({error})", where=str(path), fix=_AGAIN) from error
    if _FINGERPRINT not in metadata:
        raise StaleError("no fingerprint in the footer: not written by hanjo", where=str(path), fix=_AGAIN)
    return metadata[_FINGERPRINT].decode()


def read_table(path: Path, columns: Sequence[str] | None = None, *, schema: pa.Schema | None = None) -> pa.Table:
    """Read a shard (or some of its columns), its schema checked where one is given."""
    try:
        if schema is not None:
            require_columns(pq.read_schema(path), schema, str(path), columns)
        return pq.read_table(path, columns=list(columns) if columns is not None else None, memory_map=True)
    except FileNotFoundError as error:
        raise StaleError("the shard is missing", where=str(path), fix="run the stage that writes it again") from error
    except pa.ArrowException as error:
        raise SchemaError(f"not a readable Parquet file ({error})", where=str(path), fix=_AGAIN) from error


def read_row_groups(path: Path, columns: Sequence[str], *, schema: pa.Schema) -> Iterator[pa.Table]:
    """Read some columns of a shard a row group at a time, its schema checked."""
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            require_columns(file.schema_arrow, schema, str(path), columns)
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=list(columns))
    except FileNotFoundError as error:
        raise StaleError("the shard is missing", where=str(path), fix="run the stage that writes it again") from error
    except pa.ArrowException as error:
        raise SchemaError(f"not a readable Parquet file ({error})", where=str(path), fix=_AGAIN) from error


def read_sidecar(path: Path, of: str, rows: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a sidecar, refusing one that speaks of another shard than the one with fingerprint `of` and `rows` rows."""
    table = read_table(path, columns)
    named = (pq.read_schema(path).metadata or {}).get(_OF, b"").decode()
    if named != of or table.num_rows != rows:
        raise StaleError(
            f"the sidecar belongs to shard {named or 'unknown'} ({table.num_rows} rows), not to {of} ({rows} rows)",
            where=str(path),
            fix="run the stage that writes it again",
        )
    return table


def read_shards(run: Path, stage: str, folder: str) -> list[Output]:
    """The shards that a finished stage wrote under a folder of the run (`documents`, `unique/train`), by name.

    Raises:
        StaleError: the stage has not finished.
    """
    table = read_table(run / "shards" / f"{stage}.parquet", schema=SHARDS)
    outputs = [Output(row["name"], row["rows"], row["bytes"], row["fingerprint"]) for row in table.to_pylist()]
    return [output for output in outputs if Path(output.path).parent.as_posix() == folder]


def shard_paths(folder: Path) -> list[Path]:
    """The Parquet shards of a folder by name; empty where there is none."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))
