"""`hanjo corpus check`: a contributor's verdict before any upload, composed of corpus, dedup and tokenizer.

    paths → sources (rights read, files found) → work units ─ workers: read, judge, count, set aside (check_unit)
          → duplicates among what would count (check_duplicates) → tokens of it (check_tokens)
          → one dictionary of facts (check_facts) → terminal, HTML or JSON (check_report)

Nothing is sent anywhere. What is written meanwhile lies in a private temporary folder and goes at the end.
"""

from __future__ import annotations

import dataclasses
import datetime
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.dividing import divide_jobs, told_parts, told_ranges
from corpus.errors import SourceError, UsageError
from corpus.rights import Rights, lacking
from corpus.shards import Job, JobContext, Outcome
from corpus.sources import readers
from corpus.submission import NAME, Submission, read_submission
from corpus.work_units import Files, Source, SourceSettings, Unit, source_files, units_of
from hanjo.check_facts import Facts, Given, estimate, facts_of, verdict_of
from hanjo.check_store import Store
from hanjo.progress import Progress
from hanjo.workers import Done, Workers

if TYPE_CHECKING:
    from dedup.index import Index

UNIT_BYTES = 32 << 20  # input of one job: small, so that two workers end together
_MAX_RECORD = 64 << 20  # as collect.max_record by default
_UNKNOWN = Rights(False, False, False, False, False, "", None, "", "")


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How to check.

    Attributes:
        as_of: the day that rights are held against.
        text: field or column that holds the text.
        submission: the submission.yaml; None: the one beside the data.
        tokenizer: folder of the tokenizer to count with; None: tokens stay unknown.
        workers: processes.
        seed: of the sample that tokens are estimated from.
        index: folder of a dedup index that the documents are held against; None: they are compared with each other.
    """

    as_of: datetime.date
    text: str = "text"
    submission: Path | None = None
    tokenizer: Path | None = None
    workers: int = 2
    seed: int = 0
    index: Path | None = None


def check(paths: Sequence[Path], settings: CheckSettings, progress: Progress, labels: dict[str, str]) -> Facts:
    """Judge files and folders as a run would.

    Args:
        labels: how the progress bar calls `check` and its steps `divide`, `lines`, `read`, `known`, `pairs`, `compare`,
            `tokens`.

    Returns:
        `acceptable`; `mend`: what stands in the way (`rights`, `quarantine`, `nothing`, `files`); `came`, `kept`,
        `unique`, `repeated`: amounts; `index`: amounts of what it has, and where the first of it stands; `files`,
        `quarantined`, `removed`, `losses`, `languages`, `masked`, `reported`, `cut`, `duplicates`, `tokens`, `rights`,
        `remarks`.

    Raises:
        UsageError: no such path, or no index. SourceError: the tokenizer's folder is none.
        StaleError: the index is of another version, or made with other parameters.
    """
    if settings.tokenizer is not None:
        from tokenizer.vocabulary import open_vocabulary

        open_vocabulary(settings.tokenizer)  # a wrong folder is told before anything is read
    given = [_given(path, settings) for path in paths]
    listed, empty = _listed(given)
    with tempfile.TemporaryDirectory(prefix="hanjo-check-") as folder, progress.stage(labels["check"]) as tell:
        with Workers(settings.workers) as workers:

            def carry_out(name: str, jobs: list[Job]) -> list[Outcome]:
                return _carried_out(jobs, Path(folder), workers, tell, labels[name])

            units = _units(listed, carry_out)
            read = carry_out("read", [*_asking(settings.index), *_jobs(units, carry_out)])[settings.index is not None :]
        # The workers and their memory are gone; what follows takes a tenth of the time.
        store = Store(Path(folder), tuple(tuple(one.facts["batches"]) for one in read))
        from hanjo.check_duplicates import find_duplicates

        found = find_duplicates(store, _steps(tell, labels), _opened(settings.index), settings.workers)
        facts = facts_of(read, store, found, units)
        if settings.tokenizer is not None:
            tell(phase=labels["tokens"], total=1)
            estimate(facts, store, found, settings.tokenizer, settings.seed)
    left_out = sum(files.left_out for _, files in listed)
    facts |= {"left_out": left_out, "as_of": settings.as_of.isoformat(), "rights": [one.rights for one in given]}
    return verdict_of(facts, [str(one.path) for one in empty])


def _given(path: Path, settings: CheckSettings) -> Given:
    if not path.exists():
        raise UsageError("no such file or folder", where=str(path), fix="give files or folders with the data")
    root = path if path.is_dir() else path.parent
    file = settings.submission or root / NAME
    told: Facts = {"path": str(path), "submission": str(file), "state": "granted", "detail": None, "says": None}
    submission = Submission("unknown", "unknown", None, "ko", "unknown", "natural", _UNKNOWN)
    if not file.is_file():
        told["state"] = "missing"
    else:
        try:
            submission = read_submission(file)
        except SourceError as error:
            told |= {"state": "broken", "detail": str(error)}
        else:
            lack = lacking(submission.rights, ("train",), settings.as_of)
            told["state"] = "granted" if lack is None else "ended" if lack == "until" else "not_granted"
            told["says"] = _plain(submission)
    source = Source(SourceSettings(path=str(path.resolve()), text=settings.text), submission, "", str(root.resolve()))
    return Given(path, source, told)


def _plain(submission: Submission) -> Facts:
    said = dataclasses.asdict(submission)
    until = submission.rights.until
    said["rights"]["until"] = None if until is None else until.isoformat()
    return said


def _listed(given: Sequence[Given]) -> tuple[list[tuple[Given, Files]], list[Given]]:
    """The files of all paths, and the paths without a file."""
    found, empty = [], []
    for one in given:
        try:
            found += [(one, files) for files in source_files([one.source], Path("/"))]
        except SourceError:  # raised by a source without files alone
            empty.append(one)
    return found, empty


def _units(
    listed: Sequence[tuple[Given, Files]], carry_out: Callable[[str, list[Job]], list[Outcome]]
) -> list[tuple[Given, Unit]]:
    """The work units of all paths; where only a file's records say how it is divided, it is read for it first."""
    files = [one for _, one in listed]
    jobs = divide_jobs(files, UNIT_BYTES, _MAX_RECORD)
    ranges = told_ranges(carry_out("divide", jobs)) if jobs else []
    given = {id(one.source): given for given, one in listed}
    return [(given[id(unit.source)], unit) for unit in units_of(files, ranges, UNIT_BYTES)]


def _jobs(units: Sequence[tuple[Given, Unit]], carry_out: Callable[[str, list[Job]], list[Outcome]]) -> list[Job]:
    """The reading jobs; where a line format was divided, lines are counted first, so that each error names its line."""
    divided = [
        (piece.files[0], piece.start, piece.end)
        for _, unit in units
        for piece in unit.pieces
        if piece.end is not None and readers()[piece.format].split == "bytes"
    ]
    counting = [
        Job(f"lines-{number:05d}", _count, {"start": start, "end": end}, local={"file": file})
        for number, (file, start, end) in enumerate(divided)
    ]
    ends = iter([one.facts["lines"] for one in carry_out("lines", counting)] if counting else [])
    before: dict[str, int] = {}
    jobs = []
    for number, (one, unit) in enumerate(units):
        pieces = []
        for piece in unit.pieces:
            shown = str(one.path) if one.path.is_file() else f"{one.path}/{piece.path}"
            first = before.get(piece.files[0], 0)
            pieces.append([shown, piece.format, piece.start, piece.end, first + 1])
            if piece.end is not None and readers()[piece.format].split == "bytes":
                before[piece.files[0]] = first + next(ends)
        made = unit.source.settings
        options: Facts = {
            "text": made.text,
            "key": unit.source.submission.key,
            "url": made.url,
            "created": made.created,
        }
        options |= {"meta": list(made.meta), "page": made.page, "max_record": _MAX_RECORD}
        arguments = {"number": number, "pieces": pieces, "options": options, "parts": told_parts(unit)}
        files = [list(piece.files) for piece in unit.pieces]
        weight = sum(piece.bytes for piece in unit.pieces)
        jobs.append(Job(f"unit-{number:05d}", _read, arguments, local={"files": files}, weight=weight))
    return jobs


def _asking(index: Path | None) -> list[Job]:
    """The job that refuses what is no index that the check can be held against."""
    return [] if index is None else [Job("index", _require_index, local={"folder": str(index)}, weight=0)]


def _opened(folder: Path | None) -> Index | None:
    from hanjo.check_index import open_index

    return None if folder is None else open_index(folder)


def _require_index(context: JobContext, **arguments: Any) -> Outcome:
    """Job: as require_index."""
    from hanjo.check_index import require_index

    return require_index(context, **arguments)


def _read(context: JobContext, **arguments: Any) -> Outcome:
    """Job: as read_unit; imported where it runs, so that the process that waits loads no kernels."""
    from hanjo.check_unit import read_unit

    return read_unit(context, **arguments)


def _count(context: JobContext, **arguments: Any) -> Outcome:
    """Job: as count_lines."""
    from hanjo.check_unit import count_lines

    return count_lines(context, **arguments)


def _steps(tell: Any, labels: dict[str, str]) -> Callable[[str, int, int], None]:
    """Progress in steps, as find_duplicates tells it, for the progress bar."""
    at, before = "", 0

    def step(name: str, done: int, whole: int) -> None:
        nonlocal at, before
        if name != at:
            tell(phase=labels[name], total=whole)
            at, before = name, 0
        tell(advance=done - before)
        before = done

    return step


def _carried_out(jobs: list[Job], folder: Path, workers: Workers, tell: Any, label: str) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}

    def finished(job: Job, _: JobContext, done: Done) -> None:
        outcomes[job.name] = done.outcome
        tell(advance=job.weight)

    tell(phase=label, total=sum(job.weight for job in jobs))
    context = JobContext(folder, "", 0)
    workers.carry_out_all([(job, context) for job in jobs], finished)
    return [outcomes[job.name] for job in jobs]


def default_workers() -> int:
    """Two processes where the machine has two cores for us."""
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
