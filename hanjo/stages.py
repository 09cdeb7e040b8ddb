"""The seven stages in their order: which module plans each, what it follows, which folders of the run it owns."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType

from corpus.errors import UsageError
from corpus.shards import Counts


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: as in recipes, manifests and commands.
        module: offers `VERSION`, its settings class and `phases(run, settings, common)`.
        follows: stages whose shards it reads.
        folders: of the run; what no job of the stage named as output is removed from them.
        gets: the stage whose kept documents are this one's `in`; None where it reads no documents.
    """

    name: str
    module: str
    follows: tuple[str, ...]
    folders: tuple[str, ...]
    gets: str | None = None

    def load(self) -> ModuleType:
        """Import the stage's module (only then are its heavy libraries wanted)."""
        return importlib.import_module(self.module)


@dataclass(frozen=True, slots=True)
class StageResult:
    """What became of one stage: `ran` jobs of `jobs`, the rest were done before."""

    stage: str
    fingerprint: str
    counts: Counts
    jobs: int
    ran: int
    seconds: float


STAGES = (
    Stage("collect", "corpus.collect", (), ("documents", "quarantine")),
    Stage("measure", "corpus.measure", ("collect",), ("edits", "signals"), gets="collect"),
    Stage("decide", "corpus.decide", ("collect", "measure"), ("verdicts",), gets="measure"),
    Stage("dedup", "dedup.stage", ("collect", "measure", "decide"), ("clusters", "unique"), gets="decide"),
    Stage("tokenize", "tokenizer.stage", ("dedup",), ("tokens", "tokenizer"), gets="dedup"),
    Stage("pretrain", "pretrain.stage", ("tokenize",), ("pretrain",)),
    Stage("evaluate", "eval.stage", ("dedup", "pretrain"), ("evaluate",)),
)
NAMES = tuple(stage.name for stage in STAGES)


def up_to(until: str | None) -> tuple[Stage, ...]:
    """The stages from the first to `until`, all where it is None.

    Raises:
        UsageError: there is no such stage.
    """
    if until is None:
        return STAGES
    if until not in NAMES:
        raise UsageError(f"no stage {until!r}", fix=f"the stages are: {', '.join(NAMES)}")
    return STAGES[: NAMES.index(until) + 1]


def named(name: str) -> Stage:
    """The stage of that name."""
    return up_to(name)[-1]
