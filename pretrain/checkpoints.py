"""Checkpoints: written whole or not at all, found again, thinned out; and the logs cut back to where one stands.

    pretrain/checkpoints/step-000100/       after 100 steps, so with samples [0, 100 B)
        deepspeed/                          as DeepSpeed writes it: latest, global_step100/, zero_to_fp32.py
        state.json                          step, ranks, what was trained on, position in the samples, sizes of files

A checkpoint is written under a temporary name, synced, and renamed by rank 0 when all ranks are done; so a folder
that has its name is whole, unless someone touched it, which the sizes in state.json tell.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.errors import StaleError, TrainingError
from corpus.manifest import hash_file
from corpus.shards import atomic_path, sync, write_json
from pretrain.plan import Plan
from pretrain.sampler import Sampler, TokenShard
from pretrain.settings import PretrainSettings

Say = Callable[[str], None]
STALE = "stale-"
"""How the names of checkpoints begin that were set aside; hanjo leaves them alone."""


@dataclass(frozen=True, slots=True)
class State:
    """What state.json says.

    Attributes:
        step: steps done.
        ranks: processes that trained; DeepSpeed's ZeRO cuts the optimizer's state by them.
        fingerprint: of everything that the weights follow from, except the number of ranks.
        tokens: fingerprint of the token shards and the tokenizer.
        next_sample: the first sample not used yet, step · global_batch.
        seed, context, global_batch, shards: the arguments of the sampler, so that tokens can be traced.
        metrics, validation: BLAKE2b-128 of the two logs so far.
        files: bytes of each file of the checkpoint.
    """

    step: int
    ranks: int
    fingerprint: str
    tokens: str
    next_sample: int
    seed: int
    context: int
    global_batch: int
    shards: tuple[TokenShard, ...]
    metrics: str
    validation: str
    files: dict[str, int]

    def sampler(self) -> Sampler:
        """The order of samples that this checkpoint was trained in."""
        return Sampler(self.shards, self.context, self.seed, self.global_batch)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint on disk."""

    path: Path
    state: State


def checkpoints_folder(run: Path) -> Path:
    """Where a run's checkpoints lie."""
    return run / "pretrain" / "checkpoints"


def model_folder(run: Path) -> Path:
    """Where the exported model lies."""
    return run / "pretrain" / "model"


def logs(run: Path) -> tuple[Path, Path]:
    """The two logs: a line a step, and a line a validation."""
    return run / "pretrain" / "metrics.jsonl", run / "pretrain" / "validation.jsonl"


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint in a folder; None where state.json does not read or a file is missing or of another size.

    Raises:
        OSError: the disk does not give an answer: that is no word on the checkpoint.
    """
    try:
        values: dict[str, Any] = json.loads((path / "state.json").read_text(encoding="utf-8"))
        shards = tuple(TokenShard(**shard) for shard in values.pop("shards"))
        state = State(**values, shards=shards)
        whole = all((path / name).stat().st_size == size for name, size in state.files.items())
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return Checkpoint(path, state) if whole else None


def read_checkpoints(run: Path) -> list[Checkpoint]:
    """The whole checkpoints of a run, oldest first."""
    found = [read_checkpoint(path) for path in sorted(checkpoints_folder(run).glob("step-*"))]
    return sorted((one for one in found if one is not None), key=lambda one: one.state.step)


def resume_point(run: Path, plan: Plan, say: Say) -> Checkpoint | None:
    """The newest whole checkpoint to go on from, None to start at the beginning; the logs are cut back to it.

    Half-written checkpoints are removed. Damaged ones and those of another recipe or other tokens are set aside under
    another name, never removed: they may have cost days. The model exported from what is gone on from goes.

    Raises:
        TrainingError: the checkpoint was written by another number of ranks.
        StaleError: the logs do not hold what they held when the checkpoint was written.
    """
    folder = checkpoints_folder(run)
    for path in sorted(folder.glob(".step-*")):
        shutil.rmtree(path)
    good: list[Checkpoint] = []
    for path in sorted(folder.glob("step-*")):
        checkpoint = read_checkpoint(path)
        if checkpoint is not None and checkpoint.state.fingerprint == plan.fingerprint:
            good.append(checkpoint)
            continue
        if checkpoint is None:
            _set_aside(path, "damaged", "damaged", say)
        else:
            _set_aside(path, checkpoint.state.fingerprint[:8], "of another recipe or other tokens", say)
    newest = max(good, key=lambda one: one.state.step, default=None)
    if newest is not None:
        refuse_other_ranks(newest, plan.ranks)
        _thin_out(folder, newest.state.step, plan.settings)
    if newest is None or newest.state.step < plan.settings.steps:
        shutil.rmtree(model_folder(run), ignore_errors=True)
    _cut_back(run, newest)
    return newest


def refuse_other_ranks(checkpoint: Checkpoint, ranks: int) -> None:
    """Raise TrainingError, with the reason, unless so many ranks can go on from the checkpoint."""
    if checkpoint.state.ranks != ranks:
        raise TrainingError(
            f"the checkpoint was written by {checkpoint.state.ranks} ranks and cannot be resumed by {ranks}: "
            "ZeRO cuts the optimizer's state into one part a rank",
            where=str(checkpoint.path),
            fix=f"set pretrain.ranks={checkpoint.state.ranks}, or delete {checkpoint.path.parent} to start anew",
        )


def _set_aside(path: Path, mark: str, why: str, say: Say) -> None:
    aside = path.with_name(f"{STALE}{mark}-{path.name}")
    if aside.exists():
        shutil.rmtree(aside)
    path.rename(aside)
    say(f"set aside {path.name}, {why}, as {aside.name}: delete it if you need it no more")


def _cut_back(run: Path, checkpoint: Checkpoint | None) -> None:
    """Drop the lines of both logs that are newer than the checkpoint."""
    done = 0 if checkpoint is None else checkpoint.state.step
    # Metrics are written with the number of the step (from 0), validation with the number of steps done.
    for path, limit in zip(logs(run), (done, done + 1), strict=True):
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() and checkpoint is not None else []
        kept = b"".join(line for line in lines if line.endswith(b"\n") and json.loads(line)["step"] < limit)
        if checkpoint is not None:
            said = checkpoint.state.metrics if path.name == "metrics.jsonl" else checkpoint.state.validation
            if hashlib.blake2b(kept, digest_size=16).hexdigest() != said:
                raise StaleError(
                    f"{path.name} is not what it was when {checkpoint.path.name} was written",
                    where=str(path),
                    fix=f"delete {checkpoints_folder(run)} to train from the start",
                )
        if not path.exists() or path.stat().st_size != len(kept):
            with atomic_path(path) as temporary:
                temporary.write_bytes(kept)


def kept_steps(step: int, settings: PretrainSettings) -> set[int]:
    """The checkpoints that stand once the one of `step` is written; a function of the step alone, not of interruptions.

    Args:
        step: steps done.
    """
    regular = range(settings.checkpoint_every, step + 1, settings.checkpoint_every)
    last = {*regular[-settings.keep_last :], step}
    if step == settings.steps and step not in regular:
        last = {*regular[max(0, len(regular) - settings.keep_last + 1) :], step}
    every = {one for one in regular if settings.keep_every and one % settings.keep_every == 0}
    return last | every


def save(engine: Any, run: Path, plan: Plan, step: int) -> None:
    """Write the checkpoint of `step` steps done; every rank calls this.

    Args:
        engine: DeepSpeed's engine.
    """
    import deepspeed.comm as comm

    folder = checkpoints_folder(run)
    final, temporary = folder / f"step-{step:06d}", folder / f".step-{step:06d}.tmp"
    if comm.get_rank() == 0 and temporary.exists():
        shutil.rmtree(temporary)
    comm.barrier()
    engine.save_checkpoint(str(temporary / "deepspeed"), tag=f"global_step{step}")
    comm.barrier()
    if comm.get_rank() == 0:
        _finish(temporary, final, run, plan, step)
        _thin_out(folder, step, plan.settings)
    comm.barrier()


def _thin_out(folder: Path, step: int, settings: PretrainSettings) -> None:
    kept = kept_steps(step, settings)
    for path in sorted(folder.glob("step-*")):
        if int(path.name.removeprefix("step-")) not in kept:
            # Renamed first: half removed, it must not look like a checkpoint that was damaged.
            going = path.with_name(f".{path.name}.gone")
            path.rename(going)
            shutil.rmtree(going)


def _finish(temporary: Path, final: Path, run: Path, plan: Plan, step: int) -> None:
    """Write state.json, sync everything, rename."""
    paths = sorted(path for path in temporary.rglob("*") if path.is_file())
    metrics, validation = logs(run)
    state = State(
        step=step,
        ranks=plan.ranks,
        fingerprint=plan.fingerprint,
        tokens=plan.tokens,
        next_sample=step * plan.settings.global_batch,
        seed=plan.seed,
        context=plan.settings.model.context,
        global_batch=plan.settings.global_batch,
        shards=plan.train,
        metrics=hash_file(metrics),
        validation=hash_file(validation),
        files={path.relative_to(temporary).as_posix(): path.stat().st_size for path in paths},
    )
    write_json(temporary / "state.json", dataclasses.asdict(state))
    sync(metrics)
    sync(validation)
    put_in_place(temporary, final)


def put_in_place(temporary: Path, final: Path) -> None:
    """Sync a folder with all that is in it and give it its final name, in place of what had it."""
    for path in [*temporary.rglob("*"), temporary]:
        sync(path)
    if final.exists():
        shutil.rmtree(final)
    temporary.rename(final)
    sync(final.parent)
