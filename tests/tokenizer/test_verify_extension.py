"""The verifier: a sound extension passes every check, and each check fails on an extension broken on purpose."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import SchemaError
from tokenizer.byte_level import from_bytes
from tokenizer.extend import Extension, extend, with_merges, write_extension
from tokenizer.extendable import Bpe, from_state, open_bpe
from tokenizer.verify_extension import ASKS, failures, verify

State = dict[str, Any]


@pytest.fixture(scope="module")
def made(make_base: Callable[[Path, str], Path], texts: list[str], tmp_path_factory: Any) -> Extension:
    return extend(open_bpe(make_base(tmp_path_factory.mktemp("base") / "base", "llama3")), texts, 100)


def broken(made: Extension, spoil: Callable[[State, Bpe], None]) -> Bpe:
    state = copy.deepcopy(made.extended.state)
    spoil(state, made.base)
    return from_state(Path("broken"), state)


def append_naively(state: State, base: Bpe) -> None:
    """As it is often done: new entries go behind the vocabulary, and the file's added tokens are left to themselves."""
    for token in base.added:
        del state["model"]["vocab"][token["content"]]
    kept = sorted(state["model"]["vocab"].items(), key=lambda pair: pair[1])
    state["model"]["vocab"] = {token: number for number, (token, _) in enumerate(kept)}


def swap_two_ids(state: State, base: Bpe) -> None:
    vocab = state["model"]["vocab"]
    vocab["the"], vocab["Ġthe"] = vocab["Ġthe"], vocab["the"]


def leave_a_gap(state: State, base: Bpe) -> None:
    last = max(state["model"]["vocab"], key=lambda token: state["model"]["vocab"][token])
    state["model"]["vocab"][last] += 7


def make_special_ordinary(state: State, base: Bpe) -> None:
    state["added_tokens"][0]["special"] = False


def add_tokens_as_added(state: State, base: Bpe) -> None:
    """Korean words as added tokens that swallow the space before them, as `add_tokens` makes them with lstrip."""
    like = state["added_tokens"][-1]
    number = max(state["model"]["vocab"].values()) + 1
    state["added_tokens"].append({**like, "id": number, "content": "사람", "lstrip": True})


def put_new_merges_first(state: State, base: Bpe) -> None:
    old = len(base.merges)
    state["model"]["merges"] = state["model"]["merges"][old:] + state["model"]["merges"][:old]


def lose_a_merge(state: State, base: Bpe) -> None:
    del state["model"]["merges"][3]


def split_otherwise(state: State, base: Bpe) -> None:
    state["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": r"\s+|\S"}


def another_decoder(state: State, base: Bpe) -> None:
    replace = {"type": "Replace", "pattern": {"String": "한"}, "content": "항"}
    state["decoder"] = {"type": "Sequence", "decoders": [state["decoder"], replace]}


def token_without_a_merge(state: State, base: Bpe) -> None:
    """Llama 3's model takes a whole piece that is in the vocabulary, but within a longer one nothing makes this."""
    vocab = state["model"]["vocab"]
    vocab[from_bytes("뷁뙠".encode())] = max(vocab.values()) + 1


def merge_of_english(state: State, base: Bpe) -> None:
    vocab, merges = state["model"]["vocab"], state["model"]["merges"]
    vocab["zq"] = max(vocab.values()) + 1
    merges.append("z q")


def merge_of_shared_bytes(state: State, base: Bpe) -> None:
    """The end of 한, which stands in other scripts too (U+255C)."""
    left, right = from_bytes(b"\x95"), from_bytes(b"\x9c")
    vocab, merges = state["model"]["vocab"], state["model"]["merges"]
    vocab[left + right] = max(vocab.values()) + 1
    merges.append(f"{left} {right}")


@pytest.mark.parametrize(
    ("spoil", "caught_by"),
    [
        (append_naively, {"ids", "special"}),
        (swap_two_ids, {"ids"}),
        (leave_a_gap, {"ids"}),
        (make_special_ordinary, {"special"}),
        (add_tokens_as_added, {"special", "round-trip"}),
        (put_new_merges_first, {"merges"}),
        (lose_a_merge, {"merges"}),
        (split_otherwise, {"pipeline", "coarser", "others"}),
        (another_decoder, {"pipeline", "round-trip"}),
        (token_without_a_merge, {"reachable"}),
        (merge_of_english, {"others"}),
        (merge_of_shared_bytes, {"others"}),
    ],
)
def test_each_harm_is_caught(
    made: Extension, texts: list[str], spoil: Callable[[State, Bpe], None], caught_by: set[str]
) -> None:
    checks = verify(made.base, broken(made, spoil), [*texts[:50], "앞에 사람 뒤에"])
    failed = {check.name for check in checks if not check.passed}
    assert caught_by <= failed, checks
    assert all(check.first for check in checks if not check.passed)


def test_each_check_has_a_harm_that_it_catches() -> None:
    marks = test_each_harm_is_caught.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert set().union(*(caught for _, caught in marks)) == set(ASKS)


def test_a_second_way_to_an_old_token_is_caught_where_it_cuts_otherwise(made: Extension) -> None:
    """A merge put before the old ones: the pieces it takes are missed by those that came first until now."""
    text = "한국 사람"
    base = made.base.tokenizer.encode(text, add_special_tokens=False)
    left, right = base.tokens[1], base.tokens[2]
    state = with_merges(made.base, [left + right], [(left, right)])
    state["model"]["merges"] = state["model"]["merges"][-1:] + state["model"]["merges"][:-1]
    failed = {check.name for check in verify(made.base, from_state(Path("broken"), state), [text]) if not check.passed}
    assert "merges" in failed


def test_an_unsound_extension_is_never_written(made: Extension, tmp_path: Path) -> None:
    checks = verify(made.base, broken(made, swap_two_ids))
    with pytest.raises(SchemaError, match="not sound, nothing was written: ids"):
        write_extension(made, checks, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_failure_on_a_text_tells_its_number_and_not_its_words(made: Extension) -> None:
    checks = verify(made.base, broken(made, another_decoder), ["비밀 한글"])
    assert "비밀" not in failures(checks)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (swap_two_ids, "the' had id"),
        (token_without_a_merge, "new token '뷁뙠' (id"),
        (merge_of_shared_bytes, "new token '<95><9C>' (id"),
        (make_special_ordinary, "'<|begin_of_text|>' is not"),
    ],
)
def test_tokens_are_named_by_the_text_they_spell(
    made: Extension, spoil: Callable[[State, Bpe], None], told: str
) -> None:
    said = failures(verify(made.base, broken(made, spoil)))
    assert told in said
    assert not any(one in said for one in "Ġìëí")


def test_merges_are_named_by_the_text_they_spell(made: Extension) -> None:
    (first,) = (one.first for one in verify(made.base, broken(made, put_new_merges_first)) if one.name == "merges")
    before, now = made.base.merges[0], made.extended.merges[len(made.base.merges)]
    spelt = [" + ".join(map(made.extended.spelt, pair)) for pair in (before, now)]
    assert first == f"merge 0 was {spelt[0]}, now {spelt[1]}"
    assert not any(one in first for one in "Ġìëí")
