"""A run's sample where sources have weights: the command's rule, within shards and across them, in bounded pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.errors import SourceError, UsageError
from corpus.settings import Common
from corpus.shards import Counts, JobContext, Outcome, Output, Phase, read_shards, read_table
from tokenizer import stage, weighted_sampling
from tokenizer.sample import Sample
from tokenizer.stage import TokenizeSettings
from tokenizer.train_jobs import _first
from tokenizer.weighted_sampling import drawn_shards, last_bucket, weighted_sample

MakeRun = Callable[..., Path]
Run = Callable[..., Counts]


def source_of(text: str) -> str:
    return text.partition(" ")[0]


def documents(source: str, count: int) -> list[str]:
    return [f"{source} 문서 {number} " + "한국어 문장 " * (number % 7) for number in range(count)]


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    """Three sources: one shard of both web and books, one of each alone."""
    mixed = [text for pair in zip(documents("web", 300), documents("books", 300), strict=True) for text in pair]
    more = [text + "더" for text in documents("web", 300)]
    shards = {"train/00000": [*mixed, ""], "train/00001": more, "train/00002": documents("law", 200), "train/00003": []}
    return make_run(shards, source_of=lambda text: source_of(text) or "books")


def drawn(run: Path, size: int, weights: dict[str, float], seed: int = 5, backwards: bool = False) -> list[str]:
    """The texts that training would read; the jobs of a phase in either order."""
    plan = weighted_sample(read_shards(run, "dedup", "unique/train"), seed, size, weights)
    phase: Phase = next(plan)
    while True:
        jobs = list(phase.jobs)[::-1] if backwards else list(phase.jobs)
        outcomes: list[Outcome] = [job.call(JobContext(run, "a" * 32, 1 << 30), **job.arguments) for job in jobs]
        try:
            phase = plan.send(outcomes[::-1] if backwards else outcomes)
        except StopIteration as end:
            return list(_first([run / output.path for output in end.value], size))


def by_the_command(run: Path, size: int, weights: dict[str, float], seed: int = 5) -> list[str]:
    sample = Sample(seed, size, weights)
    for shard in read_shards(run, "dedup", "unique/train"):
        table = read_table(run / shard.path, ["source", "id", "text"])
        sample.add(*(table[name].to_pylist() for name in ("source", "id", "text")))
    return sample.texts()


def share(texts: Sequence[str], source: str) -> float:
    sizes: Counter[str] = Counter()
    for text in texts:
        sizes[source_of(text)] += len(text.encode())
    return sizes[source] / sizes.total()


@pytest.mark.parametrize("weights", [{"web": 1.0}, {"law": 8.0}, {"web": 0.0, "books": 0.25}])
@pytest.mark.parametrize("size", [1, 700, 9000, 1 << 30])
def test_a_run_draws_what_the_command_draws(run: Path, size: int, weights: dict[str, float]) -> None:
    found = drawn(run, size, weights)
    assert found == by_the_command(run, size, weights)
    assert sum(len(text.encode()) for text in found) <= size
    assert drawn(run, size, weights, backwards=True) == found


def test_weights_move_the_shares_of_sources_within_a_shard_and_across_shards(run: Path) -> None:
    even = drawn(run, 9000, {"web": 1.0})
    heavy, light = drawn(run, 9000, {"law": 8.0}), drawn(run, 9000, {"books": 0.0, "web": 0.04})
    assert share(even, "law") < 0.35
    assert share(heavy, "law") > 2 * share(even, "law")
    assert share(light, "books") == 0
    assert 0 < share(light, "web") < share(even, "web") / 2


def test_no_more_is_written_than_the_sample_and_a_bucket(run: Path) -> None:
    drawn(run, 5000, {"law": 8.0})
    written = [pq.read_table(path)["text"].to_pylist() for path in (run / ".scratch").rglob("*.parquet")]
    assert len(written) == 3
    assert 5000 <= sum(len(text.encode()) for texts in written for text in texts) < 1.15 * 5000


def test_weights_reach_the_run_s_vocabulary_and_its_counts(run: Path, common: Common, run_phases: Run) -> None:
    made = []
    for weights in ({"law": 20.0}, {"law": 0.0}):
        settings = TokenizeSettings(vocab_size=512, sample_bytes=4000, weights=weights)
        counts = run_phases("tokenize", stage, run, settings, common)
        made.append((counts, (run / "tokenizer" / "tokenizer.json").read_bytes()))
    (heavy, first), (none, second) = made
    assert first != second
    assert heavy["sample/law"]["bytes"] > 3000
    assert "sample/law" not in none
    assert none["sample/web"]["documents"] > 0


def test_a_source_that_is_not_there_and_weights_that_leave_nothing_are_told(
    run: Path, common: Common, run_phases: Run
) -> None:
    with pytest.raises(UsageError, match=r"tokenize.weights: there is no source 'wb'\n  → did you mean 'web'\?"):
        run_phases("tokenize", stage, run, TokenizeSettings(weights={"wb": 2.0}), common)
    nothing = dict.fromkeys(("web", "books", "law"), 0.0)
    with pytest.raises(SourceError, match="the weights leave no text to learn from"):
        run_phases("tokenize", stage, run, TokenizeSettings(weights=nothing), common)


def test_a_bucket_is_the_first_that_fills_the_sample() -> None:
    assert [last_bucket({-3: 10, 2: 5}, size) for size in (1, 10, 11, 15)] == [-3, -3, 2, 2]
    assert last_bucket({-3: 10, 2: 5}, 16) > 2**29


def test_of_many_shards_heavy_ones_are_drawn_and_their_likelihood_is_told() -> None:
    weights = {f"{number:04d}": 20.0 if number < 30 else 0.0 if number < 60 else 1.0 for number in range(3000)}
    found = drawn_shards(weights, 1)
    assert len(found) == weighted_sampling.MOST_SHARDS
    heavy = [path for path in found if weights[path] == 20.0]
    assert len(heavy) > 22  # of 30; one in twelve of the others
    assert min(found[path] for path in heavy) > 0.7
    assert all(0.05 < found[path] < 0.12 for path in found if path not in heavy)
    assert not any(weights[path] == 0 for path in found)
    assert drawn_shards(weights, 2) != found
    assert drawn_shards({"a": 0.0, "b": 3.0}, 1) == {"b": 1.0}


def test_where_shards_are_drawn_shares_are_what_weights_ask(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 shards 20 are drawn; a tenth of the text weighs nine times as much, so it is to be half of the sample."""
    monkeypatch.setattr(weighted_sampling, "MOST_SHARDS", 20)
    shards = {f"train/{n:05d}": documents("law" if n % 10 == 0 else "web", 60) for n in range(60)}
    run = make_run({name: [f"{text}{name}" for text in texts] for name, texts in shards.items()}, source_of=source_of)
    found = [share(drawn(run, 12_000, {"law": 9.0}, seed), "law") for seed in range(8)]
    assert 0.4 < sum(found) / len(found) < 0.6
    assert len(list((run / ".scratch").rglob("*.parquet"))) >= 20


def test_the_phases_name_their_jobs_and_inputs() -> None:
    shards = [Output(f"unique/train/{number:05d}.parquet", 10, 100, f"{number:032x}") for number in range(300)]
    phase = next(weighted_sample(shards, 1, 1000, {"web": 2.0}))
    assert phase.name == "tell"
    assert sum(len(job.inputs) for job in phase.jobs) == sum(len(job.arguments["shards"]) for job in phase.jobs) == 300
