"""The training loop, as every rank runs it: `deepspeed --module pretrain.train --run RUN`, or through pretrain.launch.

It reads the plan that the launcher wrote, goes on from the newest checkpoint, and writes under RUN/pretrain/:
metrics.jsonl (a line a step), validation.jsonl, checkpoints/, and at the end model/. Everything is a function of the
plan and the tokens; only timings.jsonl knows the clock.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import HanjoError, TrainingError
from corpus.processes import die_with_parent
from pretrain.checkpoints import Checkpoint, checkpoints_folder, logs, read_checkpoint, resume_point, save
from pretrain.engine import build_engine, start_group
from pretrain.messages import leave, say, say_error
from pretrain.packing import Batch, pack
from pretrain.plan import Plan, read_plan
from pretrain.schedule import learning_rate
from pretrain.validation import token_nats, validate, validation_set
from tokenizer.indexed import IndexedTokens


def main() -> None:
    """What one rank does; exit code 1 with one line for the launcher when it fails."""
    parser = argparse.ArgumentParser(description="one rank of a training run")
    parser.add_argument("--run", type=Path, required=True, help="the run's folder")
    parser.add_argument("--local_rank", type=int, default=0, help="given by DeepSpeed's launcher")
    arguments = parser.parse_args()
    parent = os.environ.get("HANJO_PARENT")  # unset where another launcher starts the ranks
    die_with_parent(int(parent) if parent else None)
    try:
        train(arguments.run.resolve())
    except HanjoError as error:
        say_error(error)
        sys.exit(1)
    leave()


def train(run: Path) -> None:
    """Train as planned, in this process as one rank of its group."""
    import deepspeed.comm as comm

    plan = read_plan(run)
    start_group(plan)
    first = comm.get_rank() == 0
    found: list[Any] = [None]
    if first:
        checkpoint = resume_point(run, plan, say)
        found = [None if checkpoint is None else checkpoint.path.name]
    comm.broadcast_object_list(found, src=0)
    trainer = Trainer(run, plan, None if found[0] is None else read_checkpoint(checkpoints_folder(run) / found[0]))
    trainer.go_on()
    if first and plan.until == plan.settings.steps:
        from pretrain.export import export

        export(run, plan)
    comm.barrier()
    comm.destroy_process_group()


class Trainer:
    """One rank's part of a training run, from a checkpoint or from the start."""

    def __init__(self, run: Path, plan: Plan, checkpoint: Checkpoint | None) -> None:
        import deepspeed.comm as comm

        self.run, self.plan, self.settings = run, plan, plan.settings
        self.rank, self.ranks = comm.get_rank(), comm.get_world_size()
        self.sampler = plan.sampler()
        self.streams = [IndexedTokens(run / shard.path).tokens for shard in plan.train]
        self.held_out = validation_set(run, plan)
        self.engine = build_engine(plan)
        self.metrics, self.validation = logs(run)
        self.done = 0
        if checkpoint is not None:
            self.engine.load_checkpoint(str(checkpoint.path / "deepspeed"))
            self.done = checkpoint.state.step
        if self.rank == 0:
            self._say_start()

    def go_on(self) -> None:
        """Take the steps that are left, with validations and checkpoints where they fall."""
        settings, until = self.settings, self.plan.until
        if self.done == 0:
            self._validate()
        window: list[float] = []
        while self.done < until:
            started = time.monotonic()
            line = self._step(self.done)
            seconds = time.monotonic() - started
            window = [*window[-19:], seconds]
            self.done += 1
            last = self.done == until
            if self.rank == 0:
                self._note(line, seconds)
                if self.done % settings.say_every == 0 or last:
                    self._say_step(line, sum(window) / len(window))
            if self.done % settings.validate_every == 0 or self.done == settings.steps:
                self._validate()
            if self.done % settings.checkpoint_every == 0 or last:
                save(self.engine, self.run, self.plan, self.done)

    def _step(self, step: int) -> dict[str, float | int]:
        """One optimizer step; the line of metrics.jsonl."""
        import deepspeed.comm as comm
        import torch

        settings, engine = self.settings, self.engine
        samples = self.sampler.samples_of_step(step)
        batches = self._batches(step)
        # Micro-batches hold different numbers of targets; dividing by the step's whole number makes every target
        # weigh the same, however the batch is split.
        sums = torch.tensor([sum(batch.targets for batch in batches), 0.0], dtype=torch.float64, device=engine.device)
        comm.all_reduce(sums)
        targets = max(1.0, float(sums[0]))  # none where all text of the step was withdrawn: the loss is 0 then
        rate = learning_rate(
            step,
            settings.steps,
            peak=settings.learning_rate,
            shape=settings.schedule,
            warmup=settings.warmup,
            decay=settings.decay,
            floor=settings.floor,
        )
        for group in engine.optimizer.param_groups:
            group["lr"] = rate
        nats = torch.zeros(1, dtype=torch.float64, device=engine.device)
        for batch in batches:
            summed = token_nats(engine, batch).sum()
            nats += summed.detach().double()
            # DeepSpeed divides by the accumulation steps and averages over ranks; both are taken back here.
            engine.backward(summed * (len(batches) * self.ranks / targets))
            engine.step()
        comm.all_reduce(nats)
        loss = float(nats) / targets
        if not math.isfinite(loss):
            raise TrainingError(f"the loss of step {step} is {loss}", fix="lower pretrain.learning_rate")
        return {
            "step": step,
            "tokens": (step + 1) * settings.global_batch * settings.model.context,
            "first_sample": samples.start,
            "last_sample": samples.stop - 1,
            "loss": loss,
            "lr": rate,
            "grad_norm": float(engine.get_global_grad_norm()),
        }

    def _batches(self, step: int) -> list[Batch]:
        """This rank's micro-batches of a step."""
        mine = self.sampler.share(step, self.rank, self.ranks, self.settings.micro_batch)
        return [pack(np.stack([self._window(int(w)) for w in batch]), self.plan.end_of_text) for batch in mine]

    def _window(self, window: int) -> NDArray[np.int64]:
        shard, start = self.sampler.spot(window)
        return np.asarray(self.streams[shard][start : start + self.settings.model.context + 1], dtype=np.int64)

    def _validate(self) -> None:
        if self.held_out is None:
            return
        line = {"step": self.done, **validate(self.engine, self.plan, self.held_out)}
        if self.rank == 0:
            _append(self.validation, line)
            say(f"validation after {self.done} steps: loss {line['loss']:.3f}, {line['bits_per_byte']:.3f} bits a byte")

    def _note(self, line: dict[str, float | int], seconds: float) -> None:
        _append(self.metrics, line)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        timing = {"stage": "pretrain", "at": now, "event": "step", "step": line["step"], "seconds": round(seconds, 4)}
        _append(self.run / "timings.jsonl", timing)

    def _say_start(self) -> None:
        plan, weights = self.plan, sum(weight.numel() for weight in self.engine.module.parameters())
        tokens = self.sampler.windows * self.settings.model.context
        wanted = self.settings.steps * self.settings.global_batch * self.settings.model.context
        say(
            f"{weights / 1e6:.1f} M weights, {tokens:,} tokens, {wanted / tokens:.2f} epochs in {self.settings.steps} "
            f"steps, {plan.ranks} ranks on {'GPU' if plan.gpu else 'processor'}"
            + (f", going on after step {self.done}" if self.done else "")
        )
        if self.held_out is None:
            say("no document of tokens/valid fits into pretrain.validation_tokens: training without validation")

    def _say_step(self, line: dict[str, float | int], seconds: float) -> None:
        left = (self.plan.until - self.done) * seconds
        say(
            f"step {self.done}/{self.plan.until}  loss {line['loss']:.3f}  lr {line['lr']:.2e}  "
            f"{seconds:.2f} s a step  {left / 60:.1f} min left"
        )


def _append(path: Path, line: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
