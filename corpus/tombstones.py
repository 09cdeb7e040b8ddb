"""What may not come back: keyed hashes of the ids, contributors and sources that were withdrawn, with the day.

Withdrawal adds to them, collect looks every document up. They stand outside all fingerprints, so nothing is run again
because of one. The key is the run's own and random: without it nobody can tell by a guess who is in here.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import StaleError
from corpus.shards import PRIVATE, private_folder, read_table, shard_paths, write_json
from corpus.staging import Staging

FOLDER = "tombstones"
KEY = f"{FOLDER}/key"
_SEEN = f"{FOLDER}/seen.json"
SCHEMA = pa.schema([("hash", pa.binary(16)), ("on", pa.date32())])
Kind = Literal["document", "contributor", "source"]


@dataclass(frozen=True, slots=True)
class Tombstones:
    """The tombstones of a run; empty where nothing was withdrawn."""

    key: bytes
    hashes: frozenset[bytes]

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def holds(self, kind: Kind, name: str) -> bool:
        """Whether a document (by id), contributor or source was withdrawn."""
        return bool(self.hashes) and _hash(self.key, kind, name) in self.hashes


def read_tombstones(run: Path) -> Tombstones:
    """The tombstones of a run.

    Raises:
        StaleError: there are some, and no key to read them by.
    """
    tables = shard_paths(run / FOLDER)
    if not tables:
        return Tombstones(b"", frozenset())
    path = run / KEY
    if not path.exists():
        fix = "put it back from a copy: without it withdrawn documents would come back"
        raise StaleError("the key of the tombstones is missing", where=str(path), fix=fix)
    hashes = (read_table(table, ["hash"], schema=SCHEMA)["hash"].to_pylist() for table in tables)
    return Tombstones(path.read_bytes(), frozenset(one for some in hashes for one in some))


def bury(staging: Staging, names: Iterable[tuple[Kind, str]], on: datetime.date) -> int:
    """Add tombstones, as one more table; how many."""
    run = staging.run
    key = (run / KEY).read_bytes() if (run / KEY).exists() else secrets.token_bytes(32)
    hashes = sorted({_hash(key, kind, name) for kind, name in names})
    if not (run / KEY).exists():
        staging.put(KEY, key, PRIVATE)
    path = f"{FOLDER}/{len(shard_paths(run / FOLDER)):05d}.parquet"
    table = pa.table({"hash": pa.array(hashes, pa.binary(16)), "on": pa.repeat(pa.scalar(on), len(hashes))}, SCHEMA)
    pq.write_table(table, staging.target(path), compression="zstd", use_dictionary=["on"])
    staging.target(path).chmod(PRIVATE)
    private_folder(staging.folder / FOLDER)
    staging.files[path] = len(hashes)
    return len(hashes)


def withdrawals(run: Path) -> int:
    """How many withdrawals the run has seen."""
    return len(shard_paths(run / FOLDER))


def see(run: Path, stage: str) -> None:
    """Note that a stage is being made anew, after all withdrawals that there were: its rows are others than before."""
    if number := withdrawals(run):
        write_json(run / _SEEN, {**_seen(run), stage: number})


def seen(run: Path, stage: str) -> list[str]:
    """For the inputs of a stage whose rows move when it is made anew: the withdrawals that it has seen, if any.

    So a withdrawal changes no fingerprint, but what is made anew after one, of fewer documents, is not taken for what
    was before.
    """
    number = _seen(run).get(stage, 0)
    return [f"withdrawals {number}"] if number else []


def _seen(run: Path) -> dict[str, int]:
    path = run / _SEEN
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _hash(key: bytes, kind: str, name: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{name}".encode(), key=key, digest_size=16).digest()
