"""Stage decide: limits on signals, and rights → a verdict for every document. Reads no text, so it is done in seconds.

First the rights that the recipe's target needs, on the day `as_of`; then the rules of `corpus/rules.py` in their order,
save for sources whose profile is passthrough. A document is judged by the first rule it breaks.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.documents import VERDICTS
from corpus.policies import NO_SAMPLING, PolicyVerdict, Sampling, dropped, sampled
from corpus.policies import SIGNALS as POLICY_SIGNALS
from corpus.rights import Rights, lacking, read_rights
from corpus.rules import RULES, DecideSettings, Profile
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

__all__ = ["VERSION", "DecideSettings", "decide_shard", "judge", "missing_rights", "phases"]

VERSION = 1
_SIGNALS = sorted({rule.signal for rule in RULES} | {rule.since[0] for rule in RULES} | set(POLICY_SIGNALS))
Marks = npt.NDArray[np.bool_]
Longs = npt.NDArray[np.int64]


def phases(run: Path, settings: DecideSettings, common: Common) -> Phases:
    """One job a shard of documents."""
    arguments = {
        "limits": settings.limits(),
        "profiles": dict(sorted(settings.profiles.items())),
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
    limits: Mapping[str, float],
    profiles: Mapping[str, Profile],
    rights: Sequence[Right],
    as_of: str,
    sample: Mapping[str, float],
    sample_above: Mapping[str, float],
    seed: int,
) -> Outcome:
    """Write the verdicts of one shard of documents."""
    path = context.run / shard
    of = fingerprint_of(path)
    documents = read_table(path, ["id", "source", "rights_id"] if sample else ["source", "rights_id"])
    signals = read_sidecar(context.run / "signals" / path.name, of, documents.num_rows, _SIGNALS)
    missing = missing_rights(read_rights(context.run), rights, datetime.date.fromisoformat(as_of))
    verdicts, counts = judge(documents, signals, limits, profiles, missing, Sampling(sample, sample_above, seed))
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
    limits: Mapping[str, float],
    profiles: Mapping[str, Profile],
    missing: Mapping[str, tuple[str, str] | None],
    sampling: Sampling = NO_SAMPLING,
) -> tuple[pa.Table, Counts]:
    """The verdicts of some documents, and what became of how many.

    Args:
        documents: columns source and rights_id; id too where it is sampled.
        signals: the columns that the rules judge, and bytes; row by row with documents.
        limits: field of DecideSettings → limit.
        profiles: source → profile.
        missing: see `missing_rights`; a rights_id that is not there grants nothing.
        sampling: by tags; of what no rule removes.
    """
    rows = documents.num_rows
    columns = {name: signals.column(name).to_numpy() for name in _SIGNALS}
    which = np.full(rows, -1, np.int64)  # rule, an index into `rules`; -1: kept
    value, limit, detail = np.full(rows, np.nan), np.full(rows, np.nan), np.full(rows, -1, np.int64)
    rules: list[str] = []
    details: list[str] = []
    for rights_id, marks in _by_value(documents.column("rights_id")):
        lack = missing.get(rights_id or "", ("rights.unknown", f"no row {rights_id!r} in rights.parquet"))
        if lack is not None:
            which[marks], detail[marks] = _index(rules, lack[0]), _index(details, lack[1])

    def put(verdict: PolicyVerdict) -> None:
        marks = verdict.marks & (which < 0)
        which[marks], value[marks], limit[marks] = _index(rules, verdict.rule), verdict.value[marks], verdict.limit
        detail[marks] = _index(details, verdict.detail)

    for verdict in dropped(columns["private_drop"]):
        put(verdict)
    judged = np.ones(rows, np.bool_)
    for source, marks in _by_value(documents.column("source")):
        if profiles.get(source or "", "default") == "passthrough":
            judged[marks] = False
    for rule in RULES:
        at, bound = columns[rule.signal], limits[rule.limit]
        broken = at < bound if rule.bound == "min" else at > bound
        broken = broken & judged & (which < 0) & (columns[rule.since[0]] >= rule.since[1])
        if broken.any():
            which[broken], value[broken], limit[broken] = _index(rules, rule.id), at[broken], bound
    if sampling.kept:
        for verdict in sampled(columns, documents.column("id").to_pylist(), judged & (which < 0), sampling):
            put(verdict)
    table = pa.table(
        {
            "keep": which < 0,
            "rule": _named(rules, which),
            "value": pa.array(value, mask=np.isnan(value)),
            "limit": pa.array(limit, mask=np.isnan(limit)),
            "detail": _named(details, detail),
        },
        schema=VERDICTS,
    )
    return table, _counts(rules, which, columns["bytes"].astype(np.int64))


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
    parts += [(f"removed/{rule}", which == number) for number, rule in enumerate(rules)]
    for reason, marks in parts:
        add(counts, reason, documents=len(size[marks]), bytes=int(size[marks].sum()))
    return counts
