"""From a cluster to its documents: id-sorted buckets beside clusters/, of clusters with more than one. For withdrawal.

`clusters/members/0.parquet` … `f.parquet`, as `documents/ids` (the id is the cluster's). They follow from clusters/ and
stand outside all fingerprints: written once deduplication is done, and again wherever they are missing.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import ID_INDEX
from corpus.identity import find_all
from corpus.shards import read_shards, read_table, sync
from corpus.staging import read_rows

FOLDER = "clusters/members"
COLUMNS = ("cluster", "size", "split", "keep", "rule", "witness", "similarity")
_DIGITS = "0123456789abcdef"


def index_members(run: Path) -> None:
    """Write the buckets where they are missing; one shard, then a sixteenth of the clustered documents, in memory.

    Raises:
        StaleError: dedup has not finished.
    """
    folder = run / FOLDER
    if folder.exists():
        return
    temporary = folder.with_name(".members.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    with ExitStack() as stack:
        runs = [stack.enter_context(pq.ParquetWriter(temporary / f".{digit}", ID_INDEX)) for digit in _DIGITS]
        for shard in read_shards(run, "dedup", "clusters"):
            table = read_table(run / shard.path, ["cluster", "size"])
            rows = np.flatnonzero(pc.fill_null(pc.greater(table["size"], 1), False).to_numpy())
            names = table["cluster"].take(pa.array(rows)).combine_chunks()
            found = {"id": names, "shard": pa.repeat(Path(shard.path).stem, len(rows)), "row": rows}
            held = pa.table(found, schema=ID_INDEX)
            for digit, writer in zip(_DIGITS, runs, strict=True):
                if (part := held.filter(pc.starts_with(held["id"], digit))).num_rows:
                    writer.write_table(part)
    for digit in _DIGITS:
        _write(temporary / f"{digit}.parquet", pq.read_table(temporary / f".{digit}"), digit)
        (temporary / f".{digit}").unlink()
    sync(temporary)
    temporary.rename(folder)
    sync(folder.parent)


def _write(path: Path, table: pa.Table, digit: str) -> None:
    table = table.sort_by([("id", "ascending"), ("shard", "ascending"), ("row", "ascending")])
    with pq.ParquetWriter(path, ID_INDEX, compression="zstd") as writer:
        for second in _DIGITS:
            if (part := table.filter(pc.starts_with(table["id"], digit + second))).num_rows:
                writer.write_table(part)
    sync(path)


def members_of(run: Path, clusters: set[str]) -> pa.Table:
    """The documents of some clusters of more than one: COLUMNS of clusters/, `shard`, `row`; withdrawn ones left out.

    Raises:
        StaleError: dedup has not finished.
    """
    index_members(run)
    found = find_all(run / FOLDER, sorted(clusters)).sort_by([("shard", "ascending"), ("row", "ascending")])
    names, rows = np.array(found["shard"].to_pylist(), object), found["row"].to_numpy()
    parts = []
    for name in sorted(set(names.tolist())):
        mine = rows[names == name]
        table = read_rows(run / "clusters" / f"{name}.parquet", mine, COLUMNS)
        table = table.append_column("shard", pa.array([name] * len(mine))).append_column("row", pa.array(mine))
        parts.append(table.filter(pc.is_valid(table["cluster"])).replace_schema_metadata())
    return pa.concat_tables(parts) if parts else pa.table({})
