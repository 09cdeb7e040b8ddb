"""Which pairs of texts the band rule links, before and after a change of the incremental index, and their similarity.

The rule of `bands.link` looks at a whole bucket: a document is paired with the best and with the next better ones. So
a bucket that a change touches is linked anew as it was and as it is; the difference of the two are the pairs to
compare and those to forget. What no change touched stays as it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dedup.bands import distinct_pairs, link, shared
from dedup.index_parameters import IndexParameters
from dedup.index_segments import band
from dedup.index_tables import I64, Bools, Pairs, Tables, in_chunks, without
from dedup.inputs import rank
from dedup.runs import Array, Columns
from dedup.shingles import ShingleSets
from dedup.verify import jaccard

F64 = npt.NDArray[np.float64]
_MANY = 1 << 20
_ENTRY = 256  # bytes that a band's entry takes while its bucket is linked
BEST = ("count", "best_hi", "best_lo", "length", "created")


def ranks_of(rows: Columns, parameters: IndexParameters) -> I64:
    """Place of each text in the order of preference by its best document: int64[n]."""
    facts = {"length": rows["length"], "created": rows["created"], "id_hi": rows["best_hi"], "id_lo": rows["best_lo"]}
    facts |= {name: rows[name] for name in parameters.worth}
    return rank(facts, np.arange(len(rows["length"])), parameters.prefer)


def changed_links(
    before: Tables, after: Tables, touched: I64, parameters: IndexParameters, memory: int
) -> tuple[I64, I64, I64, I64]:
    """Pairs of texts that the rule links only now (two int64 arrays, the lower number first), and no longer (two).

    Args:
        touched: texts that came, went, or whose best document changed, ascending.
    """
    names = [band(number) for number in range(parameters.bands)]
    found, keys = after.find("sets", touched, columns=names)  # a text shorter than a shingle has none
    touched_keys = {name: np.unique(column[found]) for name, column in keys.items()}
    then, now = _Pairs(), _Pairs()
    for name in names:
        wanted = touched_keys[name]
        for part in in_chunks(after.count(name, wanted), max(1, memory // _ENTRY)):
            owner, entries = after.under(name, wanted[part])
            then.add(*_linked(before, owner, entries["text"], parameters))
            now.add(*_linked(after, owner, entries["text"], parameters))
    linked, were_linked = now.all(), then.all()
    gained, lost = without(linked, were_linked), without(were_linked, linked)
    gone_left, gone_right = were_linked[0][lost], were_linked[1][lost]
    held, row = before.find("edges", gone_left, gone_right)
    was_edge = held & (row["similarity"] >= 0)  # the others were compared and are not similar
    gone_left, gone_right = gone_left[was_edge], gone_right[was_edge]
    still = _linked_elsewhere(after, gone_left, gone_right, touched_keys, parameters)
    return linked[0][gained], linked[1][gained], gone_left[~still], gone_right[~still]


class _Pairs:
    """Distinct pairs out of many pieces; crowded buckets come again in every band, so repeats are thinned in time."""

    def __init__(self) -> None:
        self._pieces = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        self._waiting = self._distinct = 0

    def add(self, left: I64, right: I64) -> None:
        self._pieces.append((left, right))
        self._waiting += len(left)
        if self._waiting > max(_MANY, self._distinct):
            self.all()

    def all(self) -> Pairs:
        """Sorted by left, then right."""
        found = distinct_pairs(*(np.concatenate([piece[side] for piece in self._pieces]) for side in (0, 1)))
        self._pieces, self._waiting, self._distinct = [found], 0, len(found[0])
        return found


def _linked(tables: Tables, buckets: Array, texts: Array, parameters: IndexParameters) -> tuple[I64, I64]:
    """Pairs of living texts within buckets, the lower number first."""
    several = shared(buckets)
    buckets, texts = buckets[several], texts[several]
    members, index = np.unique(texts, return_inverse=True)
    rows = tables.find("texts", members, columns=[*BEST, *parameters.worth])[1]
    alive = rows["count"] > 0
    if not alive.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    ranks = np.full(len(members), -1)
    ranks[alive] = ranks_of({name: column[alive] for name, column in rows.items()}, parameters)
    by_rank = np.empty(int(alive.sum()), np.int64)
    by_rank[ranks[alive]] = members[alive]
    entries = alive[index]
    keys = buckets[entries].astype(np.uint64)
    better, worse = link(keys, ranks[index[entries]], parameters.neighbours)
    left, right = by_rank[better], by_rank[worse]
    return distinct_pairs(np.minimum(left, right), np.maximum(left, right))


def _linked_elsewhere(
    after: Tables, left: I64, right: I64, touched: dict[str, Array], parameters: IndexParameters
) -> Bools:
    """Whether a bucket that no change touched still links a pair of living texts: bool[m]."""
    still = np.zeros(len(left), bool)
    if len(left) == 0:
        return still
    names = list(touched)
    alive = (after.find("texts", left)[1]["count"] > 0) & (after.find("texts", right)[1]["count"] > 0)
    ours, theirs = (after.find("sets", side, columns=names)[1] for side in (left, right))
    for name in names:
        common = alive & ~still & (ours[name] == theirs[name]) & ~np.isin(ours[name], touched[name])
        places = np.flatnonzero(common)
        if len(places):
            owner, entries = after.under(name, np.unique(ours[name][places]))
            linked = _linked(after, owner, entries["text"], parameters)
            still[places] |= ~without((left[places], right[places]), linked)
    return still


def similarities(tables: Tables, left: I64, right: I64) -> F64:
    """Exact Jaccard similarity of pairs of texts out of their stored shingle sets: float64[m]."""
    found = np.zeros(len(left), np.float64)
    if len(left) == 0:
        return found
    held = [SetsOf(segment.tables) for segment in tables.segments]
    homes = [homes_of(held, side) for side in (left, right)]
    for one in np.unique(homes[0]):
        for other in np.unique(homes[1]):
            places = np.flatnonzero((homes[0] == one) & (homes[1] == other))
            if len(places):
                rows = held[one].rows(left[places]), held[other].rows(right[places])
                found[places] = jaccard(held[one].sets, rows[0], held[other].sets, rows[1])
    return found


class SetsOf:
    """The shingle sets of one segment, over its memory map."""

    def __init__(self, tables: dict[str, Columns]) -> None:
        self.texts = tables["sets"]["text"]
        self.sets = ShingleSets(tables["shingles"]["value"], tables["bounds"]["at"])

    def rows(self, texts: I64) -> I64:
        """Places of texts, -1 or another's where they are not here."""
        return np.searchsorted(self.texts, texts).astype(np.int64)


def homes_of(held: list[SetsOf], texts: I64) -> I64:
    """Index of the segment that holds each text's set."""
    homes = np.full(len(texts), -1, np.int64)
    for number, one in enumerate(held):
        if len(one.texts):
            places = np.minimum(one.rows(texts), len(one.texts) - 1)
            homes[one.texts[places] == texts] = number
    return homes
