"""Other thresholds for a run, tried in seconds: re-decides it from its sidecars and writes nothing. Read by a command.

Signals and verdicts are read shard by shard; texts only of the few documents that are shown, as edited (cut, masked).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.decide import SIGNALS, judge, missing_rights
from corpus.edits import apply_edits, one_array
from corpus.rights import read_rights
from corpus.rules import DecideSettings
from corpus.settings import Common
from corpus.shards import Counts, add, fingerprint_of, merge, read_sidecar, read_table, shard_paths
from corpus.staging import withdrawn_rows

Way = Literal["lost", "regained"]
_Place = tuple[float, Path, int]  # a random key, the shard, the row


@dataclass(frozen=True, slots=True)
class Flip:
    """A document that the new thresholds treat otherwise, as edited text.

    `before`, `after`: the rule that removes it, None where it is kept; value, limit and detail are of that rule.
    """

    way: Way
    id: str
    source: str
    before: str | None
    after: str | None
    value: float | None
    limit: float | None
    detail: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Tuned:
    """Counts as decide tells them, before and after; how many documents were lost and regained, and some of them."""

    before: Counts
    after: Counts
    lost: int
    regained: int
    flips: tuple[Flip, ...]

    def funnel(self) -> list[tuple[str, int, int]]:
        """(reason, documents before, documents after): in, kept, then the rules by what they remove."""
        reasons = sorted(self.before.keys() | self.after.keys())
        rows = [(reason, _documents(self.before, reason), _documents(self.after, reason)) for reason in reasons]
        order = {"in": 0, "kept": 1}
        return sorted(rows, key=lambda row: (order.get(row[0], 2), -max(row[1:]), row[0]))


def _documents(counts: Counts, reason: str) -> int:
    return counts.get(reason, {}).get("documents", 0)


def tune(run: Path, old: DecideSettings, new: DecideSettings, common: Common, samples: int = 5) -> Tuned:
    """What other settings would make of a run.

    Args:
        old: the run's; asked only for shards that have no verdicts yet.
        new: to try.
        common: of the run: rights are judged for its target on its day, its seed chooses the samples.
        samples: how many documents to show of each way, at most.

    Raises:
        StaleError: the run has not been measured, or sidecars belong to other documents.
    """
    missing = missing_rights(read_rights(run), common.target.rights, common.as_of)
    judge_old, judge_new = _judge_by(old, missing, common.seed), _judge_by(new, missing, common.seed)
    counts: tuple[list[Counts], list[Counts]] = ([], [])
    chosen: dict[Way, list[_Place]] = {"lost": [], "regained": []}
    numbers: dict[Way, int] = {"lost": 0, "regained": 0}
    verdicts: dict[Path, tuple[pa.Table, pa.Table]] = {}
    for path in shard_paths(run / "documents"):
        of = fingerprint_of(path)
        documents = read_table(path, ["id", "source", "rights_id", "path"])
        rows = documents.num_rows
        signals = read_sidecar(run / "signals" / path.name, of, rows, SIGNALS)
        decided = run / "verdicts" / path.name
        before = read_sidecar(decided, of, rows) if decided.exists() else judge_old(documents, signals)
        after = judge_new(documents, signals)
        for table, told in zip((before, after), counts, strict=True):
            told.append(_counts(table, np.asarray(signals["bytes"])))
        kept_before, kept_after = np.asarray(before["keep"]), np.asarray(after["keep"])
        flipped: dict[Way, np.ndarray] = {"lost": kept_before & ~kept_after, "regained": ~kept_before & kept_after}
        for way, marks in flipped.items():
            numbers[way] += int(marks.sum())
            chosen[way] = sorted([*chosen[way], *_drawn(path, marks, common.seed, way, samples)])[:samples]
        verdicts[path] = (before, after)
        named = {place[1] for places in chosen.values() for place in places}
        verdicts = {shard: both for shard, both in verdicts.items() if shard in named}
    flips = [
        flip for way, places in chosen.items() for flip in _shown(run, way, [place[1:] for place in places], verdicts)
    ]
    return Tuned(merge(counts[0]), merge(counts[1]), numbers["lost"], numbers["regained"], tuple(flips))


def _judge_by(
    settings: DecideSettings, missing: Mapping[str, tuple[str, str] | None], seed: int
) -> Callable[[pa.Table, pa.Table], pa.Table]:
    limits, sampling = settings.limits(), settings.sampling(seed)

    def judged(documents: pa.Table, signals: pa.Table) -> pa.Table:
        gone = withdrawn_rows(documents["path"])
        return judge(documents, signals, limits, settings.profiles, missing, settings.profile, sampling, gone)[0]

    return judged


def _counts(verdicts: pa.Table, size: np.ndarray) -> Counts:
    counts: Counts = {}
    rules = verdicts["rule"].to_pylist()
    add(counts, "in", documents=len(rules), bytes=int(size.sum()))
    add(counts, "kept", documents=0, bytes=0)
    named = np.array(["kept" if rule is None else f"removed/{rule}" for rule in rules], object)
    for reason in set(named):
        marks = named == reason
        add(counts, reason, documents=int(marks.sum()), bytes=int(size[marks].sum()))
    return counts


def _drawn(path: Path, marks: np.ndarray, seed: int, way: Way, most: int) -> Iterator[_Place]:
    """Some of the rows marked, with a random key each: the smallest keys of all shards are an even choice of all."""
    rows = np.flatnonzero(marks)
    digest = hashlib.blake2b(f"{seed}/{path.name}/{way}".encode(), digest_size=8).digest()
    keys = np.random.Generator(np.random.Philox(int.from_bytes(digest))).random(len(rows))
    for at in np.argsort(keys)[:most]:
        yield float(keys[at]), path, int(rows[at])


def _shown(
    run: Path, way: Way, places: Sequence[tuple[Path, int]], verdicts: Mapping[Path, tuple[pa.Table, pa.Table]]
) -> Iterator[Flip]:
    for path in sorted({path for path, _ in places}):
        rows = sorted(row for shard, row in places if shard == path)
        before, after = verdicts[path]
        for row, (name, source, text) in zip(rows, _texts(run, path, rows), strict=True):
            was, now = before.slice(row, 1).to_pylist()[0], after.slice(row, 1).to_pylist()[0]
            why = now if way == "lost" else was
            yield Flip(way, name, source, was["rule"], now["rule"], why["value"], why["limit"], why["detail"], text)


def _texts(run: Path, path: Path, rows: Sequence[int]) -> Iterator[tuple[str, str, str]]:
    """Id, source and edited text of some rows of a shard; only the row groups that hold one are read."""
    with pq.ParquetFile(path) as file:
        edits = read_sidecar(run / "edits" / path.name, fingerprint_of(path), file.metadata.num_rows)
        start = 0
        for group in range(file.num_row_groups):
            end = start + file.metadata.row_group(group).num_rows
            here = [row for row in rows if start <= row < end]
            if here:
                table = file.read_row_group(group, columns=["id", "source", "text"])
                table = table.take([row - start for row in here])
                texts = apply_edits(one_array(table["text"]), one_array(edits.take(here)["edits"]))
                yield from zip(table["id"].to_pylist(), table["source"].to_pylist(), texts.to_pylist(), strict=True)
            start = end
