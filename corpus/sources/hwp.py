"""한글 documents, HWP 5 (OLE) and HWPX (zip of XML), by extract-hwp: paragraphs and table cells, a line each.

Why this library: docs/decisions/0004-hwp-by-extract-hwp.md. A note of HWPX comes behind its paragraph, as in HWP 5.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import extract_hwp
import olefile

from corpus.archives import DAMAGE
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.streams import refuse_file

ENDINGS = (".hwp", ".hwpx")
SPLIT = "no"

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
_SAVE = "open it in 한글 and save it again as HWPX"
_PROTECTIONS = (  # bits of the flags in the header of HWP 5
    (1 << 1, "hwp.password", f"protected by a password: {_SAVE} without it"),
    (1 << 2, "hwp.distribution", "a distribution document (배포용 문서), encrypted: ask its author for the original"),
    (1 << 4 | 1 << 8 | 1 << 10, "hwp.drm", "encrypted by a rights management or a certificate: ask for the original"),
)
_PART = re.compile(r"Contents/(?:section\d+\.xml|content\.hpf)")  # of HWPX: text, and the order of its sections
_XML = 64 << 20  # bytes of them; a bigger document keeps its notes where they are
_NOTES = ("}footNote", "}endNote")


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    refused = refuse_file(path, options.max_record)
    if refused is not None:
        yield refused
        return
    size = path.stat().st_size
    with path.open("rb") as handle:
        start_bytes = handle.read(8)
    with _silent():
        try:
            text = _extract(path, start_bytes)
        except extract_hwp.HwpReadLimitError:
            yield Rejected(0, size, "hwp.too_big", "unpacks to more than extract-hwp allows: split the document")
            return
        except _ProtectedError as error:
            yield Rejected(0, size, error.cause, error.detail)
            return
    if text is None:
        yield Rejected(0, size, "hwp.unknown", f"neither HWP 5 nor HWPX (HWP 3, or another format): {_SAVE}")
    elif not text.strip():
        detail = f"no text could be taken from it (damaged, or pictures only): {_SAVE}"
        yield Rejected(0, size, "hwp.no_text", detail)
    else:
        yield Record(text, 0, size)


class _ProtectedError(Exception):
    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause)
        self.cause, self.detail = cause, detail


def _extract(path: Path, start: bytes) -> str | None:
    name = str(path)
    if start == _OLE:
        flags = _flags(name)
        for bits, cause, detail in _PROTECTIONS:
            if flags & bits:
                raise _ProtectedError(cause, detail)
        return str(extract_hwp.extract_text_from_hwp5(name))
    if start.startswith(_ZIP):
        if extract_hwp.is_hwpx_password_protected(name):
            raise _ProtectedError(*_PROTECTIONS[0][1:])
        return str(extract_hwp.extract_text_from_hwpx(_notes_behind(path)))
    return None


def _flags(name: str) -> int:
    """The flags of HWP 5's FileHeader, 0 where it cannot be read: extracting will then find nothing."""
    try:
        with olefile.OleFileIO(name) as ole:
            if ole.get_size("FileHeader") != 256:
                return 0
            header = ole.openstream("FileHeader").read(256)
        return int(struct.unpack_from("<I", header, 36)[0]) if header.startswith(b"HWP Document File") else 0
    except (OSError, struct.error, ValueError, IndexError, TypeError):
        return 0


def _notes_behind(path: Path) -> str | io.BytesIO:
    """The file, or a copy in memory whose foot- and endnotes stand behind their paragraphs.

    In the XML a note stands within the sentence that it belongs to; extract-hwp would break the sentence there.
    """
    copy = io.BytesIO()
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [info for info in archive.infolist() if _PART.fullmatch(info.filename)]
            if sum(info.file_size for info in parts) > _XML:
                return str(path)
            read = {info.filename: archive.read(info) for info in parts}
            if not any(b"footNote" in data or b"endNote" in data for data in read.values()):
                return str(path)
            with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as moved:
                for name, data in read.items():
                    moved.writestr(name, _moved(data) if b"footNote" in data or b"endNote" in data else data)
    except (*DAMAGE, ElementTree.ParseError, RuntimeError):
        return str(path)  # extract-hwp says what is wrong with it
    copy.seek(0)
    return copy


def _moved(data: bytes) -> bytes:
    root = ElementTree.fromstring(data)
    for parent in list(root.iter()):
        for at, paragraph in reversed(list(enumerate(parent))):
            if paragraph.tag.endswith("}p"):
                notes = [note for run in paragraph for note in _taken(run)]
                if notes:
                    behind = ElementTree.Element(paragraph.tag)
                    behind.extend(notes)
                    parent.insert(at + 1, behind)
    return ElementTree.tostring(root, encoding="utf-8")


def _taken(run: ElementTree.Element) -> list[ElementTree.Element]:
    """The notes of a run, taken out of it."""
    controls = [one for one in run if one.tag.endswith("}ctrl") and any(note.tag.endswith(_NOTES) for note in one)]
    for one in controls:
        run.remove(one)
    return controls


@contextmanager
def _silent() -> Iterator[None]:
    """extract-hwp logs each problem to the root logger, with the file's path; we tell it in the quarantine instead."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
