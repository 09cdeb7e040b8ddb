"""Exact duplicates: documents whose edited texts are the same once the white space is left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.shards import JobContext, Outcome
from dedup.inputs import facts_about, rank
from dedup.runs import Array, Layout, exchange, write_run
from dedup.settings import DedupSettings


def representatives(text: npt.NDArray[np.uint64], ranks: Array) -> npt.NDArray[np.int64]:
    """For each of n documents the index of the best one with the same text: int64[n]; itself where it is that.

    Args:
        text: uint64[n, 2], hashes of the space-free text.
        ranks: int64[n], place in the order of preference, 0 the best.
    """
    order = np.lexsort((ranks, text[:, 1], text[:, 0]))
    ordered = text[order]
    first = np.ones(len(order), bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    found = np.empty(len(order), np.int64)
    found[order] = order[first][np.cumsum(first) - 1]
    return found


def find_exact(context: JobContext, *, layout: Layout, part: int, settings: DedupSettings) -> Outcome:
    """Exchange: the groups of equal texts in one partition, as the run `copies`, a row a document, by number.

    Columns: `number`, `best` (number of the one that stays), `best_hi`, `best_lo` (its id), `least_hi`, `least_lo`
    (the group's smallest id), `size` (documents of the group). Documents without a copy are not listed.
    """
    columns = exchange(context.run, "exact", layout, "hash0", part, layout.partitions)
    text, numbers = np.stack([columns["hash0"], columns["hash1"]], axis=1), columns["number"]
    groups = representatives(text, numbers)
    sizes = np.bincount(groups, minlength=len(groups))
    repeated = sizes[groups] > 1
    text, numbers = text[repeated], numbers[repeated]
    facts = facts_about(context.run, layout, numbers)
    best = representatives(text, rank(facts, numbers, settings.prefer))
    least = representatives(text, np.argsort(np.lexsort((numbers, facts["id_lo"], facts["id_hi"]))))
    found = {
        "number": numbers,
        "best": numbers[best],
        "best_hi": facts["id_hi"][best],
        "best_lo": facts["id_lo"][best],
        "least_hi": facts["id_hi"][least],
        "least_lo": facts["id_lo"][least],
        "size": np.bincount(best, minlength=len(best))[best].astype(np.int64),
    }
    order = np.argsort(numbers)
    return Outcome((write_run(context, "copies", part, {name: values[order] for name, values in found.items()}),))
