"""Lines that recur across documents: counted over a whole run, cut where they are boilerplate (rule `repeat.line`).

Follows near-duplicate removal; only the documents that stay are looked at. Each shard counts its lines
(`count_lines`), the exchange adds up and chooses (`find_repeats`), `cuts.py` looks for the chosen in each document.

More than four fifths of the lines of crawled pages recur somewhere (Beyond Line-Level Filtering), and most do so by
right. A line is cut only if all of this speaks against it:

- form: it is not short, no item or heading, introduces nothing, is no formula of law (`line_forms.py`);
- number: it stands in many documents of one site (a source, and the host of the URL where there is one);
- place: there it stands at the head or tail of nearly all of them, where formulas and headings stand anywhere;
- site: it is not spread evenly over many sites, as set phrases are;
- the documents around it: it ends no hard-wrapped paragraph, and is the heading of nothing that stays (`cuttable`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import DOCUMENTS
from corpus.edits import text_buffers
from corpus.shards import JobContext, Outcome, read_table
from dedup.inputs import edited_texts
from dedup.line_forms import ENDED, FORMULA, INTRODUCES, MARKED, NUMBERED, Lines, read_lines
from dedup.runs import Array, Columns, Layout, concatenate, read_run, stretch, write_run
from dedup.settings import DedupSettings, LineSettings
from dedup.unique import surviving

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

BY_RIGHT = NUMBERED | INTRODUCES | FORMULA
_LEAST_REACH, _MOST_REACH = 3, 25  # lines from either end that count as head and tail; between them a quarter
_AT_ENDS = 0.8  # of its documents in which a line must stand there
_SITES, _LARGEST = 3, 0.5  # a line of so many sites, none of which holds more than this share of it, is a set phrase
_HEADING = 40  # letters
_WRAPPED, _WIDTH = 20, 0.1  # least letters of a hard-wrapped line, and the share by which its width may differ
_BATCH = 32 << 20  # bytes of text whose lines are held at once
_ROWS_A_PARTITION, _MOST_PARTITIONS = 4_000_000, 512
_HOST = r"^[A-Za-z][A-Za-z0-9+.\-]*://(?:[^/?#@]*@)?(?P<host>[^/:?#]+)"


def partitions_of(outcomes: Sequence[Outcome]) -> int:
    """Partitions for an exchange of what each outcome's first run holds: bounded memory each. Changes no result."""
    rows = sum(one.outputs[0].rows for one in outcomes)
    return max(1, min(_MOST_PARTITIONS, -(-rows // _ROWS_A_PARTITION)))


def sites_of(context: JobContext, layout: Layout, shard: int, rows: Array) -> U64:
    """Which site each document belongs to: uint64[rows], a hash of its source and its URL's host."""
    path = context.run / "documents" / f"{layout.names[shard]}.parquet"
    table = read_table(path, ["source", "url"], schema=DOCUMENTS).take(pa.array(rows))
    host = pc.struct_field(pc.extract_regex(table["url"], _HOST), "host")
    joined = pc.binary_join_element_wise(
        pc.fill_null(table["source"], ""), pc.utf8_lower(pc.fill_null(host, "")), "\0"
    ).combine_chunks()
    coded = joined.dictionary_encode()
    names = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in coded.dictionary.to_pylist()]
    return np.frombuffer(b"".join(names), "<u8").astype(np.uint64)[coded.indices.to_numpy()]


def batches(texts: pa.Array) -> Iterator[tuple[int, int]]:
    """Stretches [first, last) of texts of about 32 MiB each, at least one text."""
    _, offsets = text_buffers(texts)
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(offsets, offsets[first] + _BATCH, side="right")) - 1
        last = min(len(texts), max(first + 1, last))
        yield first, last
        first = last


def at_ends(document: I64) -> Bools:
    """Whether each line stands at the head or tail of its document: bool[n].

    The first and last quarter of a document's lines do, at least 3 and at most 25 on either side.

    Args:
        document: int64[n], the document of each line that is not blank, ascending.
    """
    places = np.arange(len(document))
    size = np.bincount(document)[document]
    first = np.searchsorted(document, document)
    place = places - first
    return np.minimum(place, size - 1 - place) < np.clip(size // 4, _LEAST_REACH, _MOST_REACH)


def by_form(lines: Lines, settings: LineSettings) -> Bools:
    """Lines that could be boilerplate by what they look like: bool[n]."""
    return (lines.letters >= settings.chars) & (lines.flags & BY_RIGHT == 0)


def ends_wrapped(lines: Lines) -> Bools:
    """Lines in which a hard-wrapped paragraph seems to go on: bool[n].

    The two lines right before it are of one width, no narrower than it, and the last does not end like a sentence.
    """
    wrapped = np.zeros(len(lines.start), bool)
    if len(wrapped) > 2:
        width = lines.end - lines.start
        adjoins = (lines.document[1:] == lines.document[:-1]) & (lines.end[:-1] + 1 == lines.start[1:])
        runs_on = (lines.flags[1:-1] & (ENDED | INTRODUCES) == 0) & (lines.letters[1:-1] >= _WRAPPED)
        full = np.abs(width[1:-1] - width[:-2]) <= _WIDTH * width[1:-1]
        wrapped[2:] = adjoins[1:] & adjoins[:-1] & runs_on & full & (width[2:] <= (1 + _WIDTH) * width[1:-1])
    return wrapped


def _summed(columns: Columns) -> Columns:
    """Rows with equal hashes and site as one, `documents`, `ends` and `wrapped` added up; sorted by `hash0`."""
    order = np.lexsort((columns["site"], columns["hash1"], columns["hash0"]))
    ordered = {name: values[order] for name, values in columns.items()}
    new = np.ones(len(order), bool)
    new[1:] = False
    for name in ("hash0", "hash1", "site"):
        new[1:] |= ordered[name][1:] != ordered[name][:-1]
    starts = np.flatnonzero(new)
    summed = {name: values[starts] for name, values in ordered.items()}
    for name in ("documents", "ends", "wrapped"):
        summed[name] = np.add.reduceat(ordered[name], starts) if len(starts) else ordered[name]
    return summed


def _counted(lines: Lines, sites: U64, settings: LineSettings) -> Columns:
    """Each line that could be boilerplate, once a document, summed."""
    ends = at_ends(lines.document)
    chosen = np.flatnonzero(by_form(lines, settings))
    document, hashes = lines.document[chosen], lines.hashes[chosen]
    order = np.lexsort((~ends[chosen], hashes[:, 1], hashes[:, 0], document))  # of equal ones one at an end is first
    new = np.ones(len(order), bool)
    new[1:] = (document[order][1:] != document[order][:-1]) | (hashes[order][1:] != hashes[order][:-1]).any(axis=1)
    once = chosen[order[new]]
    return _summed(
        {
            "hash0": lines.hashes[once, 0],
            "hash1": lines.hashes[once, 1],
            "site": sites[lines.document[once]],
            "documents": np.ones(len(once), np.int32),
            "ends": ends[once].astype(np.int32),
            "wrapped": ends_wrapped(lines)[once].astype(np.int32),
            "marked": (lines.flags[once] & MARKED != 0).astype(np.int8),
        }
    )


def count_lines(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: the runs `lines` (by hash and site: documents, of these at an end) and `sites` (documents).

    About 37 bytes for each different line that could be boilerplate by its form.
    """
    rows = surviving(context, layout, shard, settings)
    texts, sites = edited_texts(context.run, layout, shard, rows), sites_of(context, layout, shard, rows)
    pieces = [_counted(_no_lines(), sites, settings.lines)]
    for first, last in batches(texts):
        lines = read_lines(*text_buffers(texts.slice(first, last - first)))
        pieces.append(_counted(lines, sites[first:last], settings.lines))
    name = layout.names[shard]
    site, documents = np.unique(sites, return_counts=True)
    return Outcome(
        (
            write_run(context, "lines", name, _summed(concatenate(pieces))),
            write_run(context, "sites", name, {"site": site, "documents": documents.astype(np.int64)}),
        )
    )


def _no_lines() -> Lines:
    none = np.zeros(0, np.int64)
    return Lines(none, none, none, none, none, np.zeros((0, 2), np.uint64))


def find_repeats(context: JobContext, *, layout: Layout, part: int, parts: int, settings: DedupSettings) -> Outcome:
    """Exchange: the run `repeats` (`hash0`, `hash1`, `site`): the lines of one partition to cut, by the site."""
    pieces = []
    for name in layout.names:
        columns = read_run(context.run, "lines", name)
        rows = stretch(columns["hash0"], part, parts)
        pieces.append({key: values[rows] for key, values in columns.items()})
    columns = _summed(concatenate(pieces))
    totals = concatenate([read_run(context.run, "sites", name) for name in layout.names])
    chosen = repeats(columns, totals, settings.lines)
    found = {name: columns[name][chosen] for name in ("hash0", "hash1", "site")}
    return Outcome((write_run(context, "repeats", part, found),))


def repeats(columns: Columns, totals: Columns, settings: LineSettings) -> I64:
    """Rows of summed counts that are boilerplate of their site by number, place and spread.

    Args:
        columns: as `_summed` leaves them, all rows of each line.
        totals: `site`, `documents`: documents of each site, a site possibly in several rows.
    """
    if len(columns["site"]) == 0:
        return np.zeros(0, np.int64)
    sites, place = np.unique(totals["site"], return_inverse=True)
    of_site = np.bincount(place, weights=totals["documents"])[np.searchsorted(sites, columns["site"])]
    documents, hashes = columns["documents"], (columns["hash0"], columns["hash1"])
    often = (documents >= settings.documents) & (documents >= settings.share * of_site)
    often &= (columns["ends"] >= _AT_ENDS * documents) & (columns["wrapped"] <= documents // 2)
    new = np.ones(len(documents), bool)
    new[1:] = (hashes[0][1:] != hashes[0][:-1]) | (hashes[1][1:] != hashes[1][:-1])
    starts, line = np.flatnonzero(new), np.cumsum(new) - 1
    everywhere, largest = np.add.reduceat(documents, starts)[line], np.maximum.reduceat(documents, starts)[line]
    spread = (np.bincount(line)[line] >= _SITES) & (largest < _LARGEST * everywhere) & (columns["marked"] == 0)
    return np.flatnonzero(often & ~spread)


@dataclass(frozen=True, slots=True)
class Repeats:
    """Chosen lines, ready to be looked up: `key` (hash0 and site in one, sorted) and `hash1`, uint64[n]."""

    key: U64
    hash1: U64

    def holds(self, hashes: U64, sites: U64) -> Bools:
        """Which lines were chosen: bool[n], of their hashes (uint64[n, 2]) and sites (uint64[n])."""
        if len(self.key) == 0:
            return np.zeros(len(sites), bool)
        key = _joined(hashes[:, 0], sites)
        place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return (self.key[place] == key) & (self.hash1[place] == hashes[:, 1])


def _joined(hash0: U64, site: U64) -> U64:
    return hash0 ^ site * np.uint64(0x9E3779B97F4A7C15)


def read_repeats(context: JobContext, sites: U64, parts: int) -> Repeats:
    """The chosen lines of some sites, out of every partition's run."""
    pieces, wanted = [], np.unique(sites)
    for part in range(parts):
        columns = read_run(context.run, "repeats", part)
        here = np.isin(columns["site"], wanted)
        pieces.append({name: values[here] for name, values in columns.items()})
    return repeats_of(concatenate(pieces))


def repeats_of(columns: Columns) -> Repeats:
    """Lines by `hash0`, `hash1` and `site`, ready to be looked up."""
    key = _joined(columns["hash0"], columns["site"])
    order = np.argsort(key)
    return Repeats(key[order], columns["hash1"][order])


def cuttable(lines: Lines, found: Bools) -> Bools:
    """Of the chosen lines those that can go from where they stand without breaking what stays: bool[n].

    One stays where it stands amid the document, and where it reads like a heading of text that stays.

    Args:
        found: bool[n], lines that were chosen, wherever they stand.
    """
    document, flags = lines.document, lines.flags
    found = found & at_ends(document)
    plain = flags & MARKED == 0
    same = document[1:] == document[:-1]
    text_follows = np.zeros(len(found), bool)
    text_follows[:-1] = same & ~found[1:]
    heads = plain & (flags & ENDED == 0) & (lines.letters <= _HEADING) & text_follows
    return found & ~heads


def line_cuts(texts: pa.Array, sites: U64, chosen: Repeats, settings: LineSettings) -> tuple[I64, I64, I64]:
    """Spans to cut: document (int64[m], ascending), start and end in bytes of it, newline included."""
    pieces = [np.zeros((3, 0), np.int64)]
    for first, last in batches(texts):
        data, offsets = text_buffers(texts.slice(first, last - first))
        lines = read_lines(data, offsets)
        cut = cuttable(lines, by_form(lines, settings) & chosen.holds(lines.hashes, sites[first:last][lines.document]))
        document = lines.document[cut]
        end = np.minimum(lines.end[cut] + 1, np.diff(offsets)[document])
        pieces.append(np.stack([document + first, lines.start[cut], end]))
    document, start, end = np.concatenate(pieces, axis=1)
    return document, start, end
