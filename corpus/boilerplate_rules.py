"""What lines and parts of lines of Korean pages are boilerplate: the patterns that `corpus/boilerplate.py` looks with.

A pattern describes a whole line, or one end of it, and nothing else; the forms are those of news portals,
broadcasters, blogs, 카페, shops and public offices. What could as well be a heading (로그인, 쿠키 설정) goes only in a
run of such lines. Sources of forms: `tests/corpus/boilerplate_lines.txt`, written after such pages.

The report shows a line of the rules menu_bar, menu_list, related and share as it is, since their patterns are closed
lists of words: nothing may go into these that could match a name or a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from corpus.boilerplate_words import MENU_WORDS, SURE_MENU
from corpus.boilerplate_words import part as _part
from corpus.boilerplate_words import whole as _line

__all__ = ["LINE_RULES", "MENU_WORDS", "SURE_MENU", "LineRule"]


@dataclass(frozen=True, slots=True)
class LineRule:
    """One kind of line.

    Attributes:
        id: dotted, as it stands in edits and counts.
        needles: one of these is in every such line, ASCII in any case; only lines with a needle are looked at.
        pattern: must match the whole line in small letters, without the white space around it, or (`part`) one end of
            it as it is.
        doc: what it cuts.
        run: cut only in a run of such lines (see `boilerplate.RUN`).
        head: cut only as the document's first line.
        part: the line, or only its beginning or end: then `pattern` has a group `cut`, and the rest of the line stays.
    """

    id: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    doc: str
    run: bool = False
    head: bool = False
    part: Literal["line", "start", "end"] = "line"


def _words(alternatives: str) -> tuple[str, ...]:
    return tuple(alternatives.split("|"))


LINE_RULES = (
    LineRule(
        "boilerplate.reprint",
        _words("재배포|무단전재|무단 전재|무단복제|무단 복제|무단 배포|무단 도용|db 금지|db금지|불펌"),
        _line(
            r"""
            (?!(?:이|저작권)\s?법[은이]\s)(?:[<\[(【〈※*▶ⓒ©\s-](?:[^.!?。]|\.(?=com|co\.|kr|net)){0,60}(?:\.\s?)?|(?:저작권|copyrights?|본지?|이
            |모든|해당|ⓒ|©|\(c\))[^.!?。]{0,60}(?:\.\s?)?(?:all\s+rights?\s+reserved[.\s]*)?
            |[^.!?。]{0,20}@MEDIA@[^.!?。]{0,10}
            |@PRESS@의\s모든\s콘텐[츠트](?:\([가-힣]+\))?는\s저작권법의\s보호를\s받[가-힣]{1,3},\s)?@NOT_ALLOWED@[\s.。>\])】〉®ⓒ©-]*(?:ⓒ\s?@PRESS@)?
            |[*※\s]*재판매\s?및\s?db\s?금지[.\s]*|[*※\s]*불펌\s?(?:금지|엄금)[.!\s]*
            """
        ),
        "notice that reprinting is forbidden: 무단전재 및 재배포 금지",
    ),
    LineRule(
        "boilerplate.copyright",
        _words("ⓒ|©|copyright|(c)|저작권자|all rights reserved|all right reserved|powered by|designed by|hosting by"),
        _line(
            r"""
            [<\[(【〈]?\s*(?:저작권자|copyrights?)\s*(?=ⓒ|©|\(c\)|[:：]|by\s|19\d\d
            |20\d\d)(?!.*[다요까][.?!]?\s*$)(?:ⓒ|©|\(c\)|[:：]|by|19\d\d|20\d\d|\s){1,6}[^.!?]{0,100}(?:[.,]\s?(?:co
            |ltd|inc|com|net|kr|corp)\b\.?[^.!?]{0,40}){0,3}(?:[.,\s]*all\s+rights?\s+reserved)?[\s.>\])】〉]*
            |[<\[(【〈]?\s*(?:ⓒ|©|\(c\)\s*(?:19|20)\d\d)[^.!?]{0,80}\.?\s?(?:무단.{0,30}|all\s+rights?\s+reserved
            |reserved|@MEDIA@|[a-z]\s(?:corp|inc|ltd)|뱅크|게티이미지)[\s.>\])】〉]*|[<\[(]?\s*(?:ⓒ|©)\s?(?:(?:19
            |20)\d\d\.?\s)?(?:@STOCK@(?:\.com|\.co\.kr)?|[a-z0-9& ]{2,30}(?:corp|inc|(?:co\.,\s?)?ltd)\b)[\s.>\])]*
            |[<\[(]?\s*(?:ⓒ|©)\s?(?:19|20)\d\d\s[^.!?]{2,30}(?:co\.,\s?ltd|inc)\b[\s.>\])]*|[<\[(]?\s*(?:ⓒ|©
            |copyrights?|\(c\))[^!?]{0,120}all\s+rights?\s+reserved[\s.>\])】〉]*|\w{2,20}\s©\s[\w& ]{2,30}\scorp\.?
            |[^.!?]{0,60}all\s+rights?\s+reserved(?:\sby\s[^.!?]{1,40})?[\s.>\])】〉]*|(?:powered|designed
            |hosting)\sby\s[\w ]{2,20}(?:,\s?designed\sby\s[\w ]{2,20})?\.?
            """
        ),
        "notice of copyright: ⓒ 한국일보, Copyright 2024 … All rights reserved",
    ),
    LineRule(
        "boilerplate.byline",
        _words("기자|특파원|통신원|논설위원|부장 |뉴스팀|뉴스부|편집국|기사제공"),
        _line(
            r"""
            [/(\s]*(?:[(\[<【][^)\]>】]{1,30}[)\]>】]\s*)?(?:(?:@AND@|(?:@PRESS@|@PLACE@)\s?[=|/·]\s?
            |@PRESS@\s)?@NAMES@\s?@TITLE@\s*[=:|/·]?\s*[(\[<]?\s*@MAIL@\s*[)\]>]?|@NAMES@\s?@REPORTER@\s*=
            |기자\s@ANY_NAME@\s@MAIL@|(?:@AND@|(?:@PRESS@|@PLACE@)\s?[=|]\s?
            |@PRESS@\s)?@NAME@(?:\s?[·ㆍ,]\s?@NAME@){0,3}\s?@REPORTER@(?:,\s?@NAME@\s?기자)?)\)?\s*(?:의?\s?(?:기사\s?더\s?보기
            |구독(?:하기)?|다른\s?기사\s?보기|페이지|프로필))?
            |[\[(【](?:@PRESS@\s?[=|·\s]?\s?)?(?:@PLACE@\s?=\s?)?@NAME@\s?@REPORTER@[\])】]\s?(?:@MAIL@)?
            |(?:@PRESS@\s)?(?:온라인|디지털)\s?(?:뉴스|편집)\s?(?:팀|부)(?:\s@MAIL@)?|@PRESS@\s편집국(?:\s@MAIL@)?
            |기자\s?프로필|기사제공\s?[:：]?\s?@PRESS@
            """
        ),
        "byline alone on its line: 홍길동 기자 gildong@example.kr",
    ),
    LineRule(
        "boilerplate.dateline",
        _words(
            "입력 2|입력 :|입력:|입력일|입력시간|수정 2|수정 :|수정:|수정일|승인 2|승인 :|승인:|등록 2|등록 :|등록:"
            "|등록일|송고|업데이트 2|업데이트 :|발행일|발행 2|작성일|작성 2|작성자|조회|댓글 |댓글수|추천 |추천수"
            "|좋아요 |싫어요 |공감 "
        ),
        _line(
            r"""
            (?:작성자\s?[:：]?\s?\S{1,12}[\s|·]*)?@MOMENT@(?:[\s|,/·]*@MOMENT@){0,2}(?:[\s|,/·]*@COUNTS@){0,4}
            |작성자\s?[:：]?\s?\S{1,12}[\s|·]*작성일\s?[:：]?\s?@DATE@(?:[\s|,/·]*@COUNTS@){1,4}
            |@COUNTS@(?:[\s|,/·]*@COUNTS@){0,4}
            """
        ),
        "when a page was entered and how often read: 입력 2024.05.01 12:34 | 수정 …, 조회수 123",
    ),
    LineRule(
        "boilerplate.sign_off",
        _words(
            "kbs|mbc|sbs|ytn|jtbc|tv조선|tv |채널a |mbn|ebs|obs|cbs|tbs|뉴스 |신문 |일보 |데일리|투데이 |경제 "
            "|기자입니다|기자였습니다|전해드렸습니다|전해 드렸습니다|보도합니다|보도입니다|취재했습니다|영상취재"
            "|영상편집|촬영기자|그래픽|vj"
        ),
        _line(
            r"""
            (?:지금까지\s)?(?:[가-힣\s]{2,20}에서\s)?(?:@STATION@(?:\s?뉴스)?
            |@PRESS@),?\s@NAME@(?:\s?[(\[]@MAIL@[)\]])?입니다\.?(?:\s?[(\[]@MAIL@[)\]])?
            |지금까지\s[가-힣\s]{2,20}에서\s(?:@NAME@\s?기자가\s)?전해\s?드렸습니다\.?|(?:지금까지\s
            |보도에\s)?@NAME@\s(?:기자|특파원)(?:였습니다|입니다|가\s(?:보도|취재)(?:합니다|했습니다)|이\s보도합니다
            |의\s보도입니다)\.?|\(?(?:(?:영상\s?(?:취재|편집|촬영)|촬영\s?기자|그래픽|vj
            |화면\s?제공)\s?[:=/|]?\s?(?:기자\s)?@NAME@(?:\s?기자)?(?:[,·\s]\s?@NAME@)?[\s,/|·]*){1,4}\)?
            """
        ),
        "a broadcaster's sign-off and credits: 지금까지 국회에서 KBS 뉴스 홍길동입니다.",
    ),
    LineRule(
        "boilerplate.caption",
        _words("사진|이미지|그래픽|일러스트|제공]|캡처|[촬영|=연합뉴스|=뉴시스|[자료|[영상|[출처"),
        _line(
            r"""
            [/\s]*(?:[\[(<【]\s?(?:사진|이미지|그래픽|영상|일러스트|삽화|자료|출처)\s?(?:제공|출처|캡처
            |자료)?\s?[=|:：ㅣ]\s?[^.!?\])]{1,40}[\])>】]|(?:사진|이미지|그래픽|일러스트|삽화)\s?(?:제공|출처
            |캡처)?\s?=\s?(?![^=]*다\.?$)[^.!?]{1,25}(?:\s@MAIL@)?|(?:사진|이미지|그래픽)\s?(?:제공|출처
            |캡처)?\s?[|:：ㅣ]\s?@STOCK@@WHOSE@|사진\s?제공\s?[|:：]\s?[가-힣()㈜a-z ]{2,20}
            |사진\s@NAME@\s기자(?:\s@MAIL@)?)|[\[(](?:ap|afp|epa|로이터|신화|타스|교도|upi|블룸버그
            |게티이미지)\s?[=/]\s?@PRESS@[^\])]{0,20}[\])]|\[[^\]]{0,20}(?:@STOCK@|공사|공단|[가-힣]청|[시군구]청
            |대학교?|병원|전자|자동차|그룹|협회|센터|재단|은행|박물관|미술관|경찰서?|소방서|위원회|연구원
            |엔터테인먼트)\s(?:제공|캡처|자료\s?사진)\]|[\[(]?@PRESS@\s?자료\s?사진[\])]?|\[촬영\s@ANY_NAME@\]
            """
        ),
        "whose picture it is: [사진=연합뉴스], 사진 제공 = 한국관광공사",
    ),
    LineRule(
        "boilerplate.tip",
        _words(
            "제보|구독|카카오톡|네이버|채널 추가|바로가기|바로 가기|앱 다운|보러 가기|보러가기|뉴스레터|▷ 전화"
            "|▷전화|[전화]|[메일]|▷ 이메일|▷이메일|이메일 :|이메일:|▷ 홈페이지"
        ),
        _line(
            r"""
            [▶☞■◆●※▷\s]+[^.!?]{0,40}(?:제보하기|제보해\s?주세요|제보\s?바랍니다|구독하기|구독하세요
            |구독해\s?주세요|채널\s?추가(?:하기)?|친구\s?추가(?:하기)?|보러\s?가기|바로\s?가기|앱\s?다운(?:받기
            |로드))[^.!?]{0,30}[!.]?[◀◆\s]*|[■◆※]\s?@PRESS@\s제보|[▷■※▶]\s?(?:카카오톡
            |카톡)\s?[:：][^.!?]{1,40}|[▷■※▶]\s?(?:전화|이메일|메일|홈페이지
            |뉴스\s?제보)\s?[:：]\s?[\d,\s\-@\w.:/+]{4,60}|\[(?:카카오톡|전화|메일|이메일|온라인
            |홈페이지)\]\s?(?:@PRESS@(?:을|를)?\s검색해?[^.!?]{0,20}|[\d\s\-]{7,16}|@MAIL@|\S{4,40})
            |[※'\"‘“\s]*당신의\s(?:제보가\s뉴스가\s됩니다|이야기를\s제보해\s?주세요)[.!'\"’”\s]*
            |[※\s]*@PRESS@[는은]\s여러분의\s제보[^.!?]{1,40}[.!]?|[▶※\s]*(?:제보는|제보하기)\s?[▷:]?\s?(?:카카오톡
            |카톡)\s\w{2,20}|(?:@PRESS@\s)?(?:기사\s?|뉴스\s?|이메일\s?)?(?:제보|보도자료)(?:\s?(?:및
            |·)\s?(?:기사\s?제보|보도자료))?\s?[:：]?\s@MAIL@|(?:이메일|카카오톡|메일)\s?[:：]\s?(?:@\S{2,20}|@MAIL@)
            |(?:네이버(?:\s메인)?에서|카카오톡(?:에서|으로)?|유튜브에서)\s@PRESS@\s?(?:을|를)?\s?(?:구독|바로\s?가기
            |친구\s?추가|만나)[가-힣]*|(?:(?:네이버|카카오톡|유튜브|@PRESS@)\s?){0,3}(?:채널\s?)?(?:구독|추가)하기
            |뉴스레터\s?(?:구독(?:하기)?|신청(?:하기)?)
            """
        ),
        "call to send tips or subscribe: ▶ 네이버에서 … 구독하기, ▷ 전화 : 02-123-4567",
    ),
    LineRule(
        "boilerplate.share",
        _words("공유|보내기|퍼가기|스크랩|글자|글씨|폰트|url|프린트|인쇄|복사|가 가 가"),
        _line(
            r"""
            (?:@SHARE@(?:\s?(?:으로|로|에|\(으\)로))?\s?(?:공유(?:하기)?|보내기|기사\s?보내기|퍼가기|복사(?:하기)?|share
            |전송)[\s,|·/]*){1,12}|(?:@SHARE@[\s,|·/]+){2,12}(?:@SHARE@\s?)?(?:공유(?:하기)?|복사(?:하기)?
            |보내기)[\s]*(?:공유하기)?|(?:sns\s?|이\s?글\s?|게시글\s?|다른\s?)?(?:기사\s?)?(?:공유하기|퍼가기|스크랩하기
            |인쇄하기|프린트하기|공유\s?찾기)(?:\s?(?:닫기|열기|버튼))?|기사\s?공유|공유\s닫기|클립보드에\s?복사
            |이\s?글이\s?(?:좋으셨다면|마음에\s?드셨다면|도움이\s?되셨다면)\s?(?:공유|공감)(?:하기)?|(?:본문\s
            |이\s기사의\s본문\s)?(?:글자|글씨|폰트)\s?(?:크기|사이즈)?\s?(?:(?:(?:글자|글씨
            |폰트)\s?(?:크기)?\s?)?(?:조절|변경|설정|키우기|줄이기|크게|작게|보통|확대|축소)[\s,|·/]*){1,4}
            |가(?:\s가){2,4}
            """
        ),
        "buttons to share, print or resize: 페이스북 공유하기",
    ),
    LineRule(
        "boilerplate.menu_bar",
        (
            *_words(
                "로그인|로그아웃|회원가입|이용약관|개인정보|사이트맵|고객센터|공지사항|이전글|이전 글|마이페이지"
                "|바로가기|바로 가기|전체메뉴|장바구니|상품후기|상품문의|구매후기|전체기사|전체글보기|프롤로그|방명록"
                "|글쓰기|sitemap|login|비추천|비밀번호 찾기|이전페이지|신고 스크랩|수정 삭제|마지막|1 2 3"
            ),
            *("수정 |", "수정|", "| 삭제", "|삭제", "ㅣ 삭제", "ㅣ삭제", "│ 삭제", "│삭제", "> 삭제", ">삭제"),
        ),
        _line(
            r"""
            [|>\s·]*@BARRED@(?:@BAR@@BARRED@){2,40}[|>\s·]*|@ITEM@(?>\s*[|ㅣ│>]\s*)@ITEM@|로그인\s?/\s?회원\s?가입
            |(?:(?:맨\s?)?처음\s|이전\s)?\[?1\]?(?:\s\d\d?){2,}(?:\s(?:다음|맨\s?끝|끝|마지막)(?:\s?페이지)?){1,2}
            """
        ),
        "menu words in a row: 홈 | 로그인 | 회원가입; 회사소개 | 이용약관 | 개인정보처리방침",
    ),
    LineRule(
        "boilerplate.footer",
        _words(
            "사업자등록번호|사업자 등록번호|사업자번호|통신판매업|대표이사|대표자|등록번호|발행인|대표전화|팩스"
            "|fax|고객센터|책임자|담당부서|소재지|전화 :|전화:|주소 :|주소:"
        ),
        _line(
            r"""
            (?!.*[다요죠까]\.?\s*$)(?!.*(?:ip|mac|서버|메모리|url|웹|시작|도메인
            |이더넷)\s?주소)(?=.*?(?P<one>@PARTICULAR@|@NUMBERED@).*?(?!(?P=one))(?:@PARTICULAR@|@NUMBERED@)).{1,300}
            """
        ),
        "footer with two or more of a firm's particulars: 대표이사: … | 사업자등록번호: …",
    ),
    LineRule(
        "boilerplate.survey",
        _words("만족하|불만족"),
        _line(
            r"""
            (?:이|현재|본)\s?(?:페이지|화면)(?:에서\s?제공하는|의)\s?(?:정보|내용)에\s?(?:대(?:하여
            |해)\s)?(?:얼마나\s)?만족하(?:십|셨습|시)니까\?|매우\s?만족\s만족\s보통\s(?:불만족\s매우\s?불만족
            |불만\s매우\s?불만)
            """
        ),
        "a public office's question under its page: 이 페이지에서 제공하는 정보에 만족하십니까?",
    ),
    LineRule(
        "boilerplate.related",
        _words(
            "관련기사|관련 기사|관련뉴스|관련 뉴스|관련글|관련 글|연관기사|연관 기사|인기기사|인기 기사|인기뉴스"
            "|인기 뉴스|인기글|인기 게시글|많이 본|주요뉴스|주요 뉴스|추천기사|추천 기사|추천뉴스|추천 뉴스"
            "|추천글|이 기사|이 시각|최신기사|최신 기사|최신뉴스|최신글|최근글|최근 글|최근댓글|최근 댓글|핫이슈"
            "|핫뉴스|베스트 기사|다른 기사|다른 글|함께 보|함께 볼|함께 읽|당신이|포토뉴스|포토 뉴스|동영상 뉴스"
            "|랭킹뉴스|댓글 많은|이전 기사|다음 기사|이전글|다음글"
        ),
        _line(
            r"""
            @OPEN@(?:(?:이\s?기사와\s?)?관련(?:된)?\s?(?:기사|뉴스|글)|연관\s?기사|(?:실시간|주간
            |일간)?\s?인기\s?(?:기사|뉴스|글|게시글)|베스트\s?기사|추천\s?(?:기사|뉴스|글)|(?:오늘의
            |분야별)?\s?주요\s?뉴스|(?:오늘의\s?)?핫\s?(?:이슈|뉴스)|(?:최신|최근)\s?(?:기사|뉴스|글|댓글)|(?:가장
            |실시간|오늘|이\s?기사를\s?본\s?독자들이)?\s?많이\s?본\s?(?:기사|뉴스)|이\s?시각\s?(?:주요|많이\s?본
            |인기)\s?(?:기사|뉴스)|이\s?기사(?:를|의)?\s?(?:추천합니다|공유합니다|댓글|좋아요)|당신이\s(?:좋아할
            |관심\s?있을)\s?만한\s(?:기사|콘텐츠|뉴스|글)|함께\s?(?:보면|읽으면|볼|읽을)\s?(?:좋은|만한)\s(?:기사|글
            |뉴스)|(?:기자의\s|이\s블로그의\s|(?:이
            |같은)\s카테고리의\s)?다른\s?(?:기사|글)(?:\s?(?:더\s?)?보기)?|(?:포토|동영상|랭킹)\s?뉴스
            |댓글\s?많은\s?뉴스|(?:이전|다음)\s?(?:기사|글))\s?(?:더\s?보기|보기|목록)?@CLOSE@
            """
        ),
        "headings of lists of other articles: [관련기사], 많이 본 뉴스",
    ),
    LineRule(
        "boilerplate.category",
        ("카테고리의 다른 글",),
        _line(r"['‘“\"][^'’”\"]{1,30}['’”\"]\s카테고리의\s다른\s글(?:\s(?:더\s)?보기)?"),
        "a blog's list of what else is in a category: '일상' 카테고리의 다른 글",
    ),
    LineRule(
        "boilerplate.cookie",
        _words("쿠키|cookie"),
        _line(
            r"""
            (?:(?:이|본|저희|당사|우리)\s?(?:웹\s?)?(?:사이트|페이지|홈페이지)?|당사\s웹사이트)(?:는|은
            |에서는)[^.]{0,60}쿠키(?:를|\(cookies?\)를)\s?(?:사용합니다|사용하고\s?있습니다
            |수집합니다)[.\s]*(?:[^.]{0,60}동의[^.]{0,30}[.\s]*)?(?:확인|동의|닫기)?
            |(?:이\s?(?:웹\s?)?사이트를\s)?계속\s?(?:이용|사용|탐색)하(?:면
            |시면)\s쿠키\s?사용에\s동의하는\s것[^.]{1,20}[.\s]*|(?:모든\s?)?쿠키(?:\s?(?:사용|정책))?(?:에)?\s?(?:동의
            |모두\s?허용|수락)(?:합니다|하기)?|(?:모든|필수)\s쿠키(?:만)?\s?(?:동의|허용|거부|수락|사용)(?:하기)?
            |모두\s허용\s쿠키\s설정|쿠키\s?설정\s?(?:관리|변경)|(?:we|this\s(?:web)?site)\suses?\scookies[^.]{0,120}\.?
            |by\scontinuing\sto\suse\s[^.]{1,40}cookies\.?|(?:accept|reject|allow)\s(?:all\s)?cookies|manage\scookies
            |cookie\s(?:settings|policy|preferences)
            """
        ),
        "cookie banner",
    ),
    LineRule(
        "boilerplate.login",
        _words(
            "로그인|비밀번호|회원|계정이|권한이 없습니다|댓글을|댓글이|첫 댓글|첫 번째 댓글|비밀글|id 저장"
            "|아이디 저장|아이디저장|id/pw"
        ),
        _line(
            r"""
            로그인(?:이|을)?\s?(?:후|하셔야|하시면|하여야|해야|필요|하셔야만)[^.]{0,40}(?:이용|가능|작성|필요|남길
            |쓸)[^.]{0,20}[.\s]*|로그인이\s필요(?:한\s(?:서비스|메뉴|페이지)입니다
            |합니다)[.\s]*(?:로그인\s?하시겠습니까\?)?|로그인\s?하시겠습니까\?|로그인(?:을)?\s?해\s?주(?:세요
            |십시오)[.!]?|로그인\s(?:상태\s)?유지|로그인\s?(?:정보\s?저장|폼)|(?:아이디|id)\s?[/·|,]?\s?(?:비밀번호|pw
            |password)\s?(?:찾기|저장)?|(?:아이디|id)\s?저장|자동\s?로그인|비?회원\s?로그인|비회원\s?(?:주문\s?조회
            |구매하기)|(?:간편|소셜)\s?로그인|(?:네이버|카카오톡?|구글|페이스북|애플|sns)\s?(?:아이디|계정)?(?:으로
            |로)?\s로그인(?:하기)?|(?:아직\s?)?회원이\s?아니(?:세요|신가요|십니까)\?\s?(?:회원\s?가입(?:하기)?)?
            |회원\s?가입이\s필요합니다\.?|(?:이미\s)?(?:계정이\s(?:없으신가요|있으신가요)
            |회원이신가요)\?\s?(?:회원\s?가입|로그인)?(?:하기)?
            |(?:글쓰기\s)?권한이\s없습니다\.(?:\s?로그인[^.]{0,15}\.?)?|댓글을\s(?:작성하려면|쓰려면|남기려면
            |등록하려면)\s로그인[^.]{1,15}\.?|댓글을\s입력(?:해\s?주세요|하세요)\.?|이름\s비밀번호\s댓글\s?(?:달기|쓰기)
            |(?:등록된|작성된)\s댓글이\s없습니다\.?|첫\s?(?:번째\s)?댓글을\s(?:남겨\s?(?:보세요|주세요)
            |작성해\s?주세요)[.!]?|비밀글\s?입니다\.?
            """
        ),
        "request to log in: 로그인 후 이용하실 수 있습니다",
    ),
    LineRule(
        "boilerplate.help_site",
        _words("help|this page is|title is"),
        _line(r"help\scontent\sdebug\sinfo:?|this\spage\sis:\s\S+|title\sis:.{0,300}"),
        "debug lines of help pages: This page is: /text/…",
    ),
    LineRule(
        "boilerplate.help_head",
        _words("help"),
        _line(r"[\w+-]+(?:\s[\w+-]+){0,2}\s\d+(?:\.\d+){0,3}\shelp"),
        "first line that is product, version and Help: LibreOffice 7.4 Help",
        head=True,
    ),
    LineRule(
        "boilerplate.menu_list",
        (),  # the words themselves
        _line(r"[·•▶>\-*]?\s?@ITEM@(?:\s\d{1,3})?"),
        "menu words on lines of their own, three or more one after the other (five, where they could be any list)",
        run=True,
    ),
    LineRule(
        "boilerplate.lead",
        _words("기자|특파원|통신원|뉴스]|뉴스)|뉴스】|시스]|시스)|시스】|뉴스1|신문]|신문)|일보]|일보)|경제]"),
        _part(
            r"""
            \s*(?P<cut>(?:[(\[【][^)\]】\n]{0,20}=\s?(?:@PRESS@)[)\]】]\s?(?:@NAMES@\s?@REPORTER@\s?=\s?)?
            |[\[(【](?:@PRESS@(?:\([가-힣]{2,6}\))?\s?[=|·ㅣ\s]\s?)?(?:@PLACE@(?:,|\s?=
            |\s)\s?)?@NAMES@\s?@REPORTER@[\])】]\s?
            |(?:@PLACE@\s?=\s?)?@NAME@(?:\s?[·ㆍ,]\s?@NAME@){0,3}\s@REPORTER@\s=\s))(?=\S.*[가-힣])
            """
        ),
        "byline before a sentence: (서울=연합뉴스) 홍길동 기자 = …",
        part="start",
    ),
    LineRule(
        "boilerplate.tail",
        _words("기자|특파원|재배포|무단|사진=|사진 =|사진제공|사진 제공|자료사진|제공]"),
        _part(
            r"""
            (?<=[.!?다요”\"'’)\]])(?P<cut>\s*(?:[/\[(<]?\s?(?:@PRESS@[\s=|·])?(?:@PLACE@\s?=\s?)?@NAMES@\s?@TITLE@\s*[=:|/·]?\s?[(\[<]?@MAIL@[)\]>]?
            |[<\[(]\s?(?:저작권자|ⓒ|©|copyright)[^<\[(\])>]{0,50}@NOT_ALLOWED@[^<\[(\])>]{0,15}[>\])]|[\[(<]\s?(?:사진
            |이미지|그래픽|영상)\s?(?:제공|출처|캡처|자료)?\s?[=:|]\s?[^\])>]{1,40}[\])>]
            |/\s?사진\s?(?:제공)?\s?=\s?[^.!?/]{1,25}|\[@PRESS@\s?(?:제공|자료\s?사진)\]))\s*$
            """
        ),
        "byline, credit or notice behind the last sentence of a line: … 밝혔다. 홍길동 기자 gildong@example.kr",
        part="end",
    ),
)
