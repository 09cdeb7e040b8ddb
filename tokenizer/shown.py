"""A token shard for a person: its documents as text with the borders of their tokens, and where a range of it belongs.

Used by `hanjo tokenizer show`. Text is shown as the tokens spell it, byte by byte, so that half a character is seen to
be one; control characters become pictures, since a document could otherwise write to the reader's terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from corpus.errors import SourceError, StaleError, UsageError
from corpus.shards import read_table
from tokenizer.byte_level import byte_names, readable
from tokenizer.encode import DOCS
from tokenizer.indexed import IndexedTokens, bin_path
from tokenizer.vocabulary import TOKENIZER, Vocabulary, open_vocabulary

_FACTS = ("id", "source", "first_token", "tokens", "withdrawn")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as shown: `text` is what it spells, `<EA>` for a byte of a character that is not whole in it."""

    id: int
    text: str
    special: bool


class Shard:
    """A token shard with its table of documents, where it has one, and its tokenizer.

    Args:
        prefix: `tokens/train/00000`, with or without `.bin`, `.idx` or `.docs.parquet`.
        tokenizer: folder; None takes the one beside the shard or the run's.

    Raises:
        StaleError: a file is missing or cut. SourceError: no tokenizer is found.
    """

    def __init__(self, prefix: Path, tokenizer: Path | None = None) -> None:
        self.prefix = _without_ending(prefix)
        self.tokens = IndexedTokens(self.prefix)
        self.vocabulary = open_vocabulary(tokenizer or _tokenizer_of(self.prefix))
        self._spelt = spelling(self.vocabulary)
        path = self.prefix.with_name(f"{self.prefix.name}{DOCS}")
        self._docs = read_table(path, _FACTS) if path.exists() else None
        if self._docs is not None and self._docs.num_rows != len(self.tokens):
            told = f"{self._docs.num_rows} documents, the index has {len(self.tokens)}"
            raise StaleError(told, where=str(path), fix="encode again")

    def row_of(self, document: str) -> int:
        """The row of a document's id.

        Raises:
            UsageError: the shard does not hold it, or has no table of documents.
        """
        if self._docs is None:
            raise UsageError("this shard has no table of documents", where=str(self.prefix), fix="use --document N")
        row = pc.index(self._docs["id"], document).as_py()
        if row < 0:
            raise UsageError(f"no document {document!r} here", where=str(self.prefix), fix="check the id and the shard")
        return int(row)

    def facts(self, row: int) -> dict[str, Any]:
        """`document` (its row), `first_token`, `tokens`; and `id`, `source`, `withdrawn` where there is a table.

        Raises:
            UsageError: there is no such row.
        """
        if not 0 <= row < len(self.tokens):
            last = len(self.tokens) - 1
            raise UsageError(f"no document {row}: they go from 0 to {last}", where=str(self.prefix))
        first, end = self.tokens.span(row)
        told = {} if self._docs is None else self._docs.slice(row, 1).to_pylist()[0]
        return {**told, "document": row, "first_token": first, "tokens": end - first}

    def rows_of(self, first: int, end: int) -> list[int]:
        """The documents that tokens [first, end) of the shard belong to.

        Raises:
            UsageError: the range is empty or reaches beyond the shard.
        """
        whole = len(self.tokens.tokens)
        if not 0 <= first < end <= whole:
            raise UsageError(f"tokens {first}:{end} of {whole:,}", where=str(self.prefix), fix="give FIRST:END within")
        starts = self.tokens.starts()
        begin = int(np.searchsorted(starts, first, side="right")) - 1
        return list(range(begin, int(np.searchsorted(starts, end, side="left"))))

    def shown(self, first: int, end: int) -> list[Token]:
        """Tokens [first, end) of the shard."""
        return [self._token(int(number)) for number in self.tokens.tokens[first:end]]

    def only_ends(self, first: int, end: int) -> bool:
        """Whether tokens [first, end) are all the end of text, as withdrawal leaves them."""
        return bool(np.all(self.tokens.tokens[first:end] == self.vocabulary.end_of_text))

    def _token(self, number: int) -> Token:
        if number >= len(self._spelt):
            told = f"token id {number}, but the vocabulary has {self.vocabulary.entries} entries"
            raise StaleError(told, where=str(bin_path(self.prefix)), fix="give the tokenizer it was encoded with")
        data, special = self._spelt[number]
        return Token(number, readable(data), special)


def spelling(vocabulary: Vocabulary) -> list[tuple[bytes, bool]]:
    """The bytes that each id spells, and whether it is special; an id that names nothing spells nothing."""
    tokenizer = vocabulary.tokenizer
    added = tokenizer.get_added_tokens_decoder()
    byte_level = "ByteLevel" in str(tokenizer.decoder)
    table = {name: bytes([byte]) for byte, name in enumerate(byte_names())}
    found: list[tuple[bytes, bool]] = [(b"", False)] * vocabulary.entries
    for name, number in tokenizer.get_vocab().items():
        if number in added:
            found[number] = (added[number].content.encode(), added[number].special)
        elif byte_level:
            found[number] = (b"".join(table.get(one, one.encode()) for one in name), False)
        elif len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
            found[number] = (bytes.fromhex(name[3:5]), False)
        else:
            found[number] = (name.replace("▁", " ").encode(), False)
    return found


def borders(tokens: Sequence[Token]) -> str:
    """Tokens as plain text with `│` between them; special ones in « ». A line end of the text ends the line too."""
    return "".join(f"│{_shown(token)}" for token in tokens) + "│"


def coloured(tokens: Sequence[Token]) -> str:
    """Tokens on backgrounds that alternate, special ones reversed, for a terminal."""
    parts = []
    for number, token in enumerate(tokens):
        style = "\x1b[7m" if token.special else ("\x1b[30;48;5;153m", "\x1b[30;48;5;223m")[number % 2]
        body, *ends = _shown(token).split("\n")
        parts.append(f"{style}{body}\x1b[0m" + "".join(f"\n{style}{end}\x1b[0m" if end else "\n" for end in ends))
    return "".join(parts)


def _shown(token: Token) -> str:
    return f"«{token.text}»" if token.special else token.text.replace("\u240a", "\u240a\n")


def _without_ending(path: Path) -> Path:
    name = path.name
    for ending in (DOCS, ".bin", ".idx"):
        name = name.removesuffix(ending)
    return path.with_name(name)


def _tokenizer_of(prefix: Path) -> Path:
    """The tokenizer's folder beside a shard (`OUT/tokenizer`) or that of its run (`RUN/tokenizer`)."""
    for folder in (prefix.parent, *prefix.parent.absolute().parents[:2]):
        if (folder / "tokenizer" / TOKENIZER).is_file():
            return folder / "tokenizer"
    raise SourceError("no tokenizer beside this shard", where=str(prefix), fix="name its folder with --tokenizer")
