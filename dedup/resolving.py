"""From verified pairs to clusters and survivors, without any process that holds all of them.

    components  one job   union-find over a memory-mapped file, 8 bytes a document, pairs streamed run by run
    labels      map       a shard's documents and pairs, by a hash of their component's label
    resolve     exchange  by that hash: whole components, each judged by itself

Preference is one order of all documents, so judging components apart gives what judging them together would. Memory
of `resolve` is bounded by the recipe, save that a component is never divided: about 300 bytes a document of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from numba import njit

from corpus.errors import StaleError
from corpus.shards import JobContext, Outcome, Output, atomic_path
from dedup.clusters import survivors
from dedup.index_clusters import UNDECIDED, Edges, sides
from dedup.index_parameters import IndexParameters
from dedup.inputs import rank, smaller
from dedup.runs import (
    FOLDER,
    Array,
    Columns,
    Layout,
    concatenate,
    distinct,
    of_shard,
    read_run,
    stretch,
    turns,
    write_run,
)
from dedup.settings import DedupSettings
from dedup.shingles import U64, mix
from dedup.unique import HELD

I64 = npt.NDArray[np.int64]
_ROOTS = FOLDER / "components" / "roots"
_BYTES_A_ROW = 300  # of a pair or document in `resolve`, with what sorting takes


@njit(cache=True, nogil=True)
def _unite(above, left, right):  # type: ignore[no-untyped-def]
    """Join pairs in a forest: above[i] is 1 + the parent of i, 0 at a root, which is the smallest of its tree."""
    for pair in range(len(left)):
        a, b = left[pair], right[pair]
        while above[a]:
            if above[above[a] - 1]:
                above[a] = above[above[a] - 1]
            a = above[a] - 1
        while above[b]:
            if above[above[b] - 1]:
                above[b] = above[above[b] - 1]
            b = above[b] - 1
        if a < b:
            above[b] = a + 1
        elif b < a:
            above[a] = b + 1


@njit(cache=True, nogil=True)
def _flatten(above):  # type: ignore[no-untyped-def]
    for i in range(len(above)):  # a parent is never larger, so it is flat already
        if above[i] and above[above[i] - 1]:
            above[i] = above[above[i] - 1]


@njit(cache=True, nogil=True)
def _keys(above, numbers):  # type: ignore[no-untyped-def]
    keys = np.empty(len(numbers), np.uint64)
    for i in range(len(numbers)):
        label = above[numbers[i]] - 1 if above[numbers[i]] else numbers[i]
        keys[i] = mix(np.uint64(label + 1))
    return keys


def join_components(context: JobContext, *, layout: Layout) -> Outcome:
    """One job: the file of roots (int64 for each document: 1 + the smallest number of its component, 0 if itself).

    The file is sparse and memory-mapped: what is resident of it is the system's to take back.
    """
    path, documents = context.run / _ROOTS, int(layout.bases[-1])
    with atomic_path(path) as temporary:
        with temporary.open("wb") as file:
            file.truncate(8 * max(1, documents))
        above = np.memmap(temporary, np.int64, "r+")
        for name in layout.names:
            edges = read_run(context.run, "edges", name)
            _unite(above, edges["better"], edges["worse"])
        _flatten(above)
        above.flush()
    return Outcome((Output(_ROOTS.as_posix(), documents, path.stat().st_size, context.fingerprint),))


def _roots(context: JobContext) -> I64:
    try:
        return np.memmap(context.run / _ROOTS, np.int64, "r")
    except (OSError, ValueError) as error:
        raise StaleError(
            "not a readable scratch file", where=str(context.run / _ROOTS), fix="run the stage again"
        ) from error


def label_shard(context: JobContext, *, layout: Layout, shard: int, known: bool = False) -> Outcome:
    """Map: the runs `links` (a shard's verified pairs) and `nodes` (its documents in some candidate pair).

    Both are sorted by `key`, a hash of the component's label (`mix` is a bijection: equal keys, same component).
    Nodes carry the shard's facts, and `least_hi`, `least_lo`, `copies`: smallest id and number of equal texts; where
    documents were looked up in an index (`known`), `taken` and `side` too: removed for its sake, and the side it says.
    """
    name, (first, last), roots = layout.names[shard], layout.span(shard), _roots(context)
    edges = read_run(context.run, "edges", name)
    links = {"key": _keys(roots, edges["better"]), **edges}
    numbers = read_run(context.run, "sets", name)["number"]
    facts = read_run(context.run, "facts", name)
    nodes = {"key": _keys(roots, numbers), "number": numbers}
    nodes |= {column: values[numbers - first] for column, values in facts.items()}
    nodes |= {"least_hi": nodes["id_hi"].copy(), "least_lo": nodes["id_lo"].copy()}
    nodes["copies"] = np.ones(len(numbers), np.int64)
    copies = of_shard(context.run, "copies", layout.partitions, "number", first, last)
    _, here, there = np.intersect1d(numbers, copies["number"], assume_unique=True, return_indices=True)
    for ours, theirs in (("least_hi", "least_hi"), ("least_lo", "least_lo"), ("copies", "size")):
        nodes[ours][here] = copies[theirs][there]
    if known:
        nodes |= _said_by_index(context.run, name, numbers - first, nodes)
    outputs = []
    for kind, columns in (("links", links), ("nodes", nodes)):
        order = np.argsort(columns["key"], kind="stable")
        outputs.append(write_run(context, kind, name, {key: values[order] for key, values in columns.items()}))
    return Outcome(tuple(outputs))


def _said_by_index(run: Path, name: str, rows: Array, nodes: Columns) -> Columns:
    """`taken`, `side` and `least_hi`, `least_lo` of nodes: a cluster of the index may have a smaller id."""
    said = read_run(run, "known", name)
    taken, side = np.zeros(len(rows), np.int8), np.full(len(rows), UNDECIDED, np.int8)
    _, here, there = np.intersect1d(rows, said["row"], assume_unique=True, return_indices=True)
    taken[here], side[here] = said["rule"][there] > 0, said["side"][there]
    high, low = nodes["least_hi"].copy(), nodes["least_lo"].copy()
    high[here], low[here] = smaller((high[here], low[here]), (said["cluster_hi"][there], said["cluster_lo"][there]))
    return {"taken": taken, "side": side, "least_hi": high, "least_lo": low}


def resolve(
    context: JobContext, *, layout: Layout, part: int, settings: DedupSettings, seed: int | None = None
) -> Outcome:
    """Exchange: the run `near` of one partition of the components, by number.

    Columns: `number`, `cluster_hi`, `cluster_lo` (smallest id of the component, exact copies included), `size`
    (documents, exact copies included), `keep`, `witness_hi`, `witness_lo`, `similarity`; only documents in some
    verified pair. Where an index was asked (then `seed` is given) `side` too.
    """
    pieces = turns(context, ("links", "nodes"), layout, part, _BYTES_A_ROW)
    found = [
        _judge(_stretches(context, layout, "links", turn), _stretches(context, layout, "nodes", turn), settings, seed)
        for turn in pieces
    ]
    whole = concatenate(found)
    order = np.argsort(whole["number"])
    columns = {name: values[order] for name, values in whole.items()}
    return Outcome((write_run(context, "near", part, columns),), facts={"turns": len(pieces)})


def _stretches(context: JobContext, layout: Layout, kind: str, turn: tuple[int, int]) -> Columns:
    pieces = []
    for name in layout.names:
        columns = read_run(context.run, kind, name)
        rows = stretch(columns["key"], *turn)
        pieces.append({column: values[rows] for column, values in columns.items()})
    return concatenate(pieces)


def _judge(links: Columns, nodes: Columns, settings: DedupSettings, seed: int | None) -> Columns:
    """Clusters and survivors of whole components."""
    numbers = distinct(np.concatenate([links["better"], links["worse"]]))
    order = np.argsort(nodes["number"])
    chosen = order[np.searchsorted(nodes["number"], numbers, sorter=order)]
    nodes = {name: values[chosen] for name, values in nodes.items()}
    ranks = rank(nodes, numbers, settings.prefer)
    left, right = (np.searchsorted(numbers, links[side]) for side in ("better", "worse"))
    side = None if seed is None else _sides(nodes, ranks, (left, right, links["similarity"]), settings, seed)
    speaks = np.ones(len(numbers), bool) if side is None else (nodes["taken"] == 0) & (side != HELD)
    vouched = speaks[left]  # who does not stay whatever the others do is nobody's witness
    witness, similarity = survivors(
        len(numbers), ranks[left[vouched]], ranks[right[vouched]], links["similarity"][vouched]
    )
    by_rank = np.argsort(ranks)
    standing = witness[ranks] < 0
    seen_by = np.where(standing, np.arange(len(numbers)), by_rank[witness[ranks]])
    high, low, size = _cluster_identity(nodes["key"], nodes["least_hi"], nodes["least_lo"], nodes["copies"])
    return {
        "number": numbers,
        "cluster_hi": high,
        "cluster_lo": low,
        "size": size,
        "keep": standing.astype(np.int8),
        "witness_hi": nodes["id_hi"][seen_by],
        "witness_lo": nodes["id_lo"][seen_by],
        "similarity": similarity[ranks],
        **({} if side is None else {"side": side}),
    }


def _sides(nodes: Columns, ranks: I64, edges: Edges, settings: DedupSettings, seed: int) -> Array:
    """The side of each document of components that touch an index: what the index gave out is joined by what resembles
    it, and who would join two of its sides is held out."""
    torn = nodes["side"] == HELD
    rows = {**nodes, "side": np.where(torn, HELD, UNDECIDED)}
    wish = np.where(torn, UNDECIDED, nodes["side"]).astype(np.int8)
    first = np.empty(len(ranks), np.int64)  # what the index says of a document stands before any is judged
    first[np.lexsort((ranks, wish == UNDECIDED))] = np.arange(len(ranks))
    return sides(first, rows, wish, edges, IndexParameters.of(settings, seed))


def _cluster_identity(label: U64, high: Array, low: Array, size: Array) -> tuple[Array, Array, Array]:
    """Smallest id and sum of sizes of each one's component."""
    order = np.lexsort((low, high, label))
    first = np.ones(len(order), bool)
    first[1:] = label[order][1:] != label[order][:-1]
    group = np.empty(len(order), np.int64)
    group[order] = np.cumsum(first) - 1
    least = order[first]
    total = np.bincount(group, weights=size, minlength=len(least)).astype(np.int64)
    return high[least][group], low[least][group], total[group]
