"""The text that a run's tokenizer is trained on where sources have weights (`tokenize.weights`).

The rule is that of `hanjo tokenizer train` (`tokenizer/sample.py`): each document draws a number, the smallest ones
stay, within shards and across them. So that no worker holds more than a shard and no text is written that is not
needed, shards are first asked how many bytes of text lie at which numbers:

    tell    only where a run has more than MOST_SHARDS: documents of each source, by shard → which shards are drawn
    weigh   bytes of text by bucket of numbers, of each drawn shard → the bucket in which the sample is full
    sample  documents up to that bucket with their numbers; training reads them in order and stops at `sample_bytes`

Where shards are drawn, a source's weight counts then, and a document's number is made up for it by the likelihood of
its shard: a source of weight 10 that lies in three shards of 10,000 is not passed over.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.documents import UNIQUE
from corpus.errors import SourceError
from corpus.shards import Counts, Job, JobContext, Outcome, Output, Phase, add, read_row_groups, write_table
from tokenizer.sample import draw, shares
from tokenizer.sampling import FOLDER, MOST_SHARDS

NUMBERED = pa.schema([("number", pa.float64()), ("text", pa.large_string())])
_TOLD_AT_ONCE = 64  # shards
_STEPS = 16  # buckets from a number to its double
_SMALLEST = 2.0**-64
_LAST = 1 << 30  # a bucket that no number reaches


def weighted_sample(
    shards: Sequence[Output], seed: int, sample_bytes: int, weights: Mapping[str, float]
) -> Generator[Phase, list[Outcome], list[Output]]:
    """The phases; what they wrote, to be read by their numbers.

    Raises:
        SourceError: all text is of sources with weight 0.
    """
    likely = dict.fromkeys((shard.path for shard in shards if shard.rows), 1.0)
    if len(likely) > MOST_SHARDS:
        jobs = [
            Job(f"sources-{start:06d}", tell_sources, {"shards": [one.path for one in part]}, _made_of(part))
            for start in range(0, len(shards), _TOLD_AT_ONCE)
            if (part := [one for one in shards[start : start + _TOLD_AT_ONCE] if one.rows])
        ]
        told = yield Phase("tell", "map", jobs)
        found: dict[str, dict[str, int]] = {path: row for one in told for path, row in one.facts["sources"].items()}
        likely = drawn_shards({path: _mean(row, weights) for path, row in sorted(found.items())}, seed)
    drawn = [shard for shard in shards if shard.path in likely]
    same = {"seed": seed, "weights": dict(weights)}
    jobs = [_job(weigh_shard, shard, {**same, "likelihood": likely[shard.path]}) for shard in drawn]
    bytes_at: Counter[int] = Counter()
    for outcome in (yield Phase("weigh", "map", jobs)):
        bytes_at.update({int(bucket): size for bucket, size in outcome.facts["bytes"].items()})
    if shards and not bytes_at:
        left_out = ", ".join(name for name, weight in weights.items() if not weight)
        raise SourceError(
            "the weights leave no text to learn from",
            where="tokenize.weights",
            fix=f"give one of these sources more than 0: {left_out}",
        )
    last = last_bucket(bytes_at, sample_bytes)
    jobs = [_job(sample_shard, shard, {**same, "likelihood": likely[shard.path], "last": last}) for shard in drawn]
    return [output for outcome in (yield Phase("sample", "map", jobs)) for output in outcome.outputs]


def _job(call: Any, shard: Output, arguments: dict[str, Any]) -> Job:
    told = {"shard": shard.path, **arguments}
    return Job(Path(shard.path).stem, call, told, (shard.fingerprint,), weight=shard.bytes)


def _made_of(shards: Sequence[Output]) -> tuple[str, ...]:
    return tuple(shard.fingerprint for shard in shards)


def _mean(documents: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """The mean weight of a shard's documents."""
    return sum(weights.get(name, 1.0) * number for name, number in documents.items()) / sum(documents.values())


def drawn_shards(weights: Mapping[str, float], seed: int) -> dict[str, float]:
    """MOST_SHARDS of the shards, or all that weigh anything, with the likelihood that each had to be drawn.

    Args:
        weights: of each shard, by path.
    """
    heavy = {path: weight for path, weight in weights.items() if weight > 0}
    if len(heavy) <= MOST_SHARDS:
        return dict.fromkeys(heavy, 1.0)
    numbers = sorted((draw(seed, "", path, weight), path) for path, weight in heavy.items())
    below, above = 0.0, 1.0 / min(heavy.values()) * 64
    for _ in range(100):  # the number below which so many are to be expected
        middle = (below + above) / 2
        few = sum(-math.expm1(-weight * middle) for weight in heavy.values()) < MOST_SHARDS
        below, above = (middle, above) if few else (below, middle)
    return {path: -math.expm1(-heavy[path] * above) for _, path in numbers[:MOST_SHARDS]}


def last_bucket(bytes_at: Mapping[int, int], size: int) -> int:
    """The bucket in which `size` bytes are reached; one that no number reaches, where all of the text is less."""
    held = 0
    for bucket in sorted(bytes_at):
        held += bytes_at[bucket]
        if held >= size:
            return bucket
    return _LAST


def tell_sources(context: JobContext, *, shards: list[str]) -> Outcome:
    """Map: documents of each source, by shard."""
    told = {}
    for shard in shards:
        column = pq.read_table(context.run / shard, columns=["source"], memory_map=True)["source"]
        told[shard] = {str(one["values"]): one["counts"] for one in pc.value_counts(column).to_pylist()}
    return Outcome(facts={"sources": told})


def weigh_shard(context: JobContext, *, shard: str, seed: int, weights: dict[str, float], likelihood: float) -> Outcome:
    """Map: bytes of one shard's text by bucket of their documents' numbers."""
    bytes_at: Counter[int] = Counter()
    for _, numbers, sizes in _numbered(context.run / shard, seed, weights, likelihood):
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
            if size and number < math.inf:
                bytes_at[_bucket(number)] += size
    return Outcome(facts={"bytes": {str(bucket): size for bucket, size in sorted(bytes_at.items())}})


def sample_shard(
    context: JobContext, *, shard: str, seed: int, weights: dict[str, float], likelihood: float, last: int
) -> Outcome:
    """Map: a shard's documents up to the bucket `last`, by their numbers, with these."""
    parts = [NUMBERED.empty_table()]
    counts: Counts = {}
    for table, numbers, sizes in _numbered(context.run / shard, seed, weights, likelihood):
        wanted = [
            bool(size) and number < math.inf and _bucket(number) <= last
            for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True)
        ]
        chosen = table.filter(pa.array(wanted, pa.bool_()))
        parts.append(pa.table({"number": numbers[np.array(wanted, bool)], "text": chosen["text"]}, NUMBERED))
        for source, size in zip(chosen["source"].to_pylist(), sizes[np.array(wanted, bool)].tolist(), strict=True):
            add(counts, f"sample/{source}", documents=1, bytes=size)
    table = pa.concat_tables(parts).sort_by("number")
    name = f"{Path(shard).stem}.parquet"
    return Outcome((write_table(context.run / FOLDER / name, table, NUMBERED, context),), counts)


def _numbered(
    path: Path, seed: int, weights: Mapping[str, float], likelihood: float
) -> Iterator[tuple[pa.Table, np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.int64]]]]:
    """Row groups of a shard with their documents' numbers, infinite for those left out, and bytes of text."""
    may_stay = shares(weights)
    for table in read_row_groups(path, ["id", "source", "text"], schema=UNIQUE):
        numbers = np.full(table.num_rows, math.inf)
        for row, (identity, source) in enumerate(
            zip(table["id"].to_pylist(), table["source"].to_pylist(), strict=True)
        ):
            share = may_stay.get(source, may_stay[""])
            numbers[row] = draw(seed, source, identity, weights.get(source, 1.0) / likelihood, share)
        yield table, numbers, pc.binary_length(table["text"]).to_numpy().astype(np.int64)


def _bucket(number: float) -> int:
    return math.floor(_STEPS * math.log2(max(number, _SMALLEST)))
