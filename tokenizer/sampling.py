"""The text that a tokenizer is trained on: a seeded, bounded sample of unique/train. First phase of the stage.

At most 256 shards are drawn (all of them, where there are fewer), so that a run of terabytes is not read for a sample
of megabytes; each gives documents in the order of a keyed hash of their ids until its share of the bytes is used up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.documents import UNIQUE
from corpus.shards import Job, JobContext, Outcome, Output, read_table, write_table

FOLDER = Path(".scratch") / "tokenize" / "sample"
SAMPLE = pa.schema([("text", pa.large_string())])
MOST_SHARDS = 256


def _key(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"hanjo.sample/{seed}/{name}".encode(), digest_size=8).digest()


def sample_jobs(shards: Sequence[Output], seed: int, sample_bytes: int) -> list[Job]:
    """A map job for each shard that is drawn; a shard's share of the bytes goes by its documents."""
    drawn = sorted((shard for shard in shards if shard.rows), key=lambda shard: _key(seed, shard.path))[:MOST_SHARDS]
    documents = sum(shard.rows for shard in drawn)
    return [
        Job(
            Path(shard.path).stem,
            sample_shard,
            {"shard": shard.path, "seed": seed, "share": sample_bytes * shard.rows // documents},
            (shard.fingerprint,),
            weight=shard.bytes,
        )
        for shard in sorted(drawn, key=lambda shard: shard.path)
    ]


def sample_shard(context: JobContext, *, shard: str, seed: int, share: int) -> Outcome:
    """Map: documents of one shard in seeded order, at most `share` bytes of text, the last one cut to fit."""
    path = context.run / shard
    table = read_table(path, ["id", "text"], schema=UNIQUE)
    keys = np.array([_key(seed, one) for one in table["id"].to_pylist()], dtype="S8")
    order = np.argsort(keys, kind="stable")
    ends = np.cumsum(pc.binary_length(table["text"]).to_numpy()[order])
    whole = int(np.searchsorted(ends, share, side="right"))
    texts = table["text"].take(pa.array(order[:whole])).combine_chunks()
    if whole < len(order):
        left = share - (int(ends[whole - 1]) if whole else 0)
        cut = table["text"][int(order[whole])].as_py().encode()[:left].decode("utf-8", "ignore")
        texts = pa.concat_arrays([texts, pa.array([cut], pa.large_string())])
    output = write_table(
        context.run / FOLDER / f"{path.stem}.parquet", pa.table({"text": texts}, SAMPLE), SAMPLE, context
    )
    return Outcome((output,))
