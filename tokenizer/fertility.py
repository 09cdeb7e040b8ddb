"""How well a tokenizer fits a text: bytes and characters a token, tokens an eojeol. For reports; no stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tokenizer.vocabulary import open_vocabulary, threads

_BATCH = 256  # texts


@dataclass(frozen=True, slots=True)
class Fertility:
    """Sums over texts. An eojeol is a piece between white space; tokens are counted without end of text."""

    documents: int
    bytes: int
    chars: int
    eojeol: int
    tokens: int

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes; higher is better. NaN where there is no token."""
        return self.bytes / self.tokens if self.tokens else float("nan")

    @property
    def chars_per_token(self) -> float:
        """Characters (code points); higher is better. NaN where there is no token."""
        return self.chars / self.tokens if self.tokens else float("nan")

    @property
    def tokens_per_eojeol(self) -> float:
        """Lower is better. NaN where there is no eojeol."""
        return self.tokens / self.eojeol if self.eojeol else float("nan")


def fertility(folder: Path, texts: Iterable[str]) -> Fertility:
    """Measure a tokenizer's folder on texts, streamed.

    Raises:
        SourceError: the folder is no readable tokenizer.
    """
    tokenizer = open_vocabulary(folder).tokenizer
    documents = size = chars = eojeol = tokens = 0
    stream = iter(texts)
    with threads(True):
        while batch := list(islice(stream, _BATCH)):
            documents += len(batch)
            size += sum(len(text.encode()) for text in batch)
            chars += sum(len(text) for text in batch)
            eojeol += sum(len(text.split()) for text in batch)
            tokens += sum(len(one.ids) for one in tokenizer.encode_batch_fast(batch, add_special_tokens=False))
    return Fertility(documents, size, chars, eojeol, tokens)
