"""Adding whole sources to an incremental index, and what became of every document: counts, and a row for each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.errors import CountError, UsageError
from corpus.shards import atomic_path
from dedup.index import Index
from dedup.index_query import verdicts
from dedup.index_sources import Batch, Fields, Unreadable, batches_of
from dedup.index_tables import newest_rows, without
from dedup.index_update import ACCEPTED, KNOWN, Change, Ids
from dedup.runs import Array
from dedup.unique import EXACT, NEAR, SPLIT

STATES = ("new", "exact", "near", "split", "known", "superseded", "unreadable")
"""What became of a document: it stays; repeats one that stays (exact, near); is held out between two splits; was there
already; is an older version of one that is there; could not be read."""

_OF_RULE = {None: "new", EXACT: "exact", NEAR: "near", SPLIT: "split"}
_ROWS = 1 << 16
_TOLD = 5  # unreadable records told by name


@dataclass(slots=True)
class Added:
    """What adding did.

    Attributes:
        counts: documents by what became of them (see STATES); together they are all that came.
        promoted, replaced: documents that were there before and now stay, or no longer stay.
        unreadable: the first few.
        losses: cause → how often something was lost within a record that is in (a date that is none, …).
    """

    counts: dict[str, int]
    promoted: int
    replaced: int
    unreadable: list[Unreadable] = field(default_factory=list)
    losses: dict[str, int] = field(default_factory=dict)


def add_sources(
    index: Index,
    sources: Sequence[Path],
    fields: Fields,
    out: Path | None = None,
    tell: Callable[[int], None] = lambda documents: None,
) -> Added:
    """Add sources batch by batch; each batch is on the disk before the next is read, so a second call goes on.

    Args:
        out: JSON Lines or Parquet to write, a row a document in the order they came (what was unreadable left out),
            then one for each document that was there before and now stays (`promoted`) or no longer stays
            (`replaced`).
        tell: called with the number of documents after each batch.
    """
    if out is not None and out.suffix.lower() not in (".jsonl", ".parquet"):
        raise UsageError("not a kind of file that is written", where=str(out), fix="end its name in .jsonl or .parquet")
    history, losses = _History(), Counter[str]()
    for source in sources:
        for batch in batches_of(source, fields, index.memory // 2, index.parameters.worth):
            if len(batch.documents):
                history.note(batch, index.add(batch.documents))
                tell(len(batch.documents))
            history.broken(batch.unreadable)
            losses += batch.losses
    counts: Counter[str] = Counter(unreadable=history.unreadable)
    added = Added({}, 0, 0, history.first_unreadable, dict(sorted(losses.items())))

    def tables() -> Iterator[pa.Table]:
        for table in history.rows(index):
            counts.update(table["status"].to_pylist())
            yield table

    if out is None:
        for _ in tables():
            pass
    else:
        _write(out, tables())
    added.promoted, added.replaced = counts.pop("promoted", 0), counts.pop("replaced", 0)
    added.counts = {state: counts.get(state, 0) for state in STATES}
    if sum(added.counts.values()) != history.came:
        told = f"{history.came} documents came, {sum(added.counts.values())} are accounted for"
        raise CountError(told, where=str(index.folder), fix="this is a defect in hanjo: please report it")
    return added


class _History:
    """What came, and what the changes said of it: 17 bytes a document, and the ids that were given otherwise."""

    def __init__(self) -> None:
        self.high, self.low = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
        self.outcome = [np.zeros(0, np.int8)]
        self.keys = [pa.array([], pa.large_string())]
        self.events: list[tuple[Ids, bool]] = []  # ids that began (True) or ceased to stay
        self.came = self.unreadable = 0
        self.first_unreadable: list[Unreadable] = []

    def note(self, batch: Batch, change: Change) -> None:
        self.high.append(batch.documents.id_hi)
        self.low.append(batch.documents.id_lo)
        self.outcome.append(change.outcome)
        self.keys.append(pa.array(batch.keys, pa.large_string()))
        self.events += [(change.promoted, True), (change.replaced, False)]
        self.came += len(batch.documents)

    def broken(self, unreadable: Sequence[Unreadable]) -> None:
        self.unreadable += len(unreadable)
        self.came += len(unreadable)
        self.first_unreadable += unreadable[: max(0, _TOLD - len(self.first_unreadable))]

    def rows(self, index: Index) -> Iterator[pa.Table]:
        """A table for every piece of what came, then what became of others, as the index says now."""
        ids, outcome = (np.concatenate(self.high), np.concatenate(self.low)), np.concatenate(self.outcome)
        keys = pa.chunked_array(self.keys)
        accepted = np.flatnonzero(outcome == ACCEPTED)
        last = np.zeros(len(outcome), bool)  # of an id that was accepted twice the second time is what stands
        last[accepted[newest_rows([side[accepted] for side in ids], accepted)]] = True
        for start in range(0, len(outcome), _ROWS):
            part = slice(start, start + _ROWS)
            table = verdicts(index.tables, (ids[0][part], ids[1][part]))
            stands = [_OF_RULE[rule] for rule in table["rule"].to_pylist()]
            other = np.where(outcome[part] == KNOWN, "known", "superseded")
            status = np.where(last[part], np.array(stands, object), other)
            yield _table(table, status, keys.slice(start, _ROWS))
        yield from self._others(index, ids)

    def _others(self, index: Index, ids: Ids) -> Iterator[pa.Table]:
        high, low = (np.concatenate([one[0][side] for one in self.events] or [ids[side][:0]]) for side in (0, 1))
        began = np.concatenate([np.full(len(one[0]), kind) for (one, kind) in self.events] or [np.zeros(0, bool)])
        first = newest_rows([high, low], -np.arange(len(high)))  # the first event tells what was before
        high, low, began = high[first], low[first], began[first]
        strange = without((high, low), _distinct(ids))
        high, low, stayed = high[strange], low[strange], ~began[strange]
        table = verdicts(index.tables, (high, low))
        stays = pc.fill_null(table["keep"], False).to_numpy(zero_copy_only=False).astype(bool)
        changed = stays != stayed
        status = np.where(stays, "promoted", "replaced").astype(object)[changed]
        table = table.filter(pa.array(changed))
        yield _table(table, status, pa.chunked_array([pa.nulls(len(status), pa.large_string())]))


def _distinct(ids: Ids) -> Ids:
    chosen = newest_rows(list(ids), np.arange(len(ids[0])))
    return ids[0][chosen], ids[1][chosen]


def _table(table: pa.Table, status: Array, keys: pa.ChunkedArray) -> pa.Table:
    said = {"id": table["id"], "key": keys.cast(pa.string()), "status": pa.array(status.tolist(), pa.string())}
    return pa.table({**said, **{name: table[name] for name in table.column_names if name not in ("id", "known")}})


def _write(out: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    with atomic_path(out) as temporary:
        if out.suffix.lower() == ".parquet":
            with pq.ParquetWriter(temporary, first.schema, compression="zstd") as writer:
                writer.write_table(first)
                for table in tables:
                    writer.write_table(table)
            return
        with temporary.open("w", encoding="utf-8") as handle:
            for table in chain((first,), tables):
                for row in table.to_pylist():
                    handle.write(json.dumps(row, ensure_ascii=False) + "\n")
