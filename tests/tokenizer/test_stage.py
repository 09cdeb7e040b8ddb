"""The stage from unique shards to tokens, as execution would carry it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpus.documents import document_id
from corpus.errors import SourceError, StaleError
from corpus.privacy import PLACEHOLDERS
from corpus.settings import Common
from corpus.shards import Counts, JobContext, Output, read_shards, read_table
from tokenizer import stage
from tokenizer.indexed import IndexedTokens
from tokenizer.locate import locate
from tokenizer.sampling import MOST_SHARDS, sample_jobs
from tokenizer.stage import TokenizeSettings
from tokenizer.vocabulary import open_vocabulary

MakeRun = Callable[..., Path]
Run = Callable[..., Counts]
SMALL = TokenizeSettings(vocab_size=512, sample_bytes=20_000)


@pytest.fixture
def run(make_run: MakeRun, texts: list[str]) -> Path:
    return make_run(
        {
            "train/00000": texts[:150],
            "train/00001": texts[150:250],
            "train/00002": [],
            "valid/00000": texts[250:280],
            "test/00001": texts[280:],
        }
    )


def test_the_stage_writes_every_split_and_counts_it(
    run: Path, common: Common, run_phases: Run, texts: list[str]
) -> None:
    counts = run_phases("tokenize", stage, run, SMALL, common)
    assert counts["in"]["documents"] == counts["kept"]["documents"] == len(texts)
    assert counts["kept"]["bytes"] == sum(len(text.encode()) for text in texts)
    assert counts["split/valid"]["documents"] == 30
    assert counts["kept"]["tokens"] == sum(counts[f"split/{split}"]["tokens"] for split in ("train", "valid", "test"))
    assert counts["vocabulary"]["entries"] == open_vocabulary(run / "tokenizer").entries
    names = [Path(output.path).name for output in read_shards(run, "tokenize", "tokens/train")]
    assert names == [f"{shard}.{end}" for shard in ("00000", "00001") for end in ("bin", "docs.parquet", "idx")]
    assert counts["split/train"]["tokens"] == sum(
        len(IndexedTokens(run / "tokens" / "train" / shard).tokens) for shard in ("00000", "00001")
    )


def test_a_document_is_found_by_its_id(run: Path, common: Common, run_phases: Run, texts: list[str]) -> None:
    run_phases("tokenize", stage, run, SMALL, common)
    found = locate(run, document_id("books", "train/00001/7"))
    assert found is not None
    assert {name: found[name] for name in ("split", "shard", "row", "withdrawn")} == {
        "split": "train",
        "shard": "00001",
        "row": 7,
        "withdrawn": False,
    }
    tokens = IndexedTokens(run / "tokens" / "train" / "00001").tokens
    ids = tokens[found["first_token"] : found["first_token"] + found["tokens"]]
    vocabulary = open_vocabulary(run / "tokenizer")
    assert vocabulary.tokenizer.decode(ids[:-1].tolist()) == texts[157]
    assert ids[-1] == vocabulary.end_of_text
    assert locate(run, document_id("books", "nowhere")) is None


def test_the_stage_done_again_gives_the_same_bytes(
    run: Path, common: Common, run_phases: Run, token_hashes: Callable[[Path], dict[str, str]]
) -> None:
    run_phases("tokenize", stage, run, SMALL, common)
    first = token_hashes(run)
    run_phases("tokenize", stage, run, SMALL, common)
    assert token_hashes(run) == first


def sampled(run: Path, seed: int, size: int) -> list[str]:
    jobs = sample_jobs(read_shards(run, "dedup", "unique/train"), seed, size)
    outcomes = [job.call(JobContext(run, "a" * 32, 1 << 30), **job.arguments) for job in jobs]
    paths = [run / output.path for outcome in outcomes for output in outcome.outputs]
    return [text for path in paths for text in read_table(path)["text"].to_pylist()]


def test_the_sample_is_bounded_in_bytes_and_seeded(run: Path) -> None:
    some = sampled(run, 1, 5000)
    assert 4900 < sum(len(text.encode()) for text in some) <= 5000
    assert sampled(run, 1, 5000) == some
    assert set(sampled(run, 2, 5000)) != set(some)


def test_a_sample_larger_than_the_text_takes_all_of_it(run: Path, texts: list[str]) -> None:
    assert sorted(sampled(run, 1, 1 << 30)) == sorted(texts[:250])


def test_a_sample_of_many_shards_reads_a_bounded_number_of_them() -> None:
    shards = [Output(f"unique/train/{number:05d}.parquet", 10, 100, f"{number:032x}") for number in range(1000)]
    jobs = sample_jobs(shards, 1, 1 << 20)
    assert len(jobs) == MOST_SHARDS
    assert sum(job.arguments["share"] for job in jobs) <= 1 << 20
    assert [job.name for job in jobs] != [job.name for job in sample_jobs(shards, 2, 1 << 20)]


def test_an_existing_tokenizer_is_taken_over_unchanged(
    run: Path, common: Common, run_phases: Run, folder: Path
) -> None:
    (run / "tokenizer").mkdir()
    (run / "tokenizer" / "chat_template.jinja").write_text("of another tokenizer")
    counts = run_phases("tokenize", stage, run, TokenizeSettings(path=str(folder)), common)
    assert {p.name: p.read_bytes() for p in (run / "tokenizer").iterdir()} == {
        p.name: p.read_bytes() for p in folder.iterdir()
    }
    assert counts["vocabulary"]["entries"] == 512
    assert counts["vocabulary"]["placeholders"] == len(PLACEHOLDERS)


def test_the_content_of_a_given_tokenizer_changes_every_shards_fingerprint(
    run: Path, common: Common, run_phases: Run, folder: Path, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for path in folder.iterdir():
        (given / path.name).write_bytes(path.read_bytes())
    prints: list[set[Any]] = []
    for end in ("<|endoftext|>", "<|pad|>"):
        (given / "tokenizer_config.json").write_text(f'{{"eos_token": "{end}"}}')
        run_phases("tokenize", stage, run, TokenizeSettings(path="given"), common)
        prints.append({output.fingerprint for output in read_shards(run, "tokenize", "tokens/train")})
    assert not prints[0] & prints[1]


def test_a_missing_tokenizer_folder_and_an_unfinished_parent_are_named(
    run: Path, common: Common, run_phases: Run, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"nowhere: no tokenizer\.json"):
        run_phases("tokenize", stage, run, TokenizeSettings(path="nowhere"), common)
    with pytest.raises(StaleError, match=r"dedup\.parquet"):
        run_phases("tokenize", stage, tmp_path / "empty", SMALL, common)


def test_a_run_with_nothing_left_says_so(make_run: MakeRun, common: Common, run_phases: Run) -> None:
    run = make_run({"train/00000": []})
    with pytest.raises(SourceError, match="no text to train"):
        run_phases("tokenize", stage, run, SMALL, common)
