"""What the incremental index says: of documents in it (who stays, for whom), and of texts that may resemble them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import SourceError, UsageError
from corpus.normalising import normalise
from corpus.sources import reader_for
from dedup.index import Index
from dedup.index_links import BEST, ranks_of, similarities
from dedup.index_parameters import IndexParameters
from dedup.index_segments import band, empty_segment
from dedup.index_sources import Fields, batches_of
from dedup.index_tables import GONE, I64, Tables
from dedup.index_update import Ids, put_sets
from dedup.inputs import format_ids
from dedup.minhash import band_keys, sign
from dedup.runs import Array, Columns
from dedup.shingles import shingle_sets
from dedup.splits import SPLITS
from dedup.unique import EXACT, HELD, NEAR, SPLIT

_CROWD, _BEST = 256, 9  # of a bucket with more texts only the best ones are compared


def verdicts(tables: Tables, ids: Ids) -> pa.Table:
    """A row for each of n ids: `id, known, cluster, size, split, keep, rule, witness, similarity`.

    Nulls but for `known` = false where the id is not in the index. Of texts that are held out `split` is null.
    """
    known, document = tables.find("documents", *ids)
    known &= document["text"] != GONE
    rows = tables.find("texts", document["text"])[1]
    best = (rows["best_hi"] == ids[0]) & (rows["best_lo"] == ids[1])
    near, held = rows["witness"] >= 0, rows["side"] == HELD
    keep = best & ~near & ~held
    rule = np.select([near, held, ~best], [NEAR, SPLIT, EXACT], "").astype(object)
    rule[keep] = None
    seen = tables.find("texts", np.where(near, rows["witness"], 0), columns=["best_hi", "best_lo"])[1]
    witness = [np.where(near, seen[name], rows[name]) for name in ("best_hi", "best_lo")]
    similarity = np.where(near, rows["similarity"], 1.0)
    alone = keep | ~known | (~near & held)  # no witness
    split = np.array([*SPLITS, None], object)[rows["side"]]
    masks = {"witness": alone, "similarity": alone, "rule": keep}
    columns: dict[str, Any] = {
        "cluster": format_ids(rows["cluster_hi"], rows["cluster_lo"]),
        "size": rows["size"],
        "split": pa.array(split.tolist(), pa.string()),
        "keep": keep,
        "rule": pa.array(rule.tolist(), pa.string()),
        "witness": format_ids(*witness),
        "similarity": similarity,
    }
    whole = {"id": format_ids(*ids), "known": pa.array(known)}
    for name, column in columns.items():
        hidden = pa.array(masks.get(name, ~known) | ~known)
        array = column if isinstance(column, pa.Array) else pa.array(column)
        whole[name] = pc.if_else(hidden, pa.scalar(None, array.type), array)
    return pa.table(whole)


@dataclass(frozen=True, slots=True)
class Match:
    """A text of the index that a given one repeats: the preferred document that has it, and what became of it.

    Attributes:
        similarity: exact Jaccard; 1 where `exact` (the same text but for white space).
        documents: how many have this text.
        split: None where it is held out.
    """

    id: str
    exact: bool
    similarity: float
    keep: bool
    cluster: str
    split: str | None
    documents: int


def query(tables: Tables, texts: pa.LargeStringArray, parameters: IndexParameters, most: int = 5) -> list[list[Match]]:
    """For each text what it repeats in the index, the most similar first, at most so many.

    In a bucket of more than 256 texts only the best ones are compared, as when documents come.
    """
    signed = sign(texts, parameters.shingle, parameters.bands * parameters.rows)
    same, row = tables.find("hashes", signed.text[:, 0], signed.text[:, 1])
    exact = np.where(same, row["text"], -1)
    places = np.flatnonzero(signed.shingles > 0)
    keys = band_keys(signed.values[places], parameters.bands, parameters.rows)
    asked, found = _candidates(tables, keys, parameters)
    # The texts stand beside the index as a segment of their own, so that they are compared like any pair of it.
    beside = empty_segment("asked", tables.shapes)
    own = np.iinfo(np.int64).max - len(places) + np.arange(len(places))
    sets = shingle_sets(texts.take(pa.array(places)), parameters.shingle)
    put_sets(beside, dict(tables.shapes), own, sets, keys)

    similarity = similarities(Tables(tables.shapes, [*tables.segments, beside]), own[asked], found)
    asked = places[asked]
    near = (similarity >= parameters.similarity) & (found != exact[asked])
    asked, found, similarity = asked[near], found[near], similarity[near]
    whole = np.flatnonzero(same)
    asked, found = np.concatenate([whole, asked]), np.concatenate([exact[whole], found])
    similarity = np.concatenate([np.ones(len(whole)), similarity])
    rows = tables.find("texts", found)[1]
    alive = rows["count"] > 0
    asked, similarity, is_same = asked[alive], similarity[alive], (np.arange(len(found)) < len(whole))[alive]
    rows = {name: column[alive] for name, column in rows.items()}
    told: list[list[Match]] = [[] for _ in range(len(texts))]
    for text, match in _matches(asked, similarity, is_same, rows):
        if len(told[text]) < most:
            told[text].append(match)
    return told


def _candidates(tables: Tables, keys: Array, parameters: IndexParameters) -> tuple[I64, I64]:
    """Distinct pairs of a row of `keys` and a text of the index that share a bucket."""
    pieces = []
    for number in range(parameters.bands):
        wanted, back = np.unique(keys[:, number], return_inverse=True)
        owner, entries = tables.under(band(number), wanted)
        owner, found = of_crowds_the_best(tables, owner, entries["text"], parameters)
        order = np.argsort(owner, kind="stable")
        starts, ends = (np.searchsorted(owner[order], back, side) for side in ("left", "right"))
        for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            if end > start:
                pieces.append(np.stack([np.full(end - start, row), found[order[start:end]]]))
    if not pieces:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pairs = np.unique(np.concatenate(pieces, axis=1), axis=1)
    return pairs[0], pairs[1]


def of_crowds_the_best(tables: Tables, owner: I64, texts: I64, parameters: IndexParameters) -> tuple[I64, I64]:
    """The entries of buckets (owner: which one), of those with too many texts the best ones only."""
    crowded = np.bincount(owner)[owner] > _CROWD if len(owner) else np.zeros(0, bool)
    if not crowded.any():
        return owner, texts
    rows = tables.find("texts", texts[crowded], columns=[*BEST, *parameters.worth])[1]
    alive = rows["count"] > 0
    theirs, members = owner[crowded][alive], texts[crowded][alive]
    ranks = ranks_of({name: column[alive] for name, column in rows.items()}, parameters)
    order = np.lexsort((ranks, theirs))
    place = np.arange(len(order)) - np.searchsorted(theirs[order], theirs[order])
    best = order[place < _BEST]
    return np.concatenate([owner[~crowded], theirs[best]]), np.concatenate([texts[~crowded], members[best]])


def _matches(asked: I64, similarity: Array, exact: Array, rows: Columns) -> Iterator[tuple[int, Match]]:
    """Matches, the best of each text first."""
    ids = format_ids(rows["best_hi"], rows["best_lo"]).to_pylist()
    clusters = format_ids(rows["cluster_hi"], rows["cluster_lo"]).to_pylist()
    for i in np.lexsort((rows["best_lo"], rows["best_hi"], -similarity, ~exact, asked)).tolist():
        held = int(rows["side"][i]) == HELD
        yield (
            int(asked[i]),
            Match(
                ids[i],
                bool(exact[i]),
                float(similarity[i]),
                bool(rows["witness"][i] < 0 and not held),
                clusters[i],
                None if held else SPLITS[rows["side"][i]],
                int(rows["count"][i]),
            ),
        )


def answers(index: Index, asked: str | Path, fields: Fields, most: int = 5) -> Iterator[tuple[str | None, list[Match]]]:
    """Of a text, or of each document of a file, its id (None for a text) and what it repeats.

    Args:
        asked: the text; or a file, read as documents where its format has ids, else (.txt, …) as one text.

    Raises:
        UsageError: no such file.
        SourceError: a record of it cannot be read.
    """
    if isinstance(asked, Path):
        if not asked.is_file():
            raise UsageError("no such file", where=str(asked), fix="give a file of documents, a text file or --text")
        reader = reader_for(asked.name)
        if reader is not None and reader.name != "plain":
            yield from _of_documents(index, asked, fields, most)
            return
        asked = asked.read_text(encoding="utf-8-sig", errors="replace")
    texts = pa.array([normalise(asked).text], pa.large_string())
    yield None, query(index.tables, texts, index.parameters, most)[0]


def _of_documents(index: Index, file: Path, fields: Fields, most: int) -> Iterator[tuple[str | None, list[Match]]]:
    for batch in batches_of(file, fields, index.memory // 2):
        for one in batch.unreadable:
            raise SourceError(one.detail, where=f"{one.path}, {one.offset}", fix="mend or remove that record")
        names = format_ids(batch.documents.id_hi, batch.documents.id_lo).to_pylist()
        found = query(index.tables, batch.documents.texts, index.parameters, most)
        yield from zip((key or name for key, name in zip(batch.keys, names, strict=True)), found, strict=True)
