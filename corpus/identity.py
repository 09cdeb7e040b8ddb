"""From a document's id to its shard and row: 256 id-sorted buckets beside the shards. Collect and tokenize build them.

An exchange: a sorted run of ids per shard, then buckets by the id's first two hex digits. A bucket is a row group of
`ids/0.parquet` … `f.parquet` (of a file of its own, `00.parquet` …, in huge runs); a look-up reads one bucket.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import ID_INDEX
from corpus.errors import StaleError
from corpus.shards import Job, JobContext, Outcome, Output, Phase, Phases, atomic_path, footer, read_table

_DIGITS = "0123456789abcdef"
_MANY_ROWS = 1 << 26  # above these, a job takes one bucket instead of sixteen: about 3 GiB of ids each
_FEW_ROWS = 1 << 19  # below these, starting worker processes takes longer than the work
_PLACE = ("source", "path", "offset", "length")


def id_phases(run: Path, stage: str, folder: str, shards: Sequence[Output], suffix: str = ".parquet") -> Phases:
    """Phases that write the buckets under `folder/ids/` (schema ID_INDEX), sorted by id, shard, row.

    Args:
        folder: of the run (`documents`, `tokens`); a shard is called by its path below it, without `suffix`.
        shards: Parquet files with a column `id`.
    """
    names = [_shard_name(shard.path, folder, suffix) for shard in shards]
    jobs = [
        Job(
            name, sort_ids, {"stage": stage, "path": shard.path, "shard": name}, (shard.fingerprint,), weight=shard.rows
        )
        for name, shard in zip(names, shards, strict=True)
    ]
    few = sum(shard.rows for shard in shards) < _FEW_ROWS
    outcomes = yield Phase("id-runs", "map", jobs, here=few, told_all=True)
    runs = [output for outcome in outcomes for output in outcome.outputs]
    rows = sum(one.rows for one in runs)
    starts = list(_DIGITS) if rows < _MANY_ROWS else [a + b for a in _DIGITS for b in _DIGITS]
    inputs = tuple(one.fingerprint for one in runs)
    arguments = {"stage": stage, "folder": folder, "shards": names}
    buckets = [
        Job(start, write_buckets, {**arguments, "start": start}, inputs, weight=1 + rows // 16) for start in starts
    ]
    yield Phase("ids", "exchange", buckets, here=few, told_all=True)


def sort_ids(context: JobContext, *, stage: str, path: str, shard: str) -> Outcome:
    """Map job: one shard's ids, sorted, into scratch; a row group for each first digit, so a bucket reads little."""
    ids = read_table(context.run / path, ["id"]).column("id").combine_chunks()
    order = pc.sort_indices(ids)
    run = pa.table({"id": ids.take(order), "row": order.cast(pa.int64())})
    target = _run_path(context.run, stage, shard)
    with atomic_path(target) as temporary, pq.ParquetWriter(temporary, run.schema, compression="zstd") as writer:
        for digit in _DIGITS:
            part = run.filter(pc.starts_with(run["id"], digit))
            if part.num_rows:
                writer.write_table(part)
    relative = target.relative_to(context.run).as_posix()
    return Outcome((Output(relative, run.num_rows, target.stat().st_size, context.fingerprint),))


def write_buckets(context: JobContext, *, stage: str, folder: str, shards: list[str], start: str) -> Outcome:
    """Exchange job: the buckets of ids that begin with `start` (one or two hex digits), out of every shard's run."""
    parts = []
    for shard in shards:
        filters = [("id", ">=", start), ("id", "<", start + "g")]  # g comes after the last hex digit
        part = pq.read_table(_run_path(context.run, stage, shard), filters=filters)
        parts.append(part.append_column("shard", pa.repeat(shard, part.num_rows).dictionary_encode()))
    table = pa.concat_tables(parts, promote_options="default").unify_dictionaries() if parts else ID_INDEX.empty_table()
    table = table.select(ID_INDEX.names).cast(ID_INDEX)
    table = table.sort_by([("id", "ascending"), ("shard", "ascending"), ("row", "ascending")])
    path = context.run / folder / "ids" / f"{start}.parquet"
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, _schema(context), compression="zstd") as writer:
        for bucket in [start] if len(start) == 2 else [start + digit for digit in _DIGITS]:
            part = table.filter(pc.starts_with(table["id"], bucket))
            if part.num_rows:
                writer.write_table(part.replace_schema_metadata(footer(context)))
    relative = path.relative_to(context.run).as_posix()
    return Outcome((Output(relative, table.num_rows, path.stat().st_size, context.fingerprint),))


def find(ids: Path, document: str) -> list[tuple[str, int]]:
    """Shard and row of every row with this id (several where versions or equal keys came), by reading one bucket.

    Args:
        ids: the folder of buckets, e.g. `run/documents/ids`.

    Raises:
        StaleError: the bucket is missing.
    """
    path = next((file for n in (1, 2) if (file := ids / f"{document[:n]}.parquet").is_file()), None)
    if path is None:
        raise StaleError(
            f"no bucket for the id {document!r}", where=str(ids), fix="give 32 hex digits of a finished run"
        )
    rows = pq.read_table(path, filters=[("id", "==", document)]).to_pylist()
    return [(row["shard"], row["row"]) for row in rows]


def find_all(ids: Path, documents: Sequence[str]) -> pa.Table:
    """As `find`, of many ids: a table of the schema ID_INDEX; each bucket that is asked is read once.

    Raises:
        StaleError: a bucket is missing.
    """
    buckets: dict[str, list[str]] = {}
    for document in documents:
        buckets.setdefault(document[:2], []).append(document)
    parts = [ID_INDEX.empty_table()]
    for bucket, wanted in sorted(buckets.items()):
        path = next((file for n in (1, 2) if (file := ids / f"{bucket[:n]}.parquet").is_file()), None)
        if path is None:
            raise StaleError(
                f"no bucket for ids that begin with {bucket!r}", where=str(ids), fix="run the stage that writes it"
            )
        filters = [("id", ">=", min(wanted)), ("id", "<=", max(wanted))]
        rows = pq.read_table(path, filters=filters).replace_schema_metadata()
        rows = rows.filter(pc.is_in(rows["id"], value_set=pa.array(sorted(set(wanted)), pa.string())))
        parts.append(rows.select(ID_INDEX.names).cast(ID_INDEX))
    return pa.concat_tables(parts)


def locate(run: Path, document: str) -> list[dict[str, Any]]:
    """Where a document came from and where it stands: source, path, offset, length, shard, row, for each row of its id.

    The text is not read.
    """
    places = []
    for shard, row in find(run / "documents" / "ids", document):
        found = read_row(run / "documents" / f"{shard}.parquet", row, _PLACE)
        places.append({**found, "shard": shard, "row": row})
    return places


def read_row(path: Path, row: int, columns: Sequence[str]) -> dict[str, Any]:
    """Some columns of one row of a shard; one row group is read.

    Raises:
        StaleError: the shard has no such row.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        first = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row < first + rows:
                table = file.read_row_group(group, columns=list(columns))
                found: dict[str, Any] = table.slice(row - first, 1).to_pylist()[0]
                return found
            first += rows
    raise StaleError(f"no row {row}", where=str(path), fix="run the stage that writes it again")


def _shard_name(path: str, folder: str, suffix: str) -> str:
    return PurePosixPath(path).relative_to(folder).as_posix().removesuffix(suffix)


def _run_path(run: Path, stage: str, shard: str) -> Path:
    return run / ".scratch" / stage / "ids" / f"{shard}.parquet"


def _schema(context: JobContext) -> pa.Schema:
    return ID_INDEX.with_metadata(footer(context))
