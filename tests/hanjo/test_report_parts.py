"""The report's small parts: honest figures, charts inside their frame, excerpts that hide what they must."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corpus.boilerplate import LINE_RULES
from corpus.documents import SHARDS
from corpus.shards import JobContext, write_table
from hanjo.report.charts import WIDTH, Series, histogram, line_chart, log_place, powers, share_bar, ticks
from hanjo.report.cut_lines import CLOSED, shown_of_cut
from hanjo.report.excerpts import Piece, around, compared, edited, head, plain
from hanjo.report.facts import Facts, read_costs, read_curve
from hanjo.report.figures import number, percent, seconds, short, size, trim
from hanjo.report.rows import chosen_shards
from hanjo.report.signals import bins
from hanjo.report.training import read_scores, spent
from hanjo.report.veil import veil, veiled

FINITE = st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 6))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (percent(125, 10**12), "0.000000012 %"),
        (percent(0, 10), "0 %"),
        (percent(1, 3), "33.3 %"),
        (percent(1, 0), "–"),
        (short(999_999_999_875), "1 T"),
        (short(1_234_567), "1.23 M"),
        (size(1500), "1.50 kB"),
        (size(None), "–"),
        (seconds(185), "3 min 05 s"),
        (seconds(7800), "2 h 10 min"),
        (number(2.1), "2.100"),
        (number(0.0), "0"),
        (number(-0.7262), "−0.7262"),
        (trim(0.2), "0.2"),
        (trim(15.0), "15"),
    ],
)
def test_figures_read_as_a_person_writes_them(told: str, expected: str) -> None:
    assert told.replace("\N{NO-BREAK SPACE}", " ") == expected


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_share_is_never_rounded_to_nothing(part: int, whole: int) -> None:
    told, share = float(percent(part, whole).removesuffix("\N{NO-BREAK SPACE}%")), 100 * part / whole
    assert told > 0
    assert told == pytest.approx(share, rel=0, abs=0.051 if share >= 0.1 else 0.06 * share)


@given(FINITE, FINITE)
def test_ticks_are_few_rising_and_inside(low: float, high: float) -> None:
    low, high = min(low, high), max(low, high)
    if high - low < 1e-3:
        return
    found = ticks(low, high)
    assert 1 <= len(found) <= 12
    assert all(b > a for a, b in pairwise(found))
    room = 1e-6 * (high - low) + 1e-9
    assert low - room <= found[0] and found[-1] <= high + room


def test_powers_are_thinned() -> None:
    assert powers(1, 1e12) == [1, 1e2, 1e4, 1e6, 1e8, 1e10, 1e12]
    assert powers(0.5, 200) == [1, 10, 100]


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=50))
def test_a_line_stays_inside_its_frame(points: list[tuple[float, float]]) -> None:
    drawn = str(line_chart("a title", [Series("one", points)], "x", "y"))
    places = re.search(r'points="([^"]*)"', drawn)
    assert places and 'aria-label="a title"' in drawn
    for place in places[1].split():
        x, y = (float(part) for part in place.split(","))
        assert 0 <= x <= WIDTH and 0 <= y <= 260


def test_bars_of_a_histogram_add_up_and_limits_outside_are_left_out() -> None:
    drawn = str(
        histogram("h", [0, 1, 2], [("kept", "accent", [3, 0]), ("removed", "muted", [1, 2])], [(9, "max 9")], "u")
    )
    assert drawn.count('class="bar accent"') == 1 and drawn.count('class="bar muted"') == 2
    assert "max 9" not in drawn


def test_charts_escape_their_words_and_take_nothing() -> None:
    assert "<b>" not in str(share_bar([("<b>", "accent", 1.0)], 2))
    assert line_chart("t", [Series("none", [])], "x", "y") == ""
    assert "none" in str(log_place(0, 1e12, "source"))


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=200), st.lists(st.floats(0, 1e6), max_size=2))
@example([0.0], [5e-324])
@example([5e-324, 1e-310], [])
@example([1e9, 1e9 + 2e-7], [])
@example([1e15], [1e15 + 0.125])
def test_every_value_has_a_bin_once_clipped(values: list[float], limits: list[float]) -> None:
    array = np.array(values)
    edges, _ = bins(array, limits)
    assert (np.diff(edges) > 0).all()
    assert np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0].sum() == len(values)


@pytest.mark.parametrize(
    "secret",
    [
        "010-1234-5678",
        "01012345678",
        "+82 10 1234 5678",
        "(02) 345-6789",
        "900101-1234568",
        "900101 1234568",
        "1234–5678–1234–5678",
        "M12345678",
        "M123A4567",
        "010~1234~5678",
        "010/1234/5678",
        "mandeok(at)naver.com",
        "mandeok [at] naver [dot] com",
        "mandeok 골뱅이 naver.com",
        "mandeok골뱅이네이버.컴",
        "서울특별시 강남구 테헤란로 12, 101동 502호",
        "주소 : 서울특별시 강남구 역삼동 123-45, 101동 502호",
        "12가 3456",
        "man.deok@example.co.kr",
        "고만덕 기자",
        *(f"고만덕 {title}기자" for title in ("인턴", "수습", "선임", "전문", "객원", "시민 ")),
        "고만덕·성만덕 사회부 기자",
        "대표이사: 고만덕",
        "대표이사 고만덕",
        "고만덕 대표이사",
        "대표자명: 고만덕",
        "대표자 : 고만덕",
    ],
)
def test_the_veil_hides_identifiers_in_any_spelling(secret: str) -> None:
    shown = veil(f"그는 {secret}라고 적었다.")
    assert not re.search(r"\d{3}", shown)
    assert not [part for part in ("만덕", "deok", "naver", "네이버", "강남", "502") if part in shown]
    assert shown.startswith("그는 ")
    assert shown.endswith(" 적었다.") or ("주소" in secret and "테헤란" not in shown)  # to the end of the line


@pytest.mark.parametrize(
    "text",
    [
        "2024년에 100,000원짜리 3.14판을 15명이 샀다.",
        "앞으로 3년, 제주도 한라로 간다.",
        "See it at page 3. The end.",
        "It does not change Korean text at all. The next line does.",
        "We met at 3 p.m. on Monday, at U.S. bases; it rose at 3.5 percent. Look at the dot on the map.",
        "Korea 골뱅이 무침과 음식점 가격. 다음 주에 간다.",
        "a list • of • points, ○○○",
    ],
)
def test_the_veil_leaves_prices_years_and_prose(text: str) -> None:
    assert veil(text) == text
    assert [hidden for _, hidden in veiled(text)] == [False]


WORDS = [
    "at",
    "the",
    "dot",
    "of",
    "all",
    "text",
    "Korean",
    "look",
    "page",
    "a",
    "in",
    "or",
    "go",
    "골뱅이",
    "무침",
    "음식점",
    "점",
    "가격은",
    "p.m.",
    "U.S.",
    "e.g.",
    "(at)",
    "[dot]",
]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from([" ", ". ", ", ", "? ", "\n"])), max_size=40))
def test_the_veil_leaves_sentences_without_a_domain(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + end for word, end in parts)
    assert veil(text) == text


NAMED = st.from_regex(r"[a-z][a-z0-9]{2,9}", fullmatch=True).filter(lambda name: name not in ("dot", "com"))
BRACKETED = ("(at)", " [at] ", " (골뱅이) ", "골뱅이", " 골뱅이 ", "@", " @ ")
DOTS = (".", "(dot)", " [dot] ", " dot ", " 닷 ", "점", ". ")


@given(
    st.from_regex(r"qz[a-z0-9._]{0,9}qz", fullmatch=True),
    st.sampled_from([*BRACKETED, " at "]),
    NAMED,
    st.sampled_from(DOTS),
    st.sampled_from(["com", "net", "org", "co.kr", "ac.kr", "kr"]),
    st.sampled_from(["", " 로 보내라", "로 보내라", ". The end", ", please"]),
)
def test_the_veil_hides_every_address_that_has_a_domain(
    local: str, at: str, name: str, dot: str, last: str, behind: str
) -> None:
    shown = veil(f"문의: {local}{at}{name}{dot}{last}{behind}")
    assert "qz" not in shown and f"{name}{dot}" not in shown
    assert shown.startswith("문의: •••@•••") and shown.endswith(behind)


@given(st.text("홍길동 기자at@.com(0123)•○\n", max_size=80))
def test_blots_are_told_from_text_and_nothing_else_changes(text: str) -> None:
    parts = list(veiled(text))
    assert "".join(part for part, _ in parts) == veil(text)
    rest = text
    for part, hidden in parts:  # what is no blot stands in the text, in order
        if not hidden:
            assert part in rest
            rest = rest[rest.index(part) + len(part) :]


def test_what_only_the_veil_hides_is_no_mask() -> None:
    text = "문의 010-1234-5678 또는 02-345-6789"
    start = text.index("010")
    edit = {"start": len(text[:start].encode()), "rule": "pii.phone", "replacement": "<|phone|>"}
    edit["end"] = edit["start"] + len("010-1234-5678")
    kinds = [(piece.kind, piece.text) for piece in edited(text.encode(), [edit])]
    assert kinds == [("text", "문의 "), ("mask", "<|phone|>"), ("text", " 또는 "), ("blot", "••-•••-••••")]


@pytest.mark.parametrize(
    ("rule", "line", "shown"),
    [
        ("byline", "홍길동 기자 gildong@example.kr", "○○○ 기자 ○○○"),
        ("byline", "홍길동 선임기자 gildong@example.kr", "○○○기자 ○○○"),
        ("byline", "(서울=뉴스) 유시민 기자 =", "(○○○=○○○) ○○○ 기자 ="),
        ("footer", "대표자명: 성춘향 / 사업자등록번호: 123-45-67890", "대표자명: ○○○ / 사업자등록번호: ○○○"),
        ("footer", "전화: 02/123/4567 | 주소 : 서울 강남구, 101동 502호", "전화: ○○○ | 주소 : ○○○"),
        ("reprint", "<저작권자 ⓒ 홍길동, 무단전재 및 재배포 금지>", "<○○○ ⓒ ○○○, 무단전재 및 재배포 금지>"),
        ("reprint", "무단 전재 및 재배포 금지", "무단 전재 및 재배포 금지"),
        ("copyright", "Copyright (c) 2024 홍길동 All rights reserved.", "Copyright (c) ○○○ All rights reserved."),
        ("tip", "▶ 네이버에서 홍길동 구독하기", "▶ 네이버에서 ○○○ 구독하기"),
        ("cookie", "이 사이트는 쿠키를 사용합니다", "이 사이트는 쿠키를 사용합니다"),
        ("login", "로그인 후 이용하실 수 있습니다.", "로그인 후 이용하실 수 있습니다."),
        ("help_site", "Help content debug info:", "Help content debug info:"),
        ("help_site", "Title is: 홍길동", "Title is: ○○○"),
        ("help_head", "LibreOffice 7.4 Help", "○○○ Help"),
        ("menu_bar", "홈 | 로그인 | 회원가입", "홈 | 로그인 | 회원가입"),
        ("menu_list", "홍길동", "○○○"),
        ("of_another_version", "기자 홍길동 Ⓐ①㎏ x@y.kr", "○○○"),
    ],
)
def test_of_a_cut_line_only_the_rules_own_words_are_shown(rule: str, line: str, shown: str) -> None:
    text, rule = f"{line}\n".encode(), f"boilerplate.{rule}"
    edit = {"start": 0, "end": len(text), "rule": rule, "replacement": ""}
    assert [piece.text for piece in edited(text, [edit])] == [shown]


@given(st.sampled_from([rule.id for rule in LINE_RULES]), st.data())
def test_no_word_of_a_persons_is_left_in_a_cut_line(rule: str, data: st.DataObject) -> None:
    needles = [needle for one in LINE_RULES if one.id == rule for needle in one.needles]
    alien = st.text("갹뷁①Ⓐ洪Ⅷ٣", min_size=1)  # in no rule's words
    part = alien | st.sampled_from([*needles, "기자", "주소:", "무단전재", " ", "@", "\n", "/"])
    shown = shown_of_cut("".join(data.draw(st.lists(part))), rule)
    assert not set(shown) & set("갹뷁①Ⓐ洪Ⅷ٣")


def test_rules_whose_lines_are_shown_whole_exist() -> None:
    assert {rule.id for rule in LINE_RULES} >= CLOSED


@st.composite
def edited_texts(draw: st.DrawFn) -> tuple[str, list[dict]]:
    parts = draw(st.lists(st.tuples(st.text("가나다 a\n", max_size=8), st.booleans(), st.sampled_from(["", "<|x|>"]))))
    text, edits = "", []
    for part, changed, replacement in parts:
        if changed and part:
            start = len(text.encode())
            edits.append({"start": start, "end": start + len(part.encode()), "rule": "r", "replacement": replacement})
        text += part
    return text, edits


@given(edited_texts())
def test_pieces_are_the_edited_text(case: tuple[str, list[dict]]) -> None:
    text, edits = case
    data = text.encode()
    expected, at = b"", 0
    for edit in edits:
        expected += data[at : edit["start"]] + edit["replacement"].encode()
        at = edit["end"]
    assert plain(edited(data, edits)) == (expected + data[at:]).decode()


@given(edited_texts(), st.data())
def test_no_window_shows_a_part_of_a_masked_span(case: tuple[str, list[dict]], data: st.DataObject) -> None:
    text = case[0].replace("가", "비").encode()
    edits = [edit | {"replacement": "<|x|>"} for edit in case[1]]
    for edit in edits:  # the masked spans alone hold this letter
        text = text[: edit["start"]] + b"Q" * (edit["end"] - edit["start"]) + text[edit["end"] :]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert "Q" not in "".join(piece.text for piece in edited(text, edits, start, end))


def test_head_shortens_and_marks_cuts_and_around_keeps_the_middle() -> None:
    pieces = [Piece("text", "가" * 30), Piece("cut", "메뉴", "boilerplate.menu", 90), Piece("text", "나" * 300)]
    shown = head(pieces, 100)
    assert [piece.kind for piece in shown] == ["text", "cut", "text"]
    assert shown[1].text == "" and shown[2].text == "나" * 70 + " …"
    middle = [Piece("text", "가" * 90), Piece("mask", "<|phone|>", "pii.phone", 270), Piece("text", "나" * 90)]
    assert plain(around(middle, 1, 10)) == "…" + "가" * 10 + "<|phone|>" + "나" * 10 + "…"


def test_differences_of_near_copies_are_marked_on_both_sides() -> None:
    left, right = compared([Piece("text", "하나 둘 셋 넷")], [Piece("text", "하나 두울 셋 넷 다섯")])
    assert [piece.text for piece in left if piece.kind == "differs"] == ["둘"]
    assert [piece.text for piece in right if piece.kind == "differs"] == ["두울", "다섯"]


def test_masks_and_blots_stay_what_they_are_in_a_comparison() -> None:
    left = [
        Piece("text", "문의는 "),
        Piece("mask", "<|phone|>", "pii.phone", 9),
        Piece("text", "로 "),
        Piece("cut", ""),
    ]
    left.append(Piece("blot", "•••@•••"))
    shown, other = compared(left, [Piece("text", "문의는 전화로")])
    told = [(piece.kind, piece.text.strip()) for piece in shown if piece.text.strip()]
    assert told == [("text", "문의는"), ("mask", "<|phone|>"), ("differs", "로"), ("blot", "•••@•••")]
    assert [piece.text for piece in other if piece.kind == "differs"] == ["전화로"]


def test_a_long_curve_is_bounded_and_keeps_its_mean(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with path.open("w") as handle:
        handle.writelines(json.dumps({"step": s, "loss": s % 7}) + "\n" for s in range(10_000))
    curve = read_curve(path, ("step", "loss"))
    points = curve.points("step", "loss")
    assert len(points) < 1300 and curve.read == 10_000 and curve.width == 16
    assert np.mean([y for _, y in points]) == pytest.approx(3, abs=0.01)


def test_a_job_timed_again_replaces_its_earlier_time_and_old_plans_are_forgotten(tmp_path: Path) -> None:
    job = {"stage": "measure", "event": "job", "phase": "map", "peak_memory_bytes": 5}
    end = {"stage": "measure", "event": "stage", "seconds": 2, "workers": 1, "skipped": 0}
    lines = [job | {"job": name, "seconds": s} for name, s in (("a", 9), ("b", 9), ("old", 9), ("a", 1), ("b", 2))]
    text = "\n".join(map(json.dumps, [*lines, end | {"jobs": 2}]))
    (tmp_path / "timings.jsonl").write_text(text + "\n")
    cost = read_costs(tmp_path)["measure"]
    assert (cost.busy, cost.wall, cost.peak) == (3, 2, 5)


def test_steps_of_an_earlier_training_are_forgotten(tmp_path: Path) -> None:
    def trained(steps: range, seconds: float) -> list[dict[str, object]]:
        return [{"stage": "pretrain", "event": "step", "step": step, "seconds": seconds} for step in steps]

    lines = [*trained(range(100), 9), *trained(range(10), 1), *trained(range(6, 20), 2)]  # anew, then from step 6 on
    (tmp_path / "timings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    costs = read_costs(tmp_path)
    assert costs["pretrain"].steps == dict.fromkeys(range(6), 1.0) | dict.fromkeys(range(6, 20), 2.0)
    counts = {"trained": {"steps": 10, "tokens": 1400}}  # of the manifest: a longer training came before
    manifest = {"stages": {"pretrain": {"counts": counts}}}
    (row,) = spent(Facts(tmp_path, "demo", manifest, {}, ("pretrain",)), costs)
    assert list(row.cost.steps) == list(range(10)) and row.tokens == pytest.approx(1400 / (6 * 1 + 4 * 2))


def test_however_many_shards_there_are_the_same_few_are_looked_at(tmp_path: Path) -> None:
    rows = [{"name": f"documents/{i:05d}.parquet", "rows": i % 3, "bytes": 1, "fingerprint": "f"} for i in range(3000)]
    table = pa.Table.from_pylist(rows, schema=SHARDS)
    write_table(tmp_path / "shards" / "collect.parquet", table, SHARDS, JobContext(tmp_path, "f", 0))
    chosen, of = chosen_shards(tmp_path, 7)
    assert (len(chosen), of) == (6, 2000)  # empty ones do not count
    assert [one.name for one in chosen_shards(tmp_path, 7)[0]] == [one.name for one in chosen]
    assert [one.name for one in chosen_shards(tmp_path, 8)[0]] != [one.name for one in chosen]
    rows = chosen[0].some(np.arange(10**6), 5, "salt")
    assert len(rows) == 5 and rows == sorted(rows) and rows == chosen[0].some(np.arange(10**6), 5, "salt")


def cloze(n: int, low: float, verdict: str) -> dict[str, object]:
    same = {"suite": "korean_cloze", "metric": "acc", "unit": "share", "higher_is_better": True, "n": n}
    score = same | {"model": "trained", "value": 0.4, "low": low, "high": 0.6, "chance": 0.25}
    difference = same | {"of": "trained", "against": "untrained", "value": 0.1, "low": -0.1, "high": 0.3}
    return {"scores": [score], "differences": [difference | {"verdict": verdict}]}


def test_what_needs_a_word_of_caution_in_scores_is_told() -> None:
    (group,) = read_scores(cloze(200, 0.3, "undecided"))
    assert group.above_chance_undecided and not group.few
    (group,) = read_scores(cloze(19, 0.2, "undecided"))
    assert not group.above_chance_undecided and group.few
    (group,) = read_scores(cloze(20, 0.3, "better"))
    assert not group.above_chance_undecided and not group.few
