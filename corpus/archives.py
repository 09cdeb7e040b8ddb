"""Members of zip files, of zips within zips, and of zips that came in numbered parts. Readers of packed corpora use it.

Nothing is unpacked under a member's own name. A zip within a zip is unpacked into a temporary file, parts are read as
one file without a copy. Depth, members and decompressed bytes are bounded: a zip bomb is refused with the reason.
"""

from __future__ import annotations

import io
import itertools
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped

PART = re.compile(r"(?P<whole>.+\.zip)\.part(?P<number>\d+)", re.IGNORECASE)
"""Name of a part: AI Hub gives x.zip.part0, x.zip.part1073741824, …; the numbers order them."""

_DEEPEST = 4  # zips within each other
_MEMBERS = 2_000_000  # of one archive, those of inner zips among them
_DIRECTORY = 128 << 20  # bytes of its list of members, which is read at once; a member takes about 150
_FREE = 256 << 20  # decompressed bytes that any archive may have
_RATIO = 100  # decompressed bytes by byte of the archive; text packs 3 to 30 times
_IN_MEMORY = 32 << 20  # of an inner zip; a bigger one is a file on disk
_BLOCK = 1 << 20
_UTF8, _LOCKED = 0x800, 0x1  # bits of a member's flags
_NO_DATA = re.compile(r"(?:.*/)?(?:__MACOSX/.*|\.[^/]*|Thumbs\.db|desktop\.ini)", re.IGNORECASE)

# What reading a damaged zip raises, beside RuntimeError.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)
_BROKEN = ("archive.broken", "the member is damaged; what came before it was read: copy the archive again")

Found = Record | Rejected | Skipped


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its name (`inner.zip!name.json`), its declared bytes, its content."""

    name: str
    size: int
    stream: IO[bytes]


class MemberError(Exception):
    """A member that cannot be read to its end: cause and detail."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(cause)
        self.cause, self.detail = cause, detail


class _BombError(Exception):
    """More members or bytes than any corpus has."""


def parts_of(name: str, names: list[str]) -> list[str]:
    """Those of a folder's names that are parts of the same zip as `name`, in order; itself where it is no part."""
    match = PART.fullmatch(name)
    if match is None:
        return [name]
    others = [PART.fullmatch(one) for one in names]
    same = [one for one in others if one and one["whole"] == match["whole"]]
    return [one.string for one in sorted(same, key=lambda one: int(one["number"]))]


def is_archive(name: str) -> bool:
    """Whether a file of this name is read as a zip."""
    return name.lower().endswith(".zip") or PART.fullmatch(name) is not None


def member_spans(handle: IO[bytes]) -> tuple[list[tuple[int, int]], int]:
    """First byte and byte after the last of each member of a zip, in its order, and where its list of members begins.

    Raises:
        one of DAMAGE: no readable zip.
    """
    if _directory_bytes(handle) > _DIRECTORY:
        raise ValueError("a list of members too long to read")
    with zipfile.ZipFile(handle) as archive:
        starts = [info.header_offset for info in archive.infolist()]
        after = dict(itertools.pairwise([*sorted(starts), archive.start_dir]))
        return [(start, after[start]) for start in starts], archive.start_dir


def read_members(
    path: Path, options: ReadOptions, read: Callable[[Member], Iterator[Found]], start: int = 0, end: int | None = None
) -> Iterator[Found]:
    """What `read` finds in each of the members [start, end), in the archive's order, under its name.

    A bad member is one Rejected.
    """
    beside = [one.name for one in path.parent.iterdir()] if PART.fullmatch(path.name) else []
    parts = [path.with_name(one) for one in parts_of(path.name, beside)]
    size = sum(one.stat().st_size for one in parts)
    if size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    budget = _Budget(max(_FREE, _RATIO * size), _MEMBERS)
    with io.BufferedReader(_Parts(parts), _BLOCK) as handle:
        try:
            yield from _zip(handle, "", size, budget, options, read, 1, (start, end))
        except _BombError as error:
            yield Rejected(0, size, "archive.bomb", f"{error}: unpack it yourself if you trust it")


def _zip(
    handle: IO[bytes],
    within: str,
    size: int,
    budget: _Budget,
    options: ReadOptions,
    read: Callable[[Member], Iterator[Found]],
    depth: int,
    members: tuple[int, int | None] = (0, None),
) -> Iterator[Found]:
    member = within.rstrip("!") or None
    scratch = str(options.scratch) if options.scratch and options.scratch.is_dir() else None
    if _directory_bytes(handle) > _DIRECTORY:
        raise _BombError("a zip whose list of members alone takes over 128 MiB")
    try:
        archive = zipfile.ZipFile(handle)
    except (*DAMAGE, NotImplementedError):
        detail = "no readable zip (cut short, a part missing, or another format): copy it again"
        yield Rejected(0, size, "archive.broken", detail, member)
        return
    with archive:
        for info in archive.infolist()[slice(*members)]:
            budget.member()
            name = within + member_name(info)
            if info.is_dir():
                continue
            if info.file_size == 0 or _NO_DATA.fullmatch(name.rpartition("!")[2]):
                yield Skipped(0, info.file_size, "source.empty_member" if info.file_size == 0 else "source.not_data")
                continue
            if info.flag_bits & _LOCKED:
                detail = "protected by a password: pack it again without one"
                yield Rejected(0, info.file_size, "archive.password", detail, name)
                continue
            last = 0
            try:
                with _unpacked(archive, info, budget) as stream:
                    if not name.lower().endswith(".zip"):
                        for found in read(Member(name, info.file_size, stream)):
                            last = found.offset + found.length
                            yield found if isinstance(found, Skipped) else replace(found, member=_joined(name, found))
                    elif depth == _DEEPEST:
                        detail = f"more than {_DEEPEST} zips within each other: unpack it yourself if you trust it"
                        yield Rejected(0, info.file_size, "archive.too_deep", detail, name)
                    else:
                        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=scratch) as inner:
                            copied = _copy(stream, inner)
                            yield from _zip(inner, f"{name}!", copied, budget, options, read, depth + 1)
            except MemberError as error:
                yield Rejected(last, max(0, info.file_size - last), error.cause, error.detail, name)


@contextmanager
def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> Iterator[IO[bytes]]:
    try:
        packed = archive.open(info)
    except NotImplementedError as error:
        detail = "packed in a way that cannot be read: pack it again as an ordinary zip"
        raise MemberError("archive.method", detail) from error
    except DAMAGE as error:  # its own header is wrong
        raise MemberError(*_BROKEN) from error
    with packed, io.BufferedReader(_Counted(packed, budget), _BLOCK) as stream:
        yield stream


def _directory_bytes(handle: IO[bytes]) -> int:
    """Bytes of a zip's list of members by the record at its end, 0 where there is none."""
    end = handle.seek(0, io.SEEK_END)
    handle.seek(max(0, end - (1 << 16) - 200))
    tail = handle.read()
    handle.seek(0)
    at, long = tail.rfind(b"PK\5\6"), tail.rfind(b"PK\6\6")
    size = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if long >= 0:  # ZIP64
        size = max(size if size != 0xFFFFFFFF else 0, int.from_bytes(tail[long + 40 : long + 48], "little"))
    return size if size <= end else 0  # more than there is: damaged


def _joined(name: str, found: Record | Rejected) -> str:
    return name if found.member is None else f"{name}!{found.member}"


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's name: UTF-8 where the zip says so or it can be no other, else CP949, as Korean Windows packs."""
    if info.flag_bits & _UTF8:
        return info.filename
    raw = info.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _copy(stream: IO[bytes], target: Any) -> int:
    copied = 0
    while block := stream.read(_BLOCK):
        target.write(block)
        copied += len(block)
    target.seek(0)
    return copied


@dataclass(slots=True)
class _Budget:
    """What an archive may still unpack."""

    bytes: int
    members: int

    def member(self) -> None:
        self.members -= 1
        if self.members < 0:
            raise _BombError(f"a zip of more than {_MEMBERS} members")

    def spend(self, taken: int) -> None:
        self.bytes -= taken
        if self.bytes < 0:
            raise _BombError(f"a zip that unpacks to more than {_RATIO} times its size, as zip bombs do")


class _Counted(io.RawIOBase):
    """A member's bytes, paid for from the archive's budget; damage is a MemberError."""

    def __init__(self, packed: IO[bytes], budget: _Budget) -> None:
        self._packed, self._budget = packed, budget

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        try:
            data = self._packed.read(len(buffer))
        except DAMAGE as error:
            raise MemberError(*_BROKEN) from error
        self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)


class _Parts(io.RawIOBase):
    """Files one behind the other as a single one that can be sought in."""

    def __init__(self, paths: list[Path]) -> None:
        self._files = [one.open("rb") for one in paths]
        self._starts, self._at, end = [], 0, 0
        for file in self._files:
            self._starts.append(end)
            end += file.seek(0, io.SEEK_END)
        self._end = end

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte of the whole."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        if start + offset < 0:
            raise OSError(22, "before the start of the file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """The byte of the whole where reading goes on."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the part at hand; 0 at the end of the last."""
        number = max(index for index, start in enumerate(self._starts) if start <= self._at)
        while number < len(self._files):
            file = self._files[number]
            file.seek(self._at - self._starts[number])
            data = file.read(len(buffer))
            if data:
                self._at += len(data)
                buffer[: len(data)] = data
                return len(data)
            number += 1
            if number < len(self._files):
                self._at = max(self._at, self._starts[number])
        return 0

    def close(self) -> None:
        """Close every part."""
        for file in self._files:
            file.close()
        super().close()
