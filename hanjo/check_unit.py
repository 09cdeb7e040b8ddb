"""One work unit of `hanjo corpus check`, in a worker process: read, judge as the pipeline would, count, and set aside.

Records stream through in batches. What comes back is small: counts by reason, the first errors of each cause, one
masked example of each rule. Documents that would count go to the store (`check_store.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpus.collect import records
from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.judging import BATCH_BYTES, BATCH_ROWS, Judge, Judged
from corpus.normalising import mended
from corpus.shards import Counts, JobContext, Outcome, add
from corpus.sources import ReadOptions, Skipped
from corpus.streams import Stream
from dedup.settings import DedupSettings
from hanjo.check_store import NUMBERS, Writer
from hanjo.report.veil import veil

SHOWN_ERRORS = 20  # a cause; all are counted
EXCERPT = 160  # characters
_LOOK = 1000  # characters that an excerpt is cut from, so that no half of a number is shown
_SNIFFED = 1 << 18  # bytes
_BLOCK = 1 << 20
_TEXTLESS = (b"PK\x03\x04", b"%PDF", b"PAR1", b"\xd0\xcf\x11\xe0", b"ARROW1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")

# Languages as far as script tells them, the first that holds; shares of letters.
LANGUAGES = ("ko", "ko_mixed", "ja", "zh", "latin", "other", "none")


def read_unit(
    context: JobContext,
    *,
    number: int,
    pieces: list[list[Any]],
    options: dict[str, Any],
    files: list[list[str]],
    parts: dict[str, Any],
) -> Outcome:
    """Judge a unit's records.

    Args:
        context: its `run` is the folder of the store.
        number: of the unit.
        pieces: shown path, format, start, end, first line of each piece.
        options: of ReadOptions.
        files: real paths of each piece.
        parts: as `corpus.dividing.told_parts` says.

    Returns:
        `counts` by reason; `facts`: `files`, `errors`, `examples`, `batches`.
    """
    given = {**options, "meta": tuple(options["meta"]), "scratch": context.run / "read"}
    with Writer(context.run, number, DedupSettings()) as store:
        unit = _Unit(store)
        for piece, ((shown, form, start, end, first_line), paths) in enumerate(zip(pieces, files, strict=True)):
            part = parts.get(str(piece), {"spans": None, "state": {}})
            told = ReadOptions(**{**given, "first_line": first_line, "state": part["state"]})
            about = unit.open(shown, form, Path(paths[0]) if form and start == 0 else None)
            came = read = 0
            for record in records(paths, form, told, start, end, part["spans"]):
                came, read = came + 1, read + record.length
                unit.take(record, piece, about)
            about["documents"] += came
            add(unit.counts, "in", documents=came, bytes=read)
        unit.judge()
        facts = {"files": unit.files, "errors": unit.errors, "examples": unit.examples, "batches": store.batches}
    return Outcome(counts=unit.counts, facts=facts)


@dataclass(slots=True)
class _Waiting:
    """Texts that wait to be judged together: normalised text, piece, record, row of its file."""

    texts: list[str] = field(default_factory=list)
    places: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    held: int = 0


class _Unit:
    """What is counted and kept of a unit."""

    def __init__(self, store: Writer) -> None:
        self.counts: Counts = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, list[dict[str, Any]]] = {}
        self.examples: dict[str, dict[str, Any]] = {}
        self._store, self._judge = store, Judge()
        self._waiting = _Waiting()

    def open(self, shown: str, form: str, file: Path | None) -> dict[str, Any]:
        """The row of a file; `file` is given at its first piece, where the format is known."""
        empty = {"path": shown, "format": form, "encoding": None, "documents": 0, "kept": 0, "quarantined": 0}
        about = self.files.setdefault(shown, empty)
        if file is not None:
            about["encoding"] = encoding_of(file)
        return about

    def take(self, record: Record | Rejected | Skipped, piece: int, about: dict[str, Any]) -> None:
        """Count a record that goes; one with text waits for its batch."""
        if isinstance(record, Rejected):
            about["quarantined"] += 1
            self._refused(record, about)
            return
        if isinstance(record, Skipped):
            add(self.counts, f"removed/{record.rule}", documents=1, bytes=record.length, chars=0, eojeol=0)
            return
        normalised = mended(record.text)
        if record.losses or normalised.losses:
            for cause, times in (*record.losses.items(), *normalised.losses.items()):
                add(self.counts, f"lost/{cause}", times=times, documents=1)
        if not normalised.text.strip():
            add(self.counts, "removed/text.empty", documents=1, bytes=0, chars=0, eojeol=0)
            return
        waiting = self._waiting
        waiting.texts.append(normalised.text)
        waiting.places.append((piece, record.offset, about))
        waiting.held += record.length
        if waiting.held >= BATCH_BYTES or len(waiting.texts) >= BATCH_ROWS:
            self.judge()

    def _refused(self, record: Rejected, about: dict[str, Any]) -> None:
        add(self.counts, f"quarantined/{record.cause}", documents=1, bytes=record.length)
        first = self.errors.setdefault(record.cause, [])
        if len(first) < SHOWN_ERRORS:
            where = about["path"] if record.member is None else f"{about['path']}!{record.member}"
            place = {"path": where, "format": about["format"], "offset": record.offset}
            first.append({**place, "detail": record.detail})

    def judge(self) -> None:
        """Judge what waits: count it by rule, language and personal data; keep what would count."""
        waiting, self._waiting = self._waiting, _Waiting()
        if not waiting.texts:
            return
        found: Counts = {}
        judged = self._judge.batch(pa.array(waiting.texts, pa.large_string()), found)
        for reason, amounts in found.items():
            if reason.startswith(("edited/", "reported/")):
                add(self.counts, reason, **amounts)
        sizes = {name: _whole(judged.signals, name) for name in ("bytes", "chars", "eojeol")}
        keep = judged.verdicts["keep"].to_numpy(zero_copy_only=False)
        for reason, rows in [("kept", np.flatnonzero(keep)), *_by_rule(judged)]:
            if len(rows):
                amounts = {name: int(values[rows].sum()) for name, values in sizes.items()}
                add(self.counts, reason, documents=len(rows), **amounts)
                self._show(reason, int(rows[0]), judged, waiting)
        for name, rows in by_language(judged.signals):
            add(self.counts, f"language/{name}", documents=len(rows), bytes=int(sizes["bytes"][rows].sum()))
        rows = np.flatnonzero(keep)
        numbers = np.zeros(len(rows), NUMBERS)
        numbers["chars"], numbers["eojeol"] = sizes["chars"][rows], sizes["eojeol"][rows]
        for row, place in zip(rows.tolist(), numbers, strict=True):
            place["piece"], place["offset"], about = waiting.places[row]
            about["kept"] += 1
        self._store.add(judged.edited.take(pa.array(rows)), numbers)

    def _show(self, reason: str, row: int, judged: Judged, waiting: _Waiting) -> None:
        """Keep the first document of each reason as its example, masked and cut short."""
        if reason in self.examples:
            return
        _, offset, about = waiting.places[row]
        verdict = judged.verdicts.slice(row, 1).to_pylist()[0]
        self.examples[reason] = {
            "path": about["path"],
            "format": about["format"],
            "offset": offset,
            "value": verdict["value"],
            "limit": verdict["limit"],
            "text": excerpt(judged.edited[row].as_py()),
        }


def excerpt(text: str) -> str:
    """The beginning of an edited text on one line, with a last veil over what may still be somebody's."""
    shown = re.sub(r"\s+", " ", veil(text[:_LOOK])).strip()
    return shown if len(shown) <= EXCERPT else shown[:EXCERPT] + " …"


def _whole(signals: pa.RecordBatch, name: str) -> npt.NDArray[np.int64]:
    return signals.column(name).to_numpy().astype(np.int64)


def _by_rule(judged: Judged) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The rows that each rule removed, by rule."""
    encoded = judged.verdicts["rule"].combine_chunks().dictionary_encode()
    which = encoded.indices.fill_null(-1).to_numpy()
    for index, rule in enumerate(encoded.dictionary.to_pylist()):
        yield f"removed/{rule}", np.flatnonzero(which == index)


def by_language(signals: pa.RecordBatch) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The rows of each of LANGUAGES, told by script alone."""
    hangul, latin, hanja, kana = (
        signals.column(name).to_numpy() for name in ("hangul_letters", "latin", "hanja", "kana")
    )
    holds = (hangul >= 0.5, hangul >= 0.2, kana >= 0.2, hanja >= 0.5, latin >= 0.5, hangul + latin + hanja + kana > 0)
    which = np.select(holds, range(len(holds)), len(holds))
    for index, name in enumerate(LANGUAGES):
        rows = np.flatnonzero(which == index)
        if len(rows):
            yield name, rows


def encoding_of(file: Path) -> str | None:
    """The encoding of a file's first bytes, None where they are no text (archives, PDF, Parquet) or cannot be read."""
    try:
        with Stream(file) as stream:
            data = b""
            while len(data) < _SNIFFED and (block := stream.read(_SNIFFED - len(data))):
                data += block
    except OSError:
        return None
    if not data or data.startswith(_TEXTLESS):
        return None
    if len(data) == _SNIFFED and b"\n" in data:
        data = data[: data.rfind(b"\n") + 1]
    try:
        return decode(data).encoding
    except UndecodableError:
        return None


def count_lines(context: JobContext, *, start: int, end: int, file: str) -> Outcome:
    """Job: the line ends in the bytes [start, end) of a file, under `lines` of the facts."""
    lines, left = 0, end - start
    try:
        with Path(file).open("rb") as handle:
            handle.seek(start)
            while left > 0 and (block := handle.read(min(left, _BLOCK))):
                lines += block.count(b"\n")
                left -= len(block)
    except OSError:  # reading it will quarantine it
        pass
    return Outcome(facts={"lines": lines})
