"""First pass over the text: a shard's documents become facts, exact hashes and band keys, each in sorted runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import JobContext, Outcome
from dedup.exact import representatives
from dedup.inputs import edited_texts, identities, kept_by_decide, rank, worth
from dedup.minhash import band_keys, sign
from dedup.runs import Layout, write_run
from dedup.settings import DedupSettings
from dedup.shingles import U64
from dedup.versions import is_superseded

_BATCH = 1 << 14  # documents signed at once


def sign_shard(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: write the runs `facts` (a row a document, in order), `exact` (by text hash) and `bands` (by band key).

    Band keys are written for the best of equal texts only, so that a million copies of one document never meet in a
    band; the best of all shards is the best of its own.
    """
    name = layout.names[shard]
    kept = kept_by_decide(context.run, layout, shard)
    rows = np.flatnonzero(kept)
    texts = edited_texts(context.run, layout, shard, rows)
    facts = identities(context.run, layout, shard) | worth(context.run, layout, shard, settings.prefer)
    facts["length"] = np.zeros(len(kept), np.int64)
    facts["length"][rows] = pc.binary_length(texts).to_numpy()
    outputs = [write_run(context, "facts", name, facts)]

    present = ~is_superseded(context, layout, shard)[rows]
    text, keys, shingled = sign_texts(texts, settings)
    rows, text, shingled = rows[present], text[present], shingled[present]
    order = np.argsort(text[:, 0])
    outputs.append(
        write_run(context, "exact", name, {"hash0": text[order, 0], "hash1": text[order, 1], "row": rows[order]})
    )
    ranks = rank({key: column[rows] for key, column in facts.items()}, rows, settings.prefer)
    best = (representatives(text, ranks) == np.arange(len(rows))) & shingled
    keys = keys[np.flatnonzero(present)[best]].reshape(-1)
    order = np.argsort(keys)
    owners = np.repeat(rows[best], settings.bands).astype(np.int32)
    outputs.append(write_run(context, "bands", name, {"key": keys[order], "row": owners[order]}))
    return Outcome(tuple(outputs))


def sign_texts(texts: pa.LargeStringArray, settings: DedupSettings) -> tuple[U64, U64, npt.NDArray[np.bool_]]:
    """Text hashes (uint64[n, 2]), band keys (uint64[n, bands]) and who has a shingle; signatures only of a batch."""
    count = len(texts)
    text, keys = np.empty((count, 2), np.uint64), np.empty((count, settings.bands), np.uint64)
    shingled = np.empty(count, bool)
    for start in range(0, count, _BATCH):
        part = slice(start, start + _BATCH)
        signed = sign(texts.slice(start, _BATCH), settings.shingle, settings.bands * settings.rows)
        text[part], shingled[part] = signed.text, signed.shingles > 0
        keys[part] = band_keys(signed.values, settings.bands, settings.rows)
    return text, keys, shingled
