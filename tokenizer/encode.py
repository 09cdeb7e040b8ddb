"""Documents to tokens: unique/SPLIT/NNNNN.parquet → tokens/SPLIT/NNNNN.bin, .idx and .docs.parquet. Comes after train.

Every document ends with one end-of-text id, which is counted. Row i of the docs table is document i of the shard and
row i of the unique shard. No document is written without the rights that the run's target needs.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import TOKEN_DOCS, UNIQUE
from corpus.errors import RightsError, StaleError
from corpus.rights import lacking, read_rights
from corpus.settings import Right
from corpus.shards import Counts, JobContext, Outcome, Output, add, read_table, write_table
from corpus.staging import WITHDRAWN, withdrawn_rows
from tokenizer.indexed import IndexedWriter, bin_path, idx_path, write_indexed
from tokenizer.train import FOLDER
from tokenizer.vocabulary import Vocabulary, content_hash, open_vocabulary, threads

SPLITS = ("train", "valid", "test")
DOCS = ".docs.parquet"
_COPIED = ("id", "source", "contributor", "rights_id", "lang", "domain")
_ROWS = 4096  # documents read at a time
_CHUNK = 1 << 18  # characters encoded at a time: the library needs about 100 bytes of memory a token
_SAFE_CUT = re.compile(r"\n(?=\w)")  # no piece of our pattern reaches over the start of a line that begins with a word


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
    vocabulary = open_vocabulary(folder)
    prefix = context.run / "tokens" / split / path.stem
    parts = [TOKEN_DOCS.empty_table()]
    with (
        threads(False),
        write_indexed(prefix, vocabulary.entries) as writer,
        pq.ParquetFile(path, memory_map=True) as file,
    ):
        for batch in file.iter_batches(_ROWS, columns=[*_COPIED, "path", "text"]):
            first = writer.tokens
            sizes = encode_texts(vocabulary, batch["text"].to_pylist(), writer)
            parts.append(_docs(batch, first, sizes))
    table = pa.concat_tables(parts)
    docs = write_table(prefix.with_name(prefix.name + DOCS), table, TOKEN_DOCS, context, of=of)
    files = [
        Output(one.relative_to(context.run).as_posix(), table.num_rows, one.stat().st_size, context.fingerprint)
        for one in (bin_path(prefix), idx_path(prefix))
    ]
    return Outcome((*files, docs), _counts(split, table))


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


def encode_texts(vocabulary: Vocabulary, texts: Sequence[str], writer: IndexedWriter) -> npt.NDArray[np.int64]:
    """Encode documents and append them to a shard.

    Returns:
        int64 (documents,): tokens of each, the end-of-text id counted.
    """
    sizes: list[int] = []
    end = np.array([vocabulary.end_of_text])
    for chunk in _chunks(texts):
        pieces = [_pieces(text) if vocabulary.lines_apart else [text] for text in chunk]
        encoded = _encoded(vocabulary, [piece for document in pieces for piece in document])
        for document in pieces:
            ids = [next(encoded) for _ in document]
            writer.add(np.concatenate([*ids, end]), [sum(map(len, ids)) + 1])
            sizes.append(sum(map(len, ids)) + 1)
    return np.array(sizes, np.int64)


def _encoded(vocabulary: Vocabulary, pieces: Sequence[str]) -> Iterator[npt.NDArray[np.int32]]:
    """Ids of each piece; the library's own objects, about 100 bytes a token, live for one batch only."""
    for batch in _chunks(pieces):
        for encoding in vocabulary.tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            yield np.array(encoding.ids, np.int32)


def _chunks(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in order, in lists of about _CHUNK characters; a longer text stands alone."""
    chunk: list[str] = []
    held = 0
    for text in texts:
        if chunk and held + len(text) > _CHUNK:
            yield chunk
            chunk, held = [], 0
        chunk.append(text)
        held += len(text)
    if chunk:
        yield chunk


def _pieces(text: str, aim: int = _CHUNK) -> list[str]:
    """A text in pieces of about `aim` characters that encode, one after another, to the ids of the whole."""
    pieces, start = [], 0
    while len(text) - start > aim:
        cut = _SAFE_CUT.search(text, start + aim - 1)
        if cut is None:
            break
        pieces.append(text[start : cut.end()])
        start = cut.end()
    return [*pieces, text[start:]]


def _docs(batch: pa.RecordBatch, first: int, sizes: npt.NDArray[np.int64]) -> pa.Table:
    """Rows of the docs table for a batch whose first token is `first`."""
    texts = batch["text"]
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pc.list_value_length(pc.utf8_split_whitespace(trimmed))  # 1 for an empty string
    starts = first + np.cumsum(sizes) - sizes
    columns = {name: batch[name] for name in _COPIED} | {
        "first_token": starts,
        "tokens": sizes,
        "bytes": pc.binary_length(texts),
        "chars": pc.utf8_length(texts),
        "eojeol": pc.if_else(pc.equal(pc.binary_length(trimmed), 0), 0, words),
        "withdrawn": withdrawn_rows(batch["path"]),
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
