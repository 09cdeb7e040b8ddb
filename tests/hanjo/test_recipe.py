"""hanjo/recipe.py: one file, checked whole before anything starts; every message says what to write instead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import RecipeError, UsageError
from hanjo.recipe import dump, explain, load_recipe, schema
from hanjo.recipe_text import new_recipe, suggest_key

GOOD = "name: small\nas_of: 2026-11-24\ncollect:\n  sources:\n    - path: data\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_resolved_recipe_reads_back_to_the_same_values(recipe: Path, tmp_path: Path) -> None:
    first = load_recipe(recipe)
    again = tmp_path / "again.yaml"
    again.write_text(dump(first), encoding="utf-8")
    assert load_recipe(again) == first


def test_an_override_reaches_nested_keys_and_list_elements(recipe: Path) -> None:
    changed = load_recipe(recipe, ["pretrain.steps=20", "collect.sources.0.path=other", "target.tokens=2B tokens"])
    assert changed.pretrain.steps == 20
    assert changed.collect.sources[0].path == "other"
    assert changed.target.tokens == 2 * 10**9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "pretrain:\n  step: 3\n", r"line 7: unknown key 'pretrain.step'\n  → did you mean 'steps'\?"),
        (GOOD + "dedupe: {}\n", r"unknown key 'dedupe'\n  → did you mean 'dedup'\?"),
        (GOOD.replace("path: data", "pth: data"), r"unknown key 'collect.sources.0.pth'\n  → did you mean 'path'\?"),
        (GOOD + "pretrain:\n  steps: many\n", r"line 7: pretrain.steps: .*\(given: 'many'\)"),
        (GOOD + "max_quarantined: 2\n", "line 6: max_quarantined: .*less than or equal to 1"),
        ("name: x\n", "as_of"),
    ],
)
def test_a_wrong_recipe_is_refused_with_line_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("override", ["pretrain.steps", "=3", "name.x=3", "collect.sources.7.path=x"])
def test_a_wrong_override_is_refused(recipe: Path, override: str) -> None:
    with pytest.raises(RecipeError, match="--set"):
        load_recipe(recipe, [override])


HALF = "tokenize:\n  weights: {a: half}\n"


@pytest.mark.parametrize(
    ("more", "override", "start"),
    [
        (HALF, "tokenize.weights={a: no}", "--set tokenize.weights={a: no}: tokenize.weights.a: "),
        (HALF, "seed=3", "{path}: line 7: tokenize.weights.a: "),
        (HALF, "seed=-1", "{path}: --set seed=-1: seed: "),
        ("", "pretrain.steps=many", "--set pretrain.steps=many: pretrain.steps: "),
        ("", "collect.sources.0.pth=x", "--set collect.sources.0.pth=x: unknown key 'collect.sources.0.pth'"),
        ("", "pretrain={step: 3}", "--set pretrain={step: 3}: unknown key 'pretrain.step'"),
        ("execution: {workers: 3}\n", "execution.address=a:1", "{path}: line 6 with --set execution.address=a:1: exec"),
    ],
)
def test_a_wrong_value_is_blamed_on_the_override_that_gave_it(
    recipe: Path, more: str, override: str, start: str
) -> None:
    recipe.write_text(GOOD + more, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe, [override])
    assert str(caught.value).startswith(start.replace("{path}", str(recipe)))


def test_every_key_is_explained() -> None:
    rows = list(explain())
    assert {"pretrain.steps", "dedup.similarity", "collect.sources.N.path", "target.rights"} <= {
        row.key for row in rows
    }
    assert [row.key for row in rows if not row.doc] == []


def test_the_schema_is_json_and_names_the_stages() -> None:
    assert {"collect", "measure", "decide", "dedup", "tokenize", "pretrain", "evaluate"} <= set(
        json.loads(json.dumps(schema()))["properties"]
    )


def test_a_new_recipe_is_a_good_one_also_with_every_default_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "fresh.yaml"
    new_recipe(path, [Path("my data")])
    first = load_recipe(path)
    assert (first.name, first.collect.sources[0].path) == ("fresh", "my data")
    with pytest.raises(UsageError, match="exists already"):
        new_recipe(path, [])
    about, *lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.removeprefix("# ") for line in lines), encoding="utf-8")
    assert about.startswith("#")
    assert load_recipe(path) == first


def test_the_nearest_key_is_suggested() -> None:
    assert "pretrain.steps" in suggest_key("pretrain.stpes", list(explain()))


def test_the_recipes_of_the_repository_are_good() -> None:
    found = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))
    assert found
    for path in found:
        assert load_recipe(path).collect.sources


def test_a_limit_says_its_values_by_profile() -> None:
    row = next(row for row in explain() if row.key == "decide.min_chars")
    assert row.default is None and "chat" in row.doc and row.unit == "characters"


def test_a_profile_that_is_a_file_is_read_into_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("limits: {max_digits: 0.7}", encoding="utf-8")
    path = tmp_path / "recipe.yaml"
    path.write_text("name: a\nas_of: 2026-11-24\ndecide:\n  profiles: {shop: mine.yaml}\n", encoding="utf-8")
    recipe = load_recipe(path, ["decide.min_chars=5"])
    assert recipe.decide.own_profiles == {"mine.yaml": {"max_digits": 0.7}}
    assert recipe.decide.limits()["mine.yaml"]["min_chars"] == 5
    (tmp_path / "resolved.yaml").write_text(dump(recipe), encoding="utf-8")
    (tmp_path / "mine.yaml").unlink()
    assert load_recipe(tmp_path / "resolved.yaml") == recipe


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("profile: chatt", "there is no profile 'chatt'; did you mean 'chat'"),
        ("own_profiles: {mine: {max_digit: 1}}", "own_profiles.mine: there is no limit 'max_digit'"),
        ("max_digits: 2", "decide.max_digits"),
        ("profile: gone.yaml", "no such file"),
    ],
)
def test_a_wrong_profile_in_a_recipe_is_refused(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"name: a\nas_of: 2026-11-24\ndecide:\n  {line}\n", encoding="utf-8")
    with pytest.raises(RecipeError, match=said):
        load_recipe(path)
