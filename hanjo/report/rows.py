"""Bounded reading for the report: a few seeded shards, a few seeded rows of them, never a whole run.

A run of 10⁹ documents has tens of thousands of shards: what is read here stays the same size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.shards import Output, read_shards, read_sidecar

SHARDS = 6  # shards looked at for excerpts and histograms


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of documents with the folders of its run beside it."""

    run: Path
    output: Output
    seed: int

    @property
    def name(self) -> str:
        return Path(self.output.path).name

    def sidecar(self, folder: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A sidecar's rows, checked to speak of this shard."""
        return read_sidecar(self.run / folder / self.name, self.output.fingerprint, self.output.rows, columns)

    def some(self, rows: np.ndarray, most: int, salt: str) -> list[int]:
        """At most so many of the given row numbers, by a seeded choice, rising."""
        if len(rows) > most:
            key = hashlib.blake2b(f"{self.seed}/{self.name}/{salt}".encode(), digest_size=8).digest()
            generator = np.random.Generator(np.random.Philox(int.from_bytes(key)))
            rows = generator.choice(rows, most, replace=False)
        return sorted(int(row) for row in rows)

    def documents(self, rows: Iterable[int], columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Row number → the columns of that document; only the row groups that hold one of the rows are read."""
        return dict(_rows(self.run / self.output.path, sorted(set(rows)), columns))


def _rows(path: Path, rows: Sequence[int], columns: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    with pq.ParquetFile(path) as file:
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            here = [row for row in rows if start <= row < end]
            if here:
                table = file.read_row_group(group, columns=list(columns)).take([row - start for row in here])
                yield from zip(here, table.to_pylist(), strict=True)
            start = end


def chosen_shards(run: Path, seed: int) -> tuple[list[Shard], int]:
    """A seeded few of the shards that collect wrote, by name, and how many there are in all."""
    outputs = [output for output in read_shards(run, "collect", "documents") if output.rows]
    few = sorted(outputs, key=lambda o: hashlib.blake2b(f"{seed}/{o.path}".encode(), digest_size=8).digest())[:SHARDS]
    return [Shard(run, output, seed) for output in sorted(few, key=lambda o: o.path)], len(outputs)


def shard_named(run: Path, name: str, seed: int) -> Shard | None:
    """The shard of documents with that name (`00003`), None where collect wrote none such."""
    for output in read_shards(run, "collect", "documents"):
        if Path(output.path).stem == name:
            return Shard(run, output, seed)
    return None
