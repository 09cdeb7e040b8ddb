"""Text that the report shows: what rules removed, what dedup found twice, what measure cut and masked.

Taken from a few seeded shards (`rows`), always masked (`excerpts`). Documents that lack a right are
named and not shown.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.identity import find
from corpus.rights import read_rights
from corpus.staging import WITHDRAWN
from hanjo.report.excerpts import WINDOW, Kind, Piece, around, compared, edited, head
from hanjo.report.facts import Facts
from hanjo.report.rows import Shard, chosen_shards, shard_named

PER_RULE, PAIRS = 3, 5
_CANDIDATES = 12  # edits of a rule looked at, to find some that differ
_LENGTH, _CONTEXT = 260, 60  # characters
_ALIKE = 0.6  # of the characters in a row: two excerpts around masks that are as good as one
_NEAR = 2 << 10  # bytes around an edit that are looked at


@dataclass(frozen=True, slots=True)
class Sample:
    """A document, or a place in one: its id and source, what the rule measured, and what may be shown of it.

    `until` is the last day of a grant that has ended, `at` the first byte of the place.
    """

    id: str
    source: str
    pieces: list[Piece]
    value: float | None = None
    limit: float | None = None
    until: datetime.date | None = None
    at: int = -1


@dataclass(frozen=True, slots=True)
class Pair:
    """A removed near-copy beside the kept document that it repeats, from their first difference on."""

    id: str
    source: str
    witness: str
    witness_source: str
    similarity: float
    removed: list[Piece]
    kept: list[Piece]


@dataclass(slots=True)
class Samples:
    """Samples by rule; `looked` of `shards` shards were looked into.

    `elsewhere`: of rules whose every example stands already under another rule, that one.
    """

    looked: int = 0
    shards: int = 0
    removed: dict[str, list[Sample]] = field(default_factory=dict)
    cuts: dict[str, list[Sample]] = field(default_factory=dict)
    masks: dict[str, list[Sample]] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)

    def kinds(self, where: Literal["removed", "masks", "pairs"]) -> set[Kind]:
        """The masks and blots that a legend must tell apart in one section's excerpts."""
        if where == "pairs":
            shown = [side for pair in self.pairs for side in (pair.removed, pair.kept)]
        else:
            shown = [sample.pieces for rows in getattr(self, where).values() for sample in rows]
        return {piece.kind for pieces in shown for piece in pieces if piece.kind in ("mask", "blot")}


def read_samples(facts: Facts) -> Samples:
    """A few samples of every kind that the finished stages can give."""
    samples = Samples()
    if not facts.finished("measure"):
        return samples  # without edits no text may be shown
    shards, samples.shards = chosen_shards(facts.run, facts.seed)
    samples.looked = len(shards)
    for shard in shards:
        edits = shard.sidecar("edits")["edits"].combine_chunks()
        hidden = np.zeros(shard.output.rows, bool)
        if facts.finished("decide"):
            verdicts = shard.sidecar("verdicts", ["keep", "rule", "value", "limit"])
            hidden = _without_rights(verdicts)
            _add_removed(samples, shard, verdicts, edits)
        if facts.finished("dedup"):
            _add_pairs(samples, facts, shard, edits)
        _add_edits(samples, shard, edits, hidden)
    return samples


def _without_rights(verdicts: pa.Table) -> np.ndarray:
    rules = pc.fill_null(verdicts["rule"], "")
    return np.asarray(pc.starts_with(rules, "rights."))


def _add_removed(samples: Samples, shard: Shard, verdicts: pa.Table, edits: pa.Array) -> None:
    removed = np.flatnonzero(~np.asarray(verdicts["keep"]))
    rules = np.asarray(verdicts["rule"].take(pa.array(removed)).to_pylist(), dtype=object)
    chosen: dict[int, str] = {}
    for rule in sorted(set(rules.tolist()) - {WITHDRAWN}):
        wanted = PER_RULE - len(samples.removed.get(rule, ()))
        chosen |= dict.fromkeys(shard.some(removed[rules == rule], wanted, f"removed/{rule}"), rule)
    columns = ["id", "source", "rights_id", "text"]
    grants = read_rights(shard.run) if "rights.until" in chosen.values() else {}
    for row, document in shard.documents(chosen, columns).items():
        rule = chosen[row]
        pieces = [] if rule.startswith("rights.") else head(_beginning(document["text"], edits[row].as_py()), _LENGTH)
        value, limit = verdicts["value"][row].as_py(), verdicts["limit"][row].as_py()
        grant = grants.get(document["rights_id"]) if rule == "rights.until" else None
        sample = Sample(document["id"], document["source"], pieces, value, limit, grant.until if grant else None)
        samples.removed.setdefault(rule, []).append(sample)


def _beginning(text: str, edits: list[dict[str, Any]]) -> list[Piece]:
    return edited(text[:WINDOW].encode(), edits, 0, WINDOW)


def _add_edits(samples: Samples, shard: Shard, edits: pa.Array, hidden: np.ndarray) -> None:
    flat = pc.list_flatten(edits)
    parents = np.asarray(pc.list_parent_indices(edits))
    if not len(flat):
        return
    rules = np.asarray(pc.struct_field(flat, "rule").to_pylist(), dtype=object)
    starts = np.asarray(pc.struct_field(flat, "start"))
    chosen: list[tuple[int, int, str]] = []  # document, the edit's first byte, rule
    for rule in sorted(set(rules.tolist())):
        had = max(len(samples.cuts.get(rule, ())), len(samples.masks.get(rule, ())))
        most = _CANDIDATES if had < PER_RULE else 0
        places = shard.some(np.flatnonzero((rules == rule) & ~hidden[parents]), most, f"edited/{rule}")
        chosen += [(int(parents[place]), int(starts[place]), rule) for place in places]
    documents = shard.documents([row for row, _, _ in chosen], ["id", "source", "text"])
    for row, start, rule in chosen:
        document = documents[row]
        pieces = edited(document["text"].encode(), edits[row].as_py(), max(0, start - _NEAR), start + _NEAR)
        here = next(i for i, piece in enumerate(pieces) if piece.at == start)
        mask = pieces[here].kind == "mask"
        shown = around(pieces, here, _CONTEXT) if mask else [_short(pieces[here])]
        sample = Sample(document["id"], document["source"], shown, at=start)
        _add_new(samples, samples.masks if mask else samples.cuts, rule, sample)


def _add_new(samples: Samples, kind: dict[str, list[Sample]], rule: str, sample: Sample) -> None:
    """Menus and footers are alike by nature, and one line may hold a name, a number and an address: shown once."""
    beside = next((other for other, rows in kind.items() if any(_same(sample, one) for one in rows)), None)
    if beside is not None:
        samples.elsewhere.setdefault(rule, beside)
    elif len(kind.get(rule, ())) < PER_RULE:
        kind.setdefault(rule, []).append(sample)


def _same(one: Sample, other: Sample) -> bool:
    """Whether a reader would see the same words twice: the same place, or the same text around another place."""
    if one.pieces[0].kind == "cut":
        return _letters(one) == _letters(other)
    if one.id == other.id and abs(one.at - other.at) < 2 * _CONTEXT:
        return True
    words, others = _letters(one), _letters(other)
    most = difflib.SequenceMatcher(None, words, others, autojunk=False).find_longest_match().size
    return most > _ALIKE * min(len(words), len(others))


def _letters(sample: Sample) -> str:
    return "".join("".join(piece.text for piece in sample.pieces).split())


def _short(piece: Piece) -> Piece:
    text = " ".join(piece.text.split())
    return Piece(piece.kind, text if len(text) <= _LENGTH else text[:_LENGTH] + " …", piece.rule)


def _add_pairs(samples: Samples, facts: Facts, shard: Shard, edits: pa.Array) -> None:
    wanted = PAIRS - len(samples.pairs)
    if wanted <= 0:
        return
    clusters = shard.sidecar("clusters", ["rule", "witness", "similarity"])
    near = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(clusters["rule"], "dedup.near"), False)))
    documents = shard.documents(shard.some(near, wanted, "near"), ["id", "source", "text"])
    for row, document in documents.items():
        witness = next(_kept(facts, clusters["witness"][row].as_py()), None)
        if witness is None:
            continue
        left = _beginning(document["text"], edits[row].as_py())
        removed, kept = compared(left, _beginning(witness["text"], witness["edits"]))
        similarity = clusters["similarity"][row].as_py()
        names = (document["id"], document["source"], witness["id"], witness["source"])
        samples.pairs.append(Pair(*names, similarity, removed, kept))


def _kept(facts: Facts, document_id: str) -> Iterator[dict[str, Any]]:
    """The documents with that id that dedup kept (one, unless it withdrew since), with their edits."""
    for name, row in find(facts.run / "documents" / "ids", document_id):
        shard = shard_named(facts.run, Path(name).stem, facts.seed)
        if shard is None or not shard.sidecar("clusters", ["keep"])["keep"][row].as_py():
            continue
        document = shard.documents([row], ["id", "source", "text"])[row]
        yield document | {"edits": shard.sidecar("edits")["edits"][row].as_py()}
