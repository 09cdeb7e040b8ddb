"""Byte-level BPE learned from texts, and a tokenizer's folder written.

A Hugging Face folder that `AutoTokenizer.from_pretrained` opens without a network. There is no normaliser: collect
has normalised, and decoding gives back every text byte for byte. The same texts give the same files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from corpus.errors import SourceError
from corpus.interrupts import heard
from corpus.shards import atomic_path, write_json
from tokenizer.byte_level import byte_names
from tokenizer.learning import learn_merges
from tokenizer.piece_counts import Borders, Pieces
from tokenizer.pretokenize import EOJEOL, Cut, pre_tokenizer
from tokenizer.vocabulary import (
    CONFIG,
    END_OF_TEXT,
    MULTIPLE,
    PAD,
    ROLES,
    SPECIAL,
    TOKENIZER,
    reserved,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH = 1000  # documents handed to the trainer at a time
_BATCH_CHARACTERS = 1 << 22


def train_tokenizer(
    texts: Iterable[str],
    *,
    vocab_size: int,
    min_frequency: int,
    placeholders: Sequence[str] = (),
    cut: Cut = EOJEOL,
    borders: Borders | None = None,
) -> Tokenizer:
    """Learn a byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2) from pieces and their counts.

    Args:
        texts: documents, streamed; memory goes by their different pieces.
        vocab_size: entries wanted. Where the texts have fewer pairs to merge, the vocabulary is as small as they
            make it. Reserved tokens fill it up to a multiple of 128.
        min_frequency: times that a pair must occur to be merged.
        placeholders: added tokens that are not special.
        cut: what no token reaches across, when training and when encoding.
        borders: what no merge is learned across beside that (`tokenizer/morphemes.py`); of no matter to encoding.

    Raises:
        SourceError: there is no text.
    """
    named = (*SPECIAL, *placeholders)
    pieces, seen = Pieces(cut, borders), 0
    for batch in batches_without(texts, named):
        pieces.add(pa.array(batch, pa.large_string()))
        seen += len(batch)
    if not seen:
        raise SourceError(
            "no text to train a tokenizer on",
            where="unique/train",
            fix="see `hanjo report` for what was removed, or name a finished tokenizer as tokenize.path",
        )
    names = byte_names()
    order = sorted(range(256), key=lambda byte: names[byte])  # of ids, as the library's trainer gives them
    ranks = np.empty(256, np.int32)
    ranks[order] = np.arange(256)
    wanted = max(0, vocab_size - 256 - len(named))
    pairs, results = heard(lambda: learn_merges(pieces.told(), ranks, wanted, min_frequency))
    spelt = [names[byte] for byte in order]
    merges: list[tuple[str, str]] = []
    for left, right, number in zip(*pairs.T.tolist(), results.tolist(), strict=True):
        merges.append((spelt[left], spelt[right]))
        if number == len(spelt):
            spelt.append(spelt[left] + spelt[right])
    return _assembled([*named, *spelt], merges, set(placeholders), len(named), cut)


def batches_without(texts: Iterable[str], named: Sequence[str]) -> Iterator[list[str]]:
    """Texts in lists, cut where a token stands that is more than text: no merges are spent on its spelling."""
    split = re.compile("|".join(re.escape(name) for name in named)).split
    batch: list[str] = []
    held = 0
    for text in texts:
        batch.extend(part for part in split(text) if part)
        held += len(text)
        if len(batch) >= _BATCH or held >= _BATCH_CHARACTERS:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _assembled(
    entries: list[str], merges: list[tuple[str, str]], placeholders: set[str], named: int, cut: Cut
) -> Tokenizer:
    """The tokenizer of entries by id, the first `named` of them added tokens, filled up with reserved ones."""
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel
    from tokenizers.models import BPE

    tokenizer = Tokenizer(BPE(vocab={entry: number for number, entry in enumerate(entries)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizer(cut)
    tokenizer.decoder = ByteLevel()
    for name in entries[:named]:
        tokenizer.add_tokens([AddedToken(name, normalized=False, special=name not in placeholders)])
    filling = [reserved(number) for number in range(-len(entries) % MULTIPLE)]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in filling])
    return tokenizer


def added_token(number: int, name: str, special: bool) -> dict[str, Any]:
    """An entry of `added_tokens` in `tokenizer.json`."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": name, **plain, "special": special}


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`, each atomically."""
    with atomic_path(folder / TOKENIZER) as temporary:
        temporary.write_text(tokenizer.to_str(pretty=True) + "\n", encoding="utf-8")
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END_OF_TEXT,
        "pad_token": PAD,
        "extra_special_tokens": list(ROLES),
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    write_json(folder / CONFIG, config)
