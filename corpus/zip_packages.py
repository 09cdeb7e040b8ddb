"""Documents that are zips of XML (DOCX, EPUB): their members in bounded memory. Their readers build on it.

Nothing is believed of a zip: its sizes are counted while it is unpacked, and no member is written anywhere.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from corpus.documents import Record, Rejected
from corpus.safe_xml import XmlError, parse_xml
from corpus.streams import refuse_file

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DIRECTORY = 4 << 20  # bytes of a zip's list of members at most: tens of thousands of them
_RATIO, _SMALL = 200, 8 << 20  # text packs to a tenth, empty tables to a hundredth; what is small does no harm
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the only two that either format allows
_BLOCK = 1 << 16
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
)


class PackageError(Exception):
    """A package that is refused: `cause` without the format's name ("bomb"), `detail` for a person."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause, self.detail = cause, detail

    def rejected(self, form: str, size: int) -> Rejected:
        """The record of the file that was refused."""
        return Rejected(0, size, f"{form}.{self.cause}", self.detail)


def read_package(
    path: Path, limit: int, form: str, text_of: Callable[[Package], tuple[str, dict[str, int]]], empty: str
) -> Record | Rejected:
    """The one record of a package, or why there is none; `form` begins the cause ("docx.bomb").

    Args:
        path: the file.
        limit: bytes of it, and of all that is unpacked of it, at most.
        form: the format's name.
        text_of: the text of an open package, and what was lost on the way; it may raise `PackageError`.
        empty: what to say, and to do, when there is no text.
    """
    refused = refuse_file(path, limit)
    if refused is not None:
        return refused
    size = path.stat().st_size
    try:
        with Package(path, limit) as package:
            text, losses = text_of(package)
    except PackageError as error:
        return error.rejected(form, size)
    if not text.strip():
        return Rejected(0, size, f"{form}.no_text", empty)
    return Record(text, 0, size, losses=losses)


class Package:
    """An open zip; all that is read of it unpacks to at most `limit` bytes.

    Raises:
        PackageError: it is no zip, damaged, or claims more members than a document has.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._left = self._limit = limit
        _refuse_directory(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except _DAMAGED as error:
            raise _damaged() from error
        self.names = frozenset(self._zip.namelist())

    def __enter__(self) -> Package:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()

    def read(self, name: str) -> bytes:
        """A member's bytes.

        Raises:
            PackageError: it is not there, locked, damaged, or unpacks to more than is allowed.
        """
        try:
            info = self._zip.getinfo(name)
        except KeyError:
            raise PackageError(
                "broken", "a part that it names is missing: copy the file again or save it anew"
            ) from None
        if info.flag_bits & 1:
            raise PackageError("password", "protected by a password: save it without one")
        if info.compress_type not in _METHODS:
            raise PackageError("broken", "packed by a method that the format does not allow: save it anew")
        data = bytearray()
        try:
            with self._zip.open(info) as member:
                while block := member.read(_BLOCK):
                    data += block
                    if len(data) > self._left:
                        raise PackageError("bomb", f"unpacks to more than collect.max_record ({self._limit}): split it")
                    if len(data) > _SMALL and len(data) > _RATIO * max(1, info.compress_size):
                        raise PackageError("bomb", f"a part unpacks to more than {_RATIO} times its size: save it anew")
        except _DAMAGED as error:
            raise _damaged() from error
        self._left -= len(data)
        return bytes(data)

    def parse(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Tell a member's elements and text (`corpus/safe_xml.py`).

        Raises:
            PackageError: as `read`, or it is no XML that is read here.
        """
        try:
            parse_xml(self.read(name), start, end, text)
        except XmlError as error:
            raise PackageError(error.cause, f"a part of it {error.what}: open the document and save it anew") from error


def _damaged() -> PackageError:
    return PackageError("broken", "the zip that it is has damage (cut short?): copy the file again or save it anew")


def _refuse_directory(path: Path) -> None:
    """Look at the zip's end before zipfile does, which would hold a list of any length."""
    with path.open("rb") as file:
        magic = file.read(8)
        file.seek(max(0, path.stat().st_size - (1 << 16) - 22))
        tail = file.read()
    if magic == _OLE:
        raise PackageError("password", "protected by a password, or of the format before it: save it anew without one")
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise PackageError("broken", "no zip (cut short, or another format): copy the file again or save it anew")
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    if directory > _DIRECTORY:
        raise PackageError("bomb", f"its list of parts takes {directory} bytes: no document has so many; save it anew")
