"""Withdrawal from tokens/: a document's range becomes end-of-text ids, and its row of the table says so.

No token moves, so what a checkpoint has seen can still be told, and training that goes on keeps its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.identity import find_all
from corpus.shards import read_table
from corpus.staging import WITHDRAWN, Overwrite, Staging, appended_paths, read_rows
from tokenizer.encode import DOCS, SPLITS
from tokenizer.indexed import IndexedTokens
from tokenizer.train_jobs import FOLDER
from tokenizer.vocabulary import open_vocabulary

_AMOUNTS = ("bytes", "chars", "eojeol", "tokens")


def places_of(run: Path, ids: Sequence[str]) -> dict[str, list[int]]:
    """Where the tokens of documents stand: shard (`train/00000`) → row numbers in its table, ascending.

    Read are the documents' buckets of ids, and the few shards that withdrawals appended, which no bucket knows.

    Raises:
        StaleError: tokenize has not run.
    """
    found = find_all(run / "tokens" / "ids", ids)
    places: dict[str, set[int]] = {}
    for shard, row in zip(found["shard"].to_pylist(), found["row"].to_pylist(), strict=True):
        places.setdefault(shard, set()).add(row)
    wanted = pa.array(sorted(ids), pa.string())
    for split in SPLITS:
        for path in appended_paths(run / "tokens" / split):
            held = pc.is_in(read_table(path, ["id"])["id"], value_set=wanted).to_numpy()
            if held.any():
                shard = f"{split}/{path.name.removesuffix(DOCS)}"
                places.setdefault(shard, set()).update(np.flatnonzero(held).tolist())
    return {shard: sorted(rows) for shard, rows in sorted(places.items())}


def spans_of(run: Path, ids: Sequence[str]) -> list[tuple[str, int, int]]:
    """Shard (`tokens/train/00000`), first token and the one after the last, of each document that was encoded."""
    spans = []
    for shard, rows in places_of(run, ids).items():
        table = read_rows(run / "tokens" / f"{shard}{DOCS}", rows, ["first_token", "tokens"])
        spans += [
            (f"tokens/{shard}", one["first_token"], one["first_token"] + one["tokens"]) for one in table.to_pylist()
        ]
    return spans


def forget(staging: Staging, ids: Sequence[str]) -> list[tuple[str, int, int]]:
    """Overwrite the tokens of documents and mark their rows.

    Returns:
        the spans: shard (`tokens/train/00000`), first token, and the one after the last.
    """
    end = open_vocabulary(staging.run / FOLDER).end_of_text
    spans = []
    for shard, rows in places_of(staging.run, ids).items():
        prefix, path = f"tokens/{shard}", f"tokens/{shard}{DOCS}"
        old = read_rows(staging.run / path, rows)
        standing = ~old["withdrawn"].to_numpy().astype(bool)
        old, places = old.filter(pa.array(standing)), np.array(rows, np.int64)[standing]
        if not len(places):
            continue
        _count(staging, shard.partition("/")[0], path, old)
        staging.replace(path, places, pa.table({"withdrawn": pa.repeat(True, len(places))}))
        first = old["first_token"].to_pylist()
        ranges = [(start, start + size) for start, size in zip(first, old["tokens"].to_pylist(), strict=True)]
        dtype = IndexedTokens(staging.run / prefix).dtype.str
        staging.overwrites.append(Overwrite(f"{prefix}.bin", dtype, end, tuple(ranges)))
        spans += [(prefix, *one) for one in ranges]
    return spans


def _count(staging: Staging, split: str, path: str, gone: pa.Table) -> None:
    for row in gone.select(["source", "rights_id", *_AMOUNTS]).to_pylist():
        for reason in ("kept", f"split/{split}", f"source/{row['source']}", f"rights/{row['rights_id']}"):
            staging.count(path, reason, documents=-1, **{name: -row[name] for name in _AMOUNTS})
        staging.count(path, WITHDRAWN, documents=1, bytes=row["bytes"], tokens=row["tokens"])
