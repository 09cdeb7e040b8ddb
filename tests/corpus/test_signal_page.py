"""docs/signals.md is what the definitions and the sample say, and its histograms are right."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.errors import SourceError
from corpus.rules import RULES
from corpus.signal_page import sample_texts, signal_page, sparkline
from corpus.signals import NAMES

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_in_docs_is_the_one_made_from_the_definitions() -> None:
    made = signal_page(ROOT / "recipes" / "sample")
    page = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
    assert page == made, "run: hanjo corpus signals --doc recipes/sample > docs/signals.md"


def test_the_page_names_every_signal_and_every_rule() -> None:
    page = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
    assert all(f"\n| `{name}` | " in page for name in NAMES)
    assert all(f"`{rule.id}` " in page for rule in RULES)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert {row.replace("\\|", "").count("|") for row in rows} == {7}


def test_a_sparkline_shows_ends_median_and_the_square_roots_of_the_counts() -> None:
    assert sparkline(np.zeros(5)) == "0 (nearly all)"
    values = np.repeat(np.arange(16) / 15, [64] + [1] * 14 + [16])
    line = sparkline(values)
    assert line.startswith("0 `█▁") and line.endswith("▄` 1; 0")


def test_texts_come_in_the_order_of_names_and_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["셋"]}), tmp_path / "c.parquet")
    (tmp_path / "a.jsonl").write_bytes('{"text": "하나"}\n{"text": 1}\n{"no": "x"}\n\n{"text": "끊\n'.encode())
    decomposed = json.dumps({"text": "\u1103\u116e\u11af\r\n둘"}, ensure_ascii=False)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(decomposed.encode()))
    assert list(sample_texts(tmp_path)) == ["하나", "둘\n둘", "셋"]


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no text"):
        signal_page(tmp_path)
