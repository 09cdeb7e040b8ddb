"""Pruning: the texts are cut as before, the bytes and added tokens stay, ids close up and every file follows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from corpus.errors import SchemaError, SourceError, UsageError
from tokenizer.extendable import open_bpe
from tokenizer.prune import RECORD, Pruned, prune, require_same, write_pruned

MakeBase = Callable[[Path, str], Path]
TEXTS = ["The quick fox and the other one.", "한국어 사람은 <|end_of_text|> 뷁"]


@pytest.fixture
def base(make_base: MakeBase, tmp_path: Path) -> Path:
    """With a template that adds a special token, as Llama 3 has it: ids stand in three places."""
    folder = make_base(tmp_path / "base", "llama3")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    number = tokenizer.token_to_id("<|begin_of_text|>")
    state = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    begin = {"id": "<|begin_of_text|>", "ids": [number], "tokens": ["<|begin_of_text|>"]}
    single = [{"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    state["post_processor"] = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|begin_of_text|>": begin},
    }
    (folder / "tokenizer.json").write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    config["added_tokens_decoder"] = {str(number): {"content": "<|begin_of_text|>", "special": True}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_texts_are_cut_as_before_by_a_smaller_vocabulary_whose_ids_close_up(base: Path, tmp_path: Path) -> None:
    opened = open_bpe(base)
    made = prune(opened, TEXTS)
    require_same(made, TEXTS)
    write_pruned(made, tmp_path / "out")
    pruned = open_bpe(tmp_path / "out")
    assert pruned.entries < opened.entries
    assert sorted(pruned.ids.values()) == list(range(pruned.entries))
    for text in TEXTS:
        before, after = (one.tokenizer.encode(text) for one in (opened, pruned))
        assert after.tokens == before.tokens
        assert [made.old_ids[number] for number in after.ids] == before.ids
        assert pruned.tokenizer.decode(after.ids, skip_special_tokens=False).endswith(text)
    number = pruned.tokenizer.token_to_id("<|begin_of_text|>")
    assert pruned.tokenizer.encode("a").ids[0] == number
    config = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text("utf-8"))
    assert list(config["added_tokens_decoder"]) == [str(number)]
    assert json.loads((tmp_path / "out" / RECORD).read_text("utf-8"))["old_ids"] == made.old_ids


def test_any_text_can_still_be_written(base: Path) -> None:
    made = prune(open_bpe(base), ["x"])
    text = "Text of any kind: 한국어, 日本語 \x00 😀"
    assert made.pruned.tokenizer.decode(made.pruned.tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_a_sentencepiece_style_vocabulary_is_refused(make_base: MakeBase, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="a sentencepiece-style BPE cannot be pruned"):
        prune(open_bpe(make_base(tmp_path / "other", "llama2")), TEXTS)


def test_a_limit_keeps_the_most_used(base: Path) -> None:
    opened = open_bpe(base)
    everything = prune(opened, TEXTS * 3)
    made = prune(opened, TEXTS * 3, keep=262)
    assert made.pruned.entries <= 262 < everything.pruned.entries
    with pytest.raises(UsageError, match="259 entries"):
        prune(opened, TEXTS, keep=100)


def test_texts_that_would_be_cut_otherwise_and_no_text_are_refused(base: Path) -> None:
    opened = open_bpe(base)
    made = prune(opened, ["x"])
    with pytest.raises(SchemaError, match=r"text 2 \(from 1\) is cut otherwise"):
        require_same(Pruned(opened, made.pruned, made.old_ids, 1), ["x", "the other"])
    with pytest.raises(SourceError, match="no text"):
        prune(opened, [])
