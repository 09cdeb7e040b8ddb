"""Whoever encodes, the ids are those of the `tokenizers` library; and where they are not, the library does it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from corpus.edits import text_buffers
from corpus.shards import Outcome
from tokenizer import merging
from tokenizer.engines import Check, Compiled, Gigatoken, Library, open_engine
from tokenizer.indexed import IndexedTokens
from tokenizer.names import find_names, names_of, overlap
from tokenizer.train import train_tokenizer, write_tokenizer
from tokenizer.units import count_units
from tokenizer.vocabulary import Vocabulary, open_vocabulary

Opened = Callable[[str], Vocabulary]
PARTS = ["가", "힣", "한국어", " 문장은", "ㅋㅋ", "ㅠ", "學", "aB", "12", "  ", "\n", "\t", "\r", "😀", ".", "\x00"]
PARTS += ["<|phone|>", "<|endoftext|>", "<|", "|>", "<|reserved_0|>", "<|user|>", "e\u0301", "\u3000"]
TEXT = st.lists(st.sampled_from(PARTS), max_size=20).map("".join) | st.text(max_size=30)


def same(vocabulary: Vocabulary, texts: list[str]) -> None:
    column = pa.array(texts, pa.large_string())
    ours, theirs = open_engine(vocabulary).encode(column), Library(vocabulary).encode(column)
    assert ours[1].tolist() == theirs[1].tolist()
    assert ours[0].tolist() == theirs[0].tolist()


@pytest.fixture(scope="module")
def foreign(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer with GPT-2's pattern, which gigatoken knows, trained here."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    special = [AddedToken("<|endoftext|>", special=True), AddedToken("<|user|>", special=True)]
    trainer = BpeTrainer(
        vocab_size=700, show_progress=False, special_tokens=special, initial_alphabet=ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    folder = tmp_path_factory.mktemp("foreign")
    write_tokenizer(tokenizer, folder)
    return folder


def changed(folder: Path, to: Path, change: Callable[[dict[str, Any]], object]) -> Vocabulary:
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    told = json.loads((to / "tokenizer.json").read_text(encoding="utf-8"))
    change(told)
    (to / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    return open_vocabulary(to)


@settings(max_examples=200)
@given(texts=st.lists(TEXT, max_size=6))
def test_our_own_tokenizers_are_encoded_by_compiled_merges_to_the_librarys_ids(folder: Path, texts: list[str]) -> None:
    vocabulary = open_vocabulary(folder)
    assert isinstance(open_engine(vocabulary), Compiled)
    same(vocabulary, texts)


@settings(max_examples=100)
@given(texts=st.lists(TEXT, max_size=6))
def test_a_tokenizer_that_gigatoken_knows_is_encoded_by_it_to_the_librarys_ids(foreign: Path, texts: list[str]) -> None:
    vocabulary = open_vocabulary(foreign)
    assert isinstance(open_engine(vocabulary), Gigatoken)
    same(vocabulary, texts)


def test_long_pieces_and_a_table_that_fills_up_change_no_id(
    folder: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_ENTRIES", 8)
    chooser = random.Random(1)
    long = "".join(chooser.choice("한국어문장은abc") for _ in range(20_000))
    same(open_vocabulary(folder), [long, *texts[:20], "가" * 5000, long + "." + long, "ㅋ" * 1000])


def test_one_engine_after_another_batch_gives_the_same_ids(folder: Path, texts: list[str]) -> None:
    engine = open_engine(open_vocabulary(folder))
    column = pa.array(texts, pa.large_string())
    first = engine.encode(column)[0].tolist()
    assert engine.encode(column)[0].tolist() == first
    assert (
        engine.encode(column.slice(100, 50))[0].tolist()
        == open_engine(open_vocabulary(folder)).encode(pa.array(texts[100:150], pa.large_string()))[0].tolist()
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(normalizer={"type": "NFC"}),
        lambda told: told["model"].update(ignore_merges=True),
        lambda told: told["model"].update(dropout=0.1),
        lambda told: told["added_tokens"][5].update(lstrip=True),
        lambda told: told["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex=r"\w+|\W+"),
    ],
)
def test_a_tokenizer_that_is_not_quite_ours_goes_to_the_library(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    vocabulary = changed(folder, tmp_path / "changed", change)
    assert not isinstance(open_engine(vocabulary), Compiled)


def test_an_unknown_kind_of_model_goes_to_the_library(tmp_path: Path) -> None:
    words = Tokenizer(WordLevel({"<|endoftext|>": 0, "가": 1, "<unk>": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.add_special_tokens([AddedToken("<|endoftext|>", special=True)])
    write_tokenizer(words, tmp_path)
    vocabulary = open_vocabulary(tmp_path)
    assert isinstance(open_engine(vocabulary), Library)
    same(vocabulary, ["가 나 <|endoftext|>"])


def test_text_that_spells_a_special_token_goes_to_the_library_and_is_counted(foreign: Path) -> None:
    vocabulary = open_vocabulary(foreign)
    engine = open_engine(vocabulary)
    ids, sizes = engine.encode(pa.array(["가 <|endoftext|> 나", "<|user|>", "다", ""], pa.large_string()))
    assert engine.aside == 2
    ends = np.cumsum(sizes)
    assert (ids[ends - 1] == vocabulary.end_of_text).all()
    assert int((ids == vocabulary.end_of_text).sum()) == 4
    assert vocabulary.tokenizer.token_to_id("<|user|>") not in ids


def test_text_that_becomes_a_special_token_by_normalising_goes_to_the_library(foreign: Path, tmp_path: Path) -> None:
    nfkc = json.loads(normalizers.NFKC().__getstate__())
    vocabulary = changed(
        foreign,
        tmp_path / "nfkc",
        lambda told: (told.update(normalizer=nfkc), [one.update(normalized=True) for one in told["added_tokens"]]),
    )
    same(vocabulary, ["가 ＜｜endoftext｜＞ 나", "가나"])


class Wrong:
    """An engine that gives one id for another."""

    name, aside = "wrong", 0

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._library = Library(vocabulary)

    def begin(self) -> None:
        pass

    def encode(self, texts: pa.Array) -> tuple[Any, Any]:
        ids, sizes = self._library.encode(texts)
        return np.where(ids > 300, ids - 1, ids), sizes


def test_a_difference_in_the_sample_is_found(folder: Path, texts: list[str]) -> None:
    vocabulary = open_vocabulary(folder)
    check, column = Check(vocabulary, "0" * 32), pa.array(texts, pa.large_string())
    assert check.differing(open_engine(vocabulary), column, 0) == 0
    assert check.differing(Wrong(vocabulary), column, 0) > 0


def test_a_shard_whose_sample_differs_is_encoded_by_the_library_and_that_is_told(
    make_run: Callable[..., Path],
    encoded: Callable[[Path], Outcome],
    texts: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run({"train/00000": texts})

    def encode() -> tuple[bytes, dict[str, Any]]:
        counts = encoded(run).counts
        return (run / "tokens" / "train" / "00000.bin").read_bytes(), counts

    right, counts = encode()
    assert counts["encoder/compiled"] == {"documents": len(texts)}
    assert not any("differed" in reason for reason in counts)
    honest = Compiled.encode

    def wrong(self: Compiled, column: pa.Array) -> tuple[Any, Any]:
        ids, sizes = honest(self, column)
        return np.where(ids == ids.max(), ids - 1, ids), sizes

    monkeypatch.setattr(Compiled, "encode", wrong)
    ids, counts = encode()
    assert ids == right
    assert counts["encoder/tokenizers"] == {"documents": len(texts)}
    assert counts["encoder/differed from tokenizers"]["documents"] > 0
    assert len(IndexedTokens(run / "tokens" / "train" / "00000")) == len(texts)


@settings(max_examples=200)
@given(texts=st.lists(st.text(max_size=30) | st.text(st.sampled_from("가 a\x1c\x85\u00a0\u2003\u3000\n"), max_size=20)))
def test_characters_and_eojeol_are_those_of_python(texts: list[str]) -> None:
    chars, eojeol = count_units(*text_buffers(pa.array(texts, pa.large_string())))
    assert chars.tolist() == [len(text) for text in texts]
    assert eojeol.tolist() == [len(text.split()) for text in texts]


@settings(max_examples=200)
@given(texts=st.lists(st.text(st.sampled_from("<|ab>"), max_size=20), max_size=5))
def test_names_are_found_from_the_left_the_longest_first(texts: list[str]) -> None:
    import re

    given_names = ["<|a|>", "<|a", "b", "<|b|>"]
    starts, ends, names, rows = find_names(*text_buffers(pa.array(texts, pa.large_string())), names_of(given_names))
    pattern = re.compile("|".join(re.escape(one) for one in sorted(given_names, key=len, reverse=True)))
    offset, wanted = 0, []
    for row, text in enumerate(texts):
        wanted += [(offset + m.start(), offset + m.end(), given_names.index(m[0]), row) for m in pattern.finditer(text)]
        offset += len(text)
    assert list(zip(starts.tolist(), ends.tolist(), names.tolist(), rows.tolist(), strict=True)) == wanted


def test_names_that_could_overlap_are_known() -> None:
    assert not overlap(["<|a|>", "<|b|>", "<|ab|>"])
    assert overlap(["ab", "bc"])
    assert overlap(["abc", "b"])


def test_a_vocabulary_beyond_uint16_keeps_its_ids(tmp_path: Path, texts: list[str]) -> None:
    made = json.loads(train_tokenizer(texts, vocab_size=600, min_frequency=2).to_str())
    vocab: dict[str, int] = made["model"]["vocab"]
    far = {name: number + 70_000 if number > 300 else number for name, number in vocab.items()}
    made["model"]["vocab"] = far
    made["added_tokens"] = [one for one in made["added_tokens"] if one["id"] <= 300]
    write_tokenizer(Tokenizer.from_str(json.dumps(made)), tmp_path)
    vocabulary = open_vocabulary(tmp_path)
    assert vocabulary.entries > 70_000
    same(vocabulary, texts[:50])
