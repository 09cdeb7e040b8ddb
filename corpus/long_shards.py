"""Shards written row group by row group, for jobs whose text may not fit into memory; a full one has a next.

The first shard of a unit is called by its number (00012), the next ones 00012_0001, 00012_0002, … Collect writes so.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.manifest import fingerprint
from corpus.shards import PRIVATE, ROW_GROUP_BYTES, JobContext, Output, atomic_path, footer, repeating

_ROWS = 1 << 16  # a row group's most rows, where texts are short


class LongShards:
    """A context manager; `add` rows, read `outputs` after its end. An error inside leaves no file half-written.

    Args:
        folder: of the run, e.g. `run/documents`.
        name: of the first shard.
        shard_bytes: UTF-8 bytes of text after which the next shard is begun.
        empty: whether a file is written where no row came.
    """

    def __init__(
        self, folder: Path, name: str, schema: pa.Schema, context: JobContext, shard_bytes: int, *, empty: bool = True
    ) -> None:
        self.outputs: list[Output] = []
        self._folder, self._name, self._schema, self._context = folder, name, schema, context
        self._shard_bytes, self._empty = shard_bytes, empty
        self._columns: dict[str, list[Any]] = {column: [] for column in schema.names}
        self._held = self._written = self._rows = 0
        self._open: tuple[ExitStack, pq.ParquetWriter, Path, JobContext] | None = None

    def __enter__(self) -> LongShards:
        if self._empty:
            self._begin()
        return self

    def add(self, row: dict[str, Any], size: int) -> None:
        """Append a row (every column of the schema) whose text has `size` bytes."""
        for name, values in self._columns.items():
            values.append(row[name])
        self._held += size
        if self._held >= ROW_GROUP_BYTES or len(self._columns[self._schema.names[0]]) >= _ROWS:
            self._flush()
            if self._written >= self._shard_bytes:
                self._finish()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            if self._open is not None:
                stack, writer, _, _ = self._open
                writer.close()
                stack.__exit__(kind, error, trace)
            return
        self._flush()
        self._finish()

    def _begin(self) -> None:
        number = len(self.outputs)
        name, context = self._name, self._context
        if number:
            name = f"{name}_{number:04d}"
            context = dataclasses.replace(context, fingerprint=fingerprint(context.fingerprint, number))
        path = self._folder / f"{name}.parquet"
        stack = ExitStack()
        temporary = stack.enter_context(atomic_path(path, PRIVATE))
        writer = pq.ParquetWriter(
            temporary,
            self._schema.with_metadata(footer(context)),
            compression="zstd",
            use_dictionary=repeating(self._schema),
        )
        temporary.chmod(PRIVATE)  # from its first byte on
        self._open = (stack, writer, path, context)

    def _flush(self) -> None:
        rows = len(self._columns[self._schema.names[0]])
        if not rows:
            return
        if self._open is None:
            self._begin()
        if self._open is not None:
            self._open[1].write_table(pa.table(self._columns, schema=self._schema))
        self._columns = {column: [] for column in self._schema.names}
        self._rows, self._written, self._held = self._rows + rows, self._written + self._held, 0

    def _finish(self) -> None:
        if self._open is None:
            return
        stack, writer, path, context = self._open
        writer.close()
        stack.close()
        self._open = None
        relative = path.relative_to(self._context.run).as_posix()
        self.outputs.append(Output(relative, self._rows, path.stat().st_size, context.fingerprint))
        self._rows = self._written = 0
