"""The bytes that a reader of a piece looks at: hashed before it is read, and fetched to where they are at hand.

A piece of a remote file becomes a file with holes: what the reader looks at stands at its own offsets, the rest is
empty. Readers so need a path alone, and offsets, line numbers and ids are those of the whole file.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.archives import DAMAGE, member_spans
from corpus.manifest import fingerprint, hash_file
from corpus.places import HUB, folder_state, is_url, opened, scratch_folder

_BLOCK = 1 << 20

Spans = Sequence[tuple[int, int]]
"""First byte and byte after the last of each part of a file."""


def group_span(metadata: pq.FileMetaData, group: int) -> tuple[int, int]:
    """First byte and compressed bytes of a row group."""
    columns = [metadata.row_group(group).column(index) for index in range(metadata.num_columns)]
    starts = [one.dictionary_page_offset if one.has_dictionary_page else one.data_page_offset for one in columns]
    return min(starts, default=0), sum(one.total_compressed_size for one in columns)


def hash_piece(
    files: Sequence[str], split: str, start: int, end: int | None, looked: Spans | None = None
) -> tuple[str, int]:
    """BLAKE2b-128 (hex) of all that a reader of this piece looks at, and line ends within a byte range.

    A byte range is hashed from the byte before it to the end of its last line, row groups with the file's footer,
    members with the zip's list of them, parts of one file in their order, a folder with the names below it, a data set
    of the hub by its commit, `looked` spans where a reader has told what it looks at. A file that cannot be opened
    hashes as such; reading it will quarantine it.
    """
    if split == "folder":
        return _hash_folder(files[0]), 0
    digest = hashlib.blake2b(digest_size=16)
    lines = 0
    try:
        if split in ("row_groups", "members") and end is not None:
            digest.update(repr((start, end)).encode())
        for where in files:
            with opened(where) as handle:
                for at, block in _blocks(handle, split, start, end, looked):
                    digest.update(block)
                    if end is not None and split == "bytes" and start <= at < end:
                        lines += block.count(b"\n")
    except (*DAMAGE, pa.ArrowException) as error:
        return f"unreadable: {type(error).__name__}", 0
    return digest.hexdigest(), lines


def _hash_folder(where: str) -> str:
    if match := HUB.fullmatch(where):
        return fingerprint("hub", match[2])
    rows = folder_state(Path(where))[1]
    return fingerprint([(name, hash_file(Path(where) / name)) for name, *_ in rows])


def _blocks(
    handle: BinaryIO, split: str, start: int, end: int | None, looked: Spans | None
) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of what a reader of [start, end) looks at; no block goes past `end` but those of a last line."""
    if looked is not None:
        for first, after in looked:
            yield from _range(handle, first, after)
    elif end is None:
        yield from _range(handle, 0, None)
    elif split == "row_groups":
        metadata = pq.read_metadata(handle)
        size = handle.seek(0, io.SEEK_END)
        spans = [group_span(metadata, group) for group in range(metadata.num_row_groups)]
        yield from _range(handle, max(0, size - metadata.serialized_size - 8), None)
        for first, length in spans[start:end]:
            yield from _range(handle, first, first + length)
    elif split == "members":
        members, directory = member_spans(handle)
        yield from _range(handle, directory, None)
        for first, after in members[start:end]:
            yield from _range(handle, first, after)
    else:
        if start:
            yield from _range(handle, start - 1, start)
        yield from _range(handle, start, end)
        at = end
        while block := handle.readline(_BLOCK):
            yield at, block
            at += len(block)
            if block.endswith(b"\n"):
                break


def _range(handle: BinaryIO, start: int, end: int | None) -> Iterator[tuple[int, bytes]]:
    handle.seek(start)
    at = start
    while end is None or at < end:
        block = handle.read(_BLOCK if end is None else min(_BLOCK, end - at))
        if not block:
            break
        yield at, block
        at += len(block)


@contextmanager
def at_hand(
    files: Sequence[str],
    split: str,
    start: int,
    end: int | None,
    scratch: Path | None,
    looked: Spans | None = None,
) -> Iterator[Path]:
    """A path of this machine that a reader of the piece can read: the file itself, or what is fetched of a remote one.

    Args:
        files: the file, or the parts that make it up; the path is that of the first.

    Raises:
        SourceError: a remote file cannot be read.
        StorageError: no space for what is fetched.
    """
    if split == "folder" or not is_url(files[0]):
        yield Path(files[0])
        return
    with scratch_folder(scratch) as folder:
        paths = [folder / file_name(where) for where in files]
        for where, path in zip(files, paths, strict=True):
            with opened(where) as handle, path.open("wb") as target:
                for at, block in _blocks(handle, split, start, end, looked):
                    target.seek(at)
                    target.write(block)
                if end is not None or looked is not None:
                    target.truncate(handle.seek(0, io.SEEK_END))
        yield paths[0]


def file_name(where: str) -> str:
    """The name of a file by its path or URL."""
    return posixpath.basename(where.partition("::")[0].partition("?")[0].rstrip("/")) or "file"
