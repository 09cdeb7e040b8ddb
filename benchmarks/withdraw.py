"""How long it takes to find documents in a run of many, as a withdrawal does: by buckets of ids, and by cluster.

    python -m benchmarks.withdraw --documents 10000000 --folder /tmp/ids

Tables of ids and clusters are written as the stages write them, for seeded ids without text; then ids are looked up
in both tables of ids, and the members of a cluster of three. Each figure is the least of several, in one process.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.documents import CLUSTERS, ID_INDEX, SHARDS
from corpus.identity import find_all
from corpus.shards import JobContext, write_table
from dedup.inputs import U64, format_ids
from dedup.members import index_members, members_of

_A_SHARD = 250_000  # documents: 256 MiB of text at a kilobyte each
_COPIES = 0.2  # share of the documents that stand in a cluster of three
_TIMES = 5


def write_ids(folder: Path, high: U64, low: U64) -> None:
    """ids/0.parquet … f.parquet: a row group for each first two digits, sorted by id."""
    folder.mkdir(parents=True)
    order = np.argsort(high)
    ids = format_ids(high[order], low[order])
    shards = pa.array([f"{shard:05d}" for shard in range(-(-len(high) // _A_SHARD))])
    table = pa.table(
        {"id": ids, "shard": shards.take(pa.array(order // _A_SHARD)), "row": order % _A_SHARD}, schema=ID_INDEX
    )
    bounds = np.searchsorted(high[order], np.arange(256, dtype=np.uint64) << np.uint64(56))
    for digit in range(16):
        with pq.ParquetWriter(folder / f"{digit:x}.parquet", ID_INDEX, compression="zstd") as writer:
            for bucket in range(16 * digit, 16 * digit + 16):
                last = bounds[bucket + 1] if bucket < 255 else len(order)
                writer.write_table(table.slice(bounds[bucket], last - bounds[bucket]))


def write_clusters(run: Path, high: U64, low: U64) -> None:
    """clusters/NNNNN.parquet and the list of them; of `_COPIES` of the documents each three are one cluster."""
    context, rows = JobContext(run, "0" * 32, 0), []
    for number, first in enumerate(range(0, len(high), _A_SHARD)):
        part = slice(first, first + _A_SHARD)
        ids = format_ids(high[part], low[part])
        count = len(ids)
        own = np.arange(count)
        copied = own < int(count * _COPIES)
        names = ids.take(pa.array(np.where(copied, own - own % 3, own)))
        stays = ~copied | (own % 3 == 0)
        table = pa.table(
            {
                "cluster": names,
                "size": np.where(copied, 3, 1).astype(np.int32),
                "split": pa.repeat("train", count),
                "keep": stays,
                "rule": pa.array(["dedup.near"] * count, mask=stays),
                "witness": pa.array(np.where(stays, None, names.to_numpy(zero_copy_only=False)), pa.string()),
                "similarity": pa.array(np.full(count, 0.9), mask=stays),
                "cuts": pa.array([None] * count, CLUSTERS.field("cuts").type),
            },
            schema=CLUSTERS,
        )
        rows.append(write_table(run / "clusters" / f"{number:05d}.parquet", table, CLUSTERS, context))
    listed = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in rows]
    write_table(run / "shards" / "dedup.parquet", pa.Table.from_pylist(listed, schema=SHARDS), SHARDS, context)


def least(call: Callable[[], object]) -> float:
    """Seconds of the quickest of several calls."""
    seconds = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Write, look up, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, required=True, help="new; may be removed afterwards")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 1 << 64, (2, given.documents), np.uint64)
    for name in ("documents", "tokens"):
        write_ids(given.folder / name / "ids", high, low)
    write_clusters(given.folder, high, low)
    ids = format_ids(high[:1000], low[:1000]).to_pylist()

    def look_up(wanted: list[str]) -> None:
        for name in ("documents", "tokens"):
            assert find_all(given.folder / name / "ids", wanted).num_rows == len(wanted)

    figures = {f"{count} ids": least(lambda count=count: look_up(ids[:count])) for count in (1, 100, 1000)}  # type: ignore[misc]
    started = time.perf_counter()
    index_members(given.folder)
    print(f"index of members: {time.perf_counter() - started:.1f} s, once a run")
    figures["members of a cluster"] = least(lambda: members_of(given.folder, {ids[0]}))
    print(json.dumps({"documents": given.documents, "seconds": figures}))
    for name, seconds in figures.items():
        print(f"{name:<24}{seconds:>10.3f} s")


if __name__ == "__main__":
    main()
