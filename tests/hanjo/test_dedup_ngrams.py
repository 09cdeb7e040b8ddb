"""`hanjo dedup ngrams`: contaminated items by id, from files and runs; clear words for bad input, no text shown."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from corpus.errors import UsageError
from hanjo.cli import app

SECRET = "조선 시대에 한글을 만든 임금의 이름은 무엇이며 그 뜻은 무엇인가"
OTHER = "물은 몇 도에서 끓으며 어째서 산에서는 더 낮은 온도에서 끓는가"


def lines(path: Path, records: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def items(tmp_path: Path) -> Path:
    return lines(
        tmp_path / "items.jsonl", [{"id": "q1", "text": SECRET}, {"id": "q2", "text": OTHER}, {"text": "짧다"}]
    )


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["dedup", "ngrams", *map(str, arguments)])


def test_items_are_told_by_id_with_shares_and_documents(items: Path, tmp_path: Path) -> None:
    near = SECRET.replace("조선", "고려").replace("무엇이며", "어떠하며")
    first = lines(tmp_path / "a.jsonl.gz", [{"id": "x", "text": "다른 글"}, {"id": "y", "text": f"앞 {SECRET} 뒤"}])
    run_folder = tmp_path / "run" / "unique" / "train"
    run_folder.mkdir(parents=True)
    pq.write_table(pa.table({"id": ["z"], "text": pa.array([near], pa.large_string())}), run_folder / "00000.parquet")
    told = run(items, first, tmp_path / "run", "--json", "--near", "0.5")
    assert told.exit_code == 0
    report = json.loads(told.stdout)
    assert {name: report[name] for name in ("items", "too_short", "documents", "n")} == {
        "items": 3,
        "too_short": 1,
        "documents": 3,
        "n": 13,
    }
    (one,) = report["found"]
    assert (one["id"], one["share"], one["best_share"], one["documents"]) == (
        "q1",
        1.0,
        1.0,
        1 + (one["documents"] > 1),
    )
    assert one["best"][0] == {"id": "y", "share": 1.0, "longest": len("".join(SECRET.split()))}
    assert [match["id"] for match in one["nearest"]] == ["y", "z"]
    assert "임금" not in told.stdout


def test_the_table_names_documents_and_shows_no_text(items: Path, tmp_path: Path) -> None:
    corpus = lines(tmp_path / "a.jsonl", [{"text": SECRET.replace(" ", "")}] * 5)
    told = run(items, corpus)
    assert told.exit_code == 0
    assert "q1  100% in one document, 100% in all: a.jsonl:1, a.jsonl:2, a.jsonl:3 and 2 more" in told.output
    assert "1 of 3 items found in 5 documents; 1 are shorter than 13 characters" in told.output
    assert "임금" not in told.output
    assert "q2" not in told.output
    assert "0 of 3 items" in run(items, lines(tmp_path / "b.jsonl", [{"text": OTHER[:20]}]), "--share", "0.9").output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"text": "가"}\n{"text": \n', "line 2: no JSON"),
        ('{"text": "가"}\n[1]\n', "line 2: no text under 'text'"),
        ('{"text": "가"}\n{"text": null}\n', "line 2: no text under 'text'"),
        ('{"body": "가"}\n', "--field"),
        ("", "holds no items"),
        ('{"id": 1, "text": "가"}\n{"id": 1, "text": "나"}\n', "two items have the id '1'"),
    ],
)
def test_bad_items_are_refused_with_their_place(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(content, encoding="utf-8")
    result = run(path, path)
    assert isinstance(result.exception, UsageError)
    assert told in str(result.exception)


def test_missing_files_runs_and_columns_are_named(items: Path, tmp_path: Path) -> None:
    table = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["가"]}), table)
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "b.parquet"
    broken.write_bytes(b"PAR1")
    for corpus, told in (
        ("none.jsonl", "no such file"),
        ("empty", "no run whose dedup has finished"),
        ("a.parquet", "no column 'text'"),
        ("b.parquet", "not a readable Parquet file"),
    ):
        result = run(items, tmp_path / corpus)
        assert told in str(result.exception)
        assert corpus in str(result.exception)


def test_a_damaged_compressed_file_is_refused(items: Path, tmp_path: Path) -> None:
    whole = lines(tmp_path / "a.jsonl.gz", [{"text": f"{OTHER} {i}"} for i in range(500)])
    whole.write_bytes(whole.read_bytes()[:-40])
    assert "the compressed file ends at byte" in str(run(items, whole).exception)
