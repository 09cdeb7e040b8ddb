"""Stage decide: limits on signals, and rights → a verdict for every document. Reads no text, so it is done in seconds.

First the rights that the recipe's target needs, on the day `as_of`; then the rules of `corpus/rules.py` in their order,
with the limits of the source's profile: by default those of the document's register (`corpus/registers.py`), none where
it is passthrough. A document is judged by the first rule it breaks.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus import registers
from corpus.documents import VERDICTS
from corpus.errors import UsageError
from corpus.policies import NO_SAMPLING, Sampling, dropped, sampled
from corpus.policies import SIGNALS as POLICY_SIGNALS
from corpus.profiles import DEFAULT
from corpus.rights import Rights, lacking, read_rights
from corpus.rules import AUTO, PASSTHROUGH, RULES, DecideSettings
from corpus.settings import Common, Right
from corpus.shards import (
    Counts,
    Job,
    JobContext,
    Outcome,
    Phase,
    Phases,
    add,
    fingerprint_of,
    read_shards,
    read_sidecar,
    read_table,
    write_table,
)
from corpus.staging import WITHDRAWN, withdrawn_rows

__all__ = ["SIGNALS", "VERSION", "DecideSettings", "decide_shard", "judge", "missing_rights", "phases"]

VERSION = 1
SIGNALS = sorted(
    {rule.signal for rule in RULES} | {rule.since[0] for rule in RULES} | set(registers.NEEDED) | set(POLICY_SIGNALS)
)
"""The columns of signals/ that are read."""
Marks = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]


def phases(run: Path, settings: DecideSettings, common: Common) -> Phases:
    """One job a shard of documents."""
    arguments = {
        "limits": settings.limits(),
        "profiles": dict(sorted(settings.profiles.items())),
        "otherwise": settings.profile,
        "rights": list(common.target.rights),
        "as_of": common.as_of.isoformat(),
        "sample": dict(sorted(settings.sample.items())),
        "sample_above": dict(sorted(settings.sample_above.items())),
        "seed": common.seed,
    }
    rights = fingerprint_of(run / "rights.parquet")
    signals = {Path(shard.path).name: shard for shard in read_shards(run, "measure", "signals")}
    jobs = []
    for shard in read_shards(run, "collect", "documents"):
        measured = signals[Path(shard.path).name]
        jobs.append(
            Job(
                Path(shard.path).stem,
                decide_shard,
                {"shard": shard.path, **arguments},
                (shard.fingerprint, measured.fingerprint, rights),
                weight=max(1, measured.bytes),
            )
        )
    yield Phase("decide", "map", jobs)


def decide_shard(
    context: JobContext,
    *,
    shard: str,
    limits: Mapping[str, Mapping[str, float]],
    profiles: Mapping[str, str],
    otherwise: str,
    rights: Sequence[Right],
    as_of: str,
    sample: Mapping[str, float],
    sample_above: Mapping[str, float],
    seed: int,
) -> Outcome:
    """Write the verdicts of one shard of documents."""
    path = context.run / shard
    of = fingerprint_of(path)
    documents = read_table(path, [*(["id"] if sample else []), "source", "rights_id", "path"])
    signals = read_sidecar(context.run / "signals" / path.name, of, documents.num_rows, SIGNALS)
    missing = missing_rights(read_rights(context.run), rights, datetime.date.fromisoformat(as_of))
    sampling = Sampling(sample, sample_above, seed)
    gone = withdrawn_rows(documents["path"])
    verdicts, counts = judge(documents, signals, limits, profiles, missing, otherwise, sampling, gone)
    return Outcome((write_table(context.run / "verdicts" / path.name, verdicts, VERDICTS, context, of=of),), counts)


def missing_rights(
    granted: Mapping[str, Rights], wanted: Sequence[Right], as_of: datetime.date
) -> dict[str, tuple[str, str] | None]:
    """For each rights_id the rule and detail of the first right that is missing on the day, None where none is."""
    missing: dict[str, tuple[str, str] | None] = {}
    for rights_id, rights in granted.items():
        field = lacking(rights, wanted, as_of)
        if field is None:
            missing[rights_id] = None
        elif field == "until":
            missing[rights_id] = ("rights.until", f"{rights_id} ended on {rights.until}")
        else:
            missing[rights_id] = (f"rights.{field}", f"{rights_id} does not grant {field}")
    return missing


def judge(
    documents: pa.Table,
    signals: pa.Table,
    limits: Mapping[str, Mapping[str, float]],
    profiles: Mapping[str, str],
    missing: Mapping[str, tuple[str, str] | None],
    otherwise: str = AUTO,
    sampling: Sampling = NO_SAMPLING,
    gone: Marks | None = None,
) -> tuple[pa.Table, Counts]:
    """The verdicts of some documents, and what became of how many.

    Args:
        documents: columns source and rights_id; id too where it is sampled.
        signals: the columns SIGNALS; row by row with documents.
        limits: profile → limit → value, see `DecideSettings.limits`.
        profiles: source → profile; that of other sources is `otherwise`.
        missing: see `missing_rights`; a rights_id that is not there grants nothing.
        sampling: by tags; of what no rule removes.
        gone: rows that a withdrawal left; None: there are none.

    Returns:
        By the schema VERDICTS; `detail` names the register where its limit is not the default's. Counts also tell how
        many documents were taken for which register (`register/NAME`).
    """
    columns = {name: signals.column(name).to_numpy() for name in SIGNALS}
    size = columns["bytes"].astype(np.int64)
    verdicts = _Verdicts(documents.num_rows)
    if gone is not None:
        verdicts.put(gone, WITHDRAWN)
    for rights_id, marks in _by_value(documents.column("rights_id")):
        lack = missing.get(rights_id or "", ("rights.unknown", f"no row {rights_id!r} in rights.parquet"))
        if lack is not None:
            verdicts.put(marks, lack[0], detail=lack[1])
    for policy in dropped(columns["private_drop"]):
        verdicts.put(*policy)
    names = list(limits)
    profile, judged, guessed = _profiles(documents, columns, names, profiles, otherwise)
    for rule in RULES:
        bounds = np.array([limits[name][rule.limit] for name in names])
        at, bound = columns[rule.signal], bounds[profile]
        broken = at < bound if rule.bound == "min" else at > bound
        broken = broken & judged & (columns[rule.since[0]] >= rule.since[1])
        broken = verdicts.put(broken, rule.id, at, bound)
        told = broken & guessed & (bound != bounds[names.index(DEFAULT)])
        for number in np.unique(profile[told]):
            verdicts.tell(told & (profile == number), f"register {names[number]}")
    if sampling.kept:
        for policy in sampled(columns, documents.column("id").to_pylist(), judged & verdicts.kept, sampling):
            verdicts.put(*policy)
    counts = _counts(verdicts.rules, verdicts.which, size)
    for number in np.unique(profile[guessed]):
        marks = guessed & (profile == number) & (True if gone is None else ~gone)
        add(counts, f"register/{names[number]}", documents=int(marks.sum()), bytes=int(size[marks].sum()))
    return verdicts.table(), counts


class _Verdicts:
    """The verdicts of some documents while they are made: the first that is put stays."""

    def __init__(self, rows: int) -> None:
        self.which = np.full(rows, -1, np.int64)  # rule, an index into `rules`; -1: kept
        self.rules: list[str] = []
        self._value, self._limit = np.full(rows, np.nan), np.full(rows, np.nan)
        self._detail = np.full(rows, -1, np.int64)
        self._details: list[str] = []

    @property
    def kept(self) -> Marks:
        marks: Marks = self.which < 0
        return marks

    def put(
        self,
        marks: Marks,
        rule: str,
        value: npt.NDArray[np.float64] | None = None,
        limit: npt.NDArray[np.float64] | float = np.nan,
        detail: str = "",
    ) -> Marks:
        """Remove by a rule those of the marked that no rule has removed, which are returned."""
        marks = marks & self.kept
        if marks.any():
            self.which[marks] = _index(self.rules, rule)
            self._limit[marks] = np.broadcast_to(limit, marks.shape)[marks]
            if value is not None:
                self._value[marks] = value[marks]
            if detail:
                self.tell(marks, detail)
        return marks

    def tell(self, marks: Marks, detail: str) -> None:
        self._detail[marks] = _index(self._details, detail)

    def table(self) -> pa.Table:
        """By the schema VERDICTS."""
        columns = {
            "keep": self.kept,
            "rule": _named(self.rules, self.which),
            "value": pa.array(self._value, mask=np.isnan(self._value)),
            "limit": pa.array(self._limit, mask=np.isnan(self._limit)),
            "detail": _named(self._details, self._detail),
        }
        return pa.table(columns, schema=VERDICTS)


def _profiles(
    documents: pa.Table,
    columns: Mapping[str, npt.NDArray[np.float64]],
    names: Sequence[str],
    profiles: Mapping[str, str],
    otherwise: str,
) -> tuple[Longs, Marks, Marks]:
    """Of each document: its profile (an index into `names`), whether rules judge it, whether its register was guessed.

    Raises:
        UsageError: no limits are known for a profile.
    """
    profile = np.full(documents.num_rows, names.index(DEFAULT), np.int64)
    judged = np.ones(documents.num_rows, np.bool_)
    guessed = np.zeros(documents.num_rows, np.bool_)
    for source, marks in _by_value(documents.column("source")):
        name = profiles.get(source or "", otherwise)
        if name == PASSTHROUGH:
            judged[marks] = False
        elif name == AUTO:
            guessed[marks] = True
        elif name in names:
            profile[marks] = names.index(name)
        else:
            raise UsageError(f"no profile {name!r}", where=f"source {source}", fix=f"there are: {', '.join(names)}")
    if guessed.any():
        by_register = np.array([names.index(name) for name in registers.NAMES])
        profile[guessed] = by_register[registers.guess(columns)[guessed]]
    return profile, judged, guessed


def _by_value(column: pa.ChunkedArray) -> list[tuple[str | None, Marks]]:
    """Each different value and where it stands."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    indices = encoded.indices.to_numpy()
    return [(value, indices == number) for number, value in enumerate(encoded.dictionary.to_pylist())]


def _index(names: list[str], name: str) -> int:
    if name not in names:
        names.append(name)
    return names.index(name)


def _named(names: Sequence[str], which: Longs) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(which, mask=which < 0))


def _counts(rules: Sequence[str], which: Longs, size: Longs) -> Counts:
    counts: Counts = {}
    parts: list[tuple[str, Any]] = [("in", slice(None)), ("kept", which < 0)]
    named = [rule if rule == WITHDRAWN else f"removed/{rule}" for rule in rules]
    parts += [(name, which == number) for number, name in enumerate(named)]
    for reason, marks in parts:
        add(counts, reason, documents=len(size[marks]), bytes=int(size[marks].sum()))
    return counts
