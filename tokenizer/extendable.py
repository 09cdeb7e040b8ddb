"""A tokenizer whose merge list can be gone on with: a BPE, opened from a Hugging Face folder as it lies.

Before `tokenizer/extend.py`, and under the verifier and the pruning, which need the same view of a `tokenizer.json`.
Two systems of symbols are known, and `Bpe` tells them apart:

    byte-level             bytes, as GPT-2's printable characters; there are 256, and all text is made of them
    sentencepiece-style    characters, ▁ for a space; one that the vocabulary lacks falls back to byte tokens
                           `<0xNN>`, which no merge touches
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import SourceError
from tokenizer.byte_level import HANGUL, as_text, byte_names, readable, to_bytes
from tokenizer.hangul_runs import SPACE
from tokenizer.vocabulary import TOKENIZER, of_library, read_object

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_OURS = (
    "only byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM, GPT-4o …) and sentencepiece-style BPE with byte fallback "
    "(Llama 2, Mistral, Gemma …) can be extended by more merges"
)
_BYTE = re.compile("<0x([0-9A-F]{2})>")


@dataclass(frozen=True, slots=True)
class Bpe:
    """An opened BPE.

    Attributes:
        folder: where it lies.
        state: `tokenizer.json` as read.
        tokenizer: of the library; text that spells a special token is encoded as that token, as the library does by
            default.
        ids: every token's id as the library has it, which need not be what the file says of added tokens; those by
            their content, others as the vocabulary writes them.
        added: the entries of `added_tokens`.
        byte_level: whether its symbols are bytes; else they are characters.
    """

    folder: Path
    state: dict[str, Any]
    tokenizer: Tokenizer
    ids: dict[str, int]
    added: list[dict[str, Any]]
    byte_level: bool

    @property
    def entries(self) -> int:
        """One more than the highest id."""
        return max(self.ids.values()) + 1

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merge list, in order; files write a merge as a pair or as one string."""
        return [merge_pair(one) for one in self.state["model"]["merges"]]

    @property
    def normaliser(self) -> str | None:
        """What the tokenizer does to a text before anything else, by its names; None for nothing."""
        part = self.state.get("normalizer")
        parts = part.get("normalizers", [part]) if isinstance(part, dict) else []
        return ", ".join(str(one.get("type")) for one in parts) or None

    def bytes_of(self, token: str) -> bytes | None:
        """The bytes that a token of the vocabulary, not an added one, stands for; None where it stands for none."""
        if self.byte_level:
            return to_bytes(token)
        byte = _BYTE.fullmatch(token)
        return bytes([int(byte[1], 16)]) if byte else token.encode()

    def text_of(self, token: str) -> str | None:
        """The text that a token stands for; None where it is not whole characters."""
        text = as_text(self.bytes_of(token) or b"\xff")
        return text if text is None or self.byte_level else text.replace(SPACE, " ")

    def spelt(self, token: str) -> str:
        """A token for a person, quoted: of byte-level ones the text, parts of characters as hex (`<EA>`)."""
        if not self.byte_level or any(token == one["content"] for one in self.added):
            return repr(token)
        data = to_bytes(token)
        return repr(token) if data is None else f"'{readable(data)}'"

    def token_bytes(self) -> list[bytes]:
        """The bytes of each id; empty for added tokens and for ids that name nothing."""
        table = [b""] * self.entries
        added = {token["content"] for token in self.added}
        for token, number in self.ids.items():
            if token not in added:
                table[number] = self.bytes_of(token) or b""
        return table


def merge_pair(merge: str | list[str]) -> tuple[str, str]:
    """Both parts of a merge as `tokenizer.json` writes it."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def open_bpe(folder: Path) -> Bpe:
    """Open the tokenizer of a folder.

    Raises:
        SourceError: missing, unreadable, or not of a kind that merges can be added to; with the reason.
    """
    state = read_object(folder / TOKENIZER, "give a folder with a fast tokenizer (tokenizer.json)")
    return from_state(folder, state)


def from_state(folder: Path, state: Any) -> Bpe:
    """The same from a `tokenizer.json` that has been read; `folder` is named in errors."""

    path = folder / TOKENIZER
    reason = _why_not(state)
    if reason:
        raise SourceError(reason, where=str(path), fix=_OURS)
    tokenizer = of_library(path, json.dumps(state).encode())
    added = list(state.get("added_tokens") or [])
    ids = tokenizer.get_vocab(with_added_tokens=True)
    return Bpe(folder, state, tokenizer, ids, added, "ByteLevel" in _kinds(state.get("decoder")))


def _why_not(state: Any) -> str | None:
    """Why a tokenizer cannot be gone on with; None where it can."""
    model = state.get("model") if isinstance(state, dict) else None
    if not isinstance(model, dict):
        return "no model in the file"
    kind = model.get("type") or ("BPE" if "merges" in model else "unknown")
    if kind != "BPE":
        return f"a {kind} model has no merges to go on with"
    if not isinstance(model.get("merges"), list) or not isinstance(model.get("vocab"), dict):
        return "the model has no merges to go on with"
    for name in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(name):
            return f"the model has {name} = {model[name]!r}"
    in_bytes = ["ByteLevel" in _kinds(state.get(part)) for part in ("pre_tokenizer", "decoder")]
    if any(in_bytes):
        if not all(in_bytes):
            return "the tokenizer turns text into bytes or bytes into text, but not both"
        return _lacks({byte: byte_names()[byte] for byte in _needed()}, model["vocab"])
    if not model.get("byte_fallback"):
        return "the tokenizer works neither on bytes nor on characters with byte_fallback"
    for pair in map(merge_pair, model["merges"]):
        if any(_BYTE.fullmatch(token) for token in (*pair, "".join(pair))):
            return f"the merge {' '.join(pair)} is of byte tokens: a character that is added would cut text otherwise"
    return _lacks({byte: f"<0x{byte:02X}>" for byte in _needed()}, model["vocab"])


def _lacks(names: dict[int, str], vocab: dict[str, int]) -> str | None:
    missing = sorted(byte for byte, name in names.items() if name not in vocab)
    return f"byte {missing[0]:#04x}, which Hangul needs, is not in the vocabulary" if missing else None


def _needed() -> Iterable[int]:
    """Bytes that Hangul is written with; a vocabulary may lack others (SmolLM2's lacks 21)."""
    leads = {byte for first, last in HANGUL for byte in range(chr(first).encode()[0], chr(last).encode()[0] + 1)}
    return leads | set(range(0x80, 0xC0))


def _kinds(part: Any) -> Iterator[str]:
    """The types of a pre-tokenizer or decoder and of all within it."""
    if isinstance(part, dict):
        yield str(part.get("type"))
        for one in [*part.get("pretokenizers", []), *part.get("decoders", [])]:
            yield from _kinds(one)
