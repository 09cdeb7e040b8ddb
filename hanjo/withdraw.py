"""Withdrawal of documents from a finished run, composed of what each package does with its own tables (`forget`).

The text goes from every folder; no token moves, and no stage is run again. Everything is staged beside the run first
and put in place by a journal, so that a kill leaves the old state or the new.
"""

from __future__ import annotations

import datetime
import difflib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus import forgetting
from corpus.errors import HanjoError, StaleError, UsageError
from corpus.manifest import read_manifest
from corpus.shards import JobContext, Output
from corpus.staging import Longs, Staging, read_rows
from corpus.tombstones import Kind, bury, read_tombstones
from hanjo.execution import job_fingerprint
from hanjo.journal import FOLDER, abandon, begin, commit, leave, recover
from hanjo.ledger import STAGES as COUNTED
from hanjo.ledger import record, stage_withdrawal
from hanjo.lock import locked
from hanjo.markers import follow, mark_appended
from hanjo.recipe import Recipe, load_recipe
from hanjo.stages import STAGES, named

Span = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to go: documents by id, or all of a contributor, or all of a source."""

    ids: tuple[str, ...] = ()
    contributor: str | None = None
    source: str | None = None


@dataclass(slots=True)
class Withdrawn:
    """What a withdrawal did, or would do.

    Attributes:
        documents: rows that go; before: that were withdrawn earlier; missing: ids that no document of the run has.
        quarantined: records that left quarantine/.
        tokens: overwritten ids; shards: token shards they stand in.
        promoted: `id` and `split` of documents that stay now; judged: those whose witness went.
        steps: training steps that used any of the tokens; checkpoints: name → how many of them it contains;
            untraced: checkpoints set aside, of other tokens, which cannot be asked.
        model: the exported model was made from a checkpoint that contains some.
        samples: rows of evaluate/samples that go. indexes: indexes of deduplication they leave.
        elsewhere: other runs of the same folder that hold any of it.
    """

    run: str
    dry_run: bool
    documents: int = 0
    before: int = 0
    missing: list[str] = field(default_factory=list)
    quarantined: int = 0
    tokens: int = 0
    shards: list[str] = field(default_factory=list)
    promoted: list[dict[str, str]] = field(default_factory=list)
    judged: int = 0
    steps: list[int] = field(default_factory=list)
    checkpoints: dict[str, int] = field(default_factory=dict)
    untraced: list[str] = field(default_factory=list)
    model: bool = False
    samples: int = 0
    indexes: list[str] = field(default_factory=list)
    elsewhere: list[dict[str, Any]] = field(default_factory=list)


def withdraw(run: Path, asked: Asked, *, indexes: Sequence[Path] = (), dry_run: bool = False) -> Withdrawn:
    """Withdraw documents from a run.

    Args:
        indexes: indexes of deduplication to take them out of, beside the run's own.
        dry_run: change nothing, only tell what would go.

    Raises:
        LockedError: another process works on the run. StaleError: collect has not finished.
        UsageError: no such contributor or source.
    """
    with locked(run):
        recover(run)
        if "collect" not in read_manifest(run)["stages"]:
            raise StaleError("collect has not finished, so nothing can be found", where=str(run), fix="run it first")
        told = Withdrawn(str(run), dry_run)
        rows, told.missing = _rows(run, asked)
        everyone = _ids(run, rows)
        rows, told.before = forgetting.standing(run, rows)
        known = _known_before(run, asked)
        own = [run / "index"] if (run / "index" / "manifest.json").exists() else []
        told.indexes = [str(path) for path in (*own, *indexes)]
        staging = begin(run)
        try:
            ids = _stage(staging, asked, rows, told)
            if not dry_run and (ids or told.quarantined or not known):
                commit(staging, [Path(path) for path in told.indexes], everyone)
            else:
                abandon(run)
                if not dry_run and everyone:  # withdrawn before, perhaps not from these
                    leave([Path(path) for path in told.indexes], everyone)
        except BaseException:
            if not (run / FOLDER / "journal.json").exists():
                abandon(run)
            raise
        if not dry_run and all(name in read_manifest(run)["stages"] for name in COUNTED):
            record(run)
    told.elsewhere = list(_elsewhere(run, ids))
    return told


def _rows(run: Path, asked: Asked) -> tuple[dict[str, Longs], list[str]]:
    if asked.contributor is not None:
        if not forgetting.sources_of(run, asked.contributor):
            raise UsageError(
                f"no contributor {asked.contributor!r} in this run", where=str(run), fix=_givers(run, asked)
            )
        return forgetting.rows_of(run, "contributor", asked.contributor), []
    if asked.source is not None:
        if asked.source not in forgetting.sources(run):
            raise UsageError(f"no source {asked.source!r} in this run", where=str(run), fix=_names(run))
        return forgetting.rows_of(run, "source", asked.source), []
    return forgetting.rows_of_ids(run, asked.ids)


def _ids(run: Path, rows: dict[str, Longs]) -> list[str]:
    tables = (read_rows(run / "documents" / f"{shard}.parquet", places, ["id"]) for shard, places in rows.items())
    return [name for table in tables for name in table["id"].to_pylist()]


def _names(run: Path) -> str:
    told = [f"{source} (of {contributor})" for source, contributor in sorted(forgetting.sources(run).items())]
    return f"there are the sources {', '.join(told)}"


def _givers(run: Path, asked: Asked) -> str:
    known = sorted(set(forgetting.sources(run).values()))
    told = f"the contributors are: {', '.join(known)}"
    # By letters of Hangul: of two syllables one that differs in a letter would be half the name.
    by_letters = {unicodedata.normalize("NFD", name): name for name in known}
    near = difflib.get_close_matches(unicodedata.normalize("NFD", asked.contributor or ""), by_letters, n=1)
    return f"did you mean {by_letters[near[0]]!r}? {told}" if near else told


def _known_before(run: Path, asked: Asked) -> bool:
    """Whether all that is asked for has its tombstone already."""
    graves = read_tombstones(run)
    if asked.contributor is not None:
        return graves.holds("contributor", asked.contributor)
    return asked.source is None or graves.holds("source", asked.source)


def _stage(staging: Staging, asked: Asked, rows: dict[str, Longs], told: Withdrawn) -> list[str]:
    """Stage everything; the ids of the documents that go."""
    run, done = staging.run, set(read_manifest(staging.run)["stages"])
    recipe = load_recipe(run / "recipe.yaml")
    appended: dict[str, Output] = {}
    if "dedup" in done:
        from dedup.forgetting import forget as forget_in_dedup

        forgotten = forget_in_dedup(staging, rows, recipe.dedup)
        told.promoted, told.judged, appended = forgotten.promoted, forgotten.judged, forgotten.appended
    ids = forgetting.forget(staging, rows, done, recipe.measure, recipe.decide, recipe.common(run))
    told.documents = len(ids)
    sources = [] if asked.source is None else [asked.source]
    if asked.contributor is not None:
        sources = forgetting.sources_of(run, asked.contributor)
    told.quarantined = forgetting.forget_quarantined(staging, sources)
    if "tokenize" in done:
        _stage_tokens(staging, ids, told)
        _encode(staging, recipe, appended)
    from eval.forgetting import forget as forget_in_samples

    told.samples = forget_in_samples(staging, ids)
    _clear(staging, done)
    names: list[tuple[Kind, str]] = [("document", name) for name in ids]
    for kind, name in (("contributor", asked.contributor), ("source", asked.source)):
        if name is not None:
            names.append((kind, name))  # type: ignore[arg-type]
    follow(staging, done)
    if all(name in done for name in COUNTED):
        stage_withdrawal(staging)
    bury(staging, names, datetime.date.today())
    return ids


def _stage_tokens(staging: Staging, ids: Sequence[str], told: Withdrawn) -> None:
    from tokenizer.forgetting import forget

    spans = forget(staging, ids)
    told.tokens = sum(last - first for _, first, last in spans)
    told.shards = sorted({shard for shard, _, _ in spans})
    told.steps, told.checkpoints, told.untraced = _consumed(staging.run, spans)
    newest = max(told.checkpoints, default="")
    told.model = bool(told.checkpoints.get(newest)) and (staging.run / "pretrain" / "model").exists()


def _consumed(run: Path, spans: Sequence[Span]) -> tuple[list[int], dict[str, int], list[str]]:
    """Steps that used tokens of the spans, checkpoints by how many of them they contain, those that cannot be asked."""
    folder = run / "pretrain" / "checkpoints"
    if not folder.exists():
        return [], {}, []
    from pretrain.stage import locate_all

    used = locate_all(run, spans)
    untraced = sorted(path.name for path in folder.glob("stale-*")) if spans else []
    return used.steps, {name: len(steps) for name, steps in used.checkpoints.items() if steps}, untraced


def _encode(staging: Staging, recipe: Recipe, appended: dict[str, Output]) -> None:
    """Encode promoted documents into appended token shards, by the stage's own jobs."""
    if not appended:
        return
    from tokenizer.stage import appended_phase
    from tokenizer.train_jobs import FOLDER as TOKENIZER
    from tokenizer.vocabulary import content_hash

    run, stage = staging.run, named("tokenize")
    for name in (TOKENIZER, "rights.parquet"):  # what the jobs read of the run beside its unique text
        (staging.folder / name).symlink_to(run / name)
    given = {split: [output] for split, output in appended.items()}
    phase = appended_phase(run, given, content_hash(run / TOKENIZER), recipe.common(run))
    for job in phase.jobs:
        made_of = job_fingerprint(stage, phase, job, recipe.tokenize)
        context = JobContext(staging.folder, made_of, recipe.execution.memory)
        mark_appended(staging, stage, phase.name, job.name, made_of, job.call(context, **job.arguments, **job.local))


def _clear(staging: Staging, done: set[str]) -> None:
    """What else may hold the text: the report, scratch files, logs, and what unfinished stages have written."""
    run = staging.run
    going = ["report.html", "error.log"]
    going += [f".scratch/{path.name}" for path in (run / ".scratch").glob("*") if path.name != "pretrain"]
    for stage in STAGES:
        if stage.name not in done and stage.name != "pretrain":  # checkpoints hold no text, and may have cost days
            going += [*stage.folders, f".done/{stage.name}", f".done/{stage.name}.json"]
    staging.going += [path for path in going if (run / path).exists()]


def _elsewhere(run: Path, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Other runs beneath the same folder that hold any of the documents, with what has been trained on them."""
    for folder in sorted(run.parent.iterdir()) if ids else ():
        told: dict[str, Any] = {"run": str(folder)}
        try:
            buckets = folder / "documents" / "ids"
            if folder == run or not buckets.is_dir() or not (folder / "manifest.json").exists():
                continue
            rows, _ = forgetting.rows_of_ids(folder, ids)
            rows, _ = forgetting.standing(folder, rows)
            if not rows:
                continue
            told["documents"] = sum(map(len, rows.values()))
            if "tokenize" in read_manifest(folder)["stages"]:
                told |= _elsewhere_consumed(folder, rows)
        except (HanjoError, OSError) as error:  # a run of someone else, or one that is being made
            told["error"] = error.what if isinstance(error, HanjoError) else str(error.strerror)
        yield told


def _elsewhere_consumed(run: Path, rows: dict[str, Longs]) -> dict[str, Any]:
    from tokenizer.forgetting import spans_of

    spans = spans_of(run, _ids(run, rows))
    steps, checkpoints, untraced = _consumed(run, spans)
    tokens = sum(last - first for _, first, last in spans)
    return {"tokens": tokens, "steps": steps, "checkpoints": checkpoints, "untraced": untraced}
