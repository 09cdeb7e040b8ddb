"""First pass over the text: a shard's documents become facts, exact hashes and band keys, each in sorted runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpus.shards import JobContext, Outcome
from dedup.banding import sketch_words
from dedup.exact import representatives
from dedup.inputs import edited_pieces, identities, kept_by_decide, rank, worth
from dedup.minhash import band_keys, sign, sketches_of
from dedup.runs import SORTED, Array, Columns, Layout, values_output, write_batches, write_run, written_values
from dedup.settings import DedupSettings
from dedup.shingles import U64
from dedup.versions import is_superseded

_BATCH = 1 << 14  # documents signed at once


def sign_shard(context: JobContext, *, layout: Layout, shard: int, settings: DedupSettings) -> Outcome:
    """Map: write the runs `facts` (a row a document, in order), `exact` (by text hash) and `bands` (by band key).

    Of equal texts that stand near one another only the best gets band keys, so that a million copies of one document
    never meet in a band; `bands.py` drops those with a better copy elsewhere.
    """
    name, run = layout.names[shard], context.run
    kept = kept_by_decide(run, layout, shard)
    rows = np.flatnonzero(kept)
    present = ~is_superseded(context, layout, shard)[rows]
    facts = identities(run, layout, shard) | worth(run, layout, shard, settings.prefer)
    facts["length"] = np.zeros(len(kept), np.int64)
    text, words = np.zeros((len(rows), 2), np.uint64), sketch_words(settings.bands * settings.rows)

    def batches(append: Callable[[U64], object]) -> Iterator[Columns]:
        chosen, keys, count, at = [], [], 0, 0
        for part, texts in _steps(edited_pieces(run, layout, shard, rows)):
            facts["length"][rows[part]] = pc.binary_length(texts).to_numpy()
            text[part], made, sketches, shingled = sign_texts(texts, settings)
            append(_spread(sketches, rows[part] - at))
            at = int(rows[part.stop - 1]) + 1
            asked = present[part] & shingled
            chosen.append(np.flatnonzero(asked) + part.start)
            keys.append(made if asked.all() else made[asked])
            count += len(keys[-1])
            if count >= SORTED:
                yield _sorted(rows, text, facts, np.concatenate(chosen), np.concatenate(keys), settings)
                chosen, keys, count = [], [], 0
        append(np.zeros((len(kept) - at, words), np.uint64))
        places = np.concatenate([np.zeros(0, np.int64), *chosen])
        yield _sorted(rows, text, facts, places, np.concatenate([_no_keys(settings), *keys]), settings)

    with written_values(context, "sketches", name) as append:
        bands = write_batches(context, "bands", name, batches(append))  # which also fills the lengths and the hashes
    sketches = values_output(context, "sketches", name, len(kept))
    rows, text = rows[present], text[present]
    order = np.argsort(text[:, 0])
    exact = {"hash0": text[order, 0], "hash1": text[order, 1], "row": rows[order]}
    files = write_run(context, "facts", name, facts), write_run(context, "exact", name, exact), bands, sketches
    return Outcome(files)


def _spread(sketches: U64, rows: Array) -> U64:
    """Sketches at their rows, counted from the last one that is written; zeros for the rows that are left out."""
    whole = np.zeros((int(rows[-1]) + 1, sketches.shape[1]), np.uint64)
    whole[rows] = sketches
    return whole


def _steps(pieces: Iterable[tuple[slice, pa.LargeStringArray]]) -> Iterator[tuple[slice, pa.LargeStringArray]]:
    for part, texts in pieces:
        for start in range(0, len(texts), SORTED):
            few = texts.slice(start, SORTED)
            yield slice(part.start + start, part.start + start + len(few)), few


def _sorted(rows: Array, text: U64, facts: Columns, places: Array, keys: U64, settings: DedupSettings) -> Columns:
    """Band keys (uint64[n, bands]) of the best of equal texts, sorted, with the row of each.

    Args:
        rows, text: of the shard; `places` are places in them, int64[n].
    """
    rows, text = rows[places], text[places]
    ranks = rank({key: column[rows] for key, column in facts.items()}, rows, settings.prefer)
    best = representatives(text, ranks) == np.arange(len(rows))
    flat = (keys if best.all() else keys[best]).reshape(-1)
    order = np.argsort(flat)
    owners = np.repeat(rows[best].astype(np.int32), settings.bands)
    return {"key": flat[order], "row": owners[order]}


def _no_keys(settings: DedupSettings) -> U64:
    return np.zeros((0, settings.bands), np.uint64)


def sign_texts(texts: pa.LargeStringArray, settings: DedupSettings) -> tuple[U64, U64, U64, npt.NDArray[np.bool_]]:
    """Text hashes (uint64[n, 2]), band keys (uint64[n, bands]), sketches (uint64[n, words]), and who has a shingle;
    signatures only of a batch."""
    count, bins = len(texts), settings.bands * settings.rows
    text, keys = np.empty((count, 2), np.uint64), np.empty((count, settings.bands), np.uint64)
    sketches, shingled = np.empty((count, sketch_words(bins)), np.uint64), np.empty(count, bool)
    for start in range(0, count, _BATCH):
        part = slice(start, start + _BATCH)
        signed = sign(texts.slice(start, _BATCH), settings.shingle, bins)
        text[part], shingled[part] = signed.text, signed.shingles > 0
        keys[part] = band_keys(signed.values, settings.bands, settings.rows)
        sketches[part] = sketches_of(signed.values)
    return text, keys, sketches, shingled
