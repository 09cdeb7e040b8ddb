"""Documents of plain files for `hanjo tokenizer encode` and `train`: batches of text, with what the file knows of each.

JSON Lines (also .gz and .zst), a Parquet file, a folder of Parquet files. A record that cannot be read is an error with
its file and line: tokens of a part would pass for those of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import SchemaError, SourceError, UsageError
from corpus.shards import shard_paths
from dedup.near_file import ENDINGS, Records

COPIED = ("id", "source", "contributor", "rights_id", "lang", "domain")
_ROWS = 4096
_STRINGS = (pa.string(), pa.large_string(), pa.string_view())


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents in their order.

    Attributes:
        texts: large_string, without nulls.
        columns: those of COPIED that the file has, `id` always; strings.
        file: they come from, by its name.
    """

    texts: pa.Array
    columns: dict[str, pa.Array]
    file: str


@dataclass(frozen=True, slots=True)
class Files:
    """A file or a folder of documents; `text` and `id` name the fields (or columns) that hold them."""

    path: Path
    text: str = "text"
    id: str = "id"

    def paths(self) -> list[Path]:
        """The files, by name.

        Raises:
            UsageError: nothing is there, a run, a folder without Parquet, or a kind of file that is not read.
        """
        if self.path.is_dir():
            if (self.path / "recipe.yaml").exists():
                fix = f"give {self.path / 'unique' / 'train'} for its text"
                raise UsageError("a run: its tokens are in tokens/", where=str(self.path), fix=fix)
            found = shard_paths(self.path)
            if not found:
                lines = lines_in(self.path)
                fix = f"name its JSON Lines one by one: {lines[0]} …" if lines else "give a folder of Parquet"
                raise UsageError("no .parquet in this folder", where=str(self.path), fix=fix)
            return found
        if not self.path.is_file():
            raise UsageError("no such file or folder", where=str(self.path), fix="check the path")
        if not self.path.name.lower().endswith((*ENDINGS, ".parquet")):
            known = ", ".join((*ENDINGS, ".parquet"))
            raise UsageError(
                "not a kind of file that is read", where=str(self.path), fix=f"its name must end in {known}"
            )
        return [self.path]

    def batches(self) -> Iterator[Batch]:
        """All documents, the same batches each time.

        Raises:
            SourceError: a record cannot be read; with its file and line or row.
            SchemaError: a Parquet file without such a column of text.
        """
        for path in self.paths():
            of_file = self._of_parquet(path) if path.name.lower().endswith(".parquet") else self._of_lines(path)
            for texts, columns in of_file:
                yield Batch(texts, columns, path.name)

    def _of_lines(self, path: Path) -> Iterator[tuple[pa.Array, dict[str, pa.Array]]]:
        for texts, ids, others in Records(path, self.text, self.id).of_lines(COPIED[1:]):
            known = {name: _encodable(values, path, name) for name, values in others.items() if any(values)}
            yield texts, {"id": _encodable([str(name) for name in ids], path, self.id), **known}

    def _of_parquet(self, path: Path) -> Iterator[tuple[pa.Array, dict[str, pa.Array]]]:
        row = 0
        try:
            with pq.ParquetFile(path, memory_map=True) as file:
                names = _columns(file.schema_arrow, path, self.text, self.id)
                for batch in file.iter_batches(_ROWS, columns=list(dict.fromkeys([self.text, *names.values()]))):
                    texts = batch[self.text].cast(pa.large_string())
                    texts.validate(full=True)
                    if texts.null_count:
                        at = row + 1 + int(np.argmax(texts.is_null().to_numpy(zero_copy_only=False)))
                        where = f"{path}, row {at} (from 1)"
                        raise SourceError(f"{self.text!r} is null", where=where, fix="fill or remove it")
                    columns = {name: batch[column].cast(pa.string()) for name, column in names.items()}
                    if "id" not in columns:
                        columns["id"] = pa.array([str(row + i + 1) for i in range(len(texts))], pa.string())
                    row += len(texts)
                    yield texts, columns
        except (pa.ArrowException, OSError) as error:
            told = f"not readable as Parquet with UTF-8 text, from row {row + 1} (from 1) on"
            raise SourceError(told, where=str(path), fix="write or copy the file again") from error


def lines_in(folder: Path) -> list[Path]:
    """The JSON Lines files of a folder, by name, which are read one by one only."""
    return sorted(path for path in folder.iterdir() if path.name.lower().endswith(ENDINGS) and path.is_file())


def _encodable(values: Sequence[str | None], path: Path, field: str) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        told = f"half a surrogate pair stands under {field!r}, which is no character"
        raise SourceError(told, where=str(path), fix="mend it; nothing was written") from None


def _columns(schema: pa.Schema, path: Path, text: str, identity: str) -> dict[str, str]:
    """Which columns a Parquet file has, by the names that the table of documents gives them."""
    kinds = {field.name: field.type for field in schema}
    kinds = {name: kind.value_type if pa.types.is_dictionary(kind) else kind for name, kind in kinds.items()}
    if kinds.get(text) not in _STRINGS:
        told = f"no column {text!r} of strings"
        raise SchemaError(told, where=str(path), fix="name the column of the text with --text")
    wanted = {name: identity if name == "id" else name for name in COPIED}
    return {
        name: column
        for name, column in wanted.items()
        if kinds.get(column) in _STRINGS or (name == "id" and column in kinds and pa.types.is_integer(kinds[column]))
    }
