"""What a withdrawal will do to a run, written whole beside it before any file of the run is touched.

Packages that `forget` write new versions of files here, under the paths that they have in the run, and note what is
to be overwritten or to go and how the counts change; `hanjo/journal.py` puts all of it in place, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import text_hash
from corpus.shards import Counts, Output, add, private_folder, repeating, shard_paths

Longs = npt.NDArray[np.int64]
WITHDRAWN = "withdrawn"
"""The rule in verdicts/ and the reason in counts."""
BLANK: dict[str, Any] = {
    "text": "",
    "path": "",
    "offset": 0,
    "length": 0,
    "url": None,
    "created": None,
    "text_hash": text_hash(b""),
    "meta": "{}",
}
"""What stands in the row of a withdrawn document, in documents/ and unique/. The path tells it: no other is empty."""
APPENDED = "appended-"
"""How the names of shards begin that a withdrawal appended; the others are called by a number."""


@dataclass(frozen=True, slots=True)
class Overwrite:
    """Spans of a file of numbers that get one value: path in the run, numpy type, value, [first, last) in numbers."""

    path: str
    dtype: str
    value: int
    spans: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Staging:
    """New versions of a run's files.

    Attributes:
        run: the folder, untouched.
        folder: a tree like the run's, of new versions only.
        files: path in the run → rows, of each new version.
        going: files and folders of the run that go.
        counts: path of a shard → what the counts of the job that wrote it change by.
        beside: path of a shard → appended shards that its job is to be known for.
        appended: appended shards, in the order they were made.
    """

    run: Path
    folder: Path
    files: dict[str, int] = field(default_factory=dict)
    overwrites: list[Overwrite] = field(default_factory=list)
    going: list[str] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    beside: dict[str, list[Output]] = field(default_factory=dict)
    appended: list[Output] = field(default_factory=list)

    def current(self, path: str) -> Path:
        """A file of the run as it will be: its new version where there is one."""
        return (self.folder if path in self.files else self.run) / path

    def target(self, path: str) -> Path:
        """Where a new version is to be written; its folder is made."""
        target = self.folder / path
        private_folder(target.parent)
        return target

    def put(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """A new version of a small file."""
        target = self.target(path)
        target.write_bytes(data)
        target.chmod(mode)
        self.files.setdefault(path, 0)

    def append(self, output: Output) -> None:
        """Note an appended shard that was written under its name in `folder`."""
        self.files[output.path] = output.rows
        self.appended.append(output)

    def count(self, path: str, reason: str, **amounts: int) -> None:
        """Change the counts of the job that wrote a shard."""
        add(self.counts.setdefault(path, {}), reason, **amounts)

    def replace(self, path: str, rows: Longs, table: pa.Table) -> None:
        """A new version of a shard, some of its rows replaced.

        Args:
            rows: row numbers, ascending.
            table: their new rows, some or all of the columns.
        """

        def changed(part: pa.Table, first: int) -> pa.Table:
            low, high = np.searchsorted(rows, (first, first + part.num_rows))
            if low == high:
                return part
            order = np.arange(part.num_rows)
            order[rows[low:high] - first] = part.num_rows + np.arange(high - low)
            new = table.slice(int(low), int(high - low))
            for name in new.column_names:
                at = part.schema.get_field_index(name)
                kind = part.schema.field(at)
                both = pa.chunked_array([*part[name].chunks, *new[name].cast(kind.type).chunks], kind.type)
                part = part.set_column(at, kind, both.take(pa.array(order)))
            return part

        self._rewrite(path, changed)

    def drop(self, path: str, gone: Callable[[pa.Table], npt.NDArray[np.bool_]]) -> int:
        """A new version of a table without the rows that `gone` (bool[rows], of a row group) says; how many went."""
        before = pq.read_metadata(self.current(path)).num_rows

        def left(part: pa.Table, _: int) -> pa.Table:
            return part.filter(pa.array(~gone(part)))

        self._rewrite(path, left)
        return before - self.files[path]

    def _rewrite(self, path: str, change: Callable[[pa.Table, int], pa.Table]) -> None:
        """Row group by row group; footer, compression and permissions stay."""
        source, target = self.current(path), self.target(path)
        temporary = target.with_name(f".{target.name}.tmp")
        first = rows = 0
        with pq.ParquetFile(source) as file:
            schema = file.schema_arrow
            with pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=repeating(schema)) as writer:
                for group in range(file.num_row_groups):
                    part = file.read_row_group(group)
                    new = change(part, first)
                    first, rows = first + part.num_rows, rows + new.num_rows
                    if new.num_rows:
                        writer.write_table(new)
        temporary.chmod(source.stat().st_mode & 0o777)
        temporary.replace(target)
        self.files[path] = rows


def read_rows(path: Path, rows: Longs | Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
    """Some rows of a shard (ascending row numbers); only row groups that hold one are read."""
    wanted = np.asarray(rows, np.int64)
    with pq.ParquetFile(path, memory_map=True) as file:
        names = list(columns) if columns is not None else None
        parts = [file.schema_arrow.empty_table() if names is None else file.schema_arrow.empty_table().select(names)]
        first = 0
        for group in range(file.num_row_groups):
            count = file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(wanted, (first, first + count))
            if low < high:
                part = file.read_row_group(group, columns=names)
                part = part if names is None else part.select(names)
                parts.append(part.take(pa.array(wanted[low:high] - first)))
            first += count
    return pa.concat_tables(parts).combine_chunks()


def withdrawn_rows(paths: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Which rows of documents/ or unique/ a withdrawal left behind, by their column `path`: bool[rows]."""
    left = pc.fill_null(pc.equal(paths, BLANK["path"]), False)
    return np.asarray(left.to_numpy(zero_copy_only=False) if isinstance(left, pa.Array) else left.to_numpy())


def is_appended(path: str) -> bool:
    """Whether a withdrawal appended this shard."""
    return path.rpartition("/")[2].startswith(APPENDED)


def withdrawal_of(path: str) -> int:
    """The number, from 0, of the withdrawal that appended a shard."""
    return int(path.rpartition("/")[2].removeprefix(APPENDED).partition(".")[0])


def appended_paths(folder: Path) -> list[Path]:
    """The Parquet tables of a folder that withdrawals appended, by name."""
    return [path for path in shard_paths(folder) if is_appended(path.name)]
