"""The ledger of a run, composed: corpus counts, and which shards and which tokenizer there are is told it here.

`hanjo run` has the ledger written after tokenize; `hanjo corpus ledger` counts again and compares.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from corpus import ledger
from corpus.errors import LedgerError, StaleError
from corpus.ledger import Collected, Shards, Subject, Tokenised
from corpus.manifest import read_manifest
from corpus.rights import read_rights
from corpus.shards import read_shards
from hanjo.stages import NAMES
from tokenizer.encode import DOCS, SPLITS
from tokenizer.train import FOLDER
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
