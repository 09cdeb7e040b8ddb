"""The ledger of a run: what counts, by source, contributor and rights, on three axes. Written after tokenize.

    origin   natural, synthetic, translated      as submission.yaml says
    access   open, licensed                      open: the rights let anyone pass the text on, on the day `as_of`
    unique   unique, repeated                    unique: its tokens are in the shards; repeated: dedup removed a copy

`ledger.jsonl` is appended to, never edited: integers, no clock, each line chained to the one before by hash. The last
line holds; a line whose stages were made anew stays, superseded. The run's owner can still write the whole file anew:
what binds a figure is a receipt in someone else's hands (`corpus/receipts.py`).

Nothing here knows dedup or the tokenizer: whoever composes them hands in the shards (`hanjo/ledger.py`).
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import TOKEN_DOCS, UNIQUE
from corpus.errors import LedgerError, RightsError
from corpus.manifest import fingerprint
from corpus.rights import Rights, allows
from corpus.shards import fingerprint_of, read_sidecar, read_table, sync
from corpus.staging import withdrawn_rows

FILE = "ledger.jsonl"
VERSION = 1
KEYS = ("source", "contributor", "rights_id", "origin")
COLLECTED = ("documents", "bytes")  # bytes of the records as they came
REPEATED = ("documents", "bytes", "chars", "eojeol")  # of the edited text, as signals/ has it
COUNTED = ("documents", "bytes", "chars", "eojeol", "tokens")  # of the text that was made into tokens
COPIES = "dedup."  # prefix of the rules that call a document a copy of another
_FIELDS = {"version", "entry", "previous", "hash", "run", "key", "stages", "tokenizer", "toward", "rows"}
_PARTS = {"collected": COLLECTED, "repeated": REPEATED, "unique": COUNTED}

Row = dict[str, Any]
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Collected:
    """A shard of documents with the sidecars that say what became of it: paths, absolute."""

    documents: Path
    clusters: Path
    signals: Path


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A table of the documents in a token shard, and the shard of unique text that it was made of, row by row."""

    docs: Path
    unique: Path


@dataclass(frozen=True, slots=True)
class Shards:
    """All that a ledger counts, in the order of the names."""

    collected: Sequence[Collected]
    tokenised: Sequence[Tokenised]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry speaks of.

    Attributes:
        run: name of the run.
        as_of: the day on which rights are asked for.
        target: tokens to collect.
        stages: stage → fingerprint, for each stage that the figures come from.
        tokenizer: content hash of the tokenizer that made the tokens.
        withdrawals: how many the run has seen; no fingerprint tells of them.
    """

    run: str
    as_of: datetime.date
    target: int
    stages: Mapping[str, str]
    tokenizer: str
    withdrawals: int = 0

    def key(self) -> str:
        """What an entry is known by: the same subject is not written twice in a row."""
        since = [self.withdrawals] if self.withdrawals else []
        return fingerprint(
            "ledger", VERSION, self.run, self.as_of, self.target, dict(self.stages), self.tokenizer, *since
        )


@dataclass(slots=True)
class Tally:
    """Amounts by (source, contributor, rights_id, origin): part (collected, repeated, unique) → name → amount."""

    groups: dict[Key, dict[str, dict[str, int]]] = field(default_factory=dict)

    def add(self, part: str, table: pa.Table, amounts: Sequence[str]) -> None:
        """Add the rows of a table with the columns KEYS and `amounts`; each row is one document."""
        sums = [(name, "sum") for name in amounts]
        for row in table.group_by(list(KEYS)).aggregate([([], "count_all"), *sums]).to_pylist():
            key = (str(row["source"]), str(row["contributor"]), str(row["rights_id"]), str(row["origin"]))
            held = self.groups.setdefault(key, {name: dict.fromkeys(parts, 0) for name, parts in _PARTS.items()})[part]
            held["documents"] += row["count_all"]
            for name in amounts:
                held[name] += int(row[f"{name}_sum"] or 0)

    def rows(self, rights: Mapping[str, Rights], as_of: datetime.date) -> list[Row]:
        """Rows of an entry, sorted by their keys, with the access that the rights give on the day.

        Raises:
            RightsError: rights.parquet does not know a rights_id.
        """
        rows = []
        for key, parts in sorted(self.groups.items()):
            named = dict(zip(KEYS, key, strict=True))
            grant = rights.get(named["rights_id"])
            if grant is None:
                told = f"no row {named['rights_id']!r} in rights.parquet, which source {named['source']!r} names"
                raise RightsError(told, fix="run collect again")
            access = "open" if allows(grant, "redistribute", as_of) else "licensed"
            rows.append({**named, "access": access, **parts})
        return rows


def tally(shards: Shards) -> Tally:
    """Count the shards, one in memory at a time and of it a few columns without text.

    Raises:
        StaleError: a shard is missing, or a sidecar belongs to another shard.
    """
    counted = Tally()
    for one in shards.collected:
        table, copies = collected_rows(one)
        counted.add("collected", table, ("bytes",))
        counted.add("repeated", copies, REPEATED[1:])
    for two in shards.tokenised:
        counted.add("unique", counted_rows(two), COUNTED[1:])
    return counted


def collected_rows(shard: Collected) -> tuple[pa.Table, pa.Table]:
    """KEYS and `bytes` of the documents of a shard as they came, KEYS and REPEATED of those found to be copies.

    Withdrawn ones are in neither.
    """
    of = fingerprint_of(shard.documents)
    read = read_table(shard.documents, [*KEYS, "length", "path"])
    table = read.select([*KEYS, "length"]).rename_columns([*KEYS, "bytes"])
    rule = read_sidecar(shard.clusters, of, table.num_rows, ["rule"])["rule"]
    copy = pc.fill_null(pc.starts_with(rule, COPIES), False)
    signals = read_sidecar(shard.signals, of, table.num_rows, list(REPEATED[1:])).filter(copy)
    columns = {name: signals[name].cast(pa.int64()) for name in REPEATED[1:]}
    keys = table.select(list(KEYS))
    table = table.filter(pa.array(~withdrawn_rows(read["path"])))
    return table, pa.table({**{name: keys[name].filter(copy) for name in KEYS}, **columns})


def counted_rows(shard: Tokenised) -> pa.Table:
    """KEYS and COUNTED of the documents in a token shard that are not withdrawn.

    Raises:
        StaleError: the table belongs to another shard of unique text.
    """
    origin = read_table(shard.unique, ["origin"], schema=UNIQUE)["origin"]
    names = [*KEYS[:3], *COUNTED[1:], "withdrawn"]
    table = read_sidecar(shard.docs, fingerprint_of(shard.unique), len(origin), names)
    table = table.select(names).cast(pa.schema([TOKEN_DOCS.field(name) for name in names]))
    return table.append_column("origin", origin).filter(pc.invert(table["withdrawn"])).drop_columns(["withdrawn"])


def forecast(rows: Iterable[Row], target: int) -> dict[str, int | None]:
    """How far it is to the target at the present rate of unique tokens a collected byte; integers, rounded up.

    `bytes_missing` is None where there is no rate yet. It takes more of the same for granted: the next bytes repeat
    each other and those that are here no more than these did, which is too hopeful for one source and fair for many.
    """
    rows = list(rows)
    tokens = sum(row["unique"]["tokens"] for row in rows)
    size = sum(row["collected"]["bytes"] for row in rows)
    missing = max(target - tokens, 0)
    more = -(-missing * size // tokens) if tokens else None
    return {"target": target, "unique": tokens, "missing": missing, "collected_bytes": size, "bytes_missing": more}


def axes(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Sums over the three axes: origin, access, part (unique, repeated) and COUNTED; copies were not made into tokens.

    Combinations without a document are left out.
    """
    sums: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in rows:
        for part in ("unique", "repeated"):
            if row[part]["documents"]:
                held = sums.setdefault((row["origin"], row["access"], part), dict.fromkeys(row[part], 0))
                for name, amount in row[part].items():
                    held[name] += amount
    order = sorted(sums, key=lambda key: (*key[:2], key[2] != "unique"))
    return [{"origin": o, "access": a, "part": p, "tokens": None, **sums[o, a, p]} for o, a, p in order]


def entry_of(subject: Subject, rows: Sequence[Row]) -> dict[str, Any]:
    """An entry without its place in the chain (`entry`, `previous`, `supersedes`, `hash`)."""
    return {
        "version": VERSION,
        "run": subject.run,
        "as_of": subject.as_of.isoformat(),
        "key": subject.key(),
        "stages": dict(subject.stages),
        "tokenizer": subject.tokenizer,
        **({"withdrawals": subject.withdrawals} if subject.withdrawals else {}),
        "toward": forecast(rows, subject.target),
        "rows": list(rows),
    }


def beginning(run: str) -> str:
    """What the first line is chained to: 32 hex digits, BLAKE2b-128 of `hanjo ledger`, NUL and the run's name."""
    return hashlib.blake2b(f"hanjo ledger\0{run}".encode(), digest_size=16).hexdigest()


def line_hash(entry: Mapping[str, Any]) -> str:
    """32 hex digits: BLAKE2b-128 over `previous` (its hex digits) and the canonical JSON of all but `hash`."""
    text = canonical({name: value for name, value in entry.items() if name != "hash"})
    return hashlib.blake2b(f"{entry['previous']}{text}".encode(), digest_size=16).hexdigest()


def canonical(value: object) -> str:
    """JSON with sorted keys, without spaces, characters beyond ASCII as they are."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_ledger(run: Path) -> list[dict[str, Any]]:
    """The whole entries, none where there is no ledger; the chain is checked.

    A last line without its end was cut off by a kill and counts as not written.

    Raises:
        LedgerError: naming the first line that is not what was written.
    """
    path = run / FILE
    if not path.exists():
        return []
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        entries.append(_checked(line, entries[-1] if entries else None, f"{path}, line {number}"))
    return entries


def _checked(line: bytes, before: dict[str, Any] | None, where: str) -> dict[str, Any]:
    def broken(what: str) -> LedgerError:
        return LedgerError(what, where=where, fix="restore the file from a copy, or move it away: a run begins another")

    try:
        entry = json.loads(line)
    except ValueError as error:
        raise broken("not JSON: the line was changed after it was written") from error
    if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
        raise broken("no entry of a ledger: the line was changed after it was written")
    if entry["version"] != VERSION:
        raise broken(f"written by another version of the ledger ({entry['version']}, not {VERSION})")
    if line != canonical(entry).encode() or entry["hash"] != line_hash(entry):
        raise broken("its hash is not that of its figures: the line was changed after it was written")
    expected = beginning(entry["run"]) if before is None else before["hash"]
    if entry["previous"] != expected or entry["entry"] != (0 if before is None else before["entry"] + 1):
        raise broken("not chained to the line before it: a line was taken out, added or moved")
    return entry


def append(run: Path, subject: Subject, shards: Shards, rights: Mapping[str, Rights]) -> dict[str, Any] | None:
    """Append the entry that says how the run stands; None where the last one already speaks of the same subject.

    What a kill left of a line is cut off first, so a run that was killed ends with the same bytes.

    Raises:
        LedgerError: the chain is broken. StaleError: shards are missing. RightsError: rights are missing.
    """
    entries = read_ledger(run)
    _cut_torn(run / FILE)
    if entries and entries[-1]["key"] == subject.key():
        return None
    entry = chained(entry_of(subject, tally(shards).rows(rights, subject.as_of)), entries)
    with (run / FILE).open("ab") as handle:
        handle.write(f"{canonical(entry)}\n".encode())
        handle.flush()
        os.fsync(handle.fileno())
    sync(run)
    return entry


def chained(entry: dict[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An entry with its place after those that stand."""
    last = entries[-1] if entries else None
    entry |= {"entry": len(entries), "supersedes": None if last is None else last["entry"]}
    entry["previous"] = beginning(entry["run"]) if last is None else last["hash"]
    entry["hash"] = line_hash(entry)
    return entry


def after_withdrawal(entry: Mapping[str, Any], before: Tally, now: Tally) -> Tally:
    """What an entry counts, once the shards that a withdrawal touched count as they do now instead of as before."""
    counted = Tally()
    for row in entry["rows"]:
        key = (row["source"], row["contributor"], row["rights_id"], row["origin"])
        counted.groups[key] = {part: dict(row[part]) for part in _PARTS}
    for tallied, sign in ((before, -1), (now, 1)):
        for key, parts in tallied.groups.items():
            held = counted.groups.setdefault(key, {name: dict.fromkeys(names, 0) for name, names in _PARTS.items()})
            for part, amounts in parts.items():
                for name, amount in amounts.items():
                    held[part][name] += sign * amount
    counted.groups = {key: parts for key, parts in counted.groups.items() if parts["collected"]["documents"]}
    return counted


def _cut_torn(path: Path) -> None:
    if not path.exists():
        return
    whole = path.read_bytes().rfind(b"\n") + 1
    if whole < path.stat().st_size:
        os.truncate(path, whole)


def differences(entry: Mapping[str, Any], rows: Sequence[Row], target: int) -> list[str]:
    """What an entry says otherwise than rows that were counted anew, one sentence a figure."""
    told = {tuple(row[name] for name in KEYS): row for row in entry["rows"]}
    found = {tuple(row[name] for name in KEYS): row for row in rows}
    wrong = []
    for key in sorted(told.keys() | found.keys()):
        name = "/".join(key)
        if key not in found or key not in told:
            wrong.append(f"{name}: {'not in the ledger' if key in found else 'not in the shards'}")
            continue
        if told[key]["access"] != found[key]["access"]:
            wrong.append(f"{name}: access {told[key]['access']} in the ledger, {found[key]['access']} by its rights")
        for part, amounts in _PARTS.items():
            for amount in amounts:
                here, there = told[key][part].get(amount), found[key][part][amount]
                if here != there:
                    wrong.append(f"{name}: {part} {amount} {here} in the ledger, {there} in the shards")
    if not wrong and entry["toward"] != forecast(rows, target):
        wrong.append("the forecast does not follow from the rows")
    return wrong
