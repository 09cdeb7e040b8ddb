"""The settings of pretrain: the model's shape, the order and size of steps, what is kept. Read from the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le

from corpus.settings import Count, setting
from pretrain.schedule import Shape

# Batch sizes, the optimizer and its schedule have settings of their own, from which the order of samples follows.
_OURS = {
    "train_batch_size": "pretrain.global_batch",
    "train_micro_batch_size_per_gpu": "pretrain.micro_batch",
    "gradient_accumulation_steps": "pretrain.global_batch, micro_batch and ranks",
    "gradient_clipping": "pretrain.clip",
    "optimizer": "pretrain.learning_rate, weight_decay, beta1 and beta2",
    "scheduler": "pretrain.schedule, warmup and decay",
    "bf16": "pretrain.precision",
    "fp16": "pretrain.precision",
}
_Share = Annotated[float, Ge(0), Le(1)]
_Whole = Annotated[int, Ge(1)]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The shape of a Llama; the size of its vocabulary is the tokenizer's."""

    hidden: _Whole = setting(256, "width of the residual stream")
    layers: _Whole = setting(6, "transformer blocks")
    heads: _Whole = setting(8, "attention heads; they share out `hidden`")
    kv_heads: _Whole = setting(4, "heads of keys and values, each shared by heads / kv_heads", origin="Ainslie 2023")
    intermediate: _Whole = setting(688, "width of the feed-forward layer", origin="8/3 of hidden, Shazeer 2020")
    context: _Whole = setting(256, "tokens that the model sees at once", unit="tokens")
    rope_theta: Annotated[float, Gt(0)] = setting(10000.0, "base of the rotary positions", origin="Su 2021")
    tied: bool = setting(True, "one matrix for input and output embeddings")

    def __post_init__(self) -> None:
        if self.hidden % self.heads or self.heads % self.kv_heads or (self.hidden // self.heads) % 2:
            raise ValueError(
                f"{self.hidden} hidden, {self.heads} heads, {self.kv_heads} kv_heads: heads must divide hidden into "
                "even parts, and kv_heads must divide heads"
            )


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """A training run."""

    steps: _Whole = setting(200, "optimizer steps", unit="steps")
    model: ModelSettings = setting(ModelSettings, "the model's shape")
    global_batch: _Whole = setting(8, "sequences a step, over all ranks", unit="sequences")
    micro_batch: _Whole = setting(4, "sequences that one rank takes at once", unit="sequences")
    ranks: _Whole = setting(2, "training processes on this machine; with GPUs, one for each", unit="processes")
    learning_rate: Annotated[float, Gt(0)] = setting(2e-3, "the highest learning rate", origin="tried on small models")
    schedule: Shape = setting("stable-decay", "how the learning rate falls after the warm-up")
    warmup: _Share = setting(0.05, "share of the steps over which the learning rate rises")
    decay: _Share = setting(0.3, "share of the steps over which stable-decay falls", origin="Hägele 2024")
    floor: _Share = setting(0.0, "share of the highest learning rate that is left at the end")
    weight_decay: Annotated[float, Ge(0)] = setting(0.1, "AdamW's decay of matrices", origin="Brown 2020")
    beta1: Annotated[float, Ge(0), Le(1)] = setting(0.9, "AdamW's decay of the mean gradient")
    beta2: Annotated[float, Ge(0), Le(1)] = setting(0.95, "AdamW's decay of its square", origin="Brown 2020")
    clip: Annotated[float, Ge(0)] = setting(1.0, "norm that gradients are clipped to; 0 for no clipping")
    precision: Literal["fp32", "bf16"] = setting(
        "fp32", "of weights and arithmetic; bf16 for GPUs", origin="bf16 is over 10 times slower on processors"
    )
    checkpoint_every: _Whole = setting(100, "steps between checkpoints; the last step always has one", unit="steps")
    keep_last: _Whole = setting(2, "newest checkpoints that are kept", unit="checkpoints")
    keep_every: Annotated[int, Ge(0)] = setting(0, "those at multiples of this stay for good; 0: none", unit="steps")
    validate_every: _Whole = setting(100, "steps between validations; the first and last state have one", unit="steps")
    validation_tokens: Count = setting(16_384, "tokens of whole valid documents to validate on", unit="tokens")
    device: Literal["auto", "cpu", "gpu"] = setting("auto", "what to train on; auto: GPUs where torch sees one")
    threads: _Whole = setting(1, "threads of a rank on a processor", unit="threads")
    compile_ops: bool = setting(False, "let DeepSpeed compile its shared-memory all-reduce for processors (needs c++)")
    say_every: _Whole = setting(10, "steps between lines of progress", unit="steps")
    deepspeed: dict[str, Any] = setting(dict, "DeepSpeed's own JSON, merged over ours untouched")

    def __post_init__(self) -> None:
        if self.global_batch % (self.micro_batch * self.ranks):
            raise ValueError(
                f"global_batch {self.global_batch} is no multiple of micro_batch × ranks, "
                f"{self.micro_batch} × {self.ranks}"
            )
        for key, ours in _OURS.items():
            if key in self.deepspeed:
                raise ValueError(f"pretrain.deepspeed.{key} is set by {ours}: the order of samples depends on it")
        zero = self.deepspeed.get("zero_optimization", {})
        if isinstance(zero, dict) and zero.get("stage", 1) not in (1, 2):
            raise ValueError("only ZeRO stages 1 and 2: 0 tells no gradient norm, 3 shards what export must gather")
