"""The classifier tells good from bad Korean, gives the same bytes again; its score passes measure and decide."""

from __future__ import annotations

import datetime
import gzip
import json
import random
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from corpus import measure
from corpus.classifier import LINE, SEEN, content_hash, features, open_classifier, seen
from corpus.classifier_scores import area, scores_of, wilson
from corpus.classifier_training import TrainSettings, evaluate, is_held_out, train
from corpus.decide import judge
from corpus.documents import DOCUMENTS, SHARDS
from corpus.errors import SourceError
from corpus.measure import MeasureSettings
from corpus.profiles import DEFAULT
from corpus.rules import KNOWN
from corpus.settings import Common, Target
from corpus.shards import JobContext, read_table, write_table
from hanjo.cli import app

SAMPLE = Path(__file__).resolve().parents[2] / "recipes" / "sample"
SPAM = (
    "{0}카지노 바카라사이트 가입쿠폰 {1}만원 즉시지급 코드 {2} 첫충 {1}% 먹튀없는 안전놀이터",
    "무직자 당일대출 {1}분 입금 신용불문 상담 카톡 {0}{2} 급전 소액 현금화",
    "{0}맛집 {0}술집 {0}회식 추천 {0}데이트 가격 {0}점심 BEST {1} {0}룸 예약 {2}",
)
PLACES = ("강남", "홍대", "부산", "대전", "일산", "수원", "제주", "인천")


def good_texts(number: int) -> list[str]:
    """Paragraphs of rulings and help pages of the sample."""
    texts: list[str] = []
    for source in ("tax-rulings/tribunal.jsonl.gz", "libreoffice-help/help.jsonl.gz"):
        with gzip.open(SAMPLE / source, "rt", encoding="utf-8") as lines:
            pages = (json.loads(line)["text"] for line in lines)
            paragraphs = (part for page in pages for part in page.split("\n") if 40 <= len(part) <= 400)
            texts += islice(dict.fromkeys(paragraphs), number // 2)
    return texts


def bad_texts(texts: list[str]) -> list[str]:
    """The same paragraphs spoiled by a seed: syllables shuffled, eojeol cut up, and advertisements made from shapes."""
    chance = random.Random(7)
    spoiled = []
    for number, text in enumerate(texts):
        if number % 3 == 0:
            signs = list(text)
            chance.shuffle(signs)
            spoiled.append("".join(signs))
        elif number % 3 == 1:
            spoiled.append(" ".join("".join(chance.sample(word, len(word))) for word in text.split()))
        else:
            shape = chance.choice(SPAM)
            spoiled.append(shape.format(chance.choice(PLACES), chance.randint(1, 90), chance.randint(1000, 9999)))
    return spoiled


def write(folder: Path, good: list[str], bad: list[str]) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    paths = folder / "good.txt", folder / "bad.jsonl"
    paths[0].write_text("".join(f"{text}\n" for text in good), encoding="utf-8")
    rows = (json.dumps({"text": text}, ensure_ascii=False) for text in bad)
    paths[1].write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return paths


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    good = good_texts(500)
    return write(tmp_path_factory.mktemp("labelled"), good, bad_texts(good))


@pytest.fixture(scope="module")
def trained(labelled: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "quality"
    train([labelled[0]], [labelled[1]], out, TrainSettings())
    return out


def card_of(folder: Path) -> Any:
    return json.loads((folder / "card.json").read_text(encoding="utf-8"))


def test_a_syllable_is_three_signs_and_particles_share_them() -> None:
    assert features("한글을 3번 썼다") == "ㅎㅏㄴㄱㅡㄹㅇㅡㄹ 0ㅂㅓㄴ ㅆㅓㅆㄷㅏ_"
    assert features("Python은\n\n좋다") == f"pythonㅇㅡㄴ {LINE} {LINE} ㅈㅗㅎㄷㅏ_"
    assert features(" \n".replace("\n", " ")) == ""


@settings(deadline=None)
@given(st.text())
def test_no_text_gives_a_label_or_an_end_of_line(text: str) -> None:
    line = features(f"__label__good </s> {text} __label__bad\0</s>")
    assert not any(token.startswith("__label__") or token == "</s>" for token in line.split(" "))
    assert line.split() == line.split(" ") and len(line.splitlines()) == 1


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=30), st.integers(0, 300))
def test_a_long_text_is_seen_at_both_ends(text: str, times: int) -> None:
    whole = text * times
    (shown,) = seen(pa.array([whole], pa.large_string()))
    half = SEEN // 2
    assert shown == (whole if len(whole) <= SEEN else f"{whole[:half]} {whole[-half:]}")


def test_it_tells_good_from_spoiled_text_that_it_has_not_seen(trained: Path, labelled: tuple[Path, Path]) -> None:
    card = card_of(trained)
    auc = card["scores"]["auc"]
    assert auc["value"] > 0.9 and auc["low"] > 0.85
    assert card["scores"]["accuracy"]["value"] > 0.85
    parts = card["texts"]
    assert parts["good"]["held_out"] == card["scores"]["good"] > 50
    read = sum(parts[kind][part] for kind in ("good", "bad") for part in ("train", "held_out"))
    told = [one for kind in ("good", "bad") for one in card["inputs"][kind]]
    assert sum(one["texts"] for one in told) == read + parts["on_both_sides"] + parts["repeated"]
    assert sum(one["records"] for one in told) == sum(one["texts"] + one["empty"] for one in told)
    score = open_classifier(trained)
    fresh = ["이 조항은 납세자가 기한까지 신고하지 아니한 경우에 적용한다.", SPAM[0].format("울산", 5, 77)]
    good, bad = score(pa.array(fresh, pa.large_string()))
    assert good > 0.8 and bad < 0.2


def test_the_same_texts_in_another_order_give_the_same_bytes(
    trained: Path, labelled: tuple[Path, Path], tmp_path: Path
) -> None:
    good = labelled[0].read_text(encoding="utf-8").splitlines()
    bad = [json.loads(line)["text"] for line in labelled[1].read_text(encoding="utf-8").splitlines()]
    paths = write(tmp_path, good[::-1], bad[::-1])
    card = train([paths[0]], [paths[1]], tmp_path / "again", TrainSettings())
    assert (tmp_path / "again" / "model.bin").read_bytes() == (trained / "model.bin").read_bytes()
    assert card["scores"] == card_of(trained)["scores"]
    assert content_hash(tmp_path / "again") == content_hash(trained)
    same = train([labelled[0]], [labelled[1]], tmp_path / "same", TrainSettings())
    for name in ("card.json", "README.md", "model.bin"):
        assert (tmp_path / "same" / name).read_bytes() == (trained / name).read_bytes(), name
    other = train([labelled[0]], [labelled[1]], tmp_path / "other", TrainSettings(seed=2))
    assert other["model"] != same["model"]
    assert sorted(path.name for path in (tmp_path / "same").iterdir()) == ["README.md", "card.json", "model.bin"]


def test_personal_data_is_masked_before_it_is_learned_and_equal_texts_count_once(
    labelled: tuple[Path, Path], tmp_path: Path
) -> None:
    good = labelled[0].read_text(encoding="utf-8").splitlines()[:80]
    bad = bad_texts(good)
    named = [f"{text} 문의 hong.gildong@example.com 010-2345-6789" for text in good]
    paths = write(tmp_path, [*named, *named[:5], bad[0]], [*bad, "", "   "])
    card = train([paths[0]], [paths[1]], tmp_path / "out", TrainSettings(held_out=0.3))
    assert (card["texts"]["repeated"], card["texts"]["on_both_sides"]) == (5, 2)
    assert card["inputs"]["bad"][0]["empty"] == 2
    model = (tmp_path / "out" / "model.bin").read_bytes()
    assert b"hong.gildong" not in model and b"|phone|" in model
    assert str(tmp_path) not in (tmp_path / "out" / "card.json").read_text()


def test_a_part_is_held_out_by_the_texts_alone() -> None:
    keys = [f"{number:032x}" for number in range(2000)]
    held = [is_held_out(key, 1, 0.2) for key in keys]
    assert held == [is_held_out(key, 1, 0.2) for key in keys] and 300 < sum(held) < 500
    assert held != [is_held_out(key, 2, 0.2) for key in keys]


def collected(run: Path, texts: list[str]) -> Path:
    columns = {name: pa.nulls(len(texts), DOCUMENTS.field(name).type) for name in DOCUMENTS.names}
    columns["text"] = pa.array(texts, pa.large_string())
    context = JobContext(run, "0" * 32, 0)
    output = write_table(run / "documents" / "00000.parquet", pa.table(columns, schema=DOCUMENTS), DOCUMENTS, context)
    rows = [{"name": output.path, "rows": output.rows, "bytes": output.bytes, "fingerprint": output.fingerprint}]
    write_table(run / "shards" / "collect.parquet", pa.Table.from_pylist(rows, schema=SHARDS), SHARDS, context)
    return run


def test_measure_writes_the_score_and_a_rule_judges_it(trained: Path, tmp_path: Path, run_phases: Any) -> None:
    texts = [*good_texts(20), *bad_texts(good_texts(20)), "", "ㅋㅋ"]
    run = collected(tmp_path / "run", texts)
    common = Common("test", 0, datetime.date(2026, 11, 24), Target(), trained.parent)
    run_phases("measure", measure, run, MeasureSettings(), common)
    assert read_table(run / "signals" / "00000.parquet")["quality"].null_count == len(texts)
    run_phases("measure", measure, run, MeasureSettings(classifier=trained.name), common)
    signals = read_table(run / "signals" / "00000.parquet")
    quality = signals["quality"].to_pylist()
    assert quality[-2] is None and all(0 <= score <= 1 for score in quality[:-2] + quality[-1:])
    assert np.mean(quality[:20]) > 0.8 > 0.3 > np.mean(quality[20:40])
    documents = pa.table({"source": ["s"] * len(texts), "rights_id": ["r"] * len(texts)})
    nothing = {name: -1e9 if name.startswith("min_") else 1e9 for name in KNOWN}
    for limit, removed in ((0.0, 0), (0.5, sum(score is not None and score < 0.5 for score in quality[:-1]))):
        limits = {DEFAULT: nothing | {"min_quality": limit}}
        table, counts = judge(documents, signals, limits, {}, {"r": None}, DEFAULT)
        assert counts.get("removed/quality.score", {}).get("documents", 0) == removed
        assert table["keep"].to_pylist()[-2:] == [True, True]  # no score; too short to be judged by one


def test_another_model_is_another_measure(trained: Path, labelled: tuple[Path, Path], tmp_path: Path) -> None:
    run = collected(tmp_path / "run", good_texts(4))
    train([labelled[0]], [labelled[1]], tmp_path / "quality", TrainSettings(epochs=1))

    def arguments(base: Path, settings: MeasureSettings) -> dict[str, Any]:
        common = Common("test", 0, datetime.date(2026, 11, 24), Target(), base)
        (job,) = next(measure.phases(run, settings, common)).jobs
        assert str(base) not in json.dumps(dict(job.arguments))
        return dict(job.arguments)

    settings = MeasureSettings(classifier="quality")
    first, second = arguments(trained.parent, settings), arguments(tmp_path, settings)
    assert first["classifier"] != second["classifier"]
    assert "classifier" not in arguments(tmp_path, MeasureSettings())


def test_eval_and_the_command_say_the_same(trained: Path, labelled: tuple[Path, Path], tmp_path: Path) -> None:
    made = evaluate(trained, [labelled[0]], [labelled[1]])
    assert made["scores"]["auc"]["value"] > 0.95  # most of it was learned from
    runner = CliRunner()
    asked = ["--good", str(labelled[0]), "--bad", str(labelled[1])]
    shown = runner.invoke(app, ["corpus", "classifier", "eval", str(trained), *asked, "--json"])
    assert shown.exit_code == 0 and json.loads(shown.output) == made
    done = runner.invoke(app, ["corpus", "classifier", "train", *asked, "--out", str(tmp_path / "q"), "--epochs", "2"])
    assert done.exit_code == 0 and "AUC" in done.output and "| 0.5 |" in done.output
    page = (tmp_path / "q" / "README.md").read_text(encoding="utf-8")
    assert "| good | good.txt |" in page and "## Limits" in page and card_of(tmp_path / "q")["model"] in page


def test_bad_asks_are_told(trained: Path, labelled: tuple[Path, Path], tmp_path: Path) -> None:
    few = write(tmp_path / "few", ["좋은 글이다."], ["나쁜 글"])
    with pytest.raises(SourceError, match="too few good texts"):
        train([few[0]], [few[1]], tmp_path / "out", TrainSettings())
    with pytest.raises(SourceError, match="no such file"):
        train([tmp_path / "none"], [few[1]], tmp_path / "out", TrainSettings())
    with pytest.raises(SourceError, match="no format"):
        train([trained / "model.bin"], [few[1]], tmp_path / "out", TrainSettings())
    with pytest.raises(SourceError, match=r"no readable card\.json"):
        content_hash(tmp_path)
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "card.json").write_text(json.dumps(card_of(trained)))
    with pytest.raises(SourceError, match=r"no model\.bin"):
        content_hash(tmp_path / "q")
    (tmp_path / "q" / "model.bin").write_bytes(b"no model")
    with pytest.raises(SourceError, match="not a fastText model"):
        open_classifier(tmp_path / "q")
    (tmp_path / "q" / "card.json").write_text(json.dumps(card_of(trained) | {"features": 0}))
    with pytest.raises(SourceError, match="train it again"):
        content_hash(tmp_path / "q")


def test_unreadable_records_are_counted_and_the_rest_is_learned(labelled: tuple[Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(labelled[1].read_bytes() + b'{"text": 3}\n{"text": "cut\n')
    lines = ["카지노 가입쿠폰 삼만원 즉시지급".encode("cp949"), bytes((0x80, 0x81, 0, 1)) * 9]
    (folder / "b.txt").write_bytes(b"\n".join(lines))
    (folder / "notes.xyz").write_text("no format")
    card = train([labelled[0]], [folder], tmp_path / "out", TrainSettings(epochs=1))
    (told,) = card["inputs"]["bad"]
    assert told["files"] == 2 and told["unreadable"]["json.no_text"] == 1 and told["unreadable"]["json.broken"] == 1
    assert sum(told["unreadable"].values()) + told["texts"] + told["empty"] == told["records"]
    assert told["unreadable"].get("text.binary") == 1


def test_intervals_and_areas() -> None:
    assert wilson(0, 0)["value"] is None
    tenth = wilson(1, 10)
    assert (tenth["low"], tenth["high"]) == (0.017876, 0.40415)  # Wilson's, by hand
    assert area(np.array([0.9, 0.8]), np.array([0.1, 0.2]))["value"] == 1
    assert area(np.array([0.5, 0.5]), np.array([0.5]))["value"] == 0.5
    assert area(np.array([]), np.array([0.5]))["value"] is None
    chance = np.random.default_rng(0)
    good, bad = chance.normal(1, 1, 400), chance.normal(0, 1, 300)
    brute = np.mean(good[:, None] > bad[None, :])
    told = area(good, bad)
    assert abs(told["value"] - brute) < 1e-6 and told["low"] < 0.7602 < told["high"]  # Φ(1/√2)
    scores = scores_of(np.array([0.9, np.nan, 0.4]), np.array([0.1, 0.6]))
    assert (scores["good"], scores["bad"], scores["unscored"]) == (2, 2, 1)
    assert scores["accuracy"]["hits"] == 2
    half = next(row for row in scores["thresholds"] if row["min_quality"] == 0.5)
    assert (half["precision"]["hits"], half["precision"]["of"], half["removed_bad"]["hits"]) == (1, 2, 1)
