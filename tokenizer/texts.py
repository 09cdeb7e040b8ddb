"""Texts from files or runs for the commands that learn from them or measure on them; no stage.

A file is JSON Lines (also .gz, .zst) or Parquet, read by `dedup.near_file.Records`, which names file and line of what
cannot be read. A run gives the text that dedup left, of the splits asked for.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from corpus.errors import UsageError
from dedup.near_file import Records

LEARN, HELD_OUT = ("train",), ("valid", "test")
SPLITS = (*LEARN, *HELD_OUT)


def read_texts(paths: Sequence[Path], field: str = "text", splits: Sequence[str] = LEARN) -> Iterator[str]:
    """Texts of files and runs, in order, streamed.

    Args:
        field: of the text in files.
        splits: of runs.

    Raises:
        UsageError: no such file or run. SourceError: a record that cannot be read; with its line or row.
    """
    for path in paths:
        for records in text_files(path, field, splits):
            for batch in records.batches():
                yield from batch.to_pylist()


def text_files(path: Path, field: str, splits: Sequence[str]) -> list[Records]:
    """The files behind one path that was given: itself, or a run's shards.

    Raises:
        UsageError: no such file or run.
    """
    if path.is_file():
        return [Records(path, field)]
    shards = [shard for split in splits for shard in sorted((path / "unique" / split).glob("*.parquet"))]
    if not shards:
        told = "no run whose dedup has finished" if path.is_dir() else "no such file"
        raise UsageError(told, where=str(path), fix="give JSON Lines or Parquet files, or a run's folder")
    return [Records(shard) for shard in shards]


def sampled(texts: Iterable[str], seed: int, size: int) -> list[str]:
    """At most `size` bytes of texts, drawn by a keyed hash of their numbers, in their order; all where they fit.

    One pass; memory for the texts that are kept. The same texts, seed and size give the same sample.
    """
    kept: list[tuple[bytes, int, str, int]] = []  # a heap with the largest hash first
    held = 0
    for number, text in enumerate(texts):
        key = hashlib.blake2b(f"hanjo.texts/{seed}/{number}".encode(), digest_size=8).digest()
        length = len(text.encode())
        heapq.heappush(kept, (bytes(255 - byte for byte in key), number, text, length))
        held += length
        while held > size:
            held -= heapq.heappop(kept)[3]
    return [text for _, _, text, _ in sorted(kept, key=lambda one: one[1])]
