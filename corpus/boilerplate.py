"""Boilerplate: lines of a page that are not its text, cut by anchored whole-line rules under a budget.

A line goes only where one rule describes all of it: a byline with its address, a notice of copyright, a bar of menu
words. A sentence that mentions such a thing stays. measure turns what is found here into edits; what share of a
document it was becomes the signal `boilerplate`, by which decide removes a page that is nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from corpus.edits import Bytes, Edit, Longs

LONGEST_LINE = 400  # bytes; a longer line is prose, or for dedup's repeated lines
LONGEST_ITEM = 48  # bytes of a line that is one menu word
RUN = 3  # so many menu words on lines of their own, one after the other, are a menu


@dataclass(frozen=True, slots=True)
class LineRule:
    """One kind of line.

    Attributes:
        id: dotted, as it stands in edits and counts.
        needles: one of these is in every such line, ASCII in any case; only lines with a needle are looked at.
        pattern: must match the whole line without the white space around it.
        doc: what it cuts.
        run: cut only where at least RUN such lines follow each other.
        head: cut only as the document's first line.
    """

    id: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    doc: str
    run: bool = False
    head: bool = False


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_MENU = """
홈 메인 메인으로 처음으로 로그인 로그아웃 회원가입 회원정보 마이페이지 장바구니 주문조회 주문배송 배송조회
고객센터 고객지원 공지사항 이벤트 이용약관 개인정보처리방침 개인정보취급방침 개인정보보호정책 청소년보호정책
이메일무단수집거부 이메일주소무단수집거부 저작권정책 저작권보호정책 사이트맵 회사소개 기업소개 인재채용 채용정보
채용안내 제휴문의 광고문의 제휴제안 찾아오시는길 오시는길 목록 목록으로 이전글 다음글 이전 다음 맨위로 위로
위로가기 검색 통합검색 전체메뉴 전체보기 더보기 메뉴 메뉴열기 닫기 글쓰기 답글 수정 삭제 인쇄 인쇄하기 프린트
스크랩 공유 공유하기 구독 구독하기 즐겨찾기 댓글쓰기 추천 신고 신고하기 자주묻는질문 문의하기 관련사이트
패밀리사이트 본문바로가기 주메뉴바로가기 메뉴바로가기 콘텐츠바로가기 기사제보 독자투고 구독신청 신문사소개
윤리강령 고충처리인 top home login logout join sitemap faq q&a contact about english kor eng mypage cart
"""
MENU_WORDS = tuple(_MENU.split())
_ITEM = "(?:" + "|".join(r"\s?".join(map(re.escape, word)) for word in sorted(MENU_WORDS, key=len, reverse=True)) + ")"
_BAR = r"(?>\s*[|>≫»›·ㆍ/ㅣ│]\s*|\s+)"  # atomic: a long bar that fails must fail at once
_MEDIA = r"(?:신문|일보|뉴스|통신|방송|저널|타임스|미디어|투데이|데일리|경제|매일|닷컴|news|times|press)"
_REPORTER = r"(?:인턴|수습|선임|전문|객원|시민)?\s?(?:기자|특파원|통신원)"
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_FAMILY = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성"
    "차주우구민나진지엄채원천방공현함변염여추도소석선설마길"
)
_PARTICULAR = (
    r"(?:상호|법인명|회사명|제호|사업자\s?(?:등록)?\s?번호|통신판매업?\s?(?:신고)?\s?(?:번호)?|대표(?:이사|자)?(?:명)?|등록번호|등록일자?|"
    r"발행일자?|발행인|편집인|발행\s?[·ㆍ]?\s?편집인|청소년보호책임자|개인정보\s?(?:보호|관리)?\s?책임자|주소|소재지|전화|대표전화|"
    r"고객센터|팩스|fax|tel|e-?mail|이메일|호스팅\s?(?:제공자|서비스)?)\s?[:：]"
)
_SHARE = (
    r"(?:페이스북|트위터|카카오(?:톡|스토리)|네이버\s?(?:블로그|밴드)?|밴드|라인|구글\+?|핀터레스트|링크드인|텔레그램|facebook|"
    r"twitter|kakao(?:talk|story)?|band|x|url|주소|링크|메일|이메일|문자|sns)"
)

LINE_RULES = (
    LineRule(
        "boilerplate.reprint",
        ("재배포", "무단전재", "무단 전재", "무단복제", "무단 복제"),
        _line(
            r"(?:[<\[(【〈※*▶ⓒ©\s-][^.!?。]{0,60}|(?:저작권|copyright|본|이|모든|해당)[^.!?。]{0,60}|"
            r"[^.!?。]{0,20}" + _MEDIA + r"[^.!?。]{0,10})?"
            r"무단\s?(?:전재|복제|배포|사용|도용)(?:\s?(?:및|·|ㆍ|,|와|-|&|/|or)?\s?(?:무단)?\s?"
            r"(?:재배포|복제|배포|수집|이용|전재|ai\s?학습(?:\s?이용|\s?및\s?활용)?)){0,4}\s?(?:를|을)?\s?"
            r"(?:등을?\s?)?(?:금지|금합니다|엄금|불허|금지합니다|금지됩니다)?[\s.。>\])】〉®ⓒ©]*"
        ),
        "notice that reprinting is forbidden: 무단전재 및 재배포 금지",
    ),
    LineRule(
        "boilerplate.copyright",
        ("ⓒ", "©", "copyright", "(c)", "저작권자", "all rights reserved"),
        _line(
            r"[<\[(【〈]?\s*(?:저작권자|copyrights?)\s*(?:ⓒ|©|\(c\)|[:：]|by|19\d\d|20\d\d|\s){1,6}[^.!?]{0,100}"
            r"(?:[.,]\s?(?:co|ltd|inc|com|net|kr|corp)\b\.?[^.!?]{0,40}){0,3}(?:[.,\s]*all\s+rights?\s+reserved)?[\s.>\])】〉]*"
            r"|[<\[(【〈]?\s*(?:ⓒ|©|\(c\)\s*(?:19|20)\d\d)[^.!?]{0,80}"
            r"(?:무단.{0,30}|all\s+rights?\s+reserved|reserved|" + _MEDIA + r")[\s.>\])】〉]*"
            r"|[^.!?]{0,60}all\s+rights?\s+reserved[\s.>\])】〉]*"
        ),
        "notice of copyright: ⓒ 한국일보, Copyright 2024 … All rights reserved",
    ),
    LineRule(
        "boilerplate.byline",
        ("기자", "특파원", "통신원"),
        _line(
            r"(?:[(\[<【][^)\]>】]{1,30}[)\]>】]\s*)?(?:"
            r"[가-힣]{2,4}(?:\s*[,·ㆍ]\s*[가-힣]{2,4}){0,3}\s?"
            + _REPORTER
            + r"\s*(?:[=:|/·]?\s*[(\[<]?\s*"
            + _MAIL
            + r"\s*[)\]>]?|=)"
            r"|["
            + _FAMILY
            + r"][가-힣]{2}\s?"
            + _REPORTER
            + r")\s*(?:기사\s?더\s?보기|구독(?:하기)?|다른\s?기사\s?보기)?"
        ),
        "byline alone on its line: 홍길동 기자 gildong@example.kr",
    ),
    LineRule(
        "boilerplate.tip",
        ("제보", "구독", "카카오톡", "네이버"),
        _line(
            r"[▶☞■◆●※\s]+[^.!?]{0,40}(?:제보하기|제보해\s?주세요|구독하기|구독하세요|채널\s?추가|친구\s?추가|보러\s?가기)[^.!?]{0,30}[!.]?"
        ),
        "call to send tips or subscribe: ▶ 네이버에서 … 구독하기",
    ),
    LineRule(
        "boilerplate.share",
        ("공유", "보내기", "퍼가기", "스크랩", "글자", "폰트", "url", "프린트", "인쇄"),
        _line(
            r"(?:"
            + _SHARE
            + r"(?:\s?(?:으로|로|에))?\s?(?:공유(?:하기)?|보내기|퍼가기|복사(?:하기)?|share|전송)[\s,|·/]*){1,12}"
            r"|(?:sns\s?)?(?:기사\s?)?(?:공유하기|퍼가기|스크랩하기|인쇄하기|프린트하기)(?:\s?(?:닫기|열기|버튼))?"
            r"|(?:글자|글씨|폰트)\s?(?:크기|사이즈)?\s?(?:(?:조절|변경|설정|키우기|줄이기|크게|작게|보통|확대|축소)[\s,|·/]*){1,4}"
        ),
        "buttons to share, print or resize: 페이스북 공유하기",
    ),
    LineRule(
        "boilerplate.menu_bar",
        (
            "로그인",
            "회원가입",
            "이용약관",
            "개인정보",
            "사이트맵",
            "고객센터",
            "공지사항",
            "이전글",
            "마이페이지",
            "바로가기",
        ),
        _line(rf"[|>\s·]*{_ITEM}(?:{_BAR}{_ITEM}){{2,40}}[|>\s·]*"),
        "menu words in a row: 홈 | 로그인 | 회원가입; 회사소개 | 이용약관 | 개인정보처리방침",
    ),
    LineRule(
        "boilerplate.menu_list",
        (),  # the words themselves
        _line(rf"[·•▶>\-*]?\s?{_ITEM}"),
        "menu words on lines of their own, three or more one after the other",
        run=True,
    ),
    LineRule(
        "boilerplate.footer",
        ("사업자등록번호", "사업자 등록번호", "사업자번호", "통신판매업", "대표이사", "대표자", "등록번호", "발행인"),
        _line(r"(?!.*[다요죠까]\.?\s*$)(?=" + _PARTICULAR + r".*?" + _PARTICULAR + r").{1,300}"),
        "footer with two or more of a firm's particulars: 대표이사: … | 사업자등록번호: …",
    ),
    LineRule(
        "boilerplate.related",
        (
            "관련기사",
            "관련 기사",
            "관련뉴스",
            "인기기사",
            "많이 본",
            "주요뉴스",
            "추천기사",
            "이 기사",
            "이 시각",
            "연관기사",
        ),
        _line(
            r"[\[<【▶☞■◆●※\-*\s]*(?:관련\s?(?:기사|뉴스|글)|연관\s?기사|인기\s?기사|추천\s?(?:기사|뉴스)|(?:오늘의\s?)?주요\s?뉴스|"
            r"(?:가장\s?)?많이\s?본\s?(?:기사|뉴스)|이\s?시각\s?(?:주요|많이\s?본|인기)\s?(?:기사|뉴스)|"
            r"이\s?기사(?:를|의)?\s?(?:추천합니다|공유합니다|댓글|좋아요)|다른\s?기사\s?보기)\s?(?:더\s?보기|보기|목록)?[\]>】\s:]*"
        ),
        "headings of lists of other articles: [관련기사], 많이 본 뉴스",
    ),
    LineRule(
        "boilerplate.cookie",
        ("쿠키", "cookie"),
        _line(
            r"(?:이|본|저희)\s?(?:웹\s?)?(?:사이트|페이지|홈페이지)(?:는|은|에서는)[^.]{0,60}쿠키(?:를|\(cookies?\)를)\s?"
            r"(?:사용합니다|사용하고\s?있습니다|수집합니다)[.\s]*(?:[^.]{0,60}동의[^.]{0,30}[.\s]*)?(?:확인|동의|닫기)?"
            r"|(?:모든\s?)?쿠키(?:\s?사용)?(?:에)?\s?(?:동의|허용|거부|설정|모두\s?허용|수락)(?:합니다|하기)?"
            r"|(?:we|this\s(?:web)?site)\suses?\scookies[^.]{0,120}\.?|accept\s(?:all\s)?cookies"
        ),
        "cookie banner",
    ),
    LineRule(
        "boilerplate.login",
        ("로그인", "비밀번호", "회원"),
        _line(
            r"로그인(?:이|을)?\s?(?:후|하셔야|하시면|하여야|해야|필요)[^.]{0,40}(?:이용|가능|작성|필요)[^.]{0,20}[.\s]*"
            r"|(?:아이디|id)\s?[/·|,]?\s?(?:비밀번호|pw|password)\s?(?:찾기|저장)?|아이디\s?저장|자동\s?로그인|회원\s?로그인|"
            r"(?:아직\s?)?회원이\s?아니(?:세요|신가요|십니까)\?\s?(?:회원\s?가입(?:하기)?)?"
        ),
        "request to log in: 로그인 후 이용하실 수 있습니다",
    ),
    LineRule(
        "boilerplate.help_site",
        ("help", "this page is", "title is"),
        _line(r"help\scontent\sdebug\sinfo:?|this\spage\sis:\s\S+|title\sis:.{0,300}"),
        "debug lines of help pages: This page is: /text/…",
    ),
    LineRule(
        "boilerplate.help_head",
        ("help",),
        _line(r"[\w+-]+(?:\s[\w+-]+){0,2}\s\d+(?:\.\d+){0,3}\shelp"),
        "first line that is product, version and Help: LibreOffice 7.4 Help",
        head=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Boilerplate of some documents.

    Attributes:
        edits: the cuts by document, for those that have any.
        shares: of each document's bytes what was found, cut or not, float64 [documents].
        over_budget: documents in which more was found than may be cut.
    """

    edits: dict[int, list[Edit]]
    shares: npt.NDArray[np.float64]
    over_budget: int


@lru_cache(maxsize=1)
def _needles() -> tuple[npt.NDArray[np.int16], Longs, tuple[int, ...]]:
    """The automaton of all needles, and for each rule the bits of its own."""
    from corpus.scanning import automaton

    plain = dict.fromkeys(needle.lower() for rule in LINE_RULES for needle in rule.needles)
    numbers = {needle: bit for bit, needle in enumerate(plain)}
    listed = len(numbers)  # all the menu words share this bit
    table, found = automaton([*numbers.items(), *((word, listed) for word in MENU_WORDS)])
    bits = tuple(sum(1 << numbers[needle.lower()] for needle in rule.needles) or 1 << listed for rule in LINE_RULES)
    return table, found, bits


def find_boilerplate(buffer: Bytes, offsets: Longs, budget: float) -> Found:
    """Lines of boilerplate in every document.

    Args:
        buffer: UTF-8 bytes, uint8.
        offsets: bounds of the documents in them, int64 [documents + 1].
        budget: largest share of a document's bytes that may be cut; where more was found nothing is cut.
    """
    from corpus.scanning import all_marked, mark_lines

    table, found, bits = _needles()
    room = int(offsets[-1] - offsets[0]) // 64 + 64
    lines = all_marked(lambda marked: mark_lines(buffer, offsets, table, found, LONGEST_LINE, marked), room)
    documents = len(offsets) - 1
    menu_only = lines[:, 3] == max(bits)
    lines = lines[~menu_only | (lines[:, 2] - lines[:, 1] <= LONGEST_ITEM)]
    few = np.bincount(lines[:, 0], minlength=documents)[lines[:, 0]] < RUN  # no run of menu words can be here
    lines = lines[(lines[:, 3] != max(bits)) | ~few]
    cuts: dict[int, list[Edit]] = defaultdict(list)
    for d, edit in _matches(buffer, offsets, lines, bits):
        cuts[d].append(edit)
    shares = np.zeros(documents)
    for d, edits in cuts.items():
        shares[d] = sum(edit.end - edit.start for edit in edits) / (offsets[d + 1] - offsets[d])
    return Found({d: sorted(cuts[d]) for d in cuts if shares[d] <= budget}, shares, int((shares > budget).sum()))


def _matches(buffer: Bytes, offsets: Longs, lines: Longs, bits: tuple[int, ...]) -> Iterator[tuple[int, Edit]]:
    """The lines that a rule describes, by document and place."""
    run: list[tuple[int, Edit]] = []
    view = buffer.data
    before = -1  # byte after the last menu word's line and the blank lines that follow it
    for d, start, end, hit in lines.tolist():
        rule = _rule_of(bytes(view[start:end]).decode().strip(), hit, start == offsets[d], bits)
        if rule is None:
            continue
        stop = end + (end < offsets[d + 1])  # with its newline
        edit = Edit(start - int(offsets[d]), stop - int(offsets[d]), rule.id)
        if not rule.run:
            yield d, edit
            continue
        if not (run and run[-1][0] == d and not bytes(view[before:start]).strip()):
            if len(run) >= RUN:
                yield from run
            run = []
        run.append((d, edit))
        before = stop
    if len(run) >= RUN:
        yield from run


def _rule_of(line: str, hit: int, head: bool, bits: tuple[int, ...]) -> LineRule | None:
    for rule, needles in zip(LINE_RULES, bits, strict=True):
        if hit & needles and (head or not rule.head) and rule.pattern.fullmatch(line):
            return rule
    return None
