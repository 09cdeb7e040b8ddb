"""Tokens of what would count, estimated from a seeded sample: a ratio to the bytes, with its 95 % interval.

Encoding all of a submission would take longer than everything else; tokens follow bytes closely, so one document in a
hundred tells them to within a few per mille.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.errors import MissingExtraError
from hanjo.check_store import Store

SHARE = 0.01
FEWEST = 200  # documents of a sample, where there are as many
_BATCH = 256  # texts


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of some documents: the estimate and its 95 % interval, and the documents that were encoded for it.

    `low` and `high` are the estimate where all documents were encoded, None where one alone was.
    """

    tokens: int
    low: int | None
    high: int | None
    sampled: int
    documents: int


def sample_of(documents: npt.NDArray[Any], seed: int) -> npt.NDArray[Any]:
    """The documents to encode, ascending: one in a hundred, FEWEST at least."""
    wanted = min(len(documents), max(FEWEST, math.ceil(SHARE * len(documents))))
    drawn = np.random.Generator(np.random.Philox(seed)).choice(len(documents), wanted, replace=False)
    return np.sort(documents[drawn])


def estimate_tokens(store: Store, unique: npt.NDArray[np.bool_], tokenizer: Path, seed: int) -> Tokens:
    """Encode a sample of the unique documents and scale it to all of them by bytes.

    Raises:
        SourceError: the folder is no readable tokenizer.
        MissingExtraError: no scipy for the interval.
    """
    from tokenizer.vocabulary import open_vocabulary, threads

    vocabulary = open_vocabulary(tokenizer)
    documents = np.flatnonzero(unique)
    if not len(documents):
        return Tokens(0, 0, 0, 0, 0)
    sample = sample_of(documents, seed)
    counts: list[int] = []
    sizes: list[int] = []
    with threads(True):
        for start in range(0, len(sample), _BATCH):
            texts = store.texts(sample[start : start + _BATCH]).to_pylist()
            encoded = vocabulary.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            counts += [len(one.ids) + 1 for one in encoded]  # and the end of text
            sizes += [len(text.encode()) for text in texts]
    total = int(store.column("bytes")[documents].sum(dtype=np.int64))
    return scaled(counts, sizes, total, len(documents))


def scaled(counts: list[int], sizes: list[int], total: int, documents: int) -> Tokens:
    """The estimate for `total` bytes in so many documents, from the tokens and bytes of a sample of them."""
    if len(counts) == documents:
        return Tokens(sum(counts), sum(counts), sum(counts), documents, documents)
    try:
        from eval.uncertainty import per_byte

        # A ratio of two sums over documents, as bits per byte is one; that divides by ln 2, so multiply by it.
        ratio = per_byte([math.log(2) * count for count in counts], sizes)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"the interval of an estimate needs {error.name}", extra="eval") from error
    low, high = ratio.low, ratio.high
    return Tokens(
        round(ratio.value * total),
        None if low is None else round(low * total),
        None if high is None else round(high * total),
        len(counts),
        documents,
    )
