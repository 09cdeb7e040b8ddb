"""The Korean cloze items: well formed, balanced, and not to be answered by a rule of thumb."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SUITES = Path(__file__).parents[2] / "eval" / "suites"
KEYS = {"id", "source", "document", "context", "choices", "answer", "kind"}


@pytest.fixture(scope="module")
def items() -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (SUITES / "korean_cloze.jsonl").read_text(encoding="utf-8").strip().split("\n")
    ]


def test_there_are_about_two_hundred_items_with_unique_ids(items: list[dict[str, Any]]) -> None:
    assert 180 <= len(items) <= 240
    assert len({item["id"] for item in items}) == len(items)
    assert all(set(item) == KEYS for item in items)


def test_choices_are_four_and_distinct_and_equally_long(items: list[dict[str, Any]]) -> None:
    for item in items:
        assert len(set(item["choices"])) == 4
        assert len({len(choice) for choice in item["choices"]}) == 1


def test_answer_positions_are_balanced(items: list[dict[str, Any]]) -> None:
    counts = Counter(item["answer"] for item in items)
    assert set(counts) == {0, 1, 2, 3}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_no_choice_occurs_in_its_context(items: list[dict[str, Any]]) -> None:
    for item in items:
        assert not any(choice in item["context"] for choice in item["choices"])


def test_context_is_60_to_220_characters_without_space_at_its_ends(items: list[dict[str, Any]]) -> None:
    for item in items:
        assert 60 <= len(item["context"]) <= 220
        assert item["context"] == item["context"].strip()


def test_no_document_gives_more_than_two_items(items: list[dict[str, Any]]) -> None:
    assert max(Counter(item["document"] for item in items).values()) <= 2


def test_every_item_comes_from_a_heldout_document(items: list[dict[str, Any]]) -> None:
    lines = (SUITES / "korean_cloze.heldout.jsonl").read_text(encoding="utf-8").strip().split("\n")
    assert {item["document"] for item in items} <= {json.loads(line)["document"] for line in lines}


def test_choices_sharing_most_with_the_context_are_right_no_more_than_by_chance(items: list[dict[str, Any]]) -> None:
    total = 0.0
    for item in items:
        shared = [sum(letter in item["context"] for letter in choice) for choice in item["choices"]]
        best = max(shared)
        total += (shared[item["answer"]] == best) / shared.count(best)
    assert 0.2 < total / len(items) < 0.3
