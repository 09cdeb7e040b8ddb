"""The pretrain stage: what hanjo's execution asks of it, and what trace asks about tokens and checkpoints.

One job in the parent process: it starts the ranks and waits for them; they do the work (pretrain.train).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import TrainingError, UsageError
from corpus.manifest import fingerprint, hash_file
from corpus.settings import Common
from corpus.shards import Job, JobContext, Outcome, Output, Phase, Phases, read_shards
from corpus.staging import is_appended, withdrawal_of
from pretrain import launch
from pretrain.checkpoints import (
    STALE,
    Say,
    checkpoints_folder,
    logs,
    model_folder,
    read_checkpoints,
    refuse_other_ranks,
)
from pretrain.plan import Plan
from pretrain.sampler import TokenShard
from pretrain.settings import ModelSettings, PretrainSettings
from tokenizer.indexed import IndexedTokens
from tokenizer.vocabulary import open_vocabulary

__all__ = ["VERSION", "ModelSettings", "PretrainSettings", "Used", "locate", "phases", "plan_training", "train"]

VERSION = 1
_SAME_WEIGHTS: dict[str, Any] = {"ranks": 1, "say_every": 1, "checkpoint_every": 1, "keep_last": 1, "keep_every": 0}
_log = logging.getLogger("hanjo.pretrain")


def phases(run: Path, settings: PretrainSettings, common: Common) -> Phases:
    """One job, in the parent: train, and list what was written."""
    job = Job(
        "train",
        pretrain_job,
        arguments={"seed": common.seed},
        inputs=tuple(_inputs(run)),
        local={"settings": settings},
    )
    yield Phase("train", "map", [job], here=True)


def pretrain_job(context: JobContext, *, seed: int, settings: PretrainSettings) -> Outcome:
    """Train to the end, from where the run stands, and say what lies under pretrain/.

    Ranks that were started elsewhere (several nodes) may have done all of it: then nothing is started here.
    """
    run = context.run
    plan = plan_training(run, settings, seed, here=False)
    if not _finished(run, plan):
        launch.train(run, plan_training(run, settings, seed), _log.info)
    steps, batch = settings.steps, settings.global_batch
    samples = steps * batch
    counts = {"trained": {"steps": steps, "samples": samples, "tokens": samples * settings.model.context}}
    return Outcome(tuple(_outputs(run)), counts, {"weights_of": plan.fingerprint})


def train(
    run: Path,
    settings: PretrainSettings,
    common: Common,
    *,
    ranks: int | None = None,
    until_step: int | None = None,
    say: Say = _log.info,
) -> None:
    """Train outside the stage order: from where the run stands, with other ranks, or up to a step.

    Args:
        ranks: instead of settings.ranks; checkpoints of another number of ranks are refused.
        until_step: steps after which to stop with a checkpoint; a later run goes on to the same bytes.

    Raises:
        TrainingError: as the ranks say. StaleError: tokens or tokenizer are missing.
    """
    same = plan_training(run, settings, common.seed, here=False).fingerprint
    resumed = [one for one in read_checkpoints(run) if one.state.fingerprint == same]
    if ranks is not None and resumed:  # first of all: of two reasons to refuse, the one that no other number mends
        refuse_other_ranks(resumed[-1], ranks)
    plan = plan_training(run, settings, common.seed, ranks=ranks, until_step=until_step)
    launch.train(run, plan, say)


def plan_training(
    run: Path,
    settings: PretrainSettings,
    seed: int,
    *,
    ranks: int | None = None,
    until_step: int | None = None,
    here: bool = True,
) -> Plan:
    """Resolve a training run from a run's tokens and tokenizer (see `train` for the arguments).

    Args:
        here: the ranks will run on this machine, which must have the GPUs for them.

    Raises:
        StaleError: tokenize has not finished. TrainingError: settings do not fit together or to this machine.
    """
    ranks = settings.ranks if ranks is None else ranks
    until = settings.steps if until_step is None else until_step
    if settings.global_batch % (settings.micro_batch * ranks):
        raise UsageError(
            f"global_batch {settings.global_batch} is no multiple of micro_batch {settings.micro_batch} × {ranks}",
            fix="choose another number of ranks",
        )
    if not 0 < until <= settings.steps:
        raise UsageError(f"cannot stop after {until} of {settings.steps} steps", fix="raise pretrain.steps")
    # Without what changes no weight. A change of ranks is to be refused with a reason, not taken for another run.
    same = dataclasses.replace(settings, **_SAME_WEIGHTS)
    age, weights = _begun_at(run, same, seed)
    inputs = _inputs(run, age)
    train_shards, valid_shards = (_token_shards(run, split, age) for split in ("train", "valid"))
    vocabulary = open_vocabulary(run / "tokenizer")
    return Plan(
        settings=settings,
        seed=seed,
        fingerprint=weights,
        tokens=fingerprint(inputs),
        ranks=ranks,
        until=until,
        vocabulary=vocabulary.entries,
        end_of_text=vocabulary.end_of_text,
        train=train_shards,
        valid=valid_shards,
        gpu=_gpu(settings, ranks if here else 1),
    )


def _finished(run: Path, plan: Plan) -> bool:
    """Whether the last step's checkpoint and the model made of it stand."""
    checkpoints = read_checkpoints(run)
    return (
        bool(checkpoints)
        and checkpoints[-1].state.fingerprint == plan.fingerprint
        and checkpoints[-1].state.step == plan.settings.steps
        and (model_folder(run) / "config.json").exists()
    )


def _inputs(run: Path, age: int = 0) -> list[str]:
    """Fingerprints of what is trained on; of the shards that withdrawals appended, those of the first `age` count."""
    parts = ("tokens/train", "tokens/valid", "tokenizer")
    return [file.fingerprint for part in parts for file in _files(run, part, age)]


def _files(run: Path, part: str, age: int) -> list[Output]:
    files = read_shards(run, "tokenize", part)
    return [file for file in files if not is_appended(file.path) or withdrawal_of(file.path) < age]


def _ages(run: Path) -> list[int]:
    """After which withdrawals there was more to train on: 0, then one more than each one's number that appended."""
    files = [file.path for split in ("train", "valid") for file in read_shards(run, "tokenize", f"tokens/{split}")]
    return sorted({0, *(withdrawal_of(path) + 1 for path in files if is_appended(path))})


def _begun_at(run: Path, same: PretrainSettings, seed: int) -> tuple[int, str]:
    """The age of the tokens that this training began with, so that what is appended later changes no order of samples;
    all there is where it has not begun. With the fingerprint of its weights."""
    ages = _ages(run)
    begun = {one.state.fingerprint for one in read_checkpoints(run)} if len(ages) > 1 else set()
    weights = {age: fingerprint("pretrain", VERSION, same, seed, _inputs(run, age)) for age in ages}
    age = next((age for age in reversed(ages) if weights[age] in begun), ages[-1])
    return age, weights[age]


def _token_shards(run: Path, split: str, age: int) -> tuple[TokenShard, ...]:
    names = [Path(shard.path) for shard in _files(run, f"tokens/{split}", age)]
    paths = sorted(name.with_suffix("").as_posix() for name in names if name.suffix == ".bin")
    return tuple(TokenShard(path, len(IndexedTokens(run / path).tokens)) for path in paths)


def _gpu(settings: PretrainSettings, ranks: int) -> bool:
    """Whether to train on GPUs; torch, slow to import, is asked only where the system shows one."""
    if settings.device == "cpu" or (settings.device == "auto" and not list(Path("/dev").glob("nvidia[0-9]*"))):
        return False
    import torch

    count = torch.cuda.device_count()
    if count == 0 and settings.device == "auto":
        return False
    if count < ranks:
        raise TrainingError(
            f"{ranks} ranks need as many GPUs, torch sees {count}",
            fix=f"set pretrain.ranks={count} or pretrain.device=cpu" if count else "set pretrain.device=cpu",
        )
    return True


def _outputs(run: Path) -> Iterator[Output]:
    """Every file that training leaves; rows are lines for logs, else 0."""
    checkpoints = [path for path in checkpoints_folder(run).rglob("*") if f"/{STALE}" not in path.as_posix()]
    for path in [*logs(run), *sorted(checkpoints), *sorted(model_folder(run).rglob("*"))]:
        if path.is_file():
            rows = path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else 0
            yield Output(path.relative_to(run).as_posix(), rows, path.stat().st_size, hash_file(path))


@dataclass(frozen=True, slots=True)
class Used:
    """Where training used some tokens: the steps (from 0), and the checkpoints, by name, that were written later."""

    steps: list[int]
    checkpoints: dict[str, list[int]]


def locate(run: Path, shard: str, first: int, last: int) -> Used:
    """The steps and checkpoints that have seen tokens [first, last) of a training shard.

    Args:
        shard: path relative to the run without suffix (`tokens/train/00000`).

    Returns:
        all steps up to the newest checkpoint, and for each checkpoint the steps among them that it contains (empty
        where it was written before). Checkpoints of other tokens than those that stand now have no say.

    Raises:
        StaleError: tokenize has not finished.
    """
    return locate_all(run, [(shard, first, last)])


def locate_all(run: Path, spans: Iterable[tuple[str, int, int]]) -> Used:
    """As `locate`, of several spans (shard, first, last) together."""
    checkpoints = read_checkpoints(run)
    if checkpoints:
        tokens = {fingerprint(_inputs(run, age)) for age in _ages(run)}
        checkpoints = [one for one in checkpoints if one.state.tokens in tokens]
    if not checkpoints:
        return Used([], {})
    newest = checkpoints[-1].state
    sampler, numbers = newest.sampler(), {one.path: number for number, one in enumerate(newest.shards)}
    found: set[int] = set()
    for shard, first, last in spans:
        if shard in numbers:
            found.update(sampler.steps_of_tokens(numbers[shard], first, last, newest.step))
    steps = sorted(found)
    return Used(steps, {one.path.name: [s for s in steps if s < one.state.step] for one in checkpoints})
