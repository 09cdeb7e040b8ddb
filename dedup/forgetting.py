"""Withdrawal from clusters/ and unique/: rows go blank where they stand, and the next of their cluster is promoted.

A promoted document's text is made of documents/ and edits/ as the stage makes it, repeated lines and passages cut where
the recipe has that on, into an appended shard of unique/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import CLUSTERS, DOCUMENTS, UNIQUE, text_hash
from corpus.edits import apply_edits, one_array
from corpus.forgetting import blank
from corpus.manifest import fingerprint
from corpus.shards import JobContext, Output, read_table, write_table
from corpus.staging import APPENDED, WITHDRAWN, Longs, Staging, appended_paths, read_rows
from corpus.tombstones import withdrawals
from dedup.members import COLUMNS, members_of
from dedup.promoted_cuts import promoted_cuts
from dedup.promotion import Judged, by_member, edited, judge_again
from dedup.runs import Columns
from dedup.settings import DedupSettings
from dedup.splits import SPLITS
from dedup.unique import cuts_column

_NO_PART = dict.fromkeys(CLUSTERS.names) | {"keep": False, "rule": WITHDRAWN, "cuts": []}


@dataclass(slots=True)
class Forgotten:
    """What went and came.

    Attributes:
        promoted: `id`, `split` of each document that stays now.
        judged: documents that had lost their witness, the promoted among them.
        appended: split → the appended shard of unique/.
    """

    promoted: list[dict[str, str]] = field(default_factory=list)
    judged: int = 0
    appended: dict[str, Output] = field(default_factory=dict)


def forget(staging: Staging, gone: Mapping[str, Longs], settings: DedupSettings) -> Forgotten:
    """Take documents out of clusters/ and unique/, and promote who follows.

    Args:
        gone: shard of documents → rows, ascending; not withdrawn before.
    """
    run, names, kept = staging.run, set[str](), dict[tuple[str, str], list[str]]()
    for shard, rows in gone.items():
        old = read_rows(run / "clusters" / f"{shard}.parquet", rows)
        ids = read_rows(run / "documents" / f"{shard}.parquet", rows, ["id"])["id"].to_pylist()
        sizes = _edited_bytes(run, shard, rows)
        for row, name, size in zip(old.to_pylist(), ids, sizes, strict=True):
            _count_gone(staging, shard, row, size)
            if row["cluster"] is not None and row["size"] > 1:
                names.add(row["cluster"])
            if row["keep"]:
                kept.setdefault((row["split"], shard), []).append(name)
    members = members_of(run, names) if names else pa.table({})
    judged = judge_again(run, members, gone, settings) if members.num_rows else None
    _write_clusters(staging, gone, judged)
    forgotten = Forgotten()
    if judged is not None:
        _append(staging, judged, gone, settings, forgotten)
    _write_unique(staging, kept, judged)
    return forgotten


def _edited_bytes(run: Path, shard: str, rows: Longs) -> list[int]:
    sizes = read_rows(run / "signals" / f"{shard}.parquet", rows, ["bytes"])["bytes"]
    return [int(size) for size in sizes.to_pylist()]


def _count_gone(staging: Staging, shard: str, row: dict[str, object], size: int) -> None:
    if row["cluster"] is None and row["rule"] is None:
        return  # decide had removed it
    path = f"clusters/{shard}.parquet"
    staging.count(path, WITHDRAWN, documents=1, bytes=size)
    if row["keep"]:
        left = size - _count_cuts(staging, path, row["cuts"] or (), -1)  # type: ignore[arg-type]
        for reason in ("kept", f"split/{row['split']}"):
            staging.count(path, reason, documents=-1, bytes=-left)
    else:
        staging.count(path, f"removed/{row['rule']}", documents=-1, bytes=-size)


def _count_cuts(staging: Staging, path: str, cuts: Sequence[Mapping[str, Any]], sign: int) -> int:
    """Count the cuts of a document that comes (1) or goes (-1); their bytes."""
    for rule in sorted({cut["rule"] for cut in cuts}):
        sizes = [cut["end"] - cut["start"] for cut in cuts if cut["rule"] == rule]
        staging.count(path, f"cut/{rule}", documents=sign, spans=sign * len(sizes), bytes=sign * sum(sizes))
    return sum(cut["end"] - cut["start"] for cut in cuts)


def _write_clusters(staging: Staging, gone: Mapping[str, Longs], judged: Judged | None) -> None:
    changed: dict[str, dict[int, dict[str, object]]] = {}
    for shard, rows in gone.items():
        changed[shard] = dict.fromkeys(rows.tolist(), _NO_PART)
    kinds = [field for field in CLUSTERS if field.name in COLUMNS]
    if judged is not None:
        for row in judged.members.to_pylist():
            changed.setdefault(row["shard"], {})[row["row"]] = {name: row[name] for name in COLUMNS}
    for shard, rows_of in sorted(changed.items()):
        path = f"clusters/{shard}.parquet"
        lost = sorted(row for row, said in rows_of.items() if said is _NO_PART)
        if lost:
            table = pa.Table.from_pylist([_NO_PART] * len(lost), schema=CLUSTERS)
            staging.replace(path, np.array(lost, np.int64), table)
        if others := sorted(set(rows_of) - set(lost)):
            table = pa.Table.from_pylist([rows_of[row] for row in others], schema=pa.schema(kinds))
            staging.replace(path, np.array(others, np.int64), table)


def _append(
    staging: Staging, judged: Judged, gone: Mapping[str, Longs], settings: DedupSettings, forgotten: Forgotten
) -> None:
    """Write the promoted documents, split by split, and count them."""
    members, run = judged.members, staging.run
    again = members.filter(pa.array(judged.promoted | _changed(members)))
    forgotten.judged = again.num_rows
    texts = edited(run, again)
    cuts = _cuts(staging, again, texts, gone, settings)
    _count_again(staging, again, pc.binary_length(texts).to_pylist(), cuts.to_pylist())
    texts = apply_edits(texts, cuts)
    for split in SPLITS:
        marks = pc.and_(again["keep"], pc.equal(again["split"], split))
        chosen = again.filter(marks)
        if not chosen.num_rows:
            continue
        table = _unique_rows(run, chosen, texts.filter(marks.combine_chunks()))
        number = withdrawals(run)
        target = staging.target(f"unique/{split}/{APPENDED}{number:05d}.parquet")
        made_of = fingerprint("withdraw", split, number, table["id"].to_pylist(), chosen["cluster"].to_pylist())
        output = write_table(target, table, UNIQUE, JobContext(staging.folder, made_of, 0))
        staging.append(output)
        staging.beside.setdefault(f"clusters/{chosen['shard'][0].as_py()}.parquet", []).append(output)
        forgotten.appended[split] = output
        forgotten.promoted += [{"id": name, "split": split} for name in table["id"].to_pylist()]


def _cuts(
    staging: Staging, again: pa.Table, texts: pa.LargeStringArray, gone: Mapping[str, Longs], settings: DedupSettings
) -> pa.ListArray:
    """The column `cuts` of judged documents, staged for those that stay."""
    spans: Columns = dict.fromkeys(("row", "start", "end", "rule"), np.zeros(0, np.int64))
    stays = np.flatnonzero(again["keep"].to_numpy())
    if len(stays) and (settings.lines.cut or settings.substrings.cut):
        promoted = again.take(pa.array(stays))
        found = promoted_cuts(staging.run, promoted, texts.take(pa.array(stays)), gone, settings)
        spans = found.spans | {"row": stays[found.spans["row"]]}
        for shard in promoted["shard"].take(pa.array(found.over)).to_pylist():
            staging.count(f"clusters/{shard}.parquet", "reported/repeat.over_budget", documents=1)
    column = cuts_column(again.num_rows, spans)
    cut = np.unique(spans["row"])
    shards, rows = np.array(again["shard"].to_pylist(), object)[cut], again["row"].to_numpy()[cut]
    for shard in sorted(set(shards.tolist())):
        here = np.flatnonzero(shards == shard)
        here = here[np.argsort(rows[here])]
        staging.replace(f"clusters/{shard}.parquet", rows[here], pa.table({"cuts": column.take(pa.array(cut[here]))}))
    return column


def _count_again(staging: Staging, again: pa.Table, sizes: list[int], cuts: list[list[dict[str, Any]]]) -> None:
    for row, size, its in zip(again.to_pylist(), sizes, cuts, strict=True):
        path = f"clusters/{row['shard']}.parquet"
        staging.count(path, f"removed/{row['was']}", documents=-1, bytes=-size)
        now = ("kept", f"split/{row['split']}") if row["keep"] else (f"removed/{row['rule']}",)
        left = size - _count_cuts(staging, path, its, 1)
        for reason in now:
            staging.count(path, reason, documents=1, bytes=left)


def _changed(members: pa.Table) -> np.ndarray:
    """Removed ones that repeat another document now, or by another rule."""
    removed = pc.and_(pc.invert(members["keep"]), pc.not_equal(members["rule"], members["was"]))
    return np.asarray(pc.fill_null(removed, False))


def _unique_rows(run: Path, chosen: pa.Table, texts: pa.LargeStringArray) -> pa.Table:
    carried = [name for name in DOCUMENTS.names if name not in ("text", "text_hash")]
    schema = pa.schema([DOCUMENTS.field(name) for name in carried])

    def rows(shard: str, places: Longs) -> pa.Array:
        table = read_rows(run / "documents" / f"{shard}.parquet", places, carried)
        return one_array(table.replace_schema_metadata().cast(schema).to_struct_array())

    table = pa.Table.from_struct_array(by_member(chosen, rows, pa.struct(list(schema))))
    hashes = pa.array([text_hash(text) for text in texts.to_pylist()], pa.binary(16))
    columns = {name: table[name] for name in carried} | {"text": texts, "text_hash": hashes}
    return pa.table(columns | {name: chosen[name] for name in ("cluster", "size")}).select(UNIQUE.names).cast(UNIQUE)


def _write_unique(staging: Staging, kept: Mapping[tuple[str, str], list[str]], judged: Judged | None) -> None:
    """Blank the rows of withdrawn documents, and tell those left of their clusters the new size."""
    sizes: dict[tuple[str, str], dict[str, int]] = {}
    if judged is not None:
        stood = judged.members.filter(pc.and_(judged.members["keep"], pa.array(~judged.promoted)))
        for row in stood.to_pylist():
            sizes.setdefault((row["split"], row["shard"]), {})[row["id"]] = row["size"]
    for split, shard in sorted({*kept, *sizes}):
        gone, new = kept.get((split, shard), []), sizes.get((split, shard), {})
        for path, held in _unique_places(staging, split, shard, {*gone, *new}).items():
            if rows := sorted(held[name] for name in gone if name in held):
                places = np.array(rows, np.int64)
                staging.replace(path, places, blank(read_rows(staging.current(path), places)))
            if others := sorted((held[name], size) for name, size in new.items() if name in held):
                table = pa.table({"size": pa.array([size for _, size in others], pa.int32())})
                staging.replace(path, np.array([row for row, _ in others], np.int64), table)


def _unique_places(staging: Staging, split: str, shard: str, ids: set[str]) -> dict[str, dict[str, int]]:
    """Shard of unique/ → id → row: the shard of the documents' own name, then the appended ones."""
    folder = staging.run / "unique" / split
    found: dict[str, dict[str, int]] = {}
    for path in [folder / f"{shard}.parquet", *appended_paths(folder)]:
        if ids and path.exists():
            held = read_table(path, ["id"])["id"]
            rows = np.flatnonzero(pc.is_in(held, value_set=pa.array(sorted(ids), pa.string())).to_numpy())
            if len(rows):
                places = dict(zip(held.take(pa.array(rows)).to_pylist(), rows.tolist(), strict=True))
                found[path.relative_to(staging.run).as_posix()] = places
                ids = ids - places.keys()
    return found
