"""Boilerplate: whole lines of pages go, sentences that mention the same things stay, and a budget holds."""

from __future__ import annotations

import pyarrow as pa
import pytest

from corpus.boilerplate import LINE_RULES, find_boilerplate
from corpus.edits import apply_edits, edits_array, text_buffers

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
