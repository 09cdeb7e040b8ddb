"""All of a withdrawal or none: new files are written whole beside the run, an intent is put down, then all is moved.

    .withdraw/new/…          new versions of files, under the paths that they have in the run
    .withdraw/journal.json   what is to be done; from the moment it stands the withdrawal holds

Killed before the journal stands, the run is as it was; killed after, the next command that opens the run does what is
left of it before anything else. Every step can be done twice.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus.shards import private_folder, sync, write_json
from corpus.staging import Staging
from corpus.tombstones import FOLDER as TOMBSTONES
from hanjo.lock import locked

if TYPE_CHECKING:
    from dedup.index import Index

FOLDER = ".withdraw"
_JOURNAL, _NEW = "journal.json", "new"
_LAST = ("manifest.json",)
_LOG = logging.getLogger(__name__)


def begin(run: Path) -> Staging:
    """An empty staging area, its files for the owner alone; the run's lock is held by the caller."""
    folder = run / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    private_folder(folder)
    return Staging(run, private_folder(folder / _NEW))


def abandon(run: Path) -> None:
    """Throw away what was staged and not committed."""
    shutil.rmtree(run / FOLDER, ignore_errors=True)


def commit(staging: Staging, indexes: Sequence[Path], ids: Sequence[str]) -> None:
    """Put everything in place.

    Args:
        indexes: incremental indexes of deduplication that the documents are to leave too.

    Raises:
        LockedError, UsageError, StaleError: an index cannot be changed; nothing was done then.
    """
    with ExitStack() as stack:
        _writing(stack, indexes)
    for path in staging.files:
        sync(staging.folder / path)
    for folder in {folder for path in staging.files for folder in Path(path).parents}:  # newly made ones by their names
        sync(staging.folder / folder)
    journal = {
        "files": sorted(staging.files, key=lambda path: (path in _LAST, path)),
        "overwrites": [asdict(one) for one in staging.overwrites],
        "going": staging.going,
        "indexes": [_below(staging.run, path) for path in indexes],
        "ids": sorted(ids),
    }
    write_json(staging.run / FOLDER / _JOURNAL, journal)
    recover(staging.run)


def recover(run: Path) -> bool:
    """Finish a withdrawal that was cut off; whether there was one. The run's lock is held by the caller."""
    folder = run / FOLDER
    if not folder.exists():
        return False
    path = folder / _JOURNAL
    if not path.exists():
        abandon(run)
        return False
    _carry_out(run, folder / _NEW, json.loads(path.read_text(encoding="utf-8")))
    path.unlink()
    sync(folder)
    abandon(run)
    return True


def settle(*given: Path) -> None:
    """Have withdrawals that were cut off finished before runs are read.

    Args:
        given: folders of runs; files and other folders are left alone.

    Raises:
        LockedError: another process works on a run.
    """
    for run in (path.resolve() for path in given):
        if (run / FOLDER / _JOURNAL).exists():
            with locked(run):
                recover(run)


def _carry_out(run: Path, new: Path, journal: dict[str, Any]) -> None:
    with ExitStack() as stack:
        indexes = _writing(stack, list(_still_there([run / folder for folder in journal["indexes"]])))
        for one in journal["overwrites"]:
            _overwrite(run / one["path"], one["dtype"], one["value"], one["spans"])
        for path in journal["going"]:
            _remove(run / path)
        for path in journal["files"]:
            if (new / path).exists():  # else it was moved before a kill
                _folder_of(run, path)
                (new / path).replace(run / path)
        for folder in sorted({run, *((run / path).parent for path in (*journal["files"], *journal["going"]))}):
            if folder.exists():
                sync(folder)
        _leave(indexes, journal["ids"])


def _still_there(indexes: Sequence[Path]) -> Iterator[Path]:
    """Indexes as the journal names them; one that is gone since then must not hold up the run for good."""
    for folder in indexes:
        if folder.exists():
            yield folder
        else:
            told = "the index %s is gone since: once it is back, give the same `hanjo withdraw` again with --index"
            _LOG.warning(told, folder)


def leave(folders: Sequence[Path], ids: Sequence[str]) -> None:
    """Take documents out of indexes of deduplication; each is changed whole or not at all."""
    with ExitStack() as stack:
        _leave(_writing(stack, folders), ids)


def _below(run: Path, path: Path) -> str:
    """A path as the journal names it: relative where it lies in the run, which may be moved."""
    return path.relative_to(run).as_posix() if path.is_relative_to(run) else str(path.resolve())


def _folder_of(run: Path, path: str) -> None:
    folder = (run / path).parent
    if path.startswith(f"{TOMBSTONES}/"):
        private_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _overwrite(path: Path, dtype: str, value: int, spans: Sequence[Sequence[int]]) -> None:
    kind = np.dtype(dtype)
    block = np.full(1 << 16, value, kind).tobytes()
    with path.open("r+b") as handle:
        for first, last in spans:
            handle.seek(first * kind.itemsize)
            left = (last - first) * kind.itemsize
            while left > 0:
                left -= handle.write(block[: min(left, len(block))])
        handle.flush()
        os.fsync(handle.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _writing(stack: ExitStack, folders: Sequence[Path]) -> list[Index]:
    """The indexes, opened for writing until the stack ends."""
    if not folders:
        return []
    from dedup.index import writing

    return [stack.enter_context(writing(folder)) for folder in folders]


def _leave(indexes: Sequence[Index], ids: Sequence[str]) -> None:
    if not indexes:
        return
    from dedup.index_sources import ids_of

    for index in indexes:
        index.remove(ids_of(ids))
