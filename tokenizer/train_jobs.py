"""The jobs that put a tokenizer into run/tokenizer/: one learned from the sample, or one taken over as it is."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import pyarrow.parquet as pq

from corpus.errors import SourceError
from corpus.privacy import PLACEHOLDERS
from corpus.shards import Counts, JobContext, Outcome, Output, add, atomic_path
from tokenizer.kinds import Border, Digits, Kind, files_of, write_trained
from tokenizer.vocabulary import FILES, content_hash, open_vocabulary

FOLDER = "tokenizer"
_BATCH = 1000  # documents read at a time


def train_job(
    context: JobContext,
    *,
    samples: list[str],
    vocab_size: int,
    min_frequency: int,
    kind: Kind = "byte-bpe",
    borders: Border = "eojeol",
    digits: Digits = "single",
    sample_bytes: int | None = None,
) -> Outcome:
    """Exchange: all samples → run/tokenizer/.

    Args:
        sample_bytes: the samples carry numbers (`tokenizer/weighted_sampling.py`): read them in the order of these, at
            most so many bytes; None: one after the other, all of them.
    """
    paths = [context.run / path for path in samples]
    texts = _texts(paths) if sample_bytes is None else _first(paths, sample_bytes)
    write_trained(
        texts,
        context.run / FOLDER,
        kind=kind,
        borders=borders,
        digits=digits,
        vocab_size=vocab_size,
        min_frequency=min_frequency,
    )
    _keep_only(context.run / FOLDER, files_of(kind))
    return _outcome(context, PLACEHOLDERS)


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=["text"]):
                yield from batch["text"].to_pylist()


def _first(paths: Iterable[Path], size: int) -> Iterator[str]:
    """Texts of all files by their numbers, the last one cut to fit, as `tokenizer.sample.Sample` gives them."""
    left = size
    for _, text in heapq.merge(*map(_numbered, paths), key=itemgetter(0)):
        if left <= 0:
            return
        data = text.encode()
        yield text if len(data) <= left else data[:left].decode("utf-8", "ignore")
        left -= len(data)


def _numbered(path: Path) -> Iterator[tuple[float, str]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH, columns=["number", "text"]):
            yield from zip(batch["number"].to_pylist(), batch["text"].to_pylist(), strict=True)


def take_over(context: JobContext, *, given: str, folder: Path) -> Outcome:
    """Copy an existing tokenizer's files into run/tokenizer/, unchanged.

    Placeholders that it does not know stay ordinary text: adding entries is a matter of the model too. The count
    `vocabulary` tells how many it knows.

    Args:
        given: content hash of the folder, as planned.
        folder: of this machine.

    Raises:
        SourceError: the folder is no readable tokenizer, or was changed meanwhile.
    """
    open_vocabulary(folder)
    names = [name for name in FILES if (folder / name).is_file()]
    for name in names:
        with atomic_path(context.run / FOLDER / name) as temporary:
            temporary.write_bytes((folder / name).read_bytes())
    _keep_only(context.run / FOLDER, names)
    if content_hash(context.run / FOLDER) != given:
        raise SourceError("the tokenizer was changed while it was copied", where=str(folder), fix="run again")
    return _outcome(context, PLACEHOLDERS)


def _keep_only(folder: Path, names: Sequence[str]) -> None:
    """Remove what another tokenizer left: it would count as part of this one."""
    for name in set(FILES).difference(names):
        (folder / name).unlink(missing_ok=True)


def _outcome(context: JobContext, placeholders: Sequence[str]) -> Outcome:
    """The files as outputs, the vocabulary as a count, the content hash as a fact for the jobs that encode."""
    folder = context.run / FOLDER
    vocabulary = open_vocabulary(folder)
    added = vocabulary.tokenizer.get_added_tokens_decoder().values()
    counts: Counts = {}
    add(
        counts,
        "vocabulary",
        entries=vocabulary.entries,
        placeholders=sum(token.content in placeholders and not token.special for token in added),
        reserved=sum(token.content.startswith("<|reserved_") for token in added),
    )
    outputs = tuple(
        Output(f"{FOLDER}/{name}", vocabulary.entries, (folder / name).stat().st_size, context.fingerprint)
        for name in FILES
        if (folder / name).is_file()
    )
    return Outcome(outputs, counts, {"tokenizer": content_hash(folder)})
