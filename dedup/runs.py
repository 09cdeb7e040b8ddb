"""Sorted runs: how the phases of the stage hand tables to one another without any job holding all of them.

A map job writes, for its shard, columns sorted by a key whose values are spread evenly over 64 bits (hashes). The
exchange job for partition p of P then takes the p-th stretch of the key space out of every shard's run: two binary
searches in a memory-mapped file. Runs are Arrow files under `.scratch/dedup/`, removed once the stage is done.

A document's number is its row counted through all shards in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import StaleError
from corpus.shards import JobContext, Output, atomic_path

Array = npt.NDArray[Any]
Columns = dict[str, Array]
FOLDER = Path(".scratch") / "dedup"
SORTED = 1 << 16  # documents whose band keys `sign` sorts at once
_DOCUMENTS_A_PARTITION, _MOST_PARTITIONS = 250_000, 512


@dataclass(frozen=True, slots=True)
class Layout:
    """The shards in order: names, rows, and the fingerprints that their sidecars must name."""

    names: tuple[str, ...]
    rows: tuple[int, ...]
    fingerprints: tuple[str, ...]

    @property
    def bases(self) -> npt.NDArray[np.int64]:
        """int64[shards + 1]: number of each shard's first document, and of all documents."""
        return np.concatenate(([0], np.cumsum(self.rows, dtype=np.int64))).astype(np.int64)

    def span(self, shard: int) -> tuple[int, int]:
        """First number of a shard and of the next one."""
        bases = self.bases
        return int(bases[shard]), int(bases[shard + 1])

    def shard_of(self, numbers: Array) -> npt.NDArray[np.int64]:
        """Index of the shard that holds each document number."""
        return np.searchsorted(self.bases, numbers, side="right").astype(np.int64) - 1

    @property
    def partitions(self) -> int:
        """Partitions of an exchange: few enough that a run is not cut to crumbs. The result does not depend on it."""
        return partitions_of(sum(self.rows))


def partitions_of(documents: int) -> int:
    """Partitions for so many documents."""
    return max(1, min(_MOST_PARTITIONS, -(-documents // _DOCUMENTS_A_PARTITION)))


def run_path(run: Path, kind: str, name: str | int) -> Path:
    """Where the run of a kind (`bands`, `pairs`, …) for a shard's name or a partition lies."""
    return run / FOLDER / kind / f"{name if isinstance(name, str) else f'{name:05d}'}.arrow"


def write_run(context: JobContext, kind: str, name: str | int, columns: Mapping[str, Array | pa.Array]) -> Output:
    """Write columns of equal length, without nulls, as one uncompressed Arrow batch."""
    return write_batches(context, kind, name, [columns])


def write_batches(
    context: JobContext, kind: str, name: str | int, pieces: Iterable[Mapping[str, Array | pa.Array]]
) -> Output:
    """Write a run in several Arrow batches, each made when the one before is on disk; at least one, each sorted by
    itself. `exchange` and `turns` read such runs, and `read_batches`."""
    path, rows = run_path(context.run, kind, name), 0
    with atomic_path(path) as temporary, ExitStack() as stack:
        writer = None
        for columns in pieces:
            batch = pa.record_batch({key: pa.array(column) for key, column in columns.items()})
            writer = writer or stack.enter_context(pa.ipc.new_file(str(temporary), batch.schema))
            writer.write_batch(batch)
            rows += batch.num_rows
    relative = path.relative_to(context.run).as_posix()
    return Output(relative, rows, path.stat().st_size, context.fingerprint)


@contextmanager
def written_values(context: JobContext, kind: str, name: str | int) -> Iterator[Callable[[Array], object]]:
    """Write a table of numbers as nothing but its values; what the block is given appends an array. `values_output`
    tells of it afterwards, `read_values` reads it."""
    with atomic_path(run_path(context.run, kind, name)) as temporary, temporary.open("wb") as file:
        yield lambda values: file.write(np.ascontiguousarray(values).data)


def values_output(context: JobContext, kind: str, name: str | int, rows: int) -> Output:
    """What `written_values` left, of so many rows."""
    path = run_path(context.run, kind, name)
    return Output(path.relative_to(context.run).as_posix(), rows, path.stat().st_size, context.fingerprint)


def read_values(run: Path, kind: str, name: str | int, value: npt.DTypeLike, first: int, last: int) -> Array:
    """Values [first, last) of such a column, over a map of that part of the file alone: once it is dropped, so is what
    was read into memory.

    Raises:
        StaleError: the file is not there, or shorter.
    """
    if last <= first:
        return np.zeros(0, value)
    path, kind_of = run_path(run, kind, name), np.dtype(value)
    try:
        return np.asarray(np.memmap(path, kind_of, "r", kind_of.itemsize * first, (last - first,)))
    except (OSError, ValueError) as error:
        raise StaleError(
            f"not a readable scratch file ({error})", where=str(path), fix="run the stage again"
        ) from error


def read_batch(run: Path, kind: str, name: str | int) -> pa.RecordBatch:
    """A run of one batch as memory-mapped Arrow columns.

    Raises:
        StaleError: the run is not there.
    """
    return _all_batches(run, kind, name)[0]


def _all_batches(run: Path, kind: str, name: str | int) -> list[pa.RecordBatch]:
    path = run_path(run, kind, name)
    try:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        return [file.get_batch(i) for i in range(file.num_record_batches)]
    except (OSError, pa.ArrowInvalid) as error:
        raise StaleError(
            f"not a readable scratch file ({error})", where=str(path), fix="run the stage again"
        ) from error


def read_batches(run: Path, kind: str, name: str | int) -> list[Columns]:
    """The batches of a run, numeric columns as arrays over the memory-mapped file."""
    return [_arrays(batch) for batch in _all_batches(run, kind, name)]


def read_run(run: Path, kind: str, name: str | int) -> Columns:
    """A run's numeric columns as arrays over the memory-mapped file."""
    return _arrays(read_batch(run, kind, name))


def _arrays(batch: pa.RecordBatch) -> Columns:
    return {field.name: batch.column(i).to_numpy() for i, field in enumerate(batch.schema)}


def stretch(keys: Array, part: int, parts: int) -> slice:
    """Rows of a column of sorted uint64 whose keys fall into partition `part` of `parts`."""
    edges = [np.uint64(-(-(p << 64) // parts)) for p in (part, part + 1) if p < parts]
    places = np.searchsorted(keys, np.array(edges, np.uint64))
    return slice(int(places[0]), int(places[1]) if len(places) > 1 else len(keys))


def between(numbers: Array, first: int, last: int) -> slice:
    """Rows of a sorted column of document numbers within [first, last)."""
    low, high = np.searchsorted(numbers, np.array([first, last], numbers.dtype))
    return slice(int(low), int(high))


def exchange(run: Path, kind: str, layout: Layout, key: str, part: int, parts: int) -> Columns:
    """Partition `part` of all shards' runs of a kind, concatenated; `row` becomes `number`."""
    pieces: list[Columns] = []
    for name, base in zip(layout.names, layout.bases, strict=False):
        for columns in read_batches(run, kind, name):
            rows = stretch(columns[key], part, parts)
            piece = {column: values[rows] for column, values in columns.items() if column != "row"}
            piece["number"] = columns["row"][rows].astype(np.int64) + base
            pieces.append(piece)
    return concatenate(pieces)


def turns(
    context: JobContext, kinds: Sequence[str], layout: Layout, part: int, bytes_a_row: int
) -> list[tuple[int, int]]:
    """Finer partitions that together are partition `part`, so that one at a time fits the memory: (part, of how many).

    Args:
        kinds: runs by shard, sorted by `key`.
        bytes_a_row: what the job takes for a row of theirs.
    """
    rows = 0
    for kind in kinds:
        for name in layout.names:
            for columns in read_batches(context.run, kind, name):
                here = stretch(columns["key"], part, layout.partitions)
                rows += here.stop - here.start
    count = 1 + rows * bytes_a_row // max(1, context.memory)
    return [(part * count + turn, layout.partitions * count) for turn in range(count)]


def concatenate(pieces: Sequence[Columns]) -> Columns:
    """Columns of several pieces one after another; at least one piece."""
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def distinct(values: Array) -> Array:
    """The different values of a column of numbers, ascending: sorting is several times faster than `np.unique`."""
    values = np.sort(values)
    new = np.ones(len(values), bool)
    new[1:] = values[1:] != values[:-1]
    return values[new]


def of_shard(run: Path, kind: str, parts: int, column: str, first: int, last: int) -> Columns:
    """Rows whose number lies in [first, last) out of every partition's run (each sorted by `column`)."""
    pieces = []
    for part in range(parts):
        columns = read_run(run, kind, part)
        rows = between(columns[column], first, last)
        pieces.append({name: values[rows] for name, values in columns.items()})
    return concatenate(pieces)


def by_shard(layout: Layout, numbers: Array) -> Iterator[tuple[int, Array, Array]]:
    """For each shard that holds some of the numbers: its index, places in `numbers`, rows within the shard."""
    shards = layout.shard_of(numbers)
    order = np.argsort(shards, kind="stable")
    found, starts = np.unique(shards[order], return_index=True)
    for shard, places in zip(found, np.split(order, starts[1:]), strict=bool(len(found))):
        yield int(shard), places, numbers[places] - layout.bases[shard]
