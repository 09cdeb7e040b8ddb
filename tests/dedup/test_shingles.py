"""The compiled shingle hashes against the same definition in plain Python."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.shingles import hash_document, power_of_base, shingle_sets

WORD = (1 << 64) - 1
BASE, POINT = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
MIX0, MIX1 = 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53
TEXTS = st.text(
    st.one_of(st.sampled_from(list("가나다 은는\n\t  a1.ㅋ漢😀")), st.characters(exclude_categories=["Cs"]))
)


def mixed(value: int) -> int:
    value ^= value >> 33
    value = value * MIX0 & WORD
    value ^= value >> 33
    value = value * MIX1 & WORD
    return value ^ value >> 33


def naive_hash(shingle: str) -> int:
    total = 0
    for letter in shingle:
        value = (ord(letter) + 1) * POINT & WORD
        total = (total * BASE + (value ^ value >> 32)) & WORD
    return mixed(total)


def naive_shingles(text: str, size: int) -> list[str]:
    bare = "".join(text.split())
    return [bare[i : i + size] for i in range(len(bare) - size + 1)]


def hash_one(text: str, size: int) -> tuple[list[int], tuple[int, int]]:
    data = np.frombuffer(text.encode() or b"\0", np.uint8)
    out = np.empty(len(data), np.uint64)
    ring = np.empty(size, np.uint64)
    count, lane0, lane1 = hash_document(data, 0, len(text.encode()), power_of_base(size), ring, out)
    return [int(value) for value in out[:count]], (int(lane0), int(lane1))


@given(TEXTS, st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_rolling_hashes_are_those_of_each_shingle_by_itself(text: str, size: int) -> None:
    found, _ = hash_one(text, size)
    assert found == [naive_hash(shingle) for shingle in naive_shingles(text, size)]


@given(st.lists(TEXTS, max_size=6), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_sets_hold_each_shingle_once(texts: list[str], size: int) -> None:
    sets = shingle_sets(pa.array(texts, pa.large_string()), size)
    assert len(sets) == len(texts)
    for i, text in enumerate(texts):
        found = sets.values[sets.bounds[i] : sets.bounds[i + 1]].tolist()
        assert len(found) == len(set(found))
        assert set(found) == {naive_hash(shingle) for shingle in naive_shingles(text, size)}


def test_white_space_is_what_python_splits_on() -> None:
    for point in range(sys.maxunicode + 1):
        if 0xD800 <= point < 0xE000 or not (point < 0x3100 or point % 257 == 0):
            continue
        found, _ = hash_one(chr(point), 1)
        assert (len(found) == 0) == chr(point).isspace(), hex(point)


@pytest.mark.parametrize("pair", [("가나 다", "가 나다"), ("a\n\nb", "ab"), ("　한 국", "한국")])
def test_spacing_does_not_change_the_text_hash(pair: tuple[str, str]) -> None:
    assert hash_one(pair[0], 5)[1] == hash_one(pair[1], 5)[1]


def test_text_hashes_tell_order_and_length_apart() -> None:
    texts = ["", "가", "가가", "가나", "나가", "\0", "\0\0", "은", "는"]
    assert len({hash_one(text, 5)[1] for text in texts}) == len(texts)


def test_a_slice_of_an_array_is_read_from_its_own_offset() -> None:
    texts = pa.array(["앞에 있는 글입니다", "뒤에 있는 글입니다"], pa.large_string())
    alone = shingle_sets(pa.array(["뒤에 있는 글입니다"], pa.large_string()), 3)
    assert shingle_sets(texts.slice(1), 3).values.tolist() == alone.values.tolist()
