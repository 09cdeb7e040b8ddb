"""Views of a run's documents: what was kept or removed, by which rule, as edited text. No stage; read by commands.

What was removed is a view, not a copy: the text stays in `documents/` alone. Only edited text leaves this file, so that
personal data that measure masked is never shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus.edits import apply_edits, one_array
from corpus.shards import fingerprint_of, read_sidecar, read_table, shard_paths
from corpus.staging import WITHDRAWN

_CLUSTERS = ["rule", "witness", "similarity"]
_OLDER = "a newer version of the same id stays"


@dataclass(frozen=True, slots=True)
class Shown:
    """One document as a person may see it: `text` is edited (cut and masked); `rule` is None where it was kept."""

    id: str
    source: str
    path: str
    offset: int
    rule: str | None
    value: float | None
    limit: float | None
    detail: str | None
    text: str


def shown(run: Path, *, removed: bool = False, rule: str | None = None, deduplicated: bool = False) -> Iterator[Shown]:
    """Documents that decide has judged, in the order of their shards; one shard in memory at a time.

    Args:
        removed: only those removed.
        rule: only those removed by this rule.
        deduplicated: whether clusters/ stands and what dedup removed is told too.

    Raises:
        StaleError: decide has not run, or its shards belong to other documents.
    """
    for path in shard_paths(run / "documents"):
        of = fingerprint_of(path)
        table = read_table(path, ["id", "source", "path", "offset", "text"])
        verdicts = read_sidecar(run / "verdicts" / path.name, of, table.num_rows).to_pylist()
        if deduplicated:
            clusters = read_sidecar(run / "clusters" / path.name, of, table.num_rows, _CLUSTERS).to_pylist()
            verdicts = [_after_dedup(*both) for both in zip(verdicts, clusters, strict=True)]
        found = [
            row
            for row, verdict in enumerate(verdicts)
            if not ((removed or rule is not None) and verdict["keep"]) and rule in (None, verdict["rule"])
            if verdict["rule"] != WITHDRAWN  # nothing is left to show
        ]
        rows = pa.array(found, pa.int64())  # typed, since there may be none
        edits = read_sidecar(run / "edits" / path.name, of, table.num_rows)
        some = table.take(rows)
        texts = apply_edits(one_array(some["text"]), one_array(edits.take(rows)["edits"]))
        for row, text, name in zip(found, texts, some.drop_columns(["text"]).to_pylist(), strict=True):
            why = {key: verdicts[row][key] for key in ("rule", "value", "limit", "detail")}
            yield Shown(**name, **why, text=text.as_py())


def _after_dedup(verdict: dict[str, Any], cluster: dict[str, Any]) -> dict[str, Any]:
    """What became of a document in the end: decide's verdict, or dedup's on what decide kept."""
    if not verdict["keep"] or cluster["rule"] is None:
        return verdict
    alone = "resembles documents of two splits" if cluster["rule"] == "dedup.split" else _OLDER
    detail = f"repeats {cluster['witness']}" if cluster["witness"] else alone
    return {"keep": False, "rule": cluster["rule"], "value": cluster["similarity"], "limit": None, "detail": detail}


def verdict(run: Path, shard: str, row: int) -> dict[str, object] | None:
    """The verdict on one document for trace: keep, rule, value, limit, detail; None before decide has run."""
    path = run / "verdicts" / f"{shard}.parquet"
    if not path.exists():
        return None
    found: dict[str, object] = read_table(path).slice(row, 1).to_pylist()[0]
    return found
