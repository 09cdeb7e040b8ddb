"""The stage `tokenize`, between dedup and pretrain: sample → train (or take over) a tokenizer → token shards → ids.

The tokenizer's content hash goes from the phase that makes it into the inputs of the jobs that encode with it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from corpus.errors import SourceError
from corpus.identity import id_phases
from corpus.settings import Common, Count, Size, setting
from corpus.shards import Job, Outcome, Output, Phase, Phases, fingerprint_of, read_shards
from corpus.staging import is_appended
from corpus.tombstones import seen
from tokenizer.encode import DOCS, SPLITS, encode_shard
from tokenizer.sampling import sample_jobs
from tokenizer.train import take_over, train_job
from tokenizer.vocabulary import TOKENIZER, content_hash

VERSION = 2


@dataclass(frozen=True, slots=True)
class TokenizeSettings:
    """The vocabulary: learned from the run's own text, or given."""

    path: str | None = setting(None, "folder of an existing Hugging Face tokenizer to use instead of training one")
    vocab_size: Annotated[Count, Ge(512)] = setting(
        32_000,
        "entries wanted, added tokens included; filled up to a multiple of 128, smaller where the text is too little",
        unit="entries",
    )
    sample_bytes: Annotated[Size, Ge(1)] = setting(
        256 << 20,
        "text of the train split that the vocabulary is learned from, at most",
        unit="bytes",
        origin="learning takes about a second of one core for 10 MB",
    )
    min_frequency: Annotated[int, Ge(1)] = setting(2, "times that a pair must occur to be merged", unit="times")


def phases(run: Path, settings: TokenizeSettings, common: Common) -> Phases:
    """Plan the stage from the shards that dedup wrote (see `corpus.shards.Phases`).

    Raises:
        StaleError: dedup or collect has not finished. SourceError: `path` is no tokenizer folder.
    """
    everything = {
        split: [shard for shard in read_shards(run, "dedup", f"unique/{split}") if shard.rows] for split in SPLITS
    }
    unique = {split: [one for one in shards if not is_appended(one.path)] for split, shards in everything.items()}
    appended = {split: [one for one in shards if is_appended(one.path)] for split, shards in everything.items()}
    if settings.path is None:
        made = yield from _train(unique["train"], settings, common)
    else:
        made = yield from _take_over(settings.path, common)
    tokenizer: str = made.facts["tokenizer"]
    jobs = _encode_jobs(run, unique, tokenizer, common)
    outcomes = yield Phase("encode", "map", jobs)
    written = [output for outcome in outcomes for output in outcome.outputs]
    docs = [output for output in written if output.path.endswith(DOCS)]
    yield from id_phases(run, "tokenize", "tokens", docs, DOCS)
    if any(appended.values()):
        yield appended_phase(run, appended, tokenizer, common)


def appended_phase(run: Path, appended: Mapping[str, Sequence[Output]], tokenizer: str, common: Common) -> Phase:
    """What encodes the shards that withdrawals appended: outside the stage's fingerprint, so that nothing is run again.

    Args:
        appended: split → shards of unique/.
        tokenizer: content hash of the run's.
    """
    return Phase("appended", "map", _encode_jobs(run, appended, tokenizer, common), of_machine=True)


def _encode_jobs(run: Path, unique: Mapping[str, Sequence[Output]], tokenizer: str, common: Common) -> list[Job]:
    rights, since = fingerprint_of(run / "rights.parquet"), seen(run, "tokenize")
    return [
        Job(
            f"{split}/{Path(shard.path).stem}",
            encode_shard,
            {
                "split": split,
                "shard": shard.path,
                "of": shard.fingerprint,
                "tokenizer": tokenizer,
                "rights": list(common.target.rights),
                "as_of": common.as_of.isoformat(),
            },
            (shard.fingerprint, tokenizer, rights, *since),
            weight=shard.bytes,
        )
        for split in SPLITS
        for shard in unique.get(split, ())
    ]


def _train(train: list[Output], settings: TokenizeSettings, common: Common) -> Generator[Phase, list[Outcome], Outcome]:
    outcomes = yield Phase("sample", "map", sample_jobs(train, common.seed, settings.sample_bytes))
    samples = [output for outcome in outcomes for output in outcome.outputs]
    job = Job(
        "tokenizer",
        train_job,
        {
            "samples": [output.path for output in samples],
            "vocab_size": settings.vocab_size,
            "min_frequency": settings.min_frequency,
        },
        tuple(output.fingerprint for output in samples),
        weight=sum(output.bytes for output in samples),
    )
    (made,) = yield Phase("train", "exchange", [job])
    return made


def _take_over(path: str, common: Common) -> Generator[Phase, list[Outcome], Outcome]:
    folder = common.base / path
    if not (folder / TOKENIZER).is_file():
        raise SourceError(
            f"no {TOKENIZER} here", where=str(folder), fix="give tokenize.path a folder that save_pretrained wrote"
        )
    job = Job("tokenizer", take_over, {"given": content_hash(folder)}, local={"folder": folder})
    (made,) = yield Phase("take-over", "exchange", [job])
    return made
