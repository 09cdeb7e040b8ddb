"""The stage `evaluate`, the last of a run: the exported model and its untrained twin through the suites.

Reads `pretrain/model` and `unique/test`; writes `evaluate/results.json` and `evaluate/samples/SUITE.MODEL.parquet`
(ids and numbers, no text). One job; its models live in a process of their own.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from annotated_types import Ge, Gt, Lt, MinLen

from corpus.errors import MissingExtraError, StaleError
from corpus.settings import Common, setting
from corpus.shards import (
    Counts,
    Job,
    JobContext,
    Outcome,
    Output,
    Phase,
    Phases,
    add,
    read_shards,
    write_json,
    write_table,
)
from corpus.staging import is_appended
from eval.apart import evaluate_apart
from eval.harness import Device, Request, Row, Which
from eval.scores import results
from eval.suites import Suite, find

VERSION = 1
MODEL = "pretrain/model"
FOLDER = "evaluate"

CHOICE_SAMPLES = pa.schema(
    [
        ("id", pa.string()),
        ("cluster", pa.string()),  # what the item was drawn from
        ("answer", pa.int32()),  # index of the right ending
        ("loglikelihoods", pa.list_(pa.float64())),  # nats, one an ending
    ]
)
ROLLING_SAMPLES = pa.schema(
    [
        ("id", pa.string()),  # the document's
        ("loglikelihood", pa.float64()),  # nats, summed over the document
        ("bytes", pa.int64()),  # UTF-8
    ]
)


@dataclass(frozen=True, slots=True)
class EvaluateSettings:
    """What the model is measured by."""

    suites: Annotated[tuple[str, ...], MinLen(1)] = setting(
        ("korean_cloze", "bits_per_byte"), "suites to run, by the names of the files in eval/suites"
    )
    documents: Annotated[int, Ge(1)] = setting(
        100, "documents of the test split that are scored, chosen by the seed where there are more", unit="documents"
    )
    items: Annotated[int, Ge(1)] | None = setting(
        None, "items of each multiple-choice suite, the first so many; null takes all", unit="items"
    )
    untrained: bool = setting(True, "score an untrained model of the same shape beside it, to tell learning from luck")
    confidence: Annotated[float, Gt(0), Lt(1)] = setting(0.95, "coverage of the intervals")
    batch_size: Annotated[int, Ge(1)] = setting(16, "texts that go through the model at once", unit="texts")
    threads: Annotated[int, Ge(1)] = setting(2, "threads of the evaluation; they decide the last bits of a sum")
    device: Device = setting("auto", "where the model runs; auto takes a GPU where there is one")


def phases(run: Path, settings: EvaluateSettings, common: Common) -> Phases:
    """One job.

    Raises:
        RecipeError: a suite that is not there.
        MissingExtraError: lm-eval is not installed.
        StaleError: pretrain or dedup has not finished.
    """
    wanted = find(settings.suites)
    inputs = [suite.fingerprint() for suite in wanted]
    model = read_shards(run, "pretrain", MODEL)
    if not model:
        raise StaleError("there is no exported model", where=str(run / MODEL), fix="run pretrain again")
    inputs += [output.fingerprint for output in model]
    if any(suite.kind == "loglikelihood_rolling" for suite in wanted):
        shards = read_shards(run, "dedup", "unique/test")
        # What a withdrawal appends has no say: scores that stand are not made anew because of it.
        inputs += [output.fingerprint for output in shards if not is_appended(output.path)]
    arguments = {
        "suites": list(settings.suites),
        "models": ["trained", "untrained"] if settings.untrained else ["trained"],
        "seed": common.seed,
        "documents": settings.documents,
        "items": settings.items,
        "confidence": settings.confidence,
        "batch_size": settings.batch_size,
        "threads": settings.threads,
        "device": settings.device,
        "engine": _engine(),
    }
    yield Phase("evaluate", "exchange", [Job("evaluate", evaluate_job, arguments, tuple(inputs))], here=True)


def evaluate_job(
    context: JobContext,
    *,
    suites: list[str],
    models: list[Which],
    seed: int,
    documents: int,
    items: int | None,
    confidence: float,
    batch_size: int,
    threads: int,
    device: Device,
    engine: str,
) -> Outcome:
    """Ask the models, score the answers, write both."""
    request = Request(
        model=str(context.run / MODEL),
        run=str(context.run),
        suites=tuple(suites),
        models=tuple(models),
        seed=seed,
        documents=documents,
        items=items,
        batch_size=batch_size,
        threads=threads,
        device=device,
    )
    wanted = find(suites)
    answers = evaluate_apart(request, context.run / ".scratch" / FOLDER)
    made_by = {"engine": engine, "confidence": confidence, "seed": seed, "models": answers.facts}
    found: dict[str, Any] = made_by | results(wanted, answers, confidence)
    folder, counts = context.run / FOLDER, Counts()
    outputs = [_write_results(folder / "results.json", found, context)]
    for suite in wanted:
        for model, rows in answers.rows[suite.name].items():
            outputs.append(_write_samples(folder / "samples" / f"{suite.name}.{model}.parquet", suite, rows, context))
        told = found["suites"][suite.name]
        add(counts, f"scored/{suite.name}", **{name: told[name] for name in ("items", "bytes") if name in told})
    return Outcome(tuple(outputs), counts)


def _write_results(path: Path, found: dict[str, Any], context: JobContext) -> Output:
    write_json(path, found)
    relative = path.relative_to(context.run).as_posix()
    return Output(relative, len(found["scores"]), path.stat().st_size, context.fingerprint)


def _write_samples(path: Path, suite: Suite, rows: list[Row], context: JobContext) -> Output:
    schema = ROLLING_SAMPLES
    if suite.kind == "multiple_choice":
        schema = pa.schema([*CHOICE_SAMPLES, *((metric, pa.float64()) for metric in suite.metrics)])
    return write_table(path, pa.Table.from_pylist(rows, schema=schema), schema, context)


def _engine() -> str:
    try:
        return f"lm-eval {importlib.metadata.version('lm_eval')}"
    except importlib.metadata.PackageNotFoundError as error:
        raise MissingExtraError("evaluation needs lm-eval", where="stage evaluate", extra="eval") from error
