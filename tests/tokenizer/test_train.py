"""The vocabulary: deterministic, lossless, opened by transformers, special tokens only where they belong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from corpus.errors import SourceError
from corpus.privacy import PLACEHOLDERS
from tokenizer.train import train_tokenizer, write_tokenizer
from tokenizer.vocabulary import END_OF_TEXT, MULTIPLE, SPECIAL, content_hash, open_vocabulary, reserved


def pieces(tokenizer: Tokenizer, text: str) -> list[str]:
    return [text[start:end] for _, (start, end) in tokenizer.pre_tokenizer.pre_tokenize_str(text)]


def test_two_trainings_on_the_same_text_give_the_same_bytes(texts: list[str], folder: Path, tmp_path: Path) -> None:
    again = train_tokenizer(iter(texts), vocab_size=450, min_frequency=2, placeholders=PLACEHOLDERS)
    write_tokenizer(again, tmp_path)
    assert content_hash(tmp_path) == content_hash(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=40)
    | st.text(st.sampled_from("가힣ㅋㅠᄒ한학學aB1 2\t\n\r'.,(<|>\u3000\u00a0e\u0301😀"), max_size=40)
    | st.lists(st.sampled_from([*SPECIAL, *PLACEHOLDERS, " ", "가"]), max_size=6).map("".join)
)
def test_every_text_comes_back_from_its_tokens(trained: Tokenizer, text: str) -> None:
    ids = trained.encode(text, add_special_tokens=False).ids
    assert trained.decode(ids, skip_special_tokens=False) == text


def test_the_first_ids_are_fixed_and_the_vocabulary_is_a_multiple_of_128(trained: Tokenizer) -> None:
    assert [trained.token_to_id(name) for name in SPECIAL] == [0, 1, 2, 3, 4]
    assert trained.get_vocab_size() == 512  # 450 asked for
    assert sorted(trained.get_vocab().values()) == list(range(512))
    assert trained.token_to_id(reserved(61)) == 511


def test_all_bytes_are_in_the_vocabulary(trained: Tokenizer) -> None:
    for text in ("\x00", "é", "龘", "😀", "ꥠ"):
        assert trained.decode(trained.encode(text).ids) == text


def test_too_little_text_gives_a_smaller_vocabulary_still_filled_up() -> None:
    tokenizer = train_tokenizer(["가나 다라"] * 3, vocab_size=32_000, min_frequency=2)
    assert tokenizer.get_vocab_size() == 3 * MULTIPLE  # 256 bytes, 5 special ones, a few merges


def test_no_text_at_all_is_an_error() -> None:
    with pytest.raises(SourceError, match="no text to train"):
        train_tokenizer(iter(["", ""]), vocab_size=450, min_frequency=2)


def test_pieces_follow_eojeol_digits_and_jamo(trained: Tokenizer) -> None:
    assert pieces(trained, "서울에서 API를 2024년에ㅋㅋㅋ 호출") == [
        "서울에서",
        " API를",
        " ",
        *"2024",
        "년에",
        "ㅋㅋㅋ",
        " 호출",
    ]
    assert pieces(trained, "끝.\n\n學校에서 don't") == ["끝.\n\n", "學校에서", " don't"]


def test_literal_special_tokens_in_a_text_stay_text_and_placeholders_are_one_id(folder: Path) -> None:
    vocabulary = open_vocabulary(folder)
    text = "글 " + " ".join([*SPECIAL, reserved(0)]) + " 끝"
    ids = vocabulary.tokenizer.encode(text, add_special_tokens=False).ids
    named = {vocabulary.tokenizer.token_to_id(name) for name in (*SPECIAL, reserved(0))}
    assert not named & set(ids)
    assert vocabulary.tokenizer.decode(ids) == text
    for name in PLACEHOLDERS:
        (number,) = vocabulary.tokenizer.encode(name, add_special_tokens=False).ids
        assert number == vocabulary.tokenizer.token_to_id(name)
        assert not vocabulary.tokenizer.get_added_tokens_decoder()[number].special


def test_no_merge_is_spent_on_the_spelling_of_placeholders(texts: list[str]) -> None:
    with_them = train_tokenizer(
        ["<|phone|>".join(text.split("\n")) for text in texts],
        vocab_size=450,
        min_frequency=2,
        placeholders=["<|phone|>"],
    )
    assert not {"<|", "|>", "ph", "one"} & set(with_them.get_vocab())


def test_transformers_opens_the_folder_offline_and_gives_the_same_ids(
    folder: Path, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    ours = open_vocabulary(folder)
    assert theirs.is_fast
    assert (theirs.eos_token, theirs.eos_token_id, theirs.pad_token) == (END_OF_TEXT, 0, "<|pad|>")
    assert len(theirs) == ours.entries == 512
    text = texts[0] + " <|phone|>로"
    assert theirs(text)["input_ids"] == ours.tokenizer.encode(text, add_special_tokens=False).ids
    assert theirs.decode(theirs(text)["input_ids"]) == text
    assert theirs("<|phone|>")["input_ids"] == [theirs.convert_tokens_to_ids("<|phone|>")]
    assert "<|phone|>" not in theirs.all_special_tokens
    assert {"<|endoftext|>", "<|pad|>", "<|user|>"} <= set(theirs.all_special_tokens)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer.json: the file is missing"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "not a readable tokenizer"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "tokenizer_config.json").write_text("{}"), "no end-of-text token"),
        (lambda folder: (folder / "tokenizer_config.json").write_text('{"eos_token": "</s>"}'), "'</s>', which is not"),
    ],
)
def test_a_broken_folder_is_told_what_is_wrong(
    folder: Path, tmp_path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    spoil(tmp_path)
    with pytest.raises(SourceError, match=said):
        open_vocabulary(tmp_path)


def test_an_end_of_text_token_written_as_an_object_is_understood(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "<|pad|>"}}))
    assert open_vocabulary(tmp_path).end_of_text == 1


def test_a_tokenizer_that_would_end_documents_inside_their_text_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "tokenizer"
    shutil.copytree(folder, copy)
    path = copy / "tokenizer.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    next(token for token in written["added_tokens"] if token["content"] == "<|endoftext|>")["special"] = False
    path.write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(SourceError, match="would end the document"):
        open_vocabulary(copy)
