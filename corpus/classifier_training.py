"""Train the quality classifier on the user's own good and bad text, hold a part out, say what its scores are worth.

    paths → texts (labelled_text) → features by hash in scratch files → train.txt ─ fastText → DIR/model.bin
                                                        └ held out ─ scores → DIR/card.json, DIR/README.md

Which texts are held out, and the order of the others, follow from their hashes and the seed; one thread. So the same
texts in any order give the same bytes (on the same build of the library).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from corpus.classifier import (
    BAD,
    FEATURES,
    GOOD,
    MODEL,
    SEEN,
    content_hash,
    fasttext,
    features,
    open_classifier,
    score_lines,
    seen,
)
from corpus.classifier_card import write_card
from corpus.classifier_scores import scores_of
from corpus.errors import SourceError
from corpus.labelled_text import Input, find_input, texts_of
from corpus.manifest import hash_file
from corpus.shards import atomic_path

_BUCKETS = 64  # scratch files, by the first byte of a text's hash; one is sorted in memory at a time
_LEAST = 10  # texts of each kind, in each part
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a classifier is trained.

    Attributes:
        seed: of the part held out and of fastText.
        held_out: share of the texts that is kept for the scores.
        epochs: passes over the texts; None: 10, or as many as show 20,000 texts, at most 100.
        text: JSON field or Parquet column that holds the text.
        dim: numbers in a vector. n_grams: shortest and longest, in signs (a syllable is three).
        words: longest run of eojeol taken as one feature. buckets: rows that n-grams and runs are hashed into.
        rate: learning rate. min_count: times an eojeol must occur to have a vector of its own.
    """

    seed: int = 1
    held_out: float = 0.2
    epochs: int | None = None
    text: str = "text"
    dim: int = 16
    n_grams: tuple[int, int] = (3, 6)
    words: int = 2
    buckets: int = 1 << 18
    rate: float = 0.3
    min_count: int = 2


@dataclass(slots=True)
class _Texts:
    """How many texts went where: label → part → texts; what stood on both sides or twice went nowhere, or once."""

    parts: dict[str, dict[str, int]] = field(
        default_factory=lambda: {"good": {"train": 0, "held_out": 0}, "bad": {"train": 0, "held_out": 0}}
    )
    both: int = 0
    repeated: int = 0


def train(good: Sequence[Path], bad: Sequence[Path], out: Path, settings: TrainSettings) -> dict[str, Any]:
    """Train a classifier into a folder; returns its card.

    Raises:
        SourceError: a path cannot be read, or there are too few texts of a kind.
        MissingExtraError: fastText is not installed.
    """
    library = fasttext()
    inputs = {GOOD: [find_input(path) for path in good], BAD: [find_input(path) for path in bad]}
    scratch = out / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)  # of a training that was killed
    scratch.mkdir(parents=True)
    try:
        _spread(inputs, scratch, settings.text)
        counted = _divide(scratch, settings)
        _refuse_few(counted)
        epochs = settings.epochs or _epochs(sum(parts["train"] for parts in counted.parts.values()))
        model = library.train_supervised(str(scratch / "train.txt"), **_arguments(settings, epochs))
        with atomic_path(out / MODEL) as temporary:
            model.save_model(str(temporary))
        scores = _held_out(model, scratch / "held_out.txt")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    card = {
        "kind": "hanjo quality classifier",
        "features": FEATURES,
        "seen": SEEN,
        "library": f"fasttext-community {importlib.metadata.version('fasttext-community')}",
        "model": hash_file(out / MODEL),
        "settings": {**asdict(settings), "epochs": epochs, "n_grams": list(settings.n_grams)},
        "inputs": {name: [one.told() for one in inputs[label]] for name, label in (("good", GOOD), ("bad", BAD))},
        "texts": {**counted.parts, "on_both_sides": counted.both, "repeated": counted.repeated},
        "scores": scores,
    }
    write_card(out, card)
    return card


def evaluate(folder: Path, good: Sequence[Path], bad: Sequence[Path], text: str = "text") -> dict[str, Any]:
    """The scores of a trained classifier on other text, and what that text was.

    Raises:
        SourceError: the folder holds no classifier, or a path cannot be read.
    """
    model = content_hash(folder)
    score = open_classifier(folder)
    found, told = {}, {}
    for name, paths in (("good", good), ("bad", bad)):
        inputs = [find_input(path) for path in paths]
        parts = [score(texts) for one in inputs for texts in texts_of(one, text)]
        found[name] = np.concatenate(parts) if parts else np.empty(0)
        told[name] = [one.told() for one in inputs]
    return {"classifier": model, "inputs": told, "scores": scores_of(found["good"], found["bad"])}


def _spread(inputs: dict[str, list[Input]], scratch: Path, text: str) -> None:
    """Write `hash label features` lines, a text each, into files by the hash's first byte."""
    with ExitStack() as stack:
        files = [
            stack.enter_context((scratch / f"{number:02d}").open("w", encoding="utf-8")) for number in range(_BUCKETS)
        ]
        for label, ones in inputs.items():
            for batch in (batch for one in ones for batch in texts_of(one, text)):
                for whole, shown in zip(batch.to_pylist(), seen(batch), strict=True):
                    key = hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()
                    files[int(key[:2], 16) * _BUCKETS // 256].write(f"{key} {label} {features(shown)}\n")


def _divide(scratch: Path, settings: TrainSettings) -> _Texts:
    """From the scratch files to train.txt and held_out.txt, in the order of the hashes."""
    counted = _Texts()
    with (
        (scratch / "train.txt").open("w", encoding="utf-8") as train_file,
        (scratch / "held_out.txt").open("w", encoding="utf-8") as held_file,
    ):
        for number in range(_BUCKETS):
            path = scratch / f"{number:02d}"
            with path.open(encoding="utf-8", newline="\n") as lines:
                ordered = sorted(lines)
            for key, line in _once(ordered, counted):
                label = "good" if line.startswith(GOOD) else "bad"
                held = is_held_out(key, settings.seed, settings.held_out)
                counted.parts[label]["held_out" if held else "train"] += 1
                (held_file if held else train_file).write(line)
            path.unlink()
    return counted


def _once(ordered: Sequence[str], counted: _Texts) -> Iterator[tuple[str, str]]:
    """Each text once, as hash and line; one that stands on both sides not at all."""
    start = 0
    while start < len(ordered):
        key = ordered[start][:32]
        end = start + 1
        while end < len(ordered) and ordered[end].startswith(key):
            end += 1
        labels = {line[33:].partition(" ")[0] for line in ordered[start:end]}
        if len(labels) > 1:
            counted.both += end - start
        else:
            counted.repeated += end - start - 1
            yield key, ordered[start][33:]
        start = end


def is_held_out(key: str, seed: int, share: float) -> bool:
    """Whether the text of this hash is kept for the scores: BLAKE2b-64 of `seed:hash` as a fraction of 2**64."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < share


def _refuse_few(counted: _Texts) -> None:
    for label, parts in counted.parts.items():
        if min(parts.values()) < _LEAST:
            told = f"{parts['train']} to train on and {parts['held_out']} held out"
            raise SourceError(
                f"too few {label} texts: {told}; {_LEAST} of each are the least, some thousands are sensible",
                fix=f"give more --{label} text; in .txt files every line is one",
            )


def _epochs(texts: int) -> int:
    return min(100, max(10, math.ceil(20_000 / max(texts, 1))))


def _arguments(settings: TrainSettings, epochs: int) -> dict[str, Any]:
    shortest, longest = settings.n_grams
    return {
        "seed": settings.seed,
        "thread": 1,  # several would race, and give other bytes each time
        "epoch": epochs,
        "lr": settings.rate,
        "dim": settings.dim,
        "minn": shortest,
        "maxn": longest,
        "wordNgrams": settings.words,
        "bucket": settings.buckets,
        "minCount": settings.min_count,
        "loss": "softmax",
        "verbose": 0,
    }


def _held_out(model: Any, path: Path) -> dict[str, Any]:
    found: dict[str, list[float]] = {GOOD: [], BAD: []}
    with path.open(encoding="utf-8", newline="\n") as lines:
        batch: list[str] = []
        labels: list[str] = []
        for line in lines:
            label, _, rest = line.rstrip("\n").partition(" ")
            labels.append(label)
            batch.append(rest)
            if len(batch) == _BATCH:
                _add(found, labels, score_lines(model, batch).tolist())
                batch, labels = [], []
        _add(found, labels, score_lines(model, batch).tolist())
    return scores_of(np.array(found[GOOD]), np.array(found[BAD]))


def _add(found: dict[str, list[float]], labels: Sequence[str], scores: Sequence[float]) -> None:
    for label, score in zip(labels, scores, strict=True):
        found[label].append(score)
