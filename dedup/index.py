"""The incremental index of what is accepted: documents come and go, clusters and survivors are always as if built anew.

A folder: `manifest.json`, `segments/`, `.lock`. It holds no text: ids, hashes, shingle sets, band keys, verified pairs
and what follows from them (cluster, split, witness), so that nothing else is asked when documents come or go. Each
change is a new segment (`index_update.py`), then a manifest that names it, both written whole: after a kill at any
moment the index is as before or as after. One process writes at a time; readers ask nobody.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import LockedError, StaleError, UsageError
from corpus.manifest import fingerprint, hash_file
from corpus.shards import private_folder, sync, write_json
from dedup.index_merge import merged
from dedup.index_parameters import IndexParameters
from dedup.index_segments import REBUILD, Segment, Written, read_segment, tables, write_segment
from dedup.index_tables import Tables
from dedup.index_update import Change, Documents, Ids, added, removed
from dedup.runs import Columns

FORMAT = 1
MEMORY = 2 << 30
TOTALS = ("documents", "texts", "clusters", "kept", "held")
_MANIFEST, _SEGMENTS, _LOCK = "manifest.json", "segments", ".lock"
_MOST_SEGMENTS, _TIER = 8, 2  # more are merged; those that follow a segment more than `_TIER` times as large
_TRIES = 5  # of a reader whose segments a writer merges away under its hands


@dataclass(frozen=True, slots=True)
class _Manifest:
    """What manifest.json says."""

    parameters: IndexParameters
    probe: str
    segments: tuple[Written, ...] = ()
    next_text: int = 0
    next_segment: int = 1
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOTALS, 0))


class Index:
    """An index opened for reading; `writing` gives one that may change."""

    def __init__(self, folder: Path, manifest: _Manifest, memory: int = MEMORY, *, writable: bool = False) -> None:
        self.folder, self.memory, self._manifest, self._writable = folder, memory, manifest, writable
        self._shapes = tables(manifest.parameters.bands, manifest.parameters.prefer)
        self._open: dict[str, Segment] = {}
        self.tables = self._map()

    @classmethod
    def open(cls, folder: Path, parameters: IndexParameters | None = None, memory: int = MEMORY) -> Index:
        """Open for reading.

        Args:
            parameters: those it must have been made with; None: whatever it was.

        Raises:
            UsageError: there is no index.
            StaleError: it is damaged, of another version, or made with other parameters.
        """
        for _ in range(_TRIES):
            manifest = _read(folder, parameters)
            try:
                return cls(folder, manifest, memory)
            except FileNotFoundError as error:
                missing = error
                if _read(folder, parameters) == manifest:
                    break
        told = "a segment that the manifest names is missing"
        raise StaleError(told, where=str(missing.filename), fix=REBUILD) from missing

    @property
    def parameters(self) -> IndexParameters:
        """What it was made with."""
        return self._manifest.parameters

    @property
    def totals(self) -> dict[str, int]:
        """Documents, distinct texts, clusters, documents that stay, texts held out between two splits."""
        return {name: self._manifest.totals[name] for name in TOTALS}

    @property
    def state(self) -> str:
        """A hash that every change of the index changes; "" while it holds nothing."""
        return _state(self._manifest)

    @property
    def segments(self) -> tuple[Written, ...]:
        """Its files, the oldest first."""
        return self._manifest.segments

    def add(self, documents: Documents) -> Change:
        """Let documents come (a batch that fits in memory); it is on the disk when this returns."""
        change = added(self.tables, documents, self.parameters, self._manifest.next_text, self.memory)
        return self._commit(change)

    def remove(self, ids: Ids) -> Change:
        """Take documents back; `promoted` of the result are those that stay in their place."""
        unique = np.unique(np.stack(ids), axis=1)
        change = removed(self.tables, (unique[0], unique[1]), self.parameters, self._manifest.next_text, self.memory)
        return self._commit(change)

    def compact(self) -> int:
        """Merge all segments into one without what was overridden or removed; the bytes it saved."""
        before = sum(one.bytes for one in self.segments)
        if self.segments:
            self._merge_from(0)
        return before - sum(one.bytes for one in self.segments)

    def check_files(self) -> None:
        """Compare every segment with the hash in the manifest.

        Raises:
            StaleError: one is not what was written.
        """
        for one in self.segments:
            path = self.folder / _SEGMENTS / one.name
            if hash_file(path) != one.hash:
                raise StaleError("its bytes are not those that were written", where=str(path), fix=REBUILD)

    def _map(self) -> Tables:
        named = {one.name: one for one in self.segments}
        self._open = {name: segment for name, segment in self._open.items() if name in named}
        for one in self.segments:
            if one.name not in self._open:
                segment = read_segment(self.folder / _SEGMENTS, one.name, one.bytes, self._shapes)
                self._open[one.name] = segment
        return Tables(self._shapes, [self._open[one.name] for one in self.segments])

    def _commit(self, change: Change) -> Change:
        """Write a change's segment, then the manifest that names it."""
        changed = any(
            len(next(iter(rows.values()))) for name, rows in change.segment.tables.items() if name != "bounds"
        )
        if not changed:
            return change
        written = self._write({name: iter([rows]) for name, rows in change.segment.tables.items()})
        totals = {name: self.totals[name] + change.totals[name] for name in TOTALS}
        self._tell((*self.segments, written), totals, change.next_text)
        if len(self.segments) > _MOST_SEGMENTS:
            sizes = [one.bytes for one in self.segments]
            first = len(sizes) - 2
            while first and sizes[first - 1] < _TIER * sum(sizes[first:]):
                first -= 1
            self._merge_from(first)
        return change

    def _merge_from(self, first: int) -> None:
        """Merge the segments from one on."""
        chosen = [self._open[one.name] for one in self.segments[first:]]
        written = self._write(merged(self._shapes, chosen, whole=first == 0, memory=self.memory))
        self._tell((*self.segments[:first], written), self.totals, self._manifest.next_text)

    def _write(self, pieces: dict[str, Iterator[Columns]]) -> Written:
        if not self._writable:
            raise UsageError("the index is open for reading", where=str(self.folder), fix="open it with `writing`")
        name = f"{self._manifest.next_segment:06d}.seg"
        return write_segment(self.folder / _SEGMENTS, name, self._shapes, pieces)

    def _tell(self, segments: tuple[Written, ...], totals: dict[str, int], next_text: int) -> None:
        manifest = dataclasses.replace(
            self._manifest,
            segments=segments,
            totals=totals,
            next_text=next_text,
            next_segment=self._manifest.next_segment + 1,
        )
        _write_manifest(self.folder, manifest)
        self._manifest = manifest
        self.tables = self._map()
        _sweep(self.folder, manifest)


@contextmanager
def writing(
    folder: Path, parameters: IndexParameters | None = None, memory: int = MEMORY, *, create: bool = False
) -> Iterator[Index]:
    """An index to change, its lock held; what a killed writer left half done is cleared away.

    Args:
        parameters: those it must have been made with; None: whatever it was.
        create: make one (with `parameters`) where there is none.

    Raises:
        LockedError: another process writes to it.
        UsageError: there is none, or the folder holds other things.
        StaleError: it is damaged, of another version, or made with other parameters.
    """
    new = not (folder / _MANIFEST).exists()
    if new and not create:
        raise _no_index(folder)
    if new and folder.exists():
        strange = not folder.is_dir() or {path.name for path in folder.iterdir()} - {_SEGMENTS, _LOCK, _TEMPORARY}
        if strange:
            raise UsageError("no index, and not empty", where=str(folder), fix="name a new folder for the index")
    private_folder(folder)
    private_folder(folder / _SEGMENTS)
    with _locked(folder):
        if new and not (folder / _MANIFEST).exists():
            if parameters is None:
                raise UsageError("a new index needs parameters", where=str(folder), fix="give them")
            _write_manifest(folder, _Manifest(parameters, parameters.probe()))
        manifest = _read(folder, parameters)
        _sweep(folder, manifest)
        try:
            index = Index(folder, manifest, memory, writable=True)
        except FileNotFoundError as error:
            told = "a segment that the manifest names is missing"
            raise StaleError(told, where=str(error.filename), fix=REBUILD) from error
        yield index


_TEMPORARY = f".{_MANIFEST}.tmp"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            told = "another process writes to this index"
            raise LockedError(told, where=str(folder), fix="wait for it, or stop it first") from error
        yield


def _no_index(folder: Path) -> UsageError:
    fix = "name the folder that `hanjo dedup add` made"
    return UsageError("no index here (there is no manifest.json)", where=str(folder), fix=fix)


def _read(folder: Path, parameters: IndexParameters | None) -> _Manifest:
    path = folder / _MANIFEST
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise _no_index(folder) from None
    except ValueError as error:
        raise StaleError(f"not a readable manifest ({error})", where=str(path), fix=REBUILD) from error
    try:
        if "segments" not in values or "probe" not in values:
            raise UsageError("not the manifest of an index", where=str(path), fix="name the folder of an index")
        if values["format"] != FORMAT:
            told = f"an index of format {values['format']}; this version of hanjo reads format {FORMAT}"
            raise StaleError(told, where=str(path), fix=REBUILD)
        check = values.pop("check")
        if check != fingerprint(values):
            raise ValueError("it was changed after it was written")
        manifest = _Manifest(
            IndexParameters.read(values["parameters"]),
            values["probe"],
            tuple(Written(**one) for one in values["segments"]),
            values["next_text"],
            values["next_segment"],
            values["totals"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StaleError(f"not a readable manifest ({error})", where=str(path), fix=REBUILD) from error
    if manifest.probe != manifest.parameters.probe():
        raise StaleError("made by a version of hanjo that hashes otherwise", where=str(folder), fix=REBUILD)
    if parameters is not None:
        manifest.parameters.refuse_other(parameters, str(folder))
    return manifest


def state_of(folder: Path, parameters: IndexParameters) -> str:
    """The state of an index without opening its segments (see `Index.state`); "" where there is none.

    Raises:
        UsageError, StaleError: as `Index.open`.
    """
    return _state(_read(folder, parameters)) if (folder / _MANIFEST).exists() else ""


def _state(manifest: _Manifest) -> str:
    return fingerprint(_values(manifest)) if manifest.segments else ""


def _values(manifest: _Manifest) -> dict[str, Any]:
    return {"format": FORMAT, **json.loads(json.dumps(dataclasses.asdict(manifest)))}


def _write_manifest(folder: Path, manifest: _Manifest) -> None:
    values = _values(manifest)
    write_json(folder / _MANIFEST, {**values, "check": fingerprint(values)})


def _sweep(folder: Path, manifest: _Manifest) -> None:
    """Remove segments that the manifest does not name: merged away, or left by a killed writer."""
    named = {one.name for one in manifest.segments}
    left = [path for path in (folder / _SEGMENTS).iterdir() if path.name not in named]
    for path in left:
        path.unlink()
    if left:
        sync(folder / _SEGMENTS)
