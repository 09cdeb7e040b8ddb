"""What `hanjo corpus check` found, put together as one dictionary of facts: amounts, examples, places, the verdict.

`check.py` gathers counts and duplicates; `check_sections.py` draws the facts. Numbers of documents become places here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from corpus.manifest import check_counts
from corpus.shards import Counts, Outcome, merge
from corpus.work_units import Source, Unit
from hanjo.check_store import Store

if TYPE_CHECKING:
    from hanjo.check_duplicates import Found
    from hanjo.check_index import Listed

MAX_QUARANTINED = 0.01  # as a recipe's max_quarantined by default
_AMOUNTS = ("documents", "bytes", "chars", "eojeol")

Facts = dict[str, Any]
"""What was found, JSON-like: see `check.py`, check."""


@dataclass(frozen=True, slots=True)
class Given:
    """A path as it was given, its source, and what its submission says."""

    path: Path
    source: Source
    rights: Facts


def facts_of(read: Sequence[Outcome], store: Store, found: Found, units: Sequence[tuple[Given, Unit]]) -> Facts:
    """The units' counts and examples put together, and what duplicates leave of them."""
    counts = merge([one.counts for one in read])
    check_counts("check", counts)
    examples: Facts = {}
    for one in read:
        examples = one.facts["examples"] | examples
    unique = _sums(store, found.unique)
    listed = None if found.listed is None else {**_sums(store, found.listed.any), **_listed(found.listed, store, units)}
    kept = _amounts(counts.get("kept", {}))
    removed = [
        {"rule": rule, **_amounts(row), "example": examples.get(f"removed/{rule}")}
        for rule, row in _of(counts, "removed").items()
    ]
    return {
        "came": {name: counts.get("in", {}).get(name, 0) for name in ("documents", "bytes")},
        "kept": {**kept, "example": examples.get("kept")},
        "removed": sorted(removed, key=lambda row: -row["documents"]),
        "quarantined": _errors(counts, read),
        "files": _files(read),
        "losses": _of(counts, "lost"),
        "languages": _of(counts, "language"),
        "masked": _of(counts, "edited", "pii."),
        "reported": _of(counts, "reported", "pii."),
        "cut": _of(counts, "edited", "boilerplate."),
        "duplicates": {
            **{name: getattr(found, name) for name in ("exact", "near", "compared", "unsigned")},
            "examples": [_pair(pair, store, units) for pair in found.examples],
        },
        "repeated": {name: kept[name] - unique[name] - (listed[name] if listed else 0) for name in _AMOUNTS},
        "index": listed,
        "unique": unique,
        "tokens": None,
    }


def _sums(store: Store, chosen: npt.NDArray[np.bool_]) -> dict[str, int]:
    """Amounts of the chosen documents."""
    sums = {name: int(store.column(name)[chosen].sum(dtype=np.int64)) for name in _AMOUNTS[1:]}
    return {"documents": int(chosen.sum()), **sums}


def _amounts(row: dict[str, int]) -> dict[str, int]:
    return {name: row.get(name, 0) for name in _AMOUNTS}


def _of(counts: Counts, kind: str, prefix: str = "") -> dict[str, dict[str, int]]:
    """The counts below one reason, by name without the prefix."""
    start = f"{kind}/{prefix}"
    return {reason[len(start) :]: row for reason, row in counts.items() if reason.startswith(start)}


def _errors(counts: Counts, read: Sequence[Outcome]) -> list[Facts]:
    from hanjo.check_unit import SHOWN_ERRORS

    found = []
    for cause, row in _of(counts, "quarantined").items():
        first = [error for one in read for error in one.facts["errors"].get(cause, ())]
        found.append({"cause": cause, **row, "first": first[:SHOWN_ERRORS]})
    return sorted(found, key=lambda row: -row["documents"])


def _files(read: Sequence[Outcome]) -> list[Facts]:
    """A row a file, the parts of a divided one added up."""
    found: dict[str, Facts] = {}
    for one in read:
        for path, row in one.facts["files"].items():
            known = found.setdefault(path, row | {"documents": 0, "kept": 0, "quarantined": 0})
            for name in ("documents", "kept", "quarantined"):
                known[name] += row[name]
            known["encoding"] = known["encoding"] or row["encoding"]
    return list(found.values())


def _pair(pair: Facts, store: Store, units: Sequence[tuple[Given, Unit]]) -> Facts:
    """Two near-duplicates as a person finds them: place and masked beginning of each."""
    from hanjo.check_unit import excerpt

    sides = []
    for number in (pair["document"], pair["of"]):
        place, _ = _place(number, store, units)
        sides.append({**place, "text": excerpt(store.texts(np.array([number]))[0].as_py())})
    return {"similarity": pair["similarity"], "removed": sides[0], "stays": sides[1]}


def _place(number: int, store: Store, units: Sequence[tuple[Given, Unit]]) -> tuple[Facts, Path]:
    """Where a document stands, as a person is told, and its real file."""
    ((unit, rows),) = store.rows(np.array([number]))
    one, whole = units[unit]
    piece = whole.pieces[int(rows["piece"][0])]
    shown = str(one.path) if one.path.is_file() else f"{one.path}/{piece.path}"
    return {"path": shown, "format": piece.format, "offset": int(rows["offset"][0])}, Path(piece.files[0])


def _listed(listed: Listed, store: Store, units: Sequence[tuple[Given, Unit]]) -> Facts:
    """What an index has of a submission: how it was told, and where the first ones stand."""
    from hanjo.check_index import SHOWN, lines_of

    first, files = [], {}
    for number in np.flatnonzero(listed.any)[:SHOWN].tolist():
        place, file = _place(number, store, units)
        kind = "exact" if listed.exact[number] else "near"
        first.append({**place, "line": None, "kind": kind, "similarity": float(listed.similarity[number])})
        files[place["path"]] = file
    for path, file in files.items():
        there = sorted((one for one in first if one["path"] == path), key=lambda one: int(one["offset"]))
        for one, line in zip(there, lines_of(file, there[0]["format"], [one["offset"] for one in there]), strict=True):
            one["line"] = line
    kinds = {"exact": int(listed.exact.sum()), "near": int(listed.near.sum()), "compared": listed.compared}
    return {**kinds, "tokens": None, "first": first}


def estimate(facts: Facts, store: Store, found: Found, tokenizer: Path, seed: int) -> None:
    """Put the tokens of what would count, and of what an index has already, among the facts."""
    from hanjo.check_tokens import estimate_tokens

    facts["tokens"] = dataclasses.asdict(estimate_tokens(store, found.unique, tokenizer, seed))
    if found.listed is not None:
        facts["index"]["tokens"] = dataclasses.asdict(estimate_tokens(store, found.listed.any, tokenizer, seed))


def verdict_of(facts: Facts, empty: list[str]) -> Facts:
    """What must be mended before this can be taken, and what a person should look at."""
    unread = sum(row["documents"] for row in facts["quarantined"])
    mend = []
    if any(one["state"] != "granted" for one in facts["rights"]):
        mend.append("rights")
    if empty:
        mend.append("files")
    if unread > MAX_QUARANTINED * facts["came"]["documents"]:
        mend.append("quarantine")
    if not facts["unique"]["documents"]:
        mend.append("nothing")
    korean = sum(facts["languages"].get(name, {}).get("bytes", 0) for name in ("ko", "ko_mixed"))
    text = sum(row["bytes"] for row in facts["languages"].values())
    said = {one["says"]["lang"] for one in facts["rights"] if one["says"]}
    remarks = ["language"] if "ko" in said and 2 * korean < text else []
    if facts["losses"].get("key.missing"):
        remarks.append("key")
    return facts | {"empty": empty, "acceptable": not mend, "mend": mend, "remarks": remarks}
