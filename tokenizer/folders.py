"""Folders that appear whole or not at all: what `hanjo tokenizer encode` and `train` write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import StorageError, UsageError
from corpus.shards import atomic_path
from tokenizer.vocabulary import FILES, TOKENIZER


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that takes its name when the block ends well, and is removed when it does not.

    Raises:
        UsageError: `out` holds something. StorageError: nothing can be written there.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("something is here already", where=str(out), fix="choose another folder, or empty this one")
    temporary = out.absolute().with_name(f".{out.absolute().name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)  # of a command that was killed
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if out.is_dir():
            out.rmdir()
        temporary.replace(out)
    except OSError as error:
        told = f"cannot write: {error.strerror or error}"
        raise StorageError(told, where=str(out), fix="mend that and run the same command again") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def tokenizer_folder(given: Path) -> Path:
    """The folder of a tokenizer that is given as such or by its `tokenizer.json`."""
    return given.parent if given.name == TOKENIZER and given.is_file() else given


def copy_tokenizer(folder: Path, to: Path, without: str | None = None) -> None:
    """Copy a tokenizer's files, each atomically; all but one where `without` names it."""
    for name in FILES:
        if name != without and (folder / name).is_file():
            with atomic_path(to / name) as temporary:
                temporary.write_bytes((folder / name).read_bytes())
