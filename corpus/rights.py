"""What may be done with a source's documents, as fields with evidence, and the table of them (rights.parquet).

Submissions declare rights, collect writes the table, every later stage asks `lacking` or `allows` by rights_id.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pyarrow as pa

from corpus.documents import RIGHTS
from corpus.errors import RightsError
from corpus.settings import Right
from corpus.shards import JobContext, Output, read_table, write_table

FLAGS: tuple[Right, ...] = get_args(Right)


@dataclass(frozen=True, slots=True)
class Rights:
    """What a contributor grants.

    Attributes:
        train: train models on the text. publish_weights: publish such models. redistribute: pass the text on.
        derive: make changed texts of it. commercial: all that for money.
        attribution: the words by which the source is to be named, "" where none are asked for.
        until: last day of the grant, None where it does not end.
        license: the licence's name; evidence: where the grant can be read.
    """

    train: bool
    publish_weights: bool
    redistribute: bool
    derive: bool
    commercial: bool
    attribution: str
    until: datetime.date | None
    license: str
    evidence: str


def rights_id(contributor: str, source: str, rights: Rights) -> str:
    """16 hex digits, BLAKE2b-64 of all fields; another grant is another id."""
    fields = {"contributor": contributor, "source": source, **dataclasses.asdict(rights)}
    text = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def allows(rights: Rights, right: Right, as_of: datetime.date) -> bool:
    """Whether a right is granted on the day `as_of`; the last day counts."""
    if right not in FLAGS:
        raise RightsError(f"no right {right!r}", fix=f"the rights are: {', '.join(FLAGS)}")
    return bool(getattr(rights, right)) and (rights.until is None or as_of <= rights.until)


def lacking(rights: Rights, wanted: Sequence[Right], as_of: datetime.date) -> str | None:
    """The field that stands in the way of the first wanted right (`until` where the grant has ended), or None."""
    for right in wanted:
        if not allows(rights, right, as_of):
            return right if not getattr(rights, right) else "until"
    return None


def rights_row(contributor: str, source: str, rights: Rights) -> dict[str, object]:
    """A row of rights.parquet, JSON-like but for the date."""
    named = {"rights_id": rights_id(contributor, source, rights), "contributor": contributor, "source": source}
    return named | dataclasses.asdict(rights)


def write_rights(run: Path, rows: Sequence[Mapping[str, object]], context: JobContext) -> Output:
    """Write rights.parquet, one row a source, by rights_id."""
    ordered = sorted((dict(row) for row in rows), key=lambda row: str(row["rights_id"]))
    return write_table(run / "rights.parquet", pa.Table.from_pylist(ordered, schema=RIGHTS), RIGHTS, context)


def read_rights(run: Path) -> dict[str, Rights]:
    """rights_id → Rights of a run.

    Raises:
        StaleError: collect has not run.
    """
    table = read_table(run / "rights.parquet", schema=RIGHTS)
    names = [field.name for field in dataclasses.fields(Rights)]
    return {row["rights_id"]: Rights(**{name: row[name] for name in names}) for row in table.to_pylist()}


def read_sources(run: Path) -> set[str]:
    """Names of a run's sources.

    Raises:
        StaleError: collect has not run.
    """
    return set(read_table(run / "rights.parquet", ["source"], schema=RIGHTS)["source"].to_pylist())
