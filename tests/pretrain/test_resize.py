"""Rows for a changed vocabulary: old ones bit for bit, new ones better than random, special ids followed, bad input."""

from __future__ import annotations

import itertools
import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from corpus.errors import SourceError, TrainingError, UsageError
from pretrain.bits import bits_over_documents
from pretrain.measuring import bits_on, encoded, surely_better
from pretrain.packing import cut, pack
from pretrain.resize import RECORD, ResizeSettings, open_model, resize
from pretrain.surgery import mean_of_parts, new_matrix, plan_rows, similar_tokens, sparsemax, weighted_parts
from pretrain.validation import token_nats
from tokenizer.extend import extend, write_extension
from tokenizer.extendable import open_bpe
from tokenizer.prune import prune, write_pruned
from tokenizer.texts import HeldOut, drawn_to_measure
from tokenizer.verify_extension import verify
from tokenizer.vocabulary import open_vocabulary

MakeBase = Callable[[Path, str], Path]
SENTENCE = "사용자는 파일을 열어 내용을 바꾸고 저장한다 법원은 원고의 청구를 기각하였다 서울에서 만나자"
WORDS = SENTENCE.split()
SETTINGS = ResizeSettings(warmup=0, context=64, batch=4, learning_rate=1e-2)
EXTRA = 7  # rows that the model has beyond its tokenizer, as padded models do


def korean(count: int, seed: int) -> list[str]:
    random = np.random.Generator(np.random.Philox(seed))
    return [" ".join(random.choice(WORDS, 10)) for _ in range(count)]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """So small a model is slower with more, and far slower where others use the processor too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def learn() -> list[str]:
    return korean(300, 0)


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    return HeldOut(korean(20, 1), 20)


@pytest.fixture(scope="module", params=["tied", "untied", "sentencepiece"])
def model_folder(
    request: pytest.FixtureRequest, make_base: MakeBase, learn: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A tiny Llama that has learned some Korean in bytes, beside its tokenizer."""
    kind = "llama2" if request.param == "sentencepiece" else "llama3"
    folder = make_base(tmp_path_factory.mktemp("model") / "model", kind)
    vocabulary = open_vocabulary(folder)
    config = LlamaConfig(
        vocab_size=vocabulary.entries + EXTRA,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        tie_word_embeddings=request.param == "tied",
        eos_token_id=vocabulary.end_of_text,
        bos_token_id=vocabulary.end_of_text - 1,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    end = vocabulary.end_of_text
    windows = cut(np.array([one for ids in encoded(vocabulary, learn) for one in (*ids, end)]), 64, end)
    for step in range(60):
        batch = pack(windows[8 * step % (len(windows) - 8) :][:8], end)
        optimizer.zero_grad()
        (token_nats(model, batch).sum() / batch.targets).backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def extended(model_folder: Path, learn: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = extend(open_bpe(model_folder), learn, 60)
    folder = tmp_path_factory.mktemp("extended") / "tokenizer"
    write_extension(made, verify(made.base, made.extended), folder)
    return folder


def rows_of(folder: Path) -> list[torch.Tensor]:
    model = AutoModelForCausalLM.from_pretrained(folder)
    return [model.get_input_embeddings().weight.detach(), model.get_output_embeddings().weight.detach()]


@pytest.mark.parametrize("method", ["mean", "weighted"])
def test_old_rows_stay_bit_for_bit_and_new_ones_beat_random_ones(
    model_folder: Path, extended: Path, learn: list[str], held_out: HeldOut, tmp_path: Path, method: str
) -> None:
    settings = replace(SETTINGS, method=method, warmup=20)  # type: ignore[arg-type]
    found = resize(model_folder, extended, tmp_path / "out", learn, held_out, settings)
    entries = open_vocabulary(model_folder).entries
    assert (found.kept, found.new, found.rows) == (entries, 60, 512)
    for before, after in zip(rows_of(model_folder), rows_of(tmp_path / "out"), strict=True):
        assert after.shape[0] == 512
        assert torch.equal(after[:entries], before[:entries])
        assert not torch.equal(after[entries : entries + 60], before[:60])
    assert found.after.value < found.random.value
    assert found.warmed is not None
    assert found.warmed.value < found.after.value
    assert found.before.documents == found.after.documents == len(held_out.texts)
    told = json.loads((tmp_path / "out" / RECORD).read_text("utf-8"))
    assert told["after"]["value"] == found.after.value
    assert (told["held_out"], told["cut"]) == (20, 0)
    assert told["difference"]["value"] == pytest.approx(found.after.value - found.random.value)
    assert 0 < told["difference"]["error"] < -told["difference"]["value"] / 2
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert model.config.vocab_size == 512
    assert model.config.tie_word_embeddings == torch.equal(*rows_of(tmp_path / "out"))
    again = bits_on(model, open_vocabulary(tmp_path / "out"), held_out.texts, 64)
    assert again.value == pytest.approx(found.warmed.value)


def test_without_a_warm_up_a_row_is_the_mean_of_its_parts(
    model_folder: Path, extended: Path, learn: list[str], held_out: HeldOut, tmp_path: Path
) -> None:
    resize(model_folder, extended, tmp_path / "out", learn, held_out, SETTINGS)
    old, new = open_bpe(model_folder), open_bpe(extended)
    before, after = rows_of(model_folder)[0], rows_of(tmp_path / "out")[0]
    number = old.entries + 30
    token = next(token for token, one in new.ids.items() if one == number)
    parts = [one.id for one in old.tokenizer.model.tokenize(token)]
    assert torch.allclose(after[number], before[parts].mean(0), atol=1e-6)


def test_a_new_syllable_begins_with_the_rows_of_its_bytes(make_base: MakeBase, tmp_path: Path) -> None:
    old = open_bpe(make_base(tmp_path / "base", "llama2"))
    new = extend(old, ["뷁 뷁"], 2).extended
    rows = plan_rows(old, new)
    in_bytes = [old.ids[name] for name in ("<0xEB>", "<0xB7>", "<0x81>")]
    assert rows.parts == {new.ids["뷁"]: in_bytes, new.ids["▁뷁"]: [old.ids["▁"], *in_bytes]}
    before = torch.randn(old.entries, 8, generator=torch.Generator().manual_seed(0))
    after = new_matrix(before, rows, mean_of_parts(rows), new.entries, 0)
    assert torch.equal(after[: old.entries], before)
    assert torch.allclose(after[new.ids["뷁"]], before[in_bytes].mean(0))


def test_the_same_call_writes_the_same_weights(
    model_folder: Path, extended: Path, learn: list[str], held_out: HeldOut, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, warmup=3)
    for name in ("a", "b"):
        resize(model_folder, extended, tmp_path / name, learn, held_out, settings)
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_rows_by_similarity_are_old_rows_in_like_company(
    model_folder: Path, extended: Path, learn: list[str], held_out: HeldOut, tmp_path: Path
) -> None:
    pytest.importorskip("fasttext")
    settings = replace(SETTINGS, method="similar")
    try:
        found = resize(model_folder, extended, tmp_path / "out", learn * 5, held_out, settings)
    except TrainingError as error:  # a base of bytes has few tokens in like company; refusing it is right too
        assert "worse than random" in str(error)
        assert not (tmp_path / "out").exists()
    else:
        assert found.after.value < found.random.value


def test_rows_worse_than_random_ones_are_refused_and_nothing_is_written(
    model_folder: Path,
    extended: Path,
    learn: list[str],
    held_out: HeldOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parts mixed with weights that blow the rows up: the kind of mistake that the comparison is there for."""
    bad = lambda rows: {number: (ids, [60.0] * len(ids)) for number, ids in rows.parts.items()}  # noqa: E731
    monkeypatch.setattr("pretrain.resize.mean_of_parts", bad)
    with pytest.raises(TrainingError, match="worse than random ones"):
        resize(model_folder, extended, tmp_path / "out", learn, held_out, SETTINGS)
    assert not list(tmp_path.iterdir())


def test_rows_that_chance_may_have_made_better_are_refused_with_what_to_do(
    model_folder: Path,
    extended: Path,
    learn: list[str],
    held_out: HeldOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other random rows in place of mixed ones: whichever is better, it is not by much for every document."""
    real, seeds = new_matrix, itertools.count()
    monkeypatch.setattr(
        "pretrain.resize.new_matrix",
        lambda old, rows, mixture, size, seed: real(old, rows, None, size, next(seeds)),
    )
    said: list[str] = []
    for _ in range(6):
        try:
            resize(model_folder, extended, tmp_path / "out", learn, HeldOut(held_out.texts[:3], 3), SETTINGS)
        except TrainingError as error:
            said += [told for told in ("are worse than random", "by less than 2 standard errors") if told in str(error)]
        else:
            shutil.rmtree(tmp_path / "out")
    assert set(said) == {"are worse than random", "by less than 2 standard errors"}
    assert not (tmp_path / "out").exists()


def test_better_is_what_is_better_document_by_document() -> None:
    sizes = [100] * 8
    alike = np.array([50.0, 300, 90, 700, 20, 400, 150, 260])
    assert surely_better(bits_over_documents(-0.01 * alike, sizes))
    assert not surely_better(bits_over_documents(alike, sizes))
    assert not surely_better(bits_over_documents([-300.0, *[40.0] * 7], sizes))  # better in sum, by one document alone
    assert surely_better(bits_over_documents([-1.0], [100]))
    assert not surely_better(bits_over_documents([1.0], [100]))
    assert not surely_better(bits_over_documents([0.0, 0.0], [100, 100]))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=40), st.integers(1, 400))
def test_what_is_measured_is_drawn_whole_and_long_texts_by_their_beginning(texts: list[str], size: int) -> None:
    found = drawn_to_measure(texts, 3, size)
    there = [text for text in texts if text]
    assert found.documents == len(there)
    longest = max(size // 8, 4)
    left = iter(texts)
    for part in found.texts:  # in their order
        whole = next(text for text in left if text.startswith(part) and (part == text or len(text.encode()) > longest))
        assert part == whole or longest - 3 <= len(part.encode()) <= longest
    assert found.cut <= sum(len(text.encode()) > longest for text in there)
    assert not there or found.texts
    held = sum(len(part.encode()) for part in found.texts)
    assert held <= size or len(found.texts) == 1
    assert drawn_to_measure(texts, 3, None) == HeldOut(there, len(there))


def test_one_long_text_takes_not_the_place_of_all_others() -> None:
    texts = [*korean(40, 2), "가" * 100_000]
    found = [drawn_to_measure(texts, seed, 4000) for seed in range(60)]
    long = [one for one in found if "가가가" in "".join(one.texts)]
    assert long
    assert all(one.cut == 1 and len(one.texts) > 7 for one in long)
    assert all("가" * 166 in one.texts for one in long)
    assert found[0].texts != found[1].texts
    only = drawn_to_measure(texts[-1:], 0, 4000)
    assert (len(only.texts), only.documents, only.cut, len(only.texts[0])) == (1, 1, 1, 166)


@pytest.mark.parametrize("model_folder", ["tied", "untied"], indirect=True)  # prune refuses sentencepiece's
def test_a_pruned_vocabulary_finds_its_rows_and_its_special_ids(
    model_folder: Path, learn: list[str], held_out: HeldOut, tmp_path: Path
) -> None:
    made = prune(open_bpe(model_folder), [*learn, *held_out.texts])
    write_pruned(made, tmp_path / "pruned")
    found = resize(model_folder, tmp_path / "pruned", tmp_path / "out", learn, held_out, replace(SETTINGS, multiple=1))
    assert found.new == 0
    for before, after in zip(rows_of(model_folder), rows_of(tmp_path / "out"), strict=True):
        assert torch.equal(after, before[made.old_ids])
    assert found.after.value <= found.before.value + 1e-6  # fewer rows to choose from
    config = AutoModelForCausalLM.from_pretrained(tmp_path / "out").config
    assert config.eos_token_id == open_vocabulary(tmp_path / "pruned").end_of_text


def test_bits_per_byte_are_the_sum_over_documents(model_folder: Path, held_out: HeldOut) -> None:
    vocabulary = open_vocabulary(model_folder)
    model = open_model(model_folder, vocabulary.entries)
    texts = [text[:8] for text in held_out.texts[:4]]  # together in one window
    found = bits_on(model, vocabulary, texts, 127)
    nats = size = 0.0
    end = vocabulary.end_of_text
    for text in texts:
        ids = torch.tensor([[end, *next(encoded(vocabulary, [text]))]])
        with torch.no_grad():
            nats += float(torch.nn.functional.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="sum"))
        size += len(text.encode())
    assert found.value == pytest.approx(nats / size / math.log(2), rel=1e-4)
    assert found.bytes == size


def test_weights_go_by_how_much_a_part_tells(model_folder: Path, extended: Path) -> None:
    rows = plan_rows(open_bpe(model_folder), open_bpe(extended))
    number, ids = next((number, ids) for number, ids in rows.parts.items() if len(set(ids)) == 2)
    often, seldom = ids[0], ids[1]
    mixture = weighted_parts(rows, Counter({often: 900, seldom: 1, -1: 99}))
    weights = dict(zip(*mixture[number], strict=True))
    assert weights[seldom] > 10 * weights[often]
    assert all(sum(weights) == pytest.approx(1) for _, weights in mixture.values())


def test_similar_tokens_take_rows_of_old_ones_only(model_folder: Path, extended: Path) -> None:
    rows = plan_rows(open_bpe(model_folder), open_bpe(extended))
    first, second = sorted(rows.parts)[:2]
    vectors = {0: np.array([1, 0], np.float32), 5: np.array([0, 1], np.float32), first: np.array([1, 0.1], np.float32)}
    mixture = similar_tokens(rows, vectors, mean_of_parts(rows))
    assert mixture[first][0] == [0, 5] or mixture[first][0] == [0]
    assert mixture[first][1][0] > 0.5
    assert mixture[second] == mean_of_parts(rows)[second]


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20))
def test_sparsemax_is_a_distribution_that_keeps_the_order(scores: list[float]) -> None:
    weights = sparsemax(np.array(scores, np.float32))
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[int(np.argmax(scores))] == weights.max()


def test_random_rows_have_the_spread_of_the_old_ones(model_folder: Path, extended: Path) -> None:
    rows = plan_rows(open_bpe(model_folder), open_bpe(extended))
    old = torch.randn(rows.kept.max() + 1, 16, generator=torch.Generator().manual_seed(1)) * 3 + 2
    matrix = new_matrix(old, rows, None, 512, 0)
    new = matrix[sorted(rows.parts)]
    assert float(new.std()) == pytest.approx(3, rel=0.15)
    assert float(new.mean()) == pytest.approx(2, rel=0.15)


def test_a_model_smaller_than_its_tokenizer_and_a_folder_without_one_are_refused(
    model_folder: Path, extended: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="rows, its tokenizer 1,000 entries"):
        open_model(model_folder, 1000)
    with pytest.raises(SourceError, match="not a readable model"):
        open_model(extended, 1)
    with pytest.raises(SourceError, match="no text to measure"):
        resize(model_folder, extended, tmp_path / "out", ["글"], HeldOut([], 0), SETTINGS)


def test_the_command_tells_all_scores(model_folder: Path, extended: Path, learn: list[str], tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from hanjo.cli import app

    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in learn), encoding="utf-8")
    arguments = ["pretrain", "resize", str(model_folder), str(extended), str(tmp_path / "out"), str(corpus)]
    small = ["--warmup", "4", "--context", "64"]
    told = CliRunner().invoke(app, [*arguments, *small, "--measure", "2kB", "--json"])
    assert told.exit_code == 0, told.output
    scores = json.loads(told.stdout)
    assert scores["after"]["value"] < scores["random"]["value"]
    assert 1500 < scores["before"]["bytes"] <= 2000
    assert scores["before"]["documents"] < scores["held_out"] <= 60
    plain = CliRunner().invoke(app, [*arguments[:4], str(tmp_path / "all"), str(corpus), *small, "--measure", "all"])
    assert plain.exit_code == 0, plain.output
    count = scores["held_out"]
    assert f"measuring on {count} of {count} held-out documents" in plain.stderr
    assert "± is the standard error over" in plain.stdout
    wrong = CliRunner().invoke(app, [*arguments[:4], str(tmp_path / "b"), str(corpus), "--measure", "some"])
    assert isinstance(wrong.exception, UsageError)
    again = CliRunner().invoke(app, [*arguments[:4], str(tmp_path / "b"), str(corpus), "--method", "meen"])
    assert isinstance(again.exception, UsageError)
    assert "method" in str(again.exception)
