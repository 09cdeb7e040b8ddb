"""The stage `tokenize`, between dedup and pretrain: sample → train (or take over) a tokenizer → token shards → ids.

The tokenizer's content hash goes from the phase that makes it into the inputs of the jobs that encode with it.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import AllowInfNan

from corpus.errors import SourceError, UsageError
from corpus.identity import id_phases
from corpus.rights import read_sources
from corpus.settings import Common, Count, Size, setting
from corpus.shards import Job, Outcome, Output, Phase, Phases, fingerprint_of, read_shards
from corpus.staging import is_appended
from corpus.tombstones import seen
from tokenizer.encode import DOCS, SPLITS, encode_shard
from tokenizer.kinds import Border, Digits, Kind, least_entries, require_libraries
from tokenizer.sample import nearest_source
from tokenizer.sampling import sample_jobs
from tokenizer.train_jobs import FOLDER, take_over, train_job
from tokenizer.vocabulary import TOKENIZER, content_hash
from tokenizer.weighted_sampling import weighted_sample

VERSION = 2
Weight = Annotated[float, Ge(0), AllowInfNan(False)]


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
    min_frequency: Annotated[int, Ge(1)] = setting(
        2, "times that a pair must occur to be merged; of kind byte-bpe", unit="times"
    )
    kind: Kind = setting(
        "byte-bpe",
        "byte-bpe; bpe or unigram of characters with byte fallback, by sentencepiece: these two need text enough for "
        "vocab_size",
        later=True,
    )
    borders: Border = setting(
        "eojeol",
        "what no token reaches across: eojeol, a space; kiwi, the borders of morphemes too, when training only (Kiwi "
        "reads 0.2 MB a second); none, the end of a line alone",
        later=True,
    )
    digits: Digits = setting(
        "single", "single, each a token; together, so that tokens may hold numbers and what is beside them", later=True
    )
    weights: dict[str, Weight] = setting(
        dict,
        "source → how much likelier its documents are drawn into the sample, 1 where not named; with 0 it is left out, "
        "and where all would fit one of half the greatest weight gives half of its documents",
        later=True,
    )

    def __post_init__(self) -> None:
        learned = {"kind": self.kind != "byte-bpe", "borders": self.borders != "eojeol"}
        learned |= {"digits": self.digits != "single", "weights": bool(self.weights)}
        if self.path is not None and (given := [name for name, value in learned.items() if value]):
            raise ValueError(f"path takes a finished tokenizer as it is: leave out {' and '.join(given)}, or path")
        if self.vocab_size < (least := least_entries(self.kind)):
            raise ValueError(f"kind {self.kind} needs a vocab_size of at least {least:,} (given: {self.vocab_size})")


def phases(run: Path, settings: TokenizeSettings, common: Common) -> Phases:
    """Plan the stage from the shards that dedup wrote (see `corpus.shards.Phases`).

    Raises:
        StaleError: dedup or collect has not finished. SourceError: `path` is no tokenizer folder, or weights leave no
        text. UsageError: a weight names no source of the run. MissingExtraError: what `kind` or `borders` needs.
    """
    everything = {
        split: [shard for shard in read_shards(run, "dedup", f"unique/{split}") if shard.rows] for split in SPLITS
    }
    unique = {split: [one for one in shards if not is_appended(one.path)] for split, shards in everything.items()}
    appended = {split: [one for one in shards if is_appended(one.path)] for split, shards in everything.items()}
    if settings.path is None:
        require_for_training(run, settings)
        require_sources(settings.weights, read_sources(run) if settings.weights else (), "tokenize.weights")
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


def require_for_training(run: Path, settings: TokenizeSettings) -> None:
    """Ask for the libraries that learning the vocabulary needs; of a run that has its tokenizer nothing is asked.

    Raises:
        MissingExtraError: kiwipiepy or sentencepiece is not installed.
    """
    if settings.path is None and not (run / FOLDER / TOKENIZER).is_file():
        require_libraries(settings.kind, settings.borders)


def require_sources(weights: Mapping[str, float], sources: Collection[str], where: str) -> None:
    """Ask that weights name sources that are there.

    Raises:
        UsageError: with the nearest source.
    """
    for name in weights:
        if name not in sources:
            raise UsageError(f"there is no source {name!r}", where=where, fix=nearest_source(name, sources))


def _train(train: list[Output], settings: TokenizeSettings, common: Common) -> Generator[Phase, list[Outcome], Outcome]:
    # What a recipe does not set stands in no argument: runs from before there was such a setting stay done.
    given: dict[str, Any] = {}
    if settings.weights:
        samples = yield from weighted_sample(train, common.seed, settings.sample_bytes, settings.weights)
        given["sample_bytes"] = settings.sample_bytes
    else:
        outcomes = yield Phase("sample", "map", sample_jobs(train, common.seed, settings.sample_bytes))
        samples = [output for outcome in outcomes for output in outcome.outputs]
    if settings.kind != "byte-bpe":
        given["kind"] = settings.kind
    if settings.borders != "eojeol":
        given["borders"] = settings.borders
    if settings.digits != "single":
        given["digits"] = settings.digits
    job = Job(
        "tokenizer",
        train_job,
        {
            "samples": [output.path for output in samples],
            "vocab_size": settings.vocab_size,
            "min_frequency": settings.min_frequency,
            **given,
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
