"""Last step of the stage: what became of every document (clusters/), and the text that goes on (unique/SPLIT/).

Here the edited text is written for the first and only time, without the spans that `cuts.py` found where it was asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import CLUSTERS, DOCUMENTS, UNIQUE
from corpus.edits import apply_edits, one_array, text_buffers
from corpus.shards import Counts, JobContext, Outcome, add, write_table
from dedup.inputs import edited_rows, edited_tables, format_ids, kept_by_decide, smaller
from dedup.runs import Array, Columns, Layout, between, of_shard, read_run
from dedup.settings import DedupSettings
from dedup.splits import NAME, SPLITS, sides
from dedup.versions import is_superseded

SUPERSEDED, EXACT, NEAR = "version.superseded", "dedup.exact", "dedup.near"
INDEX_EXACT, INDEX_NEAR = "index.exact", "index.near"
"""Rules of what an index has already; the witness is a document of the index."""
SPLIT = "dedup.split"
"""Rule of a document that was held out: it resembles documents of two splits and stays in neither."""
RULES = ("", EXACT, NEAR, INDEX_EXACT, INDEX_NEAR, SPLIT)
HELD = len(SPLITS)  # as a side: held out
CUT_RULES = ("repeat.line", "repeat.passage")


def write_shard(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings, seed: int) -> Outcome:
    """Map: clusters/NAME.parquet beside a shard, its unique text in unique/SPLIT/NAME.parquet, and the counts."""
    known = settings.index is not None
    name = layout.names[shard]
    kept = kept_by_decide(context.run, layout, shard)
    older = kept & is_superseded(context, layout, shard)
    found = _verdicts(context, layout, shard, np.flatnonzero(kept & ~older), known)
    cluster = format_ids(found["cluster_hi"], found["cluster_lo"])
    names = text_buffers(cluster)[0].reshape(-1, NAME)
    own = sides(names, seed, settings.valid, settings.test)
    found["side"] = np.where(found["side"] < 0, own, found["side"])
    table = _clusters(found, cluster, layout.rows[shard], older)
    lengths = read_run(context.run, "facts", name)["length"]
    cut = np.zeros(len(lengths), np.int64)
    if settings.lines.cut or settings.substrings.cut:
        cuts = read_run(context.run, "cuts", name)
        table = table.set_column(table.schema.get_field_index("cuts"), "cuts", cuts_column(len(lengths), cuts))
        np.add.at(cut, cuts["row"], cuts["end"] - cuts["start"])
    outputs = [
        write_table(
            context.run / "clusters" / f"{name}.parquet", table, CLUSTERS, context, of=layout.fingerprints[shard]
        )
    ]
    counts, stays = _count(lengths, cut, kept, older, found), found["rule"] == 0
    rows, side = found["row"][stays], found["side"][stays]
    table = table.select(["cluster", "size", "cuts"])
    del found, cluster, names  # the text comes now
    for split, part in _unique(context, layout, shard, rows, side, table):
        path = context.run / "unique" / split / f"{name}.parquet"
        outputs.append(write_table(path, part, UNIQUE, context, joined=True))
        del part
    return Outcome(tuple(outputs), counts)


def surviving(
    context: JobContext, layout: Layout, shard: int, settings: DedupSettings | None = None
) -> npt.NDArray[np.int64]:
    """Row numbers of a shard's documents that go on, ascending; known once the phase `resolve` is done."""
    known = settings is not None and settings.index is not None
    kept = kept_by_decide(context.run, layout, shard)
    found = _verdicts(context, layout, shard, np.flatnonzero(kept & ~is_superseded(context, layout, shard)), known)
    return found["row"][found["rule"] == 0].astype(np.int64)


def cuts_column(rows: int, cuts: Columns) -> pa.ListArray:
    """The column `cuts` of clusters/: a list for each of so many rows.

    Args:
        cuts: `row`, `start`, `end`, `rule` (place in CUT_RULES), sorted by row and start.
    """
    bounds = np.concatenate(([0], np.cumsum(np.bincount(cuts["row"], minlength=rows)))).astype(np.int32)
    rules = pa.array(CUT_RULES, pa.string()).take(pa.array(cuts["rule"]))
    empty = pa.array([""] * len(rules), pa.string())
    fields = list(CLUSTERS.field("cuts").type.value_type)
    values = pa.StructArray.from_arrays([pa.array(cuts["start"]), pa.array(cuts["end"]), rules, empty], fields=fields)
    return pa.ListArray.from_arrays(pa.array(bounds), values)


def _verdicts(context: JobContext, layout: Layout, shard: int, rows: Array, known: bool) -> Columns:
    """What the exact and the near pass, and an index where one was asked, say of the given rows of a shard, in columns
    beside `row`; `rule` is a place in RULES, `side` one in SPLITS, HELD, or -1 where the cluster decides it."""
    first, last = layout.span(shard)
    facts = read_run(context.run, "facts", layout.names[shard])
    found: Columns = {name: facts[name][rows].copy() for name in ("id_hi", "id_lo")}
    found |= {"row": rows, "cluster_hi": found["id_hi"].copy(), "cluster_lo": found["id_lo"].copy()}
    found |= {"size": np.ones(len(rows), np.int64), "similarity": np.zeros(len(rows), np.float64)}
    found |= {"witness_hi": found["id_hi"].copy(), "witness_lo": found["id_lo"].copy()}
    stands_for = rows + first  # the best of the documents with the same text
    copies = of_shard(context.run, "copies", layout.partitions, "number", first, last)
    here = np.searchsorted(rows + first, copies["number"])
    stands_for[here] = copies["best"]
    found["cluster_hi"][here], found["cluster_lo"][here] = copies["least_hi"], copies["least_lo"]
    found["witness_hi"][here], found["witness_lo"][here] = copies["best_hi"], copies["best_lo"]
    found["size"][here] = copies["size"]
    copy = stands_for != rows + first
    found["similarity"][copy] = 1.0
    found["side"] = np.full(len(rows), -1, np.int8)
    said = read_run(context.run, "known", layout.names[shard]) if known else {}
    place_of = np.searchsorted(rows, said["row"]) if known else rows[:0]
    if known:
        found["side"][place_of] = said["side"]
        ours, theirs = ((one["cluster_hi"], one["cluster_lo"]) for one in (found, said))
        least = smaller((ours[0][place_of], ours[1][place_of]), theirs)
        found["cluster_hi"][place_of], found["cluster_lo"][place_of] = least

    lost = np.zeros(len(rows), bool)
    for part in range(layout.partitions):
        near = read_run(context.run, "near", part)
        for joined, place in _places(near["number"], stands_for, copy, first, last):
            for name in ("cluster_hi", "cluster_lo", "size", *(["side"] if known else [])):
                found[name][joined] = near[name][place]
            gone = near["keep"][place] == 0
            lost[joined] = gone
            for name in ("witness_hi", "witness_lo", "similarity"):
                found[name][joined[gone]] = near[name][place[gone]]
    found["rule"] = np.where(lost, RULES.index(NEAR), np.where(copy, RULES.index(EXACT), 0))
    found["rule"][(found["side"] == HELD) & ~lost] = RULES.index(SPLIT)
    if known:
        gone = said["rule"] > 0
        for name in ("rule", "witness_hi", "witness_lo", "similarity"):
            found[name][place_of[gone]] = said[name][gone]
    return found


def _places(numbers: Array, stands_for: Array, copy: Array, first: int, last: int) -> Iterator[tuple[Array, Array]]:
    """Rows whose `stands_for` is among sorted numbers, with its place there: the shard's own, then copies of others."""
    own = between(numbers, first, last)
    asked = np.flatnonzero(copy)
    itself = np.flatnonzero(~copy)  # ascending, as the numbers are
    here = np.searchsorted(stands_for[itself], numbers[own])
    known = here < len(itself)
    known[known] = stands_for[itself[here[known]]] == numbers[own][known]
    yield itself[here[known]], np.flatnonzero(known) + own.start
    place = np.minimum(np.searchsorted(numbers, stands_for[asked]), max(0, len(numbers) - 1))
    there = numbers[place] == stands_for[asked] if len(numbers) else np.zeros(len(asked), bool)
    yield asked[there], place[there]


def _clusters(found: Columns, cluster: pa.StringArray, rows: int, older: Array) -> pa.Table:
    """The sidecar: nulls and keep = false where the document did not take part."""
    stays = pa.array(found["rule"] == 0)
    alone = pa.array((found["rule"] == 0) | (found["rule"] == RULES.index(SPLIT)))  # without a witness
    part = {
        "cluster": cluster,
        "size": pa.array(found["size"].astype(np.int32)),
        "split": pa.array([*SPLITS, None], pa.string()).take(pa.array(found["side"])),
        "keep": stays,
        "rule": pa.array([None, *RULES[1:]], pa.string()).take(pa.array(found["rule"])),
        "witness": pc.if_else(
            alone, pa.scalar(None, pa.string()), format_ids(found["witness_hi"], found["witness_lo"])
        ),
        "similarity": pc.if_else(alone, pa.scalar(None, pa.float64()), pa.array(found["similarity"])),
    }
    place = np.full(rows, -1, np.int64)
    place[found["row"]] = np.arange(len(found["row"]))
    taken = pa.table(part).take(pa.array(place, mask=place < 0))
    columns = {name: taken[name] for name in part}
    columns["keep"] = pc.fill_null(columns["keep"], False)
    columns["rule"] = pc.if_else(pa.array(older), pa.scalar(SUPERSEDED), columns["rule"])
    no_cuts = pa.ListArray.from_arrays(
        pa.array(np.zeros(rows + 1, np.int32)), pa.array([], CLUSTERS.field("cuts").type.value_type)
    )
    return pa.table({**columns, "cuts": no_cuts}, schema=CLUSTERS)


def _unique(
    context: JobContext, layout: Layout, shard: int, rows: Array, side: Array, clusters: pa.Table
) -> Iterator[tuple[str, pa.Table]]:
    """For each split that has any, the surviving documents with edited and cut text, its hash, their cluster's name
    and size; in as many chunks as documents/ has row groups, so that each stands in memory once.

    Args:
        rows, side: of the documents that stay, and their places in SPLITS.
        clusters: `cluster`, `size` and `cuts` of all rows.
    """
    edited = edited_rows(context.run, layout, shard, rows)
    pieces: list[list[pa.Table]] = [[] for _ in SPLITS]
    for here, table in edited_tables(context.run, layout, shard, rows, DOCUMENTS.names):
        theirs = clusters.take(pa.array(rows[here]))
        cuts = one_array(theirs["cuts"])
        texts = apply_edits(one_array(table["text"]), cuts)
        cut = np.asarray(pc.fill_null(pc.list_value_length(cuts), 0)) > 0
        hashes = _hashes(one_array(table["text_hash"]), texts, edited[here] | cut)
        table = table.set_column(table.schema.get_field_index("text"), "text", texts)
        table = table.set_column(table.schema.get_field_index("text_hash"), "text_hash", hashes)
        for name in ("cluster", "size"):
            table = table.append_column(name, theirs[name])
        for number in np.unique(side[here]):
            pieces[number].append(table.take(pa.array(np.flatnonzero(side[here] == number))))
    for number, split in enumerate(SPLITS):
        if pieces[number]:
            yield split, pa.concat_tables(pieces[number])
            pieces[number] = []


def _hashes(hashes: pa.Array, texts: pa.LargeStringArray, changed: npt.NDArray[np.bool_]) -> pa.Array:
    """The hashes of texts, made anew where they changed."""
    if not changed.any():
        return hashes
    told, (data, bounds) = hashes.to_pylist(), text_buffers(texts)
    for row in np.flatnonzero(changed).tolist():
        told[row] = hashlib.blake2b(data.data[bounds[row] : bounds[row + 1]], digest_size=16).digest()
    return pa.array(told, pa.binary(16))


def _count(lengths: Array, cut: Array, kept: Array, older: Array, found: Columns) -> Counts:
    def all_rows(chosen: Array) -> npt.NDArray[np.bool_]:
        whole = np.zeros(len(kept), bool)
        whole[found["row"][chosen]] = True
        return whole

    counts: Counts = {}
    keep = found["rule"] == 0
    groups = {"in": kept, "kept": all_rows(keep), f"removed/{SUPERSEDED}": older}
    groups |= {f"removed/{name}": all_rows(found["rule"] == number) for number, name in enumerate(RULES) if number}
    groups |= {f"split/{name}": all_rows(keep & (found["side"] == number)) for number, name in enumerate(SPLITS)}
    for reason, chosen in groups.items():
        if reason in ("in", "kept") or chosen.any():
            size = int(lengths[chosen].sum() - (0 if reason == "in" else cut[chosen].sum()))
            add(counts, reason, documents=int(chosen.sum()), bytes=size)
    return counts
