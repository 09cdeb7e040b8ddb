"""The last checkpoint as a Hugging Face folder, pretrain/model/: what `AutoModelForCausalLM.from_pretrained` opens."""

from __future__ import annotations

import shutil
from pathlib import Path

from corpus.errors import TrainingError
from pretrain.checkpoints import Checkpoint, model_folder, put_in_place, read_checkpoints
from pretrain.model import untrained
from pretrain.plan import Plan


def export(run: Path, plan: Plan, checkpoint: Checkpoint | None = None) -> Path:
    """Write pretrain/model/ from a checkpoint, the newest by default; the same checkpoint gives the same bytes.

    The weights are those of the ranks' shared module (`mp_rank_00_model_states.pt`, whole under ZeRO 0 to 2); the
    tokenizer's files lie beside them.

    Raises:
        TrainingError: there is no checkpoint, or it holds other weights than the plan's model.
    """
    import torch

    if checkpoint is None:
        checkpoint = next(reversed(read_checkpoints(run)), None)
    if checkpoint is None:
        raise TrainingError("there is no whole checkpoint to export", where=str(run), fix="train first")
    tag = f"global_step{checkpoint.state.step}"
    weights = checkpoint.path / "deepspeed" / tag / "mp_rank_00_model_states.pt"
    # DeepSpeed pickles its own objects beside the tensors; the file is one that we wrote.
    module = torch.load(weights, map_location="cpu", weights_only=False)["module"]
    model = untrained(plan.settings.model, plan.vocabulary, plan.end_of_text, plan.seed)
    if plan.settings.precision == "bf16":
        model = model.to(torch.bfloat16)
    try:
        model.load_state_dict(module)
    except RuntimeError as error:
        raise TrainingError(
            "the checkpoint holds other weights than the recipe's model has",
            where=str(weights),
            fix="export with the recipe that it was trained by",
        ) from error
    return _write(run, model)


def _write(run: Path, model: object) -> Path:
    folder = model_folder(run)
    temporary = folder.with_name(".model.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    model.save_pretrained(temporary)  # type: ignore[attr-defined]
    for path in sorted((run / "tokenizer").iterdir()):
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, temporary / path.name)
    put_in_place(temporary, folder)
    return folder
