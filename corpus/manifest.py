"""Fingerprints and the manifest: what a stage was made of, and what went in and came out of it.

A fingerprint is BLAKE2b-128 over canonical JSON. The manifest is deterministic: no clock, no path of this machine.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

from corpus.errors import CountError, StaleError
from corpus.shards import Counts, write_json

_BLOCK = 1 << 20


def fingerprint(*parts: object) -> str:
    """32 hex digits over the parts: JSON-like values, dataclasses, dates, paths' names never.

    Dictionaries count by content, not by order; a dataclass counts as its fields, but for settings that came `later`
    (`corpus.settings.setting`) and have their default.
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if not _as_before(f, value)}
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in a fingerprint")


def _as_before(field: dataclasses.Field[Any], value: object) -> bool:
    if not field.metadata.get("later"):
        return False
    made = field.default_factory
    default = field.default if made is dataclasses.MISSING else made()
    return bool(getattr(value, field.name) == default)


def hash_file(path: Path, start: int = 0, end: int | None = None) -> str:
    """BLAKE2b-128 of the bytes [start, end) of a file, 32 hex digits, in constant memory."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as handle:
        handle.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            block = handle.read(_BLOCK if left is None else min(_BLOCK, left))
            if not block:
                break
            digest.update(block)
            left = None if left is None else left - len(block)
    return digest.hexdigest()


def check_counts(stage: str, counts: Counts) -> None:
    """in = kept + removed + quarantined + withdrawn, in documents.

    Raises:
        CountError: a document was lost or counted twice.
    """

    def documents(*prefixes: str) -> int:
        return sum(row.get("documents", 0) for reason, row in counts.items() if reason.split("/")[0] in prefixes)

    came, went = documents("in"), documents("kept", "removed", "quarantined", "withdrawn")
    if came != went:
        raise CountError(
            f"{came} documents came in, {went} are accounted for",
            where=f"stage {stage}",
            fix="this is a defect in hanjo: please report it with manifest.json",
        )


def read_manifest(run: Path) -> dict[str, Any]:
    """The manifest of a run, `{"name": …, "stages": {stage: {fingerprint, counts, …}}}`; empty stages where none is.

    Raises:
        StaleError: manifest.json is there but cannot be read.
    """
    path = run / "manifest.json"
    if not path.exists():
        return {"stages": {}}
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise StaleError(
            f"not a readable manifest ({error})", where=str(path), fix="delete it and run again"
        ) from error
    return manifest


def write_manifest(run: Path, manifest: dict[str, Any]) -> None:
    """Write manifest.json atomically."""
    write_json(run / "manifest.json", manifest)
