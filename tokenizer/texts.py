"""Texts from files or runs for the commands that learn from them or measure on them; no stage.

A file is JSON Lines (also .gz, .zst) or Parquet, read by `dedup.near_file.Records`, which names file and line of what
cannot be read. A run gives the text that dedup left, of the splits asked for.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.documents import UNIQUE
from corpus.errors import UsageError
from corpus.settings import parse_size
from corpus.shards import read_table
from dedup.near_file import Records

LEARN, HELD_OUT = ("train",), ("valid", "test")
SPLITS = (*LEARN, *HELD_OUT)
_FEWEST = 8  # documents that a measure has room for, however long they are
_CHARACTER = 4  # bytes, at most


def read_texts(paths: Sequence[Path], field: str = "text", splits: Sequence[str] = LEARN) -> Iterator[str]:
    """Texts of files and runs, in order, streamed.

    Args:
        field: of the text in files.
        splits: of runs.

    Raises:
        UsageError: no such file or run. SourceError: a record that cannot be read; with its line or row.
    """
    for path in paths:
        for records in text_files(path, field, splits):
            for batch in records.batches():
                yield from batch.to_pylist()


def text_files(path: Path, field: str, splits: Sequence[str]) -> list[Records]:
    """The files behind one path that was given: itself, or a run's shards.

    Raises:
        UsageError: no such file or run.
    """
    if path.is_file():
        return [Records(path, field)]
    shards = [shard for split in splits for shard in sorted((path / "unique" / split).glob("*.parquet"))]
    if not shards:
        told = "no run whose dedup has finished" if path.is_dir() else "no such file"
        raise UsageError(told, where=str(path), fix="give JSON Lines or Parquet files, or a run's folder")
    return [Records(shard) for shard in shards]


def read_domains(paths: Sequence[Path], field: str = "text") -> Iterator[tuple[str, str]]:
    """Pairs of domain and text: of a run's held-out splits by their column, of a file by its name."""
    for path in paths:
        for records in text_files(path, field, HELD_OUT):
            if path.is_file():
                name = path.name.split(".")[0]
                for batch in records.batches():
                    yield from ((name, text) for text in batch.to_pylist())
            else:
                table = read_table(records.path, ["domain", "text"], schema=UNIQUE)
                yield from zip(table["domain"].to_pylist(), table["text"].to_pylist(), strict=True)


def sampled(texts: Iterable[str], seed: int, size: int) -> list[str]:
    """At most `size` bytes of texts, drawn by a keyed hash of their numbers, in their order; all where they fit.

    One pass; memory for the texts that are kept. The same texts, seed and size give the same sample.
    """
    return [text for _, text in sampled_pairs((("", text) for text in texts), seed, size)]


def sampled_pairs(pairs: Iterable[tuple[str, str]], seed: int, size: int) -> list[tuple[str, str]]:
    """The same of texts that carry a name."""
    kept: list[tuple[bytes, int, tuple[str, str], int]] = []  # a heap with the largest hash first
    held = 0
    for number, pair in enumerate(pairs):
        key = hashlib.blake2b(f"hanjo.texts/{seed}/{number}".encode(), digest_size=8).digest()
        length = len(pair[1].encode())
        heapq.heappush(kept, (bytes(255 - byte for byte in key), number, pair, length))
        held += length
        while held > size:
            held -= heapq.heappop(kept)[3]
    return [pair for _, _, pair, _ in sorted(kept, key=lambda one: one[1])]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Texts to measure on.

    Attributes:
        documents: how many there were to choose from, all with text.
        cut: of `texts`, those of which only the beginning is taken.
    """

    texts: list[str]
    documents: int
    cut: int = 0

    def told(self) -> str:
        """How much it is, for a person."""
        size = sum(len(text.encode()) for text in self.texts)
        told = f"{len(self.texts):,} of {self.documents:,} held-out documents, {size:,} bytes"
        return f"{told} (of {self.cut:,} the beginning)" if self.cut else told


def drawn_to_measure(texts: Iterable[str], seed: int, size: int | None) -> HeldOut:
    """Whole documents of at most `size` bytes together, by a keyed hash of their numbers, in their order; None: all.

    So that no long one takes the place of all others, and a standard error can be told, a document longer than an
    eighth of `size` counts with so much of its beginning, cut where a character ends. One pass; memory for `size`.
    """
    longest = None if size is None else max(size // _FEWEST, _CHARACTER)
    kept: list[tuple[int, int, str, int, bool]] = []  # a heap with the largest key first
    held = documents = 0
    for number, text in enumerate(texts):
        if not text:
            continue
        documents += 1
        data = text.encode()
        shorter = longest is not None and len(data) > longest
        part = data[:longest].decode("utf-8", "ignore") if shorter else text
        key = hashlib.blake2b(f"hanjo.measure/{seed}/{number}".encode(), digest_size=8).digest()
        length = len(part.encode())
        heapq.heappush(kept, (-int.from_bytes(key, "big"), number, part, length, shorter))
        held += length
        while size is not None and held > size and len(kept) > 1:
            held -= heapq.heappop(kept)[3]
    ordered = sorted(kept, key=lambda one: one[1])
    return HeldOut([one[2] for one in ordered], documents, sum(one[4] for one in ordered))


def apart(
    corpus: Sequence[Path], valid: Sequence[Path], field: str, seed: int, learn: int, measure: int | None
) -> tuple[list[str], HeldOut]:
    """Texts to learn from and others to measure on, at most so many bytes of each (None: all).

    A run's train split is learned from, its valid and test splits are measured on. Of files a seeded tenth of the
    texts is held out, unless `valid` names what to measure on; a text that comes twice is on one side only.
    """
    if valid:
        measured = drawn_to_measure(read_texts(valid, field, HELD_OUT), seed, measure)
        return sampled(read_texts(corpus, field), seed, learn), measured
    runs, files = [path for path in corpus if path.is_dir()], [path for path in corpus if not path.is_dir()]
    learned = itertools.chain(
        read_texts(runs, field), (text for text in read_texts(files, field) if not _held_out(text, seed))
    )
    measured = drawn_to_measure(
        itertools.chain(
            read_texts(runs, field, HELD_OUT), (text for text in read_texts(files, field) if _held_out(text, seed))
        ),
        seed,
        measure,
    )
    return sampled(learned, seed, learn), measured


def _held_out(text: str, seed: int) -> bool:
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=f"hanjo.held-out/{seed}".encode()).digest()
    return int.from_bytes(digest, "big") % 10 == 0


def byte_size(written: str) -> int:
    """Bytes of a size as people write it.

    Raises:
        UsageError: it is none.
    """
    try:
        return int(str(parse_size(written)))
    except ValueError as error:
        raise UsageError(str(error)) from error
