"""Good and bad text of the user's own, for the classifier: files of any known format → texts as measure edits them.

In a plain text file every line is a text; in other formats every record. Texts are normalised, boilerplate is cut and
personal data masked with the defaults of measure, so that the classifier sees what it will be asked about, and learns
nobody's name and number that a rule knows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.edits import apply_edits
from corpus.errors import SourceError
from corpus.manifest import fingerprint, hash_file
from corpus.measure import MeasureSettings, measure_batch
from corpus.normalising import mended
from corpus.sources import ReadOptions, Skipped, reader_for
from corpus.streams import read_lines

_TEXTS, _CHARS = 1024, 4 << 20  # of a batch: whichever is reached first


@dataclass(slots=True)
class Input:
    """One path of labelled text and what reading it came to; all but `path` goes onto the card.

    Attributes:
        hash: BLAKE2b-128 over the files' names below the path and their bytes.
        records: all that were read; of them `unreadable` by cause, `empty` ones, and texts of `bytes` UTF-8 bytes.
    """

    path: Path
    files: list[tuple[str, Path]]
    hash: str
    records: int = 0
    texts: int = 0
    bytes: int = 0
    empty: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """For the card: no path of this machine beyond the last name."""
        names = ("hash", "records", "texts", "bytes", "empty")
        counts = {name: getattr(self, name) for name in names}
        return {"name": self.path.name, "files": len(self.files), **counts, "unreadable": self.unreadable}


def find_input(path: Path) -> Input:
    """A file, or all files below a folder whose format is known, by name; hidden ones and submission.yaml are none.

    Raises:
        SourceError: nothing there that can be read.
    """
    if not path.exists():
        raise SourceError(
            "no such file or folder", where=str(path), fix="name files or folders of good and of bad text"
        )
    found = [path]
    if path.is_dir():
        found = []
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found += [Path(folder) / name for name in names if not name.startswith(".")]
        found = sorted((one for one in found if reader_for(one.name) is not None), key=lambda one: one.as_posix())
    if not found or reader_for(found[0].name) is None:
        raise SourceError("no format that hanjo reads", where=str(path), fix="give .txt (a text a line), .jsonl, …")
    files = [(one.relative_to(path).as_posix() if path.is_dir() else one.name, one) for one in found]
    return Input(path.resolve(), files, fingerprint([(name, hash_file(one)) for name, one in files]))


def texts_of(source: Input, field_name: str = "text") -> Iterator[pa.LargeStringArray]:
    """Batches of the edited texts of an input, which counts what came; empty texts are left out.

    Args:
        field_name: JSON field or Parquet column that holds the text.
    """
    held: list[str] = []
    size = 0
    for record in _records(source, field_name):
        source.records += 1
        if isinstance(record, Rejected | Skipped):
            cause = record.cause if isinstance(record, Rejected) else record.rule
            source.unreadable[cause] = source.unreadable.get(cause, 0) + 1
            continue
        held.append(mended(record.text).text)
        size += len(held[-1])
        if len(held) >= _TEXTS or size >= _CHARS:
            yield _edited(source, held)
            held, size = [], 0
    if held:
        yield _edited(source, held)


def _edited(source: Input, held: Sequence[str]) -> pa.LargeStringArray:
    settings = MeasureSettings()
    texts = pa.array(held, pa.large_string())
    edits, _ = measure_batch(texts, settings.boilerplate_budget, settings.privacy.policies(), {})
    texts = apply_edits(texts, edits)
    texts = texts.filter(pa.array([bool(text.strip()) for text in texts.to_pylist()], pa.bool_()))
    source.empty += len(held) - len(texts)
    source.texts += len(texts)
    source.bytes += sum(len(text.encode()) for text in texts.to_pylist())
    return texts


def _records(source: Input, field_name: str) -> Iterator[Record | Rejected | Skipped]:
    options = ReadOptions(text=field_name)
    for _, file in source.files:
        reader = reader_for(file.name)
        if reader is None:
            continue
        if reader.name == "plain":
            yield from _lines(file, options)
        else:
            yield from reader.load()(file, options, 0, None)


def _lines(file: Path, options: ReadOptions) -> Iterator[Record | Rejected]:
    for line in read_lines(file, 0, None, 1, options.max_record):
        if isinstance(line, Rejected):
            yield line
        elif line.data is None:
            yield Rejected(line.offset, line.length, "record.too_long", f"line {line.number} is too long: divide it")
        elif line.data.strip():
            try:
                yield Record(decode(line.data).text, line.offset, line.length)
            except UndecodableError as error:
                yield Rejected(line.offset, line.length, error.cause, f"line {line.number}: {error.detail}")
