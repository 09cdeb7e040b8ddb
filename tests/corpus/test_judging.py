"""judge says of every line what collect, measure and decide would: same verdicts, same text, same order and count."""

from __future__ import annotations

import datetime
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corpus.collect
import corpus.decide
import corpus.measure
from corpus.collect import CollectSettings
from corpus.edits import apply_edits, one_array
from corpus.errors import UsageError
from corpus.judging import Judge, judge_lines, judge_of
from corpus.measure import MeasureSettings
from corpus.normalising import normalise
from corpus.rules import DecideSettings
from corpus.settings import Common, Target
from corpus.streams import read_lines
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings

ROOT = Path(__file__).resolve().parents[2]
LABELLED = ROOT.parent / "shared" / "data" / "filter_labels.jsonl"
SHOP = ROOT / "recipes" / "sample" / "shop-strings" / "strings.jsonl"
RULINGS = ROOT / "recipes" / "sample" / "tax-rulings" / "tribunal.jsonl.gz"
HARD = [  # made: what must be repaired, masked, cut, removed, refused
    {"id": "nfd", "text": "한글은 자모로 풀어져 있어도 한 글이다. 다시 모아 쓴다."},
    {"id": 5, "text": "이 문장은 옛날 서버에서 왔습니다.".encode().decode("latin-1")},
    {"id": 2.5, "text": "문의는 010-1234-5678 로, 사업자등록번호: 123-45-67891 로 해 주세요. 고맙습니다."},
    {"id": None, "text": "오늘 날씨가 참 좋았습니다.\n로그인\n회원가입\n고객센터\n내일도 맑겠습니다."},
    {"id": "short", "text": "네"},
    {"id": "empty", "text": " \u200b "},
    {"id": "laugh", "text": "ㅋㅋㅋㅋㅋㅋㅋ 진짜 재미있는 영화였습니다 또 보고 싶어요"},
]


def judged(path: Path, judge: Judge | None = None) -> list[dict[str, Any]]:
    lines = read_lines(path, 0, None, 1, 64 << 20)
    return [json.loads(line) for line in judge_lines(lines, judge or Judge(), 64 << 20, Counter())]


def by_pipeline(folder: Path, name: str, run_phases: Any) -> list[dict[str, Any]]:
    """What the three stages make of one file, in its order: offset, keep, rule, value, limit, edited text."""
    source = SourceSettings(path="data", include=(name,))
    common = Common("t", 0, datetime.date(2026, 11, 24), Target(), folder)
    run = folder / f"run-{name}"
    run_phases("collect", corpus.collect, run, CollectSettings(sources=(source,)), common)
    run_phases("measure", corpus.measure, run, MeasureSettings(), common)
    run_phases("decide", corpus.decide, run, DecideSettings(), common)
    documents = pq.read_table(run / "documents" / "00000.parquet")
    edits = pq.read_table(run / "edits" / "00000.parquet")
    texts = apply_edits(one_array(documents["text"]), one_array(edits["edits"])).to_pylist()
    verdicts = pq.read_table(run / "verdicts" / "00000.parquet").to_pylist()
    offsets = documents["offset"].to_pylist()
    return [
        {"offset": offset, "text": text, **{key: one[key] for key in ("keep", "rule", "value", "limit")}}
        for offset, text, one in zip(offsets, texts, verdicts, strict=True)
    ]


@pytest.mark.parametrize("original", [SHOP, RULINGS, LABELLED, "hard.jsonl"], ids=str)
def test_the_verdicts_are_those_of_the_pipeline(tmp_path: Path, original: Path | str, run_phases: Any) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "submission.yaml").write_text(EXAMPLE, encoding="utf-8")
    if isinstance(original, str):
        file = data / original
        file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in HARD), encoding="utf-8")
    elif original.exists():
        file = data / original.name
        file.write_bytes(original.read_bytes())
    else:
        pytest.skip(f"{original} is not here: the labelled paragraphs cannot be compared")
    found = judged(file)
    lines = list(read_lines(file, 0, None, 1, 64 << 20))
    assert len(found) == len(lines)
    expected = {row["offset"]: row for row in by_pipeline(tmp_path, file.name, run_phases)}
    assert expected
    for line, one in zip(lines, found, strict=True):
        if line.offset not in expected:
            assert (one["verdict"], one["rule"]) == ("remove", "text.empty")
            continue
        wanted = expected.pop(line.offset)
        assert one["verdict"] == ("keep" if wanted["keep"] else "remove")
        assert {key: one[key] for key in ("rule", "value", "limit", "text")} == {
            key: wanted[key] for key in ("rule", "value", "limit", "text")
        }
    assert not expected


def test_ids_come_back_as_they_were_given_and_spans_point_into_the_text(tmp_path: Path) -> None:
    file = tmp_path / "hard.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in HARD), encoding="utf-8")
    found = judged(file)
    assert [one["id"] for one in found] == [row["id"] for row in HARD]
    assert found[0]["text"].startswith("한글은 자모로")
    assert found[1]["text"] == "이 문장은 옛날 서버에서 왔습니다."
    before = normalise(str(HARD[2]["text"])).text
    spans = {one["type"]: before[one["start"] : one["end"]] for one in found[2]["pii"]}
    assert spans == {"phone": "010-1234-5678", "brn": "123-45-67891"}
    assert "<|phone|>" in found[2]["text"]
    assert "123-45-67891" in found[2]["text"]  # a firm's number is public: reported, not masked
    assert "회원가입" not in found[3]["text"]
    assert found[6]["text"].startswith("ㅋㅋㅋ 진짜")


def test_every_line_has_its_line_even_one_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl.gz"
    lines = ['{"id": "a", "text": "첫 번째 문장은 멀쩡하게 잘 쓰여 있습니다."}', "", "{", "[1]", '{"id": 9, "text": 3}']
    lines += [json.dumps({"id": "long", "text": "가" * 2000}), '{"id": true, "text": ""}']
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    tally: Counter[tuple[str, str]] = Counter()
    rows = [json.loads(one) for one in judge_lines(read_lines(file, 0, None, 1, 1000), Judge(), 1000, tally)]
    assert [(one["id"], one["verdict"], one["rule"]) for one in rows] == [
        ("a", "keep", None),
        (None, "quarantine", "line.blank"),
        (None, "quarantine", "json.broken"),
        (None, "quarantine", "json.not_object"),
        (9, "quarantine", "json.no_text"),
        (None, "quarantine", "record.too_long"),
        (None, "remove", "text.empty"),
    ]
    assert all(one["text"] is None and one["pii"] == [] for one in rows if one["verdict"] == "quarantine")
    assert sum(tally.values()) == 7
    assert set(rows[0]) == {"id", "verdict", "rule", "value", "limit", "register", "text", "pii"}


def test_passthrough_normalises_and_masks_but_removes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "en.jsonl"
    file.write_text('{"text": "Call\\u00a0010-1234-5678 now."}\n{"text": "No"}\n', encoding="utf-8")
    assert [one["verdict"] for one in judged(file)] == ["remove", "remove"]
    through = judged(file, judge_of("passthrough"))
    assert [(one["verdict"], one["text"]) for one in through] == [("keep", "Call <|phone|> now."), ("keep", "No")]


def test_batches_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = judged(SHOP)
    monkeypatch.setattr("corpus.judging.BATCH_ROWS", 7)
    assert judged(SHOP) == whole


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=60).map(lambda one: one.replace(b"\n", b" ")), max_size=20))
def test_any_bytes_get_as_many_lines_as_they_have(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    file = tmp_path_factory.mktemp("any") / "in.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    found = judged(file)
    assert len(found) == len(lines)
    assert {one["verdict"] for one in found} <= {"keep", "remove", "quarantine"}


def test_the_register_is_told_and_fineweb2_judges_by_its_own_limits(tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    file.write_text(
        json.dumps({"id": 1, "text": "진짜 재미있는 영화였어요 또 보고 싶네요 ㅋㅋㅋ"}) + "\n", encoding="utf-8"
    )
    ours, theirs = judged(file), judged(file, judge_of("fineweb2-kor"))
    assert (ours[0]["verdict"], ours[0]["register"]) == ("keep", "chat")
    assert (theirs[0]["verdict"], theirs[0]["register"]) == ("remove", "chat"), "fewer than fifty words"
    assert theirs[0]["limit"] is not None and theirs[0]["text"] == ours[0]["text"]
    with pytest.raises(UsageError, match="no profile 'chatt'"):
        judge_of("chatt")
