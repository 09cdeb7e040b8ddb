"""The last veil over text that the report shows: coarser than any detector, and it tells what it hid.

Over excerpts only, after the run's own edits: text that is kept or passed on never comes here. `excerpts` shows what is
hidden here in another way than the masks, so that nobody takes it for masked in the data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby

_LABEL = r"(?:[A-Za-z0-9-]+|[가-힣]+)"  # of a domain's name
_PROVIDER = (
    r"(?:네이버|지메일|구글|다음|한메일|네이트|핫메일|아웃룩|카카오|야후|"
    r"(?:naver|gmail|google|daum|hanmail|nate|hotmail|outlook|kakao|yahoo)(?![A-Za-z]))"
)
_LAST = r"(?:(?:com|net|org|edu|gov|info|biz|dev|app|io|kr|jp|cn|uk|de)(?![A-Za-z])|[컴콤넷])"
_SECOND = r"(?:(?:co|ac|or|go|ne|re|pe)\W{0,3}(?:dot|닷|쩜|점)?\W{0,3})"
# A dot is one where a name follows it at once or it stands in brackets; with a space behind, and spelt as a word, only
# before a well-known ending: sentences end with a dot too.
_DOT = (
    r"(?:\s?\.(?=[A-Za-z0-9가-힣])|\s?[(\[{<]\s?(?:dot|닷|점|\.)\s?[)\]}>]\s?|"
    rf"(?:\s?\.\s|\s+dot\s+|\s?(?:닷|쩜|점)\s?)(?={_SECOND}?{_LAST}))"
)
_DOMAIN = rf"{_LABEL}(?:{_DOT}{_LABEL})*{_DOT}(?:[A-Za-z]{{2,}}|[컴콤넷]|[가-힣]{{2,}})"
_EMAIL = re.compile(
    rf"[\w.+%-]+\s?[@＠﹫]\s?(?:{_DOMAIN}|{_PROVIDER}|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)", re.IGNORECASE
)
_SPELT_EMAIL = re.compile(
    r"(?:[\w.+%-]+\s*[(\[{<]\s*(?:at|앳|골뱅이)\s*[)\]}>]|[A-Za-z0-9._+%-]+\s*골뱅이)"
    rf"\s*(?:{_DOMAIN}|{_PROVIDER})|[A-Za-z0-9._+%-]+\s+at\s+{_DOMAIN}",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[A-Za-z]{0,2}\d(?:[\s.·()‐-–—−－~∼〜～/／_-]{0,3}\d){6,}")
_PASSPORT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,2}[\s-]?\d{3}[\s-]?[A-Za-z][\s-]?\d{4}(?!\d)")
_PLATE = re.compile(r"\d{2,3}\s?[가-힣]\s?\d{4}")
_PLACE = r"[가-힣]{1,7}(?:특별시|광역시|자치시|자치도|[도시군구읍면])"
_ADDRESSES = (
    re.compile(r"(?<=주소|소지|재지|주지|송지)\s*[:：]\s*[^\n|]{1,120}"),  # 주소(지), 소재지, 거주지, 배송지
    re.compile(  # 강남구 테헤란로 12, 역삼동 123-4
        rf"(?:{_PLACE}\s+){{1,4}}(?:[가-힣\d]{{1,10}}(?:로|길)(?:\s?\d+(?:번?길))?|[가-힣\d]{{1,8}}[동리가])\s?(?:산\s?)?\d+(?:-\d+)?"
        r"(?:번지)?(?:[\s,]{1,2}\d{1,4}호)?"
    ),
    re.compile(r"\d+(?:-\d+)?\s?번지"),
    re.compile(r"(?:\d{1,4}|[가-하A-Za-z])\s?동\s?(?:\d{1,2}\s?층\s?)?(?:지하\s?)?\d{1,4}\s?호"),
    re.compile(r"\d{1,2}\s?층\s?\d{1,4}\s?호"),
)
_NAMES = r"[가-힣]{2,4}(?:\s*[,·ㆍ/]\s*[가-힣]{2,4}){0,4}"
_BYLINE = re.compile(
    _NAMES + r"(?=\s*(?:[가-힣]{2,6}[부팀]\s*)?(?:(?:인턴|수습|선임|전문|객원|시민)\s*)?"
    r"(?:기자|특파원|통신원|리포터|앵커|논설위원|편집위원))"
    r"|(?<![가-힣])[가-힣]{3}(?=\s*대표이사)"
)
_OFFICER = re.compile(
    r"((?:대표(?:이사|자)?명?|발행인|편집인|책임자|담당자|작성자|예금주|성명)\s*[:：]\s*|대표(?:이사|자명|자)\s*\(?\s*)"
    r"[가-힣]{2,4}"
)

_Hide = Callable[[re.Match[str]], tuple[str, str]]  # what of a match stays before, what stands for the rest


def _in_place(match: re.Match[str]) -> tuple[str, str]:
    return "", re.sub(r"\w", "•", match[0])


_VEILS: tuple[tuple[re.Pattern[str], _Hide], ...] = (
    (_EMAIL, lambda match: ("", "•••@•••")),
    (_SPELT_EMAIL, lambda match: ("", "•••@•••")),
    *((pattern, _in_place) for pattern in (*_ADDRESSES, _DIGITS, _PASSPORT, _PLATE)),
    (_BYLINE, lambda match: ("", "○○○")),
    (_OFFICER, lambda match: (match[1], "○○○")),
)


def veil(text: str) -> str:
    """Blot out e-mail and postal addresses, seven and more digits, passports, plates, names in by-lines and imprints.

    Meant to hide too much: a date or an order number may go too. Never used on text that is kept, only on excerpts.
    """
    return "".join(part for part, _ in veiled(text))


def veiled(text: str) -> Iterator[tuple[str, bool]]:
    """The text under the veil in stretches, and of each whether it is a blot."""
    marks = bytes(len(text))  # 1: hidden
    for pattern, hide in _VEILS:
        shown, hidden, at = [], [], 0
        for match in pattern.finditer(text):
            before, blot = hide(match)
            behind = match.start() + len(before)
            shown += [text[at:behind], blot]
            hidden += [marks[at:behind], b"\1" * len(blot)]
            at = match.end()
        if at:
            text, marks = "".join([*shown, text[at:]]), b"".join([*hidden, marks[at:]])
    at = 0
    for mark, stretch in groupby(marks):
        length = sum(1 for _ in stretch)
        yield text[at : at + length], bool(mark)
        at += length
