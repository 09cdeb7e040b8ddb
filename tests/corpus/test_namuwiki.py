"""Namuwiki's dumps: articles as text, nobody's address kept, no right given that the licence denies.

The dumps here are made, from the described shape; none was had.
"""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Record, Rejected
from corpus.errors import SourceError
from corpus.namumark import plain_text, redirects
from corpus.sources import ReadOptions, Skipped, named_reader, reader_for
from corpus.submission import EXAMPLE
from corpus.work_units import SourceSettings, find_sources

TEXT = "'''서울'''은 [[대한민국|한국]]의 수도이다.[* 각주]"
PLAIN = "서울은 한국의 수도이다."


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    return list(named_reader("namuwiki").load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def article(title: str, text: str, space: object = "0") -> dict[str, object]:
    return {"namespace": space, "title": title, "text": text, "contributors": ["namubot", "192.0.2.7"]}


def test_articles_come_with_their_titles_and_others_are_skipped_by_rule(tmp_path: Path) -> None:
    rows = [article("서울", TEXT), article("서울2", TEXT, 0), article("서울3", TEXT, ""), article("틀:x", "글", "1")]
    rows += [
        article("분류:x", "글", ""),
        article("!", "#redirect 느낌표"),
        article("빔", "[목차]"),
        article("끝", "끝"),
    ]
    path = tmp_path / "namuwiki.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    found = read(path, meta=("contributors",))
    assert [one.text if isinstance(one, Record) else getattr(one, "rule", one) for one in found] == [
        *[PLAIN] * 3,
        *["source.namespace"] * 2,
        "source.redirect",
        "source.no_text",
        "끝",
    ]
    assert isinstance(found[0], Record)
    assert (found[0].key, found[0].meta) == ("서울", {"title": "서울"})
    assert "192.0.2.7" not in repr(found)
    assert reader_for(path.name).name == "objects"  # type: ignore[union-attr]


def test_a_commercial_right_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "namuwiki.json").write_text("[]", encoding="utf-8")
    declared = tmp_path / "submission.yaml"
    declared.write_text(EXAMPLE, encoding="utf-8")
    settings = (SourceSettings(path=".", format="namuwiki"),)
    with pytest.raises(SourceError, match="CC BY-NC-SA") as told:
        find_sources(settings, tmp_path)
    assert told.value.fix == "write `commercial: false` below `rights`"
    declared.write_text(EXAMPLE.replace("commercial: true", "commercial: false"), encoding="utf-8")
    assert find_sources(settings, tmp_path)[0].settings.format == "namuwiki"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[include(틀:상위 문서, top1=한국)]\n[목차]\n[[분류:한국]]\n본문[Include(틀:x)] [clearfix]끝", "본문 끝"),
        ("값은 $5 에서 $10 이다. [math(a/b)] [ruby(漢字, ruby=한자)]", "값은 $5 에서 $10 이다. $a/b$ 漢字"),
        (
            "[[나라#s-1]], [[#s-2|둘]], [[https://a.kr|글]], [[https://a.kr]]끝, [[:분류:글]]",
            "나라, 둘, 글, 끝, 분류:글",
        ),
        ("앞[[파일:그림.svg|width=100]]뒤", "앞뒤"),
        ("가[* 하나 [* 안 [[링크|글]] [1]] {{{-1 끝}}}]나[*이름 각주]다", "가나다"),
        ("{{{+1 큰}}} {{{#red 붉은}}} {{{#fff,#000 색}}} {{{[[그대로]] '''x'''}}}", "큰 붉은 색 [[그대로]] '''x'''"),
        ("{{{#!folding 펼치기\n접힌 글\n}}}\n{{{#!html <b>x</b>}}}끝", "접힌 글\n\n끝"),
        ('{{{#!wiki style="a"\n밖 {{{#!wiki b\n안\n}}}\n}}}', "밖 안"),
        ("{{{#!syntax python\nprint('''== x ==''')\n}}}", "print('''== x ==''')"),
        ("~~지운~~글 --그은--글 C-- i++ a--b __밑__ ^^위^^ ,,아래,, 1~2", "글 글 C-- i++ a--b 밑 위 아래 1~2"),
        ("||<tablewidth=100%><-2> '''가''' ||<#fff> 나 ||\n|제목| 다 || 라 ||", "가 | 나\n제목 | 다 | 라"),
        ("## 주석\n * 하나\n 1. 둘\n> 인용\n----\n가[br]나", "하나\n둘\n인용\n가\n나"),
        ("== 개요 ==\n글\n== 같이 보기 ==\n x\n== 둘 ==\n끝", "개요\n글\n\n둘\n끝"),
        ("\\[그대로\\] [그냥] 가(=나)", "[그대로] [그냥] 가(=나)"),
        ("가 [[열림 나\n\n[* 열림 다\n\n{{{#!wiki x\n라", "가 열림 나\n\n열림 다\n\n라"),  # nothing is lost
    ],
)
def test_markup_becomes_what_the_page_shows(source: str, expected: str) -> None:
    assert plain_text(source)[0] == expected


def test_redirects_are_told_in_both_languages() -> None:
    assert redirects("#redirect 느낌표")
    assert redirects("#넘겨주기 느낌표")
    assert not redirects("## 주석")


NESTED = [("{{{", ""), ("{{{+1 ", "}}}"), ("{{{#!wiki x\n", "}}}"), ("[[", ""), ("[[a|", "]]"), ("[*", "]"), ("[*", "")]
NESTED += [("[", "]"), ("[math(", ""), ("||", ""), ("||<a>", ""), ("--a ", ""), ("~~a", ""), ("[[{{{#!wiki x\n", "]]")]


@pytest.mark.parametrize(("opening", "closing"), NESTED)
def test_nothing_nested_100000_deep_hangs_or_crashes(opening: str, closing: str) -> None:
    started = time.monotonic()
    plain_text(f"앞 글.\n\n{opening * 100_000}안{closing * 100_000}")
    assert time.monotonic() - started < 10


@given(st.lists(st.sampled_from([*"가a |*'=~-_^,\n\\", "{{{", "}}}", "[[", "]]", "[*", "]", "||", "#!wiki", "\x01"])))
def test_any_mixture_of_markup_is_read_and_leaves_no_mark_of_ours(pieces: list[str]) -> None:
    text, _ = plain_text("".join(pieces))
    assert not set(text) & set("\x00\x01\x02")
