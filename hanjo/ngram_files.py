"""What `hanjo dedup ngrams` reads and tells: items and documents from files or a run, in batches; ids, never text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.documents import Rejected
from corpus.errors import UsageError
from corpus.streams import read_lines
from dedup.ngram_search import Found, Match

Batch = tuple[list[str], pa.Array]
_BATCH = 32 << 20  # bytes of text
_MAX_RECORD = 64 << 20  # as collect.max_record by default
_SHOWN = 3  # documents named on a line
_SPLITS = ("train", "valid", "test")


def read_items(path: Path, field: str) -> tuple[list[str], list[str]]:
    """Ids and texts of all items of a file; the id is the field `id`, else FILE:NUMBER, counted from 1.

    Raises:
        UsageError: see `read_documents`; two items have one id, or there are none.
    """
    ids: list[str] = []
    texts: list[str] = []
    for names, batch in _documents(path, field):
        ids += names
        texts += batch.to_pylist()
    if not ids:
        raise UsageError("holds no items", where=str(path), fix="give a file with a text a line")
    if len(set(ids)) < len(ids):
        twice = next(name for name, times in Counter(ids).items() if times > 1)
        raise UsageError(f"two items have the id {twice!r}", where=str(path), fix="give each its own, or none an `id`")
    return ids, texts


def read_documents(paths: Sequence[Path], field: str) -> Iterator[Batch]:
    """Ids and texts of the documents of files and runs.

    Raises:
        UsageError: no such file or run, a record that is no JSON object, a field that is missing or no text.
    """
    for path in paths:
        for one in sorted(_shards(path)) if path.is_dir() else [path]:
            yield from _documents(one, field if one == path else "text")


def _shards(run: Path) -> list[Path]:
    found = [shard for split in _SPLITS for shard in (run / "unique" / split).glob("*.parquet")]
    if not found:
        raise UsageError("no run whose dedup has finished", where=str(run), fix="give a run's folder, or files")
    return found


def _documents(path: Path, field: str) -> Iterator[Batch]:
    if not path.is_file():
        raise UsageError("no such file", where=str(path), fix="give a JSON Lines or Parquet file, or a run's folder")
    rows = _of_parquet(path, field) if path.suffix.lower() == ".parquet" else _of_lines(path, field)
    ids: list[str] = []
    texts: list[str] = []
    size = 0
    for number, (name, text) in enumerate(rows, 1):
        ids.append(f"{path.name}:{number}" if name is None else str(name))
        texts.append(text)
        size += len(text)
        if 3 * size >= _BATCH:
            yield ids, pa.array(texts, pa.large_string())
            ids, texts, size = [], [], 0
    if ids:
        yield ids, pa.array(texts, pa.large_string())


def _of_lines(path: Path, field: str) -> Iterator[tuple[object, str]]:
    for number, line in enumerate(read_lines(path, 0, None, 1, _MAX_RECORD), 1):
        where = f"{path}, line {number}"
        if isinstance(line, Rejected):
            raise UsageError(
                line.detail, where=where, fix="mend the file: a search that leaves records out proves nothing"
            )
        if line.data is None:
            raise UsageError(f"a line of {line.length:,} bytes", where=where, fix=f"lines hold {_MAX_RECORD:,} at most")
        if not line.data.strip():
            continue
        try:
            record = json.loads(line.data)
        except ValueError as error:
            reason = getattr(error, "msg", "not UTF-8")  # never the line itself
            raise UsageError(f"no JSON ({reason})", where=where, fix="write one JSON object a line") from None
        if not isinstance(record, dict) or not isinstance(record.get(field), str):
            raise UsageError(f"no text under {field!r}", where=where, fix="name the right field with --field")
        yield record.get("id"), record[field]


def _of_parquet(path: Path, field: str) -> Iterator[tuple[object, str]]:
    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        columns = [field, "id"] if "id" in names else [field]
        if field not in names:
            raise UsageError(
                f"no column {field!r}", where=str(path), fix=f"name one of {', '.join(names)} with --field"
            )
        for batch in file.iter_batches(batch_size=4096, columns=columns):
            ids = batch.column("id").to_pylist() if len(columns) > 1 else [None] * batch.num_rows
            for name, text in zip(ids, batch.column(field).to_pylist(), strict=True):
                if not isinstance(text, str):
                    raise UsageError(f"a null or no text under {field!r}", where=str(path), fix="leave such rows out")
                yield name, text
    except pa.ArrowException as error:
        raise UsageError(f"not a readable Parquet file ({error})", where=str(path), fix="write it again") from error


def told(name: str, one: Found, near: bool) -> dict[str, object]:
    """An item and where it was found, as JSON: shares, longest stretches in characters, documents' ids."""

    def plain(matches: list[Match]) -> list[dict[str, object]]:
        return [{"id": match.document, "share": round(match.share, 4), "longest": match.longest} for match in matches]

    row: dict[str, object] = {
        "id": name,
        "share": round(one.share, 4),
        "best_share": round(one.best_share, 4),
        "longest": max((match.longest for match in one.best), default=0),
        "documents": one.documents,
        "best": plain(one.best),
    }
    return row | {"near": one.near, "nearest": plain(one.nearest)} if near else row


def told_short(name: str, one: Found) -> str:
    """The same in one line, with a few of the documents."""
    documents = list(dict.fromkeys(match.document for match in (*one.best[:_SHOWN], *one.nearest[:_SHOWN])))
    nearly = f", nearly {one.nearest[0].share:.0%}" if one.nearest else ""
    more = f" and {one.documents - _SHOWN:,} more" if one.documents > _SHOWN else ""
    return f"{name}  {one.best_share:.0%} in one document, {one.share:.0%} in all{nearly}: {', '.join(documents)}{more}"
