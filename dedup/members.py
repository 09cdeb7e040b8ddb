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
_ROWS = 1 << 16  # of a row group: sorted, so that a look-up reads one


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
        files = [temporary / f".{digit}" for digit in _DIGITS]
        runs = [stack.enter_context(pa.ipc.new_file(str(file), ID_INDEX)) for file in files]
        for shard in read_shards(run, "dedup", "clusters"):
            table = read_table(run / shard.path, ["cluster", "size"])
            rows = np.flatnonzero(pc.fill_null(pc.greater(table["size"], 1), False).to_numpy())
            names = table["cluster"].take(pa.array(rows)).combine_chunks()
            order = pc.sort_indices(names)
            held = pa.table(
                {
                    "id": names.take(order),
                    "shard": pa.repeat(Path(shard.path).stem, len(rows)),
                    "row": pa.array(rows).take(order),
                },
                schema=ID_INDEX,
            )
            first = pc.utf8_slice_codeunits(held["id"], 0, 1).to_numpy()
            bounds = np.searchsorted(first.astype("U1"), [*_DIGITS, "g"])
            for writer, start, end in zip(runs, bounds[:-1], bounds[1:], strict=True):
                writer.write_table(held.slice(start, end - start))
    for digit, file in zip(_DIGITS, files, strict=True):
        table = pa.ipc.open_file(pa.memory_map(str(file))).read_all()
        table = table.sort_by([("id", "ascending"), ("shard", "ascending"), ("row", "ascending")])
        path = temporary / f"{digit}.parquet"
        pq.write_table(table, path, compression="zstd", row_group_size=_ROWS)
        sync(path)
        file.unlink()
    sync(temporary)
    temporary.rename(folder)
    sync(folder.parent)


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
