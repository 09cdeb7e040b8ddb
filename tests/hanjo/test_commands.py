"""Commands on a run that stands: what they show, and what they say where there is nothing to show."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.manifest import fingerprint
from hanjo.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[2]
TEXT = "오늘은 비가 와서 도서관에 갔습니다. 읽고 싶던 책을 세 권 빌려 창가에 앉아 읽었습니다."
NEAR = TEXT.replace("세 권 ", "")
RIGHTS = "{train: true, publish_weights: true, redistribute: true, derive: true, commercial: true, license: CC0-1.0, "
SUBMISSION = """contributor: tests
source: %s
key: id
lang: ko
domain: essay
origin: natural
rights: %s attribution: null, until: %s, evidence: written for this test}
"""


def hanjo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanjo.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources: one with copies and a short text, one whose rights have ended; and a run of it up to dedup."""
    folder = tmp_path_factory.mktemp("commands")
    rows = [
        ("a1", TEXT),
        ("a2", TEXT + " "),
        ("a3", "네"),
        ("a4", NEAR),
        ("a5", "전혀 다른 글도 하나 여기에 있습니다."),
    ]
    for name, until in (("open", "null"), ("ended", "2020-12-31")):
        (folder / name).mkdir()
        (folder / name / "submission.yaml").write_text(SUBMISSION % (name, RIGHTS, until), encoding="utf-8")
        lines = [json.dumps({"id": key, "text": text}, ensure_ascii=False) for key, text in rows]
        (folder / name / "texts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    path = folder / "small.yaml"
    path.write_text("name: small\nas_of: 2026-11-24\ncollect:\n  sources: [{path: open}, {path: ended}]\n")
    done = hanjo("run", path, "--run", folder / "run", "--until", "dedup")
    assert done.returncode == 0, done.stderr
    assert "the test split is empty" in done.stderr
    assert "raise dedup.test" in done.stderr
    return path


def test_what_decide_and_dedup_removed_is_shown_with_its_reason(recipe: Path) -> None:
    run = recipe.parent / "run"
    shown = [json.loads(line) for line in hanjo("corpus", "show", run, "--removed", "--json").stdout.splitlines()]
    by_rule = {one["rule"]: one for one in shown}
    assert set(by_rule) == {"rights.until", "length.chars", "dedup.exact", "dedup.near"}
    assert by_rule["dedup.exact"]["value"] == 1.0
    assert "repeats" in by_rule["dedup.exact"]["detail"]
    told = hanjo("corpus", "show", run, "--removed")
    assert told.returncode == 0, told.stderr
    assert "rights.until: (" in told.stdout
    near = hanjo("corpus", "show", run, "--rule", "dedup.near", "--json").stdout.splitlines()
    assert [json.loads(line)["rule"] for line in near] == ["dedup.near"]


def test_a_rule_that_removed_nothing_is_told_with_the_nearest(recipe: Path) -> None:
    done = hanjo("corpus", "show", recipe.parent / "run", "--rule", "length.char")
    assert done.returncode == 2
    assert "did you mean 'length.chars'?" in done.stderr


def test_show_before_decide_says_which_stage_is_missing(recipe: Path, tmp_path: Path) -> None:
    assert hanjo("run", recipe, "--run", tmp_path / "early", "--until", "measure").returncode == 0
    done = hanjo("corpus", "show", tmp_path / "early")
    assert done.returncode == 1
    assert "decide has not finished" in done.stderr
    assert "--until decide" in done.stderr


def test_a_document_is_traced_by_its_own_key(recipe: Path) -> None:
    run = recipe.parent / "run"
    by_key = json.loads(hanjo("trace", "a2", "--source", "open", "--run", run, "--json").stdout)
    assert by_key["source"]["path"] == "texts.jsonl"
    assert by_key["verdict"]["keep"]
    assert json.loads(hanjo("trace", by_key["id"].upper(), "--run", run, "--json").stdout) == by_key


def test_a_folder_with_another_run_is_not_taken_over(recipe: Path) -> None:
    run = recipe.parent / "run"
    before = (run / "manifest.json").read_bytes()
    done = hanjo("run", "recipes/quickstart.yaml", "--run", run, "--until", "collect")
    assert done.returncode == 2
    assert "holds the run 'small'" in done.stderr
    assert (run / "manifest.json").read_bytes() == before


def test_the_resolved_recipe_is_the_same_recipe_however_a_number_is_written(recipe: Path) -> None:
    assert fingerprint(load_recipe(recipe.parent / "run" / "recipe.yaml")) == fingerprint(load_recipe(recipe))
    whole, decimal = ["decide.min_chars=20", "pretrain.clip=1"], ["decide.min_chars=20.0", "pretrain.clip=1.0"]
    assert fingerprint(load_recipe(recipe, whole)) == fingerprint(load_recipe(recipe, decimal))


def test_a_check_says_which_data_is_not_in_place(recipe: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: r\nas_of: 2026-11-24\ncollect:\n  sources: [{path: nowhere}]\n", encoding="utf-8")
    done = hanjo("recipe", "check", path)
    assert done.returncode == 0
    assert "no such file or folder" in done.stderr
    assert "not in place" in done.stderr
    assert "not in place" not in hanjo("recipe", "check", recipe).stderr


@pytest.mark.parametrize("name", ["a b/c", "../up", ".hidden", ""])
def test_a_name_that_is_no_folder_s_is_refused(recipe: Path, name: str) -> None:
    done = hanjo("recipe", "check", recipe, "--set", f"name='{name}'")
    assert done.returncode == 2
    assert "names no folder" in done.stderr


def test_a_run_without_a_model_says_what_to_do_before_evaluation(recipe: Path) -> None:
    done = hanjo("eval", "run", recipe.parent / "run")
    assert done.returncode == 1
    assert "has not finished" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("width", [80, 62, 40])
def test_the_table_of_stages_keeps_its_digits_where_the_terminal_is_narrow(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from hanjo.commands.runs import _show_stages

    monkeypatch.setenv("COLUMNS", str(width))
    row = {"done": True, "in": 1_234_567, "kept": 1_230_000, "removed": {"a": 1, "b": 2}, "quarantined": {"c": 4}}
    rows = [{"stage": "tokenize", **row, "withdrawn": 4560, "tokens": 1_234_567_890}]
    _show_stages({"name": "a", "stages": [*rows, {"stage": "evaluate", "done": False}]})
    told = capsys.readouterr().out
    assert ["tokenize", "1,234,567", "1,230,000", "3", "4", "4,560", "1,234,567,890"] in map(
        str.split, told.splitlines()
    )
    assert ("quarantined  withdrawn" in told) == (width == 80)
    _show_stages({"name": "a", "stages": [{"stage": "collect", "done": False}]})
    told = capsys.readouterr().out
    assert "not done" in told
    assert "withdrawn" not in told
