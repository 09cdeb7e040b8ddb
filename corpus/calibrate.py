"""Calibration: limits from trusted text, for rules whose published thresholds do not fit. No stage; read by a command.

FineWeb-2 adapts English thresholds to a language by the distributions of each number over reference text (Wikipedia, a
web crawl; Penedo et al. 2025, arXiv:2506.20920); two of the ways to do that are offered here, rule by rule:

- quantile (the default): the tightest limit by which at most a share `lose` of the reference breaks the rule. For a
  greatest value that is the (1 − lose) quantile of the signal, for a least value its `lose` quantile, both taken as the
  observed value itself (no interpolation), so that the promise holds for the reference exactly;
- mean ± k · sd, with `deviations` = k: mean + k standard deviations (population's) for a greatest value, mean − k for a
  least one. It says nothing of the share lost, which is told beside each limit, and suits signals with one peak.

Which of the two, and with what share, FineWeb-2 used for which rule of `kor_Hang` is unknown to us. A rule sees only
the documents that it would judge (`since`); with fewer than `ENOUGH` of them its limit is left as it is. Limits are
rounded outward to four decimals. What is lost by all rules together is more than by one, and is told too.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.decide import SIGNALS, judge
from corpus.documents import Record
from corpus.errors import SourceError, UsageError
from corpus.profiles import DEFAULT, Limits
from corpus.rules import KNOWN, RULES, Rule, shipped_limits
from corpus.shards import fingerprint_of, read_sidecar, read_table, shard_paths
from corpus.staging import withdrawn_rows

ENOUGH = 100  # documents that a rule must judge for its limit to be derived
MOST = 1_000_000  # documents looked at, of a run
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Derived:
    """One rule's limit from the reference.

    Attributes:
        documents: of the reference that the rule judges.
        limit: derived; None where there were too few.
        before: the default's limit.
        loses, lost: share of `documents` that breaks the derived limit, and the default's.
    """

    rule: Rule
    documents: int
    limit: float | None
    before: float
    loses: float
    lost: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was derived from how many documents; `loses` is the share that breaks any of the limits, `lost` before."""

    documents: int
    derived: tuple[Derived, ...]
    loses: float
    lost: float


def calibrate(signals: pa.Table, lose: float = 0.01, deviations: float | None = None) -> Calibration:
    """Limits from the signals of trusted documents.

    Args:
        signals: columns `corpus.decide.SIGNALS`.
        lose: share of the documents that each rule may lose, in [0, 1); not used with `deviations`.
        deviations: standard deviations from the mean, above 0.

    Raises:
        UsageError: no documents, or arguments out of range.
    """
    if not 0 <= lose < 1:
        raise UsageError(f"--lose {lose:g} is no share of the reference", fix="write e.g. --lose 0.01")
    if deviations is not None and deviations <= 0:
        raise UsageError(f"--deviations {deviations:g} is not above 0", fix="write e.g. --deviations 3")
    if not signals.num_rows:
        raise UsageError("the reference holds no documents", fix="name files or a run with text that you trust")
    default = shipped_limits()[DEFAULT]
    derived = tuple(_derive(rule, signals, default[rule.limit], lose, deviations) for rule in RULES)
    new = default | {one.rule.limit: one.limit for one in derived if one.limit is not None}
    return Calibration(signals.num_rows, derived, _lost(signals, new), _lost(signals, default))


def _derive(rule: Rule, signals: pa.Table, before: float, lose: float, deviations: float | None) -> Derived:
    values = np.asarray(signals[rule.signal], np.float64)
    judged = np.asarray(signals[rule.since[0]]) >= rule.since[1]
    values = np.sort(values[judged & np.isfinite(values)])  # a document without the value is not judged by it
    if len(values) < ENOUGH:
        return Derived(rule, len(values), None, before, 0.0, _breaks(rule, values, before))
    if deviations is None:
        spared = int(lose * len(values) + 1e-9)
        limit = values[-1 - spared] if rule.bound == "max" else values[spared]
    else:
        reach = deviations * values.std()
        limit = values.mean() + (reach if rule.bound == "max" else -reach)
    limit = _outward(float(limit), rule)
    return Derived(rule, len(values), limit, before, _breaks(rule, values, limit), _breaks(rule, values, before))


def _outward(limit: float, rule: Rule) -> float:
    scaled = limit * 10_000
    whole = math.ceil(scaled - 1e-9) if rule.bound == "max" else math.floor(scaled + 1e-9)
    return min(max(whole / 10_000, 0.0), KNOWN[rule.limit])


def _breaks(rule: Rule, values: np.ndarray, limit: float) -> float:
    broken = values > limit if rule.bound == "max" else values < limit
    return float(broken.mean()) if len(values) else 0.0


def _lost(signals: pa.Table, limits: Limits) -> float:
    same = pa.table({name: pa.array(["reference"] * signals.num_rows) for name in ("source", "rights_id")})
    at = signals.schema.get_field_index("private_drop")  # a policy's, no limit's
    signals = signals.set_column(at, "private_drop", pa.array(np.zeros(signals.num_rows)))
    verdicts, _ = judge(same, signals, {DEFAULT: limits}, {}, {"reference": None}, DEFAULT)
    return 1 - float(np.mean(np.asarray(verdicts["keep"])))


def profile_text(found: Calibration, about: str, how: str) -> str:
    """A profile in YAML, to be saved and named under `decide`; what the limits cost stands beside them."""
    text = [
        f"# From {found.documents:,} documents of {about}; {how}.",
        f"# All rules together lose {found.loses:.2%} of them, the default's limits {found.lost:.2%}.",
        "about: Calibrated on trusted text.",
        "limits:",
    ]
    for one in found.derived:
        if one.limit is None:
            text.append(
                f"  # {one.rule.limit}: only {one.documents} documents long enough; the default's {one.before:g}"
            )
        else:
            cost = f"loses {one.loses:.2%} of {one.documents:,}; the default's {one.before:g} loses {one.lost:.2%}"
            text.append(f"  {one.rule.limit}: {one.limit:.10g}  # {cost}")
    return "\n".join(text) + "\n"


def signals_of_run(run: Path, sources: Sequence[str] = (), seed: int = 0) -> pa.Table:
    """The signals of a run's documents, removed ones too (what is trusted is trusted whole); of `MOST`, seeded.

    Args:
        sources: only documents of these; all where empty.

    Raises:
        StaleError: the run has not been measured.
    """
    paths = shard_paths(run / "documents")
    each = MOST // max(len(paths), 1)
    tables = []
    for path in paths:
        of = fingerprint_of(path)
        names = read_table(path, ["source", "path"])
        table = read_sidecar(run / "signals" / path.name, of, names.num_rows, SIGNALS)
        rows = np.flatnonzero(~withdrawn_rows(names["path"]))
        if sources:
            rows = rows[np.isin(np.asarray(names["source"].to_pylist(), object), list(sources))]
        if len(rows) > each:
            key = hashlib.blake2b(f"{seed}/{path.name}".encode(), digest_size=8).digest()
            rows = np.sort(np.random.Generator(np.random.Philox(int.from_bytes(key))).choice(rows, each, replace=False))
        tables.append(table.take(rows))
    return pa.concat_tables(tables) if tables else pa.table({name: pa.array([], pa.float64()) for name in SIGNALS})


def signals_of_files(paths: Sequence[Path], text: str = "text") -> pa.Table:
    """Read files and measure them as the stages would, with their default settings.

    Args:
        paths: files, and folders that are read whole; of names that no reader claims, those in folders are passed over.
        text: field or column that holds the text.

    Raises:
        SourceError: a file is missing or has no reader.
    """
    from corpus.measure import MeasureSettings, measure_batch

    settings = MeasureSettings()
    batches = []
    for some in _batched(texts_of_files(paths, text)):
        texts = pa.array(some, pa.large_string())
        _, batch = measure_batch(texts, settings.boilerplate_budget, settings.privacy.policies(), {})
        batches.append(pa.table(batch).select(SIGNALS))
    return pa.concat_tables(batches) if batches else pa.table({name: pa.array([], pa.float64()) for name in SIGNALS})


def texts_of_files(paths: Sequence[Path], text: str = "text") -> Iterator[str]:
    """The normalised texts of files and folders, unreadable records left out (see `signals_of_files`)."""
    from corpus.normalising import mended
    from corpus.sources import ReadOptions, reader_for

    for path in paths:
        if not path.exists():
            raise SourceError("no such file or folder", where=str(path), fix="check the path")
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in inside:
            reader = reader_for(file.name)
            if reader is None and path.is_dir():
                continue
            if reader is None:
                raise SourceError(
                    "no reader for a name with this ending", where=str(file), fix="name files of a known format"
                )
            for record in reader.load()(file, ReadOptions(text=text), 0, None):
                if isinstance(record, Record) and (normalised := mended(record.text).text).strip():
                    yield normalised


def _batched(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if len(batch) == _BATCH or size > 8 << 20:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
