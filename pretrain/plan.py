"""What a training process has to know, in one file: written by pretrain.launch, read by every rank of pretrain.train.

It lies in the run's scratch folder, so that `deepspeed --module pretrain.train --run RUN` starts by hand as well.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import TrainingError
from corpus.shards import write_json
from pretrain.sampler import Sampler, TokenShard
from pretrain.settings import PretrainSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """A training run, resolved.

    Attributes:
        fingerprint: of everything that the weights follow from, except the number of ranks.
        tokens: fingerprint of the token shards and the tokenizer.
        until: steps after which to stop; settings.steps unless someone wants to stop before.
        vocabulary, end_of_text: entries of the tokenizer, and the id that ends a document.
        train, valid: token shards, paths relative to the run without suffix.
        gpu: train on GPUs rather than on the processor.
    """

    settings: PretrainSettings
    seed: int
    fingerprint: str
    tokens: str
    ranks: int
    until: int
    vocabulary: int
    end_of_text: int
    train: tuple[TokenShard, ...]
    valid: tuple[TokenShard, ...]
    gpu: bool

    def sampler(self) -> Sampler:
        """The order of the training samples.

        Raises:
            TrainingError: the tokens fill no window.
        """
        return Sampler(self.train, self.settings.model.context, self.seed, self.settings.global_batch)


def plan_path(run: Path) -> Path:
    """Where a run's plan lies."""
    return run / ".scratch" / "pretrain" / "plan.json"


def write_plan(run: Path, plan: Plan) -> None:
    """Write the plan atomically."""
    write_json(plan_path(run), dataclasses.asdict(plan))


def read_plan(run: Path) -> Plan:
    """Read the plan.

    Raises:
        TrainingError: there is none, or it does not read.
    """
    from pydantic import TypeAdapter

    path = plan_path(run)
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(Plan).validate_python(values)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"no readable training plan ({error})", where=str(path), fix="start training with `hanjo run` once"
        ) from error
