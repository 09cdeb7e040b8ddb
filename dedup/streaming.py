"""Deduplication of texts that are read twice and never held: for one large file on one machine (`hanjo dedup near`).

The first reading leaves a few numbers of each text in memory and its band keys on disk, the second the shingle sets
of the texts in some candidate pair, on disk as well. The result is that of `near.py`.

Memory, for each text: 24 bytes of hash and length, 16 of rank and representative, for a moment 60 more while ranks are
sorted or one band is linked; about 110 bytes at the peak, and what the caller keeps (an id). Beside it one batch of
text, or two stretches of shingle sets. Disk: 8 bytes for each text and band, 8 for each shingle of a candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import StaleError
from dedup.bands import distinct_pairs, link, shared
from dedup.exact import representatives
from dedup.inputs import NO_DATE, rank
from dedup.minhash import band_keys, sign
from dedup.near import Duplicates, conclude
from dedup.settings import DedupSettings
from dedup.shingles import ShingleSets, shingle_sets
from dedup.verify import jaccard

I64 = npt.NDArray[np.int64]
_SETS = "sets"
_STRETCH = 256 << 20  # bytes of shingle sets, of either side of a comparison, in memory at once
Batches = Callable[[], Iterator[pa.LargeStringArray]]


def near_of_batches(batches: Batches, settings: DedupSettings, folder: Path) -> Duplicates:
    """Find exact and near-duplicates; of equally good texts the one that comes first stays.

    Args:
        batches: called twice; the texts, without nulls, in batches of any size, the same both times.
        folder: an empty folder for scratch files.

    Raises:
        StaleError: the second reading gave another number of texts.
    """
    lengths, text, shingled = _first_reading(batches, settings, folder)
    numbers = np.arange(len(lengths))
    ranks = _ranks(lengths, numbers, settings)
    best = representatives(text, ranks)
    rows = np.flatnonzero((best == numbers) & shingled)
    del text, lengths, shingled
    better, worse = _candidates(ranks, rows, settings, folder)
    by_rank = np.argsort(ranks)
    left, right = by_rank[better], by_rank[worse]
    del by_rank, better, worse, rows
    members = np.unique(np.concatenate([left, right]))
    bounds = _second_reading(batches, len(ranks), members, settings, folder)
    places = np.searchsorted(members, left), np.searchsorted(members, right)
    similar = _compared(folder, bounds, *places, settings.similarity)
    return conclude(ranks, best, left, right, similar, settings)


def _first_reading(
    batches: Batches, settings: DedupSettings, folder: Path
) -> tuple[I64, npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    lengths, lanes, shingled = [np.zeros(0, np.int64)], [np.zeros((0, 2), np.uint64)], [np.zeros(0, bool)]
    with ExitStack() as stack:
        files = [stack.enter_context(_keys_of(folder, band).open("wb")) for band in range(settings.bands)]
        for texts in batches():
            signed = sign(texts, settings.shingle, settings.bands * settings.rows)
            keys = band_keys(signed.values, settings.bands, settings.rows)
            for band, file in enumerate(files):
                file.write(np.ascontiguousarray(keys[:, band]).data)
            lengths.append(pc.binary_length(texts).to_numpy().astype(np.int64))
            lanes.append(signed.text)
            shingled.append(signed.shingles > 0)
    return np.concatenate(lengths), np.concatenate(lanes), np.concatenate(shingled)


def _keys_of(folder: Path, band: int) -> Path:
    return folder / f"band-{band:03d}"


def _ranks(lengths: I64, numbers: I64, settings: DedupSettings) -> I64:
    nothing = np.zeros(len(numbers), np.uint64)
    facts = {"length": lengths, "created": np.full(len(numbers), NO_DATE), "id_hi": nothing, "id_lo": nothing}
    return rank(facts, numbers, settings.prefer)


def _candidates(ranks: I64, rows: I64, settings: DedupSettings, folder: Path) -> tuple[I64, I64]:
    """Distinct candidate pairs by rank, band after band, so that only one band's keys are in memory."""
    better, worse = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for band in range(settings.bands):
        keys = np.fromfile(_keys_of(folder, band), np.uint64)[rows]
        several = shared(keys)
        left, right = link(keys[several], ranks[rows[several]], settings.neighbours)
        better, worse = distinct_pairs(np.concatenate([better, left]), np.concatenate([worse, right]))
        _keys_of(folder, band).unlink()
    return better, worse


def _second_reading(batches: Batches, count: int, members: I64, settings: DedupSettings, folder: Path) -> I64:
    """Write the shingle sets of the members, one after another; returns the places where they begin and end."""
    path, at = folder / _SETS, 0
    sizes = [np.zeros(1, np.int64)]
    with path.open("wb") as file:
        for texts in batches():
            first, last = np.searchsorted(members, np.array([at, at + len(texts)]))
            chosen = texts.take(pa.array(members[first:last] - at)) if last - first < len(texts) else texts
            sets = shingle_sets(chosen, settings.shingle)
            file.write(sets.values.data)
            sizes.append(np.diff(sets.bounds))
            at += len(texts)
    if at != count:
        raise StaleError(
            f"{count} texts at the first reading, {at} at the second", fix="leave the file alone meanwhile"
        )
    return np.cumsum(np.concatenate(sizes))


def _compared(folder: Path, bounds: I64, left: I64, right: I64, least: float) -> npt.NDArray[np.float64]:
    """Exact similarity of pairs of members, those of the same two stretches of the sets together, so that no more of
    the file than these is in memory."""
    found = np.zeros(len(left), np.float64)
    one, other = (8 * bounds[places] // _STRETCH for places in (left, right))
    together = one * (other.max(initial=0) + 1) + other
    order = np.argsort(together, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(together[order])) + 1):
        if len(here):
            found[here] = jaccard(*_read(folder, bounds, left[here]), *_read(folder, bounds, right[here]), least=least)
    return found


def _read(folder: Path, bounds: I64, places: I64) -> tuple[ShingleSets, I64]:
    """The sets from the first of the places to the last, and the places counted from the first."""
    low, high = int(places.min()), int(places.max()) + 1
    begin, size = int(bounds[low]), int(bounds[high] - bounds[low])
    values = np.memmap(folder / _SETS, np.uint64, "r", 8 * begin, (size,)) if size else np.zeros(0, np.uint64)
    return ShingleSets(np.asarray(values), bounds[low : high + 1] - begin), places - low
