"""Withdrawal from collect's, measure's and decide's tables: which rows, and what stands in them afterwards.

A row stays where it is, so that rows beside it and the buckets of ids stay true; it keeps its id and what it counts
under (source, contributor, rights, language, domain, origin). Text, place, address, date and meta go, and what other
tables say of the text: its edits, its signals. Its verdict is that it was withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.decide import SIGNALS, DecideSettings, judge, missing_rights
from corpus.documents import DOCUMENTS, EDITS, VERDICTS
from corpus.edits import apply_edits, one_array
from corpus.identity import find_all
from corpus.measure import MeasureSettings, measure_batch
from corpus.rights import read_rights
from corpus.settings import Common
from corpus.shards import Counts, add, read_shards, read_table, shard_paths
from corpus.staging import BLANK, WITHDRAWN, Longs, Staging, read_rows, withdrawn_rows

Rows = Mapping[str, Longs]
"""Name of a shard of documents (`00000`) → row numbers, ascending."""


def rows_of_ids(run: Path, ids: Sequence[str]) -> tuple[dict[str, Longs], list[str]]:
    """Where documents stand, by reading the buckets of their ids alone; and the ids that no document has.

    Raises:
        StaleError: collect has not run.
    """
    found = find_all(run / "documents" / "ids", ids)
    missing = sorted(set(ids) - set(found["id"].to_pylist()))
    return _by_shard(found["shard"].to_pylist(), found["row"].to_pylist()), missing


def rows_of(run: Path, column: str, value: str) -> dict[str, Longs]:
    """Where the documents of a contributor or source stand; shards of others are told by their footers alone."""
    rows: dict[str, Longs] = {}
    for shard in read_shards(run, "collect", "documents"):
        if may_hold(run / shard.path, column, value):
            held = pc.fill_null(pc.equal(read_table(run / shard.path, [column])[column], value), False)
            if len(places := np.flatnonzero(held.to_numpy(zero_copy_only=False))):
                rows[Path(shard.path).stem] = places.astype(np.int64)
    return rows


def may_hold(path: Path, column: str, value: str) -> bool:
    """Whether a shard may have the value in a column, as its footer's smallest and largest values say."""
    metadata = pq.read_metadata(path)
    at = metadata.schema.to_arrow_schema().get_field_index(column)
    for group in range(metadata.num_row_groups):
        said = metadata.row_group(group).column(at).statistics
        if said is None or not said.has_min_max or said.min <= value <= said.max:
            return True
    return False


def standing(run: Path, rows: Rows) -> tuple[dict[str, Longs], int]:
    """Those of the rows that were not withdrawn before, and how many were."""
    left, before = {}, 0
    for shard, places in rows.items():
        there = ~withdrawn_rows(read_rows(run / "documents" / f"{shard}.parquet", places, ["path"])["path"])
        before += int((~there).sum())
        if there.any():
            left[shard] = places[there]
    return left, before


def forget(
    staging: Staging, rows: Rows, done: set[str], measure: MeasureSettings, decide: DecideSettings, common: Common
) -> list[str]:
    """Take documents out of documents/, edits/, signals/ and verdicts/; the ids that went.

    Args:
        done: names of the run's finished stages; tables of the others are left alone.
    """
    ids: list[str] = []
    for shard, places in rows.items():
        old = read_rows(staging.run / "documents" / f"{shard}.parquet", places)
        ids += old["id"].to_pylist()
        _forget_collected(staging, shard, places, old)
        if "measure" in done:
            _forget_measured(staging, shard, places, old, measure)
        if "decide" in done:
            _forget_judged(staging, shard, places, old, decide, common)
    return ids


def forget_quarantined(staging: Staging, names: Iterable[str]) -> int:
    """Take the quarantined records of whole sources out of quarantine/; how many."""
    gone, total = pa.array(sorted(set(names)), pa.string()), 0
    for path in shard_paths(staging.run / "quarantine"):
        table = read_table(path, ["source", "cause", "length"])
        went = table.filter(pc.is_in(table["source"], value_set=gone))
        if not went.num_rows:
            continue
        relative = path.relative_to(staging.run).as_posix()
        staging.drop(relative, lambda part: np.asarray(pc.is_in(part["source"], value_set=gone)))
        for row in went.group_by("cause").aggregate([([], "count_all"), ("length", "sum")]).to_pylist():
            amounts = {"documents": row["count_all"], "bytes": row["length_sum"]}
            staging.count(relative, f"quarantined/{row['cause']}", **{name: -n for name, n in amounts.items()})
            staging.count(relative, WITHDRAWN, **amounts)
        total += went.num_rows
    return total


def sources_of(run: Path, contributor: str) -> list[str]:
    """The sources that a contributor gave, as rights.parquet says."""
    return sorted(source for source, giver in sources(run).items() if giver == contributor)


def sources(run: Path) -> dict[str, str]:
    """Source → contributor, as rights.parquet says."""
    table = read_table(run / "rights.parquet", ["contributor", "source"])
    return {row["source"]: row["contributor"] for row in table.to_pylist()}


def _by_shard(shards: Sequence[str], rows: Sequence[int]) -> dict[str, Longs]:
    found: dict[str, list[int]] = {}
    for shard, row in zip(shards, rows, strict=True):
        found.setdefault(shard, []).append(row)
    return {shard: np.unique(np.array(places, np.int64)) for shard, places in sorted(found.items())}


def _forget_collected(staging: Staging, shard: str, rows: Longs, old: pa.Table) -> None:
    path = f"documents/{shard}.parquet"
    for source, text, length in zip(*(old[name].to_pylist() for name in ("source", "text", "length")), strict=True):
        size = len(text.encode())
        staging.count(path, "kept", documents=-1, bytes=-size)
        staging.count(path, WITHDRAWN, documents=1, bytes=length)
        staging.count(path, f"source/{source}", documents=-1, bytes=-size, chars=-len(text), eojeol=-len(text.split()))
    staging.replace(path, rows, blank(old))


def blank(rows: pa.Table) -> pa.Table:
    """Rows of documents/ or unique/ without what was the document's own."""
    count = rows.num_rows
    columns = {name: pa.repeat(pa.scalar(value, DOCUMENTS.field(name).type), count) for name, value in BLANK.items()}
    return pa.table({name: columns.get(name, rows[name]) for name in rows.column_names}, rows.schema)


def _forget_measured(staging: Staging, shard: str, rows: Longs, old: pa.Table, settings: MeasureSettings) -> None:
    path = f"edits/{shard}.parquet"
    texts, edits = one_array(old["text"]), one_array(read_rows(staging.run / path, rows, ["edits"])["edits"])
    edited = apply_edits(texts, edits)
    counts: Counts = {}
    add(counts, "kept", documents=len(texts), bytes=_bytes(edited))
    for one in edits.to_pylist():
        for rule in {edit["rule"] for edit in one or ()}:
            add(counts, f"edited/{rule}", documents=1)
        for edit in one or ():
            add(counts, f"edited/{edit['rule']}", spans=1, bytes=edit["end"] - edit["start"])
    anew: Counts = {}
    measure_batch(texts, settings.boilerplate_budget, settings.privacy.policies(), anew)
    counts |= {reason: amounts for reason, amounts in anew.items() if reason.startswith("reported/")}
    _subtract(staging, path, counts)
    staging.count(path, WITHDRAWN, documents=len(texts), bytes=_bytes(texts))
    staging.replace(path, rows, pa.table({"edits": pa.array([[]] * len(rows), EDITS.field("edits").type)}))
    _, signals = measure_batch(pa.array([""], pa.large_string()), settings.boilerplate_budget, {}, {})
    schema = pq.read_schema(staging.run / "signals" / f"{shard}.parquet")
    nothing = {name: signals.column(name)[0].as_py() if name in signals.schema.names else None for name in schema.names}
    columns = {name: pa.array([value] * len(rows), schema.field(name).type) for name, value in nothing.items()}
    staging.replace(f"signals/{shard}.parquet", rows, pa.table(columns))


def _forget_judged(
    staging: Staging, shard: str, rows: Longs, old: pa.Table, settings: DecideSettings, common: Common
) -> None:
    path = f"verdicts/{shard}.parquet"
    verdicts = read_rows(staging.run / path, rows)
    signals = read_rows(staging.run / "signals" / f"{shard}.parquet", rows, SIGNALS)
    sizes = signals["bytes"].to_numpy().astype(np.int64).tolist()
    counts: Counts = {}
    for rule, size in zip(verdicts["rule"].to_pylist(), sizes, strict=True):
        add(counts, "kept" if rule is None else f"removed/{rule}", documents=1, bytes=size)
    missing = missing_rights(read_rights(staging.run), common.target.rights, common.as_of)
    sampling = settings.sampling(common.seed)
    documents = old.select(["id", "source", "rights_id"])
    _, anew = judge(documents, signals, settings.limits(), settings.profiles, missing, settings.profile, sampling)
    counts |= {reason: amounts for reason, amounts in anew.items() if reason.startswith("register/")}
    _subtract(staging, path, counts)
    staging.count(path, WITHDRAWN, documents=len(rows), bytes=sum(sizes))
    withdrawn = {"keep": False, "rule": WITHDRAWN, "value": None, "limit": None, "detail": None}
    staging.replace(path, rows, pa.Table.from_pylist([withdrawn] * len(rows), schema=VERDICTS))


def _subtract(staging: Staging, path: str, counts: Counts) -> None:
    for reason, amounts in counts.items():
        staging.count(path, reason, **{name: -amount for name, amount in amounts.items()})


def _bytes(texts: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(texts)).as_py() or 0)
