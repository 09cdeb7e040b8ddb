"""Cuts of promoted documents against the stage itself, over the same documents without the one that is withdrawn."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.documents import document_id
from dedup import stage
from dedup.promoted_cuts import promoted_cuts
from dedup.promotion import edited
from dedup.settings import DedupSettings, LineSettings, SubstringSettings
from dedup.unique import CUT_RULES

N = 24
BOTH = DedupSettings(
    lines=LineSettings(cut=True, documents=5, chars=8),
    substrings=SubstringSettings(cut=True, chars=N),
    similarity=1.0,
    bands=1,
    rows=32,
    cut_budget=0.6,
)
FOOTERS = ("이 사이트의 모든 자료는 옮겨 실을 수 없습니다", "가나출판 고객지원실 안내 전화 천이백삼십사 번")


def corpus(kit: Any, seed: int) -> list[str]:
    """Texts of seeded words and a few passages that several hold, most of them with footers."""
    rng = random.Random(seed)
    passages = ["".join(kit.korean_text(rng, 12).split()) for _ in range(6)]
    texts = []
    for _ in range(14):
        parts = [kit.korean_text(rng, rng.randrange(8, 30)) for _ in range(3)]
        parts += rng.sample(passages, rng.randrange(3))
        rng.shuffle(parts)
        texts.append("\n".join([*parts, *rng.sample(FOOTERS, rng.randrange(3))]))
    return texts


def made(kit: Any, run_phases: Any, run: Path, texts: list[str], settings: DedupSettings, *, first: bool) -> Path:
    """A run of two shards; the first document is an older copy of the last, kept by `decide` where that is asked."""
    run.mkdir()
    older = kit.Document("0000", texts[-1], keep=first, created=kit.day(1))
    documents = [older, *(kit.Document(f"{i:04d}", text, created=kit.day(2)) for i, text in enumerate(texts, 1))]
    kit.make_run(run, [documents[:6], documents[6:]])
    run_phases("dedup", stage, run, settings, kit.common(run))
    return run


def sides(run: Path, shard: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(run / "clusters" / f"{shard}.parquet").to_pylist()
    return rows


@pytest.mark.parametrize("seed", [0, 2, 3, 5])
def test_a_promoted_document_is_cut_as_if_it_had_been_kept(
    kit: Any, run_phases: Any, tmp_path: Path, seed: int
) -> None:
    texts = corpus(kit, seed)
    run = made(kit, run_phases, tmp_path / "with", texts, BOTH, first=True)
    without = made(kit, run_phases, tmp_path / "without", texts, BOTH, first=False)
    row, withdrawn = len(texts) - 6, {"00000": np.zeros(1, np.int64)}
    assert sides(run, "00001")[row]["witness"] == document_id("test", "0000")
    wanted = sides(without, "00001")[row]["cuts"]
    members = pa.table({"shard": ["00001"], "row": [row], "id": [document_id("test", f"{len(texts):04d}")]})
    found = promoted_cuts(run, members, edited(run, members), withdrawn, BOTH)
    columns = (found.spans[name].tolist() for name in ("start", "end", "rule"))
    told = [(start, end, CUT_RULES[rule]) for start, end, rule in zip(*columns, strict=True)]
    assert told == [(cut["start"], cut["end"], cut["rule"]) for cut in wanted]
