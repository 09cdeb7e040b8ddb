"""From what came in to what is trained on: documents, bytes and tokens by stage, reason, source and rights.

Everything here is counted in the manifest, so a run of any size costs the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hanjo.report.facts import Facts

FLOW = ("collect", "measure", "decide", "dedup", "tokenize")
AMOUNTS = ("documents", "bytes", "chars", "eojeol", "tokens")
_ROWS = 40  # sources or rights shown by name; the rest is one row


@dataclass(frozen=True, slots=True)
class Loss:
    """What left the flow at a stage for one reason."""

    kind: str  # removed, quarantined, withdrawn
    rule: str
    documents: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Flow:
    """One finished stage of the funnel; `tokens` is counted by tokenize alone."""

    stage: str
    documents_in: int
    documents: int
    bytes_in: int | None
    bytes: int | None
    tokens: int | None
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Amounts:
    """One row of a table of amounts; None where nobody counted."""

    name: str
    documents: int | None
    bytes: int | None
    chars: int | None
    eojeol: int | None
    tokens: int | None
    note: Mapping[str, Any] | None = None


def flows(facts: Facts) -> list[Flow]:
    """The finished stages that pass documents on, in order."""
    found = []
    for stage in FLOW:
        if not facts.finished(stage):
            continue
        losses = [
            Loss(kind, rule, amounts.get("documents", 0), amounts.get("bytes"))
            for reason, amounts in facts.counts(stage).items()
            for kind, _, rule in [reason.partition("/")]
            if kind in ("removed", "quarantined", "withdrawn") and amounts.get("documents", 0)
        ]
        found.append(
            Flow(
                stage,
                facts.amount(stage, "in", "documents") or 0,
                facts.amount(stage, "kept", "documents") or 0,
                facts.amount(stage, "in", "bytes"),
                facts.amount(stage, "kept", "bytes"),
                facts.amount(stage, "kept", "tokens"),
                tuple(sorted(losses, key=lambda loss: (-loss.documents, loss.rule))),
            )
        )
    return found


def bytes_a_token(facts: Facts) -> float | None:
    """Bytes of text that one token stands for, as tokenize counted them; for estimates of what left before it."""
    amount, tokens = facts.amount("tokenize", "kept", "bytes"), facts.amount("tokenize", "kept", "tokens")
    return amount / tokens if amount and tokens else None


def told(facts: Facts, stage: str, kind: str) -> list[tuple[str, dict[str, int]]]:
    """Name → amounts of the reasons `kind/NAME` of a stage, largest first by their first known amount."""
    rows = [
        (reason.partition("/")[2], amounts)
        for reason, amounts in facts.counts(stage).items()
        if reason.partition("/")[0] == kind
    ]
    return sorted(
        rows, key=lambda row: (-row[1].get("tokens", row[1].get("documents", row[1].get("times", 0))), row[0])
    )


def by_source(facts: Facts) -> list[Amounts]:
    """Amounts of every source: what tokenize counted, else what collect did."""
    stage = "tokenize" if told(facts, "tokenize", "source") else "collect"
    return _shortened([_amounts(name, row) for name, row in told(facts, stage, "source")])


def by_rights(facts: Facts, rights: Mapping[str, Mapping[str, Any]]) -> list[Amounts]:
    """Amounts by rights_id, with the row of rights.parquet that it stands for."""
    return _shortened([_amounts(name, row, rights.get(name)) for name, row in told(facts, "tokenize", "rights")])


def _amounts(name: str, row: Mapping[str, int], note: Mapping[str, Any] | None = None) -> Amounts:
    documents, size, chars, eojeol, tokens = (row.get(amount) for amount in AMOUNTS)
    return Amounts(name, documents, size, chars, eojeol, tokens, note)


def _shortened(rows: list[Amounts]) -> list[Amounts]:
    if len(rows) <= _ROWS:
        return rows
    rest = rows[_ROWS - 1 :]
    sums = [[value for row in rest if (value := getattr(row, amount)) is not None] for amount in AMOUNTS]
    documents, size, chars, eojeol, tokens = (sum(values) if values else None for values in sums)
    return [*rows[: _ROWS - 1], Amounts(f"{len(rest)} others", documents, size, chars, eojeol, tokens)]


def total(rows: list[Amounts], name: str = "all") -> Amounts:
    """The sum of the rows; None for an amount that a row lacks."""
    sums = []
    for amount in AMOUNTS:
        values = [getattr(row, amount) for row in rows]
        sums.append(sum(values) if values and None not in values else None)
    documents, size, chars, eojeol, tokens = sums
    return Amounts(name, documents, size, chars, eojeol, tokens)
