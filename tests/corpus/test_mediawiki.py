"""Wikipedia's dumps: articles come as text with their hanja and glosses, nothing nested or broken stops the reading.

The dumps here are made, from the described shape of MediaWiki's export; none was had.
"""

import bz2
import gzip
import random
import time
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions, Skipped, reader_for
from corpus.wikitext import plain_text, redirects

HEAD = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ko">\n'
HEAD += "  <siteinfo><sitename>위키백과</sitename><dbname>kowiki</dbname></siteinfo>\n"
TEXT = "'''서울'''은 [[대한민국]]의 수도이다. {{llang|en|Seoul}}"
PLAIN = "서울은 대한민국의 수도이다. Seoul"


def page(number: int, text: str, ns: int = 0, more: str = "", title: str = "서울") -> str:
    return (
        f"  <page>\n    <title>{title}</title>\n    <ns>{ns}</ns>\n    <id>{number}</id>{more}\n    <revision>\n"
        f"      <id>9{number}</id><timestamp>2024-05-01T09:00:00Z</timestamp>\n"
        "      <contributor><username>홍길동</username><id>77</id></contributor>\n"
        f'      <model>wikitext</model><text bytes="1" xml:space="preserve">{escape(text)}</text>\n'
        "    </revision>\n  </page>\n"
    )


def read(path: Path, **options: object) -> list[Record | Rejected | Skipped]:
    reader = reader_for(path.name)
    assert reader is not None
    assert reader.name == "mediawiki"
    return list(reader.load()(path, ReadOptions(**options), 0, None))  # type: ignore[arg-type]


def outcomes(found: list[Record | Rejected | Skipped]) -> list[str]:
    return [
        one.text if isinstance(one, Record) else one.cause if isinstance(one, Rejected) else one.rule for one in found
    ]


@pytest.mark.parametrize(
    ("ending", "pack"), [(".xml", bytes), (".xml.gz", gzip.compress), (".xml.bz2", bz2.compress)], ids=["", "gz", "bz2"]
)
def test_articles_come_with_id_title_and_time_and_others_are_skipped_by_rule(
    tmp_path: Path, ending: str, pack: type[bytes]
) -> None:
    data = HEAD + page(1, TEXT) + page(2, "x", ns=10) + page(3, "#넘겨주기 [[서울]]") + page(4, "y", more="<redirect/>")
    data += page(5, "#REDIRECT [[서울]]") + page(6, "{{토막글}}") + page(7, "다음 글", title="다음 &amp; 글")
    path = tmp_path / f"a{ending}"
    path.write_bytes(pack((data + "</mediawiki>\n").encode()))
    found = read(path)
    skipped = ["source.namespace", "source.redirect", "source.redirect", "source.redirect", "source.no_text"]
    assert outcomes(found) == [PLAIN, *skipped, "다음 글"]
    first, last = found[0], found[-1]
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert (first.key, first.meta, last.meta) == ("1", {"title": "서울"}, {"title": "다음 & 글"})
    assert first.created is not None
    assert first.created.isoformat() == "2024-05-01T09:00:00+00:00"
    for one in found:
        part = data.encode()[one.offset : one.offset + one.length]
        assert part.startswith(b"<page>")
        assert part.endswith(b"</page>")
    assert "홍길동" not in repr(found)


@pytest.mark.parametrize(
    ("data", "cause", "said"),
    [
        ("", "file.empty", "empty"),
        ("<?xml version='1.0'?>\n<법령 a='1'>수도</법령>", "xml.unknown", "another kind"),
        ("<?xml version='1.0'?><!-- x --><law>수도</law>", "xml.unknown", "<law>"),
        ("그냥 글", "xml.unknown", "include"),
        (HEAD + "</mediawiki>", "xml.no_page", "copy it again"),
        (HEAD + "  <page><title>수도", "xml.truncated", "byte"),
    ],
)
def test_what_is_no_dump_says_why(tmp_path: Path, data: str, cause: str, said: str) -> None:
    path = tmp_path / "a.xml"
    path.write_text(data, encoding="utf-8")
    (rejected,) = read(path)
    assert isinstance(rejected, Rejected)
    assert rejected.cause == cause
    assert said in rejected.detail
    assert "수도" not in rejected.detail


def test_a_broken_page_costs_itself_alone_and_entities_are_never_declared(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    laughs = '<!DOCTYPE x [<!ENTITY l "하하"><!ENTITY m "&l;&l;&l;">]>'
    bad = page(2, TEXT).replace("</text>", "</txt>")
    entity = page(3, "").replace("</text>", "&m;</text>")
    within = page(4, "").replace("</text>", laughs + "</text>")
    path.write_text(laughs + HEAD + page(1, TEXT) + bad + entity + within + page(5, TEXT), encoding="utf-8")
    assert outcomes(read(path)) == [PLAIN, "xml.broken", "xml.broken", "xml.broken", PLAIN]


@pytest.mark.parametrize("limit", [2000, 300_000])
def test_pages_above_the_limit_are_refused_and_the_next_go_on(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "a.xml"
    long = page(2, "가" * 400_000)
    path.write_text(HEAD + page(1, TEXT) + long + page(3, TEXT), encoding="utf-8")
    found = read(path, max_record=limit)
    assert outcomes(found) == [PLAIN, "record.too_long", PLAIN]
    assert found[1].length == len(long.strip().encode())


def test_pages_across_blocks_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    pages = [page(n, f"{n} " + "가" * (n * 37 % 5000)) for n in range(600)]
    path.write_text(HEAD + "".join(pages) + "</mediawiki>", encoding="utf-8")
    found = read(path)
    assert [one.key for one in found if isinstance(one, Record)] == [str(n) for n in range(600)]
    assert [one.length for one in found] == [len(one.strip().encode()) for one in pages]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "'''제임스 얼 \"지미\" 카터 주니어'''({{llang|en|James Earl}}, [[1924년]] [[10월 1일]] ~ )는",
            '제임스 얼 "지미" 카터 주니어(James Earl, 1924년 10월 1일 ~ )는',
        ),
        ("'''지요다구'''({{llang|ja|千代田区|지요다쿠}})는", "지요다구(千代田区, 지요다쿠)는"),
        ("한국({{한자|韓國}}), {{lang|zh|漢字}}, {{원제|fr|X|Y}}, {{lang-en|Z}}", "한국(韓國), 漢字, X, Y, Z"),
        (
            "가({{IPA|x}}, 1924년) 나 ({{IPA|x}})는 다(ㄱ; {{IPA|y}}) 라(ㄱ, {{x}}, ㄴ)",
            "가(1924년) 나는 다(ㄱ) 라(ㄱ, ㄴ)",
        ),
        ("함수 f() 와 (, )", "함수 f() 와 (, )"),  # the author's own
        ("[[민주당 (미국)|민주당]]과 [[서울]]의, [[:분류:글|글]]", "민주당과 서울의, 글"),
        ("앞[[파일:a.jpg|섬네일|[[링크]] 사진|100px]]뒤[[분류:서울]][[en:Seoul]]", "앞뒤"),
        ('앞<ref name="a">{{웹|a=}} [[b]]</ref>뒤<ref name=c/>.<!-- [[ {{ -->끝', "앞뒤.끝"),
        ("<math>a|b</math> <nowiki>[[그대로]] ''x''</nowiki> <code>{{y}}</code>", "$a|b$ [[그대로]] ''x'' {{y}}"),
        (
            "가<br/>나<sub>2</sub>&nbsp;&lt;b&gt; <ruby>漢<rp>(</rp><rt>한</rt><rp>)</rp></ruby>",
            "가\n나2\xa0<b> 漢(한)",
        ),
        ("[http://a.kr 바깥 글] 값은 $5, {{국기|대한민국}}", "바깥 글 값은 $5, 대한민국"),
        ("* 하나\n** 둘\n# 셋\n: 넷\n----\n__목차__", "하나\n둘\n셋\n넷"),
        (
            '{| class="x"\n|+ 제목\n! 가 !! 나\n|-\n| style="a" | [[ㄱ|다]] || 라!!\n|-\n|\n|}',
            "제목\n가 | 나\n다 | 라!!",
        ),
        ("{{정보 상자\n| 이름 = {{llang|en|x}}\n| 그림 = [[파일:a]]\n}}\n본문", "본문"),
        ("== 역사 ==\n글\n== 같이 보기 ==\n* x\n=== 밑 ===\ny\n== 평가 ==\n끝", "역사\n글\n\n평가\n끝"),
        ("글\n== 빈 ==\n=== 더 ===\n== 각주 및 참고 문헌 ==\nz\n==외부 링크==\nz", "글"),
        ("가 {{열림 [[링크|나]] 다\n\n[[열림 라\n\n마", "가 열림 나 다\n\n열림 라\n\n마"),  # nothing is lost
    ],
)
def test_markup_becomes_what_the_page_shows(source: str, expected: str) -> None:
    assert plain_text(source)[0] == expected


def test_redirects_are_told_in_every_spelling() -> None:
    assert all(
        redirects(one) for one in ("#넘겨주기 [[서울]]", "#REDIRECT[[x]]", "\n#redirect [[x]]", "# 넘겨주기 [[x]]")
    )
    assert not redirects("# 첫째\n# 둘째")


NESTED = [("{{", ""), ("{{a|", "}}"), ("{{lang|en|", "}}"), ("{{lang|en|", "]]"), ("[[", ""), ("[[a|", "]]")]
NESTED += [("\n{|\n|", ""), ("\n{|\n|", "\n|}"), ("[http://a ", "]"), ("[http://a ", ""), ("<ref>", ""), ("<!--", "")]
NESTED += [("{", "}"), ("(", ")"), ("(,", "{{x}}"), ("'", "'"), ("=", "="), ("<div>", ""), ("[[{{", "]]")]


@pytest.mark.parametrize(("opening", "closing"), NESTED)
def test_nothing_nested_100000_deep_hangs_or_crashes(opening: str, closing: str) -> None:
    started = time.monotonic()
    plain_text(f"앞 글.\n\n{opening * 100_000}안{closing * 100_000}")
    assert time.monotonic() - started < 10


@given(
    st.lists(
        st.sampled_from([*"가a |!-=*'\n", "{{", "}}", "[[", "]]", "{|", "|}", "<ref>", "</ref>", "(", ")", "\x00"])
    )
)
def test_any_mixture_of_markup_is_read_and_leaves_no_mark_of_ours(pieces: list[str]) -> None:
    text, _ = plain_text("".join(pieces))
    assert not set(text) & set("\x00\x01\x02")


def test_damage_anywhere_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    good = (HEAD + "".join(page(n, TEXT * 3) for n in range(20)) + "</mediawiki>").encode()
    for seed in range(200):
        chance, data = random.Random(seed), bytearray(good)
        if seed % 4 == 0:
            del data[chance.randrange(len(data)) :]
        elif seed % 4 == 1:
            at = chance.randrange(len(data))
            data[at:at] = data[chance.randrange(at + 1) : at]
        else:
            for _ in range(chance.randrange(1, 9)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        found = read(path)
        assert found
        assert all(one.length >= 0 for one in found)
