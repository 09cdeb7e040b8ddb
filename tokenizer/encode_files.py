"""`hanjo tokenizer encode`: plain files → a folder of token shards, the text as it is, every record a document.

    OUT/00000.bin 00000.idx 00000.docs.parquet …    as in a run (`tokenizer/encode.py`)
    OUT/tokenizer/                                  the tokenizer, so that the folder can be read without anything else
    OUT/manifest.json                               what was encoded, with what, and who made the ids

The files are read in one process and encoded by others; what comes out does not depend on how many there are. The
folder appears under its name when it is whole.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import TOKEN_DOCS
from corpus.edits import text_buffers
from corpus.errors import SourceError, WorkerError
from corpus.manifest import fingerprint
from corpus.processes import die_with_parent
from corpus.shards import Counts, JobContext, add, merge, write_json, write_table
from tokenizer.documents import Batch, Files
from tokenizer.encode import DOCS, DiffersError, docs_rows
from tokenizer.engines import Check, Engine, Ids, Library, Sizes, open_engine
from tokenizer.folders import copy_tokenizer, whole_folder
from tokenizer.indexed import IndexedWriter, token_dtype, write_indexed
from tokenizer.vocabulary import Vocabulary, content_hash, normaliser, open_vocabulary

FOLDER, MANIFEST = "tokenizer", "manifest.json"
_BATCH_BYTES = 4 << 20  # of text handed to a worker at a time

Tell = Callable[[int], None]
"""Told the bytes of text that were encoded since the last call."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A batch's ids, who made them, and how many sampled documents differed from the library's."""

    ids: Ids
    sizes: Sizes
    engine: str
    aside: int
    differing: int


def encode_files(
    files: Files,
    folder: Path,
    out: Path,
    *,
    shard_bytes: int = 1 << 30,
    workers: int = 1,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Encode the documents of some files.

    Args:
        folder: of the tokenizer.
        out: a folder that is not there or empty.
        shard_bytes: of tokens in a shard, at most; a longer document has a shard of its own.

    Returns:
        What stands in `manifest.json`.

    Raises:
        UsageError: `out` holds something. SourceError: no readable tokenizer, record, or no record at all.
        StorageError: the disk is full, or one document exceeds 2 GiB of tokens; nothing stays.
    """
    vocabulary = open_vocabulary(folder)
    identity = content_hash(folder)
    with whole_folder(out) as temporary:
        copy_tokenizer(folder, temporary / FOLDER)
        job = _Job(vocabulary, temporary, fingerprint("hanjo.encode", identity), shard_bytes)
        with _workers(folder, identity, workers, vocabulary) as submit:
            shards, events = job.run(files, submit, workers, tell)
        total = merge([one["counts"] for one in shards])
        if not total:
            raise SourceError("no document to encode", where=str(files.path), fix="check the path")
        told = {
            "input": files.path.name,
            "tokenizer": identity,
            "entries": vocabulary.entries,
            "end_of_text": vocabulary.end_of_text,
            "token_bytes": token_dtype(vocabulary.entries).itemsize,
            "normaliser": normaliser(vocabulary),
            "counts": total,
            "events": events,
            "shards": shards,
        }
        write_json(temporary / MANIFEST, told)
    return told


@dataclass(slots=True)
class _Job:
    vocabulary: Vocabulary
    out: Path
    identity: str
    shard_bytes: int

    def run(
        self, files: Files, submit: Submit, workers: int, tell: Tell
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All shards; where an engine differs from the library, from the shard's first document on by the library."""
        shards: list[dict[str, Any]] = []
        events: list[dict[str, Any]] = []
        documents, exact = 0, False
        while True:
            try:
                for made in self._shards(files, submit, workers, tell, documents, len(shards), exact):
                    shards.append(made)
                    documents += made["counts"]["kept"]["documents"]
                return shards, events
            except DiffersError as error:
                told = "ids differed from the tokenizers library: from this shard on the library encodes"
                events.append({"shard": f"{len(shards):05d}", "documents": error.documents, "event": told})
                exact = True

    def _shards(
        self, files: Files, submit: Submit, workers: int, tell: Tell, skip: int, number: int, exact: bool
    ) -> Iterator[dict[str, Any]]:
        """Write shards from document `skip` on, the first with this number, and tell of each when it is whole."""
        limit = self.shard_bytes // token_dtype(self.vocabulary.entries).itemsize
        with ExitStack() as stack:
            shard: _Shard | None = None
            for batch, encoded in _in_order(_batches(files, skip), submit, workers, exact):
                if encoded.differing:
                    raise DiffersError(encoded.differing)
                for rows, fresh in _cuts(encoded.sizes, shard.writer.tokens if shard else 0, limit):
                    if shard is not None and fresh:
                        stack.close()
                        yield shard.finish(self.identity)
                        shard, number = None, number + 1
                    if shard is None:
                        prefix = self.out / f"{number:05d}"
                        shard = _Shard(prefix, stack.enter_context(write_indexed(prefix, self.vocabulary.entries)))
                    shard.add(batch, encoded, rows)
                tell(int(batch.texts.nbytes))
            if shard is not None:
                stack.close()
                yield shard.finish(self.identity)


class _Shard:
    """A token shard that is being written, and the rows of its table of documents."""

    def __init__(self, prefix: Path, writer: IndexedWriter) -> None:
        self.prefix, self.writer = prefix, writer
        self._parts: list[pa.Table] = []
        self._engines: Counts = {}

    def add(self, batch: Batch, encoded: Encoded, rows: slice) -> None:
        """Append some documents of a batch."""
        ends = np.cumsum(encoded.sizes)
        before = int(ends[rows.start] - encoded.sizes[rows.start])
        sizes, first = encoded.sizes[rows], self.writer.tokens
        self.writer.add(encoded.ids[before : int(ends[rows.stop - 1])], sizes)
        columns = {name: column[rows] for name, column in batch.columns.items()}
        self._parts.append(docs_rows(columns, batch.texts[rows], first, sizes))
        add(self._engines, encoded.engine, documents=len(sizes))

    def finish(self, identity: str) -> dict[str, Any]:
        """Write the table of documents beside the tokens, which are on disk already, and tell of the shard."""
        name = self.prefix.name
        context = JobContext(self.prefix.parent, fingerprint(identity, name), 0)
        table = pa.concat_tables(self._parts)
        write_table(self.prefix.with_name(f"{name}{DOCS}"), table, TOKEN_DOCS, context)
        amounts = {one: pc.sum(table[one]).as_py() or 0 for one in ("bytes", "chars", "eojeol", "tokens")}
        kept = {"documents": table.num_rows, **amounts}
        engines = {engine: amounts["documents"] for engine, amounts in sorted(self._engines.items())}
        return {"name": name, "counts": {"kept": kept}, "encoder": engines}


def _cuts(sizes: Sizes, held: int, limit: int) -> Iterator[tuple[slice, bool]]:
    """Rows of a batch that go into one shard, and whether that is a new one.

    Args:
        held: tokens that the open shard holds.
    """
    ends = np.cumsum(sizes)
    start, fresh = 0, False
    while start < len(sizes):
        before = int(ends[start] - sizes[start])
        stop = int(np.searchsorted(ends, before + limit - held, side="right"))
        if stop <= start:
            stop = start if held else start + 1
        if stop > start:
            yield slice(start, stop), fresh
        start, held, fresh = stop, 0, True


def _batches(files: Files, skip: int) -> Iterator[tuple[int, Batch]]:
    """Numbered batches of about _BATCH_BYTES without the first `skip` documents; numbers are those of the documents."""
    at = 0
    for batch in files.batches():
        start = max(0, skip - at)
        while start < len(batch.texts):
            _, offsets = text_buffers(batch.texts)
            stop = int(np.searchsorted(offsets, offsets[start] + _BATCH_BYTES, side="right")) - 1
            rows = slice(start, min(max(stop, start + 1), len(batch.texts)))
            columns = {name: column[rows] for name, column in batch.columns.items()}
            yield at + start, Batch(batch.texts[rows], columns, batch.file)
            start = rows.stop
        at += len(batch.texts)


class _Encoder:
    """A tokenizer opened once in a process."""

    def __init__(self, vocabulary: Vocabulary, identity: str) -> None:
        self.engine, self.library = open_engine(vocabulary), Library(vocabulary)
        self.check = Check(vocabulary, identity)

    def encode(self, number: int, texts: pa.Array, exact: bool) -> Encoded:
        """Encode a batch whose first document has this number, by the library alone where `exact`."""
        engine: Engine = self.library if exact else self.engine
        differing, aside = self.check.differing(engine, texts, number), engine.aside
        ids, sizes = engine.encode(texts)
        return Encoded(ids, sizes, engine.name, engine.aside - aside, differing)


Submit = Callable[[int, pa.Array, bool], Callable[[], Encoded]]
_opened: list[_Encoder] = []  # the one of a worker process


def _start_worker(parent: int, folder: Path, identity: str) -> None:
    die_with_parent(parent)
    _opened.append(_Encoder(open_vocabulary(folder), identity))


def _encode_there(number: int, texts: pa.Array, exact: bool) -> Encoded:
    return _opened[0].encode(number, texts, exact)


@contextmanager
def _workers(folder: Path, identity: str, number: int, vocabulary: Vocabulary) -> Iterator[Submit]:
    """A function that has a batch encoded, in this process where one worker is wanted, and gives the way to the ids."""
    if number == 1:
        encoder = _Encoder(vocabulary, identity)
        yield lambda at, texts, exact: lambda: encoder.encode(at, texts, exact)
        return
    pool = ProcessPoolExecutor(number, get_context("spawn"), _start_worker, (os.getpid(), folder, identity))
    try:
        yield lambda at, texts, exact: pool.submit(_encode_there, at, texts, exact).result
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process died: killed from outside or out of memory", fix="run again with fewer --workers"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    batches: Iterator[tuple[int, Batch]], submit: Submit, workers: int, exact: bool
) -> Iterator[tuple[Batch, Encoded]]:
    """Batches with their ids in the order they came, a few of them under way at a time."""
    under_way: deque[tuple[Batch, Callable[[], Encoded]]] = deque()
    for number, batch in batches:
        under_way.append((batch, submit(number, batch.texts, exact)))
        if len(under_way) > (2 * workers if workers > 1 else 0):
            first, result = under_way.popleft()
            yield first, result()
    while under_way:
        first, result = under_way.popleft()
        yield first, result()
