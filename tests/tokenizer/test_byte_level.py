"""Tokens as bytes: the mapping is GPT-2's, and "only Hangul can hold these bytes" is true of every text."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel

from tokenizer.byte_level import (
    HANGUL,
    byte_names,
    certain_hangul,
    ends_whole,
    from_bytes,
    starts_whole,
    to_bytes,
)
from tokenizer.next_merges import LONGEST, _certain_of


def is_hangul(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in HANGUL)


def test_the_mapping_is_that_of_the_library() -> None:
    assert set(byte_names()) == set(ByteLevel.alphabet())
    ((mapped, _),) = ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str("한 é\n")
    assert to_bytes(mapped) == "한 é\n".encode()
    assert from_bytes("한 é\n".encode()) == mapped
    assert to_bytes("한") is None


@given(st.text(max_size=8), st.data())
def test_bytes_that_only_hangul_can_hold_come_from_text_with_hangul(text: str, data: st.DataObject) -> None:
    whole = text.encode("utf-8", "surrogatepass")
    if any(0xD800 <= ord(character) < 0xE000 for character in text):
        return
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    if certain_hangul(whole[start:stop]):
        assert any(is_hangul(character) for character in text)


def test_a_whole_hangul_character_is_certain_and_any_other_is_not() -> None:
    for point in range(0x20, 0x30000):
        if 0xD800 <= point < 0xE000 or unicodedata.category(chr(point)) == "Cn":
            continue
        assert certain_hangul(chr(point).encode()) == is_hangul(chr(point)), hex(point)


@pytest.mark.parametrize(
    ("data", "certain"),
    [(one, True) for one in ("eb", "ec", "ed", "eab0", "e385", "e184", "9cec", "20ed95")]
    + [(one, False) for one in ("ea", "eaa5", "e384", "e386", "959c", "e4b8")],
)
def test_part_of_a_character_is_certain_where_all_that_it_can_be_is_hangul(data: str, certain: bool) -> None:
    assert certain_hangul(bytes.fromhex(data)) is certain


@given(st.binary(max_size=LONGEST))
def test_the_kernel_says_the_same_of_any_bytes(data: bytes) -> None:
    assert bool(_certain_of(np.frombuffer(data, np.uint8))) is certain_hangul(data)


def test_where_characters_begin_and_end() -> None:
    data = "a한".encode()
    assert [ends_whole(data[:n]) for n in range(1, 5)] == [True, False, False, True]
    assert [starts_whole(data[n:]) for n in range(4)] == [True, True, False, False]
