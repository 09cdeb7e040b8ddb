"""`hanjo dedup add, query, remove, index, compact` as a person meets them, and killed at any moment."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
BASE = "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다"
Dedup = Callable[..., Any]
ROWS = [
    {"id": "ㄱ", "text": BASE},
    {"id": 2, "text": BASE + " 참으로"},
    {"id": "3", "text": BASE.replace(" ", "")},
    {"id": "4", "text": "인간은 천부적으로 이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다"},
]


@pytest.fixture
def dedup(hanjo: Dedup) -> Dedup:
    """`dedup(*arguments)`: `hanjo dedup …` in this process."""
    return partial(hanjo, "dedup")


def killed_dedup(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same as a process group of its own that the killer watches."""
    command = [sys.executable, "-m", "hanjo.cli", "dedup", *map(str, arguments)]
    watched = {**os.environ, **environment}
    return subprocess.run(
        command, cwd=ROOT, env=watched, capture_output=True, text=True, check=False, start_new_session=True
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "documents.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


@pytest.fixture
def index(dedup: Dedup, tmp_path: Path, source: Path) -> Path:
    done = dedup("add", tmp_path / "index", source, "--out", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    return tmp_path / "index"


def test_adding_says_what_became_of_each_document(dedup: Dedup, tmp_path: Path, index: Path, source: Path) -> None:
    told = [(row["key"], row["status"], row["keep"], row["size"]) for row in lines(tmp_path / "out.jsonl")]
    assert told == [("ㄱ", "near", False, 3), ("2", "new", True, 3), ("3", "near", False, 3), ("4", "new", True, 1)]
    rows = lines(tmp_path / "out.jsonl")
    assert rows[0]["witness"] == rows[2]["witness"] == rows[1]["id"]
    again = dedup("add", index, source, "--json", "--out", tmp_path / "again.parquet")
    assert json.loads(again.stdout)["counts"]["known"] == 4
    assert pq.read_table(tmp_path / "again.parquet")["status"].to_pylist() == ["known"] * 4


def test_a_better_document_replaces_one_that_was_there(dedup: Dedup, tmp_path: Path, index: Path) -> None:
    better = tmp_path / "better.parquet"
    pq.write_table(pa.table({"doc": ["5"], "body": [BASE + " 참으로 그러하다"]}), better)
    options = ["--id-field", "doc", "--text-field", "body"]
    done = dedup("add", index, better, *options, "--json", "--out", tmp_path / "more.jsonl")
    assert json.loads(done.stdout)["replaced"] == 1
    told = lines(tmp_path / "more.jsonl")
    assert [row["status"] for row in told] == ["new", "replaced"]
    assert told[1]["id"] == lines(tmp_path / "out.jsonl")[1]["id"]
    assert told[1]["witness"] == told[0]["id"]


def test_a_query_shows_ids_and_similarity_and_no_text(dedup: Dedup, tmp_path: Path, index: Path, source: Path) -> None:
    done = dedup("query", index, "--text", BASE + " 정말", "--json")
    answer = json.loads(done.stdout)
    assert answer["found"] == "near"
    assert 0.6 <= answer["matches"][0]["similarity"] < 1
    assert "인간" not in done.stdout
    assert "not in the index" in dedup("query", index, "--text", "아무 데도 없는 글을 여기에 씁니다").stdout
    answers = [json.loads(line) for line in dedup("query", index, source, "--json").stdout.splitlines()]
    assert [answer["found"] for answer in answers] == ["exact"] * 4
    plain = tmp_path / "one.txt"
    plain.write_text(BASE, encoding="utf-8")
    assert "exact" in dedup("query", index, plain).stdout
    nameless = tmp_path / "nameless.jsonl.gz"
    nameless.write_bytes(gzip.compress(json.dumps({"text": BASE}).encode()))
    assert json.loads(dedup("query", index, nameless, "--json").stdout)["found"] == "exact"


def test_removing_tells_who_stays_instead(dedup: Dedup, tmp_path: Path, index: Path) -> None:
    rows = lines(tmp_path / "out.jsonl")
    (tmp_path / "gone.txt").write_text(f"{rows[1]['id']}\nnobody\n")
    done = dedup("remove", index, "--ids", tmp_path / "gone.txt", "--json")
    told = json.loads(done.stdout)
    assert (told["removed"], told["missing"], told["promoted"]) == (1, 1, [rows[0]["id"]])
    assert dedup("remove", index, "--ids", "ㄱ").stdout.splitlines()[1] == f"promoted  {rows[2]['id']}"
    assert dedup("compact", index).returncode == 0
    state = dedup("index", index, "--verify", "--json")
    assert state.returncode == 0, state.stderr
    assert json.loads(state.stdout)["totals"] == {"documents": 2, "texts": 2, "clusters": 2, "kept": 2, "held": 0}


def test_broken_records_are_counted_told_and_the_rest_is_in(dedup: Dedup, tmp_path: Path, index: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(
        '{"id": "6", "text": "여섯 번째 글입니다"}\n{"text": "이름 없는 비밀"}\n{"id": "7"\n', encoding="utf-8"
    )
    done = dedup("add", index, bad, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["counts"]["new"], told["counts"]["unreadable"]) == (1, 2)
    assert [one["cause"] for one in told["unreadable"]] == ["id.missing", "json.broken"]
    assert "비밀" not in done.stdout + done.stderr


def test_dates_decide_between_versions_and_a_date_that_is_none_is_told(
    dedup: Dedup, tmp_path: Path, index: Path
) -> None:
    dated = tmp_path / "dated.jsonl"
    rows = [
        {"id": "8", "text": "새로 고친 여덟 번째 글입니다", "at": "2024-05-01"},
        {"id": "8", "text": "처음에 쓴 여덟 번째 글입니다", "at": "2023-05-01"},
        {"id": "9", "text": "날짜가 이상한 아홉 번째 글", "at": "어제"},
    ]
    dated.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = dedup("add", index, dated, "--created-field", "at", "--out", tmp_path / "dated-out.jsonl")
    assert done.returncode == 0
    assert [row["status"] for row in lines(tmp_path / "dated-out.jsonl")] == ["new", "superseded", "new"]
    assert "1 × created.unreadable" in done.stderr
    assert "exact" in dedup("query", index, "--text", rows[0]["text"]).stdout
    assert "not in the index" in dedup("query", index, "--text", rows[1]["text"]).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add", "{index}", "nowhere.jsonl"], 2, "no such file"),
        (["add", "{index}", "docs"], 2, "a folder that is no run"),
        (["add", "{index}", "{source}", "--set", "similarity=0.7"], 1, "similarity 0.6, not 0.7"),
        (["add", "{index}", "{source}", "--set", "similarity"], 2, "not KEY=VALUE"),
        (["add", "{index}", "{source}", "--memory", "much"], 2, "no size"),
        (["add", "{index}", "{source}", "--out", "x.csv"], 2, "end its name in .jsonl or .parquet"),
        (["query", "{index}"], 2, "give a file"),
        (["query", "nowhere", "--text", "글"], 2, "no index here"),
        (["remove", "nowhere", "--ids", "1"], 2, "no index here"),
        (["index", "docs"], 2, "no index here"),
    ],
)
def test_mistakes_are_told_in_one_message(
    dedup: Dedup, index: Path, source: Path, arguments: list[str], code: int, message: str
) -> None:
    done = dedup(*(one.format(index=index, source=source) for one in arguments))
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["add", "remove", "compact"])
def test_killed_at_any_moment_the_index_is_as_before_or_as_after(
    dedup: Dedup, tmp_path: Path, index: Path, command: str
) -> None:
    """The kill comes at a seeded temporary file (see `killer`): the segment or the manifest, whole but not renamed."""
    more = tmp_path / "more.jsonl"
    more.write_text(json.dumps({"id": "9", "text": BASE + " 참으로 그러하다"}) + "\n", encoding="utf-8")
    assert dedup("add", index, more).returncode == 0
    more.write_text(json.dumps({"id": "10", "text": BASE + " 참으로 정말로 그러하다"}) + "\n", encoding="utf-8")
    arguments = {"add": [more], "remove": ["--ids", "9"], "compact": []}[command]
    before = json.loads(dedup("index", index, "--json").stdout)
    seed = int(hashlib.blake2b(command.encode(), digest_size=4).hexdigest(), 16)
    watched = {
        "PYTHONPATH": str(Path(__file__).parent / "killer"),
        "HANJO_KILL_LOG": str(tmp_path / "log"),
        "HANJO_KILL_RUN": str(index),
        "HANJO_KILL_AT": ".tmp",
        "HANJO_KILL_NTH": str(1 + seed % 2),
    }
    killed = killed_dedup(command, index, *arguments, **watched)
    assert killed.returncode == -9, killed.stderr
    state = dedup("index", index, "--verify", "--json")
    assert state.returncode == 0, state.stderr
    assert {**json.loads(state.stdout), "verified": False} == before
    again = dedup(command, index, *arguments)
    assert again.returncode == 0, again.stderr
    after = json.loads(dedup("index", index, "--verify", "--json").stdout)
    assert after["totals"]["documents"] == {"add": 6, "remove": 4, "compact": 5}[command]
    assert {path.name for path in (index / "segments").iterdir()} == {one["name"] for one in after["segments"]}


def test_a_finished_run_is_added_under_its_own_settings(dedup: Dedup, tmp_path: Path) -> None:
    run, index = tmp_path / "run", tmp_path / "index"
    settings = ["collect.sources=[{path: sample/shop-strings}]", "dedup.similarity=0.5", "seed=3"]
    command = [sys.executable, "-m", "hanjo.cli", "run", "recipes/quickstart.yaml", "--run", str(run)]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run([*command, "--until", "dedup"], cwd=ROOT, check=True, capture_output=True)
    done = dedup("add", index, run, "--json")
    assert done.returncode == 0, done.stderr
    clusters = pa.concat_tables([pq.read_table(path) for path in sorted((run / "clusters").glob("*.parquet"))])
    kept = sum(clusters["keep"].to_pylist())
    assert json.loads(done.stdout)["counts"]["new"] == kept > 0
    held = json.loads(dedup("index", index, "--verify", "--json").stdout)
    assert (held["parameters"]["similarity"], held["parameters"]["seed"]) == (0.5, 3)
    other = tmp_path / "one.jsonl"
    other.write_text(json.dumps({"id": "1", "text": BASE}), encoding="utf-8")
    assert dedup("add", index, other).returncode == 0  # a file takes what the index has
    again = dedup("add", tmp_path / "two", other)
    assert again.returncode == 0
    refused = dedup("add", tmp_path / "two", run)
    assert refused.returncode == 1
    assert "the index was made with" in refused.stderr
    assert "similarity 0.6, not 0.5" in refused.stderr
