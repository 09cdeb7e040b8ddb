"""Whether a vocabulary is an extension of another that loses nothing: named checks, run on every extension.

`hanjo tokenizer verify`, and the last step of `hanjo tokenizer extend`. Appending tokens by hand was seen to move
special tokens, to break round trips and to leave new tokens that no text is ever cut into; each check below finds one
such harm, and a test breaks an extension on purpose for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from tokenizer.byte_level import HANGUL_CLASS, certain_hangul
from tokenizer.extendable import Bpe, from_state
from tokenizer.probes import with_hangul, without_hangul

_BATCH = 512  # texts
_HANGUL = re.compile(f"[{HANGUL_CLASS}]")


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it asks, of how many things, and of those that failed how many and the first, described."""

    name: str
    asks: str
    checked: int
    failed: int
    first: str

    @property
    def passed(self) -> bool:
        return not self.failed


def failures(checks: Iterable[Check]) -> str:
    """The checks that failed, each with its first failure; empty where all passed."""
    return "; ".join(f"{one.name} ({one.failed:,} of {one.checked:,}): {one.first}" for one in checks if one.failed)


@dataclass(frozen=True, slots=True)
class Spelt:
    """Tokens as messages name them, spelt when one is written: of most nothing is told."""

    of: Bpe
    tokens: tuple[str, ...]

    def __str__(self) -> str:
        return " + ".join(map(self.of.spelt, self.tokens))


class Tally:
    """Counts what was looked at and keeps the first failure."""

    def __init__(self) -> None:
        self.checked = self.failed = 0
        self.first = ""

    def see(self, fine: bool, told: str, *of: object) -> None:
        self.checked += 1
        if not fine:
            self.failed += 1
            self.first = self.first or told.format(*of)


def verify(base: Bpe, extended: Bpe, texts: Iterable[str] = ()) -> list[Check]:
    """All checks, in a fixed order.

    Args:
        texts: looked at beside the made ones of `tokenizer/probes.py`; failures name their numbers, never their text.
    """
    by_name = {name: Tally() for name in ASKS}
    _ids(base, extended, by_name["ids"])
    _special(base, extended, by_name["special"])
    _merges(base, extended, by_name["merges"])
    _pipeline(base, extended, by_name["pipeline"])
    _reachable(base, extended, by_name["reachable"])
    _hangul_only(base, extended, by_name["others"])
    special = [token["content"] for token in base.added]
    on = by_name["coarser"], by_name["round-trip"], by_name["others"]
    for source, stream in (
        ("made text with Hangul", with_hangul(special)),
        ("made text without Hangul", without_hangul(special)),
        ("text", texts),
    ):
        on_texts(base, extended, source, stream, *on)
    return [Check(name, ASKS[name], one.checked, one.failed, one.first) for name, one in by_name.items()]


ASKS = {
    "ids": "every old token has its old id, new ids follow without a gap and are used once",
    "special": "added tokens are the same, with the same ids and properties, and no new one came",
    "merges": "the old merges are the beginning of the new merge list",
    "pipeline": "normaliser, pre-tokenizer, post-processor, decoder and the model's options are the same",
    "reachable": "every new token is what its own text is merged into",
    "coarser": "no token border stands where the old vocabulary had none",
    "round-trip": "decoding gives the text back (up to the base's own normaliser)",
    "others": "text without Hangul has the same ids",
}


def _ids(base: Bpe, extended: Bpe, tally: Tally) -> None:
    for token, number in base.ids.items():
        now = extended.tokenizer.token_to_id(token)
        tally.see(now == number, "token {} had id {}, now {}", Spelt(base, (token,)), number, now)
    new = {token: number for token, number in extended.ids.items() if token not in base.ids}
    wanted = range(base.entries, base.entries + len(new))
    for number, token in zip(wanted, sorted(new, key=lambda one: new[one]), strict=True):
        now = extended.tokenizer.token_to_id(token)
        tally.see(now == number, "new token {} has id {}, expected {}", Spelt(extended, (token,)), now, number)


def _special(base: Bpe, extended: Bpe, tally: Tally) -> None:
    now = extended.tokenizer.get_added_tokens_decoder()
    for number, token in base.tokenizer.get_added_tokens_decoder().items():
        fine = number in now and _properties(now[number]) == _properties(token)
        tally.see(fine, "{!r} is not the added token of id {} any more", token.content, number)
    old = {token["content"] for token in base.added}
    for entry in extended.added:
        tally.see(entry["content"] in old, "{!r} is a new added token", entry["content"])


def _properties(token: Any) -> tuple[object, ...]:
    return token.content, token.special, token.lstrip, token.rstrip, token.single_word, token.normalized


def _merges(base: Bpe, extended: Bpe, tally: Tally) -> None:
    old, new = base.merges, extended.merges
    tally.see(len(new) >= len(old), "{} merges, where the base has {}", len(new), len(old))
    for number, (before, after) in enumerate(zip(old, new, strict=False)):
        tally.see(before == after, "merge {} was {}, now {}", number, Spelt(base, before), Spelt(extended, after))


def _pipeline(base: Bpe, extended: Bpe, tally: Tally) -> None:
    before, after = (_rest(one.state) for one in (base, extended))
    for name in sorted(before.keys() | after.keys()):
        tally.see(before.get(name) == after.get(name), "{} is not the same", name)


def _rest(state: dict[str, Any]) -> dict[str, Any]:
    """All of a tokenizer.json but the vocabulary, the merges and the added tokens, which have checks of their own."""
    rest = {name: value for name, value in state.items() if name not in ("model", "added_tokens")}
    model = {f"model.{name}": v for name, v in state["model"].items() if name not in ("vocab", "merges")}
    return rest | model


def _new_tokens(base: Bpe, extended: Bpe) -> Iterator[tuple[str, int, bytes | None]]:
    for token, number in extended.ids.items():
        if token not in base.ids:
            yield token, number, extended.bytes_of(token)


def _reachable(base: Bpe, extended: Bpe, tally: Tally) -> None:
    """Part of a character is no text; of it the merges alone are asked, of whole characters the whole way from text."""
    state = {**extended.state, "model": {**extended.state["model"], "ignore_merges": False}}
    model, encode = from_state(extended.folder, state).tokenizer.model, extended.tokenizer.encode
    for token, number, _ in _new_tokens(base, extended):
        fine = [one.id for one in model.tokenize(token)] == [number]
        if fine and (text := extended.text_of(token)) is not None:
            around = (text, f"가{text}", f"{text}가", f"a{text}")  # some pieces only begin beside another
            fine = any(number in encode(one, add_special_tokens=False).ids for one in around)
        tally.see(fine, "new token {} (id {}) comes out of no text", Spelt(extended, (token,)), number)


def _hangul_only(base: Bpe, extended: Bpe, tally: Tally) -> None:
    """Whatever the text: a token whose bytes only Hangul can hold is met by no other text."""
    for token, number, data in _new_tokens(base, extended):
        fine = data is not None and certain_hangul(data)
        told = "new token {} (id {}) can come out of text without Hangul"
        tally.see(fine, told, Spelt(extended, (token,)), number)


def on_texts(
    base: Bpe,
    extended: Bpe,
    source: str,
    texts: Iterable[str],
    coarser: Tally,
    back: Tally,
    others: Tally,
) -> None:
    """The three checks of texts; `source` names them in what is told, with their numbers."""
    lengths = [_lengths(one) for one in (base, extended)]
    stream, number = iter(texts), 0
    while batch := list(islice(stream, _BATCH)):
        encoded = [one.tokenizer.encode_batch(batch, add_special_tokens=False) for one in (base, extended)]
        for text, before, after in zip(batch, *encoded, strict=True):
            number += 1
            ends = [np.cumsum(size[one.ids]) for size, one in zip(lengths, (before, after), strict=True)]
            coarser.see(bool(np.isin(ends[1], ends[0]).all()), "{} {} (from 1)", source, number)
            back.see(_comes_back(base, extended, text, before.ids, after.ids), "{} {} (from 1)", source, number)
            if not _HANGUL.search(text):
                others.see(before.ids == after.ids, "{} {} (from 1)", source, number)


def _lengths(tokenizer: Bpe) -> npt.NDArray[np.int64]:
    """Bytes of the text that each id stands for."""
    sizes = np.zeros(tokenizer.entries, np.int64)
    for number, data in enumerate(tokenizer.token_bytes()):
        sizes[number] = len(data)
    for token in tokenizer.added:
        sizes[tokenizer.ids[token["content"]]] = len(token["content"].encode())
    return sizes


def _comes_back(base: Bpe, extended: Bpe, text: str, before: list[int], after: list[int]) -> bool:
    """Whether the text comes back, or at least what the base gives back (an added token may swallow a space)."""
    found = extended.tokenizer.decode(after, skip_special_tokens=False)
    return found == text or found == base.tokenizer.decode(before, skip_special_tokens=False)
