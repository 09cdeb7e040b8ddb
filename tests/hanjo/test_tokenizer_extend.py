"""`hanjo tokenizer extend`, `verify`, `prune` as a person types them: results, exit codes, words for bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from corpus.errors import SourceError, UsageError
from hanjo.cli import app
from tokenizer.extendable import open_bpe

KOREAN = "사용자는 파일을 열어 내용을 바꾸고 저장한다. 법원은 원고의 청구를 기각하였다. 사용자의 파일은 저장하였다."


@pytest.fixture
def base(make_base: Callable[[Path, str], Path], tmp_path: Path) -> Path:
    return make_base(tmp_path / "base", "llama3")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps({"text": KOREAN}) + "\n" for _ in range(5)), encoding="utf-8")
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["tokenizer", *map(str, arguments)])


def test_extend_then_verify(base: Path, corpus: Path, tmp_path: Path) -> None:
    told = run("extend", base, tmp_path / "out", corpus, "--add", 30)
    assert told.exit_code == 0, told.output
    assert told.stdout.count("passed") == 8
    assert "30 new tokens" in told.stdout
    checked = run("verify", base, tmp_path / "out", "--texts", corpus, "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["passed"]
    again = run("extend", base, tmp_path / "again", corpus, "--add", 30, "--workers", 2, "--json")
    assert json.loads(again.stdout)["entries"] == open_bpe(tmp_path / "out").entries
    for name in ("tokenizer.json", "extension.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_a_sentencepiece_style_base_is_extended_and_its_model_file_left_out(
    make_base: Callable[[Path, str], Path], corpus: Path, tmp_path: Path
) -> None:
    base = make_base(tmp_path / "pieces", "llama2")
    (base / "tokenizer.model").write_bytes(b"old pieces")
    told = run("extend", base, tmp_path / "out", corpus, "--add", 30)
    assert told.exit_code == 0, told.output
    assert "note    tokenizer.model was left out" in told.stdout
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "tokenizer.json",
        "tokenizer_config.json",
        "extension.json",
    }
    again = run("extend", base, tmp_path / "again", corpus, "--add", 30, "--workers", 2)
    assert again.exit_code == 0
    for name in ("tokenizer.json", "extension.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    refused = run("prune", base, tmp_path / "pruned", corpus)
    assert "a sentencepiece-style BPE cannot be pruned" in str(refused.exception)


def test_a_broken_extension_ends_with_exit_code_1_and_names_the_check(base: Path, corpus: Path, tmp_path: Path) -> None:
    run("extend", base, tmp_path / "out", corpus, "--add", 30)
    path = tmp_path / "out" / "tokenizer.json"
    state = json.loads(path.read_text("utf-8"))
    state["model"]["merges"].insert(0, state["model"]["merges"].pop())
    path.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    checked = run("verify", base, tmp_path / "out")
    assert checked.exit_code == 1
    assert "FAILED  merges" in checked.stdout
    assert "the first: merge 0 was" in checked.stdout


def test_a_run_gives_its_train_split(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "unique" / "train"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"text": pa.array([KOREAN] * 5, pa.large_string())}), folder / "00000.parquet")
    assert run("extend", base, tmp_path / "out", tmp_path / "run", "--add", 10).exit_code == 0


def test_prune(base: Path, corpus: Path, tmp_path: Path) -> None:
    told = run("prune", base, tmp_path / "out", corpus, "--json")
    assert told.exit_code == 0
    sizes = json.loads(told.stdout)
    assert sizes["after"] < sizes["before"] == open_bpe(base).entries


@pytest.mark.parametrize(
    ("written", "error", "said"),
    [
        ('{"text": "English"}\n', SourceError, "no Hangul"),
        ('{"text": "한국 사람 \\ud800"}\n', SourceError, "line 1: half a surrogate pair"),
        ('{"text": "한국"}\nnot JSON\n', SourceError, "line 2: not JSON"),
        ('{"body": "한국"}\n', SourceError, "no string under 'text'"),
        ('{"text": "한국 사람 한국 사람"}\n', SourceError, "new tokens, 500 were asked for"),
        (None, UsageError, "no such file"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    base: Path, tmp_path: Path, written: str | None, error: type[Exception], said: str
) -> None:
    path = tmp_path / "bad.jsonl"
    if written is not None:
        path.write_text(written, encoding="utf-8")
    told = run("extend", base, tmp_path / "out", path, "--add", 500)
    assert isinstance(told.exception, error)
    assert said in str(told.exception)
    assert {one.name for one in tmp_path.iterdir()} <= {"base", "bad.jsonl"}


def test_nul_bytes_and_special_spellings_in_texts_do_no_harm(base: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    rows = [f"{KOREAN}\x00 {KOREAN}", f"<|end_of_text|>{KOREAN}<|begin_of_text|>"]
    path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), encoding="utf-8")
    assert run("extend", base, tmp_path / "out", path, "--add", 20).exit_code == 0


def test_an_output_that_is_there_and_a_size_that_is_none_are_usage_errors(
    base: Path, corpus: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep me")
    told = run("extend", base, tmp_path / "out", corpus, "--add", 10)
    assert isinstance(told.exception, UsageError)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep me"
    told = run("extend", base, tmp_path / "new", corpus, "--add", 10, "--sample", "much")
    assert isinstance(told.exception, UsageError)


def test_a_full_disk_leaves_nothing_under_the_final_name(
    base: Path, corpus: Path, small_disk: Callable[[str], Path]
) -> None:
    disk = small_disk("12k")
    told = run("extend", base, disk / "out", corpus, "--add", 30)
    assert told.exit_code == 1
    assert "no space left" in str(told.exception)
    assert not list(disk.iterdir())
