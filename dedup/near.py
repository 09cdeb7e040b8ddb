"""The whole of deduplication in memory, over a plain list of texts: for tests, commands and small collections.

Runs the same functions as the stage (`stage.py`), which does it by shards and sorted runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import UsageError
from dedup.bands import link
from dedup.clusters import components, survivors
from dedup.exact import representatives
from dedup.inputs import NO_DATE, rank
from dedup.minhash import alike, band_keys, sign, sketches_of
from dedup.settings import DedupSettings
from dedup.shingles import shingle_sets
from dedup.verify import jaccard

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found among n texts.

    Attributes:
        cluster: int64[n], smallest index of the texts that belong together.
        keep: bool[n].
        witness: int64[n], the kept text that a removed one repeats; -1 where kept.
        similarity: float64[n], exact Jaccard with the witness; 0 where kept.
        compared: candidate pairs compared exactly.
    """

    cluster: I64
    keep: npt.NDArray[np.bool_]
    witness: I64
    similarity: npt.NDArray[np.float64]
    compared: int


def near_duplicates(
    texts: Sequence[str] | pa.Array | pa.ChunkedArray,
    settings: DedupSettings | None = None,
    created: I64 | None = None,
) -> Duplicates:
    """Find exact and near-duplicates; of equally good texts the one that comes first stays.

    Args:
        texts: n texts, without nulls; large_string where it is an Arrow array.
        settings: shingles, bands, threshold and preference; the defaults where None.
        created: int64[n], dates for `prefer`, in µs; none where left out.

    Raises:
        UsageError: a text is null, or `created` has another length.
    """
    settings = settings or DedupSettings()
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(list(texts), pa.large_string())
    count = len(column)
    if column.null_count:
        raise UsageError(f"{column.null_count} texts are null", fix="leave them out first")
    if created is not None and len(created) != count:
        raise UsageError(f"{len(created)} dates for {count} texts", fix="give one date for each text, or none")
    numbers = np.arange(count)
    facts = {
        "length": pc.binary_length(column).to_numpy().astype(np.int64),
        "created": np.full(count, NO_DATE) if created is None else created,
        "id_hi": np.zeros(count, np.uint64),
        "id_lo": numbers.astype(np.uint64),
    }
    ranks = rank(facts, numbers, settings.prefer)
    by_rank = np.argsort(ranks)

    signed = sign(column, settings.shingle, settings.bands * settings.rows)
    best = representatives(signed.text, ranks)
    rows = np.flatnonzero((best == numbers) & (signed.shingles > 0))
    keys = band_keys(signed.values[rows], settings.bands, settings.rows)
    better, worse = link(keys.reshape(-1), np.repeat(ranks[rows], settings.bands), settings.neighbours)
    left, right = by_rank[better], by_rank[worse]
    bins = settings.bands * settings.rows
    likely = alike(sketches_of(signed.values), left, right, bins, settings.similarity)
    left, right = left[likely], right[likely]
    members = np.unique(np.concatenate([left, right]))
    sets = shingle_sets(column.take(pa.array(members)), settings.shingle)
    similar = jaccard(sets, np.searchsorted(members, left), sets, np.searchsorted(members, right), settings.similarity)
    return conclude(ranks, best, left, right, similar, settings)


def conclude(
    ranks: I64, best: I64, left: I64, right: I64, similar: npt.NDArray[np.float64], settings: DedupSettings
) -> Duplicates:
    """Clusters and survivors among n texts.

    Args:
        ranks: int64[n], place in the order of preference.
        best: int64[n], the best text that is the same, itself where it is that.
        left, right: int64[m], distinct compared pairs of such best ones, the better on the left.
        similar: float64[m], their exact similarity (0 where it was given up below the threshold).
    """
    count, compared = len(ranks), len(left)
    numbers, by_rank = np.arange(count), np.argsort(ranks)
    near = similar >= settings.similarity
    left, right, similar = left[near], right[near], similar[near]
    witness, similarity = survivors(count, ranks[left], ranks[right], similar)
    witness, similarity = witness[ranks], similarity[ranks]
    witness = np.where(witness < 0, -1, by_rank[witness])
    copy = best != numbers
    lost = witness[best] >= 0
    witness = np.where(lost, witness[best], np.where(copy, best, -1))
    similarity = np.where(lost, similarity[best], np.where(copy, 1.0, 0.0))
    cluster = components(count, np.concatenate([left, numbers]), np.concatenate([right, best]))
    return Duplicates(cluster, witness < 0, witness, similarity, compared)
