"""Proof that an incremental index holds what a build from nothing over its documents would give, from its own files."""

from __future__ import annotations

import numpy as np

from corpus.errors import StaleError
from dedup.index import Index
from dedup.index_clusters import UNDECIDED, closure, settle
from dedup.index_links import changed_links, ranks_of, similarities
from dedup.index_segments import REBUILD
from dedup.index_tables import GONE, I64, Tables, newest_rows
from dedup.runs import Columns, concatenate


def check(index: Index) -> None:
    """Compare hashes of files, order of tables, then links, similarities, clusters and survivors, all worked out anew.

    Everything is held in memory: about as much as the index without its shingles, several times.

    Raises:
        StaleError: something is not as it should be; what, where, and what to do.
    """
    index.check_files()
    where = str(index.folder)
    _check_order(index)
    rows = _newest(index.tables, "texts")
    alive = rows["count"] > 0
    rows = {name: column[alive] for name, column in rows.items()}
    texts = rows.pop("text")
    _same(_by_documents(index, texts), {n: rows[n] for n in (*_OF_DOCUMENTS, *index.parameters.worth)}, where)

    nothing = Tables(index.tables.shapes, [])
    left, right, *_ = changed_links(nothing, index.tables, texts, index.parameters, index.memory)
    similarity = similarities(index.tables, left, right)
    near = similarity >= index.parameters.similarity
    built = {"one": left[near], "other": right[near], "similarity": similarity[near]}
    edges = closure(index.tables, texts)[1]
    order = np.lexsort((edges[1], edges[0]))
    held = {name: column[order] for name, column in zip(built, edges, strict=True)}
    _same(built, held, where)
    now = settle(texts, rows, np.full(len(texts), UNDECIDED), edges, index.parameters)
    _same(now, rows, where)


_OF_DOCUMENTS = ("count", "best_hi", "best_lo", "length", "created", "least_hi", "least_lo")


def _by_documents(index: Index, texts: I64) -> Columns:
    """What the living documents say of each text."""
    documents = _newest(index.tables, "documents")
    here = documents["text"] != GONE
    documents = {name: column[here] for name, column in documents.items()}
    if index.totals["documents"] != int(here.sum()):
        told = f"{int(here.sum())} documents, the manifest says {index.totals['documents']}"
        raise StaleError(told, where=str(index.folder), fix=REBUILD)
    place = np.searchsorted(texts, documents["text"])
    ranks = ranks_of({**documents, "best_hi": documents["id_hi"], "best_lo": documents["id_lo"]}, index.parameters)
    best = newest_rows([documents["text"]], -ranks)
    least = newest_rows([documents["text"]], -np.arange(len(place)))  # documents are sorted by id
    facts = {"best_hi": "id_hi", "best_lo": "id_lo", "length": "length", "created": "created"}
    facts |= {name: name for name in index.parameters.worth}
    found = {name: documents[source][best] for name, source in facts.items()}
    found |= {"least_hi": documents["id_hi"][least], "least_lo": documents["id_lo"][least]}
    return {"count": np.bincount(place, minlength=len(texts)), **found}


def _newest(tables: Tables, name: str) -> Columns:
    pieces = [segment.tables[name] for segment in tables.segments]
    if not pieces:
        return {column: np.zeros(0, kind) for column, kind in tables.shapes[name].columns.items()}
    rows = concatenate(pieces)
    ages = np.repeat(np.arange(len(pieces)), [len(next(iter(piece.values()))) for piece in pieces])
    newest = newest_rows([rows[key] for key in tables.shapes[name].keys], ages)
    return {column: values[newest] for column, values in rows.items()}


def _check_order(index: Index) -> None:
    """Every table is sorted by its keys, without repeats: binary search stands on that."""
    for segment in index.tables.segments:
        for name, shape in index.tables.shapes.items():
            keys = [segment.tables[name][key] for key in shape.keys]
            if not keys or len(keys[0]) < 2:
                continue
            rising = np.zeros(len(keys[0]) - 1, bool)
            for key in reversed(keys):
                rising = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & rising)
            if not rising.all():
                raise StaleError(f"table {name} of {segment.name} is not sorted", where=str(index.folder), fix=REBUILD)


def _same(built: Columns, held: Columns, where: str) -> None:
    for name, column in built.items():
        if len(column) != len(held[name]) or (column != held[name]).any():
            told = f"column {name!r} is not what a build from nothing gives"
            raise StaleError(told, where=where, fix=REBUILD)
