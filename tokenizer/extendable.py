"""A tokenizer whose merge list can be gone on with: byte-level BPE, opened from a Hugging Face folder as it lies.

Before `tokenizer/extend.py`, and under the verifier and the pruning, which need the same view of a `tokenizer.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import SourceError
from tokenizer.byte_level import HANGUL, byte_names, to_bytes
from tokenizer.vocabulary import TOKENIZER, of_library, read_object

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_OURS = "only byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM, GPT-4o …) can be extended by more merges"


@dataclass(frozen=True, slots=True)
class ByteLevelBpe:
    """An opened byte-level BPE.

    Attributes:
        folder: where it lies.
        state: `tokenizer.json` as read.
        tokenizer: of the library; text that spells a special token is encoded as that token, as the library does by
            default.
        ids: every token's id as the library has it, which need not be what the file says of added tokens; those by
            their content, others in byte-level characters.
        added: the entries of `added_tokens`.
    """

    folder: Path
    state: dict[str, Any]
    tokenizer: Tokenizer
    ids: dict[str, int]
    added: list[dict[str, Any]]

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

    def token_bytes(self) -> list[bytes]:
        """The bytes of each id; empty for added tokens, which no merge touches, and for ids that name nothing."""
        table = [b""] * self.entries
        added = {token["content"] for token in self.added}
        for token, number in self.ids.items():
            if token not in added:
                table[number] = to_bytes(token) or b""
        return table


def merge_pair(merge: str | list[str]) -> tuple[str, str]:
    """Both parts of a merge as `tokenizer.json` writes it."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def open_byte_level(folder: Path) -> ByteLevelBpe:
    """Open the tokenizer of a folder.

    Raises:
        SourceError: missing, unreadable, or not of the kind that merges can be added to; with the reason.
    """
    state = read_object(folder / TOKENIZER, "give a folder with a fast tokenizer (tokenizer.json)")
    return from_state(folder, state)


def from_state(folder: Path, state: Any) -> ByteLevelBpe:
    """The same from a `tokenizer.json` that has been read; `folder` is named in errors."""

    path = folder / TOKENIZER
    reason = _why_not(state)
    if reason:
        raise SourceError(reason, where=str(path), fix=_OURS)
    tokenizer = of_library(path, json.dumps(state).encode())
    added = list(state.get("added_tokens") or [])
    return ByteLevelBpe(folder, state, tokenizer, tokenizer.get_vocab(with_added_tokens=True), added)


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
    if "ByteLevel" not in _kinds(state.get("pre_tokenizer")) or "ByteLevel" not in _kinds(state.get("decoder")):
        return "the tokenizer does not work on bytes (a sentencepiece-style BPE)"
    missing = sorted(byte for byte in _needed() if byte_names()[byte] not in model["vocab"])
    return f"byte {missing[0]:#04x}, which Hangul needs, is not in the vocabulary" if missing else None


def _needed() -> set[int]:
    """Bytes that Hangul is written with; a vocabulary may lack others (SmolLM2's lacks 21)."""
    leads = {byte for first, last in HANGUL for byte in range(chr(first).encode()[0], chr(last).encode()[0] + 1)}
    return leads | set(range(0x80, 0xC0))


def _kinds(part: Any) -> Iterator[str]:
    """The types of a pre-tokenizer or decoder and of all within it."""
    if isinstance(part, dict):
        yield str(part.get("type"))
        for one in [*part.get("pretokenizers", []), *part.get("decoders", [])]:
            yield from _kinds(one)
