"""Documents to tokens: unique/SPLIT/NNNNN.parquet → tokens/SPLIT/NNNNN.bin, .idx and .docs.parquet. Comes after train.

Every document ends with one end-of-text id, which is counted. Row i of the docs table is document i of the shard and
row i of the unique shard. No document is written without the rights that the run's target needs. The ids are those of
the `tokenizers` library, whoever makes them (`tokenizer/engines.py`); who did stands in the counts.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import TOKEN_DOCS, UNIQUE
from corpus.edits import text_buffers
from corpus.errors import RightsError, StaleError
from corpus.rights import lacking, read_rights
from corpus.settings import Right
from corpus.shards import Counts, JobContext, Outcome, Output, add, fingerprint_of, read_table, write_table
from corpus.staging import WITHDRAWN, withdrawn_rows
from tokenizer.engines import Check, Engine, Library, open_engine
from tokenizer.indexed import bin_path, idx_path, write_indexed
from tokenizer.train_jobs import FOLDER
from tokenizer.units import count_units
from tokenizer.vocabulary import Vocabulary, content_hash, open_vocabulary

SPLITS = ("train", "valid", "test")
DOCS = ".docs.parquet"
_COPIED = ("id", "source", "contributor", "rights_id", "lang", "domain")
_READ = (*_COPIED, "path")
_ROWS = 4096  # documents read at a time


def encode_shard(
    context: JobContext, *, split: str, shard: str, of: str, tokenizer: str, rights: Sequence[Right], as_of: str
) -> Outcome:
    """Map: one unique shard → one token shard.

    Args:
        split: train, valid or test.
        shard: the unique shard, relative to the run; `of` is its fingerprint.
        tokenizer: content hash of run/tokenizer.
        rights: that the target needs, on the day `as_of` (ISO).

    Raises:
        RightsError: a document lacks one.
        StaleError: run/tokenizer is not the one the stage has made.
        StorageError: more tokens than a shard may hold.
    """
    folder, path = context.run / FOLDER, context.run / shard
    if content_hash(folder) != tokenizer:
        raise StaleError("another tokenizer than the run's lies here", where=str(folder), fix="run tokenize again")
    refuse_without_rights(context.run, path, rights, datetime.date.fromisoformat(as_of))
    vocabulary, engine = _opened(folder, tokenizer)
    prefix = context.run / "tokens" / split / path.stem
    engine.begin()
    differed = 0
    try:
        table = _encode(path, prefix, vocabulary, engine)
    except DiffersError as error:
        differed, engine = error.documents, Library(vocabulary)
        table = _encode(path, prefix, vocabulary, engine)
    docs = write_table(prefix.with_name(prefix.name + DOCS), table, TOKEN_DOCS, context, of=of)
    files = [
        Output(one.relative_to(context.run).as_posix(), table.num_rows, one.stat().st_size, context.fingerprint)
        for one in (bin_path(prefix), idx_path(prefix))
    ]
    counts = _counts(split, table)
    add(counts, f"encoder/{engine.name}", documents=table.num_rows)
    if engine.aside:
        add(counts, "encoder/spell a special token", documents=engine.aside)
    if differed:
        add(counts, "encoder/differed from tokenizers", documents=differed)
    return Outcome((*files, docs), counts)


def refuse_without_rights(run: Path, shard: Path, wanted: Sequence[Right], as_of: datetime.date) -> None:
    """Raise RightsError if any document of a unique shard lacks a wanted right on the day `as_of`."""
    known = read_rights(run)
    table = read_table(shard, ["source", "rights_id"], schema=UNIQUE)
    for row in table.group_by(["source", "rights_id"]).aggregate([([], "count_all")]).to_pylist():
        rights = known.get(row["rights_id"])
        field = lacking(rights, wanted, as_of) if rights is not None else "any entry in rights.parquet"
        if field is not None:
            raise RightsError(
                f"{row['count_all']} documents of source {row['source']!r} lack {field} as of {as_of}",
                where=str(shard),
                fix="run decide again with the target's rights: it removes such documents; or mend submission.yaml",
            )


@lru_cache(maxsize=1)
def _opened(folder: Path, identity: str) -> tuple[Vocabulary, Engine]:
    """A tokenizer and its engine, opened once in a worker: that takes as long as encoding 10 MB."""
    vocabulary = open_vocabulary(folder)
    return vocabulary, open_engine(vocabulary)


class DiffersError(Exception):
    """An engine's ids are not the library's: the shard is to be encoded by the library.

    Attributes:
        documents: of the sample that differ.
    """

    def __init__(self, documents: int) -> None:
        super().__init__(documents)
        self.documents = documents


def _encode(path: Path, prefix: Path, vocabulary: Vocabulary, engine: Engine) -> pa.Table:
    """Write the tokens of a Parquet shard and give the rows of its table of documents.

    Raises:
        DiffersError: a sampled document came out otherwise than by the library; nothing is left.
    """
    check = Check(vocabulary, fingerprint_of(path))
    parts = [TOKEN_DOCS.empty_table()]
    with write_indexed(prefix, vocabulary.entries) as writer, pq.ParquetFile(path, memory_map=True) as file:
        for number, batch in enumerate(file.iter_batches(_ROWS, columns=[*_READ, "text"])):
            texts = batch["text"]
            if differing := check.differing(engine, texts, number):
                raise DiffersError(differing)
            first = writer.tokens
            ids, sizes = engine.encode(texts)
            writer.add(ids, sizes)
            parts.append(docs_rows({name: batch[name] for name in _READ}, texts, first, sizes))
    return pa.concat_tables(parts)


def docs_rows(copied: Mapping[str, pa.Array], texts: pa.Array, first: int, sizes: npt.NDArray[np.int64]) -> pa.Table:
    """Rows of the table of documents.

    Args:
        copied: the columns that the documents bring along; missing ones are null. By `path` a withdrawn one is told.
        first: token of the shard at which the first of them begins.
        sizes: tokens of each, the end-of-text id counted.
    """
    buffer, offsets = text_buffers(texts)
    chars, eojeol = count_units(buffer, offsets)
    columns: dict[str, Any] = {name: copied.get(name, pa.nulls(len(sizes), pa.string())) for name in _COPIED}
    columns |= {
        "first_token": first + np.cumsum(sizes) - sizes,
        "tokens": sizes,
        "bytes": np.diff(offsets),
        "chars": chars,
        "eojeol": eojeol,
        "withdrawn": withdrawn_rows(copied["path"]) if "path" in copied else pa.repeat(False, len(sizes)),
    }
    return pa.table(columns).select(TOKEN_DOCS.names).cast(TOKEN_DOCS)


def _counts(split: str, docs: pa.Table) -> Counts:
    """In and kept, and told beside them: tokens by split, by source, by grant of rights."""
    counts: Counts = {}
    if gone := pc.sum(docs["withdrawn"]).as_py():
        add(counts, WITHDRAWN, documents=gone)
    add(counts, "in", documents=docs.num_rows, bytes=pc.sum(docs["bytes"]).as_py() or 0)
    docs = docs.filter(pc.invert(docs["withdrawn"]))
    amounts = {name: pc.sum(docs[name]).as_py() or 0 for name in ("bytes", "chars", "eojeol", "tokens")}
    add(counts, "kept", documents=docs.num_rows, **amounts)
    add(counts, f"split/{split}", documents=docs.num_rows, **amounts)
    for reason, column in (("source", "source"), ("rights", "rights_id")):
        sums = [(name, "sum") for name in amounts]
        for row in docs.group_by(column).aggregate([([], "count_all"), *sums]).to_pylist():
            told = {name: row[f"{name}_sum"] for name in amounts}
            add(counts, f"{reason}/{row[column]}", documents=row["count_all"], **told)
    return counts
