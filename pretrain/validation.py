"""Loss and bits per byte on whole documents of tokens/valid, the same documents at every validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.shards import read_table
from pretrain.bits import bits_per_byte
from pretrain.packing import IGNORED, cut, pack
from pretrain.plan import Plan
from tokenizer.indexed import IndexedTokens

_SMALLEST = 16  # tokens of room below which the search for another document ends


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """Windows in which every token of some whole documents is a target once.

    Attributes:
        windows: int64 (N, context + 1).
        bytes: UTF-8 bytes of the documents' text.
    """

    windows: NDArray[np.int64]
    bytes: int


def validation_set(run: Path, plan: Plan) -> ValidationSet | None:
    """The first documents of tokens/valid that fit into `validation_tokens`; None where there is not one."""
    left, size = plan.settings.validation_tokens, 0
    pieces: list[NDArray[np.int64]] = []
    for shard in plan.valid:
        stream = IndexedTokens(run / shard.path).tokens
        for first, tokens, text in _documents(run / f"{shard.path}.docs.parquet"):
            if tokens > left:
                continue
            pieces.append(np.asarray(stream[first : first + tokens], dtype=np.int64))
            left, size = left - tokens, size + text
            if left < _SMALLEST:
                break
        if left < _SMALLEST:
            break
    if not size:
        return None
    return ValidationSet(cut(np.concatenate(pieces), plan.settings.model.context, plan.end_of_text), size)


def _documents(path: Path) -> Iterator[tuple[int, int, int]]:
    """First token, tokens and bytes of each document that has text and was not withdrawn."""
    table = read_table(path, ["first_token", "tokens", "bytes", "withdrawn"])
    first, tokens, size, gone = (table[name].to_numpy() for name in table.column_names)
    for row in np.flatnonzero(~gone.astype(bool) & (size > 0)):
        yield int(first[row]), int(tokens[row]), int(size[row])


def validate(engine: Any, plan: Plan, held_out: ValidationSet) -> dict[str, float | int]:
    """One line of validation.jsonl without its step; every rank calls this and gets the same.

    Returns:
        loss: nats a target token, end of text included, as the training loss counts.
        bits_per_byte: over the targets that are text.
        tokens: targets; bytes: of text.
    """
    import deepspeed.comm as comm
    import torch

    rank, ranks = comm.get_rank(), comm.get_world_size()
    mine = held_out.windows[rank::ranks]
    sums = torch.zeros(3, dtype=torch.float64, device=engine.device)  # nats, nats of text, targets
    engine.eval()
    with torch.no_grad():
        for start in range(0, len(mine), plan.settings.micro_batch):
            batch = pack(mine[start : start + plan.settings.micro_batch], plan.end_of_text)
            nats = token_nats(engine, batch)
            labels = torch.from_numpy(batch.labels).to(engine.device)
            sums[0] += nats.sum(dtype=torch.float64)
            sums[1] += nats[labels != plan.end_of_text].sum(dtype=torch.float64)
            sums[2] += batch.targets
    engine.train()
    comm.all_reduce(sums)
    nats_all, nats_text, targets = (float(value) for value in sums)
    return {
        "loss": nats_all / targets,
        "bits_per_byte": bits_per_byte(nats_text, held_out.bytes),
        "tokens": int(targets),
        "bytes": held_out.bytes,
    }


def token_nats(model: Any, batch: Any) -> Any:
    """Negative log-likelihood of every target, float32 (B, T), 0 where there is no loss.

    Args:
        model: a causal language model of transformers, or an engine around one, with `.device`.
        batch: of pretrain.packing.
    """
    import torch

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(model.device, non_blocking=True)

    logits = model(
        input_ids=tensor(batch.input_ids),
        attention_mask=tensor(batch.mask),
        position_ids=tensor(batch.position_ids),
        use_cache=False,
    ).logits
    labels = tensor(batch.labels)
    # Flat, since cross_entropy over (B, V, T) would copy all logits first.
    nats = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return nats.view(labels.shape)
