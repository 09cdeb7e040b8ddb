"""Fixtures of the deduplication tests: small runs as collect, measure and decide leave them, and edited copies."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.documents import DOCUMENTS, EDITS, SHARDS, VERDICTS, document_id, text_hash
from corpus.edits import Edit
from corpus.settings import Common, Target
from corpus.shards import JobContext, Output, write_table

_STEMS = """
학교 도서관 연구 정부 시장 경제 사람 음악 바다 하늘 나무 역사 기술 언어 문화 여행 음식 건강 계획 과정 결과 문제 방법
시간 세계 사회 생각 마음 이야기 지역 자료 발표 변화 관계 의견 조사 기준 내용 분야 활동
"""
_ENDINGS = "은 는 이 가 을 를 에서 에게 으로 와 과 의 도 만 부터 까지 하고 했다 한다 하며 했고 하는 였다"
SWAPS = {"은": "는", "는": "은", "을": "를", "를": "을", "이": "가", "가": "이", "와": "과", "과": "와"}


@dataclass(frozen=True)
class Document:
    """A document of a test run; `key` decides its id."""

    key: str
    text: str
    keep: bool = True
    created: datetime | None = None
    path: str = "a.jsonl"
    edits: tuple[Edit, ...] = ()


def common(base: Path, seed: int = 1) -> Common:
    return Common("test", seed, date(2025, 1, 1), Target(), base)


def make_run(run: Path, shards: Sequence[Sequence[Document]]) -> Path:
    """Write documents/, edits/, verdicts/ and the lists of shards."""
    lists: dict[str, list[Output]] = {"collect": [], "measure": [], "decide": []}
    for number, shard in enumerate(shards):
        name, context = f"{number:05d}.parquet", JobContext(run, f"{number:032x}", 1 << 28)
        rows = [
            {
                "id": document_id("test", one.key),
                "text": one.text,
                "source": "test",
                "contributor": "someone",
                "rights_id": "r",
                "path": one.path,
                "offset": offset,
                "length": len(one.text.encode()),
                "lang": "ko",
                "domain": "web",
                "origin": "natural",
                "url": None,
                "created": one.created,
                "text_hash": text_hash(one.text),
                "meta": "{}",
            }
            for offset, one in enumerate(shard)
        ]
        documents = pa.Table.from_pylist(rows, schema=DOCUMENTS)
        lists["collect"].append(write_table(run / "documents" / name, documents, DOCUMENTS, context))
        edits = pa.Table.from_pylist([{"edits": [edit._asdict() for edit in one.edits]} for one in shard], schema=EDITS)
        verdicts = pa.Table.from_pylist(
            [{"keep": one.keep, "rule": None if one.keep else "length.short"} for one in shard], schema=VERDICTS
        )
        of = context.fingerprint
        lists["measure"].append(write_table(run / "edits" / name, edits, EDITS, context, of=of))
        lists["decide"].append(write_table(run / "verdicts" / name, verdicts, VERDICTS, context, of=of))
    for stage, outputs in lists.items():
        rows = [{"name": o.path, "rows": o.rows, "bytes": o.bytes, "fingerprint": o.fingerprint} for o in outputs]
        table = pa.Table.from_pylist(rows, schema=SHARDS)
        write_table(run / "shards" / f"{stage}.parquet", table, SHARDS, JobContext(run, "0" * 32, 0))
    return run


def korean_text(rng: random.Random, eojeol: int) -> str:
    """Made-up Korean: stems with endings, a line break now and then."""
    stems, endings = _STEMS.split(), _ENDINGS.split()
    words = [rng.choice(stems) + rng.choice(endings) + rng.choice(("", "", "", ".")) for _ in range(eojeol)]
    return " ".join(words).replace(". ", ".\n")


def changed(text: str, kind: str, rate: float, rng: random.Random) -> str:
    """A copy with a share of its eojeol replaced, particles swapped, or spaces removed."""
    words = text.split(" ")
    if kind == "replace":
        return " ".join(korean_text(rng, 1) if rng.random() < rate else word for word in words)
    if kind == "particle":
        swapped = [w[:-1] + SWAPS[w[-1]] if w[-1] in SWAPS and rng.random() < rate * 5 else w for w in words]
        return " ".join(swapped)
    return words[0] + "".join(("" if rng.random() < rate * 5 else " ") + word for word in words[1:])


def day(number: int) -> datetime:
    return datetime(2020, 1, number, tzinfo=UTC)


@dataclass(frozen=True)
class Kit:
    """What the test files share (they cannot import one another)."""

    Document: type[Document]
    make_run: Callable[..., Path]
    common: Callable[..., Common]
    korean_text: Callable[..., str]
    changed: Callable[..., str]
    day: Callable[[int], datetime]


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit(Document, make_run, common, korean_text, changed, day)
