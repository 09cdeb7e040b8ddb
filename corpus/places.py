"""Where sources lie: folders of this machine, or URLs of any file system that fsspec knows (s3, gs, hf, https, …).

Collect lists and stats through here, `corpus/spans.py` opens. What lies on this machine never goes through fsspec.
"""

from __future__ import annotations

import errno
import io
import os
import posixpath
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from corpus.errors import MissingExtraError, SourceError, StorageError
from corpus.submission import NAME

Changed = tuple[int | str, ...]
"""What differs once a file has changed: its times on this machine, else ETag, checksum or time of its store."""

HUB = re.compile(r"hf:/{1,2}datasets/([^/@]+/[^/@]+?)(?:@([^/]+))?/?")
"""A data set of the Hugging Face hub: owner/name and revision. One slash where it came through a Path."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://")
_MARKS = ("ETag", "etag", "md5Hash", "checksum", "CRC", "blob_id", "mtime", "LastModified", "last_modified", "updated")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a source: its path below the source's folder, where it lies (a path of this machine or a URL)."""

    path: str
    where: str
    size: int
    changed: Changed


def is_url(text: str) -> bool:
    """Whether this is a URL rather than a path; `file://` is one, and becomes a path in `located`."""
    return _URL.match(text) is not None


def located(path: str, base: Path) -> str:
    """What the recipe says a path is, as a path of this machine (`file://` too) or a URL."""
    if path.startswith("file://") and "::" not in path:
        return unquote(urlsplit(path).path)
    return path if is_url(path) else str(base / path)


def shown(url: str) -> str:
    """A URL for a message: without user, password and query."""
    return re.sub(r"(://)[^/@]*@", r"\1", url.partition("?")[0])


def below(url: str, name: str) -> str:
    """The URL of a file in the folder that a URL names; `::` and what it is chained to stay behind."""
    first, sign, chain = url.partition("::")
    return f"{first}{'' if first.endswith('/') else '/'}{name}{sign}{chain}"


def parent(url: str) -> str:
    """The URL of the folder that holds a file."""
    first, sign, chain = url.partition("::")
    return f"{first[: first.rindex('/') + 1]}{sign}{chain}"


def remote(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it.

    Raises:
        MissingExtraError: fsspec, or the package that the protocol needs, is not installed.
        SourceError: a protocol that nobody knows.
    """
    try:
        import fsspec
        from fsspec.registry import known_implementations
    except ModuleNotFoundError as error:
        raise MissingExtraError("a URL as a source needs the library fsspec", extra="corpus") from error
    protocol = url.partition("://")[0].partition("::")[0]
    try:
        system, path = fsspec.url_to_fs(url)
    except ImportError as error:
        package = known_implementations.get(protocol, {}).get("class", protocol).partition(".")[0]
        package = "aiohttp" if package == "fsspec" and protocol in ("http", "https") else package
        raise MissingExtraError(f"{protocol}:// needs the library {package}", fix=f"pip install {package}") from error
    except ValueError as error:
        fix = "write a path, or a URL such as s3://bucket/folder"
        raise SourceError(f"the protocol {protocol!r} is not known", where=shown(url), fix=fix) from error
    return system, path


def kind(url: str) -> str | None:
    """`file` or `folder`, None where there is nothing."""
    system, path = remote(url)
    with store_errors(url):
        if system.isfile(path) and not url.endswith("/"):
            return "file"
        return "folder" if system.isdir(path) else None


def remote_files(url: str) -> list[Place]:
    """Every file at or below a URL, hidden ones and those in hidden folders left out, by relative path."""
    system, root = remote(url)
    chain = url.partition("::")[1:]
    found = []
    with store_errors(url):
        for name, info in system.find(root, detail=True).items():
            relative = posixpath.basename(name) if name == root else name[len(root.rstrip("/")) :].lstrip("/")
            if any(part.startswith(".") for part in relative.split("/")):
                continue
            if info.get("size") is None or not _changed(info):
                info = {**info, **system.info(name)}
            # A store that tells nothing of a file's changes: its bytes are hashed each time.
            changed = _changed(info) or (secrets.token_hex(8),)
            found.append(Place(relative, "".join((system.unstrip_protocol(name), *chain)), info["size"] or 0, changed))
    return sorted(found, key=lambda one: one.path)


def _changed(info: dict[str, Any]) -> Changed:
    return tuple(f"{name}={info[name]}" for name in _MARKS if info.get(name) is not None)


def folder_state(folder: Path) -> tuple[int, list[tuple[str, int, int, int]]]:
    """Bytes below a folder, and relative path, size and times of each file: for a format whose record is a folder."""
    rows = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(one for one in names if not one.startswith(".") and one != NAME):
            file = Path(at) / name
            stat = file.stat()
            rows.append((file.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return sum(size for _, size, _, _ in rows), rows


def hub_revision(url: str) -> str:
    """The commit that a data set of the hub stands at, so that what was hashed is what is read.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        SourceError: there is no such data set, or no way to the hub.
    """
    match = HUB.fullmatch(url)
    if match is None:
        raise SourceError("no data set of the hub", where=shown(url), fix="write hf://datasets/OWNER/NAME")
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError as error:
        raise MissingExtraError("hf:// needs the library huggingface_hub", extra="corpus") from error
    with store_errors(url):
        return str(HfApi().dataset_info(match[1], revision=match[2]).sha)


def opened(where: str) -> BinaryIO:
    """A file's bytes: of this machine, or of a URL, read in blocks.

    Raises:
        OSError: a file of this machine cannot be opened.
        SourceError: a remote one cannot; reading it may raise that too.
    """
    if not is_url(where):
        return Path(where).open("rb")
    system, path = remote(where)
    with store_errors(where):
        handle = system.open(path, "rb")
    return io.BufferedReader(_Remote(handle, system, where), _BLOCK)


def size_of(where: str) -> int:
    """Bytes of a file of this machine; of a remote one 0, unless its store tells.

    Raises:
        OSError: there is no such file on this machine.
    """
    if not is_url(where):
        return Path(where).stat().st_size
    if HUB.fullmatch(where):
        return 0
    system, path = remote(where)
    with store_errors(where):
        return int(system.info(path).get("size") or 0)


class _Remote(io.RawIOBase):
    """A remote file; any failure is a SourceError: the run stops, instead of quarantining what a network lost."""

    def __init__(self, handle: Any, system: Any, url: str) -> None:
        # The file system is held too: that of a zip closes its files when it goes.
        self._handle, self._system, self._url = handle, system, url

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        with store_errors(self._url):
            return int(self._handle.seek(offset, whence))

    def tell(self) -> int:
        """The byte where reading goes on."""
        return int(self._handle.tell())

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        with store_errors(self._url):
            data = self._handle.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._handle.close()
        super().close()


@contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Every failure of a store as one SourceError: each has its own kinds, none says where it happened."""
    try:
        yield
    except (SourceError, MissingExtraError):
        raise
    except Exception as error:
        detail = f"cannot be read ({type(error).__name__})"
        fix = "check the address, your rights to it and the network, then run the same command again"
        raise SourceError(detail, where=shown(url), fix=fix) from error


@contextmanager
def scratch_folder(parent: Path | None) -> Iterator[Path]:
    """A folder for temporary files below `parent` (None: the system's), removed at the end.

    Raises:
        StorageError: the disk is full, which says nothing about the file that was being read.
    """
    try:
        if parent is not None:
            parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            fix = "free some space and run the same command again"
            where = str(parent or tempfile.gettempdir())
            raise StorageError("no space left for temporary files", where=where, fix=fix) from error
        raise
