"""The whole in memory: planted copies are found, and every removal is borne out by an independent comparison."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from corpus.errors import UsageError
from dedup.near import near_duplicates
from dedup.settings import DedupSettings


def naive_jaccard(left: str, right: str, size: int = 5) -> float:
    grams = []
    for text in (left, right):
        bare = "".join(text.split())
        grams.append({bare[i : i + size] for i in range(len(bare) - size + 1)})
    return len(grams[0] & grams[1]) / max(1, len(grams[0] | grams[1]))


@pytest.mark.parametrize(
    ("kind", "rate", "least"),
    [
        ("replace", 0.01, 0.99),
        ("replace", 0.03, 0.99),
        ("replace", 0.05, 0.96),
        ("particle", 0.03, 0.99),
        ("spacing", 0.1, 1.0),
    ],
)
def test_planted_copies_are_found(kit: Any, kind: str, rate: float, least: float) -> None:
    rng = random.Random(f"{kind}{rate}")
    texts = [kit.korean_text(rng, rng.randint(80, 200)) for _ in range(300)]
    copies = [kit.changed(text, kind, rate, rng) for text in texts]
    found = near_duplicates(texts + copies)
    assert (found.cluster[:300] == found.cluster[300:]).mean() >= least
    assert len(np.unique(found.cluster[:300])) == 300  # nothing unrelated was joined
    for removed in np.flatnonzero(~found.keep):
        witness = int(found.witness[removed])
        similarity = naive_jaccard((texts + copies)[removed], (texts + copies)[witness])
        assert found.keep[witness]
        assert found.similarity[removed] == pytest.approx(similarity)
        assert similarity >= 0.6


def test_the_longest_stays_unless_told_otherwise() -> None:
    base = "오늘은 하늘이 맑고 바람이 불어 산책을 하기에 좋은 날이었다"
    texts = [base, base + " 정말로", base.replace(" ", "")]
    assert near_duplicates(texts).keep.tolist() == [False, True, False]
    assert near_duplicates(texts, DedupSettings(prefer=("shortest",))).keep.tolist() == [False, False, True]
    dates = np.array([3, 2, 1])
    assert near_duplicates(texts, DedupSettings(prefer=("earliest",)), dates).keep.tolist() == [False, False, True]
    assert near_duplicates(texts, DedupSettings(prefer=("latest",)), dates).keep.tolist() == [True, False, False]


def test_short_texts_are_compared_exactly_only() -> None:
    found = near_duplicates(["가나다라", "가나 다라", "가나다마", "", " \n"])
    assert found.keep.tolist() == [False, True, True, False, True]


def test_a_hundred_thousand_copies_of_one_text_cost_no_comparison() -> None:
    found = near_duplicates(["같은 글이 아주 많이 있습니다"] * 100_000)
    assert found.compared == 0
    assert found.keep.sum() == 1
    assert found.keep[0]


def test_nothing_at_all_and_nulls() -> None:
    assert len(near_duplicates([]).keep) == 0
    with pytest.raises(UsageError, match="null"):
        near_duplicates(["가", None])  # type: ignore[list-item]


@pytest.mark.parametrize("wrong", [{"valid": 0.6, "test": 0.5}, {"prefer": ("longest", "shortest")}])
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"together|both"):
        DedupSettings(**wrong)
