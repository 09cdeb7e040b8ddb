"""Boilerplate: whole lines of pages go, sentences that mention the same things stay, and a budget holds."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from corpus.boilerplate import LINE_RULES, find_boilerplate
from corpus.edits import apply_edits, edits_array, text_buffers

HERE = Path(__file__).parent
FILLED = (
    {"n": "홍길동", "o": "성춘향", "p": "한국신문", "c": "서울", "y": "2024", "m": "gildong@example.kr"},
    {"n": "김민지", "o": "박서준", "p": "연합뉴스", "c": "부산", "y": "2019", "m": "min.ji_01@news.example.co.kr"},
    {"n": "이도윤", "o": "최하늘", "p": "데일리한국", "c": "광주", "y": "2025", "m": "abc123@example.com"},
)
PROSE = "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이다. " * 4


def cut(text: str, budget: float = 0.5) -> tuple[str, list[str]]:
    texts = pa.array([text], pa.large_string())
    found = find_boilerplate(*text_buffers(texts), budget)
    rules = [edit.rule for edit in found.edits.get(0, [])]
    return apply_edits(texts, edits_array(found.edits, 1))[0].as_py(), rules


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("무단전재 및 재배포 금지", "reprint"),
        ("<저작권자 ⓒ 한국신문, 무단 전재-재배포 금지>", "reprint"),
        ("본 기사의 무단전재 및 재배포를 금지합니다.", "reprint"),
        ("ⓒ 한국일보", "copyright"),
        ("Copyright © 2024 Hankuk Media. All rights reserved.", "copyright"),
        ("홍길동 기자 gildong@example.kr", "byline"),
        ("[서울=한국뉴스] 김철수 기자 =", "byline"),
        ("김영희 기자", "byline"),
        ("▶ 네이버에서 한국신문 구독하기", "tip"),
        ("페이스북 공유하기 트위터 공유하기 카카오톡 공유하기", "share"),
        ("공유하기", "share"),
        ("홈 | 로그인 | 회원가입 | 사이트맵", "menu_bar"),
        ("회사소개 | 이용약관 | 개인정보처리방침 | 청소년보호정책", "menu_bar"),
        ("대표이사: 홍길동 | 사업자등록번호: 123-45-67891 | 주소: 서울시 종로구 1", "footer"),
        ("[관련기사]", "related"),
        ("이 시각 주요 뉴스", "related"),
        ("이 웹사이트는 더 나은 경험을 위해 쿠키를 사용합니다.", "cookie"),
        ("로그인 후 이용하실 수 있습니다.", "login"),
        ("Help content debug info:", "help_site"),
        ("This page is: /text/swriter/01/05040500.xhp", "help_site"),
        ("Title is: 맞춤선 표시", "help_site"),
    ],
)
def test_a_line_of_boilerplate_is_cut_with_its_newline(line: str, rule: str) -> None:
    text, rules = cut(f"{PROSE}\n{line}\n{PROSE}")
    assert rules == [f"boilerplate.{rule}"]
    assert text == f"{PROSE}\n{PROSE}"


@pytest.mark.parametrize(
    "line",
    [
        "회사 주소: 서울. 이 회사는 1990년에 설립되었다.",
        "그는 ⓒ 기호를 설명했다.",
        "이 법은 무단 전재를 금지하는 조항을 새로 두었다.",
        "홍길동 기자는 그날 현장에 있었다.",
        "신문 기자",
        "로그인 화면에서 비밀번호를 입력합니다.",
        "회원가입과 로그인, 장바구니 기능을 만들어 보겠습니다.",
        "쿠키를 구울 때는 오븐을 먼저 데운다.",
        "(c) 정부가 발행하는 관보 및 신문",
        "- 네이버 블로그 바로가기 만드는 법을 알아보자.",
        "대표이사: 홍길동은 사업자등록번호: 표기를 바꾸자고 말했다.",
        "이전 글에서 다룬 내용을 다음 글에서 이어 간다.",
        "LibreOffice 7.4 Help",  # not the first line
    ],
)
def test_a_sentence_that_mentions_such_things_stays(line: str) -> None:
    assert cut(f"{PROSE}\n{line}\n{PROSE}") == (f"{PROSE}\n{line}\n{PROSE}", [])


def forms() -> list[tuple[str, list[str]]]:
    """Rule (its last part) → forms of its lines, from boilerplate_lines.txt, each filled in with three people."""
    parts = re.split(r"(?m)^=== (\w+) ===\n", (HERE / "boilerplate_lines.txt").read_text(encoding="utf-8"))[1:]
    return [
        (kind, list(dict.fromkeys(line.format(**told) for line in body.splitlines() for told in FILLED)))
        for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def missed(lines: list[str], around: str = "{}") -> list[str]:
    """Those of the lines that are not cut, each in a document of its own, or more of it than the line is."""
    wrapped = [f"{PROSE}\n{around.format(line)}\n{PROSE}" for line in lines]
    found = find_boilerplate(*text_buffers(texts := pa.array(wrapped, pa.large_string())), 0.9)
    edited = apply_edits(texts, edits_array(found.edits, len(lines))).to_pylist()
    return [line for line, text in zip(lines, edited, strict=True) if text != f"{PROSE}\n{PROSE}"]


@pytest.mark.parametrize(("kind", "lines"), [one for one in forms() if one[0] != "menu_list"])
def test_every_form_of_a_boilerplate_line_is_cut(kind: str, lines: list[str]) -> None:
    assert len(lines) >= 40
    assert missed(lines) == []


def test_words_that_could_be_headings_are_cut_among_menu_words_and_stay_alone() -> None:
    words = dict(forms())["menu_list"]
    assert missed(words, "로그인\n{}\n회원가입") == []
    assert missed(words) == words


def test_lists_of_common_words_are_no_menu() -> None:
    for lines in (
        "인쇄\n삭제\n수정",
        "페이스북\n트위터\n카카오톡",
        "처음\n다음\n마지막",
        "아이디\n비밀번호\n비밀번호 확인",
    ):
        assert cut(f"{PROSE}\n{lines}\n{PROSE}")[1] == []


def test_no_sentence_or_heading_that_mentions_such_things_is_cut() -> None:
    lines = (HERE / "prose_lines.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 150
    texts = pa.array([f"{PROSE}\n{line}\n{PROSE}" for line in lines], pa.large_string())
    edits = find_boilerplate(*text_buffers(texts), 1.0).edits
    assert {lines[row]: [edit.rule for edit in found] for row, found in edits.items()} == {}


LONG = "정부가 내년 예산안을 발표했다고 밝혔다. 이번 예산안은 지난해보다 늘었다. " * 8


@pytest.mark.parametrize("rest", ["정부가 내년 예산안을 발표했다.", LONG.strip()])
@pytest.mark.parametrize(
    "lead",
    [
        "(서울=연합뉴스) 홍길동 기자 = ",
        "(서울=연합뉴스) 홍길동 성춘향 기자 = ",
        "(세종=뉴스1) 김철수 기자 = ",
        "【서울=뉴시스】홍길동 기자 = ",
        "【서울=뉴시스】",
        "[서울=뉴시스] 홍길동 기자 = ",
        "[서울=뉴시스]홍길동 기자 = ",
        "[서울=한국뉴스] ",
        "[머니투데이 세종=홍길동 기자] ",
        "[헤럴드경제=홍길동 기자] ",
        "[헤럴드경제(부산)=홍길동 기자] ",
        "[이데일리 홍길동 기자] ",
        "[스포츠서울 | 홍길동 기자] ",
        "[한국경제TV 홍길동 기자]",
        "[아시아경제 홍길동 기자] ",
        "[디지털데일리 홍길동기자] ",
        "[OSEN=홍길동 기자] ",
        "[더팩트ㅣ국회=홍길동 기자] ",
        "(부산=한국신문) 홍길동 특파원 = ",
        "홍길동 기자 = ",
        "워싱턴=홍길동 특파원 = ",
    ],
)
def test_a_byline_before_a_sentence_is_cut_and_the_sentence_stays(lead: str, rest: str) -> None:
    assert cut(f"{PROSE}\n{lead}{rest}\n{PROSE}") == (f"{PROSE}\n{rest}\n{PROSE}", ["boilerplate.lead"])


@pytest.mark.parametrize("rest", ["정부가 내년 예산안을 발표했다.", LONG.strip()])
@pytest.mark.parametrize(
    "tail",
    [
        " 홍길동 기자 gildong@example.kr",
        " 홍길동 기자(gildong@example.kr)",
        " 홍길동기자 gildong@example.kr",
        " /홍길동 기자 gildong@example.kr",
        " 부산=홍길동 기자 gildong@example.kr",
        "[홍길동 기자 gildong@example.kr]",
        " [한국신문 홍길동 기자 gildong@example.kr]",
        " <저작권자 ⓒ 한국신문, 무단 전재 및 재배포 금지>",
        "[ⓒ 한국신문, 무단전재 및 재배포 금지]",
        " (사진=연합뉴스)",
        " [사진=게티이미지뱅크]",
        " [사진 제공=한국관광공사]",
        " /사진=홍길동 기자",
        " [연합뉴스 자료사진]",
        " [연합뉴스TV 제공]",
    ],
)
def test_a_byline_or_credit_behind_a_sentence_is_cut_and_the_sentence_stays(tail: str, rest: str) -> None:
    assert cut(f"{PROSE}\n{rest}{tail}\n{PROSE}") == (f"{PROSE}\n{rest}\n{PROSE}", ["boilerplate.tail"])


def test_both_ends_of_a_line_may_go() -> None:
    for rest in ("정부가 예산안을 발표했다.", LONG.strip()):
        assert cut(f"(서울=연합뉴스) 홍길동 기자 = {rest} gildong@example.kr")[0].startswith("정부가")
        text, rules = cut(f"(서울=연합뉴스) 홍길동 기자 = {rest} 성춘향 기자 chun@example.kr\n{PROSE}")
        assert (text, rules) == (f"{rest}\n{PROSE}", ["boilerplate.lead", "boilerplate.tail"])


def test_menu_words_on_lines_of_their_own_go_only_as_a_run() -> None:
    assert cut(f"{PROSE}\n로그인\n회원가입\n\n장바구니\n{PROSE}")[1] == ["boilerplate.menu_list"] * 3
    assert cut(f"{PROSE}\n로그인\n회원가입\n{PROSE}\n장바구니\n{PROSE}")[1] == []


def test_the_first_line_of_a_help_page_goes() -> None:
    assert cut(f"LibreOffice 7.4 Help\n{PROSE}") == (PROSE, ["boilerplate.help_head"])


def test_nothing_is_cut_over_the_budget_but_the_share_is_told() -> None:
    texts = pa.array(["로그인\n회원가입\n장바구니\n본문이다.", PROSE], pa.large_string())
    found = find_boilerplate(*text_buffers(texts), 0.5)
    assert not found.edits and found.over_budget == 1
    assert found.shares[0] > 0.5 and found.shares[1] == 0


def test_a_run_of_menu_words_does_not_cross_documents() -> None:
    texts = pa.array(["로그인\n회원가입", "장바구니\n" + PROSE], pa.large_string())
    assert not find_boilerplate(*text_buffers(texts), 1.0).edits


def test_every_rule_has_an_id_of_its_own_and_says_what_it_cuts() -> None:
    assert len({rule.id for rule in LINE_RULES}) == len(LINE_RULES)
    assert all(rule.id.startswith("boilerplate.") and rule.doc for rule in LINE_RULES)


def test_long_hostile_lines_do_not_stall() -> None:
    bars = "로그인 " * 40 + "x"
    assert (
        cut("\n".join([bars, "저작권자 " + "ⓒ " * 100, "주소: " * 60, "공유" * 100, "[" * 100 + "제보하기"] * 20))[1]
        == []
    )
