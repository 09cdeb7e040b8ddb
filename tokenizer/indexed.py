"""Token shards on disk: Megatron's indexed dataset, a `.bin` of tokens and an `.idx` that says where documents begin.

Written by encode.py, read by pretrain, by hanjo's trace, and as it is by Megatron-LM, GPT-NeoX and NeMo. Little-endian:

    .bin   all tokens one after another, uint16 (vocabulary below 65,500 entries) or int32
    .idx   9 bytes   magic "MMIDIDX\\0\\0"
           uint64    version, 1
           uint8     type of a token: 8 for uint16, 4 for int32
           uint64    sequences S
           uint64    document boundaries D (documents + 1)
           int32[S]  tokens in each sequence
           int64[S]  byte in the .bin at which each sequence begins
           int64[D]  number of the sequence at which each document begins, at last S

Here a document is one sequence. Source: `megatron/core/datasets/indexed_dataset.py` of NVIDIA/Megatron-LM.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from corpus.errors import SchemaError, StaleError, StorageError
from corpus.shards import atomic_path

Tokens = npt.NDArray[Any]  # uint16 or int32
MAX_SHARD_BYTES = 2 << 30
_MAGIC = b"MMIDIDX\x00\x00"
_HEAD = struct.Struct("<9sQBQQ")
_INT32, _UINT16 = 4, 8
_DTYPES: dict[int, np.dtype[Any]] = {_INT32: np.dtype("<i4"), _UINT16: np.dtype("<u2")}
_UINT16_ENTRIES = 65_500
_AGAIN = "make the shard again: hanjo tokenizer encode, or the stage tokenize of its run"


def token_dtype(entries: int) -> np.dtype[Any]:
    """The type that tokens of a vocabulary are stored as: uint16 below 65,500 entries, else int32, as Megatron does."""
    return _DTYPES[_UINT16 if entries < _UINT16_ENTRIES else _INT32]


def bin_path(prefix: Path) -> Path:
    """`tokens/train/00000` → `tokens/train/00000.bin`."""
    return prefix.with_name(f"{prefix.name}.bin")


def idx_path(prefix: Path) -> Path:
    """`tokens/train/00000` → `tokens/train/00000.idx`."""
    return prefix.with_name(f"{prefix.name}.idx")


class IndexedWriter:
    """Takes documents in their order; made by `write_indexed`."""

    def __init__(self, handle: BinaryIO, prefix: Path, entries: int, limit: int) -> None:
        self._handle, self._prefix, self._entries, self._limit = handle, prefix, entries, limit
        self._sizes: list[npt.NDArray[np.int64]] = []
        self.dtype = token_dtype(entries)
        self.tokens = 0

    def add(self, ids: npt.ArrayLike, sizes: npt.ArrayLike) -> None:
        """Append documents.

        Args:
            ids: integers (tokens,), the documents one after another.
            sizes: integers (documents,), tokens of each; their sum is `len(ids)`.

        Raises:
            SchemaError: an id outside the vocabulary, or sizes that do not add up.
            StorageError: the shard would grow beyond the limit.
        """
        given, lengths = np.asarray(ids), np.asarray(sizes, dtype=np.int64)
        if int(lengths.sum()) != len(given) or (len(lengths) and int(lengths.min()) < 0):
            raise SchemaError(f"{len(given)} tokens for sizes of {int(lengths.sum())}", where=str(self._prefix))
        if len(given) and not 0 <= int(given.min()) <= int(given.max()) < self._entries:
            raise SchemaError(
                f"token ids {int(given.min())} to {int(given.max())}, but the vocabulary has {self._entries} entries",
                where=str(self._prefix),
                fix="the tokenizer's files do not fit together: make them anew",
            )
        if (self.tokens + len(given)) * self.dtype.itemsize > self._limit:
            raise StorageError(
                f"more than {self._limit} bytes of tokens in one shard",
                where=str(self._prefix),
                fix="cut the documents' shards into smaller ones",
            )
        self._handle.write(np.ascontiguousarray(given, self.dtype).data)
        self._sizes.append(lengths)
        self.tokens += len(given)

    def index(self) -> bytes:
        """The bytes of the `.idx` that belongs to what was added."""
        sizes = np.concatenate([np.empty(0, np.int64), *self._sizes])
        starts = np.zeros(len(sizes), np.int64)
        np.cumsum(sizes[:-1], out=starts[1:])
        code = _UINT16 if self.dtype.itemsize == 2 else _INT32
        head = _HEAD.pack(_MAGIC, 1, code, len(sizes), len(sizes) + 1)
        documents = np.arange(len(sizes) + 1, dtype="<i8")
        pointers = (starts * self.dtype.itemsize).astype("<i8")
        return head + sizes.astype("<i4").tobytes() + pointers.tobytes() + documents.tobytes()


@contextmanager
def write_indexed(prefix: Path, entries: int, limit: int = MAX_SHARD_BYTES) -> Iterator[IndexedWriter]:
    """Write `prefix.bin` and `prefix.idx`, each atomically and only if the block ends well.

    Args:
        prefix: path without suffix.
        entries: of the vocabulary; settles the type of a token.
        limit: bytes that the `.bin` may have.
    """
    with atomic_path(bin_path(prefix)) as temporary:
        with temporary.open("wb") as handle:
            writer = IndexedWriter(handle, prefix, entries, limit)
            yield writer
        with atomic_path(idx_path(prefix)) as index:
            index.write_bytes(writer.index())


class IndexedTokens:
    """A token shard, memory-mapped.

    Attributes:
        tokens: uint16 or int32 (tokens,), all documents one after another.
        sizes: int32 (sequences,), tokens of each sequence.
        documents: int64 (documents + 1,), the sequence at which each document begins.

    Raises:
        StaleError: a file is missing, cut short, or no Megatron indexed dataset.
    """

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        binary, index = bin_path(prefix), idx_path(prefix)
        missing = [path for path in (binary, index) if not path.exists()]
        if missing:
            fix = "check the path" if len(missing) == 2 else _AGAIN
            raise StaleError("the file is missing", where=str(missing[0]), fix=fix)
        length = index.stat().st_size
        with index.open("rb") as handle:
            head = handle.read(_HEAD.size)
        if len(head) < _HEAD.size or not head.startswith(_MAGIC):
            raise StaleError("not the index of a Megatron indexed dataset", where=str(index), fix=_AGAIN)
        _, version, code, sequences, boundaries = _HEAD.unpack(head)
        if version != 1 or code not in _DTYPES:
            raise StaleError(
                f"version {version} with token type {code}; read are version 1 with 4 (int32) or 8 (uint16)",
                where=str(index),
                fix=_AGAIN,
            )
        wanted = _HEAD.size + 12 * sequences + 8 * boundaries
        if length != wanted:
            raise StaleError(f"{length} bytes, {wanted} were announced", where=str(index), fix=_AGAIN)
        raw = np.memmap(index, mode="r")
        at = _HEAD.size
        self.sizes = raw[at : at + 4 * sequences].view("<i4")
        self._pointers = raw[at + 4 * sequences : at + 12 * sequences].view("<i8")
        self.documents = raw[at + 12 * sequences :].view("<i8")
        self.dtype = _DTYPES[code]
        self.tokens = self._map(binary)

    def _map(self, binary: Path) -> Tokens:
        end = int(self._pointers[-1]) + int(self.sizes[-1]) * self.dtype.itemsize if len(self.sizes) else 0
        length = binary.stat().st_size
        if length != end:
            raise StaleError(f"{length} bytes, the index speaks of {end}", where=str(binary), fix=_AGAIN)
        if not length:
            return np.empty(0, self.dtype)  # an empty file cannot be mapped
        return np.memmap(binary, dtype=self.dtype, mode="r")

    def __len__(self) -> int:
        """Documents."""
        return max(0, len(self.documents) - 1)

    def span(self, document: int) -> tuple[int, int]:
        """First token of a document within the shard, and of the next one."""
        if not 0 <= document < len(self):
            raise IndexError(f"document {document} of {len(self)}")
        first, last = int(self.documents[document]), int(self.documents[document + 1])
        return self._start(first), self._start(last)

    def document(self, document: int) -> Tokens:
        """The tokens of a document, uint16 or int32 (tokens,), not copied."""
        first, last = self.span(document)
        return self.tokens[first:last]

    def starts(self) -> npt.NDArray[np.int64]:
        """First token of every document within the shard, int64 (documents,)."""
        ends = np.append(np.asarray(self._pointers) // self.dtype.itemsize, len(self.tokens))
        return ends[np.asarray(self.documents[:-1])]

    def _start(self, sequence: int) -> int:
        return int(self._pointers[sequence]) // self.dtype.itemsize if sequence < len(self.sizes) else len(self.tokens)
