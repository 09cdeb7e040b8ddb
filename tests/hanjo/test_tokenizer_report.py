"""`hanjo tokenizer report` as a person types it: table, JSON, a page without text or links; bad input."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from corpus.errors import SourceError, UsageError
from hanjo.cli import app

TEXTS = ["사용자는 파일을 열어 내용을 바꾸고 저장한다.", "법원은 원고의 청구를 기각하였다.", "Only English here."]


@pytest.fixture
def folders(make_base: Callable[[Path, str], Path], tmp_path: Path) -> list[Path]:
    return [make_base(tmp_path / kind, kind) for kind in ("gpt2", "llama3")]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "help.jsonl", tmp_path / "rulings.jsonl"]
    for number, path in enumerate(paths):
        rows = TEXTS[number:] * 3
        path.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows), encoding="utf-8")
    return paths


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["tokenizer", "report", *map(str, arguments)])


def on(files: list[Path]) -> list[object]:
    return [one for path in files for one in ("--texts", path)]


def test_table_json_and_page_tell_the_same(folders: list[Path], files: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("kiwipiepy")
    told = run(*folders, *on(files), "--json")
    assert told.exit_code == 0, told.output
    rows = json.loads(told.stdout)
    assert [row["name"] for row in rows] == ["gpt2", "llama3"]
    assert set(rows[0]["domains"]) == {"help", "rulings"}
    assert rows[0]["bytes"] == rows[1]["bytes"]
    assert 0 < rows[0]["morpheme_recall"] <= 1
    table = run(f"one={folders[0]}", f"two={folders[1]}", *on(files), "--html", tmp_path / "page.html")
    assert table.exit_code == 0, table.output
    first = table.stdout.splitlines()[0]
    assert first == f"measured on {rows[0]['texts']} texts, {rows[0]['bytes']} bytes, 2 domains"
    assert "\ncharacters a token " in table.stdout
    page = (tmp_path / "page.html").read_text("utf-8")
    for name, row in zip(("one", "two"), rows, strict=True):
        assert f"{row['bytes_per_token']:.2f}" in table.stdout
        assert f"{row['bytes_per_token']:.2f}" in page
        assert name in table.stdout
        assert name in page
    assert page.count("<svg") > 10
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert not any(word in page for text in TEXTS for word in text.split())


def test_names_are_escaped_and_one_domain_needs_no_table_of_them(
    folders: list[Path], files: list[Path], tmp_path: Path
) -> None:
    told = run(f"<b>x</b>={folders[0]}", *on(files[:1]), "--html", tmp_path / "page.html", "--morphemes", 0)
    assert told.exit_code == 0, told.output
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<b>x</b>" not in page
    assert "By domain" not in page


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        (["--sample", "3B"], SourceError, "no text that fits"),
        (["--sample", "lots"], UsageError, "no size"),
    ],
)
def test_bad_input_is_told(
    folders: list[Path], files: list[Path], more: list[str], error: type[Exception], said: str
) -> None:
    told = run(folders[0], *on(files), *more)
    assert isinstance(told.exception, error)
    assert said in str(told.exception)


def test_two_of_one_name_and_a_missing_one(folders: list[Path], files: list[Path], tmp_path: Path) -> None:
    told = run(folders[0], folders[0], *on(files))
    assert isinstance(told.exception, UsageError)
    assert "NAME=PATH" in str(told.exception)
    told = run(tmp_path / "nowhere", *on(files))
    assert "no such file or folder" in str(told.exception)
