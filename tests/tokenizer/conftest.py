"""A run that dedup has finished, small, with Korean text, and a tokenizer trained on such text."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer

from corpus.documents import SHARDS, UNIQUE, document_id, text_hash
from corpus.privacy import PLACEHOLDERS
from corpus.rights import Rights, rights_id, rights_row, write_rights
from corpus.settings import Common, Target
from corpus.shards import JobContext, Outcome, Output, fingerprint_of, write_table
from tokenizer.encode import encode_shard
from tokenizer.train import train_tokenizer, write_tokenizer
from tokenizer.vocabulary import content_hash

SENTENCES = (
    "한국어 문장은 띄어쓰기를 하고 조사가 붙는다.",
    "사용자는 파일을 열어 내용을 바꾸고 저장한다.",
    "법원은 원고의 청구를 기각하였다.",
    "서울에서 API를 호출하면 2024년 결과를 JSON으로 돌려준다.",
    "ㅋㅋㅋ 정말 재미있어요 안녕하세요 반갑습니다",
    "學校 앞에서 만나자 그리고 오늘은 날씨가 맑다",
)
WORDS = [word for sentence in SENTENCES for word in sentence.split()]
GRANT = Rights(True, True, True, True, True, "", None, "CC0-1.0", "test")
MakeRun = Callable[..., Path]


@pytest.fixture(autouse=True)
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """No syncing to disk: a stage's 256 id buckets spend seconds on it, and no test here pulls the plug."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def korean(count: int, seed: int = 0) -> list[str]:
    """Documents of seeded words, a few lines each."""
    random = np.random.Generator(np.random.Philox(seed))
    lines = [" ".join(random.choice(WORDS, 8)) for _ in range(3 * count)]
    return ["\n".join(lines[3 * i : 3 * i + 3]) for i in range(count)]


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return korean(300)


@pytest.fixture(scope="session")
def trained(texts: list[str]) -> Tokenizer:
    return train_tokenizer(texts, vocab_size=450, min_frequency=2, placeholders=PLACEHOLDERS)


@pytest.fixture(scope="session")
def folder(trained: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(trained, path)
    return path


@pytest.fixture
def common(tmp_path: Path) -> Common:
    return Common("test", 7, datetime.date(2026, 1, 1), Target(), tmp_path)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run({"train/00000": texts, …})` → a run's folder with unique shards and rights as dedup leaves them.

    All texts are of one source, unless `source_of` says of which each is.
    """

    def make(
        shards: dict[str, list[str]], grant: Rights = GRANT, source_of: Callable[[str], str] = lambda text: "books"
    ) -> Path:
        run = tmp_path / "run"
        made = [_unique(run, name, documents, grant, source_of) for name, documents in shards.items()]
        sources = sorted({source_of(text) for documents in shards.values() for text in documents} | {"books"})
        rows = [rights_row("me", source, grant) for source in sources]
        write_rights(run, rows, JobContext(run, "f" * 32, 1 << 30))
        rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in made]
        table = pa.Table.from_pylist(rows, schema=SHARDS)
        write_table(run / "shards" / "dedup.parquet", table, SHARDS, JobContext(run, "0" * 32, 1 << 30))
        return run

    return make


@pytest.fixture
def encoded(folder: Path) -> Callable[[Path], Outcome]:
    """`encoded(run)`: encodes train/00000 of such a run as the stage would, with the trained tokenizer.

    A tokenizer that the run has already is left as it is.
    """

    def encode(run: Path) -> Outcome:
        if not (run / "tokenizer").exists():
            shutil.copytree(folder, run / "tokenizer")
        shard = "unique/train/00000.parquet"
        return encode_shard(
            JobContext(run, "e" * 32, 1 << 30),
            split="train",
            shard=shard,
            of=fingerprint_of(run / shard),
            tokenizer=content_hash(folder),
            rights=["train"],
            as_of="2026-01-01",
        )

    return encode


def _unique(run: Path, name: str, documents: list[str], grant: Rights, source_of: Callable[[str], str]) -> Output:
    rows = [
        {
            "id": document_id("books", f"{name}/{row}"),
            "text": text,
            "source": source_of(text),
            "contributor": "me",
            "rights_id": rights_id("me", source_of(text), grant),
            "path": "a.jsonl",
            "offset": row,
            "length": len(text.encode()),
            "lang": "ko",
            "domain": "web",
            "origin": "natural",
            "text_hash": text_hash(text),
            "meta": "{}",
            "cluster": document_id("books", f"{name}/{row}"),
            "size": 1,
        }
        for row, text in enumerate(documents)
    ]
    context = JobContext(run, text_hash(name + "".join(documents)).hex(), 1 << 30)
    return write_table(run / "unique" / f"{name}.parquet", pa.Table.from_pylist(rows, schema=UNIQUE), UNIQUE, context)
