"""What deduplication did with one document, for `hanjo trace`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corpus.errors import StaleError
from corpus.identity import read_row

_TOLD = ["cluster", "size", "split", "keep", "rule", "witness", "similarity"]


def locate(run: Path, document_id: str, shard: str, row: int) -> dict[str, Any]:
    """What stands in clusters/ of a document.

    Args:
        document_id: 32 hex digits.
        shard: name of the document's shard (`00000`).
        row: its row in the shard.

    Returns:
        `cluster, size, split, keep, rule, witness, similarity`, None where the schema has a null.

    Raises:
        StaleError: the stage has not run, or the row holds another document.
    """
    documents, clusters = (run / folder / f"{shard}.parquet" for folder in ("documents", "clusters"))
    held = read_row(documents, row, ["id"])["id"]
    if held != document_id:
        raise StaleError(f"row {row} holds {held}, not {document_id}", where=str(documents), fix="run collect again")
    return read_row(clusters, row, _TOLD)
