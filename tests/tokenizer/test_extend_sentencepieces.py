"""Extending a BPE of characters: what the library gives is old merges, then new ones; words stay apart; own and odd."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizer.byte_level import HANGUL_CLASS
from tokenizer.extend import Extension, _most_saving, extend, notes, with_merges, write_extension
from tokenizer.extendable import Bpe, from_state, open_bpe
from tokenizer.hangul_runs import word_border
from tokenizer.sentencepieces import train_sentencepiece
from tokenizer.train import write_tokenizer
from tokenizer.verify_extension import failures, verify
from tokenizer.vocabulary import MODEL

MakeBase = Callable[[Path, str], Path]
ADD = 120
RUN = re.compile(f"▁?[{HANGUL_CLASS}]+")
ANY = st.text("한국어사람은문장뷁ㅋㅋ▁   \n<>/ra.otheX0漢é😀\x00", max_size=60) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=30
)
MIXED = st.tuples(ANY, st.text("한국어 사람은에서문장", max_size=30), ANY).map("".join)


@pytest.fixture(scope="module", params=["llama2", "gemma", "metaspace"])
def extension(request: pytest.FixtureRequest, make_base: MakeBase, texts: list[str], tmp_path_factory) -> Extension:
    folder = make_base(tmp_path_factory.mktemp("base") / "base", request.param)
    return extend(open_bpe(folder), texts, ADD)


def ids_of(tokenizer: Bpe, text: str) -> list[int]:
    return tokenizer.tokenizer.encode(text, add_special_tokens=False).ids


def new_tokens(made: Extension) -> list[str]:
    first = made.base.entries
    return sorted((one for one, number in made.extended.ids.items() if number >= first), key=made.extended.ids.get)


@given(text=MIXED)
def test_a_text_is_cut_by_the_old_merges_and_then_by_the_new_ones(extension: Extension, text: str) -> None:
    base, extended = extension.base, extension.extended
    names = {number: token for token, number in base.ids.items()}
    tokens = [names[number] for number in ids_of(base, text)]
    for character in new_tokens(extension)[: extension.characters]:
        in_bytes = [f"<0x{byte:02X}>" for byte in character.encode()]
        for at in range(len(tokens), -1, -1):
            if tokens[at : at + 3] == in_bytes:
                tokens[at : at + 3] = [character]
    for left, right in extended.merges[len(base.merges) :]:
        at = 0
        while at + 1 < len(tokens):
            if (tokens[at], tokens[at + 1]) == (left, right):
                tokens[at : at + 2] = [left + right]
            at += 1
    assert [extended.ids[token] for token in tokens] == ids_of(extended, text)


@given(text=MIXED)
def test_words_are_cut_as_within_the_text(extension: Extension, text: str) -> None:
    for one in (extension.base, extension.extended):
        model, whole = one.tokenizer.model, text.replace(" ", "▁")
        words = re.split(word_border(one.ids), whole)
        assert "".join(words) == whole
        assert [token.id for word in words if word for token in model.tokenize(word)] == [
            token.id for token in (model.tokenize(whole) if whole else [])
        ]


def test_a_word_ends_before_a_space_unless_a_token_reaches_over_it(extension: Extension) -> None:
    border = word_border(extension.base.ids)
    assert re.split(border, "▁한국\n▁사람▁▁then▁a") == ["▁한국\n", "▁사람", "▁▁then", "▁a"]
    assert re.split(border, "r▁a") == (["r▁a"] if "r▁a" in extension.base.ids else ["r", "▁a"])
    assert re.split(word_border(["가", "▁"]), "▁가▁나▁▁") == ["▁가", "▁나", "▁", "▁"]


def test_new_tokens_are_hangul_with_at_most_a_space_before(extension: Extension) -> None:
    tokens = new_tokens(extension)
    assert len(tokens) == ADD
    assert all(RUN.fullmatch(token) for token in tokens)
    characters = tokens[: extension.characters]
    assert characters
    assert all(len(token) == 1 for token in characters)
    assert len(extension.extended.merges) == len(extension.base.merges) + ADD - len(characters)


def test_the_merges_are_those_of_counting_whole_texts_anew_each_time(
    make_base: MakeBase, texts: list[str], tmp_path: Path, extension: Extension
) -> None:
    base, few = extension.base, texts[:25]
    made = extend(base, few, 60)
    missing = Counter(one for text in few for one in text if RUN.fullmatch(one) and one not in base.ids)
    characters = [one for one, number in sorted(missing.items(), key=lambda pair: (-pair[1], pair[0])) if number > 1]
    widened = from_state(base.folder, with_merges(base, characters, []))
    ids, names = dict(widened.ids), {number: token for token, number in widened.ids.items()}
    cut = [[names[number] for number in ids_of(widened, text)] for text in few]
    wanted = extension_merges(made)
    for expected in wanted:
        counts = Counter(pair for text in cut for pair in pairwise(text))
        may = {pair: n for pair, n in counts.items() if RUN.fullmatch("".join(pair)) and "".join(pair) not in ids}
        best = min(may, key=lambda pair: (-may[pair], ids[pair[0]], ids[pair[1]]))
        assert best == expected
        ids["".join(best)] = len(ids)
        for tokens in cut:
            at = 0
            while at + 1 < len(tokens):
                if (tokens[at], tokens[at + 1]) == best:
                    tokens[at : at + 2] = ["".join(best)]
                at += 1
    assert len(wanted) + made.characters == 60


def extension_merges(made: Extension) -> list[tuple[str, str]]:
    return made.extended.merges[len(made.base.merges) :]


@given(
    characters=st.lists(st.integers(1, 50), max_size=8).map(lambda one: sorted(one, reverse=True)),
    merges=st.lists(st.integers(1, 50), max_size=8).map(lambda one: sorted(one, reverse=True)),
    add=st.integers(0, 20),
)
def test_what_saves_most_tokens_is_taken(characters: list[int], merges: list[int], add: int) -> None:
    taken, made = _most_saving(characters, merges, add)
    assert taken + made == min(add, len(characters) + len(merges))
    saved = 2 * sum(characters[:taken]) + sum(merges[:made])
    assert saved == sum(sorted([*(2 * one for one in characters), *merges], reverse=True)[:add])


def test_a_rare_character_stays_in_bytes(make_base: MakeBase, texts: list[str], tmp_path: Path) -> None:
    base = open_bpe(make_base(tmp_path / "base", "llama2"))
    made = extend(base, [*texts, "뷁 뙠뙠"], 10)
    assert not {"뷁", "뙠"} & set(new_tokens(made))
    made = extend(base, ["뷁 뙠뙠"], 1)
    assert new_tokens(made) == ["뙠"]
    assert (made.times, made.characters) == ([2], 1)
    assert ids_of(made.extended, "뷁") == ids_of(base, "뷁")


def test_a_sentencepiece_model_is_left_out_and_said_so(extension: Extension, tmp_path: Path) -> None:
    (extension.base.folder / MODEL).write_bytes(b"old pieces")
    try:
        assert any("tokenizer.model was left out" in note for note in notes(extension))
        write_extension(extension, verify(extension.base, extension.extended), tmp_path / "out")
    finally:
        (extension.base.folder / MODEL).unlink()
    assert not (tmp_path / "out" / MODEL).exists()
    assert not any(MODEL in note for note in notes(extension))
    told = json.loads((tmp_path / "out" / "extension.json").read_text("utf-8"))
    assert told["new_characters"] == extension.characters
    assert told["rarest_merge"] == extension.times[-1]


def test_our_own_bpe_of_characters_is_extended(texts: list[str], tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    _, tokenizer = train_sentencepiece(
        [*texts[:20], "the other one"], "bpe", vocab_size=512, placeholders=["<|phone|>"]
    )
    write_tokenizer(tokenizer, tmp_path)
    base = open_bpe(tmp_path)
    other = ["사용자가 <|phone|> 뚫고 흙을 밟았다 뚫린 흙길", "흙을 뚫고 밟았다"] * 3
    made = extend(base, other, 12)
    assert not failures(verify(base, made.extended, [*other, *texts]))
    assert {"흙", "뚫", "밟"} <= {*new_tokens(made), *base.ids}
    before, after = (sum(len(ids_of(one, text)) for text in other) for one in (base, made.extended))
    assert after < before
