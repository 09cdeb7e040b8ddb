"""corpus/strict_yaml.py: YAML read as people write it, without PyYAML's surprises."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from corpus import strict_yaml
from corpus.errors import RecipeError, UsageError


def test_no_stays_a_word_and_numbers_are_numbers() -> None:
    values, _ = strict_yaml.loads("a: no\nb: 1e-4\nc: true\nd: 010\ne: 2026-11-24\nf: 1:30\ng: .5\nh: ~\n", "x")
    assert values == {
        "a": "no",
        "b": 1e-4,
        "c": True,
        "d": 10,
        "e": datetime.date(2026, 11, 24),
        "f": "1:30",
        "g": 0.5,
        "h": None,
    }


def test_a_repeated_key_is_refused_with_both_lines() -> None:
    with pytest.raises(RecipeError, match=r"'steps' stands twice \(first in line 2\)") as caught:
        strict_yaml.loads("pretrain:\n  steps: 1\n  steps: 2\n", "r.yaml", RecipeError)
    assert caught.value.where == "r.yaml, line 3"


def test_lines_of_nested_keys_are_known() -> None:
    _, lines = strict_yaml.loads("a:\n  - b: 1\n  - b: 2\n", "x")
    assert lines[("a", "1", "b")] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "empty"), ("- 1\n", "not a mapping"), ("a: [1\n", "not valid YAML"), ("a: 2026-13-45\n", "cannot be read")],
)
def test_what_is_no_mapping_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        strict_yaml.loads(text, "x")


def test_a_file_that_is_not_utf8_is_refused_with_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes("name: 이름".encode("cp949"))
    with pytest.raises(UsageError, match="not UTF-8 at byte 6"):
        strict_yaml.load(path)


@pytest.mark.parametrize(
    ("text", "value"), [("20", 20), ("true", True), ("no", "no"), ("[a, b]", ["a", "b"]), ("", ""), ("1e-4", 1e-4)]
)
def test_an_override_is_read_like_a_recipe_value(text: str, value: object) -> None:
    assert strict_yaml.scalar(text) == value
