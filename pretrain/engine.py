"""The DeepSpeed engine: model, AdamW, ZeRO, and the distributed group. Built by every rank of pretrain.train.

On a processor: gloo, one thread a rank, torch's own AdamW, and DeepSpeed's shared-memory op left alone, which would
ask for a C++ compiler at start.
"""

from __future__ import annotations

import copy
import os
from typing import Any

from corpus.errors import TrainingError
from pretrain.model import untrained
from pretrain.plan import Plan


def deepspeed_config(plan: Plan) -> dict[str, Any]:
    """DeepSpeed's JSON: ours, with `pretrain.deepspeed` merged over it key by key."""
    settings = plan.settings
    ours: dict[str, Any] = {
        "train_batch_size": settings.global_batch,
        "train_micro_batch_size_per_gpu": settings.micro_batch,
        "gradient_accumulation_steps": settings.global_batch // (settings.micro_batch * plan.ranks),
        "gradient_clipping": settings.clip,
        "zero_optimization": {"stage": 1},
        "bf16": {"enabled": settings.precision == "bf16"},
        "steps_per_print": 1 << 31,
    }
    return _merged(ours, settings.deepspeed)


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else copy.deepcopy(value)
    return result


def start_group(plan: Plan) -> None:
    """Join the ranks into one group; the launcher's environment says where.

    Raises:
        TrainingError: other ranks than planned, or fewer GPUs than ranks.
    """
    import deepspeed
    import torch

    if not plan.gpu and not plan.settings.compile_ops:
        # Private to DeepSpeed, and there is no public switch: it compiles the op when the group starts.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    if plan.gpu and torch.cuda.device_count() < 1:
        raise TrainingError("torch sees no GPU", fix="set pretrain.device=cpu, or install torch with CUDA")
    if plan.gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))  # before the first collective, which takes the current one
    else:
        torch.set_num_threads(plan.settings.threads)
    deepspeed.init_distributed("nccl" if plan.gpu else "gloo", verbose=False)
    ranks = deepspeed.comm.get_world_size()
    if ranks != plan.ranks:
        raise TrainingError(
            f"{ranks} ranks were started, {plan.ranks} were planned", fix=f"start with --num_accelerators {plan.ranks}"
        )


def build_engine(plan: Plan) -> Any:
    """The engine around a model with its first weights; the same on every rank."""
    import deepspeed
    import torch

    settings = plan.settings
    model = untrained(settings.model, plan.vocabulary, plan.end_of_text, plan.seed)
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    rest = [weight for weight in model.parameters() if weight.ndim <= 1]  # norms: nothing to decay
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}],
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
    )
    engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=deepspeed_config(plan))
    return engine
