"""A run's folder as tokenize leaves it, made by hand: token shards, their documents, a tokenizer, the shards' list."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.documents import SHARDS, TOKEN_DOCS
from corpus.manifest import hash_file
from corpus.settings import Common, Target
from corpus.shards import JobContext, write_table
from pretrain.settings import ModelSettings, PretrainSettings
from pretrain.stage import train
from tokenizer.indexed import write_indexed

VOCABULARY = 64


def write_shard(path: Path, lengths: list[int], seed: int) -> None:
    """One token shard with documents of these lengths, their end of text (id 0) counted."""
    generator = np.random.Generator(np.random.Philox(seed))
    documents = [np.append(generator.integers(1, VOCABULARY, length - 1), 0) for length in lengths]
    with write_indexed(path, VOCABULARY) as writer:
        writer.add(np.concatenate(documents), lengths)
    starts = np.cumsum([0, *lengths[:-1]])
    rows = [
        dict.fromkeys(TOKEN_DOCS.names)
        | {"id": f"{row:032x}", "first_token": int(first), "tokens": n, "bytes": 3 * (n - 1), "withdrawn": False}
        for row, (first, n) in enumerate(zip(starts, lengths, strict=True))
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=TOKEN_DOCS), path.with_name(f"{path.name}.docs.parquet"))


def write_tokenizer(folder: Path) -> None:
    """A word-level tokenizer of VOCABULARY entries, end of text first."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = {"<|endoftext|>": 0} | {f"단어{number}": number for number in range(1, VOCABULARY - 1)}
    words["<|unknown|>"] = VOCABULARY - 1
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<|unknown|>"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(folder)


def make_run(run: Path) -> Path:
    """Tokens of some documents in two train shards and a valid one, listed as tokenize does."""
    write_shard(run / "tokens/train/00000", [5, 30, 12, 64, 1, 1, 40, 9] * 3, seed=1)
    write_shard(run / "tokens/train/00001", [100, 3, 50, 21] * 2, seed=2)
    write_shard(run / "tokens/valid/00000", [20, 33, 8], seed=3)
    write_tokenizer(run / "tokenizer")
    files = sorted(path for name in ("tokens", "tokenizer") for path in (run / name).rglob("*") if path.is_file())
    columns = {
        "name": [path.relative_to(run).as_posix() for path in files],
        "rows": [0] * len(files),
        "bytes": [path.stat().st_size for path in files],
        "fingerprint": [hash_file(path) for path in files],
    }
    write_table(run / "shards/tokenize.parquet", pa.table(columns, schema=SHARDS), SHARDS, JobContext(run, "0" * 32, 0))
    return run


@pytest.fixture(scope="session")
def tokenized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a fresh tokenized run each time it is called."""
    return lambda: make_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def trained(
    tokenized: Callable[[], Path], small: PretrainSettings, common: Common, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run trained to its end without a stop, on a machine where PATH leads nowhere: no c++, no deepspeed script."""
    run = tokenized()
    path = os.environ["PATH"]
    os.environ["PATH"] = str(tmp_path_factory.mktemp("empty"))
    try:
        train(run, small, common)
    finally:
        os.environ["PATH"] = path
    return run


@pytest.fixture(scope="session")
def common() -> Common:
    return Common("test", 7, date(2026, 1, 1), Target(), Path())


@pytest.fixture(scope="session")
def small() -> PretrainSettings:
    """Six steps of a model that trains in milliseconds, on two ranks with two micro-batches each."""
    model = ModelSettings(hidden=16, layers=1, heads=2, kv_heads=1, intermediate=32, context=16)
    return PretrainSettings(
        steps=6,
        model=model,
        global_batch=8,
        micro_batch=2,
        ranks=2,
        checkpoint_every=2,
        keep_last=2,
        validate_every=3,
        validation_tokens=100,
        say_every=2,
        device="cpu",
    )
