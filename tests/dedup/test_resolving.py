"""Components by file and survivors by partition give what the whole in memory gives, whatever the cut and memory."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dedup.runs
from corpus.errors import StaleError
from corpus.shards import JobContext
from dedup.clusters import components, survivors
from dedup.inputs import rank
from dedup.resolving import join_components, label_shard, resolve
from dedup.runs import Columns, Layout, concatenate, read_run, write_run
from dedup.settings import DedupSettings

COUNT = 40
EDGES = st.dictionaries(
    st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)).filter(lambda pair: pair[0] != pair[1]),
    st.sampled_from([0.6, 0.7, 0.8, 1.0]),
    max_size=60,
)
CUTS = st.sets(st.integers(1, COUNT - 1), max_size=5).map(sorted)


def carry_out(run: Path, edges: Columns, facts: Columns, cuts: list[int], memory: int) -> tuple[Columns, list[int]]:
    """The three phases over shards cut at the given numbers; as many partitions as the layout says."""
    bounds = [0, *cuts, COUNT]
    rows = tuple(b - a for a, b in pairwise(bounds))
    layout = Layout(tuple(f"{i:05d}" for i in range(len(rows))), rows, ("",) * len(rows))
    context = JobContext(run, "0" * 32, memory)
    settings = DedupSettings()
    for shard, name in enumerate(layout.names):
        first, last = layout.span(shard)
        here = (edges["better"] >= first) & (edges["better"] < last)
        write_run(context, "edges", name, {key: values[here] for key, values in edges.items()})
        write_run(context, "facts", name, {key: values[first:last] for key, values in facts.items()})
        write_run(context, "sets", name, {"number": np.arange(first, last)})
    kinds = {"number": "i8", "least_hi": "u8", "least_lo": "u8", "size": "i8"}
    for part in range(layout.partitions):
        write_run(context, "copies", part, {name: np.zeros(0, kind) for name, kind in kinds.items()})
    join_components(context, layout=layout)
    for shard in range(len(rows)):
        label_shard(context, layout=layout, shard=shard)
    done = [resolve(context, layout=layout, part=part, settings=settings) for part in range(layout.partitions)]
    near = concatenate([read_run(run, "near", part) for part in range(layout.partitions)])
    order = np.argsort(near["number"])
    return {name: values[order] for name, values in near.items()}, [one.facts["turns"] for one in done]


def expected(edges: Columns, facts: Columns) -> dict[int, tuple[Any, ...]]:
    """The same at once, on whole arrays."""
    ranks = rank(facts, np.arange(COUNT), DedupSettings().prefer)
    by_rank = np.argsort(ranks)
    label = components(COUNT, edges["better"], edges["worse"])
    witness, similarity = survivors(COUNT, ranks[edges["better"]], ranks[edges["worse"]], edges["similarity"])
    found = {}
    for i in sorted({*edges["better"].tolist(), *edges["worse"].tolist()}):
        members = np.flatnonzero(label == label[i])
        seen = i if witness[ranks[i]] < 0 else by_rank[witness[ranks[i]]]
        least = min(int(facts["id_lo"][j]) for j in members)
        found[i] = (least, len(members), int(seen == i), int(facts["id_lo"][seen]), similarity[ranks[i]])
    return found


@given(EDGES, CUTS, st.integers(0, 2**32), st.sampled_from([8, 10**6]), st.sampled_from([1000, 1 << 30]))
@hypothesis_settings(max_examples=25, deadline=None)
def test_cut_up_it_is_what_it_is_at_once(
    tmp_path_factory: pytest.TempPathFactory, pairs: Any, cuts: list[int], seed: int, partition: int, memory: int
) -> None:
    rng = np.random.default_rng(seed)
    facts: Columns = {"id_hi": np.zeros(COUNT, np.uint64), "id_lo": rng.permutation(COUNT).astype(np.uint64)}
    facts |= {"created": rng.integers(0, 3, COUNT), "length": rng.integers(0, 4, COUNT)}
    ranks = rank(facts, np.arange(COUNT), DedupSettings().prefer)
    ordered = {tuple(sorted(pair, key=lambda i: ranks[i])): value for pair, value in pairs.items()}
    edges: Columns = {"better": np.array([a for a, _ in ordered], np.int64)}
    edges |= {"worse": np.array([b for _, b in ordered], np.int64), "similarity": np.array([*ordered.values()], float)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dedup.runs, "_DOCUMENTS_A_PARTITION", partition)
        near, turns = carry_out(tmp_path_factory.mktemp("run"), edges, facts, cuts, memory)
    columns = ("cluster_lo", "size", "keep", "witness_lo", "similarity")
    rows = zip(*(near[name].tolist() for name in columns), strict=True)
    assert dict(zip(near["number"].tolist(), rows, strict=True)) == expected(edges, facts)
    assert (max(turns) > 1) == (memory == 1000) or partition == 8


def test_a_long_chain_is_one_component_and_a_missing_file_is_said(tmp_path: Path) -> None:
    count = 50_000
    layout = Layout(("00000",), (count,), ("",))
    context = JobContext(tmp_path, "0" * 32, 1 << 30)
    order = np.random.default_rng(3).permutation(count - 1)
    edges = {"better": order + 1, "worse": order, "similarity": np.ones(count - 1)}
    write_run(context, "edges", "00000", edges)
    outcome = join_components(context, layout=layout)
    roots = np.fromfile(tmp_path / outcome.outputs[0].path, np.int64)
    assert roots[0] == 0
    assert (roots[1:] == 1).all()
    assert outcome.outputs[0].bytes == 8 * count
    (tmp_path / outcome.outputs[0].path).unlink()
    with pytest.raises(StaleError, match="scratch"):
        label_shard(context, layout=layout, shard=0)
