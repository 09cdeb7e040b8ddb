"""Where a document's tokens stand, for `hanjo trace` and withdrawal."""

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


def _appended(run: Path, document_id: str) -> list[tuple[str, int]]:
    """As `find`, in the few shards that withdrawals appended, which no bucket knows."""
    found = []
    for split in SPLITS:
        for path in appended_paths(run / "tokens" / split):
            row = pc.index(read_table(path, ["id"])["id"], document_id).as_py()
            if row >= 0:
                found.append((f"{split}/{path.name.removesuffix(DOCS)}", row))
    return found
