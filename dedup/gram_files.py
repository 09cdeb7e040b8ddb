"""N-grams of a whole corpus on disk, to be asked for items later: the other way round from `ngram_index.py`.

A benchmark that comes out tomorrow is looked up without reading the corpus again: the files name the documents that
may hold some of it, and `NgramIndex.scan` over these few says what they do hold.

A folder of Arrow files, one for each shard: hashes of a sparse choice of n-grams (`winnowing.py`), sorted, and the row
that holds each, memory-mapped when asked. A stretch of `reach` visible characters that an item shares with a document
is always found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.errors import StaleError, UsageError
from corpus.shards import atomic_path
from dedup.ngram_index import N, column_of
from dedup.winnowing import winnow

I64 = npt.NDArray[np.int64]
VERSION = 1
REACH = 24
_SUFFIX = ".grams.arrow"


def write_grams(
    folder: Path,
    name: str,
    texts: Sequence[str] | pa.Array | pa.ChunkedArray,
    n: int = N,
    reach: int = REACH,
) -> Path:
    """Write the n-grams of a shard's texts: 12 bytes for each of about `2 / (reach - n + 2)` of their characters.

    Args:
        folder: where the corpus's files lie; made where it is missing.
        name: of the shard, and of its file.
        texts: documents, no nulls; a document's number is its row.
        n: characters of an n-gram, white space left out.
        reach: characters of a shared stretch from which it is always found, at least n.

    Raises:
        UsageError: `reach` is below n.
    """
    if reach < n:
        raise UsageError(f"stretches of {reach} characters hold no n-gram of {n}", fix="give a reach of at least n")
    found = winnow(column_of(texts), n, reach - n + 1)
    order = np.lexsort((found.document, found.hashes))
    hashes, rows = found.hashes[order], found.document[order]
    new = np.ones(len(order), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])
    told = {"version": str(VERSION), "n": str(n), "reach": str(reach)}
    schema = pa.schema([("hash", pa.uint64()), ("row", pa.int32())], metadata=told)
    batch = pa.record_batch([pa.array(hashes[new]), pa.array(rows[new].astype(np.int32))], schema=schema)
    path = folder / f"{name}{_SUFFIX}"
    with atomic_path(path) as temporary, pa.ipc.new_file(str(temporary), schema) as writer:
        writer.write_batch(batch)
    return path


def candidates(folder: Path, items: Sequence[str] | pa.Array | pa.ChunkedArray) -> Iterator[tuple[str, I64, I64]]:
    """Documents that may hold some of the items, shard by shard.

    Args:
        items: texts, no nulls.

    Yields:
        The shard's name; item and row (int64[m] each, distinct pairs, by row, then item) that share an n-gram's hash.

    Raises:
        StaleError: there are no files, or one is broken or was written by another version.
    """
    column = column_of(items)
    paths = sorted(folder.glob(f"*{_SUFFIX}"))
    if not paths:
        raise StaleError("holds no n-grams of a corpus", where=str(folder), fix="write them with write_grams")
    for path in paths:
        hashes, rows, n, reach = _read(path)
        wanted = winnow(column, n, reach - n + 1)
        first, last = (np.searchsorted(hashes, wanted.hashes, side=side) for side in ("left", "right"))
        many = last - first
        item = np.repeat(wanted.document, many)
        place = np.arange(len(item)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(first, many)
        pairs = np.unique(np.stack([rows[place].astype(np.int64), item], axis=1), axis=0)
        yield path.name.removesuffix(_SUFFIX), pairs[:, 1], pairs[:, 0]


def _read(path: Path) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32], int, int]:
    again = "delete it and write the n-grams of this shard again"
    try:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        told, batch = file.schema.metadata or {}, file.get_batch(0)
    except (OSError, pa.ArrowInvalid) as error:
        raise StaleError(f"not a readable file of n-grams ({error})", where=str(path), fix=again) from error
    if told.get(b"version") != str(VERSION).encode():
        version = told.get(b"version", b"unknown").decode()
        raise StaleError(f"n-grams of version {version}, not {VERSION}", where=str(path), fix=again)
    return batch.column(0).to_numpy(), batch.column(1).to_numpy(), int(told[b"n"]), int(told[b"reach"])
