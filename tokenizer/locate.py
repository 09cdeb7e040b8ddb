"""Where a document's tokens stand, for `hanjo trace`, `hanjo tokenizer show` and withdrawal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from corpus.identity import find, read_row
from corpus.shards import read_table
from corpus.staging import appended_paths
from tokenizer.encode import DOCS, SPLITS

_TOLD = ("first_token", "tokens", "withdrawn")


def locate(run: Path, document_id: str) -> dict[str, Any] | None:
    """The place of a document's tokens, found by reading one id bucket and one row group.

    Returns:
        `split`; `shard` (`00000`), `row` in it; `first_token` within the shard, `tokens` with the end-of-text id,
        `withdrawn`. None where the document was not encoded.

    Raises:
        StaleError: tokenize has not run.
    """
    places = find(run / "tokens" / "ids", document_id) or _appended(run, document_id)
    if not places:
        return None
    path, row = places[0]  # one at most: dedup keeps one version of an id
    split, _, shard = path.partition("/")
    told = read_row(run / "tokens" / split / f"{shard}{DOCS}", row, _TOLD)
    return {"split": split, "shard": shard, "row": row, **told}


def shards_in(folder: Path) -> list[Path]:
    """The token shards of a folder (`OUT` of `hanjo tokenizer encode`, `tokens/train` of a run), by name."""
    beside = (".idx", DOCS)  # one may be lost, which opening it tells
    return sorted(
        path for path in folder.glob("*.bin") if any(path.with_name(path.stem + one).is_file() for one in beside)
    )


def shard_of(folder: Path, document_id: str) -> tuple[Path, int] | None:
    """The first shard of a folder whose table holds a document, and its row; None where none does.

    Reads the ids of one shard after the other: a folder that is no run's has no buckets of ids.
    """
    for shard in shards_in(folder):
        table = shard.with_name(f"{shard.stem}{DOCS}")
        row = pc.index(read_table(table, ["id"])["id"], document_id).as_py() if table.is_file() else -1
        if row >= 0:
            return shard, int(row)
    return None


def _appended(run: Path, document_id: str) -> list[tuple[str, int]]:
    """As `find`, in the few shards that withdrawals appended, which no bucket knows."""
    found = []
    for split in SPLITS:
        for path in appended_paths(run / "tokens" / split):
            row = pc.index(read_table(path, ["id"])["id"], document_id).as_py()
            if row >= 0:
                found.append((f"{split}/{path.name.removesuffix(DOCS)}", row))
    return found
