"""Models through lm-eval: tasks loaded from `eval/suites`, each model asked, numbers per item brought back.

Runs in a process of its own (`eval/apart.py` starts it), because lm-eval brings 360 MB, six seconds of imports and
settings of the environment that only count before them. `eval/scores.py` makes scores of what comes back.

How a text is put to the model:
- The prefix token is the tokenizer's end of text, as in training, where every document begins after one. A document of
  the test split is scored whole, from its first token on.
- A document longer than the model's context C is cut into windows that predict C tokens each. Every window after the
  first is given the one token before it; the last window is filled with as many earlier tokens as fit.
- An item of a multiple-choice suite is context, space, ending, without a prefix token: lm-eval's own way for a
  tokenizer that adds none, so that the suite gives the same numbers under plain lm-eval.
- Special tokens spelled out in a text are text (`split_special_tokens`), as when the corpus was encoded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from corpus.errors import StaleError, UsageError
from eval.suites import FOLDER, Suite, find
from pretrain.model import untrained
from pretrain.settings import ModelSettings

if TYPE_CHECKING:
    from lm_eval.models.huggingface import HFLM
    from transformers import PreTrainedModel

Row = dict[str, Any]
Device = Literal["auto", "cpu", "gpu"]
Which = Literal["trained", "untrained"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What to evaluate, and how.

    Attributes:
        model: a Hugging Face folder with its tokenizer.
        run: the run whose test split `bits_per_byte` reads.
        suites: names of suites.
        models: `trained` is the model as it is, `untrained` one of its shape with seeded initial weights.
        seed: of the untrained weights, of the choice of documents, and of lm-eval.
        documents: of the test split, at most so many.
        items: of each multiple-choice suite, the first so many; None takes all.
        batch_size: texts at once.
        threads: of torch; part of the result's last bits, so a setting and not the machine's number of cores.
    """

    model: str
    run: str
    suites: tuple[str, ...]
    models: tuple[Which, ...]
    seed: int
    documents: int
    items: int | None
    batch_size: int
    threads: int
    device: Device


@dataclass(frozen=True, slots=True)
class Answers:
    """What the models answered.

    Attributes:
        rows: suite → model → one row an item, in the suite's order. Multiple choice: `id, cluster, answer`, the
            endings' `loglikelihoods` (nats), and each metric as 0 or 1. Rolling: `id, loglikelihood` (nats), `bytes`.
        totals: suite → model → metric → lm-eval's own figure, to check ours against.
        facts: of the models: `parameters`, `context` (tokens), `prefix_token`, `device`.
    """

    rows: dict[str, dict[str, list[Row]]]
    totals: dict[str, dict[str, dict[str, float]]]
    facts: dict[str, Any]


def evaluate(request: Request) -> Answers:
    """Ask every model every suite.

    Raises:
        RecipeError: there is no such suite.
        StaleError: the folder holds no model that transformers opens, or its tokenizer has no end-of-text token.
        UsageError: a GPU was asked for, and there is none.
        SourceError: a suite's items cannot be read.
    """
    import torch

    torch.set_num_threads(request.threads)
    wanted = find(request.suites)
    tokenizer = _tokenizer(request.model)
    rows: dict[str, dict[str, list[Row]]] = {suite.name: {} for suite in wanted}
    totals: dict[str, dict[str, dict[str, float]]] = {suite.name: {} for suite in wanted}
    facts: dict[str, Any] = {"prefix_token": tokenizer.eos_token}
    for which in request.models:
        model = load(request.model, which, request.seed).to(_device(request.device))
        context = int(model.config.max_position_embeddings)
        facts |= {"parameters": model.num_parameters(), "context": context, "device": model.device.type}
        for suite, samples, figures in _ask(language_model(model, tokenizer, request.batch_size), wanted, request):
            rows[suite.name][which] = [_row(suite, sample) for sample in samples]
            totals[suite.name][which] = figures
    return Answers(rows, totals, facts)


def load(folder: str, which: Which, seed: int) -> PreTrainedModel:
    """The exported model in float32, or a model of its shape with the initial weights that `seed` gives.

    Raises:
        StaleError: transformers cannot open the folder.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    try:
        if which == "untrained":
            model = _twin(AutoConfig.from_pretrained(folder, local_files_only=True), folder, seed)
        else:
            model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype="float32")
    except (OSError, ValueError) as error:
        raise StaleError(f"not a model that can be opened ({error})", where=folder, fix="run pretrain again") from error
    return model.eval()


def _twin(config: Any, folder: str, seed: int) -> PreTrainedModel:
    """The model that pretrain began with under this seed, its shape read from the exported configuration."""
    if config.model_type != "llama":
        raise StaleError(
            f"an untrained twin is made of a llama, not of {config.model_type!r}",
            where=folder,
            fix="set evaluate.untrained to false",
        )
    shape = ModelSettings(
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        intermediate=config.intermediate_size,
        context=config.max_position_embeddings,
        rope_theta=config.rope_parameters["rope_theta"],
        tied=config.tie_word_embeddings,
    )
    return untrained(shape, config.vocab_size, config.eos_token_id, seed)


def language_model(model: PreTrainedModel, tokenizer: Any, batch_size: int) -> HFLM:
    """The model as lm-eval sees it; its context is the model's, its prefix token the tokenizer's end of text."""
    from lm_eval.models.huggingface import HFLM

    return HFLM(
        pretrained=model,
        tokenizer=tokenizer,
        batch_size=batch_size,
        max_length=int(model.config.max_position_embeddings),
        prefix_token_id=tokenizer.eos_token_id,
    )


def _tokenizer(folder: str) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, split_special_tokens=True)
    except (OSError, ValueError) as error:
        raise StaleError(
            f"not a tokenizer that can be opened ({error})", where=folder, fix="run pretrain again"
        ) from error
    if tokenizer.eos_token_id is None:
        raise StaleError("the tokenizer has no end-of-text token", where=folder, fix="set eos_token in its config")
    return tokenizer


def _device(wanted: Device) -> str:
    import torch

    if wanted == "gpu" and not torch.cuda.is_available():
        raise UsageError("torch sees no GPU", where="evaluate.device", fix="set it to auto or cpu")
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def _ask(
    model: HFLM, wanted: list[Suite], request: Request
) -> Iterator[tuple[Suite, list[dict[str, Any]], dict[str, float]]]:
    """Each suite's logged samples in its own order, and lm-eval's figures."""
    from lm_eval.evaluator import evaluate as run_tasks
    from lm_eval.tasks import TaskManager

    _seed(request.seed)
    told = {"run": request.run, "documents": request.documents, "seed": request.seed}
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=told)
    for suite in wanted:
        loaded = manager.load([suite.name])
        for task in loaded["tasks"].values():
            task.set_fewshot_seed(seed=request.seed)
        # evaluate, not simple_evaluate: the latter asks the machine about itself for seconds, to print it.
        answer = run_tasks(
            lm=model,
            task_dict=loaded,
            limit=request.items if suite.kind == "multiple_choice" else None,
            bootstrap_iters=0,  # errors are ours (eval/uncertainty.py)
            log_samples=True,
        )
        figures = {metric: float(answer["results"][suite.name][f"{metric},none"]) for metric in suite.metrics}
        yield suite, sorted(answer["samples"][suite.name], key=lambda sample: sample["doc_id"]), figures


def _seed(seed: int) -> None:
    import random

    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def _row(suite: Suite, sample: dict[str, Any]) -> Row:
    item = sample["doc"]
    if suite.kind == "loglikelihood_rolling":
        return {
            "id": item["id"],
            "loglikelihood": float(sample["filtered_resps"][0]),
            "bytes": len(item["text"].encode()),
        }
    return {
        "id": item["id"],
        "cluster": str(item[suite.cluster]) if suite.cluster else item["id"],
        "answer": int(sample["target"]),
        "loglikelihoods": [float(loglikelihood) for loglikelihood, _ in sample["filtered_resps"]],
        **{metric: float(sample[metric]) for metric in suite.metrics},
    }
