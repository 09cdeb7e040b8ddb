"""A folder that appears under its name only when all its files are whole. For the commands that write tokenizers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corpus.errors import UsageError
from corpus.shards import sync


@contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """A temporary folder beside `final`, renamed to it when the block ends well, removed when it does not.

    Raises:
        UsageError: something with that name is there already.
    """
    if final.is_file() or (final.is_dir() and any(final.iterdir())):
        raise UsageError("there is something already", where=str(final), fix="give a new folder to write")
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{final.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        for path in [*sorted(temporary.iterdir()), temporary]:
            sync(path)
        temporary.replace(final)
        sync(final.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
