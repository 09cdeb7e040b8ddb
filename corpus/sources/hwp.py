"""한글 documents, HWP 5 (OLE) and HWPX (zip of XML), by extract-hwp: paragraphs and table cells, a line each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import extract_hwp

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.streams import too_long

ENDINGS = (".hwp", ".hwpx")
SPLIT = "no"

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
_SAVE = "open it in 한글 and save it again as HWPX"


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    size = path.stat().st_size
    if size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    if size > options.max_record:
        yield too_long(0, size, options.max_record, "the file")
        return
    with path.open("rb") as handle:
        start_bytes = handle.read(8)
    with _silent():
        try:
            text = _extract(path, start_bytes)
        except extract_hwp.HwpReadLimitError:
            yield Rejected(0, size, "hwp.too_big", "unpacks to more than extract-hwp allows: split the document")
            return
        except _ProtectedError:
            yield Rejected(0, size, "hwp.password", f"protected by a password: {_SAVE} without it")
            return
    if text is None:
        yield Rejected(0, size, "hwp.unknown", f"neither HWP 5 nor HWPX (HWP 3, or another format): {_SAVE}")
    elif not text.strip():
        detail = f"no text could be taken from it (damaged, a distribution document, or pictures only): {_SAVE}"
        yield Rejected(0, size, "hwp.no_text", detail)
    else:
        yield Record(text, 0, size)


class _ProtectedError(Exception):
    pass


def _extract(path: Path, start: bytes) -> str | None:
    name = str(path)
    if start == _OLE:
        if extract_hwp.is_hwp5_password_protected(name):
            raise _ProtectedError
        return str(extract_hwp.extract_text_from_hwp5(name))
    if start.startswith(_ZIP):
        if extract_hwp.is_hwpx_password_protected(name):
            raise _ProtectedError
        return str(extract_hwp.extract_text_from_hwpx(name))
    return None


@contextmanager
def _silent() -> Iterator[None]:
    """extract-hwp logs each problem to the root logger, with the file's path; we tell it in the quarantine instead."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
