"""Terms of lexicons are found through disguises, and not in words that only look like them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.edits import text_buffers
from corpus.folding import count_terms, lexicon
from corpus.lexicons import ADVERTISED, LEXICONS

CATEGORIES = tuple(LEXICONS)


def rows(texts: Sequence[str], terms: dict[str, Sequence[str]], advertised: Sequence[str]) -> np.ndarray:
    found = np.zeros((len(texts), len(terms) + 2), np.int64)
    count_terms(*text_buffers(pa.array(texts, pa.large_string())), *lexicon(terms, advertised), found)
    return found


def found(text: str) -> dict[str, int]:
    """Category → terms, for those that have any; and `disguised`."""
    row = rows([text], dict(LEXICONS), ADVERTISED)[0].tolist()
    return {name: number for name, number in zip((*CATEGORIES, "disguised"), row, strict=False) if number}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("카.지.노 추천", "gambling"),
        ("카 지 노 에서", "gambling"),
        ("카*지*노", "gambling"),
        ("카-지-노", "gambling"),
        ("카❤지❤노", "gambling"),
        ("카🎰지🎰노", "gambling"),
        ("카Zl노 주소", "gambling"),
        ("카zI노 주소", "gambling"),
        ("ㅋr지노 주소", "gambling"),
        ("ㅋㅏㅈㅣ노", "gambling"),
        ("ㅋㅏㅈㅣㄴㅗ", "gambling"),
        ("카ㅈl노", "gambling"),
        ("토￡토", "gambling"),
        ("사 설 토 토", "gambling"),
        ("4설토토", "gambling"),
        ("안전놀2터", "gambling"),
        ("먹@튀", "gambling"),
        ("비@아@그@라", "adult"),
        ("ㅂㅣ아그라", "adult"),
        ("출.장.마.사.지", "adult"),
        ("작업ㄷH출", "loan"),
        ("작업CH출", "loan"),
        ("당일ㄷㅐㅊㅜㄹ", "loan"),
        ("대포통ㅈㅏㅇ", "schemes"),
    ],
)
def test_a_term_is_found_in_disguise(text: str, category: str) -> None:
    assert found(text) == {category: 1, "disguised": 1}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("온라인카지노사이트", "gambling"),
        ("(카지노)", "gambling"),
        ("출장 마사지 후기", "adult"),
        ("무직자 대출 상담", "loan"),
        ("당일 대출", "loan"),
        ("주식 리딩방 회원", "schemes"),
        ("텔레그램 문의", "offers"),
        ("무료 배송", "calls"),
        ("그것은 좋은 일", "mt_tells"),
    ],
)
def test_a_term_written_openly_or_spaced_as_a_compound_is_no_disguise(text: str, category: str) -> None:
    assert found(text).get(category, 0) >= 1 and "disguised" not in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "오피스텔 분양",
        "강남오피스텔",
        "강남 오피스 빌딩",
        "이웃집 토토로를 보았다",
        "긴급전화를 걸었다",
        "전개가 급전개였다",
        "첫충격이 컸다",
        "카지 노을",
        "도라지, 노래",
        "주오 피해",
        "전자 파일, 토, 토요일",
        "사건마다 물건마다",
        "주식보다 음식보다",
        "모두가 그것을위하여그것은",
        "8월변경 사항",
        "회사채를 발행하였다",
        "2월 4일 5시 9분",
        "ㅋㅋㅋ ㅎㅎ ㅠㅠ ㅇㅈ",
    ],
)
def test_what_only_looks_like_a_term_is_none(text: str) -> None:
    assert not set(found(text)) - {"mt_tells"}


def test_a_line_break_ends_a_term_and_a_comma_between_words_too() -> None:
    assert not found("온라인카\n지노") and not found("여기 카, 지노")


def test_terms_that_overlap_count_once_and_different_ones_are_told_apart() -> None:
    row = rows(["먹튀검증 먹튀 카지노카지노"], dict(LEXICONS), ADVERTISED)[0]
    assert row[CATEGORIES.index("gambling")] == 4 and row[-1] == 2


def test_every_term_of_every_lexicon_is_found_as_it_stands() -> None:
    for name, terms in LEXICONS.items():
        if name != "innocent":
            texts = [term.removeprefix("^") for term in terms]
            numbers = rows(texts, dict(LEXICONS), ADVERTISED)[:, :-2].sum(axis=1)
            assert numbers.all(), [term for term, number in zip(terms, numbers, strict=True) if not number]


def test_no_term_stands_in_two_lexicons() -> None:
    terms = [term.removeprefix("^") for terms in LEXICONS.values() for term in terms]
    assert len(terms) == len(set(terms))


def naive(text: str, terms: Sequence[str]) -> int:
    """How many terms there are in a text of letters alone: of those that overlap, the one that ends first."""
    count, free = 0, 0
    for end in range(1, len(text) + 1):
        for term in sorted(terms, key=len, reverse=True):
            if end - len(term) >= free and text[:end].endswith(term):
                count, free = count + 1, end
                break
            if end - len(term) >= 0 and text[:end].endswith(term):
                break  # the longest at its end, but it overlaps
    return count


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("가나다라", max_size=30), min_size=1, max_size=5),
    st.sets(st.text("가나다", min_size=1, max_size=4), min_size=1, max_size=6),
)
def test_without_gaps_the_automaton_finds_what_a_search_finds(texts: list[str], terms: set[str]) -> None:
    numbers = rows(texts, {"terms": sorted(terms), "innocent": ()}, ["terms"])[:, 0].tolist()
    assert numbers == [naive(text, sorted(terms)) for text in texts]


@settings(max_examples=200, deadline=None)
@given(st.text("카지노 .*\nㅋㅏㅈㅣlZ1❤2", max_size=40), st.text("카지노 .*\nㅋㅏㅈㅣlZ1❤2", max_size=40))
def test_documents_do_not_touch_each_other(first: str, second: str) -> None:
    terms = {"a": ("카지노", "지노"), "innocent": ("노카",)}
    together = rows([first, second, first], terms, ["a"])
    assert together.tolist() == [rows([text], terms, ["a"])[0].tolist() for text in (first, second, first)]
    assert (together[:, -2] <= together[:, 0]).all() and all(a >= 0 for a in together.ravel())
