"""A small run as pretrain leaves it: a tiny Llama, a byte-level tokenizer trained here, a test split in two shards."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from corpus.documents import SHARDS, UNIQUE, document_id, text_hash
from corpus.settings import Common, Target
from corpus.shards import JobContext, Output, write_table
from eval.stage import EvaluateSettings, phases

SEED = 7
CONTEXT = 64
SENTENCES = (
    "한 조는 일조를 뜻한다. ",
    "모델은 바이트마다 몇 비트가 드는지로 잰다. ",
    "문서는 하나씩 처음부터 끝까지 읽힌다. ",
    "전화는 <|phone|>로 하십시오. ",
)
TEXTS = (
    "가",
    "짧은 글이다.",
    "".join(SENTENCES),
    "".join(SENTENCES) * 3,
    "".join(SENTENCES) * 8,
    "끝 표시 <|endoftext|>가 글 속에 적혀 있다. " * 2,
    "<|endoftext|>로 시작하는 글.",
    *(f"{number}번째 문서이다. " + SENTENCES[number % 4] * (1 + number % 5) for number in range(12)),
)


@pytest.fixture(scope="session")
def common() -> Common:
    return Common("small", SEED, datetime.date(2026, 1, 1), Target(), Path())


@pytest.fixture(scope="session")
def settings() -> EvaluateSettings:
    return EvaluateSettings(items=12, batch_size=4, threads=1, device="cpu")


@pytest.fixture
def make_run(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Any:
    """`make_run()` → a fresh run folder, pretrain and dedup done."""
    return lambda: _make_run(tmp_path_factory.mktemp("run"), model_folder)


@pytest.fixture(scope="session")
def evaluated(
    tmp_path_factory: pytest.TempPathFactory, model_folder: Path, settings: EvaluateSettings, common: Common
) -> Path:
    """A run whose evaluate stage has been carried out, once for all tests."""
    run = _make_run(tmp_path_factory.mktemp("evaluated"), model_folder)
    (job,) = next(phases(run, settings, common)).jobs
    job.call(JobContext(run, "e" * 32, 1 << 30), **job.arguments)
    return run


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported model: another seed's first weights, so that it differs from the run's untrained twin."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    from pretrain.model import untrained
    from pretrain.settings import ModelSettings

    folder = tmp_path_factory.mktemp("model")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_tokens([AddedToken("<|phone|>", normalized=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")
    fast.save_pretrained(folder)
    shape = ModelSettings(hidden=32, layers=2, heads=4, kv_heads=2, intermediate=64, context=CONTEXT)
    untrained(shape, len(fast), 0, SEED + 1).save_pretrained(folder)
    return folder


def _make_run(run: Path, model_folder: Path) -> Path:
    context = JobContext(run, "d" * 32, 1 << 30)
    (run / "pretrain").mkdir()
    (run / "pretrain" / "model").symlink_to(model_folder)
    half = len(TEXTS) // 2
    shards = [
        write_table(run / "unique" / "test" / name, _unique(texts), UNIQUE, context)
        for name, texts in (("00000.parquet", TEXTS[:half]), ("00001.parquet", TEXTS[half:]))
    ]
    _list_shards(run, "dedup", shards)
    files = sorted((run / "pretrain" / "model").iterdir())
    _list_shards(run, "pretrain", [Output(f"pretrain/model/{p.name}", 0, p.stat().st_size, "f" * 32) for p in files])
    return run


def _unique(texts: tuple[str, ...]) -> pa.Table:
    columns: dict[str, Any] = {name: [None] * len(texts) for name in UNIQUE.names}
    columns["id"] = [document_id("test", text) for text in texts]
    columns["text"], columns["text_hash"] = list(texts), [text_hash(text) for text in texts]
    return pa.table(columns, schema=UNIQUE)


def _list_shards(run: Path, stage: str, outputs: list[Output]) -> None:
    rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in outputs]
    table = pa.Table.from_pylist(rows, schema=SHARDS)
    write_table(run / "shards" / f"{stage}.parquet", table, SHARDS, JobContext(run, "0" * 32, 1 << 30))
