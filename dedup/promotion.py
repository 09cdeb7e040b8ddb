"""Who stays in place of withdrawn documents: every document that was removed for one of them is judged again.

As deduplication does, a document stays removed only if one that stays is itself similar to it. In the order of
preference each is compared, exactly, with all that stay of its cluster; where none is similar it is promoted, and
stands from then on. Clusters keep their name and split, so nothing changes sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import DOCUMENTS
from corpus.edits import apply_edits, one_array
from corpus.staging import Longs, read_rows
from dedup.inputs import NO_DATE, layout_of, parse_ids, rank, worth
from dedup.minhash import sign
from dedup.runs import Columns
from dedup.settings import DedupSettings
from dedup.shingles import shingle_sets
from dedup.unique import EXACT, NEAR
from dedup.verify import jaccard


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the documents that had lost their witness.

    Attributes:
        members: those of the clusters that are left: COLUMNS of dedup/members.py as they are now, `shard`, `row`, `id`,
            `was` (the rule they were removed by before).
        promoted: bool, a row of members each.
    """

    members: pa.Table
    promoted: npt.NDArray[np.bool_]


def judge_again(run: Path, members: pa.Table, gone: Mapping[str, Longs], settings: DedupSettings) -> Judged:
    """Judge the documents that withdrawn ones had been the witnesses of.

    Args:
        members: of all clusters that lose a document, as `members_of` gives them.
        gone: shard → rows that are withdrawn.
    """
    table = members.append_column("id", _ids(run, members))
    away = {shard: set(rows.tolist()) for shard, rows in gone.items()}
    left = np.array([row not in away.get(shard, ()) for shard, row in _pairs(table, "shard", "row")], bool)
    gone_ids = table["id"].filter(pa.array(~left)).combine_chunks()
    lost = pc.value_counts(table["cluster"].filter(pa.array(~left)))
    fewer = dict(zip(lost.field("values").to_pylist(), lost.field("counts").to_pylist(), strict=True))
    table = table.filter(pa.array(left))
    sizes = [size - fewer.get(name, 0) for name, size in _pairs(table, "cluster", "size")]
    keep = table["keep"].to_numpy().copy()
    orphan = pc.fill_null(pc.is_in(table["witness"], value_set=gone_ids), False).to_numpy() & ~keep
    verdict = _judge(run, table, keep, orphan, settings)
    columns = {name: table[name] for name in table.column_names} | {
        "size": pa.array(sizes, pa.int32()),
        "keep": pa.array(keep),
        "was": table["rule"],
    }
    for name in ("rule", "witness", "similarity"):
        values = table[name].to_pylist()
        for place, said in verdict.items():
            values[place] = said[name]
        columns[name] = pa.array(values, table[name].type)
    promoted = np.zeros(len(keep), bool)
    promoted[[place for place, said in verdict.items() if said["rule"] is None]] = True
    return Judged(pa.table(columns), promoted)


def _judge(
    run: Path, table: pa.Table, keep: npt.NDArray[np.bool_], orphan: npt.NDArray[np.bool_], settings: DedupSettings
) -> dict[int, dict[str, object]]:
    """Place of each orphan → its rule (None: promoted), witness and similarity; `keep` is changed in place."""
    asked = np.isin(table["cluster"].to_numpy(zero_copy_only=False), _names(table, orphan)) & (keep | orphan)
    places = np.flatnonzero(asked)
    if not len(places):
        return {}
    some = table.take(pa.array(places))
    texts = edited(run, some)
    exact = sign(texts, settings.shingle, settings.bands * settings.rows).text
    sets = shingle_sets(texts, settings.shingle)
    ranks = rank(facts_of(run, some, texts, settings), places, settings.prefer)
    cluster, ids = some["cluster"].to_pylist(), some["id"].to_pylist()
    staying: dict[str, list[int]] = {}
    for here in np.flatnonzero(keep[places]).tolist():
        staying.setdefault(cluster[here], []).append(here)
    found: dict[int, dict[str, object]] = {}
    for here in sorted(np.flatnonzero(orphan[places]).tolist(), key=lambda here: ranks[here]):
        others = np.array(staying.setdefault(cluster[here], []), np.int64)
        alike = jaccard(sets, np.full(len(others), here), sets, others, settings.similarity)
        same = (exact[others] == exact[here]).all(axis=1)
        alike[same] = 1.0
        best = max(range(len(others)), key=lambda i: (bool(same[i]), alike[i], -ranks[others[i]]), default=-1)
        if best >= 0 and alike[best] >= settings.similarity:
            rule = EXACT if same[best] else NEAR
            said = {"rule": rule, "witness": ids[others[best]], "similarity": float(alike[best])}
        else:
            said = {"rule": None, "witness": None, "similarity": None}
            keep[places[here]] = True
            staying[cluster[here]].append(here)
        found[int(places[here])] = said
    return found


def edited(run: Path, members: pa.Table) -> pa.LargeStringArray:
    """The edited texts of documents named by `shard` and `row`, in their order."""
    return by_member(members, lambda shard, rows: _edited(run, shard, rows), pa.large_string())


def _edited(run: Path, shard: str, rows: Longs) -> pa.Array:
    texts = read_rows(run / "documents" / f"{shard}.parquet", rows, ["text"])["text"]
    edits = read_rows(run / "edits" / f"{shard}.parquet", rows, ["edits"])["edits"]
    return apply_edits(one_array(texts), one_array(edits))


def facts_of(run: Path, members: pa.Table, texts: pa.LargeStringArray, settings: DedupSettings) -> Columns:
    """What `rank` asks of documents named by `shard`, `row` and `id`, whose edited texts are given."""
    high, low = parse_ids(members["id"], str(run))

    def created(shard: str, rows: Longs) -> pa.Array:
        table = read_rows(run / "documents" / f"{shard}.parquet", rows, ["created"])
        return one_array(pc.fill_null(table["created"].cast(pa.int64()), NO_DATE))

    facts: Columns = {
        "id_hi": high,
        "id_lo": low,
        "length": pc.binary_length(texts).to_numpy().astype(np.int64),
        "created": by_member(members, created, pa.int64()).to_numpy(),
    }
    if {"quality", "rights"} & set(settings.prefer):
        layout = layout_of(run)
        of_shard = {name: worth(run, layout, layout.names.index(name), settings.prefer) for name in _shards(members)}
        where = list(_pairs(members, "shard", "row"))
        for name in next(iter(of_shard.values())):
            facts[name] = np.array([of_shard[shard][name][row] for shard, row in where])
    return facts


def _ids(run: Path, members: pa.Table) -> pa.Array:
    def ids(shard: str, rows: Longs) -> pa.Array:
        return one_array(read_rows(run / "documents" / f"{shard}.parquet", rows, ["id"])["id"])

    return by_member(members, ids, DOCUMENTS.field("id").type)


def by_member(members: pa.Table, read: Callable[[str, Longs], pa.Array], kind: pa.DataType) -> pa.Array:
    """One value a member, read shard by shard: `read(shard, ascending rows)` gives them."""
    shards = np.array(members["shard"].to_pylist(), object)
    rows = members["row"].to_numpy()
    places, parts = [np.zeros(0, np.int64)], [pa.array([], kind)]
    for shard in _shards(members):
        here = np.flatnonzero(shards == shard)
        here = here[np.argsort(rows[here], kind="stable")]
        places.append(here)
        parts.append(read(shard, rows[here]))
    order = np.argsort(np.concatenate(places), kind="stable")
    return pa.concat_arrays(parts).take(pa.array(order))


def _names(table: pa.Table, marks: npt.NDArray[np.bool_]) -> list[str]:
    return table["cluster"].filter(pa.array(marks)).unique().to_pylist()


def _shards(members: pa.Table) -> list[str]:
    return sorted(set(members["shard"].to_pylist()))


def _pairs(table: pa.Table, one: str, other: str) -> Iterator[tuple[Any, Any]]:
    return zip(table[one].to_pylist(), table[other].to_pylist(), strict=True)
