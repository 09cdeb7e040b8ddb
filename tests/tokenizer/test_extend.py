"""Extending: the next merges of the same list, old ids and other scripts untouched, the same with any workers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from corpus.errors import SourceError, UsageError
from tokenizer.byte_level import certain_hangul, ends_whole, starts_whole
from tokenizer.counted_pieces import count_pieces
from tokenizer.extend import RECORD, Extension, extend, notes, write_extension
from tokenizer.extendable import open_bpe
from tokenizer.next_merges import learn_merges
from tokenizer.verify_extension import failures, verify

MakeBase = Callable[[Path, str], Path]
SENTENCEPIECE = ("llama2", "gemma", "metaspace")
KINDS = ("gpt2", "llama3", "qwen", *SENTENCEPIECE)
ADD = 120


@pytest.fixture(scope="module", params=KINDS)
def extension(request: pytest.FixtureRequest, make_base: MakeBase, texts: list[str], tmp_path_factory) -> Extension:
    folder = make_base(tmp_path_factory.mktemp("base") / "base", request.param)
    return extend(open_bpe(folder), texts, ADD)


def test_korean_takes_fewer_tokens_and_everything_is_sound(extension: Extension, texts: list[str]) -> None:
    before, after = (
        sum(len(one.ids) for one in made.tokenizer.encode_batch(texts)) for made in (extension.base, extension.extended)
    )
    assert after < before / 2
    checks = verify(extension.base, extension.extended, texts)
    assert not failures(checks)
    assert all(check.checked for check in checks)
    assert len(extension.times) == ADD
    assert extension.extended.entries == extension.base.entries + ADD


def test_a_new_token_holds_hangul_and_crosses_no_border_of_characters(extension: Extension) -> None:
    table = extension.extended.token_bytes()[extension.base.entries :]
    assert len(set(table)) == ADD
    for data in table:
        assert certain_hangul(data)
        assert starts_whole(data)
        cut = next(n for n in range(len(data) + 1) if ends_whole(data[: len(data) - n]))
        assert cut == 0 or data[-cut] & 0xC0 == 0xC0  # at most the beginning of one more character
        data[: len(data) - cut].decode()


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    korean=st.text("한국어 사람을에서", max_size=30),
)
def test_any_text_is_only_cut_coarser_and_comes_back(extension: Extension, text: str, korean: str) -> None:
    checks = {check.name: check for check in verify_texts(extension, [text + korean, korean + text, text])}
    assert not failures(checks.values())


def verify_texts(extension: Extension, texts: list[str]) -> list:
    from tokenizer.verify_extension import ASKS, Check, Tally, on_texts

    tallies = {name: Tally() for name in ("coarser", "round-trip", "others")}
    on_texts(extension.base, extension.extended, "text", texts, *tallies.values())
    return [Check(name, ASKS[name], one.checked, one.failed, one.first) for name, one in tallies.items()]


def slow_merges(pieces: list[list[int]], times: list[int], table: list[bytes], wanted: int) -> list[tuple[int, int]]:
    """The same by the book: count all pairs anew for every merge."""
    table, pieces, merges = list(table), [list(piece) for piece in pieces], []
    while len(merges) < wanted:
        counts: Counter[tuple[int, int]] = Counter()
        for piece, number in zip(pieces, times, strict=True):
            for pair in pairwise(piece):
                counts[pair] += number
        allowed = {pair: number for pair, number in counts.items() if number >= 2 and may_merge(table, *pair)}
        if not allowed:
            break
        best = min(allowed, key=lambda pair: (-allowed[pair], pair))
        new = len(table)
        table.append(table[best[0]] + table[best[1]])
        merges.append(best)
        for piece in pieces:
            at = 0
            while at + 1 < len(piece):
                if (piece[at], piece[at + 1]) == best:
                    piece[at : at + 2] = [new]
                at += 1
    return merges


def may_merge(table: list[bytes], left: int, right: int) -> bool:
    a, b = table[left], table[right]
    whole = (starts_whole(b) and ends_whole(b)) if ends_whole(a) else not starts_whole(b)
    return starts_whole(a) and whole and certain_hangul(a + b) and a + b not in table


@settings(max_examples=150, deadline=None)
@given(
    words=st.lists(st.text("가나다각ㅋa ", min_size=1, max_size=8), min_size=1, max_size=12),
    times=st.lists(st.integers(1, 5), min_size=12, max_size=12),
)
def test_the_merges_are_those_of_counting_anew_each_time(words: list[str], times: list[int]) -> None:
    table = [bytes([byte]) for byte in range(256)] + ["가".encode(), b"\xb0\x80"]
    pieces = [list(word.encode()) for word in dict.fromkeys(words)]
    starts = np.cumsum([0, *map(len, pieces)])
    ids = np.array([one for piece in pieces for one in piece], np.int32)
    counted = np.array(times[: len(pieces)], np.int64)
    found = learn_merges(ids, starts.astype(np.int64), counted, table, set(table), 30, 2)
    # Overlapping equal pairs (ㅋㅋㅋ) are merged from the left, so both count them as they stand.
    assert list(zip(found.left.tolist(), found.right.tolist(), strict=True)) == slow_merges(
        pieces, times[: len(pieces)], table, 30
    )


def test_any_number_of_workers_and_any_order_give_the_same(
    make_base: MakeBase, texts: list[str], tmp_path: Path
) -> None:
    base = open_bpe(make_base(tmp_path / "base", "llama3"))
    alone = extend(base, texts, 40)
    assert extend(base, texts, 40, workers=2).extended.state == alone.extended.state
    assert extend(base, texts[::-1], 40).extended.state == alone.extended.state


def test_the_folder_is_opened_by_both_libraries_with_the_same_ids(
    extension: Extension, texts: list[str], tmp_path: Path
) -> None:
    write_extension(extension, verify(extension.base, extension.extended), tmp_path / "out")
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == {"tokenizer.json", "tokenizer_config.json", RECORD}
    read = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = f"{texts[0]}<|end_of_text|> the <|begin_of_text|>"
    assert read.encode(text).ids == extension.extended.tokenizer.encode(text).ids
    for token in extension.base.added:
        assert read.token_to_id(token["content"]) == token["id"]
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert theirs(text, add_special_tokens=False)["input_ids"] == read.encode(text, add_special_tokens=False).ids
    assert theirs.eos_token_id == read.token_to_id("<|end_of_text|>")
    told = json.loads((folder / RECORD).read_text("utf-8"))
    assert (told["new_tokens"], told["first_new_id"]) == (ADD, extension.base.entries)
    with pytest.raises(UsageError, match="something is here already"):
        write_extension(extension, [], folder)


def test_an_extension_is_extended_again(extension: Extension, texts: list[str]) -> None:
    again = extend(extension.extended, texts, 20)
    assert not failures(verify(extension.base, again.extended, texts))
    assert again.extended.merges[: len(extension.extended.merges)] == extension.extended.merges


def test_spellings_of_added_tokens_are_no_text_to_learn_from(make_base: MakeBase, tmp_path: Path) -> None:
    base = open_bpe(make_base(tmp_path / "base", "llama3"))
    assert count_pieces(base.tokenizer, ["한국<|end_of_text|>사람 only English"]) == count_pieces(
        base.tokenizer, ["한국", "사람"]
    )


def test_text_without_hangul_and_too_little_text_are_told(make_base: MakeBase, tmp_path: Path) -> None:
    base = open_bpe(make_base(tmp_path / "base", "gpt2"))
    with pytest.raises(SourceError, match="no Hangul"):
        extend(base, ["only English", "日本語"], 10)
    with pytest.raises(SourceError, match=r"pairs for \d+ new tokens, 1,000 were asked for\n.*--add \d+"):
        extend(base, ["한국 사람 한국 사람"] * 3, 1000)


def unigram(state: dict) -> None:
    state["model"] = {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]]}


def sentencepiece(state: dict) -> None:
    state["pre_tokenizer"] = None
    state["decoder"] = {"type": "ByteFallback"}


def dropout(state: dict) -> None:
    state["model"]["dropout"] = 0.1


def no_merges(state: dict) -> None:
    del state["model"]["merges"]


def no_model(state: dict) -> None:
    del state["model"]


def no_fallback(state: dict) -> None:
    state["model"]["byte_fallback"] = False


def merge_of_bytes(state: dict) -> None:
    state["model"]["vocab"]["<0xEB><0xB7>"] = len(state["model"]["vocab"])
    state["model"]["merges"].append("<0xEB> <0xB7>")


def no_byte(state: dict) -> None:
    del state["model"]["vocab"]["<0xEB>"]


def bytes_one_way(state: dict) -> None:
    state["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


@pytest.mark.parametrize(
    ("kind", "spoil", "said"),
    [
        ("gpt2", unigram, "a Unigram model has no merges"),
        ("gpt2", sentencepiece, "neither on bytes nor on characters"),
        ("gpt2", dropout, "dropout = 0.1"),
        ("gpt2", no_merges, "has no merges"),
        ("gpt2", no_model, "no model in the file"),
        ("llama2", no_fallback, "neither on bytes nor on characters with byte_fallback"),
        ("llama2", merge_of_bytes, "the merge <0xEB> <0xB7> is of byte tokens"),
        ("llama2", no_byte, "byte 0xeb, which Hangul needs"),
        ("llama2", bytes_one_way, "but not both"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused_with_the_reason(
    make_base: MakeBase, tmp_path: Path, kind: str, spoil: Callable[[dict], None], said: str
) -> None:
    path = make_base(tmp_path / "base", kind) / "tokenizer.json"
    state = json.loads(path.read_text("utf-8"))
    spoil(state)
    path.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        open_bpe(path.parent)


def test_a_missing_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"tokenizer\.json: the file is missing"):
        open_bpe(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match="not JSON"):
        open_bpe(tmp_path)


def test_a_base_whose_added_tokens_have_moved_already_is_refused(make_base: MakeBase, tmp_path: Path) -> None:
    path = make_base(tmp_path / "base", "llama3") / "tokenizer.json"
    state = json.loads(path.read_text("utf-8"))
    state["model"]["vocab"]["뷁"] = max(token["id"] for token in state["added_tokens"]) + 1  # appended naively
    path.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(SourceError, match="the library opens it as"):
        extend(open_bpe(path.parent), ["한국 사람"], 10)


def test_a_normaliser_and_shards_that_grow_are_told(extension: Extension) -> None:
    told = notes(extension)
    assert any("the base normalises" in note for note in told) == bool(extension.base.normaliser)
    big = {f"Ġ{number}": number for number in range(65_400)} | {"Ġx": 65_500}
    base = replace(extension.base, ids={f"{number}": number for number in range(65_300)})
    made = replace(extension, base=base, extended=replace(extension.extended, ids=big), times=[2] * 201)
    assert any("4 bytes a token" in note and "--add 128 " in note for note in notes(made))
