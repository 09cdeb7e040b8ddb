"""What one core of this machine does, in a few seconds: the stage's own functions over made text, in a scratch folder.

The text is of made words, drawn as unevenly as real ones: the kernels care little, and it packs much as real text.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.shards import JobContext
from dedup.bands import link, shared
from dedup.inputs import format_ids, parse_ids
from dedup.minhash import band_keys, sign
from dedup.plan import Rates
from dedup.runs import read_run, write_run
from dedup.shingles import shingle_sets
from dedup.splits import split_of
from dedup.verify import jaccard

_BYTES = 24_000_000
_BANDS, _ROWS = 32, 4
_WORDS = 20_000
_OPENED = 500
_RUNS = 2  # of each; the faster counts


def made_texts(size: int, mean_bytes: int, seed: int = 1) -> pa.LargeStringArray:
    """About `size` bytes of made words, the frequent ones often, in documents of about the same length; of every
    second one nine tenths are those of the one before, so that comparisons do not end early."""
    rng = np.random.default_rng(seed)
    syllables = rng.integers(0xAC00, 0xAC00 + 2350, (_WORDS, 5)).astype("<u4")
    words = [row[: rng.integers(1, 6)].tobytes().decode("utf-32-le") for row in syllables]
    frequency = 1 / np.arange(1.0, _WORDS + 1)
    length, count = max(2, mean_bytes // 10), max(16, size // mean_bytes // 2 * 2)  # a word and its space: 10 bytes
    drawn = rng.choice(_WORDS, (count, length), p=frequency / frequency.sum())
    drawn[1::2, : length * 9 // 10] = drawn[::2, : length * 9 // 10]
    return pa.array([" ".join([words[i] for i in row]) for row in drawn.tolist()], pa.large_string())


def measure(mean_bytes: int = 1000, size: int = _BYTES) -> Rates:
    """Measure every rate on one core; the kernels are compiled before (at the first time on a machine, a minute)."""
    texts = made_texts(size, mean_bytes)
    _measure(texts.slice(0, 16))
    return _measure(texts)


def _measure(texts: pa.LargeStringArray) -> Rates:
    total, count = texts.nbytes, len(texts)
    table = pa.table({"text": texts})
    with tempfile.TemporaryDirectory() as folder:
        path, context = Path(folder) / "texts.parquet", JobContext(Path(folder), "0" * 32, 1 << 30)
        write = _seconds(lambda: pq.write_table(table, path, compression="zstd", use_dictionary=False))
        read = _seconds(lambda: pq.read_table(path, memory_map=True)["text"].combine_chunks())
        signing = _seconds(lambda: sign(texts, 5, _BANDS * _ROWS))
        values = sign(texts, 5, _BANDS * _ROWS).values
        banding = _seconds(lambda: _bands(context, values))
        gathering = _seconds(lambda: write_run(context, "hashes", "0", {"value": shingle_sets(texts, 5).values}))
        sets = shingle_sets(texts, 5)
        left = np.arange(0, count, 2)
        comparing = _seconds(lambda: jaccard(sets, left, sets, left + 1, 0.6))
        noting = _seconds(lambda: _documents(context, values))
        write_run(context, "few", "0", {"number": left[:8]})
        opening = _seconds(lambda: [read_run(context.run, "few", "0") for _ in range(_OPENED)])
    return Rates(
        read=total / read,
        sign=total / signing,
        keys=count * _BANDS / banding,
        sets=total / gathering,
        compare=total / 2 / comparing,
        write=total / write,
        documents=count / noting,
        opens=_OPENED / opening,
    )


def _bands(context: JobContext, values: np.ndarray) -> None:
    keys = band_keys(values, _BANDS, _ROWS).reshape(-1)
    order = np.argsort(keys)
    owners = np.repeat(np.arange(len(values), dtype=np.int32), _BANDS)[order]
    write_run(context, "bands", "0", {"key": keys[order], "row": owners})
    several = shared(keys)
    link(keys[several], owners[several].astype(np.int64), 8)


def _documents(context: JobContext, values: np.ndarray) -> None:
    """What is done once for each document, as far as it takes time: ids, orders, hashes to split by, verdicts."""
    high, low = (values[:, i : i + 2].copy().view(np.uint64)[:, 0] for i in (0, 2))
    for _ in range(3):
        np.lexsort((low, high))
    ids = format_ids(high, low)
    parse_ids(ids, "")
    split = pa.array([split_of(name, 1, 0.01, 0.01) for name in ids.to_pylist()])
    write_run(context, "facts", "0", {"hi": high, "lo": low})
    pq.write_table(pa.table({"id": ids, "cluster": ids, "split": split}), context.run / "rows.parquet")


def _seconds(call: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_RUNS):
        started = time.process_time()
        call()
        best = min(best, time.process_time() - started)
    return best
