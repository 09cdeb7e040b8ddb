"""What deduplicating a corpus takes: bytes, files, memory and core-hours, by formulae from rates of one core.

Used by `hanjo dedup plan --mean-bytes`; docs/dedup-at-scale.md shows the formulae, their output for a billion
documents, and what a real run said of them. Bytes a document are those of the stage's sorted runs (`stage.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corpus.shards import ROW_GROUP_BYTES
from dedup.banding import Banding, sketch_words
from dedup.runs import SORTED, partitions_of

TEXT_A_SHARD = 256 << 20  # collect.unit_bytes
SHINGLE_BYTES = 2.4  # UTF-8 bytes of Korean text for each distinct shingle of a document (measured)
_MEMBERS = 1.4  # documents in some candidate pair for each one in a verified pair (measured)
_BEYOND = 0.43  # what a run took more than the kernels' sum: 2.58 s for 1.80 s, 120,874 documents of 827 bytes
_PATH = 40  # bytes of a document's path in its source


@dataclass(frozen=True, slots=True)
class Rates:
    """What one core does, measured by `dedup/rates.py` or given.

    Attributes:
        read: bytes of text a second, Parquet to edited text in memory.
        sign: bytes of text a second to signatures of 128 values.
        keys: band keys a second: made, sorted, written, exchanged, searched for equals.
        sets: bytes of text a second to shingle sets on disk.
        compare: bytes of the texts on the right a second through exact comparison.
        write: bytes of text a second, survivors to Parquet.
        documents: documents a second through all that is done once for each (ids, hashes, verdicts).
        opens: sorted runs opened a second.
    """

    read: float
    sign: float
    keys: float
    sets: float
    compare: float
    write: float
    documents: float
    opens: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Estimates for one corpus. Sizes in bytes, times in core-seconds."""

    documents: float
    text: float
    shards: int
    partitions: int
    bands: int
    rows: int
    pairs: float
    scratch: Mapping[str, float]
    files: int
    opens: float
    memory: Mapping[str, float]
    seconds: Mapping[str, float]

    @property
    def scratch_bytes(self) -> float:
        """All scratch files together; they stand until the stage has finished."""
        return sum(self.scratch.values())

    @property
    def core_hours(self) -> float:
        """All phases together."""
        return sum(self.seconds.values()) / 3600

    def as_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return asdict(self) | {"scratch_bytes": self.scratch_bytes, "core_hours": self.core_hours}


def estimate(
    documents: float,
    mean_bytes: float,
    banding: Banding,
    rates: Rates,
    duplicates: float,
    memory: int = 2 << 30,
    compared: float = 2.0,
) -> Plan:
    """What the stage takes.

    Args:
        mean_bytes: UTF-8 bytes of a document.
        duplicates: share of the documents that stand in a verified pair.
        memory: `execution.memory`, bytes that one worker may plan with.
        compared: pairs compared for each near-duplicate; measured 0.5 (one copy each) to 4 (paragraphs shared by many).
    """
    text = documents * mean_bytes
    shards, partitions = max(1, round(text / TEXT_A_SHARD)), partitions_of(int(documents))
    near = duplicates * documents
    pairs = compared * near  # those in vain are given up by their sketches, before they are written
    members = min(documents, _MEMBERS * near)
    # Every partition reads six kinds of every shard, every shard seven of every partition; a shard's documents are
    # compared with those of every other shard, whose two runs of sets are opened.
    opens = 13.0 * shards * partitions + 2.0 * shards * shards
    held = _scratch(documents, banding, near, pairs, members, mean_bytes / SHINGLE_BYTES)
    return Plan(
        documents,
        text,
        shards,
        partitions,
        banding.bands,
        banding.rows,
        pairs,
        held,
        10 * shards + 5 * partitions + 1,
        opens,
        _memory(documents, mean_bytes, banding, members / documents, partitions, near, memory),
        _seconds(documents, mean_bytes, banding, rates, near, pairs, members, opens),
    )


def _scratch(
    documents: float, banding: Banding, near: float, pairs: float, members: float, shingles: float
) -> dict[str, float]:
    return {
        "versions": documents * (60 + _PATH),  # id, date, offset, hash of the text, row; the path
        "facts": documents * 32,  # id, date, length
        "exact": documents * 24,  # hash of the text, row
        "bands": documents * banding.bands * 12,  # key, row
        "sketches": documents * 8 * sketch_words(banding.values),
        "components": documents * 8,
        "pairs, members": pairs * 16 + members * 8,
        "sets, hashes": members * (24 + 8 * shingles),
        "edges, links": near * (24 + 32),
        "nodes": members * 72,
        "near": near * 57,
    }


def _memory(
    documents: float,
    mean_bytes: float,
    banding: Banding,
    members: float,
    partitions: int,
    near: float,
    memory: int,
) -> dict[str, float]:
    """By phase, of one worker; `pairs`, `verify` and `resolve` take in turns what would not fit."""
    a_shard = TEXT_A_SHARD / mean_bytes
    sets = members * TEXT_A_SHARD / SHINGLE_BYTES * 8
    numpy_and_kernels = 200 << 20
    phases = {
        "sign": 5 * ROW_GROUP_BYTES + min(a_shard, 2 * SORTED) * (50 * banding.bands + 120) + a_shard * 200,
        "pairs": 0.6 * min(memory, documents / partitions * banding.bands * 100),
        "sets": 6 * ROW_GROUP_BYTES + a_shard * 100,
        "verify": 2 * min(memory / 4, sets) + min(memory / 4, a_shard * members * 300),
        "resolve": 0.6 * min(memory, near / partitions * 600),
        "write": TEXT_A_SHARD + 5 * ROW_GROUP_BYTES + a_shard * 480,
    }
    return {name: numpy_and_kernels + size for name, size in phases.items()}


def _seconds(
    documents: float,
    mean_bytes: float,
    banding: Banding,
    rates: Rates,
    near: float,
    pairs: float,
    members: float,
    opens: float,
) -> dict[str, float]:
    text = documents * mean_bytes
    phases = {
        "read, three times": 3 * text / rates.read,
        "sign": text / rates.sign * max(1.0, 0.6 + 0.4 * banding.values / 128),  # the rest is reading UTF-8
        "bands": documents * banding.bands / rates.keys,
        "sets": members * mean_bytes / rates.sets,
        "verify": pairs * mean_bytes / rates.compare,
        "write": (documents - near / 2) * mean_bytes / rates.write,
        "documents": documents / rates.documents,
    }
    beyond = _BEYOND * sum(phases.values())
    return phases | {"beyond these kernels": beyond, "opening runs": opens / rates.opens}
