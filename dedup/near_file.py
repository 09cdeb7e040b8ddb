"""`hanjo dedup near`: one file of documents in, a line for each out: its cluster, whether it stays, and who vouches.

JSON Lines (also .gz and .zst) or Parquet. A record that cannot be read is an error with file and line: a verdict on
part of a file would pass for one on the whole. The output appears under its name only when it is whole.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.documents import Rejected
from corpus.errors import SchemaError, SourceError, StaleError, UsageError
from corpus.shards import atomic_path
from corpus.streams import read_lines
from dedup.near import Duplicates
from dedup.settings import DedupSettings
from dedup.streaming import near_of_batches

ENDINGS = tuple(f"{kind}{packed}" for kind in (".jsonl", ".ndjson") for packed in ("", ".gz", ".zst"))
_BATCH_BYTES, _BATCH_ROWS = 16 << 20, 20_000
_LONGEST = 2 << 30  # bytes of a line
_STRINGS = (pa.string(), pa.large_string(), pa.string_view())
_DECODER = json.JSONDecoder(strict=False)  # a raw tab within a string is a common slip
_MEND = "mend or remove the line; nothing was written"


@dataclass(frozen=True, slots=True)
class Records:
    """A file's records: `text` and `id` name the fields (or columns) that hold them."""

    path: Path
    text: str = "text"
    id: str = "id"

    def batches(self, ids: list[pa.Array] | None = None) -> Iterator[pa.LargeStringArray]:
        """The texts in batches; `ids` gets, for each batch, the ids as JSON (the record's number where it has none).

        Raises:
            SourceError: a record cannot be read; with file and line or row.
            SchemaError: a Parquet file without such a column of text.
        """
        kind = self.path.name.lower()
        if kind.endswith(ENDINGS):
            for texts, names, _ in self.of_lines():
                if ids is not None:
                    ids.append(pa.array([_as_json(name) for name in names], pa.large_string()))
                yield texts
        elif kind.endswith(".parquet"):
            yield from self._of_parquet(ids)
        else:
            known = ", ".join((*ENDINGS, ".parquet"))
            raise UsageError(
                "not a kind of file that is read", where=str(self.path), fix=f"its name must end in {known}"
            )

    def of_lines(
        self, fields: Sequence[str] = ()
    ) -> Iterator[tuple[pa.LargeStringArray, list[str | int], dict[str, list[str | None]]]]:
        """JSON Lines in batches: the texts, the ids as they are, and what stands under `fields`, None for no string.

        Raises:
            SourceError: a record cannot be read; with file and line.
        """
        texts: list[str] = []
        names: list[str | int] = []
        others: dict[str, list[str | None]] = {field: [] for field in fields}
        size = last = 0
        for line in read_lines(self.path, 0, None, 1, _LONGEST):
            if isinstance(line, Rejected):
                raise SourceError(line.detail, where=str(self.path), fix="nothing was written")
            if line.data is None:
                raise SourceError(f"a line of {line.length} bytes", where=self._line(line.number), fix=_MEND)
            text, name, row = self._record(line.data, line.number)
            texts.append(text)
            names.append(name)
            for field, values in others.items():
                value = row.get(field)
                values.append(value if isinstance(value, str) else None)
            size, last = size + line.length, line.number
            if size >= _BATCH_BYTES or len(texts) >= _BATCH_ROWS:
                yield self._batch(texts, last), names, others
                texts, names, others, size = [], [], {field: [] for field in fields}, 0
        if texts:
            yield self._batch(texts, last), names, others

    def _line(self, number: int) -> str:
        return f"{self.path}, line {number}"

    def _record(self, data: bytes, number: int) -> tuple[str, str | int, dict[str, Any]]:
        where = self._line(number)
        if not data.strip():
            raise SourceError("a blank line", where=where, fix=_MEND)
        try:
            row = _DECODER.decode(data.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            told = f"byte {error.start} of the line is no UTF-8"
            raise SourceError(told, where=where, fix="convert the file to UTF-8; nothing was written") from None
        except json.JSONDecodeError as error:
            raise SourceError(f"not JSON: {error.msg}, column {error.pos + 1}", where=where, fix=_MEND) from None
        except (ValueError, RecursionError):
            told = "not JSON that can be read: a number too long, or brackets too deep"
            raise SourceError(told, where=where, fix=_MEND) from None
        text = row.get(self.text) if isinstance(row, dict) else None
        if not isinstance(text, str):
            told = f"no string under {self.text!r}"
            raise SourceError(told, where=where, fix="name the field of the text with --text; nothing was written")
        name = row.get(self.id)
        if name is None:
            name = str(number)
        elif isinstance(name, bool) or not isinstance(name, str | int):
            told = f"{self.id!r} is neither a string nor a whole number"
            raise SourceError(told, where=where, fix="name the field of the id with --id; nothing was written")
        return text, name, row

    def _batch(self, texts: list[str], last: int) -> pa.LargeStringArray:
        try:
            return pa.array(texts, pa.large_string())
        except UnicodeEncodeError:
            at = next(i for i, text in enumerate(texts) if not _encodable(text))
            told = "half a surrogate pair stands in the text, which is no character"
            raise SourceError(told, where=self._line(last - len(texts) + 1 + at), fix=_MEND) from None

    def _of_parquet(self, ids: list[pa.Array] | None) -> Iterator[pa.LargeStringArray]:
        row = 0
        try:
            with pq.ParquetFile(self.path, memory_map=True) as file:
                columns = self._columns(file.schema_arrow)
                for batch in file.iter_batches(_BATCH_ROWS // 10, columns=columns):
                    texts = _plain(batch.column(self.text)).cast(pa.large_string())
                    texts.validate(full=True)
                    if texts.null_count:
                        at = row + 1 + int(np.argmax(texts.is_null().to_numpy(zero_copy_only=False)))
                        where = f"{self.path}, row {at} (from 1)"
                        raise SourceError(f"{self.text!r} is null", where=where, fix="fill or remove it")
                    if ids is not None:
                        given = batch.column(self.id).to_pylist() if self.id in columns else [None] * len(texts)
                        names = [_as_json(str(row + i) if one is None else one) for i, one in enumerate(given, 1)]
                        ids.append(pa.array(names, pa.large_string()))
                    row += len(texts)
                    yield texts
        except pa.ArrowException as error:
            told = f"not readable as Parquet with UTF-8 text, from row {row + 1} (from 1) on"
            raise SourceError(told, where=str(self.path), fix="write or copy the file again") from error

    def _columns(self, schema: pa.Schema) -> list[str]:
        kinds = {field.name: _value_type(field.type) for field in schema}
        if kinds.get(self.text) not in _STRINGS:
            told = f"no column {self.text!r} of strings"
            raise SchemaError(told, where=str(self.path), fix="name the column of the text with --text")
        if self.id not in kinds:
            return [self.text]
        if kinds[self.id] not in _STRINGS and not pa.types.is_integer(kinds[self.id]):
            told = f"column {self.id!r} holds neither strings nor whole numbers"
            raise SchemaError(told, where=str(self.path), fix="name the column of the id with --id")
        return [self.text, self.id]


def _as_json(name: str | int) -> str:
    return json.dumps(name, ensure_ascii=isinstance(name, str) and not _encodable(name))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column


def near_file(records: Records, out: Path, settings: DedupSettings) -> dict[str, Any]:
    """Write a line for each record to `out`, in the file's order, and say how many there were of each kind.

    Raises:
        UsageError: `out` is the input, or a compressed or columnar file by its name.
        StaleError: the file changed meanwhile.
    """
    if not records.path.is_file():
        raise SourceError("no such file", where=str(records.path), fix="check the path")
    if out.exists() and out.samefile(records.path):
        raise UsageError("the output would take the input's place", where=str(out), fix="choose another name")
    if out.name.lower().endswith((".gz", ".zst", ".parquet")):
        raise UsageError("the output is plain JSON Lines", where=str(out), fix="choose a name that ends in .jsonl")
    before = records.path.stat()
    with atomic_path(out) as temporary:
        ids: list[pa.Array] = []
        readings = iter((ids, None))
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            found = near_of_batches(lambda: records.batches(next(readings)), settings, Path(folder))
        after = records.path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise StaleError("the file changed while it was read", where=str(records.path), fix="run it again")
        _write(temporary, pa.chunked_array(ids, pa.large_string()).combine_chunks(), found)
    copies = (found.witness >= 0) & (found.similarity == 1.0)
    return {
        "documents": len(found.keep),
        "kept": int(found.keep.sum()),
        "removed": int((~found.keep).sum()),
        "removed_at_similarity_1": int(copies.sum()),
        "clusters": len(np.unique(found.cluster)),
        "compared": found.compared,
        "similarity": settings.similarity,
    }


def _write(path: Path, ids: pa.Array | pa.ChunkedArray, found: Duplicates) -> None:
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, len(found.keep), _BATCH_ROWS):
            rows = slice(start, start + _BATCH_ROWS)
            kept = found.keep[rows]
            witness = ids.take(pa.array(found.witness[rows], mask=kept)).to_pylist()
            own, cluster = ids[rows].to_pylist(), ids.take(pa.array(found.cluster[rows])).to_pylist()
            lines = zip(own, cluster, kept.tolist(), witness, found.similarity[rows].tolist(), strict=True)
            file.writelines(
                f'{{"id": {one}, "cluster": {label}, "keep": {"true" if keep else "false"}, '
                f'"witness": {"null" if keep else other}, "similarity": {"null" if keep else value}}}\n'
                for one, label, keep, other, value in lines
            )
