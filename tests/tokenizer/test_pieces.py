"""Compiled code cuts text where the library's regular expressions do, and learns what its trainer would."""

from __future__ import annotations

import collections
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split
from tokenizers.trainers import BpeTrainer

from corpus.edits import text_buffers
from tokenizer.byte_level import byte_names
from tokenizer.learning import learn_merges
from tokenizer.piece_counts import Pieces
from tokenizer.pieces import find_ends
from tokenizer.pretokenize import CUTS, EOJEOL, PATTERNS, Cut, classes, cut_of, pre_tokenizer

NASTY = "가힣ㅋㅠᄒ한학學aB1２ \t\n\r'.,(<|>\u3000\u00a0\x85e\u0301😀"


def cut_by_code(text: str, cut: Cut) -> list[str]:
    buffer, offsets = text_buffers(pa.array([text], pa.large_string()))
    ends = np.empty(len(buffer) + 1, np.int64)
    ends = ends[: find_ends(buffer, offsets, classes(cut), ends)]
    data = text.encode()
    starts = [0, *ends.tolist()][: len(ends)]
    return [data[a:b].decode() for a, b in zip(starts, ends.tolist(), strict=True)]


@pytest.mark.parametrize("cut", CUTS)
@settings(max_examples=300)
@given(text=st.text(max_size=30) | st.text(st.sampled_from(NASTY), max_size=40))
def test_compiled_code_cuts_where_the_library_does(cut: Cut, text: str) -> None:
    theirs = [piece for piece, _ in Split(Regex(PATTERNS[cut]), "isolated").pre_tokenize_str(text)]
    assert cut_by_code(text, cut) == theirs
    assert "".join(theirs) == text


def test_every_character_has_the_class_that_the_pattern_gives_it() -> None:
    split = Split(Regex(PATTERNS[EOJEOL]), "isolated")
    points = [*range(0x20, 0x3400, 7), *range(0xA900, 0xFFFF, 31), *range(0x1F300, 0x1F700, 13), 0x20000, 0x10FFFF]
    for point in points:
        if not 0xD800 <= point < 0xE000:
            text = f"가{chr(point)}a1 {chr(point)}{chr(point)}"
            assert cut_by_code(text, EOJEOL) == [piece for piece, _ in split.pre_tokenize_str(text)], hex(point)


def test_no_piece_reaches_across_an_eojeol_a_digit_or_a_run_of_jamo() -> None:
    assert cut_by_code("이 API를 30%이다.\n\n와ㅋㅋㅋ (끝)", EOJEOL) == [
        *("이", " API를", " ", "3", "0", "%이다.\n\n", "와", "ㅋㅋㅋ", " (끝)"),
    ]
    assert cut_by_code("이 값은 30%이다.\n\n와ㅋㅋㅋ (끝)", Cut(spaces=False)) == [
        *("이 값은 ", "3", "0", "%이다.\n\n", "와", "ㅋㅋㅋ", " (끝)"),
    ]
    assert cut_by_code("이 값은 30%이다.\n\n와ㅋㅋㅋ (끝)", Cut(digits=False)) == [
        *("이", " 값은", " 30%이다.\n\n", "와", "ㅋㅋㅋ", " (끝)"),
    ]


def test_a_tokenizer_is_known_by_its_cut() -> None:
    for cut in CUTS:
        tokenizer = Tokenizer(BPE())
        tokenizer.pre_tokenizer = pre_tokenizer(cut)
        assert cut_of(json.loads(tokenizer.to_str())) == cut
    tokenizer.pre_tokenizer = ByteLevel()
    assert cut_of(json.loads(tokenizer.to_str())) is None


def test_pieces_are_counted_over_batches_however_many_they_are(texts: list[str]) -> None:
    many = texts + [f"낱말{number}번 " * 3 for number in range(40_000)]
    pieces = Pieces(EOJEOL)
    for start in range(0, len(many), 5000):
        pieces.add(pa.array(many[start : start + 5000], pa.large_string()))
    store, bounds, counts = pieces.told()
    found = {
        bytes(store[a:b]).decode(): count
        for a, b, count in zip(bounds[:-1].tolist(), bounds[1:].tolist(), counts.tolist(), strict=True)
    }
    assert found == collections.Counter(piece for text in many for piece in cut_by_code(text, EOJEOL))


def by_the_library(texts: list[str], entries: int, cut: Cut) -> list[tuple[str, str]]:
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizer(cut)
    trainer = BpeTrainer(
        vocab_size=entries, min_frequency=2, show_progress=False, initial_alphabet=ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(one) if isinstance(one, list) else tuple(one.split(" ")) for one in merges]


def by_us(texts: list[str], entries: int, cut: Cut, whole: bool) -> list[tuple[str, str]]:
    pieces = Pieces(cut)
    pieces.add(pa.array(texts, pa.large_string()))
    names = byte_names()
    order = sorted(range(256), key=lambda byte: names[byte])
    ranks = np.empty(256, np.int32)
    ranks[order] = np.arange(256)
    pairs, results = learn_merges(pieces.told(), ranks, entries - 256, 2, whole)
    spelt = [names[byte] for byte in order]
    for (left, right), number in zip(pairs.tolist(), results.tolist(), strict=True):
        if number == len(spelt):
            spelt.append(spelt[left] + spelt[right])
        assert spelt[number] == spelt[left] + spelt[right]
    return [(spelt[left], spelt[right]) for left, right in pairs.tolist()]


@pytest.mark.parametrize("cut", CUTS)
def test_merges_of_bytes_are_those_of_the_librarys_trainer(texts: list[str], cut: Cut) -> None:
    runs = [*texts, "ㅋㅋㅋㅋㅋㅋ ㅋㅋㅋㅋ aaaa aaaaaa", "ㅋㅋㅋㅋㅋ aaa"]
    assert by_us(runs, 900, cut, whole=False) == by_the_library(runs, 900, cut)


def test_no_merge_joins_a_part_of_a_character_with_anything_but_the_rest_of_it(texts: list[str]) -> None:
    code = {name: byte for byte, name in enumerate(byte_names())}
    rare = [*texts, "龘龘 똠방각하"]
    for left, right in by_us(rare, 900, EOJEOL, whole=True):
        data = [bytes(code[one] for one in part) for part in (left, right)]
        whole = [part.decode("utf-8", "ignore").encode() == part for part in data]
        if not all(whole):
            joined = b"".join(data)
            assert len(joined.decode("utf-8", "ignore")) <= 1
            assert len(joined) <= 4
