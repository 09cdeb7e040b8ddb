"""What is cut from promoted documents: what the stage would have cut, as far as the finished run can tell.

Follows `promotion.py`; `forgetting.py` writes it. The stage's counts are gone with its scratch files, so

    lines     those that the run has cut from a document of the same site, read where `cuts` of clusters/ point
    passages  windows that a preferred document holds, among those that stay and those promoted with it

Both leave the other documents as they are. Passages read the text of all documents that stay, one row group at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import CLUSTERS
from corpus.edits import apply_edits, one_array, text_buffers
from corpus.forgetting import may_hold
from corpus.shards import JobContext, read_table
from corpus.staging import Longs
from dedup.cuts import aligned, settled
from dedup.inputs import edited_tables, edited_texts, layout_of, rank
from dedup.line_forms import read_lines
from dedup.lines import Repeats, batches, line_cuts, repeats_of, sites_of
from dedup.ngram_index import NgramIndex
from dedup.passages import joined
from dedup.promotion import by_member, facts_of
from dedup.runs import Array, Columns, Layout, concatenate
from dedup.settings import DedupSettings
from dedup.unique import CUT_RULES
from dedup.winnowing import count_visible, take_apart

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Spans = tuple[I64, I64, I64]


@dataclass(frozen=True, slots=True)
class PromotedCuts:
    """Spans of edited text: `row` (place among the promoted), `start`, `end`, `rule` (place in CUT_RULES), sorted;
    and the places of those that keep all of it, because it was more than the budget."""

    spans: Columns
    over: I64


def promoted_cuts(
    run: Path, promoted: pa.Table, texts: pa.LargeStringArray, gone: Mapping[str, Longs], settings: DedupSettings
) -> PromotedCuts:
    """What is cut from documents that are being promoted.

    Args:
        promoted: `shard`, `row`, `id` of each; they count as removed in clusters/ still.
        texts: their edited texts.
        gone: shard → rows that are withdrawn now, and count as kept still.
    """
    layout = layout_of(run)
    lines = passages = (np.zeros(0, np.int64),) * 3
    if settings.lines.cut:
        lines = _lines(run, layout, promoted, texts, settings)
    if settings.substrings.cut:
        passages = _passages(run, layout, promoted, texts, gone, settings)
    (document, start, end, rule), over = settled(texts, lines, passages, settings.cut_budget)
    return PromotedCuts({"row": document, "start": start, "end": end, "rule": rule.astype(np.int8)}, over)


def _lines(run: Path, layout: Layout, promoted: pa.Table, texts: pa.LargeStringArray, settings: DedupSettings) -> Spans:
    context = JobContext(run, "", 0)

    def sites(shard: str, rows: Longs) -> pa.Array:
        return pa.array(sites_of(context, layout, layout.names.index(shard), rows), pa.uint64())

    def sources(shard: str, rows: Longs) -> pa.Array:
        table = read_table(run / "documents" / f"{shard}.parquet", ["source"])
        return one_array(table["source"].take(pa.array(rows)).cast(pa.string()))

    wanted = by_member(promoted, sites, pa.uint64()).to_numpy()
    named = set(by_member(promoted, sources, pa.string()).to_pylist())
    return line_cuts(texts, wanted, _cut_lines(context, layout, named, wanted), settings.lines)


def _cut_lines(context: JobContext, layout: Layout, sources: set[str], wanted: U64) -> Repeats:
    """The lines that the run cut from documents of some sites; read are shards that may hold one of the sources."""
    none = np.zeros(0, np.uint64)
    pieces: list[Columns] = [{"hash0": none, "hash1": none, "site": none}]
    for shard, name in enumerate(layout.names):
        path = context.run / "documents" / f"{name}.parquet"
        if not any(may_hold(path, "source", source) for source in sources):
            continue
        cuts = one_array(read_table(context.run / "clusters" / f"{name}.parquet", ["cuts"], schema=CLUSTERS)["cuts"])
        owner, start, end = _spans(cuts, CUT_RULES[0])
        rows = np.unique(owner)
        sites = sites_of(context, layout, shard, rows)
        here = np.isin(sites, wanted)
        rows, sites, mine = rows[here], sites[here], np.isin(owner, rows[here])
        if not len(rows):
            continue
        data, offsets = text_buffers(edited_texts(context.run, layout, shard, rows))
        document = np.searchsorted(rows, owner[mine])
        first, last = offsets[document] + start[mine], offsets[document] + end[mine]
        texts = [data[a:b].tobytes() for a, b in zip(first, last, strict=True)]
        lines = read_lines(*text_buffers(pa.array(texts, pa.large_binary()).cast(pa.large_string())))
        found = {"hash0": lines.hashes[:, 0], "hash1": lines.hashes[:, 1], "site": sites[document][lines.document]}
        once = np.unique(np.stack(list(found.values()), axis=1), axis=0)
        pieces.append(dict(zip(found, once.T, strict=True)))
    return repeats_of(concatenate(pieces))


def _spans(cuts: pa.ListArray, rule: str) -> Spans:
    """Row, start and end of the cuts of one rule."""
    flat = cuts.flatten()
    chosen = pc.equal(flat.field("rule"), rule).to_numpy(zero_copy_only=False).astype(bool)
    owner = np.repeat(np.arange(len(cuts)), pc.fill_null(pc.list_value_length(cuts), 0).to_numpy())
    return owner[chosen], flat.field("start").to_numpy()[chosen], flat.field("end").to_numpy()[chosen]


def _passages(
    run: Path,
    layout: Layout,
    promoted: pa.Table,
    texts: pa.LargeStringArray,
    gone: Mapping[str, Longs],
    settings: DedupSettings,
) -> Spans:
    """About 800 MB of memory; promoted text of more than 32 MiB takes a pass over the documents for each 32 MiB."""
    size, pieces = settings.substrings.chars, [np.zeros((3, 0), np.int64)]
    facts = facts_of(run, promoted, texts, settings)
    for first, last in batches(texts):
        some = texts.slice(first, last - first)
        own = {name: values[first:last] for name, values in facts.items()}
        index = NgramIndex.of(some, size)
        found = [np.zeros(count, bool) for count in index.grams]
        if not index.different:
            continue
        _note(found, index, own, facts, texts, settings)
        for members, whole, standing in _standing(run, layout, gone, index):
            _note(found, index, own, facts_of(run, members, whole, settings), standing, settings)
        for place, windows in enumerate(found):
            start, end = _bytes_of(some, place, np.flatnonzero(windows), size)
            pieces.append(np.stack([np.full(len(start), first + place), start, end]))
    document, start, end = np.concatenate(pieces, axis=1)
    return aligned(texts, *joined(document, start, end), size)


def _standing(
    run: Path, layout: Layout, gone: Mapping[str, Longs], index: NgramIndex
) -> Iterator[tuple[pa.Table, pa.Array, pa.Array]]:
    """The documents that stay and share a window with the promoted, a row group's at a time.

    Yields:
        their `shard`, `row` and `id`; their edited texts; and these without the passages that were cut, since the
        documents that had kept those may be gone.
    """
    for shard, name in enumerate(layout.names):
        table = read_table(run / "clusters" / f"{name}.parquet", ["keep", "cuts"], schema=CLUSTERS)
        keep = one_array(table["keep"]).to_numpy(zero_copy_only=False).astype(bool)
        keep[gone.get(name, np.zeros(0, np.int64))] = False
        rows = np.flatnonzero(keep)
        for here, part in edited_tables(run, layout, shard, rows, ["id", "text"]):
            whole, mine = one_array(part["text"]), rows[here]
            left = _without(whole, one_array(table["cuts"].take(pa.array(mine))))
            hit = pa.array(np.unique(index.scan(left).document))
            if len(hit):
                members = {"shard": pa.repeat(name, len(hit)), "row": pa.array(mine).take(hit)}
                yield pa.table(members | {"id": part["id"].take(hit)}), whole.take(hit), left.take(hit)


def _without(texts: pa.LargeStringArray, cuts: pa.ListArray) -> pa.LargeStringArray:
    """Texts with a NUL, which no window goes across, in place of the passages that were cut from them."""
    owner, start, end = _spans(cuts, CUT_RULES[1])
    bounds = np.searchsorted(owner, np.arange(len(cuts) + 1)).astype(np.int32)
    fields = list(CLUSTERS.field("cuts").type.value_type)
    named = [pa.array(column, field.type) for column, field in zip((start, end), fields, strict=False)]
    marks = [pa.array([mark] * len(owner), pa.string()) for mark in (CUT_RULES[1], "\0")]
    spans = pa.StructArray.from_arrays([*named, *marks], fields=fields)
    return apply_edits(texts, pa.ListArray.from_arrays(pa.array(bounds), spans))


def _note(
    found: list[npt.NDArray[np.bool_]],
    index: NgramIndex,
    own: Columns,
    theirs: Columns,
    others: pa.Array,
    settings: DedupSettings,
) -> None:
    """Mark in `found` the windows of each indexed document that one of the others holds which is preferred to it.

    Args:
        own, theirs: facts about the indexed documents, and about the others.
    """
    both = concatenate([own, theirs])
    ranks = rank(both, np.arange(len(both["length"])), settings.prefer)
    hits = index.scan(others)
    better = ranks[len(index) + hits.document] < ranks[hits.item]
    better &= ~_same_ids(own, theirs, hits.item, hits.document)
    for item in np.unique(hits.item[better]).tolist():
        holders = pa.array(hits.document[better & (hits.item == item)])
        mine = NgramIndex.of(index.items.slice(item, 1), index.n)
        found[item] |= mine.scan(others.take(holders)).found


def _same_ids(own: Columns, theirs: Columns, item: Array, document: Array) -> npt.NDArray[np.bool_]:
    same = own["id_hi"][item] == theirs["id_hi"][document]
    return np.asarray(same & (own["id_lo"][item] == theirs["id_lo"][document]))


def _bytes_of(texts: pa.LargeStringArray, place: int, windows: I64, size: int) -> tuple[I64, I64]:
    """First byte and the byte after the last of windows of one text, given by their first visible character."""
    data, offsets = text_buffers(texts.slice(place, 1))
    first, last = int(offsets[0]), int(offsets[1])
    count = count_visible(data, first, last)
    places = np.empty(count, np.int64)
    take_apart(data, first, last, np.empty(count, np.uint64), places)
    ends = places[windows + size - 1]
    lead = data[first + ends]
    return places[windows], ends + 1 + (lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)
