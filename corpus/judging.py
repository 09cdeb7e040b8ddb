"""What the pipeline makes of a text, without a run: collect's normalising, measure's edits and signals, decide's rules.

`hanjo corpus judge` writes a line of verdict for each line of a JSON Lines file with it, `hanjo corpus check` judges
whole submissions. Only the pipeline's own functions are called, so that both say what a run would do; rights are not
asked for here.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpus import fineweb2, registers
from corpus.decide import judge as decide_batch
from corpus.documents import VERDICTS, Record, Rejected
from corpus.edits import apply_edits
from corpus.measure import MeasureSettings, measure_batch
from corpus.normalising import mended
from corpus.privacy import private_spans
from corpus.rules import DecideSettings, settings_for
from corpus.shards import Counts
from corpus.sources import ReadOptions
from corpus.sources.jsonl import record_of
from corpus.streams import Line, too_long

BATCH_BYTES = 1 << 20  # UTF-8 bytes of text judged at a time: little memory, and long enough for the kernels
BATCH_ROWS = 8192  # … or this many texts
_TEXT, _ID = "text", "id"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of n texts, row by row.

    Attributes:
        edited: large_string[n], as dedup would get them: boilerplate cut, personal data masked.
        edits: the column `edits` of EDITS, n rows.
        signals: the signals' schema, n rows.
        verdicts: VERDICTS, n rows.
        registers: string[n], the register of each by its name, whether or not it decided.
    """

    edited: pa.Array
    edits: pa.Array
    signals: pa.RecordBatch
    verdicts: pa.Table
    registers: pa.Array


@dataclass(frozen=True, slots=True)
class Judge:
    """Measures and decides batches of normalised texts.

    Attributes:
        decide: its `profile` judges; the profiles of sources have no say here.
        fineweb2: decide as FineWeb-2's Korean filters do instead, with eojeol for words.
    """

    measure: MeasureSettings = field(default_factory=MeasureSettings)
    decide: DecideSettings = field(default_factory=DecideSettings)
    fineweb2: bool = False

    def batch(self, texts: pa.Array, counts: Counts) -> Judged:
        """Judge some texts.

        Args:
            texts: large_string[n], normalised, none of them empty.
            counts: what measure counts is added.
        """
        policies = self.measure.privacy.policies()
        edits, signals = measure_batch(texts, self.measure.boilerplate_budget, policies, counts)
        edited = apply_edits(texts, edits)
        verdicts = _by_fineweb2(edited) if self.fineweb2 else _verdicts(signals, self.decide)
        columns = {name: signals.column(name).to_numpy() for name in registers.NEEDED}
        guessed = pa.array(registers.NAMES, pa.string()).take(pa.array(registers.guess(columns)))
        return Judged(edited, edits, signals, verdicts, guessed)


def judge_of(profile: str, base: Path = Path()) -> Judge:
    """A judge by what a recipe's `decide.profile` takes (paths start from `base`), or by `fineweb2-kor`.

    Raises:
        UsageError: there is no such profile.
    """
    if profile == fineweb2.PROFILE:
        return Judge(fineweb2=True)
    return Judge(decide=settings_for(profile, base))


def _verdicts(signals: pa.RecordBatch, settings: DecideSettings) -> pa.Table:
    """decide's verdicts on measured texts of one source whose rights are in order."""
    rows = len(signals)
    documents = pa.table({"source": pa.repeat("", rows), "rights_id": pa.repeat("", rows)})
    table = pa.Table.from_batches([signals])
    return decide_batch(documents, table, settings.limits(), {}, {"": None}, settings.profile)[0]


def _by_fineweb2(texts: pa.Array) -> pa.Table:
    told = [fineweb2.fineweb2_verdict(text, text.split())._asdict() for text in texts.to_pylist()]
    return pa.Table.from_pylist([{**verdict, "detail": None} for verdict in told], schema=VERDICTS)


def judge_lines(
    lines: Iterable[Line | Rejected], judge: Judge, max_record: int, tally: Counter[tuple[str, str]]
) -> Iterator[bytes]:
    """The verdict on every line of a JSON Lines file, as a line of JSON each, in the order they came.

    Args:
        lines: of `read_lines`.
        max_record: bytes above which a line is quarantined.
        tally: (verdict, rule or "") → lines, added to.
    """
    options = ReadOptions(text=_TEXT, meta=(_ID,), max_record=max_record)
    batch = _Batch(judge, tally)
    for line in lines:
        batch.add(*_read(line, options))
        if batch.full:
            yield from batch.judged()
    yield from batch.judged()


def _read(line: Line | Rejected, options: ReadOptions) -> tuple[object, Record | Rejected]:
    """The id that a line names (None where it names none), and its record or why there is none."""
    if isinstance(line, Rejected):
        return None, line
    if line.data is None:
        return None, too_long(line.offset, line.length, options.max_record, f"line {line.number}")
    if not line.data.strip():
        detail = f"line {line.number}, byte {line.offset}: nothing stands there: remove the line"
        return None, Rejected(line.offset, line.length, "line.blank", detail)
    found = record_of(line.data, line.offset, line.length, f"line {line.number}", options)
    return _id_of(line.data) if isinstance(found, Rejected) else found.meta.get(_ID), found


def _id_of(data: bytes) -> object:
    """The id of a line without a readable text, None where it is no object or names none."""
    try:
        row = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return row.get(_ID) if isinstance(row, dict) else None


class _Batch:
    """Lines that wait to be judged together."""

    def __init__(self, judge: Judge, tally: Counter[tuple[str, str]]) -> None:
        self._judge, self._tally = judge, tally
        self._waiting: list[tuple[object, str | Rejected]] = []
        self._held = 0

    @property
    def full(self) -> bool:
        return self._held >= BATCH_BYTES or len(self._waiting) >= BATCH_ROWS

    def add(self, name: object, record: Record | Rejected) -> None:
        text = record if isinstance(record, Rejected) else mended(record.text).text
        self._waiting.append((name, text))
        self._held += record.length

    def judged(self) -> Iterator[bytes]:
        """Give out what waits."""
        texts = [text for _, text in self._waiting if isinstance(text, str) and text.strip()]
        told = iter(_told(pa.array(texts, pa.large_string()), self._judge))
        for name, text in self._waiting:
            if isinstance(text, Rejected):
                row = _row("quarantine", text.cause, None)
            else:
                row = next(told) if text.strip() else _row("remove", "text.empty", text)
            self._tally[row["verdict"], row["rule"] or ""] += 1
            yield _line({"id": _plain_id(name), **row})
        self._waiting, self._held = [], 0


def _told(texts: pa.Array, judge: Judge) -> list[dict[str, Any]]:
    if not len(texts):
        return []
    judged = judge.batch(texts, {})
    private = np.flatnonzero(judged.signals.column("private").to_numpy() > 0)
    spans = dict(
        zip(
            private.tolist(),
            private_spans(texts.take(pa.array(private)).to_pylist(), judge.measure.privacy.policies()),
            strict=True,
        )
    )
    rows = zip(judged.verdicts.to_pylist(), judged.registers.to_pylist(), judged.edited.to_pylist(), strict=True)
    return [
        _row(
            "keep" if verdict["keep"] else "remove",
            verdict["rule"],
            text,
            value=verdict["value"],
            limit=verdict["limit"],
            register=register,
            pii=[{"type": one.type, "start": one.start, "end": one.end} for one in spans.get(row, [])],
        )
        for row, (verdict, register, text) in enumerate(rows)
    ]


def _row(verdict: str, rule: str | None, text: str | None, **known: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "verdict": verdict,
        "rule": rule,
        "value": None,
        "limit": None,
        "register": None,
        "text": text,
        "pii": [],
    }
    return empty | known


def _plain_id(name: object) -> str | int | float | None:
    """An id as it was given, None where it is neither text nor a number that JSON can write."""
    if isinstance(name, float) and not math.isfinite(name):
        return None
    return name if isinstance(name, str | int | float) and not isinstance(name, bool) else None


def _line(row: dict[str, Any]) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a lone surrogate in the id, which JSON can only write as it came: \ud800
        return json.dumps(row).encode() + b"\n"
