"""Edits: merged so that boilerplate wins, applied as naive Python would, and refused where they make no sense."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.edits import EDITS_TYPE, Edit, apply_edits, edits_array, merged, text_buffers
from corpus.errors import SchemaError


@st.composite
def edited_texts(draw: st.DrawFn) -> tuple[list[str], dict[int, list[Edit]]]:
    texts = draw(st.lists(st.text("가나다abc \n漢😀ㅋ", max_size=30), max_size=8))
    edits: dict[int, list[Edit]] = {}
    for row, text in enumerate(texts):
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6, unique=True)))
        places = [len(text[:cut].encode()) for cut in cuts]
        pairs = list(zip(places[::2], places[1::2], strict=False))
        if pairs:
            edits[row] = [Edit(a, b, "r", draw(st.sampled_from(["", "<|phone|>", "가"]))) for a, b in pairs]
    return texts, edits


def naive(text: str, edits: list[Edit]) -> str:
    data = text.encode()
    for edit in reversed(edits):
        data = data[: edit.start] + edit.replacement.encode() + data[edit.end :]
    return data.decode()


@settings(max_examples=200, deadline=None)
@given(edited_texts())
def test_applying_edits_equals_the_naive_way(case: tuple[list[str], dict[int, list[Edit]]]) -> None:
    texts, edits = case
    column = edits_array(edits, len(texts))
    assert column.type == EDITS_TYPE
    wanted = [naive(text, edits.get(row, [])) for row, text in enumerate(texts)]
    got = apply_edits(pa.array(texts, pa.large_string()), column)
    assert got.type == pa.large_string() and got.to_pylist() == wanted
    got.validate(full=True)
    # a slice of a larger array, as row groups and batches are
    half = len(texts) // 2
    assert apply_edits(pa.array(texts, pa.large_string())[half:], column[half:]).to_pylist() == wanted[half:]


@st.composite
def disjoint(draw: st.DrawFn) -> list[tuple[int, int]]:
    places = sorted(draw(st.lists(st.integers(0, 40), max_size=10, unique=True)))
    return list(zip(places[::2], places[1::2], strict=False))


@given(disjoint(), st.lists(st.tuples(st.integers(0, 39), st.integers(1, 12)), max_size=8))
def test_merged_edits_are_disjoint_and_the_first_list_wins(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    cuts = [Edit(a, b, "boilerplate") for a, b in first]
    masks = [Edit(a, a + n, "pii") for a, n in second]
    both = merged(cuts, masks)
    assert [edit for edit in both if edit.rule == "boilerplate"] == cuts
    assert both == sorted(both)
    assert all(one.end <= other.start for one, other in itertools.pairwise(both))
    for mask in masks:  # what was left out overlaps something that stayed
        assert mask in both or any(mask.start < edit.end and edit.start < mask.end for edit in both)


@pytest.mark.parametrize("edits", [[Edit(0, 9, "r")], [Edit(-1, 2, "r")], [Edit(0, 3, "r"), Edit(2, 4, "r")]])
def test_edits_that_make_no_sense_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(SchemaError, match="overlaps the one before it, or leaves its text"):
        apply_edits(pa.array(["abcde"], pa.large_string()), edits_array({0: edits}, 1))


def test_another_number_of_rows_is_refused() -> None:
    with pytest.raises(SchemaError, match="2 rows of edits for 1 texts"):
        apply_edits(pa.array(["abc"], pa.large_string()), edits_array({}, 2))


def test_null_lists_and_null_replacements_are_empty() -> None:
    column = pa.array([None, [{"start": 0, "end": 3, "rule": "r", "replacement": None}]], EDITS_TYPE)
    assert apply_edits(pa.array(["가나", "가나"], pa.large_string()), column).to_pylist() == ["가나", "나"]


def test_text_buffers_show_arrow_memory_without_a_copy() -> None:
    texts = pa.array(["가", "나다", "라"], pa.large_string())
    buffer, offsets = text_buffers(texts[1:])
    assert buffer.ctypes.data == texts.buffers()[2].address
    assert [bytes(buffer[a:b]).decode() for a, b in itertools.pairwise(offsets)] == ["나다", "라"]
