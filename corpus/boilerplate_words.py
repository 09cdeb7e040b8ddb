"""The vocabulary of `corpus/boilerplate_rules.py`: what menus say, and pieces of patterns (names, papers, dates, …).

Patterns are verbose regular expressions; @NAME@ in them is a piece by that name.
"""

from __future__ import annotations

import re

# An underscore is where a space may stand.
_MENU = """
홈 메인 메인으로 처음으로 로그인 로그아웃 회원_가입 회원_정보 마이_페이지 장바구니 주문_조회 주문배송 배송_조회
고객센터 고객지원 공지_사항 이벤트 이용약관 개인정보_처리방침 개인정보_취급방침 개인정보_보호정책 청소년_보호정책
이메일_무단수집거부 이메일주소_무단수집거부 저작권_정책 저작권_보호정책 사이트맵 회사_소개 기업소개 인재채용 채용정보
채용안내 제휴_문의 광고_문의 제휴제안 찾아오시는_길 오시는_길 목록 목록으로 이전_글 다음_글 이전 다음 맨위로 위로
위로가기 검색 통합검색 전체_메뉴 전체_보기 더보기 메뉴 메뉴_열기 닫기 글쓰기 답글 수정 삭제 인쇄 인쇄하기 프린트
스크랩 공유 공유하기 구독 구독하기 즐겨찾기 댓글_쓰기 추천 신고 신고하기 자주_묻는_질문 문의하기 관련사이트
패밀리사이트 본문_바로가기 주메뉴_바로가기 메뉴_바로가기 콘텐츠_바로가기 기사_제보 독자투고 구독신청 신문사소개
윤리강령 고충처리인 top home login logout join sitemap faq q&a contact about english kor eng mypage cart 매체소개
불편신고 저작권보호 회원약관 책임의_한계와_법적고지 운영정책 뷰어다운로드 웹_접근성_정책
영상정보처리기기_운영·관리_방침 하단_바로가기 본문으로_바로가기 대메뉴_바로가기 주메뉴로_바로가기 목록_보기 비추천
관심상품 마이쇼핑 주문배송조회 위시리스트 최근_본_상품 상품상세 상품_후기 상품_문의 배송안내 배송/교환/반품 상세정보
구매후기 상품정보 1:1_문의 전체기사 뉴스홈 카페홈 전체글_보기 인기글 카페_가입하기 프롤로그 안부 방명록 회원_가입하기
아이디_찾기 비밀번호_찾기 id/pw_찾기 아이디/비밀번호찾기 처음 마지막 첫페이지 이전페이지 다음페이지 마지막페이지 맨끝
맨처음 끝 로그인_하기 아이디 비밀번호 비밀번호_확인 비밀번호_재설정 아이디_저장 자동_로그인 쿠키_설정 쿠키_정책
쿠키_안내 필수_쿠키 선택_쿠키 댓글_작성 댓글_달기 댓글 좋아요 싫어요 공감 인기_기사 최신_글 최근_글 최근_댓글
기사_듣기 본문_듣기 글자_크기 번역_설정 음성으로_듣기 쿠키_거부 쿠키_허용 쿠키_정책_보기 페이스북
트위터 카카오톡 카카오스토리 네이버_블로그 네이버_밴드 url_복사 링크_복사 주소_복사 이웃_추가 서로이웃_신청 블로그_홈
포스트 구독자 팔로우 팔로잉 팔로워 상품평 배송비 교환/반품 판매자정보 상품목록 카테고리 쿠폰 적립금 고객상담 포토뉴스
랭킹뉴스 서비스소개
"""
MENU_WORDS = tuple(word.replace("_", blank) for word in _MENU.split() for blank in ("", " ")[: 1 + ("_" in word)])
# A run of menu words without one of these may be any list (인쇄, 삭제, 수정) and must be longer.
SURE_MENU = re.compile(
    r"로그(?:인|아웃)|회원|약관|개인\s?정보|사이트\s?맵|고객\s?(?:센터|지원|상담)|공지\s?사항|마이\s?페이지|바로\s?가기|장바구니|상품|방명록|글쓰기|"
    r"(?:이전|다음)\s?글|주문|(?:회사|기업|매체)\s?소개|댓글\s?(?:쓰기|작성|달기)|기사|url|login|sitemap|join|전체\s?(?:메뉴|글)|듣기|번역\s?설정|쿠키\s?(?:정책|설정)",
    re.IGNORECASE,
)
# Beside such words, in a bar: sections of papers, parts of sites, numbers of pages.
_BESIDE = """
정치 경제 사회 문화 국제 스포츠 연예 오피니언 사설 칼럼 지역 전국 북한 과학 it 생활 세계 산업 증권 부동산 건강 라이프
포토 영상 tv 만평 커뮤니티 알림마당 정보공개 민원 소식 뉴스 자료실 게시판 블로그 메일 카페 지도 서재 태그 관리 통계
한국어 카탈로그 브랜드 베스트 신상품 세일 후기 login/join ko en korean
"""


def _spaced(word: str) -> str:
    return r"\s?".join(map(re.escape, word.replace(" ", "")))


def _any(words: tuple[str, ...]) -> str:
    longest_first = sorted(set(words), key=lambda word: (-len(word), word))
    first = "".join(sorted({word[0] for word in words}))  # most lines fail here, without trying each word
    return f"(?=[{re.escape(first)}])(?:" + "|".join(_spaced(word) for word in longest_first) + ")"


_PIECES = {
    "ITEM": _any(MENU_WORDS),
    "BARRED": "(?:" + _any((*MENU_WORDS, *_BESIDE.split())) + r"(?![가-힣a-z])|\d\d?(?!\d))",
    # atomic: a long bar that fails must fail at once
    "BAR": r"(?>\s*[|>≫»›·ㆍ/ㅣ│]\s*|\s+)",
    "MEDIA": r"(?:신문|일보|뉴스|통신|방송|저널|타임스|미디어|투데이|데일리|경제|매일|닷컴|news|times|press)",
    "STATION": r"""
        (?:kbs|mbc|sbs|ytn|jtbc|tv조선|채널a|mbn|ebs|obs|cbs|tbs|연합뉴스tv|한국경제tv|sbs\s?biz|knn|tbc|g1|bbs
        |cpbc)
        """,
    "PRESS": r"""
        (?:[가-힣a-z0-9]{1,8}(?:신문|일보|뉴스\d{0,2}|통신|방송|저널|타임[스즈]|미디어|투데이|데일리|경제(?:tv)?
        |매일|닷컴|비즈|tv|코리아|포스트|매거진|헤럴드|스포츠|news\d*|times|press)|(?:데일리|뉴스
        |스포츠)[가-힣]{1,4}|연합뉴스|연합인포맥스|뉴시스|뉴스\s?1|한겨레|프레시안|더팩트|이데일리|osen|블로터
        |스포츠서울|아이뉴스24|노컷뉴스|스타뉴스|텐아시아|@STATION@(?:\s?뉴스)?)
        """,
    "REPORTER": r"(?:(?:인턴|수습|선임|객원|시민|[가-힣]{0,4}전문)\s?)?(?:기자|특파원|통신원)",
    "TITLE": r"(?:@REPORTER@|논설위원|편집위원|부장|팀장|차장|pd|에디터)",
    "MAIL": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "FAMILY": "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민"
    "나진지엄채원천방공현함변염여추도소석선설마길",
    "NO_NAME": r"""
        (?!(?:정치|사회|경제|문화|국제|산업|체육|편집|사진|지방|외신|과학|생활|증권|부동산|연예|스포츠)부|신문사
        |방송국|방송사|주간지|월간지|전문지|여성지|잡지사|통신사|지방지|조선족|한국인|전직|현직)
        """,
    "NAME": r"@NO_NAME@[@FAMILY@][가-힣]{2}",
    "ANY_NAME": r"[가-힣]{2,4}",
    "NAMES": r"@ANY_NAME@(?:\s?[,·ㆍ/\s]\s?@ANY_NAME@){0,3}",
    "AND": r"(?:글|사진|취재|정리)(?:\s?[·ㆍ/&,]\s?(?:글|사진|영상|정리))?\s?[=:]?\s?",
    "PLACE": r"[가-힣a-z]{2,8}",
    "DATE": r"(?:(?:19|20)\d\d\s?[.\-/년]\s?\d{1,2}\s?[.\-/월]\s?\d{1,2}\s?[.일]?\s?(?:\([월화수목금토일]\)\s?)?)",
    "CLOCK": r"(?:(?:오전|오후|am|pm)\s?)?\d{1,2}\s?[:시]\s?\d{2}분?(?:\s?:\s?\d{2})?",
    "MOMENT": r"""
        (?:(?:기사\s?)?(?:입력|송고|승인)(?:\s?(?:일시?|시간))?\s?[:：]?\s?@DATE@(?:@CLOCK@)?|(?:최종\s?)?(?:수정
        |등록|업데이트|발행|작성|게시)(?:\s?(?:일시?|시간|일자))?\s?[:：]?\s?@DATE@@CLOCK@)
        """,
    "COUNTS": r"(?:(?:조회|추천|댓글|비추천|스크랩|공감)\s?수?|좋아요|싫어요)\s?[:：]?\s?\d[\d,]{0,8}\s?(?:개|회|건)?",
    "STOCK": r"""
        (?:@PRESS@|게티\s?이미지(?:\s?(?:뱅크|코리아))?|픽사베이|셔터스톡|언스플래시|클립아트코리아|pixabay|unsplash
        |shutterstock|getty\s?images|(?:ap|afp|epa|로이터|신화|교도|upi)(?:\s?[=/]?\s?(?:연합뉴스|뉴시스|뉴스1))?
        |인스타그램|유튜브|페이스북|트위터|sns|방송|화면|홈페이지|온라인\s?커뮤니티)
        """,
    "WHOSE": r"(?:\s?(?:제공|캡처|캡쳐|화면|db|자료사진|자료|영상))?",
    "PARTICULAR": r"""
        (?:(?:상호|법인|회사)명?|제호|사업자\s?(?:등록)?\s?번호|통신판매업?\s?(?:신고)?\s?(?:번호)?|대표(?:이사
        |자)?(?:명)?|(?:인터넷신문|정기간행물|신문)?\s?등록번호|등록일자?|발행일자?|발행인|편집인
        |발행\s?[·ㆍ]?\s?편집인|발행인\s?[·ㆍ]\s?편집인|청소년보호책임자|개인정보\s?(?:보호|관리)?\s?책임자
        |(?:반품)?주소|소재지|전화(?:번호)?|대표전화|고객센터|팩스|fax|tel|e-?mail|이메일|호스팅\s?(?:제공자
        |서비스)?|담당부서|담당자|연락처|최종\s?(?:수정|업데이트)일?)\s?[:：]
        """,
    "NUMBERED": r"""
        (?:사업자\s?(?:등록)?\s?번호\s?[:：]?\s?\d{3}-\d{2}-\d{5}
        |통신판매업?\s?(?:신고)?\s?(?:번호)?\s?[:：]?\s?제?\s?\d{4}-[가-힣]{2,8}-?\d{2,5}호?|사업자\s?정보\s?확인
        |(?:대표)?(?:전화|연락처)(?:번호)?\s?[:：]?\s?\d{2,4}-\d{3,4}(?:-\d{4})?|(?:tel|fax
        |팩스)\s?[.:]?\s?\d{2,3}-\d{3,4}-\d{4}|고객센터\s?[:：]?\s?1\d{3}-\d{4}|평일\s?\d{1,2}:\d{2}
        |점심시간\s?\d{1,2}:\d{2}|등록번호\s?[:：]\s?[가-힣]{2},?\s?[아다가]\s?\d{4,5}|대표이사\s?@NAME@|담당(?:부서
        |자)\s?[가-힣]{2,8}|[(\[]?우?\)?\s?\d{5}[)\]]?\s(?=[가-힣]+(?:시|도)\s))
        """,
    "SHARE": r"""
        (?:페이스북|트위터|카카오(?:톡|스토리)|url\s?복사|네이버\s?(?:블로그|밴드)?|밴드|라인|구글\+?|핀터레스트
        |링크드인|텔레그램|facebook|twitter|kakao(?:talk|story)?|band|x|url|주소|링크|메일|이메일|문자|sns|엑스)
        """,
    "OPEN": r"[\[(<【〈▶☞■◆●▷▲※\-*\s]*",
    "CLOSE": r"[\])>】〉◀\s:]*",
    "NOT_ALLOWED": r"""
        무단\s?(?:전재|복제|배포|사용|도용)(?:\s?(?:및|·|ㆍ|,|와|-|&|/|or)?\s?(?:무단\s?)?(?:재배포|복제|복사|배포
        |수집|이용|전재|재판매|ai\s?학습(?:\s?(?:이용|및\s?활용))?)){0,5}\s?(?:를|을)?\s?(?:등을?\s?)?(?:금지
        |금합니다|엄금|불허|금지합니다|금지됩니다)?
        """,
}


def whole(pattern: str) -> re.Pattern[str]:
    """A verbose pattern with its pieces put in, for lines in small letters: to ignore case costs twice the time."""
    return re.compile(_put(pattern), re.VERBOSE)


def part(pattern: str) -> re.Pattern[str]:
    """A verbose pattern with its pieces put in, compiled for either case."""
    return re.compile(_put(pattern), re.IGNORECASE | re.VERBOSE)


def _put(pattern: str) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda name: _put(_PIECES[name[1]]), pattern)
