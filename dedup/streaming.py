"""Deduplication of texts that are read twice and never held: for one large file on one machine (`hanjo dedup near`).

The first reading leaves a few numbers of each text in memory and its band keys on disk, the second the shingle sets
of the texts in some candidate pair, on disk as well. The result is that of `near.py`.

Memory, for each text: 24 bytes of hash and length, 16 of rank and representative, for a moment 60 more while ranks are
sorted or one band is linked; about 110 bytes at the peak, and what the caller keeps (an id). Beside it one batch of
text. Disk: 8 bytes for each text and band, 8 for each shingle of a candidate.
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
    sets = _second_reading(batches, len(ranks), members, settings, folder)
    places = np.searchsorted(members, left), np.searchsorted(members, right)
    similar = jaccard(sets, places[0], sets, places[1], settings.similarity)
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


def _second_reading(batches: Batches, count: int, members: I64, settings: DedupSettings, folder: Path) -> ShingleSets:
    """The shingle sets of the members, over a memory-mapped file."""
    path, at = folder / "sets", 0
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
    values = np.memmap(path, np.uint64, "r") if path.stat().st_size else np.zeros(0, np.uint64)
    return ShingleSets(np.asarray(values), np.cumsum(np.concatenate(sizes)))
