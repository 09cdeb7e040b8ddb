"""What many texts repeat in an incremental index: by hash, then band by band, then exactly, in bounded memory.

Used where a whole submission or shard is held against an index: `hanjo corpus check --index` and the stage's
`dedup.index` (`index_known.py`). The index is read through its memory map, and what was read of it is given back at
once. Nothing is joined on an estimate: bands name texts that are worth comparing, their shingle sets decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.index_links import SetsOf, homes_of
from dedup.index_parameters import IndexParameters
from dedup.index_query import of_crowds_the_best
from dedup.index_segments import band
from dedup.index_tables import I64, Bools, Tables, in_chunks, ranges
from dedup.runs import Array, Columns
from dedup.shingles import U64, ShingleSets, shingle_sets
from dedup.unique import HELD
from dedup.verify import jaccard

F64 = npt.NDArray[np.float64]
_STRETCH = 4 << 20  # keys of the index that a search may touch before their pages are given back
_FOUND = 1 << 16  # texts looked up before their pages are given back
_COMPARED = 24 << 20  # bytes of shingles, on both sides, that are compared at a time
_SHINGLE = 8  # bytes; a text's byte makes half a shingle to one
_PAIRS = 1 << 22  # of which repeats are thinned
_PARTNERS = 16  # texts of the index that each one is compared with at most: those with which it shares most bands
_NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """n texts to look up, of which hashes and sizes are at hand, keys and texts on demand.

    Attributes:
        text: uint64[n, 2], hashes of the space-free texts.
        signed: bool[n], those that have a shingle, and whose near-duplicates are sought.
        sizes: int64[n], bytes.
        keys: number of a band → its keys, uint64[n].
        texts: places, int64, ascending → their texts.
    """

    text: U64
    signed: Bools
    sizes: I64
    keys: Callable[[int], U64]
    texts: Callable[[I64], pa.LargeStringArray]


@dataclass(frozen=True, slots=True)
class Answers:
    """What n texts repeat.

    Attributes:
        exact: int64[n], the text of the index that is the same but for white space, -1 where none is.
        asked, text, similarity: m near-duplicates among the others: place, text of the index, exact Jaccard at or
            above the threshold; by place, the most similar first.
        compared: pairs compared exactly.
    """

    exact: I64
    asked: I64
    text: I64
    similarity: F64
    compared: int


@dataclass(slots=True)
class _Words:
    """Candidates as words (place, text), a word for each band they share; thinned in time."""

    pieces: list[U64] = field(default_factory=list)
    counts: list[I64] = field(default_factory=list)
    waiting: int = 0

    def add(self, asked: I64, text: I64) -> None:
        self.pieces.append(asked.astype(np.uint64) << np.uint64(40) | text.astype(np.uint64))
        self.counts.append(np.ones(len(asked), np.int64))
        self.waiting += len(asked)
        if self.waiting > _PAIRS:
            self.best()

    def best(self) -> tuple[I64, I64]:
        """Distinct pairs, of each place those that were named most often (then the lower text), by place and text."""
        if not self.pieces:
            return _NOBODY, _NOBODY
        words, back = np.unique(np.concatenate(self.pieces), return_inverse=True)
        counts = np.bincount(back, weights=np.concatenate(self.counts), minlength=len(words)).astype(np.int64)
        asked = (words >> np.uint64(40)).astype(np.int64)
        order = np.lexsort((words, -counts, asked))
        first = np.searchsorted(asked, asked[order])  # words are sorted, so places are, before and after
        kept = np.sort(order[np.arange(len(order)) - first < _PARTNERS])
        self.pieces, self.counts, self.waiting = [words[kept]], [counts[kept]], 0
        return asked[kept], (words[kept] & np.uint64((1 << 40) - 1)).astype(np.int64)


def look_up(
    tables: Tables, asked: Asked, parameters: IndexParameters, *, staying: bool, without: I64 = _NOBODY
) -> Answers:
    """Look texts up, exact copies first; near-duplicates are sought of the others only.

    Args:
        staying: only texts that stay in the index count as near-duplicates: those alone may be a witness.
        without: texts of the index, ascending, that count as not there.
    """
    exact = _exact(tables, asked.text, without)
    places = np.flatnonzero(asked.signed & (exact < 0))
    words = _Words()
    if len(places):
        for number in range(parameters.bands):
            keys = asked.keys(number)[places]
            for wanted, entries in _bucket_entries(tables, number, np.unique(keys)):
                usable = _usable(tables, entries[1], staying, without)
                owner, text = of_crowds_the_best(tables, entries[0][usable], entries[1][usable], parameters)
                words.add(*_joined(keys, wanted, owner, text, places))
            tables.release()
    left, text = words.best()
    similarity = _compared(tables, asked, left, text, parameters)
    near = similarity >= parameters.similarity
    order = np.lexsort((text[near], -similarity[near], left[near]))
    return Answers(exact, left[near][order], text[near][order], similarity[near][order], len(left))


def rows_of(tables: Tables, texts: I64, columns: Sequence[str] | None = None) -> Columns:
    """Rows of the table `texts`, of m texts in any order; pages are given back on the way."""
    sought, back = np.unique(texts, return_inverse=True)
    found = [tables.find("texts", sought[:0], columns=columns)[1]]
    for start in range(0, len(sought), _FOUND):
        found.append(tables.find("texts", sought[start : start + _FOUND], columns=columns)[1])
        tables.release()
    return {name: np.concatenate([piece[name] for piece in found])[back] for name in found[0]}


def _exact(tables: Tables, hashes: U64, without: I64) -> I64:
    """The living text that is the same, -1 where there is none."""
    exact = np.full(len(hashes), -1, np.int64)
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))
    for start in range(0, len(order), _FOUND):
        places = order[start : start + _FOUND]
        same, row = tables.find("hashes", hashes[places, 0], hashes[places, 1])
        exact[places[same]] = row["text"][same]
        tables.release()
    there = np.flatnonzero(exact >= 0)
    exact[there[~_usable(tables, exact[there], False, without)]] = -1
    return exact


def _usable(tables: Tables, texts: I64, staying: bool, without: I64) -> Bools:
    """Whether a text counts: it lives (and stays, where that is asked) and is none of those left out: bool[m]."""
    rows = rows_of(tables, texts, ["count", "witness", "side"] if staying else ["count"])
    usable = (rows["count"] > 0) & ~np.isin(texts, without)
    if staying:
        usable &= (rows["witness"] < 0) & (rows["side"] != HELD)
    return np.asarray(usable)


def _bucket_entries(tables: Tables, number: int, wanted: U64) -> Iterator[tuple[U64, tuple[I64, I64]]]:
    """Stretches of the sorted keys, and of each the index's entries: place in the stretch, and text."""
    held = sum(len(segment.tables[band(number)]["key"]) for segment in tables.segments)
    pieces = 1 + held // _STRETCH
    for part in np.array_split(wanted, pieces):
        if len(part):
            owner, entries = tables.under(band(number), part)
            yield part, (owner, entries["text"])
            if pieces > 1:
                tables.release()


def _joined(keys: U64, wanted: U64, owner: I64, text: I64, places: I64) -> tuple[I64, I64]:
    """Pairs of a place whose key is the `owner`-th of the wanted ones, and a text that stands under it."""
    order = np.argsort(owner, kind="stable")
    owner, text = owner[order], text[order]
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    hit = np.flatnonzero(wanted[at] == keys)
    low, high = (np.searchsorted(owner, at[hit], side) for side in ("left", "right"))
    return np.repeat(places[hit], high - low), text[ranges(low, high - low)]


def _compared(tables: Tables, asked: Asked, left: I64, text: I64, parameters: IndexParameters) -> F64:
    """Exact similarity of pairs sorted by place; below the threshold some are given up, with 0."""
    similarity = np.zeros(len(left), np.float64)
    if len(left) == 0:
        return similarity
    held = [SetsOf(segment.tables) for segment in tables.segments]
    homes = homes_of(held, text)
    rows = np.zeros(len(left), np.int64)
    weights = asked.sizes[left] * _SHINGLE // 2
    for home, one in enumerate(held):
        here = np.flatnonzero(homes == home)
        rows[here] = one.rows(text[here])
        weights[here] += (one.sets.bounds[rows[here] + 1] - one.sets.bounds[rows[here]]) * _SHINGLE
    tables.release()
    for part in in_chunks(weights, _COMPARED):
        documents, places = np.unique(left[part], return_inverse=True)
        sets = _frozen(shingle_sets(asked.texts(documents), parameters.shingle))
        for home, one in enumerate(held):
            here = np.flatnonzero(homes[part] == home)
            if len(here):
                found = jaccard(sets, places[here], one.sets, rows[part][here], parameters.similarity)
                similarity[part.start + here] = found
        tables.release()
    return similarity


def _frozen(sets: ShingleSets) -> ShingleSets:
    """The sets read-only, as those of an index are: compiled code is then the same."""

    def frozen(array: Array) -> Array:
        array = array.view()
        array.flags.writeable = False
        return array

    return ShingleSets(frozen(sets.values), frozen(sets.bounds))
