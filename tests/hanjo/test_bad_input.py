"""Bad input through the whole command: a message with file and place, the right exit code, nothing lost or twice."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD = "오늘은 비가 와서 도서관에 갔습니다. 읽고 싶던 책을 세 권 빌렸어요."
SUBMISSION = """
contributor: tests
source: mess
lang: ko
domain: essay
origin: natural
rights: {train: true, publish_weights: true, redistribute: true, derive: true, commercial: true,
         attribution: null, until: null, license: CC0-1.0, evidence: written for this test}
"""


@pytest.fixture
def mess(tmp_path: Path) -> Path:
    """A recipe over a folder with every kind of bad file, and three good documents among them."""
    data = tmp_path / "mess"
    data.mkdir()
    (data / "submission.yaml").write_text(SUBMISSION, encoding="utf-8")
    line = json.dumps({"text": GOOD}, ensure_ascii=False)
    (data / "broken.jsonl").write_text(f'{line}\n{{"text": "반만 쓴\n{line}\n', encoding="utf-8")
    (data / "empty.txt").write_bytes(b"")
    (data / "binary.txt").write_bytes(bytes(range(256)) * 64)
    whole = gzip.compress("\n".join(json.dumps({"text": f"{i} {GOOD}"}) for i in range(2000)).encode(), mtime=0)
    (data / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    pq.write_table(pa.table({"text": [GOOD] * 100}), data / "broken.parquet")
    parquet = (data / "broken.parquet").read_bytes()
    (data / "broken.parquet").write_bytes(parquet[: len(parquet) // 2])
    (data / "good.txt").write_text(GOOD, encoding="utf-8")
    (tmp_path / "mess.yaml").write_text(
        "name: mess\nas_of: 2026-11-24\nmax_quarantined: 1.0\ncollect:\n  sources:\n    - path: mess\n",
        encoding="utf-8",
    )
    return tmp_path / "mess.yaml"


def hanjo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def status(run: Path) -> Any:
    return json.loads(hanjo("status", run, "--json").stdout)


def test_every_bad_record_is_quarantined_with_its_place_and_the_good_ones_stay(mess: Path, tmp_path: Path) -> None:
    done = hanjo("run", mess, "--run", tmp_path / "run", "--until", "dedup")
    assert done.returncode == 0, done.stderr
    assert "warning" in done.stderr
    assert "Traceback" not in done.stderr
    told = status(tmp_path / "run")
    collect = told["stages"][0]
    assert collect["in"] == collect["kept"] + sum(collect["removed"].values()) + sum(collect["quarantined"].values())
    causes = {(row["path"], row["cause"]) for row in told["quarantined"]}
    assert {path for path, _ in causes} == {
        "broken.jsonl", "empty.txt", "binary.txt", "cut.jsonl.gz", "broken.parquet"
    }  # fmt: skip
    broken = next(row for row in told["quarantined"] if row["path"] == "broken.jsonl")
    assert broken["offset"] == len(json.dumps({"text": GOOD}, ensure_ascii=False).encode()) + 1
    assert "2" in broken["detail"], "the line number"
    assert all(row["detail"] for row in told["quarantined"])
    assert not any(GOOD[:6] in row["detail"] for row in told["quarantined"]), "no text in a message"


def test_above_the_limit_and_with_strict_the_run_fails_but_keeps_what_it_read(mess: Path, tmp_path: Path) -> None:
    strict = hanjo("run", mess, "--run", tmp_path / "run", "--until", "collect", "--strict")
    assert strict.returncode == 1
    assert "could not be read" in strict.stderr
    above = hanjo("run", mess, "--run", tmp_path / "run", "--until", "collect", "--set", "max_quarantined=0.0001")
    assert above.returncode == 1
    assert status(tmp_path / "run")["stages"][0]["kept"] > 3
    within = hanjo("run", mess, "--run", tmp_path / "run", "--until", "collect")
    assert within.returncode == 0


def test_a_line_of_200_mb_is_one_quarantined_record_in_bounded_memory(mess: Path, tmp_path: Path) -> None:
    long = tmp_path / "mess" / "long.jsonl"
    with long.open("wb") as handle:
        handle.write(json.dumps({"text": GOOD}, ensure_ascii=False).encode() + b'\n{"text": "')
        for _ in range(200):
            handle.write("가".encode() * 333_333)
        handle.write(b'"}\n' + json.dumps({"text": "끝 " + GOOD}, ensure_ascii=False).encode() + b"\n")
    size = long.stat().st_size
    done = hanjo("run", mess, "--run", tmp_path / "run", "--until", "collect", "--set", "execution.workers=1")
    assert done.returncode == 0, done.stderr
    row = next(row for row in status(tmp_path / "run")["quarantined"] if row["path"] == "long.jsonl")
    assert row["cause"] == "record.too_long"
    assert size - row["length"] < 2000
    lines = [json.loads(line) for line in (tmp_path / "run" / "timings.jsonl").read_text().splitlines()]
    peak = max(line["peak_memory_bytes"] for line in lines if line.get("event") == "job")
    assert peak < 700 << 20, "the line was held in memory"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda data: (data / "submission.yaml").unlink(), 1, "submission.yaml"),
        (lambda data: (data / "submission.yaml").write_text(SUBMISSION + "langs: ko\n"), 1, "lang"),
        (lambda data: [p.unlink() for p in data.iterdir() if p.name != "submission.yaml"], 1, "mess"),
    ],
    ids=["no submission", "unknown key", "no files"],
)
def test_a_source_that_cannot_be_used_says_what_to_write(
    mess: Path, tmp_path: Path, change: Any, code: int, message: str
) -> None:
    change(tmp_path / "mess")
    done = hanjo("run", mess, "--run", tmp_path / "run", "--until", "collect")
    assert done.returncode in (code, 2)
    assert message in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_source_is_named(mess: Path, tmp_path: Path) -> None:
    done = hanjo("run", mess, "--run", tmp_path / "run", "--set", "collect.sources.0.path=nowhere")
    assert done.returncode in (1, 2)
    assert "nowhere" in done.stderr


def test_a_full_disk_is_said_and_the_run_goes_on_after_it(mess: Path, small_disk: Callable[[str], Path]) -> None:
    small = small_disk("200k")
    full = hanjo("run", mess, "--run", small / "run", "--until", "tokenize", "--set", "tokenize.vocab_size=512")
    assert full.returncode == 1, full.stderr
    assert "no space left" in full.stderr.lower()
    assert "Traceback" not in full.stderr
    small_disk("50m")
    again = hanjo("run", mess, "--run", small / "run", "--until", "dedup")
    assert again.returncode == 0, again.stderr
    assert status(small / "run")["stages"][3]["done"]
