"""The contract against plain Python: who goes has a witness that stays at an exact similarity; adversaries are borne.

The reference below shares no code with the package: sets of Python strings.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dedup.near import Duplicates, near_duplicates
from dedup.settings import DedupSettings
from dedup.shingles import LONG
from dedup.streaming import near_of_batches


def bare(text: str) -> str:
    return "".join(text.split())


def similarity(left: str, right: str, size: int = 5) -> float:
    """Jaccard of the sets of space-free shingles; texts without one are alike if they are the same."""
    if bare(left) == bare(right):
        return 1.0
    a, b = ({t[i : i + size] for i in range(len(t) - size + 1)} for t in (bare(left), bare(right)))
    return len(a & b) / max(1, len(a | b))


def check(texts: list[str], found: Duplicates, threshold: float) -> None:
    for i in range(len(texts)):
        witness = int(found.witness[i])
        assert found.keep[i] == (witness < 0)
        assert found.cluster[i] <= i
        if witness >= 0:
            assert found.keep[witness]
            assert found.cluster[i] == found.cluster[witness]
            assert found.similarity[i] == similarity(texts[i], texts[witness]) >= threshold
    # Nothing joins a cluster but through texts that are alike: each member has one at the threshold.
    for label in np.unique(found.cluster):
        members = np.flatnonzero(found.cluster == label)
        for i in members if len(members) > 1 else ():
            assert any(similarity(texts[i], texts[j]) >= threshold for j in members if j != i)


# Few letters and few pieces, so that likeness, repeats and equal shingles in another order are common.
PIECES = st.sampled_from(
    ["가나다라마", "바사아자차", "카타파하", "가나다라마바사", " ", "\n", "가", "나다", "abc", "😀"]
)
TEXTS = st.lists(st.lists(PIECES, max_size=9).map("".join), max_size=14)
SETTINGS = st.builds(
    DedupSettings,
    similarity=st.sampled_from([0.4, 0.6, 0.8, 1.0]),
    prefer=st.sampled_from([("longest", "earliest"), ("shortest",), ()]),
    neighbours=st.sampled_from([0, 1, 8]),
)


@given(TEXTS, SETTINGS, st.integers(1, 5))
@hypothesis_settings(max_examples=150, deadline=None)
def test_the_contract_holds_and_batches_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], settings: DedupSettings, size: int
) -> None:
    found = near_duplicates(texts, settings)
    check(texts, found, settings.similarity)
    batches = [pa.array(texts[i : i + size], pa.large_string()) for i in range(0, len(texts), size)]
    streamed = near_of_batches(lambda: iter(batches), settings, tmp_path_factory.mktemp("scratch"))
    for name in ("cluster", "keep", "witness", "similarity"):
        assert getattr(found, name).tolist() == getattr(streamed, name).tolist()


@given(TEXTS, st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=100, deadline=None)
def test_the_kept_texts_are_the_same_in_any_order_where_no_two_are_equally_good(texts: list[str], rng: Any) -> None:
    texts = list({len(text.encode()): text for text in texts}.values())
    kept = {text for text, keep in zip(texts, near_duplicates(texts).keep, strict=True) if keep}
    rng.shuffle(texts)
    assert kept == {text for text, keep in zip(texts, near_duplicates(texts).keep, strict=True) if keep}


def test_the_contract_holds_on_recombined_and_edited_text(kit: Any) -> None:
    rng = random.Random(5)
    paragraphs = [kit.korean_text(rng, rng.randint(5, 40)) for _ in range(60)]
    texts = ["\n".join(rng.choices(paragraphs, k=rng.randint(1, 6))) for _ in range(250)]
    texts += [
        kit.changed(t.replace("\n", " "), rng.choice(("replace", "particle", "spacing")), 0.06, rng) for t in texts
    ]
    for threshold in (0.5, 0.6, 0.8):
        found = near_duplicates(texts, DedupSettings(similarity=threshold))
        assert (~found.keep).sum() > 100
        check(texts, found, threshold)


def test_the_same_shingles_in_another_order_are_a_near_duplicate_by_definition() -> None:
    ring = "가나다라마바사아자차카타파하"
    texts = [(ring * 3)[i : i + 2 * len(ring)] for i in range(5)]
    found = near_duplicates(texts)
    assert found.keep.sum() == 1
    assert set(found.similarity[~found.keep]) == {1.0}
    check(texts, found, 0.6)


def test_empty_texts_are_copies_of_one_another_and_short_ones_only_of_the_same() -> None:
    texts = ["", " ", "\n\t", "가나다라", "가 나다라", "가나다", "　"]
    found = near_duplicates(texts)
    assert [texts[i] for i in np.flatnonzero(found.keep)] == ["가 나다라", "가나다", "　"]  # the longest of each
    check(texts, found, 0.6)


def test_a_million_copies_take_seconds() -> None:
    texts = pa.array(["같은 글이 아주 많이 있습니다"] * 1_000_000, pa.large_string())
    near_duplicates(texts[:10])
    started = time.process_time()
    found = near_duplicates(texts)
    assert found.compared == 0
    assert found.keep.sum() == 1
    assert time.process_time() - started < 20


def test_a_template_in_every_bucket_is_compared_in_linear_number() -> None:
    template = "".join(chr(0xAC00 + 7 * i) for i in range(300))
    count = 20_000
    tails = np.random.default_rng(1).integers(0xAC00, 0xD7A4, (count, 330)).astype("<u4")
    texts = [template + tail.tobytes().decode("utf-32-le") for tail in tails]
    settings = DedupSettings()
    started = time.process_time()
    found = near_duplicates(texts, settings)
    assert found.compared <= count * settings.bands * (settings.neighbours + 1) / 2
    assert time.process_time() - started < 60
    assert found.keep.mean() > 0.95


def test_documents_longer_than_the_table_are_compared_exactly(tmp_path: Path) -> None:
    rng = random.Random(2)
    long = "".join(chr(0xAC00 + rng.randrange(11_172)) for _ in range(LONG // 3 + 20_000))
    changed = "".join(c if i % 40 else "힣" for i, c in enumerate(long))
    small = long[: len(long) // 50]
    texts = [long, changed, small, "가" * (LONG // 2), "가" * 7]
    found = near_duplicates(texts)
    assert found.keep.tolist() == [True, False, True, True, False]
    check(texts, found, 0.6)
