"""A model for a vocabulary that was extended or pruned: `hanjo pretrain resize`.

    bits per byte as it is → new rows (pretrain/surgery.py) → bits per byte, beside random rows → short warm-up of the
    new rows alone → bits per byte → a Hugging Face folder with the new tokenizer and resize.json

All scores are of the same held-out documents. Rows that are not better than random ones, document by document, are
refused: nothing is written.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from corpus.errors import SourceError, TrainingError
from corpus.settings import setting
from corpus.shards import write_json
from pretrain.bits import BitsPerByte, bits_over_documents
from pretrain.measuring import SURE, encoded, nats_on, sizes_of, surely_better
from pretrain.packing import cut, pack
from pretrain.surgery import (
    Method,
    Mixture,
    Rows,
    mean_of_parts,
    new_matrix,
    plan_rows,
    similar_tokens,
    token_vectors,
    weighted_parts,
)
from pretrain.validation import token_nats
from tokenizer.extendable import open_bpe
from tokenizer.folders import copy_tokenizer, whole_folder
from tokenizer.texts import HeldOut
from tokenizer.vocabulary import Vocabulary, open_vocabulary, threads

RECORD = "resize.json"
_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ResizeSettings:
    """How new rows are made and tried."""

    method: Method = setting("mean", "what a new row is made of")
    warmup: Annotated[int, Ge(0)] = setting(20, "steps that only the new rows are trained for", unit="steps")
    batch: Annotated[int, Ge(1)] = setting(2, "sequences a step", unit="sequences")
    context: Annotated[int, Ge(2)] = setting(512, "tokens of a sequence, at most what the model sees", unit="tokens")
    learning_rate: Annotated[float, Gt(0)] = setting(3e-3, "of the warm-up, AdamW, at first")
    multiple: Annotated[int, Ge(1)] = setting(128, "rows are filled up to a multiple of this", unit="rows")
    seed: int = setting(0, "of random rows and of the order of the warm-up")


@dataclass(frozen=True, slots=True)
class Resized:
    """What was measured; scores are of the same documents.

    Attributes:
        before: the old model with its old tokenizer.
        after: with new rows; `random`: with random rows in their place; `warmed`: after the warm-up, None without one.
        difference: `after` less `random`, its standard error that of the documents' differences.
        held_out: documents there were to measure on; `cut`: of those measured, only the beginning of so many.
        kept, new: rows that were taken over, and made.
    """

    before: BitsPerByte
    after: BitsPerByte
    random: BitsPerByte
    difference: BitsPerByte
    warmed: BitsPerByte | None
    held_out: int
    cut: int
    kept: int
    new: int
    rows: int

    def as_json(self) -> dict[str, Any]:
        """What stands in resize.json: no NaN where a single document has no standard error."""
        told = asdict(self)
        for one in told.values():
            if isinstance(one, dict) and math.isnan(one["error"]):
                one["error"] = None
        return told


def resize(
    model_folder: Path,
    tokenizer_folder: Path,
    out: Path,
    learn: Sequence[str],
    held_out: HeldOut,
    settings: ResizeSettings,
    say: Say = lambda told: None,
) -> Resized:
    """Write `out`: the model of `model_folder` with rows for the tokenizer of `tokenizer_folder`.

    Args:
        learn: texts for frequencies, similarity and the warm-up.
        held_out: texts that bits per byte are measured on.

    Raises:
        SourceError: a folder is not what it should be, or there is no text.
        TrainingError: the new rows are not better than random ones; nothing is written.
    """
    old, new = open_bpe(model_folder), open_bpe(tokenizer_folder)
    old_vocabulary, vocabulary = open_vocabulary(model_folder), open_vocabulary(tokenizer_folder)
    rows = plan_rows(old, new)
    model = open_model(model_folder, old.entries)
    context = min(settings.context, getattr(model.config, "max_position_embeddings", None) or settings.context)
    if not held_out.texts:
        raise SourceError("no text to measure bits per byte on", fix="give more text")
    sizes = sizes_of(held_out.texts)
    say(f"measuring on {held_out.told()}")

    def score(words: Vocabulary, told: str) -> tuple[NDArray[np.float64], BitsPerByte]:
        nats = nats_on(model, words, held_out.texts, context)
        found = bits_over_documents(nats, sizes)
        say(f"{told}: {found.told()} bits a byte")
        return nats, found

    _, before = score(old_vocabulary, "before")
    originals = [weights.detach().clone() for weights in matrices(model)]
    size = -(-new.entries // settings.multiple) * settings.multiple
    with threads(True):
        mixture = _mixture(settings, rows, old_vocabulary, vocabulary, learn)
    put_rows(model, originals, rows, None, size, settings.seed)
    by_chance, random = score(vocabulary, "after, random rows")
    put_rows(model, originals, rows, mixture, size, settings.seed)
    nats, after = score(vocabulary, f"after, {settings.method}")
    difference = bits_over_documents(nats - by_chance, sizes)
    if rows.parts and settings.method != "random":
        _refuse_chance(settings.method, after, random, difference, str(model_folder))
    warmed = None
    if settings.warmup and rows.parts:
        warm_up(model, vocabulary, rows, learn, replace(settings, context=context))
        _, warmed = score(vocabulary, f"after {settings.warmup} steps of warm-up")
    require_equal_rows(model, originals, rows)
    rename_ids(model, rows)
    told = (held_out.documents, held_out.cut)
    kept = int((rows.kept >= 0).sum())
    result = Resized(before, after, random, difference, warmed, *told, kept, len(rows.parts), size)
    _write(model, tokenizer_folder, out, settings, result)
    return result


def _refuse_chance(method: str, after: BitsPerByte, random: BitsPerByte, difference: BitsPerByte, where: str) -> None:
    """Raise TrainingError unless rows are better than random ones by more than chance may do."""
    if surely_better(difference):
        return
    told = f"{after.value:.3f} bits a byte, random {random.value:.3f}; nothing was written"
    if difference.value >= 0:
        raise TrainingError(
            f"rows by {method!r} are worse than random ones: {told}",
            where=where,
            fix="check that the model's tokenizer is the one beside it, or try another --method",
        )
    raise TrainingError(
        f"rows by {method!r} are better than random ones by less than {SURE:g} standard errors "
        f"({difference.value:.4f} ± {difference.error:.4f} on {difference.documents} documents): {told}",
        where=where,
        fix="measure on more text (--measure), or try another --method",
    )


def open_model(folder: Path, entries: int) -> Any:
    """The causal language model of a folder, in the type its weights are stored in.

    Raises:
        SourceError: it cannot be read, or has fewer rows than its tokenizer has entries.
    """
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype="auto")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(
            f"not a readable model ({reason})", where=str(folder), fix="give a folder that save_pretrained wrote"
        ) from error
    rows = model.get_input_embeddings().weight.shape[0]
    if rows < entries:
        raise SourceError(
            f"the model has {rows:,} rows, its tokenizer {entries:,} entries",
            where=str(folder),
            fix="put the model's own tokenizer beside it, and the new one into another folder",
        )
    return model.eval()


def matrices(model: Any) -> list[Any]:
    """Input and output embeddings, one where they are tied."""
    given, made = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    return [given] if made is given else [given, made]


def put_rows(model: Any, originals: Sequence[Any], rows: Rows, mixture: Mixture | None, size: int, seed: int) -> None:
    """Give the model matrices of `size` rows, made from the original ones."""
    import torch

    model.resize_token_embeddings(size, mean_resizing=False)
    with torch.no_grad():
        for number, (weights, original) in enumerate(zip(matrices(model), originals, strict=True)):
            weights.copy_(new_matrix(original, rows, mixture, size, seed + number))


def require_equal_rows(model: Any, originals: Sequence[Any], rows: Rows) -> None:
    """Raise TrainingError unless every row that was to be kept is what it was, bit for bit."""
    import torch

    places = torch.from_numpy(np.flatnonzero(rows.kept >= 0))
    sources = torch.from_numpy(rows.kept)[places]
    for weights, original in zip(matrices(model), originals, strict=True):
        if not torch.equal(weights.detach()[places], original[sources]):
            raise TrainingError("an old row changed", fix="please report it with the model's name")


def rename_ids(model: Any, rows: Rows) -> None:
    """Have the configuration name the ids that its special tokens have now (a pruned vocabulary moves them)."""
    now = {int(old): number for number, old in enumerate(rows.kept) if old >= 0}
    for config in (model.config, model.generation_config):
        for name in _IDS:
            value = getattr(config, name, None)
            if isinstance(value, int):
                setattr(config, name, now.get(value))
            elif isinstance(value, list):
                setattr(config, name, [now[one] for one in value if one in now])


def _mixture(
    settings: ResizeSettings, rows: Rows, old: Vocabulary, new: Vocabulary, learn: Sequence[str]
) -> Mixture | None:
    if settings.method == "random":
        return None
    if settings.method == "weighted":
        counts: Counter[int] = Counter()
        for ids in encoded(old, learn):
            counts.update(ids)
        return weighted_parts(rows, counts)
    if settings.method == "similar":
        with tempfile.TemporaryDirectory() as folder:
            vectors = token_vectors(encoded(new, learn), f"{folder}/ids.txt")
        return similar_tokens(rows, vectors, mean_of_parts(rows))
    return mean_of_parts(rows)


def warm_up(model: Any, vocabulary: Vocabulary, rows: Rows, texts: Sequence[str], settings: ResizeSettings) -> None:
    """Train the new rows alone for some steps; nothing else moves, not by a bit.

    Raises:
        TrainingError: the loss is no number. SourceError: no text.
    """
    import torch

    windows = _windows(vocabulary, texts, settings)
    new = torch.tensor(sorted(rows.parts))
    full = matrices(model)
    parts = [torch.nn.Parameter(weights.detach()[new].float()) for weights in full]
    optimizer = torch.optim.AdamW(parts, lr=settings.learning_rate, weight_decay=0.0)
    model.requires_grad_(False)
    for weights in full:
        weights.requires_grad_(True)
    for step in range(settings.warmup):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 - step / settings.warmup)
        batch = pack(np.stack([next(windows) for _ in range(settings.batch)]), vocabulary.end_of_text)
        loss = token_nats(model, batch).sum() / max(batch.targets, 1)
        if not math.isfinite(told := float(loss.detach())):
            raise TrainingError(f"the loss of warm-up step {step} is {told}", fix="lower --learning-rate")
        loss.backward()
        # AdamW would move a row that does not occur here, and so has but a trace of a gradient, as far as any other.
        seen = torch.from_numpy(np.isin(new.numpy(), [batch.input_ids, batch.labels]))
        for weights, part in zip(full, parts, strict=True):
            part.grad = weights.grad[new].float() * seen[:, None]
            weights.grad = None
        optimizer.step()
        with torch.no_grad():
            for weights, part in zip(full, parts, strict=True):
                weights[new] = part.to(weights.dtype)
    model.requires_grad_(True)


def _windows(vocabulary: Vocabulary, texts: Sequence[str], settings: ResizeSettings) -> Iterator[NDArray[np.int64]]:
    """Windows of the texts in seeded order, again from the start where they are used up."""
    end = vocabulary.end_of_text
    order = np.random.Generator(np.random.Philox(settings.seed)).permutation(len(texts))
    wanted = settings.warmup * settings.batch * settings.context
    stream: list[int] = []
    for ids in encoded(vocabulary, [texts[i] for i in order[:100_000]]):
        stream += [*ids, end]
        if len(stream) >= wanted:
            break
    if not stream:
        raise SourceError("no text to warm up on", fix="give more text, or --warmup 0")
    return itertools.cycle(cut(np.array(stream, np.int64), settings.context, end))


def _write(model: Any, tokenizer_folder: Path, out: Path, settings: ResizeSettings, result: Resized) -> None:
    with whole_folder(out) as temporary:
        model.save_pretrained(temporary)
        copy_tokenizer(tokenizer_folder, temporary)
        write_json(temporary / RECORD, {"settings": asdict(settings), **result.as_json()})
