"""Newer versions: of documents with the same id and another text, only the latest stays (rule `version.superseded`).

Judged over all documents, whatever `decide` said: a page that was taken down to one line must not leave its older,
longer version standing.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import DOCUMENTS
from corpus.edits import one_array
from corpus.shards import JobContext, Outcome, read_table
from dedup.inputs import identities
from dedup.runs import Layout, read_batch, stretch, write_run

_ORDER = ("id_hi", "id_lo", "created", "path", "offset", "number")


def list_versions(context: JobContext, *, layout: Layout, shard: int) -> Outcome:
    """Map: a shard's ids, dates, places and text hashes, sorted by id."""
    name = layout.names[shard]
    table = read_table(
        context.run / "documents" / f"{name}.parquet", ["path", "offset", "text_hash"], schema=DOCUMENTS
    ).combine_chunks()
    columns = identities(context.run, layout, shard)
    order = np.lexsort((columns["id_lo"], columns["id_hi"]))
    kept = {key: values[order] for key, values in columns.items()}
    taken = table.take(pa.array(order)).combine_chunks()
    kept |= {key: one_array(taken[key]) for key in ("path", "offset", "text_hash")}
    return Outcome((write_run(context, "versions", name, kept | {"row": order.astype(np.int64)}),))


def find_superseded(context: JobContext, *, layout: Layout, part: int) -> Outcome:
    """Exchange: numbers of the superseded documents among the ids of one partition, ascending."""
    pieces = []
    for name, base in zip(layout.names, layout.bases, strict=False):
        batch = read_batch(context.run, "versions", name)
        rows = stretch(batch.column("id_hi").to_numpy(), part, layout.partitions)
        piece = pa.Table.from_batches([batch.slice(rows.start, rows.stop - rows.start)])
        pieces.append(piece.append_column("number", pc.add(piece["row"], pa.scalar(int(base)))).drop(["row"]))
    table = pa.concat_tables(pieces)
    repeated = _repeated(table["id_hi"].to_numpy(), table["id_lo"].to_numpy())
    numbers = superseded(table.filter(pa.array(repeated)))
    return Outcome((write_run(context, "superseded", part, {"number": numbers}),))


def _repeated(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    order = np.lexsort((low, high))
    same = (high[order][1:] == high[order][:-1]) & (low[order][1:] == low[order][:-1])
    repeated = np.zeros(len(high), bool)
    repeated[order[1:]] |= same
    repeated[order[:-1]] |= same
    return repeated


def superseded(table: pa.Table) -> np.ndarray:
    """Numbers of the rows whose text is not that of the latest row with the same id: int64, ascending.

    The latest is the one with the latest `created` (no date loses to any), then the later path, offset and number.

    Args:
        table: `id_hi`, `id_lo`, `created` (int64), `path`, `offset`, `number`, `text_hash`.
    """
    if table.num_rows == 0:
        return np.zeros(0, np.int64)
    table = table.sort_by([(name, "ascending") for name in _ORDER]).combine_chunks()
    high, low = table["id_hi"].to_numpy(), table["id_lo"].to_numpy()
    last_of_group = np.append((high[1:] != high[:-1]) | (low[1:] != low[:-1]), True)
    group = np.concatenate(([0], np.cumsum(last_of_group)[:-1]))
    latest = table["text_hash"].take(pa.array(np.flatnonzero(last_of_group)[group]))
    older = pc.not_equal(table["text_hash"], latest).to_numpy()
    return np.sort(table["number"].to_numpy()[older])


def is_superseded(context: JobContext, layout: Layout, shard: int) -> np.ndarray:
    """bool[rows] of a shard, out of every partition's findings."""
    first, last = layout.span(shard)
    older = np.zeros(last - first, bool)
    for part in range(layout.partitions):
        numbers = read_batch(context.run, "superseded", part).column("number").to_numpy()
        low, high = np.searchsorted(numbers, np.array([first, last]))
        older[numbers[low:high] - first] = True
    return older
