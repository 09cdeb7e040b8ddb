"""The tokenizer of a run: byte-level BPE learned from the sample, or one taken over as it is. Writes run/tokenizer/.

A Hugging Face folder that `AutoTokenizer.from_pretrained` opens without a network. There is no normaliser: collect
has normalised, and decoding gives back every text byte for byte. The same sample gives the same files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from corpus.errors import SourceError
from corpus.shards import Counts, JobContext, Outcome, Output, add, atomic_path, write_json
from tokenizer.pretokenize import pre_tokenizer
from tokenizer.vocabulary import (
    CONFIG,
    END_OF_TEXT,
    FILES,
    MULTIPLE,
    PAD,
    ROLES,
    SPECIAL,
    TOKENIZER,
    content_hash,
    open_vocabulary,
    reserved,
    threads,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FOLDER = "tokenizer"
_BATCH = 1000  # documents handed to the trainer at a time


def train_tokenizer(
    texts: Iterable[str], *, vocab_size: int, min_frequency: int, placeholders: Sequence[str] = ()
) -> Tokenizer:
    """Learn a byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2).

    Args:
        texts: documents, streamed; memory goes by their different words.
        vocab_size: entries wanted. Where the texts have fewer pairs to merge, the vocabulary is as small as they
            make it. Reserved tokens fill it up to a multiple of 128.
        min_frequency: times that a pair must occur to be merged.
        placeholders: added tokens that are not special.

    Raises:
        SourceError: there is no text.
    """
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel as ByteLevelDecoder
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    named = (*SPECIAL, *placeholders)
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizer()
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        show_progress=False,
        special_tokens=[AddedToken(name, normalized=False, special=True) for name in named],
        initial_alphabet=ByteLevel.alphabet(),
    )
    seen: list[int] = [0]
    with threads(True):
        tokenizer.train_from_iterator(_batches(texts, named, seen), trainer)
    if not seen[0]:
        raise SourceError(
            "no text to train a tokenizer on",
            where="unique/train",
            fix="see `hanjo report` for what was removed, or name a finished tokenizer as tokenize.path",
        )
    return _completed(tokenizer, set(placeholders))


def _batches(texts: Iterable[str], named: Sequence[str], seen: list[int]) -> Iterator[list[str]]:
    """Texts in lists, cut where a token stands that is more than text: no merges are spent on its spelling."""
    split = re.compile("|".join(re.escape(name) for name in named)).split
    batch: list[str] = []
    for text in texts:
        batch.extend(part for part in split(text) if part)
        if len(batch) >= _BATCH:
            seen[0] += len(batch)
            yield batch
            batch = []
    seen[0] += len(batch)
    if batch:
        yield batch


def _completed(tokenizer: Tokenizer, placeholders: set[str]) -> Tokenizer:
    """Mark placeholders as not special (the trainer knows only special ones) and fill the vocabulary up."""
    from tokenizers import Tokenizer

    state = json.loads(tokenizer.to_str())
    for token in state["added_tokens"]:
        token["special"] = token["content"] not in placeholders
    entries = tokenizer.get_vocab_size()
    like = state["added_tokens"][0]
    for number in range(-entries % MULTIPLE):
        state["added_tokens"].append({**like, "id": entries + number, "content": reserved(number)})
    return Tokenizer.from_str(json.dumps(state))


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


def train_job(context: JobContext, *, samples: list[str], vocab_size: int, min_frequency: int) -> Outcome:
    """Exchange: all samples → run/tokenizer/."""
    from corpus.privacy import PLACEHOLDERS

    texts = _texts(context.run / path for path in samples)
    tokenizer = train_tokenizer(texts, vocab_size=vocab_size, min_frequency=min_frequency, placeholders=PLACEHOLDERS)
    write_tokenizer(tokenizer, context.run / FOLDER)
    _keep_only(context.run / FOLDER, (TOKENIZER, CONFIG))
    return _outcome(context, PLACEHOLDERS)


def _texts(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=["text"]):
                yield from batch["text"].to_pylist()


def take_over(context: JobContext, *, given: str, folder: Path) -> Outcome:
    """Copy an existing tokenizer's files into run/tokenizer/, unchanged.

    Placeholders that it does not know stay ordinary text: adding entries is a matter of the model too. The count
    `vocabulary` tells how many it knows.

    Args:
        given: content hash of the folder, as planned.
        folder: of this machine.

    Raises:
        SourceError: the folder is no readable tokenizer, or was changed meanwhile.
    """
    from corpus.privacy import PLACEHOLDERS

    open_vocabulary(folder)
    names = [name for name in FILES if (folder / name).is_file()]
    for name in names:
        with atomic_path(context.run / FOLDER / name) as temporary:
            temporary.write_bytes((folder / name).read_bytes())
    _keep_only(context.run / FOLDER, names)
    if content_hash(context.run / FOLDER) != given:
        raise SourceError("the tokenizer was changed while it was copied", where=str(folder), fix="run again")
    return _outcome(context, PLACEHOLDERS)


def _keep_only(folder: Path, names: Sequence[str]) -> None:
    """Remove what another tokenizer left: it would count as part of this one."""
    for name in set(FILES).difference(names):
        (folder / name).unlink(missing_ok=True)


def _outcome(context: JobContext, placeholders: Sequence[str]) -> Outcome:
    """The files as outputs, the vocabulary as a count, the content hash as a fact for the jobs that encode."""
    folder = context.run / FOLDER
    vocabulary = open_vocabulary(folder)
    added = vocabulary.tokenizer.get_added_tokens_decoder().values()
    counts: Counts = {}
    add(
        counts,
        "vocabulary",
        entries=vocabulary.entries,
        placeholders=sum(token.content in placeholders and not token.special for token in added),
        reserved=sum(token.content.startswith("<|reserved_") for token in added),
    )
    outputs = tuple(
        Output(f"{FOLDER}/{name}", vocabulary.entries, (folder / name).stat().st_size, context.fingerprint)
        for name in FILES
        if (folder / name).is_file()
    )
    return Outcome(outputs, counts, {"tokenizer": content_hash(folder)})
