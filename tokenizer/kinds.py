"""The kinds of tokenizer and the borders that they learn within, for `hanjo tokenizer train` and for a run's stage."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from corpus.errors import MissingExtraError
from corpus.privacy import PLACEHOLDERS
from corpus.shards import atomic_path
from tokenizer.pretokenize import Cut
from tokenizer.sentencepieces import LEAST
from tokenizer.train import train_tokenizer, write_tokenizer
from tokenizer.vocabulary import CONFIG, MODEL, TOKENIZER

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["byte-bpe", "bpe", "unigram"]
KINDS: tuple[Kind, ...] = ("byte-bpe", "bpe", "unigram")
Border = Literal["eojeol", "kiwi", "none"]
BORDERS: tuple[Border, ...] = ("eojeol", "kiwi", "none")
Digits = Literal["single", "together"]
DIGITS: tuple[Digits, ...] = ("single", "together")


def least_entries(kind: Kind) -> int:
    """The smallest vocabulary that can be asked for: 256 bytes, added tokens and something to learn."""
    return 512 if kind == "byte-bpe" else LEAST


def files_of(kind: Kind) -> tuple[str, ...]:
    """Names of the files that `write_trained` writes."""
    return (TOKENIZER, CONFIG) if kind == "byte-bpe" else (TOKENIZER, CONFIG, MODEL)


def require_libraries(kind: Kind, borders: Border) -> None:
    """Ask for what training will need, before anything is read.

    Raises:
        MissingExtraError: it is not installed.
    """
    if borders == "kiwi" and importlib.util.find_spec("kiwipiepy") is None:
        raise MissingExtraError("borders kiwi: kiwipiepy is not installed", extra="kiwi")
    if kind != "byte-bpe" and importlib.util.find_spec("sentencepiece") is None:
        raise MissingExtraError(f"kind {kind}: sentencepiece is not installed", extra="corpus")


def write_trained(
    texts: Iterable[str],
    folder: Path,
    *,
    kind: Kind,
    borders: Border,
    digits: Digits,
    vocab_size: int,
    min_frequency: int,
) -> Tokenizer:
    """Train a tokenizer that knows the placeholders of personal data, and write its files, each atomically.

    Args:
        borders: eojeol; kiwi, eojeol and morphemes, when training only; none, so that tokens may hold several words.
        digits: single, each a token; together, so that tokens may hold numbers and what stands beside them.
        min_frequency: of byte-bpe.

    Raises:
        SourceError: there is no text; of sentencepiece's kinds, too little for that many entries.
        MissingExtraError: kiwipiepy or sentencepiece is not installed.
    """
    from tokenizer.morphemes import morpheme_borders

    cut = Cut(spaces=borders != "none", digits=digits == "single")
    within = morpheme_borders() if borders == "kiwi" else None
    if kind == "byte-bpe":
        made = train_tokenizer(
            texts,
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            placeholders=PLACEHOLDERS,
            cut=cut,
            borders=within,
        )
    else:
        from tokenizer.sentencepieces import train_sentencepiece

        model, made = train_sentencepiece(
            texts, kind, vocab_size=vocab_size, placeholders=PLACEHOLDERS, cut=cut, borders=within
        )
        with atomic_path(folder / MODEL) as temporary:
            temporary.write_bytes(model)
    write_tokenizer(made, folder)
    return made
