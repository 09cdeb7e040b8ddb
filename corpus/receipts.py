"""Receipts: what a contributor is credited with, shard by shard, so that anyone with the shards can count it again.

A receipt names a line of the ledger by its hash, and of every shard that holds the contributor's documents the counts,
the shard's fingerprint and the BLAKE2b-128 of the table's bytes. Whoever holds it can show later that the ledger, or
the shards, were not always what they are then. It holds no text and no id of a document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import LedgerError, UsageError
from corpus.ledger import COUNTED, REPEATED, Shards, canonical, collected_rows, counted_rows
from corpus.manifest import hash_file
from corpus.shards import fingerprint_of

KIND = "hanjo ledger receipt"
VERSION = 1
_PARTS: dict[str, tuple[str, ...]] = {"unique": COUNTED, "repeated": REPEATED}
_COPIED = ("run", "as_of", "tokenizer", "stages")


def receipt(run: Path, entry: Mapping[str, Any], contributor: str, shards: Shards) -> dict[str, Any]:
    """What the shards hold of a contributor, as the given entry of the ledger says in sum.

    Raises:
        UsageError: the entry does not know the contributor.
        LedgerError: the shards hold something else than the entry says.
    """
    rows = _rows_of(entry, contributor)
    if not rows:
        names = ", ".join(sorted({row["contributor"] for row in entry["rows"]}))
        raise UsageError(f"no contributor {contributor!r} in this run", fix=f"there are: {names}")
    made: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "contributor": contributor,
        **{name: entry[name] for name in _COPIED},
        "ledger": {"entry": entry["entry"], "hash": entry["hash"]},
        "rows": rows,
        "unique": [line for line in _tokenised(run, shards, contributor) if line["documents"]],
        "repeated": [line for line in _collected(run, shards, contributor) if line["documents"]],
    }
    made["totals"] = {part: _sum(made[part], amounts) for part, amounts in _PARTS.items()}
    if wrong := list(_totals_against_rows(made)):
        raise LedgerError(
            f"the shards are not what the ledger says: {wrong[0]}",
            where=str(run),
            fix="`hanjo corpus ledger RUN` tells every difference; run the recipe again",
        )
    return {**made, "hash": receipt_hash(made)}


def receipt_hash(made: Mapping[str, Any]) -> str:
    """32 hex digits: BLAKE2b-128 over the canonical JSON of all but `hash`."""
    text = canonical({name: value for name, value in made.items() if name != "hash"})
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def read_receipt(path: Path) -> dict[str, Any]:
    """A receipt from its file.

    Raises:
        UsageError: it is none.
    """
    fix = "give a file that `hanjo corpus ledger receipt` wrote"
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError("no such file", where=str(path), fix=fix) from error
    except ValueError as error:
        raise UsageError(f"not JSON ({error})", where=str(path), fix=fix) from error
    if not isinstance(made, dict) or made.get("kind") != KIND:
        raise UsageError("no receipt of a ledger", where=str(path), fix=fix)
    if made.get("version") != VERSION:
        raise UsageError(
            f"a receipt of version {made.get('version')!r}; this hanjo reads version {VERSION}", where=str(path)
        )
    return made


def check(made: Mapping[str, Any], run: Path, entries: Sequence[Mapping[str, Any]], shards: Shards) -> list[str]:
    """What of a receipt does not hold: a sentence a figure, none where all of it does.

    Args:
        entries: the run's ledger, its chain checked.
        shards: of the run; where `collected` is empty (the documents are private) copies are not counted again.
    """
    wrong = []
    if made.get("hash") != receipt_hash(made):
        wrong.append("the receipt was changed after it was written: its hash is not that of its figures")
    try:
        wrong += _against_ledger(made, entries)
        wrong += _totals_against_rows(made)
        for part, lines in (("unique", _tokenised), ("repeated", _collected)):
            if part == "unique" or shards.collected:
                found = {line["path"]: line for line in lines(run, shards, made["contributor"]) if line["documents"]}
                wrong += _against_shards(part, made[part], found, _PARTS[part])
    except (KeyError, TypeError, AttributeError) as error:
        wrong.append(f"the receipt is not whole ({type(error).__name__}: {error})")
    return wrong


def _rows_of(entry: Mapping[str, Any], contributor: str) -> list[dict[str, Any]]:
    return [row for row in entry["rows"] if row["contributor"] == contributor]


def _tokenised(run: Path, shards: Shards, contributor: str) -> Iterator[dict[str, Any]]:
    for shard in shards.tokenised:
        yield _line(run, shard.docs, _of(counted_rows(shard), contributor), COUNTED)


def _collected(run: Path, shards: Shards, contributor: str) -> Iterator[dict[str, Any]]:
    for shard in shards.collected:
        yield _line(run, shard.clusters, _of(collected_rows(shard)[1], contributor), REPEATED)


def _of(table: pa.Table, contributor: str) -> pa.Table:
    return table.filter(pc.equal(table["contributor"], contributor))


def _line(run: Path, path: Path, table: pa.Table, amounts: Iterable[str]) -> dict[str, Any]:
    """One shard: its path in the run, what it is made of, its bytes' hash (of those that count only), the counts."""
    counts = {name: pc.sum(table[name]).as_py() or 0 for name in amounts if name != "documents"}
    told = {"path": path.relative_to(run).as_posix(), "documents": table.num_rows, **counts}
    if table.num_rows:
        told |= {"fingerprint": fingerprint_of(path), "blake2b": hash_file(path)}
    return told


def _sum(lines: Iterable[Mapping[str, Any]], amounts: Iterable[str]) -> dict[str, int]:
    lines = list(lines)
    return {name: sum(line[name] for line in lines) for name in amounts}


def _against_ledger(made: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    number = made["ledger"]["entry"]
    if not isinstance(number, int) or not 0 <= number < len(entries):
        yield f"the ledger has no entry {number!r}: it was begun anew, or belongs to another run"
        return
    entry = entries[number]
    if entry["hash"] != made["ledger"]["hash"]:
        yield f"entry {number} of the ledger has the hash {entry['hash']}, the receipt says {made['ledger']['hash']}"
    for name in _COPIED:
        if entry[name] != made[name]:
            yield f"{name} is {entry[name]!r} in the ledger, {made[name]!r} in the receipt"
    if _rows_of(entry, made["contributor"]) != made["rows"]:
        yield f"the rows of {made['contributor']!r} are others in entry {number} of the ledger than in the receipt"


def _totals_against_rows(made: Mapping[str, Any]) -> Iterator[str]:
    for part, amounts in _PARTS.items():
        added = {"rows": _sum((row[part] for row in made["rows"]), amounts), "shards": _sum(made[part], amounts)}
        for name, found in added.items():
            for amount in amounts:
                told = made["totals"][part][amount]
                if told != found[amount]:
                    yield f"{part} {amount}: the total says {told}, the receipt's {name} add up to {found[amount]}"


def _against_shards(
    part: str, lines: Iterable[Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]], amounts: Iterable[str]
) -> Iterator[str]:
    told = {line["path"]: line for line in lines}
    for path in sorted(told.keys() | found.keys()):
        if path not in found:
            yield f"{path}: in the receipt ({part}), but the run has nothing of the contributor there"
        elif path not in told:
            yield f"{path}: {found[path]['documents']} {part} documents in the run that the receipt does not know"
        else:
            for name in (*amounts, "fingerprint", "blake2b"):
                here, there = told[path].get(name), found[path][name]
                if here != there:
                    yield f"{path}: {part} {name} {here} in the receipt, {there} in the run"
