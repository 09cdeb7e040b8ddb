"""The tokens that are more than text, their ids, and how a tokenizer's folder is opened. Used by train and encode.

    0            <|endoftext|>   ends every document; special
    1            <|pad|>         special
    2 – 4        <|system|> <|user|> <|assistant|>   reserved for chat; special
    5 …          <|phone|> …     placeholders of masked personal data; added tokens, but not special
    …            256 bytes, then merges
    …            <|reserved_0|> …   fill the vocabulary up to a multiple of 128; special

Special ones never come out of a document's text, even where it spells them; placeholders do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.errors import SourceError
from corpus.manifest import fingerprint, hash_file
from tokenizer.pretokenize import cut_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"
PAD = "<|pad|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (END_OF_TEXT, PAD, *ROLES)
MULTIPLE = 128  # of the vocabulary: matrix products on GPUs like it
TOKENIZER, CONFIG = "tokenizer.json", "tokenizer_config.json"
MODEL = "tokenizer.model"  # of sentencepiece
FILES = (TOKENIZER, CONFIG, "special_tokens_map.json", "chat_template.jinja", MODEL)


def reserved(number: int) -> str:
    """The name of the n-th token that fills the vocabulary up."""
    return f"<|reserved_{number}|>"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """An opened tokenizer.

    Attributes:
        tokenizer: of the `tokenizers` library; text that spells a special token is encoded as text.
        entries: ids lie in [0, entries), added tokens included.
        end_of_text: the id that ends a document.
        lines_apart: no token reaches over the start of a line that begins with a word, so that long texts may be cut
            there; known of our own cuts only.
    """

    tokenizer: Tokenizer
    entries: int
    end_of_text: int
    lines_apart: bool


def open_vocabulary(folder: Path) -> Vocabulary:
    """Open a Hugging Face tokenizer folder (`tokenizer.json` and `tokenizer_config.json`) for encoding documents.

    Raises:
        SourceError: a file is missing or unreadable, or no end-of-text token is named.
    """

    path = folder / TOKENIZER
    config = read_object(folder / CONFIG, "give a folder that save_pretrained wrote")
    if not path.is_file():
        raise SourceError(
            "the file is missing", where=str(path), fix="give a folder with a fast tokenizer (tokenizer.json)"
        )
    tokenizer = of_library(path, path.read_bytes())
    tokenizer.encode_special_tokens = True
    named = config.get("eos_token")
    end = named["content"] if isinstance(named, dict) else named
    number = tokenizer.token_to_id(end) if isinstance(end, str) else None
    if number is None:
        raise SourceError(
            f"the end-of-text token is {end!r}, which is not in the vocabulary" if end else "no end-of-text token",
            where=str(folder / CONFIG),
            fix='name a token of the vocabulary as "eos_token"',
        )
    if number in tokenizer.encode(f"가 {end} 나", add_special_tokens=False).ids:
        raise SourceError(
            f"{end!r} in a document's text would end the document: the tokenizer does not hold it as special",
            where=str(path),
            fix='set "special": true for it under "added_tokens"',
        )
    ours = tokenizer.normalizer is None and cut_of(json.loads(tokenizer.to_str())) is not None
    return Vocabulary(tokenizer, max(tokenizer.get_vocab().values()) + 1, number, ours)


def of_library(path: Path, written: bytes) -> Tokenizer:
    """The library's tokenizer of a `tokenizer.json`, without padding and truncation; `path` is named in errors.

    Raises:
        SourceError: the library cannot read it.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_buffer(written)
    except Exception as error:  # the library raises nothing narrower; what is wrong is its message
        raise SourceError(
            f"not a readable tokenizer ({error})", where=str(path), fix="save it again with save_pretrained"
        ) from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def read_object(path: Path, fix: str) -> dict[str, Any]:
    """A JSON object of a tokenizer's folder; `fix` is told where the file is missing.

    Raises:
        SourceError: missing, or no such object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceError("the file is missing", where=str(path), fix=fix) from error
    except ValueError as error:
        raise SourceError(f"not JSON ({error})", where=str(path), fix="save the tokenizer again") from error
    if not isinstance(value, dict):
        raise SourceError("not a JSON object", where=str(path), fix="save the tokenizer again")
    return value


def normaliser(vocabulary: Vocabulary) -> str | None:
    """How the tokenizer changes text before it cuts it (`NFC`, `Sequence`, …): decoding gives that form back."""
    told = json.loads(vocabulary.tokenizer.to_str())["normalizer"]
    return str(told["type"]) if told else None


def content_hash(folder: Path) -> str:
    """32 hex digits over the tokenizer's files, by name; what a token shard was encoded with."""
    found = [(name, hash_file(folder / name)) for name in FILES if (folder / name).is_file()]
    return fingerprint("tokenizer", found)


@contextmanager
def threads(wanted: bool) -> Iterator[None]:
    """Let the `tokenizers` library use its own threads, or not (where worker processes are the parallelism)."""
    before = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if wanted else "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = before
