"""`hanjo tokenizer train`: files, folders or runs → a sample → a tokenizer's folder, with a card of what it is made of.

    OUT/tokenizer.json tokenizer_config.json    as `AutoTokenizer` opens it
    OUT/tokenizer.model                         of sentencepiece's kinds
    OUT/training.json                           settings, the sample by source, what came out

The same documents, settings and seed give the same files.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.errors import SourceError, UsageError
from corpus.shards import shard_paths, write_json
from dedup.near_file import ENDINGS
from tokenizer.documents import Files, lines_in
from tokenizer.folders import whole_folder
from tokenizer.kinds import (
    BORDERS,
    DIGITS,
    KINDS,
    Border,
    Digits,
    Kind,
    least_entries,
    require_libraries,
    write_trained,
)
from tokenizer.sample import Sample
from tokenizer.vocabulary import content_hash

CARD = "training.json"
_HANGUL = re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """What to learn, and from how much.

    Attributes:
        kind: byte-bpe, or bpe and unigram of characters with byte fallback by sentencepiece.
        borders: eojeol; kiwi, eojeol and morphemes, when training only; none, so that tokens may hold several words.
        digits: single, each a token; together, so that tokens may hold numbers and what stands beside them.
        sample_bytes: of text, at most.
        weights: by source.
        without_hangul: take text that holds no Hangul.
    """

    vocab_size: int = 32_000
    kind: Kind = "byte-bpe"
    borders: Border = "eojeol"
    digits: Digits = "single"
    sample_bytes: int = 256 << 20
    min_frequency: int = 2
    seed: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    without_hangul: bool = False


def train_files(
    inputs: Sequence[Path],
    out: Path,
    settings: TrainSettings,
    text: str = "text",
    identity: str = "id",
    say: Callable[[str], None] = lambda told: None,
) -> dict[str, Any]:
    """Train a tokenizer.

    Args:
        inputs: JSON Lines, Parquet, folders of Parquet; of a run's folder, its train split.
        out: a folder that is not there or empty.
        say: is told what is done next.

    Returns:
        What stands in `training.json`.

    Raises:
        UsageError: settings that make no sense, an input that is not there, or `out` holds something.
        SourceError: a record cannot be read; no document, no text, no Hangul, or too little text for that many entries.
    """
    _refuse(settings)
    _refuse_inputs(inputs)
    sample = Sample(settings.seed, settings.sample_bytes, settings.weights)
    for path in inputs:
        say(f"reading {path}")
        files = Files(path / "unique" / "train" if (path / "recipe.yaml").exists() else path, text, identity)
        for batch in files.batches():
            stem = batch.file.partition(".")[0]
            ids, texts = batch.columns["id"].to_pylist(), batch.texts.to_pylist()
            sources = batch.columns["source"].to_pylist() if "source" in batch.columns else [None] * len(ids)
            sample.add([stem if one is None else one for one in sources], ids, texts)
    texts = sample.texts()
    where = ", ".join(map(str, inputs))
    _refuse_nothing(sample, texts, settings.weights, where)
    size = sum(len(one.encode()) for one in texts)
    if not settings.without_hangul and not any(_HANGUL.search(one) for one in texts):
        raise SourceError(
            f"no Hangul in {len(texts):,} documents, {size:,} bytes of text",
            where=where,
            fix="check the file and --text; with --without-hangul such text is taken",
        )
    say(f"learning {settings.vocab_size:,} entries from {size:,} bytes")
    with whole_folder(out) as folder:
        entries = _trained(folder, texts, settings, where)
        card = {
            "settings": dataclasses.asdict(settings),
            "sample": {"documents": len(texts), "bytes": size, "of_documents": sample.documents},
            "sources": sample.by_source(),
            "entries": entries,
            "tokenizer": content_hash(folder),
        }
        write_json(folder / CARD, card)
    return card


def _refuse(settings: TrainSettings) -> None:
    if settings.kind not in KINDS:
        raise UsageError(f"no kind {settings.kind!r}", fix=f"the kinds are: {', '.join(KINDS)}")
    if settings.borders not in BORDERS:
        raise UsageError(f"no borders {settings.borders!r}", fix=f"they are: {', '.join(BORDERS)}")
    if settings.digits not in DIGITS:
        raise UsageError(f"no digits {settings.digits!r}", fix=f"they are: {', '.join(DIGITS)}")
    for source, weight in settings.weights.items():
        if not 0 <= weight < math.inf:  # nor NaN
            told = "a weight below 0" if weight < 0 else f"the weight {weight} of {source!r} is no number to draw by"
            raise UsageError(told, fix="give a source that is to be left out the weight 0")
    least = least_entries(settings.kind)
    if settings.vocab_size < least:
        raise UsageError(f"a vocabulary of {settings.vocab_size} entries", fix=f"ask for at least {least}")
    require_libraries(settings.kind, settings.borders)


def _refuse_inputs(inputs: Sequence[Path]) -> None:
    """What is told otherwise than of the one file that `encode` reads: OUT stands first here, and inputs are many."""
    for path in inputs:
        if not path.exists():
            fix = "check the path; OUT comes before the inputs"
            raise UsageError("no such file or folder", where=str(path), fix=fix)
        if path.is_dir() and not shard_paths(path) and (lines := lines_in(path)):
            ending = next(one for one in ENDINGS if lines[0].name.lower().endswith(one))
            fix = f"name the JSON Lines files one by one: {path / '*'}{ending}"
            raise UsageError("no .parquet in this folder", where=str(path), fix=fix)


def _refuse_nothing(sample: Sample, texts: Sequence[str], weights: dict[str, float], where: str) -> None:
    if not sample.documents:
        raise SourceError("no document: it is empty", where=where, fix="check the file")
    if texts:
        return
    if out := sorted(source for source in sample.sources if weights.get(source) == 0):
        told = f"no text is left: {', '.join(out)} {'have' if len(out) > 1 else 'has'} the weight 0"
        raise SourceError(told, where=where, fix="give one of the sources a weight above 0")
    raise SourceError(f"no text in {sample.documents:,} documents", where=where, fix="check the file and --text")


def _trained(folder: Path, texts: list[str], settings: TrainSettings, where: str) -> int:
    """Write the tokenizer's files; its entries."""
    made = write_trained(
        texts,
        folder,
        kind=settings.kind,
        borders=settings.borders,
        digits=settings.digits,
        vocab_size=settings.vocab_size,
        min_frequency=settings.min_frequency,
    )
    learned = sum(not name.startswith("<|reserved_") for name in made.get_vocab())
    if learned < settings.vocab_size:
        full = sum(len(one.encode()) for one in texts) >= settings.sample_bytes
        more = "a larger --sample" if full else "more text"
        raise SourceError(
            f"the text gives {learned:,} entries, {settings.vocab_size:,} were asked for: "
            f"no other pair occurs {settings.min_frequency} times",
            where=where,
            fix=f"give {more}, or --vocab-size {learned}" if learned >= least_entries("byte-bpe") else f"give {more}",
        )
    return int(made.get_vocab_size())
