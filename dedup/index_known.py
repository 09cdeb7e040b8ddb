"""The stage's look into an incremental index (`dedup.index`): what it has already, and where its clusters stand.

    own    one job   texts of the index that this run gave it earlier: they count as not there
    known  map       of a shard's documents those that the index has, or that resemble something in it

Follows `superseded`, before `labels`. A document that repeats one that stays in the index is removed, that one its
witness; one that only resembles what the index removed takes the side of that cluster; one that would join two sides is
held out. What is given to the index at the end stands in `index_giving.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import StaleError
from corpus.shards import JobContext, Outcome
from dedup.index import Index
from dedup.index_clusters import UNDECIDED
from dedup.index_giving import given_ids
from dedup.index_lookup import Answers, Asked, look_up, rows_of
from dedup.index_parameters import IndexParameters
from dedup.index_tables import I64, Tables, without
from dedup.index_update import Ids
from dedup.inputs import edited_texts, kept_by_decide
from dedup.runs import Columns, Layout, concatenate, read_run, write_run
from dedup.settings import DedupSettings
from dedup.signing import sign_texts
from dedup.unique import HELD, INDEX_EXACT, INDEX_NEAR, RULES, SPLIT
from dedup.versions import is_superseded

_BLOCK = 1 << 20  # documents looked up at a time
_ROW: dict[str, Any] = {
    "row": np.int64,
    "rule": np.int8,
    "side": np.int8,
    "witness_hi": np.uint64,
    "witness_lo": np.uint64,
}
_ROW |= {"similarity": np.float64, "cluster_hi": np.uint64, "cluster_lo": np.uint64}
_EXACT, _NEAR, _SPLIT = RULES.index(INDEX_EXACT), RULES.index(INDEX_NEAR), RULES.index(SPLIT)
Bools = npt.NDArray[np.bool_]


def opened(context: JobContext, settings: DedupSettings, seed: int, folder: str, now: str) -> Index | None:
    """The index as it was when the stage was planned; None where there was none yet, or nothing in it.

    Raises:
        StaleError: it has changed since then.
    """
    if not now:
        return None
    index = Index.open(Path(folder), IndexParameters.of(settings, seed), context.memory)
    if index.state != now:
        told = "the index changed while this run was looking its documents up"
        raise StaleError(told, where=folder, fix="run again: they are looked up in the index as it is then")
    return index


def list_own(context: JobContext, *, settings: DedupSettings, seed: int, folder: str, now: str, state: str) -> Outcome:
    """One job: the run `own`: texts of the index that this run's earlier documents hold.

    Columns: `text` (ascending), `alone` (1 where nobody else's document has it), `id_hi`, `id_lo` (smallest id of
    another's that has it).
    """
    index = opened(context, settings, seed, folder, now)
    ids = given_ids(context.run, settings)
    found: Columns = {"text": np.zeros(0, np.int64), "alone": np.zeros(0, np.int8)}
    found |= {"id_hi": np.zeros(0, np.uint64), "id_lo": np.zeros(0, np.uint64)}
    if index is not None and len(ids[0]):
        known, rows = index.tables.find("documents", *ids)
        texts, times = np.unique(rows["text"][known & (rows["text"] >= 0)], return_counts=True)
        count = rows_of(index.tables, texts, ["count"])["count"]
        found = {"text": texts, "alone": (times == count).astype(np.int8), **_others(index.tables, texts, ids)}
    return Outcome((write_run(context, "own", "texts", found),))


def _others(tables: Tables, texts: I64, own: Ids) -> Columns:
    """Smallest id, of each text, among the documents that are not this run's; 0 where there is none."""
    owner, members = tables.under("members", texts)
    ids = members["id_hi"], members["id_lo"]
    strange = (tables.find("documents", *ids)[1]["text"] == members["text"]) & without(ids, own)
    order = np.lexsort((ids[1][strange], ids[0][strange], owner[strange]))
    place, first = np.unique(owner[strange][order], return_index=True)
    found = {"id_hi": np.zeros(len(texts), np.uint64), "id_lo": np.zeros(len(texts), np.uint64)}
    for name, side in zip(found, ids, strict=True):
        found[name][place] = side[strange][order][first]
    return found


def find_known(
    context: JobContext,
    *,
    layout: Layout,
    shard: int,
    settings: DedupSettings,
    seed: int,
    folder: str,
    now: str,
    state: str,
) -> Outcome:
    """Map: the run `known`: a shard's documents that the index has or that resemble something in it, by row.

    Columns: `row`, `rule` (place in RULES; 0: not removed), `side` (in SPLITS, HELD between two, UNDECIDED),
    `witness_hi`, `witness_lo`, `similarity`, `cluster_hi`, `cluster_lo` (the smallest of those it resembles).

    Args:
        folder, now: where the index lies, and its state as the stage was planned.
        state: the state that the result is named by.
    """
    index = opened(context, settings, seed, folder, now)
    pieces = [{name: np.zeros(0, kind) for name, kind in _ROW.items()}]
    if index is not None:
        kept = kept_by_decide(context.run, layout, shard) & ~is_superseded(context, layout, shard)
        rows = np.flatnonzero(kept)
        texts = edited_texts(context.run, layout, shard, rows)
        own = read_run(context.run, "own", "texts")
        for start in range(0, len(rows), _BLOCK):
            part = _look(index, texts.slice(start, _BLOCK), settings, own)
            part["row"] = rows[start + part["row"]]
            pieces.append(part)
    return Outcome((write_run(context, "known", layout.names[shard], concatenate(pieces)),))


def _look(index: Index, texts: pa.LargeStringArray, settings: DedupSettings, own: Columns) -> Columns:
    text, keys, _, shingled = sign_texts(texts, settings)
    sizes = pc.binary_length(texts).to_numpy().astype(np.int64)
    asked = Asked(text, shingled, sizes, lambda band: keys[:, band], lambda places: texts.take(pa.array(places)))
    alone = own["text"][own["alone"] == 1]
    answers = look_up(index.tables, asked, index.parameters, staying=False, without=alone)
    return _judged(index.tables, answers, own)


def _judged(tables: Tables, answers: Answers, own: Columns) -> Columns:
    """What becomes of each document that the index knows something of; `row` is its place."""
    same = np.flatnonzero(answers.exact >= 0)
    place = np.concatenate([same, answers.asked])
    text = np.concatenate([answers.exact[same], answers.text])
    similarity = np.concatenate([np.ones(len(same)), answers.similarity])
    exact = np.arange(len(place)) < len(same)
    rows = rows_of(tables, text)
    # A text that only this run's own document removed would stay without it.
    removed = (rows["witness"] >= 0) & ~np.isin(rows["witness"], own["text"][own["alone"] == 1])
    stays = ~removed & (rows["side"] != HELD)
    through = exact & removed  # the same text was removed already: its witness is ours too
    witness = np.where(through, rows["witness"], text)
    similarity = np.where(through, rows["similarity"], similarity)
    high, low = _ids(tables, witness, own)

    found: Columns = {name: np.zeros(0, kind) for name, kind in _ROW.items()}
    found["row"], group = np.unique(place, return_inverse=True)
    count = len(found["row"])
    for name in ("witness_hi", "witness_lo", "similarity", "rule"):
        found[name] = np.zeros(count, _ROW[name])
    found["side"] = _side_of_each(group, count, rows["side"])
    found["cluster_hi"], found["cluster_lo"] = _least_of_each(group, rows["cluster_hi"], rows["cluster_lo"])
    vouches = np.flatnonzero(stays | through)
    order = vouches[np.lexsort((low[vouches], high[vouches], -similarity[vouches], ~exact[vouches], group[vouches]))]
    gone, first = np.unique(group[order], return_index=True)
    best = order[first]
    found["rule"][gone] = np.where(exact[best] & ~through[best], _EXACT, _NEAR)
    found["witness_hi"][gone], found["witness_lo"][gone] = high[best], low[best]
    found["similarity"][gone] = similarity[best]
    held = exact & (rows["side"] == HELD) & ~removed
    found["side"][group[held]] = HELD
    found["rule"][(found["rule"] == 0) & (found["side"] == HELD)] = _SPLIT
    return found


def _ids(tables: Tables, texts: I64, own: Columns) -> Ids:
    """The documents that stand for texts: the preferred ones, of texts that this run gave too another's."""
    rows = rows_of(tables, texts, ["best_hi", "best_lo"])
    high, low = rows["best_hi"].copy(), rows["best_lo"].copy()
    shared = own["alone"] == 0
    mine = np.flatnonzero(np.isin(texts, own["text"][shared]))
    at = np.searchsorted(own["text"][shared], texts[mine])
    high[mine], low[mine] = own["id_hi"][shared][at], own["id_lo"][shared][at]
    return high, low


def _side_of_each(group: I64, count: int, side: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The side on which all that a document resembles stand, HELD where they stand on several, else UNDECIDED."""
    speaks = side != HELD
    least, most = np.full(count, HELD, np.int8), np.full(count, UNDECIDED, np.int8)
    np.minimum.at(least, group[speaks], side[speaks])
    np.maximum.at(most, group[speaks], side[speaks])
    return np.where(most < 0, UNDECIDED, np.where(least == most, most, HELD)).astype(np.int8)


def _least_of_each(group: I64, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> Ids:
    """The smallest of the ids of each group; groups are numbered from 0."""
    order = np.lexsort((low, high, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return high[first], low[first]
