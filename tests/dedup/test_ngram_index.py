"""The n-gram index against plain Python: what is found where, whatever the spacing, and never on a hash alone."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import UsageError
from dedup.ngram_index import NgramIndex

LETTERS = st.one_of(st.sampled_from(list("가나다 \n a.漢😀")), st.characters(exclude_categories=["Cs"]))
TEXTS = st.lists(st.text(LETTERS, max_size=40), max_size=5)
FEW = st.lists(st.text(st.sampled_from(list("가나 ")), max_size=25), max_size=5)


def bare(text: str) -> str:
    return "".join(text.split())


def naive(items: list[str], texts: list[str], n: int) -> dict[tuple[int, int], tuple[int, int]]:
    """(document, item) → places found and the longest stretch of them in a row in both."""
    rows = {}
    for d, text in enumerate(map(bare, texts)):
        for i, item in enumerate(map(bare, items)):
            places = [p for p in range(len(item) - n + 1) if item[p : p + n] in text]
            longest = max(
                (size for p in places for size in range(n, len(item) - p + 1) if item[p : p + size] in text), default=0
            )
            if places:
                rows[d, i] = (len(places), longest - n + 1)
    return rows


@given(st.one_of(TEXTS, FEW), st.one_of(TEXTS, FEW), st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_hits_are_those_of_plain_python(items: list[str], texts: list[str], n: int) -> None:
    index = NgramIndex.of(items, n)
    hits = index.scan(texts + items)
    found = {
        (int(d), int(i)): (int(grams), int(longest))
        for d, i, grams, longest in zip(hits.document, hits.item, hits.grams, hits.longest, strict=True)
    }
    assert found == naive(items, texts + items, n)
    assert list(found) == sorted(found)
    assert index.grams.tolist() == [max(0, len(bare(item)) - n + 1) for item in items]
    assert hits.found.all()  # the items are among the texts
    assert index.different == len({bare(t)[p : p + n] for t in items for p in range(len(bare(t)) - n + 1)})


@given(FEW, FEW, st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_found_places_are_those_that_some_document_holds(items: list[str], texts: list[str], n: int) -> None:
    index = NgramIndex.of(items, n)
    found = index.scan(texts).found
    for i, item in enumerate(map(bare, items)):
        expected = [any(item[p : p + n] in bare(text) for text in texts) for p in range(max(0, len(item) - n + 1))]
        assert found[index.bounds[i] : index.bounds[i + 1]].tolist() == expected


def test_spacing_hides_nothing(kit: Any) -> None:
    item = "대한민국의 수도는 서울이며 한강이 그 가운데를 흐른다"
    text = f"앞의 글이다. {bare(item)} 뒤의 글이다."
    spaced = f"앞의 글이다.\n{' '.join(bare(item))}\n뒤의 글이다."
    index = NgramIndex.of([item])
    hits = index.scan([text, spaced, "다른 글이다 " * 20])
    assert hits.document.tolist() == [0, 1]
    assert (hits.grams == index.grams[0]).all()
    assert (hits.longest == index.grams[0]).all()


def test_items_shorter_than_an_ngram_are_told_by_their_count() -> None:
    index = NgramIndex.of(["짧다", "이것은 열세 글자보다 긴 항목이다"])
    assert index.grams[0] == 0
    assert index.grams[1] > 0


def test_an_empty_index_and_no_texts_find_nothing() -> None:
    assert len(NgramIndex.of([]).scan(["가나다" * 10]).item) == 0
    assert len(NgramIndex.of(["가나다" * 10]).scan([]).item) == 0
    assert len(NgramIndex.of(["", "가"]).scan(["", "가" * 40]).item) == 0


def test_arrow_columns_and_slices_are_read_as_they_lie() -> None:
    texts = pa.chunked_array([["앞에 있는 글입니다"], ["뒤에 있는 글은 조금 더 깁니다"]], pa.string())
    index = NgramIndex.of(texts.slice(1), 5)
    assert index.scan(texts.combine_chunks().slice(1)).document.tolist() == [0]
    assert index.scan(texts).document.tolist() == [1]


def test_an_equal_hash_does_not_count_as_an_equal_ngram() -> None:
    text = "가나다라마바사아자차카타파하"
    index = NgramIndex.of([text], 5)
    other = np.frombuffer("거너더러머버서어저처커터퍼허".encode(), np.uint8)  # as long, and every hash stays
    forged = NgramIndex(5, index.items, index.bounds, index.different, (other, *index._arrays[1:]))
    assert len(forged.scan([text]).item) == 0
    assert len(index.scan([text]).item) == 1


def test_nulls_and_senseless_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="null"):
        NgramIndex.of(pa.array(["가", None]))
    with pytest.raises(UsageError, match="0 characters"):
        NgramIndex.of(["가"], 0)


def test_more_rows_than_there_was_room_for_are_all_told(kit: Any) -> None:
    rng = random.Random(4)
    items = [kit.korean_text(rng, 20) for _ in range(60)]
    hits = NgramIndex.of(items).scan([" ".join(items)] * 30)
    assert len(hits.item) == 60 * 30
    assert (np.bincount(hits.document) == 60).all()
