"""One change of the incremental index, worked out in memory: documents come or go, and a new segment says what is so.

Everything is looked up by key, nothing of the index is read through: the cost goes with the change and with the
buckets and components it touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.index_clusters import I8, UNDECIDED, closure, settle
from dedup.index_links import changed_links, ranks_of, similarities
from dedup.index_parameters import IndexParameters
from dedup.index_segments import Segment, Table, band, empty_segment
from dedup.index_tables import GONE, I64, Bools, Tables, groups, newest_rows, without
from dedup.inputs import U64
from dedup.minhash import band_keys, sign
from dedup.runs import Array, Columns, concatenate
from dedup.shingles import ShingleSets, shingle_sets
from dedup.unique import HELD

KNOWN, SUPERSEDED, ACCEPTED = 0, 1, 2
Ids = tuple[U64, U64]


@dataclass(frozen=True, slots=True)
class Documents:
    """n documents that come: ids (two uint64), dates (int64 µs, NO_DATE where none), texts (large_string).

    side: int8[n], the split they were given out in (index in SPLITS), UNDECIDED where none; None: all undecided.
    worth: `quality` and `rights`, where the index prefers by them and they are known (see `dedup.inputs.worth`).
    """

    id_hi: U64
    id_lo: U64
    created: I64
    texts: pa.LargeStringArray
    side: I8 | None = None
    worth: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id_hi)

    def valued(self, names: Sequence[str]) -> Columns:
        """`quality` and `rights` as they are held: what is not known is the least of all, and equal to itself."""
        least = {"quality": -np.inf, "rights": 0}
        found = {name: self.worth.get(name, np.full(len(self), least[name])) for name in names}
        return {name: np.where(np.isnan(column), least[name], column) for name, column in found.items()}


@dataclass(slots=True)
class Change:
    """What a change did.

    Attributes:
        segment: the new rows.
        next_text: number of the next new text.
        totals: what the totals of the index grow by (documents, texts, clusters, kept, held).
        outcome: int8 for each document that came: KNOWN, SUPERSEDED (an older version), ACCEPTED.
        missing: places, among the distinct ids to remove, of those that are not in the index.
        promoted: ids that stay now and did not, though they were there.
        replaced: ids that stayed and do not, though they are still there.
    """

    segment: Segment
    next_text: int
    totals: dict[str, int]
    outcome: npt.NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    missing: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    promoted: Ids = (np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    replaced: Ids = (np.zeros(0, np.uint64), np.zeros(0, np.uint64))


@dataclass(slots=True)
class _Work:
    """A change being worked out: the index as it was, as it will be, and the segment that makes the difference."""

    parameters: IndexParameters
    shapes: dict[str, Table]
    before: Tables
    segment: Segment
    after: Tables
    next_text: int
    memory: int

    def put(self, table: str, columns: Columns) -> None:
        """Set a table of the new segment, sorted by its keys."""
        shape = self.shapes[table]
        order = np.lexsort([columns[name] for name in reversed(list(shape.keys))])
        self.segment.put(table, shape, {name: columns[name][order] for name in shape.columns})


def _work(before: Tables, parameters: IndexParameters, next_text: int, memory: int) -> _Work:
    shapes = dict(before.shapes)
    segment = empty_segment("new", shapes)
    return _Work(parameters, shapes, before, segment, Tables(shapes, [*before.segments, segment]), next_text, memory)


def added(before: Tables, documents: Documents, parameters: IndexParameters, next_text: int, memory: int) -> Change:
    """Let documents come.

    Of documents with the same id the one created last stays (none loses to any), then the one that came last.
    """
    work = _work(before, parameters, next_text, memory)
    signed = sign(documents.texts, parameters.shingle, parameters.bands * parameters.rows)
    length = pc.binary_length(documents.texts).to_numpy().astype(np.int64)
    rows = {
        "id_hi": documents.id_hi,
        "id_lo": documents.id_lo,
        "created": documents.created,
        "length": length,
        "hash0": signed.text[:, 0],
        "hash1": signed.text[:, 1],
        "side": np.full(len(documents), UNDECIDED, np.int8) if documents.side is None else documents.side,
        **documents.valued(parameters.worth),
    }
    taken, outcome, known, old = _settle_versions(work, rows)
    rows = {name: column[taken] for name, column in rows.items()}
    rows["text"] = _number_texts(work, rows, taken, documents, signed.shingles, signed.values)
    work.put("documents", rows)
    work.put("members", rows)
    leaving = {name: column[known] for name, column in old.items()}
    change = _carry_through(work, rows, leaving)
    change.outcome = outcome
    return change


def removed(before: Tables, ids: Ids, parameters: IndexParameters, next_text: int, memory: int) -> Change:
    """Take documents back; ids (distinct) that are not there are told."""
    work = _work(before, parameters, next_text, memory)
    found, rows = before.find("documents", *ids)
    found &= rows["text"] != GONE
    leaving = {"id_hi": ids[0][found], "id_lo": ids[1][found], "text": rows["text"][found]}
    zeros = np.zeros(int(found.sum()), np.int64)
    facts = dict.fromkeys(("length", "created", *parameters.worth), zeros)
    work.put("documents", {**leaving, "text": zeros + GONE, **facts})
    nobody = {name: column[:0] for name, column in {**leaving, **facts, "side": zeros}.items()}
    change = _carry_through(work, nobody, leaving)
    change.missing = np.flatnonzero(~found)
    return change


def _settle_versions(work: _Work, rows: Columns) -> tuple[I64, npt.NDArray[np.int8], Bools, Columns]:
    """Which of the documents that come are taken (places), what became of each, and which rows of old versions go."""
    count = len(rows["length"])
    outcome = np.full(count, SUPERSEDED, np.int8)
    latest = newest_rows([rows["id_hi"], rows["id_lo"], rows["created"]], np.arange(count))
    chosen = newest_rows([rows["id_hi"][latest], rows["id_lo"][latest]], rows["created"][latest])
    taken = np.sort(latest[chosen])

    found, old = work.before.find("documents", rows["id_hi"][taken], rows["id_lo"][taken])
    found &= old["text"] != GONE
    is_text, text = work.before.find("hashes", rows["hash0"][taken], rows["hash1"][taken])
    same = found & is_text & (text["text"] == old["text"])
    facts = ("length", "created", *work.parameters.worth)
    same &= np.logical_and.reduce([old[name] == rows[name][taken] for name in facts])
    newer = ~found | (rows["created"][taken] >= old["created"])
    outcome[taken[newer]] = ACCEPTED
    outcome[taken[same]] = KNOWN
    # What is the same as the one of its id that is taken says nothing new either.
    group = groups(rows["id_hi"], rows["id_lo"])
    of_group = np.zeros(count, np.int64)
    of_group[group[taken]] = taken
    kin = of_group[group]
    twin = np.logical_and.reduce([rows[name] == rows[name][kin] for name in ("hash0", "hash1", *facts)])
    outcome[twin & (kin != np.arange(count)) & (outcome[kin] != SUPERSEDED)] = KNOWN
    accepted = outcome[taken] == ACCEPTED
    leaving = (found & accepted)[accepted]
    ids = {"id_hi": rows["id_hi"][taken], "id_lo": rows["id_lo"][taken], "text": old["text"]}
    return taken[accepted], outcome, leaving, {name: column[accepted] for name, column in ids.items()}


def _number_texts(
    work: _Work,
    rows: Columns,
    taken: I64,
    documents: Documents,
    shingles: I64,
    values: npt.NDArray[np.uint32],
) -> I64:
    """Numbers of the documents' texts; new texts are written with their sets and band keys."""
    parameters = work.parameters
    found, row = work.before.find("hashes", rows["hash0"], rows["hash1"])
    numbers = row["text"]
    fresh = np.flatnonzero(~found)
    group = groups(rows["hash0"][fresh], rows["hash1"][fresh])
    numbers[fresh] = work.next_text + group
    firsts = fresh[np.unique(group, return_index=True)[1]]
    work.next_text += len(firsts)
    work.put("hashes", {"hash0": rows["hash0"][firsts], "hash1": rows["hash1"][firsts], "text": numbers[firsts]})
    firsts = firsts[shingles[taken[firsts]] > 0]
    sets = shingle_sets(documents.texts.take(pa.array(taken[firsts])), parameters.shingle)
    keys = band_keys(values[taken[firsts]], parameters.bands, parameters.rows)
    put_sets(work.segment, work.shapes, numbers[firsts], sets, keys)
    return numbers


def put_sets(segment: Segment, shapes: dict[str, Table], texts: I64, sets: ShingleSets, keys: U64) -> None:
    """Set the tables of shingle sets and of bands, for texts in ascending order."""
    named = {band(number): keys[:, number] for number in range(keys.shape[1])}
    segment.put("sets", shapes["sets"], {"text": texts, **named})
    segment.put("bounds", shapes["bounds"], {"at": sets.bounds})
    segment.put("shingles", shapes["shingles"], {"value": sets.values})
    for name, column in named.items():
        order = np.argsort(column, kind="stable")
        segment.put(name, shapes[name], {"key": column[order], "text": texts[order]})


def _carry_through(work: _Work, coming: Columns, leaving: Columns) -> Change:
    """From documents to texts, from texts to links, from links to clusters."""
    texts = np.unique(np.concatenate([coming["text"], leaving["text"]]))
    was_there, old = work.before.find("texts", texts)
    rows = _texts_now(work, texts, old, coming, leaving)
    alive, was_alive = rows["count"] > 0, old["count"] > 0
    rows["side"] = np.where(was_alive, old["side"], np.int8(UNDECIDED))  # a text that comes back begins anew
    work.put("texts", {"text": texts, **rows})
    moved = [rows[name] != old[name] for name in ("best_hi", "best_lo", "length", "created", *work.parameters.worth)]
    touched = texts[(alive != was_alive) | (alive & np.logical_or.reduce(moved))]

    left, right, *lost = changed_links(work.before, work.after, touched, work.parameters, work.memory)
    similarity = similarities(work.after, left, right)
    near = similarity >= work.parameters.similarity
    left, right, similarity = left[near], right[near], similarity[near]
    pairs = np.concatenate([left, lost[0]]), np.concatenate([right, lost[1]])
    both = np.concatenate(pairs), np.concatenate(pairs[::-1])
    said = np.concatenate([similarity, np.full(len(lost[0]), float(GONE))])
    work.put("edges", {"one": both[0], "other": both[1], "similarity": np.concatenate([said, said])})

    dead = texts[~alive]
    seeds = np.unique(np.concatenate([texts, both[0]]))
    members, edges = closure(work.after, np.setdiff1d(seeds, dead))
    before = work.before.find("texts", members)[1]
    wish = np.full(len(members), UNDECIDED, np.int8)
    wish[np.searchsorted(members, coming["text"])] = coming["side"]  # all that come are alive, so members
    now = settle(members, work.after.find("texts", members)[1], wish, edges, work.parameters)
    _put_texts(work, members, now, before, texts[~alive & was_there], rows, ~alive & was_there)
    everything = np.concatenate([members, dead])
    gone = {name: np.concatenate([now[name], rows[name][~alive]]) for name in now}
    return _told(work, work.before.find("texts", everything)[1], gone, coming, leaving)


def _texts_now(work: _Work, texts: I64, old: Columns, coming: Columns, leaving: Columns) -> Columns:
    """The rows of changed texts with count, best and smallest id as they are now; the rest as it was."""
    came, went = np.searchsorted(texts, coming["text"]), np.searchsorted(texts, leaving["text"])
    count = old["count"] + np.bincount(came, minlength=len(texts)) - np.bincount(went, minlength=len(texts))
    lost = np.zeros(len(texts), bool)  # the best or the smallest one left: all members must be asked
    for name in ("best", "least"):
        same = leaving["id_hi"] == old[f"{name}_hi"][went]
        lost[went[same & (leaving["id_lo"] == old[f"{name}_lo"][went])]] = True
    stay = np.flatnonzero((old["count"] > 0) & ~lost)
    kept = ("length", "created", *work.parameters.worth)
    names = ("place", "id_hi", "id_lo", *kept)
    bests = (stay, old["best_hi"][stay], old["best_lo"][stay], *(old[name][stay] for name in kept))
    pieces = [dict(zip(names, bests, strict=True)), {"place": came, **{name: coming[name] for name in names[1:]}}]
    asked = np.flatnonzero(lost & (count > 0))
    if len(asked):
        owner, members = work.after.under("members", texts[asked])
        documents = work.after.find("documents", members["id_hi"], members["id_lo"])[1]
        here = documents["text"] == members["text"]
        facts = {name: documents[name][here] for name in kept}
        pieces.append(
            {"place": asked[owner[here]], "id_hi": members["id_hi"][here], "id_lo": members["id_lo"][here]} | facts
        )
    found = concatenate(pieces)
    rows = {name: column.copy() for name, column in old.items()}
    rows["count"] = count
    ranks = ranks_of({**found, "best_hi": found["id_hi"], "best_lo": found["id_lo"]}, work.parameters)
    place, first = _first_of_each(found["place"], ranks)
    for name, source in (("best_hi", "id_hi"), ("best_lo", "id_lo"), *((name, name) for name in kept)):
        rows[name][place] = found[source][first]
    least = concatenate(
        [
            *({n: p[n] for n in names[:3]} for p in pieces),
            {"place": stay, "id_hi": old["least_hi"][stay], "id_lo": old["least_lo"][stay]},
        ]
    )
    order = np.empty(len(least["place"]), np.int64)
    order[np.lexsort((least["id_lo"], least["id_hi"]))] = np.arange(len(order))
    place, first = _first_of_each(least["place"], order)
    rows["least_hi"][place], rows["least_lo"][place] = least["id_hi"][first], least["id_lo"][first]
    return rows


def _first_of_each(group: Array, ranks: Array) -> tuple[Array, Array]:
    """The groups, and of each the place of its best."""
    order = np.lexsort((ranks, group))
    found, first = np.unique(group[order], return_index=True)
    return found, order[first]


def _put_texts(
    work: _Work, members: I64, now: Columns, before: Columns, dead: I64, rows: Columns, buried: Bools
) -> None:
    """Write the rows that are other than they were, and those of texts that are no more."""
    other = np.logical_or.reduce([now[name] != before[name] for name in now])
    pieces = [{"text": members[other], **{name: column[other] for name, column in now.items()}}]
    pieces.append({"text": dead, **{name: column[buried] for name, column in rows.items()}})
    work.put("texts", concatenate(pieces))


def _told(work: _Work, before: Columns, now: Columns, coming: Columns, leaving: Columns) -> Change:
    """Totals, and which documents began or ceased to stay."""
    totals = {
        name: count - then for (name, count), then in zip(_totals(now).items(), _totals(before).values(), strict=True)
    }
    totals["documents"] = len(coming["text"]) - len(leaving["text"])
    stayed, stays = _staying(before), _staying(now)
    came, went = ((one["id_hi"], one["id_lo"]) for one in (coming, leaving))
    promoted, replaced = without(stays, stayed), without(stayed, stays)
    promoted &= without(stays, came)
    replaced &= without(stayed, went)
    return Change(
        work.segment,
        work.next_text,
        totals,
        promoted=(stays[0][promoted], stays[1][promoted]),
        replaced=(stayed[0][replaced], stayed[1][replaced]),
    )


def _totals(rows: Columns) -> dict[str, int]:
    alive = rows["count"] > 0
    clusters = groups(rows["cluster_hi"][alive], rows["cluster_lo"][alive])
    held = alive & (rows["side"] == HELD)
    return {
        "texts": int(alive.sum()),
        "clusters": int(clusters.max(initial=-1)) + 1,
        "kept": int((alive & (rows["witness"] < 0) & ~held).sum()),
        "held": int(held.sum()),
    }


def _staying(rows: Columns) -> Ids:
    stays = (rows["count"] > 0) & (rows["witness"] < 0) & (rows["side"] != HELD)
    return rows["best_hi"][stays], rows["best_lo"][stays]
