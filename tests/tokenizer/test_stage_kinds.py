"""Every kind of tokenizer and border through the stage: the same files again, every text back, clear words before."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpus.errors import MissingExtraError, SourceError
from corpus.manifest import fingerprint
from corpus.privacy import PLACEHOLDERS
from corpus.settings import Common
from corpus.shards import Counts, read_table
from tokenizer import stage
from tokenizer.indexed import IndexedTokens
from tokenizer.kinds import files_of
from tokenizer.sample import Sample
from tokenizer.stage import TokenizeSettings
from tokenizer.train_files import TrainSettings, train_files
from tokenizer.vocabulary import TOKENIZER, open_vocabulary

MakeRun = Callable[..., Path]
Run = Callable[..., Counts]
SYLLABLES = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
SOME = [
    TokenizeSettings(vocab_size=1024, kind="unigram"),
    TokenizeSettings(vocab_size=1024, kind="bpe", borders="none"),
    TokenizeSettings(vocab_size=600, borders="none"),
    TokenizeSettings(vocab_size=600, borders="kiwi"),
    TokenizeSettings(vocab_size=1024, kind="unigram", borders="kiwi", weights={"books": 2.0}),
]


def korean(count: int) -> list[str]:
    stems = [a + b for a in SYLLABLES for b in SYLLABLES]
    return [
        " ".join(stems[(7 * number + 13 * k) % len(stems)] + "에서는을이"[k % 5] for k in range(20)) + f" {number}년."
        for number in range(count)
    ]


@pytest.fixture
def run(make_run: MakeRun) -> Path:
    texts = [f"할 수 있다. {text}" for text in korean(500)]
    return make_run({"train/00000": texts[:300], "train/00001": texts[300:480], "valid/00000": texts[480:]})


@pytest.mark.parametrize("settings", SOME, ids=lambda one: f"{one.kind}-{one.borders}")
def test_the_stage_makes_tokens_of_each_kind_and_the_same_again(
    run: Path,
    common: Common,
    run_phases: Run,
    settings: TokenizeSettings,
    token_hashes: Callable[[Path], dict[str, str]],
) -> None:
    if settings.borders == "kiwi":
        pytest.importorskip("kiwipiepy")
    (run / "tokenizer").mkdir()
    for left in ("tokenizer.model", "chat_template.jinja"):
        (run / "tokenizer" / left).write_text("of another tokenizer")
    counts = run_phases("tokenize", stage, run, settings, common)
    first = token_hashes(run)
    assert sorted(path.name for path in (run / "tokenizer").iterdir()) == sorted(files_of(settings.kind))
    vocabulary = open_vocabulary(run / "tokenizer")
    assert counts["vocabulary"]["entries"] == vocabulary.entries >= settings.vocab_size
    assert counts["vocabulary"]["placeholders"] == len(PLACEHOLDERS)
    assert counts["kept"]["documents"] == 500
    assert "encoder/differed from tokenizers" not in counts
    texts = read_table(run / "unique/train/00001.parquet")["text"].to_pylist()
    tokens = np.asarray(IndexedTokens(run / "tokens" / "train" / "00001").tokens)
    ends = np.flatnonzero(tokens == vocabulary.end_of_text)
    assert len(ends) == len(texts)
    back = [vocabulary.tokenizer.decode(part[:-1].tolist()) for part in np.split(tokens, ends + 1)[:-1]]
    assert back == texts
    run_phases("tokenize", stage, run, settings, common)
    assert token_hashes(run) == first


@pytest.mark.parametrize("kind", ["byte-bpe", "unigram"])
def test_the_stage_and_the_command_learn_the_same_of_a_weighted_sample(
    run: Path, common: Common, run_phases: Run, tmp_path: Path, kind: Any
) -> None:
    run_phases(
        "tokenize",
        stage,
        run,
        TokenizeSettings(vocab_size=1024, kind=kind, sample_bytes=100_000, weights={"books": 3}),
        common,
    )
    (run / "recipe.yaml").write_text("", encoding="utf-8")
    settings = TrainSettings(vocab_size=1024, kind=kind, sample_bytes=100_000, weights={"books": 3}, seed=common.seed)
    train_files([run], tmp_path / "out", settings)
    for name in files_of(kind):
        assert (run / "tokenizer" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_borders_that_are_none_let_tokens_hold_several_words(run: Path, common: Common, run_phases: Run) -> None:
    tokens = {}
    for borders in ("none", "eojeol"):
        settings = TokenizeSettings(vocab_size=1024, borders=borders)  # type: ignore[arg-type]
        tokens[borders] = run_phases("tokenize", stage, run, settings, common)["kept"]["tokens"]
        tokenizer = open_vocabulary(run / "tokenizer").tokenizer
        words = [tokenizer.decode([number]) for number in range(tokenizer.get_vocab_size())]
        assert any(" " in word.strip() for word in words) == (borders == "none")
    assert tokens["none"] < tokens["eojeol"]


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_too_little_text_for_so_many_entries_is_told_with_how_many_there_may_be(
    run: Path, common: Common, run_phases: Run, kind: Any
) -> None:
    with pytest.raises(SourceError, match=r"32000 entries of this text \(.*<= \d+\)\n.*tokenize.vocab_size"):
        run_phases("tokenize", stage, run, TokenizeSettings(kind=kind), common)
    assert not (run / "tokenizer").exists()


@pytest.mark.parametrize(
    ("settings", "library", "extra"),
    [
        (TokenizeSettings(borders="kiwi"), "kiwipiepy", "kiwi"),
        (TokenizeSettings(kind="unigram"), "sentencepiece", "corpus"),
    ],
)
def test_a_library_that_is_missing_is_told_before_anything_is_read_of_a_run_without_tokenizer(
    run: Path, common: Common, monkeypatch: pytest.MonkeyPatch, settings: TokenizeSettings, library: str, extra: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == library else found(name, *rest))
    with pytest.raises(MissingExtraError, match=rf"{library} is not installed\n.*hanjo\[{extra}\]"):
        next(stage.phases(run, settings, common))
    (run / "tokenizer").mkdir()
    (run / "tokenizer" / TOKENIZER).write_text("{}")
    assert next(stage.phases(run, settings, common)).name == "sample"


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="leave out kind and weights, or path"):
        TokenizeSettings(path="x", kind="bpe", weights={"web": 1.0})
    with pytest.raises(ValueError, match=r"kind unigram needs a vocab_size of at least 1,024 \(given: 600\)"):
        TokenizeSettings(vocab_size=600, kind="unigram")


def test_a_run_from_before_there_were_kinds_stays_done(run: Path, common: Common) -> None:
    before = {"path": None, "vocab_size": 32_000, "sample_bytes": 256 << 20, "min_frequency": 2}
    assert fingerprint(TokenizeSettings()) == fingerprint(before)
    assert fingerprint(TokenizeSettings(weights={"books": 1.0})) != fingerprint(before)
    plan = stage.phases(run, TokenizeSettings(), common)
    assert [set(job.arguments) for job in next(plan).jobs] == [{"shard", "seed", "share"}] * 2
    assert [set(job.arguments) for job in plan.send([]).jobs] == [{"samples", "vocab_size", "min_frequency"}]


def test_the_sample_s_weights_are_numbers_to_draw_by() -> None:
    sample = Sample(1, 100, {"a": 2.0})
    sample.add(["b"], ["1"], ["글"])
    with pytest.raises(Exception, match=r"no document of source 'a'.*\n.*the sources are: b"):
        sample.texts()
