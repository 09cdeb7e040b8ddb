"""What `hanjo corpus check` keeps of the documents that would count, on disk for as long as it runs, never in memory.

Each work unit appends batch by batch: its edited texts, a row of numbers a document, the keys of its MinHash bands.
Duplicates (`check_duplicates.py`) and tokens (`check_tokens.py`) are counted from here. The folder is private and goes
when the check ends; the texts in it are masked already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.edits import text_buffers
from dedup.settings import DedupSettings

LONGEST = 8 << 20  # bytes; near-duplicates are not sought among longer texts, whose shingles would fill the memory
NUMBERS = np.dtype(
    [
        ("hash", np.uint64, 2),  # of the space-free text
        ("start", np.int64),  # of the text in the unit's file
        ("bytes", np.int32),
        ("chars", np.int32),
        ("eojeol", np.int32),
        ("signed", np.int32),  # 1 where it has band keys: long enough for a shingle, and not above LONGEST
        ("piece", np.int32),  # of the unit: which file
        ("offset", np.int64),  # in that file
    ]
)
Array = npt.NDArray[Any]


class Writer:
    """One unit's files; use it in a `with`, `add` batches, and read `batches` for how many documents each held."""

    def __init__(self, folder: Path, unit: int, settings: DedupSettings) -> None:
        self.batches: list[int] = []
        self._paths = [_file(folder, unit, kind) for kind in ("texts", "numbers", "keys")]
        self._settings = settings
        self._files: list[BinaryIO] = []
        self._at = 0

    def __enter__(self) -> Writer:
        self._files = [path.open("wb") for path in self._paths]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def add(self, texts: pa.Array, numbers: Array) -> None:
        """Append documents: large_string[n], and NUMBERS[n] of which hash, start, bytes and signed are filled here."""
        from dedup.minhash import band_keys, sign  # numba is for the workers: the process that waits stays small

        buffer, offsets = text_buffers(texts)
        settings = self._settings
        sizes = np.diff(offsets)
        signed = sign(texts, settings.shingle, settings.bands * settings.rows)
        keys = band_keys(signed.values, settings.bands, settings.rows)
        numbers["hash"], numbers["bytes"] = signed.text, sizes
        numbers["start"] = self._at + offsets[:-1] - offsets[0]
        numbers["signed"] = (signed.shingles > 0) & (sizes <= LONGEST)
        self._files[0].write(buffer[offsets[0] : offsets[-1]].data)
        numbers.tofile(self._files[1])
        np.ascontiguousarray(keys.T).tofile(self._files[2])
        self._at += int(offsets[-1] - offsets[0])
        self.batches.append(len(numbers))


@dataclass(frozen=True, slots=True)
class Store:
    """All units' documents, numbered in their order from 0.

    Attributes:
        units: for each unit the documents of each of its batches.
    """

    folder: Path
    units: tuple[tuple[int, ...], ...]

    @property
    def documents(self) -> int:
        return sum(map(sum, self.units))

    def numbers(self) -> Iterator[tuple[int, Array]]:
        """First document and NUMBERS of every unit."""
        first = 0
        for unit, batches in enumerate(self.units):
            yield first, np.fromfile(_file(self.folder, unit, "numbers"), NUMBERS)
            first += sum(batches)

    def column(self, name: str) -> Array:
        """One column of NUMBERS for all documents."""
        parts = [part[name].copy() for _, part in self.numbers()]
        return np.concatenate(parts) if parts else np.empty(0, NUMBERS[name])

    def keys(self, band: int, bands: int, first: int = 0, last: int | None = None) -> Array:
        """The keys of one band, of the documents [first, last): uint64."""
        last = self.documents if last is None else last
        found = np.empty(last - first, np.uint64)
        at = 0
        for unit, batches in enumerate(self.units):
            if at + sum(batches) <= first or at >= last:
                at += sum(batches)
                continue
            with _file(self.folder, unit, "keys").open("rb") as file:
                start = 0
                for rows in batches:
                    low, high = max(first, at), min(last, at + rows)
                    if low < high:
                        file.seek(8 * (start + band * rows + low - at))
                        found[low - first : high - first] = np.fromfile(file, np.uint64, high - low)
                    start, at = start + bands * rows, at + rows
        return found

    def rows(self, documents: Array) -> list[tuple[int, Array]]:
        """Unit and NUMBERS of some documents.

        Args:
            documents: int64, ascending.
        """
        found = []
        first = 0
        for unit, batches in enumerate(self.units):
            count = sum(batches)
            low, high = np.searchsorted(documents, [first, first + count])
            if high > low:
                table = np.memmap(_file(self.folder, unit, "numbers"), NUMBERS, "r")
                found.append((unit, np.array(table[documents[low:high] - first])))
                del table
            first += count
        return found

    def texts(self, documents: Array) -> pa.LargeStringArray:
        """Edited texts of some documents.

        Args:
            documents: int64, ascending.
        """
        pieces: list[bytes] = []
        for unit, rows in self.rows(documents):
            with _file(self.folder, unit, "texts").open("rb") as file:
                for start, size in zip(rows["start"].tolist(), rows["bytes"].tolist(), strict=True):
                    file.seek(start)
                    pieces.append(file.read(size))
        offsets = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces], dtype=np.int64)))
        return pa.LargeStringArray.from_buffers(
            len(pieces), pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(b"".join(pieces))
        )


def _file(folder: Path, unit: int, kind: str) -> Path:
    return folder / f"{unit:05d}.{kind}"
