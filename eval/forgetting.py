"""Withdrawal from evaluate/samples/: the rows of withdrawn documents go. Scores stay what was measured then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import read_table, shard_paths
from corpus.staging import Staging

SAMPLES = "evaluate/samples"


def forget(staging: Staging, ids: Sequence[str]) -> int:
    """Take documents out of the samples; how many rows went."""
    gone, rows = pa.array(sorted(ids), pa.string()), 0
    for path in shard_paths(staging.run / SAMPLES):
        if pc.any(pc.is_in(read_table(path, ["id"])["id"], value_set=gone)).as_py():
            relative = f"{SAMPLES}/{path.name}"
            rows += staging.drop(relative, lambda part: np.asarray(pc.is_in(part["id"], value_set=gone)))
    return rows
