"""The stage `dedup`: plans the jobs that take kept documents to unique text. Follows `decide`, before `tokenize`.

    versions    map       ids and dates of every shard, sorted by id
    superseded  exchange  by id: which documents have a newer version
    own, known  …         where an index is given: what it has already, which side its clusters stand on (`index_known`)
    sign        map       edited text → hash of the text, MinHash: band keys and sketch
    copies      exchange  by hash of the text: exact duplicates
    pairs       exchange  by band key: candidate pairs, as far as their sketches are alike
    sets        map       shingle sets of the documents in some pair
    verify      map       exact Jaccard of every pair
    components  one job   union-find over the verified pairs
    labels      map       documents and pairs by component
    resolve     exchange  by component: clusters and survivors
    …           both      where asked: repeated lines (`lines.py`) and passages (`passages.py`) of what stays
    cuts        map       their spans in each document, within the budget
    write       map       clusters/ and unique/{train,valid,test}/
    give        one job   where the recipe asks for it: what stays goes into the index (`index_giving`)

Between the phases stand sorted runs (`runs.py`); no phase holds all documents.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.manifest import fingerprint
from corpus.settings import Common
from corpus.shards import Job, Outcome, Phase, Phases, read_shards
from corpus.tombstones import seen
from dedup.settings import DedupSettings

if TYPE_CHECKING:
    from dedup.runs import Layout

__all__ = ["VERSION", "DedupSettings", "phases"]

VERSION = 2
Call = Callable[..., Outcome]
Local = dict[str, Any]
_SKETCHES = "/dedup/sketches/"
_SMALL = 64 << 20  # bytes on disk below which starting worker processes costs more than they bring


def phases(run: Path, settings: DedupSettings, common: Common) -> Phases:
    """The stage's plan.

    Raises:
        StaleError: collect, measure or decide has not finished, or the index was made otherwise.
        UsageError: there is no index where the recipe names one.
    """
    # numba and the kernels load here, not when the command line reads the settings.
    from dedup.bands import find_pairs
    from dedup.exact import find_exact
    from dedup.inputs import layout_of
    from dedup.resolving import join_components, label_shard, resolve
    from dedup.signing import sign_shard
    from dedup.unique import write_shard
    from dedup.verify import list_sets, verify_pairs
    from dedup.versions import find_superseded, list_versions

    layout = layout_of(run)
    if not layout.names:
        return
    plan = _Plan(run, layout, {"settings": settings})
    parts = layout.partitions

    versions = yield plan.map("versions", list_versions, {})
    superseded = yield plan.exchange("superseded", find_superseded, {}, parts, versions)
    index = None if settings.index is None else _index(plan, settings, common)
    known = [] if index is None else [(yield from _known(plan, index, superseded))]
    signed = yield plan.map("sign", sign_shard, plan.settings, superseded)
    copies = yield plan.exchange("copies", find_exact, plan.settings, parts, signed)
    pairs = yield plan.exchange("pairs", find_pairs, plan.settings, parts, signed, copies)
    sets = yield plan.map("sets", list_sets, plan.settings, pairs)
    edges = yield plan.map("verify", verify_pairs, plan.settings, pairs, sets)
    roots = yield Phase("components", "exchange", [plan.job("components", join_components, {}, {}, edges)])
    labels = yield plan.map("labels", label_shard, {"known": bool(known)}, roots, edges, sets, signed, copies, *known)
    asked = {"seed": common.seed} if known else {}
    near = yield plan.exchange("resolve", resolve, plan.settings | asked, parts, labels)
    seed = {"seed": common.seed}
    made = [superseded, signed, copies, near]
    if settings.lines.cut or settings.substrings.cut:
        made.append((yield from _cuts(plan, settings, made)))
    written = yield plan.map("write", write_shard, plan.settings, *made, arguments=seed)
    if index is not None and settings.index_add:
        yield _giving(plan, index, written)


@dataclass(frozen=True, slots=True)
class _Index:
    """The index of a recipe as the stage is planned.

    Attributes:
        arguments: `seed`, and `state`: the hash of the index that the stage's fingerprint goes by. Of a run that gave
            its documents already it is the one that they were looked up in, for good: what it gave, and what came
            after that, is no reason to judge them anew.
        local: `folder`, and `now`: its hash at this moment.
        of: hash of the documents and settings that are looked up.
    """

    arguments: dict[str, Any]
    local: Local
    of: str


def _index(plan: _Plan, settings: DedupSettings, common: Common) -> _Index:
    from dedup.index import Index, state_of
    from dedup.index_giving import noted
    from dedup.index_parameters import IndexParameters

    folder = common.base / str(settings.index)
    parameters = IndexParameters.of(settings, common.seed)
    now = state_of(folder, parameters)
    if not now and not settings.index_add:
        Index.open(folder, parameters)  # refused where there is none; an empty one has nothing to say
    of = fingerprint(VERSION, settings, common.seed, plan.identity, plan.inputs)
    note = noted(plan.run)
    state = note["state"] if note.get("of") == of else now
    return _Index({"seed": common.seed, "state": state}, {"folder": str(folder), "now": now}, of)


def _known(plan: _Plan, index: _Index, superseded: list[Outcome]) -> Generator[Phase, Any, list[Outcome]]:
    """The phases that look documents up in an index; the outcomes of the last."""
    from dedup.index_known import find_known, list_own

    local = plan.settings | index.local
    whole = plan.job("own", list_own, local, index.arguments, superseded)
    own = yield Phase("own", "exchange", [replace(whole, local=local)], plan.here)
    return (yield plan.map("known", find_known, local, superseded, own, arguments=index.arguments))


def _giving(plan: _Plan, index: _Index, written: list[Outcome]) -> Phase:
    from dedup.index_giving import give

    job = plan.job("give", give, plan.settings | index.local, {**index.arguments, "of": index.of}, written)
    return Phase("give", "exchange", [job], plan.here)


def _cuts(plan: _Plan, settings: DedupSettings, made: list[list[Outcome]]) -> Generator[Phase, Any, list[Outcome]]:
    """The phases that look for what to cut from the documents that stay; the outcomes of the last."""
    from dedup.cuts import find_cuts
    from dedup.lines import count_lines, find_repeats, partitions_of
    from dedup.passages import find_passages, find_shared, list_anchors, list_windows

    parts, local = {"repeats": 0, "passages": 0}, plan.settings
    if settings.lines.cut:
        lines = yield plan.map("lines", count_lines, local, *made)
        parts["repeats"] = partitions_of(lines)
        told = {"parts": parts["repeats"]}
        repeats = yield plan.exchange("repeats", find_repeats, local | told, told["parts"], lines)
        made = [*made, repeats]
    if settings.substrings.cut:
        anchors = yield plan.map("anchors", list_anchors, local, *made[:4])
        told = {"parts": partitions_of(anchors)}
        shared = yield plan.exchange("shared", find_shared, local | told, told["parts"], anchors)
        windows = yield plan.map("windows", list_windows, local | told, *made[:4], shared)
        parts["passages"] = partitions_of(windows)
        told = {"parts": parts["passages"]}
        passages = yield plan.exchange("passages", find_passages, local | told, told["parts"], windows)
        made = [*made, windows, passages]
    return (yield plan.map("cuts", find_cuts, local, *made, arguments=parts))


class _Plan:
    """Makes the phases' jobs. The layout travels as `local`, its fingerprint once in each job's inputs: hashing all
    shards for every shard would be quadratic."""

    def __init__(self, run: Path, layout: Layout, settings: Local) -> None:
        self.run, self.layout, self.settings = run, layout, settings
        documents = {Path(shard.path).stem: shard for shard in read_shards(run, "collect", "documents")}
        sidecars = [
            {Path(shard.path).stem: shard.fingerprint for shard in read_shards(run, stage, folder)}
            for stage, folder in (("measure", "edits"), ("decide", "verdicts"))
        ]
        self.weights = [documents[name].bytes for name in layout.names]
        # A sidecar that is missing is refused, with its name, by the job that reads it.
        self.inputs = [(documents[n].fingerprint, *(side.get(n, "") for side in sidecars)) for n in layout.names]
        self.identity = fingerprint(layout, *seen(run, "dedup"))
        self.here = sum(self.weights) < _SMALL

    def job(
        self, name: str, call: Call, local: Local, arguments: dict[str, Any], *before: list[Outcome], weight: int = 1
    ) -> Job:
        outputs = [output for phase in before for one in phase for output in one.outputs]
        # A job's outputs share its fingerprint; sketches came later, and runs made before them are what they were.
        made_of = fingerprint([output.fingerprint for output in outputs if _SKETCHES not in output.path])
        return Job(name, call, arguments, (self.identity, made_of), {"layout": self.layout, **local}, weight)

    def map(
        self, name: str, call: Call, local: Local, *before: list[Outcome], arguments: dict[str, Any] | None = None
    ) -> Phase:
        """A job for each shard, which reads the shard and what the phases before left."""
        whole = self.job(name, call, local, arguments or {}, *before)
        jobs = [
            replace(
                whole,
                name=f"{name}-{shard}",
                arguments={**whole.arguments, "shard": index},
                inputs=(*whole.inputs, *self.inputs[index]),
                weight=self.weights[index],
            )
            for index, shard in enumerate(self.layout.names)
        ]
        return Phase(name, "map", jobs, self.here)

    def exchange(self, name: str, call: Call, local: Local, parts: int, *before: list[Outcome]) -> Phase:
        """A job for each of `parts` partitions of the keys, which reads all runs of the phases before."""
        whole = self.job(name, call, local, {}, *before, weight=max(1, sum(self.weights) // parts))
        jobs = [replace(whole, name=f"{name}-{part:05d}", arguments={"part": part}) for part in range(parts)]
        return Phase(name, "exchange", jobs, self.here)
