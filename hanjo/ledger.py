"""The ledger of a run, composed: corpus counts, and which shards and which tokenizer there are is told it here.

`hanjo run` has the ledger written after tokenize; `hanjo corpus ledger` counts again and compares.
"""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from corpus import ledger
from corpus.errors import LedgerError, StaleError
from corpus.ledger import Collected, Shards, Subject, Tokenised
from corpus.manifest import read_manifest
from corpus.rights import read_rights
from corpus.shards import read_shards
from corpus.staging import Staging
from corpus.tombstones import withdrawals
from hanjo.stages import NAMES
from tokenizer.encode import DOCS, SPLITS
from tokenizer.train_jobs import FOLDER
from tokenizer.vocabulary import content_hash

LAST = "tokenize"
STAGES = NAMES[: NAMES.index(LAST) + 1]


def subject_of(run: Path) -> Subject:
    """What the ledger of the run as it stands speaks of.

    Raises:
        StaleError: a stage up to tokenize has not finished.
    """
    manifest = read_manifest(run)
    missing = [name for name in STAGES if name not in manifest["stages"]]
    if missing:
        raise StaleError(
            f"stage {missing[0]} has not finished", where=str(run), fix=f"run the recipe up to it: --until {LAST}"
        )
    return Subject(
        manifest["name"],
        datetime.date.fromisoformat(manifest["as_of"]),
        manifest["target"]["tokens"],
        {name: manifest["stages"][name]["fingerprint"] for name in STAGES},
        content_hash(run / FOLDER),
        withdrawals(run),
    )


def shards_of(run: Path, *, documents: bool = True) -> Shards:
    """The shards that the run's finished stages list.

    Args:
        documents: whether those of documents are wanted; they are private, and tokens can be counted without them.
    """
    collected = []
    if documents:
        for shard in read_shards(run, "collect", "documents"):
            name = Path(shard.path).name
            collected.append(Collected(run / shard.path, run / "clusters" / name, run / "signals" / name))
    tokenised = [
        Tokenised(run / shard.path, run / "unique" / split / Path(shard.path).name.replace(DOCS, ".parquet"))
        for split in SPLITS
        for shard in read_shards(run, "tokenize", f"tokens/{split}")
        if shard.path.endswith(DOCS)
    ]
    return Shards(collected, tokenised)


def record(run: Path) -> dict[str, Any] | None:
    """Append to the ledger how the run stands; None where its last line says so already."""
    return ledger.append(run, subject_of(run), shards_of(run), read_rights(run))


def stage_withdrawal(staging: Staging) -> None:
    """Stage the ledger with the line that tells how the run stands after a withdrawal; only touched shards are counted.

    A run whose last line speaks of something else is left as it is: `record` counts all of it.

    Raises:
        LedgerError: the chain is broken.
    """
    run, entries, subject = staging.run, ledger.read_ledger(staging.run), subject_of(staging.run)
    if not entries or entries[-1]["key"] != subject.key():
        return
    old = shards_of(run)
    collected = [one for one in old.collected if _touched(staging, one.documents, one.clusters, one.signals)]
    tokenised = [one for one in old.tokenised if _touched(staging, one.docs, one.unique)]
    now = Shards(
        [Collected(*(_as_staged(staging, path) for path in (o.documents, o.clusters, o.signals))) for o in collected],
        [Tokenised(_as_staged(staging, one.docs), _as_staged(staging, one.unique)) for one in tokenised]
        + [
            Tokenised(
                staging.folder / one.path,
                staging.folder / one.path.replace("tokens/", "unique/").replace(DOCS, ".parquet"),
            )
            for one in staging.appended
            if one.path.endswith(DOCS)
        ],
    )
    counted = ledger.after_withdrawal(entries[-1], ledger.tally(Shards(collected, tokenised)), ledger.tally(now))
    subject = dataclasses.replace(subject, withdrawals=subject.withdrawals + 1)
    entry = ledger.chained(ledger.entry_of(subject, counted.rows(read_rights(run), subject.as_of)), entries)
    whole = b"".join(f"{ledger.canonical(one)}\n".encode() for one in (*entries, entry))
    staging.put(ledger.FILE, whole)


def _touched(staging: Staging, *paths: Path) -> bool:
    return any(path.relative_to(staging.run).as_posix() in staging.files for path in paths)


def _as_staged(staging: Staging, path: Path) -> Path:
    return staging.current(path.relative_to(staging.run).as_posix())


def last_entry(run: Path) -> dict[str, Any]:
    """The last line of the ledger, its chain checked.

    Raises:
        LedgerError: there is none, or the chain is broken.
    """
    entries = ledger.read_ledger(run)
    if not entries:
        raise LedgerError(
            "no ledger yet", where=str(run / ledger.FILE), fix=f"`hanjo run RECIPE --until {LAST}` writes it"
        )
    return entries[-1]


def verify(run: Path, entry: dict[str, Any]) -> list[str]:
    """Count the run's shards anew: what the entry says otherwise, one sentence a figure."""
    subject = subject_of(run)
    wrong = []
    if entry["key"] != subject.key():
        wrong.append("the run was made anew since this entry was written: `hanjo run` appends one that holds")
    rows = ledger.tally(shards_of(run)).rows(read_rights(run), subject.as_of)
    return wrong + ledger.differences(entry, rows, subject.target)


def current_entry(run: Path) -> dict[str, Any] | None:
    """The last entry where it speaks of the run's tokens as they stand, else None. For the report; no error."""
    try:
        entries = ledger.read_ledger(run)
    except LedgerError:
        return None
    stands = read_manifest(run)["stages"].get(LAST, {}).get("fingerprint")
    return entries[-1] if entries and entries[-1]["stages"].get(LAST) == stands else None
