"""Passages that stand in several documents: found over a whole run by hashes of windows, then held to the text.

Follows near-duplicate removal; only the documents that stay are looked at. A window is `chars` visible characters in a
row. A window that a preferred document holds too is cut (rule `repeat.passage`), so the best document keeps it.

    anchors   map       a sparse choice of shorter stretches (winnowing); every window holds one
    shared    exchange  the anchors that several documents hold
    windows   map       the windows that hold such an anchor, and the text about them
    passages  exchange  by hash of the window: each one beside the best document that holds it

No equality is believed on a hash: `repeated_spans`, called by `cuts.py`, compares the texts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from corpus.edits import text_buffers
from corpus.shards import JobContext, Outcome
from dedup.bands import shared
from dedup.inputs import edited_texts, facts_about, rank
from dedup.runs import Array, Columns, Layout, by_shard, concatenate, of_shard, read_batch, read_run, stretch, write_run
from dedup.settings import DedupSettings
from dedup.shingles import _decode as decode
from dedup.shingles import power_of_base
from dedup.unique import surviving
from dedup.winnowing import count_visible, hash_grams, next_visible, take_apart, winnow

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


def anchor_size(chars: int) -> tuple[int, int]:
    """Length of an anchor and of the run of anchors of which one is chosen, so that every window holds a chosen one."""
    size = chars // 2
    return size, chars - size + 1


def list_anchors(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: the run `anchors` (`hash`, sorted, and `row`): about 12 bytes for every 26 characters at the default."""
    rows = surviving(context, layout, shard, settings)
    found = winnow(edited_texts(context.run, layout, shard, rows), *anchor_size(settings.substrings.chars))
    order = np.lexsort((found.document, found.hashes))
    hashes, owners = found.hashes[order], rows[found.document[order]]
    new = np.ones(len(order), bool)  # once a document: what only repeats itself is not sought
    new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    columns = {"hash": hashes[new], "row": owners[new].astype(np.int32)}
    return Outcome((write_run(context, "anchors", layout.names[shard], columns),))


def find_shared(context: JobContext, *, layout: Layout, part: int, parts: int, settings: DedupSettings) -> Outcome:
    """Exchange: the run `shared` (`hash`, sorted): anchors of one partition that several documents hold."""
    hashes = concatenate([_part(read_run(context.run, "anchors", name), part, parts) for name in layout.names])["hash"]
    found = np.unique(hashes[shared(hashes)])
    return Outcome((write_run(context, "shared", part, {"hash": found}),))


def _part(columns: Columns, part: int, parts: int) -> Columns:
    rows = stretch(columns["hash"], part, parts)
    return {name: values[rows] for name, values in columns.items()}


@njit(cache=True, nogil=True)
def _windows(data, offsets, size, anchor, power, document, place, hashes, owner, start, end, begins):  # type: ignore[no-untyped-def]
    room, filled, at = 1, 0, 0
    values, places = np.empty(1, np.uint64), np.empty(1, np.int32)
    grams = np.empty(1, np.uint64)
    while at < len(document):
        this, first = document[at], at
        while at < len(document) and document[at] == this:
            at += 1
        begin, stop = offsets[this], offsets[this + 1]
        count = count_visible(data, begin, stop)
        if count > room:
            room = 2 * count
            values, places, grams = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.uint64)
        take_apart(data, begin, stop, values, places)
        windows = hash_grams(values, count, size, power, grams)
        free = 0  # the first window that is not listed yet
        for j in range(first, at):
            low = max(free, place[j] - (size - anchor))
            begins_region = low > free or j == first
            for window in range(low, min(place[j] + 1, windows)):
                if filled < len(hashes):
                    hashes[filled], owner[filled], start[filled] = grams[window], this, places[window]
                    last = window + size - 1
                    end[filled] = places[last] + decode(data, begin + places[last])[1]
                    begins[filled] = begins_region
                begins_region = False
                filled += 1
            free = max(free, min(place[j] + 1, windows))
    return filled


def list_windows(context: JobContext, *, layout: Layout, shard: int, parts: int, settings: DedupSettings) -> Outcome:
    """Map: the runs `windows` (`hash`, sorted, `row`, `start`) and `regions` (`row`, `start`, `text`).

    A region is the text that windows next to one another cover. 16 bytes a window, and what the regions hold.
    """
    name, chars = layout.names[shard], settings.substrings.chars
    rows = surviving(context, layout, shard, settings)
    texts = edited_texts(context.run, layout, shard, rows)
    anchor, run = anchor_size(chars)
    anchors = winnow(texts, anchor, run)
    both = np.zeros(len(anchors.hashes), bool)
    for part in range(parts):
        both |= _held(read_run(context.run, "shared", part)["hash"], anchors.hashes)
    data, offsets = text_buffers(texts)
    document, place = anchors.document[both], anchors.place[both]
    room = 0  # at first only counted: no bound known beforehand is a close one
    while True:
        hashes, begins = np.empty(room, np.uint64), np.empty(room, np.bool_)
        owner, start, end = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
        out = (hashes, owner, start, end, begins)
        found = int(_windows(data, offsets, chars, anchor, power_of_base(chars), document, place, *out))
        if found <= room:
            break
        room = found
    order = np.argsort(hashes, kind="stable")
    windows = {"hash": hashes[order], "row": rows[owner[order]].astype(np.int32), "start": start[order]}
    first = np.flatnonzero(begins)
    last = np.append(first[1:], found)[: len(first)] - 1
    base = offsets[owner[first]]
    pieces = [data[b:e].tobytes() for b, e in zip(base + start[first], base + end[last], strict=True)]
    regions = {
        "row": rows[owner[first]],
        "start": start[first].astype(np.int64),
        "text": pa.array(pieces, pa.large_binary()),
    }
    return Outcome((write_run(context, "windows", name, windows), write_run(context, "regions", name, regions)))


def _held(known: U64, hashes: U64) -> npt.NDArray[np.bool_]:
    if len(known) == 0:
        return np.zeros(len(hashes), bool)
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return known[place] == hashes


def find_passages(context: JobContext, *, layout: Layout, part: int, parts: int, settings: DedupSettings) -> Outcome:
    """Exchange: the run `passages`, sorted by number: windows of one partition that a preferred document holds too.

    Columns: `number`, `start` (the window's first byte), `better`, `better_start` (its first place in the best one).
    """
    pieces = []
    for name, base in zip(layout.names, layout.bases, strict=False):
        piece = _part(read_run(context.run, "windows", name), part, parts)
        pieces.append({"hash": piece["hash"], "start": piece["start"], "number": piece["row"].astype(np.int64) + base})
    columns = concatenate(pieces)
    several = shared(columns["hash"])
    hashes, starts, numbers = (columns[name][several] for name in ("hash", "start", "number"))
    documents, index = np.unique(numbers, return_inverse=True)
    ranks = rank(facts_about(context.run, layout, documents), documents, settings.prefer)[index]
    order = np.lexsort((starts, ranks, hashes))
    hashes, starts, numbers = hashes[order], starts[order], numbers[order]
    new = np.ones(len(order), bool)
    new[1:] = hashes[1:] != hashes[:-1]
    best = np.flatnonzero(new)[np.cumsum(new) - 1] if len(order) else np.zeros(0, np.int64)
    worse = numbers != numbers[best]
    found = {
        "number": numbers[worse],
        "start": starts[worse],
        "better": numbers[best][worse],
        "better_start": starts[best][worse],
    }
    order = np.lexsort((found["start"], found["number"]))
    return Outcome((write_run(context, "passages", part, {name: values[order] for name, values in found.items()}),))


@njit(cache=True, nogil=True)
def _compare(data, start, stop, other, other_start, other_stop, size, ends):  # type: ignore[no-untyped-def]
    """Byte after each window in `data` where `size` visible characters are the same as in `other`, else -1.

    Windows that follow one another in both texts are compared by their last character alone.
    """
    before = -1
    after_first, other_after_first, end, other_end = 0, 0, 0, 0
    for i in range(len(start)):
        at, other_at = start[i], other_start[i]
        matched, need = True, size
        if before >= 0 and stop[i] == stop[before] and other_stop[i] == other_stop[before]:
            here = next_visible(data, after_first, stop[i])[1]
            there = next_visible(other, other_after_first, other_stop[i])[1]
            if here == next_visible(data, at, stop[i])[1] and there == next_visible(other, other_at, other_stop[i])[1]:
                need = 1
        if need == 1:
            at, other_at = end, other_end
            after_first = next_visible(data, start[i], stop[i])[1]
            other_after_first = next_visible(other, other_start[i], other_stop[i])[1]
        for j in range(need):
            point, at = next_visible(data, at, stop[i])
            other_point, other_at = next_visible(other, other_at, other_stop[i])
            if point != other_point or point < 0:
                matched = False
                break
            if j == 0 and need > 1:
                after_first, other_after_first = at, other_at
        ends[i] = at if matched else -1
        before, end, other_end = (i, at, other_at) if matched else (-1, 0, 0)


def repeated_spans(
    context: JobContext, layout: Layout, shard: int, rows: I64, texts: pa.Array, parts: int, chars: int
) -> tuple[I64, I64, I64]:
    """The spans of a shard's texts that preferred documents hold too, compared letter by letter.

    Args:
        rows: int64[n], ascending row numbers of the texts.

    Returns:
        Place among the texts (ascending), first byte and byte after the last: int64[m] each, disjoint, each at least
        `chars` visible characters.
    """
    low, high = layout.span(shard)
    found = of_shard(context.run, "passages", parts, "number", low, high)
    document = np.searchsorted(rows, found["number"] - low)
    data, offsets = text_buffers(texts)
    ends = np.full(len(document), -1, np.int64)
    order = np.lexsort((found["start"], document))
    for other, places, better in by_shard(layout, found["better"][order]):
        here = order[places]
        region, begin, text, bounds = _regions(context, layout, other, better, found["better_start"][here])
        own = offsets[document[here]]
        stop = offsets[document[here] + 1]
        result = np.empty(len(here), np.int64)
        _compare(data, own + found["start"][here], stop, text, begin, bounds[region + 1], chars, result)
        ends[here] = np.where(result >= 0, result - own, -1)
    same = np.flatnonzero(ends >= 0)
    return joined(document[same], found["start"][same].astype(np.int64), ends[same])


def _regions(context: JobContext, layout: Layout, shard: int, rows: I64, starts: Array) -> tuple[I64, I64, Array, I64]:
    """Index of the region that holds each window, its first byte there, the regions' text and bounds."""
    batch = read_batch(context.run, "regions", layout.names[shard])
    text, bounds = text_buffers(batch.column("text").cast(pa.large_string()))
    row, start = batch.column("row").to_numpy(), batch.column("start").to_numpy()
    region = np.searchsorted(row << 32 | start, rows << 32 | starts.astype(np.int64), side="right") - 1
    return region, bounds[region] + starts - start[region], text, bounds


def joined(document: I64, start: I64, end: I64) -> tuple[I64, I64, I64]:
    """Spans that touch or overlap as one; sorted by document, then start."""
    order = np.lexsort((start, document))
    document, start, end = document[order], start[order], end[order]
    if len(order) == 0:
        return document, start, end
    limit = int(end.max()) + 1
    reach = np.maximum.accumulate(end + document * limit)  # a later document's spans reach beyond any earlier one's
    new = np.ones(len(order), bool)
    new[1:] = start[1:] + document[1:] * limit > reach[:-1]
    firsts = np.flatnonzero(new)
    lasts = np.append(firsts[1:], len(order)) - 1
    return document[firsts], start[firsts], reach[lasts] - document[firsts] * limit
