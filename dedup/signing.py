"""First pass over the text: a shard's documents become facts, exact hashes and band keys, each in sorted runs."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from corpus.shards import JobContext, Outcome
from dedup.exact import representatives
from dedup.inputs import edited_texts, identities, kept_by_decide, rank, worth
from dedup.minhash import band_keys, sign
from dedup.runs import Layout, write_run
from dedup.settings import DedupSettings
from dedup.versions import is_superseded


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
    rows, signed = rows[present], sign(texts, settings.shingle, settings.bands * settings.rows)
    text, values, shingles = signed.text[present], signed.values[present], signed.shingles[present]
    order = np.argsort(text[:, 0])
    outputs.append(
        write_run(context, "exact", name, {"hash0": text[order, 0], "hash1": text[order, 1], "row": rows[order]})
    )
    ranks = rank({key: column[rows] for key, column in facts.items()}, rows, settings.prefer)
    best = (representatives(text, ranks) == np.arange(len(rows))) & (shingles > 0)
    keys = band_keys(values[best], settings.bands, settings.rows).reshape(-1)
    order = np.argsort(keys)
    owners = np.repeat(rows[best], settings.bands).astype(np.int32)
    outputs.append(write_run(context, "bands", name, {"key": keys[order], "row": owners[order]}))
    return Outcome(tuple(outputs))
