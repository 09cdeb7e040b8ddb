"""The verifier on a BPE of characters: sound ones pass, and each check fails on one that was broken on purpose."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokenizer.extend import Extension, extend
from tokenizer.extendable import Bpe, from_state, open_bpe
from tokenizer.verify_extension import ASKS, failures, verify

State = dict[str, Any]


@pytest.fixture(scope="module", params=["llama2", "gemma"])
def made(
    request: pytest.FixtureRequest, make_base: Callable[[Path, str], Path], texts: list[str], tmp_path_factory: Any
) -> Extension:
    return extend(open_bpe(make_base(tmp_path_factory.mktemp("base") / "base", request.param)), texts, 100)


def vocab_of(state: State) -> dict[str, int]:
    vocab: dict[str, int] = state["model"]["vocab"]
    return vocab


def add(state: State, token: str, *merge: str) -> None:
    vocab_of(state)[token] = max(vocab_of(state).values()) + 1
    if merge:
        state["model"]["merges"].append(" ".join(merge) if isinstance(state["model"]["merges"][0], str) else [*merge])


def put_characters_first(state: State, base: Bpe) -> None:
    """As a vocabulary is often rebuilt: in the order of its tokens' lengths."""
    names = sorted(vocab_of(state), key=len)
    state["model"]["vocab"] = {token: number for number, token in enumerate(names)}


def swap_two_ids(state: State, base: Bpe) -> None:
    vocab = vocab_of(state)
    vocab["▁a"], vocab["▁the"] = vocab["▁the"], vocab["▁a"]


def make_special_ordinary(state: State, base: Bpe) -> None:
    state["added_tokens"][-1]["special"] ^= True


def word_as_added_token(state: State, base: Bpe) -> None:
    number = max(vocab_of(state).values()) + 1
    state["added_tokens"].append({**state["added_tokens"][-1], "id": number, "content": "사람", "lstrip": True})


def put_new_merges_first(state: State, base: Bpe) -> None:
    old = len(base.merges)
    state["model"]["merges"] = state["model"]["merges"][old:] + state["model"]["merges"][:old]


def lose_a_merge(state: State, base: Bpe) -> None:
    del state["model"]["merges"][5]


def no_more_space_in_front(state: State, base: Bpe) -> None:
    state["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "▂"}


def cut_at_every_character(state: State, base: Bpe) -> None:
    state["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False}


def another_decoder(state: State, base: Bpe) -> None:
    change = {"type": "Replace", "pattern": {"String": "한"}, "content": "항"}
    state["decoder"]["decoders"] = [*state["decoder"]["decoders"], change]


def token_without_a_merge(state: State, base: Bpe) -> None:
    add(state, "뷁뙠")


def byte_token_of_another_name(state: State, base: Bpe) -> None:
    """A character beside its bytes is met, a second spelling of a byte never is."""
    add(state, "<0xeb>")


def merge_that_comes_too_late(state: State, base: Bpe) -> None:
    """Its left half is gone by then: a merge before it has taken the character."""
    add(state, "뷁")
    add(state, "뷁뷁", "뷁", "뷁")
    add(state, "뷁뷁뷁")
    add(state, "뷁뷁뷁뷁", "뷁뷁뷁", "뷁")


def character_of_others(state: State, base: Bpe) -> None:
    """As a base in the making is given the characters of a whole corpus."""
    add(state, "漢")


def merge_of_english(state: State, base: Bpe) -> None:
    add(state, "zq", "z", "q")


def merge_over_a_space(state: State, base: Bpe) -> None:
    add(state, "a▁", "a", "▁")


def test_a_sound_one_passes(made: Extension, texts: list[str]) -> None:
    checks = verify(made.base, made.extended, texts)
    assert not failures(checks)
    assert all(check.checked for check in checks)


@pytest.mark.parametrize(
    ("spoil", "caught_by"),
    [
        (put_characters_first, {"ids"}),
        (swap_two_ids, {"ids"}),
        (make_special_ordinary, {"special"}),
        (word_as_added_token, {"special", "round-trip"}),
        (put_new_merges_first, {"merges"}),
        (lose_a_merge, {"merges"}),
        (no_more_space_in_front, {"pipeline", "others", "round-trip"}),
        (cut_at_every_character, {"pipeline", "coarser", "others"}),
        (another_decoder, {"pipeline", "round-trip"}),
        (token_without_a_merge, {"reachable"}),
        (byte_token_of_another_name, {"reachable", "others"}),
        (merge_that_comes_too_late, {"reachable"}),
        (character_of_others, {"others"}),
        (merge_of_english, {"others"}),
        (merge_over_a_space, {"others"}),
    ],
)
def test_each_harm_is_caught(
    made: Extension, texts: list[str], spoil: Callable[[State, Bpe], None], caught_by: set[str]
) -> None:
    state = copy.deepcopy(made.extended.state)
    spoil(state, made.base)
    checks = verify(made.base, from_state(Path("broken"), state), [*texts[:50], "앞에 사람 뒤에"])
    failed = {check.name for check in checks if not check.passed}
    assert caught_by <= failed, checks


def test_each_check_has_a_harm_that_it_catches() -> None:
    marks = test_each_harm_is_caught.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert set().union(*(caught for _, caught in marks)) == set(ASKS)
