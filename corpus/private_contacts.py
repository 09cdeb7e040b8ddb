"""Ways to reach a person, as written for people alone: 공일공 …, (at), 골뱅이, a messenger's ID; and names.

Names are told by the field they stand in (성명: 홍길동, 예금주 홍길동), never by themselves.
"""

from __future__ import annotations

import re

from corpus.private_anchors import NUMERALS
from corpus.private_context import Context

_VALUES = str.maketrans("공영빵일이삼사오육륙칠팔구oOlI", "000" + "1234566789" + "0011")
_GAP = r"(?:[ \t.,‐-―ㅡ-]{1,3}|[ ]?(?:에|다시)[ ]?)?"
SPELT_PHONE = re.compile(
    rf"(?<![\d{NUMERALS}A-Za-z])[0공영빵oO]{_GAP}[1일lI]{_GAP}[016789공영빵일육륙칠팔구oOlI]"
    rf"(?:{_GAP}[\d{NUMERALS}oOlI]){{7,8}}(?![\dA-Za-z])"
    rf"|(?<![\d{NUMERALS}A-Za-z])[0공영빵oO]{_GAP}[2-7이삼사오육칠](?:{_GAP}[\d{NUMERALS}oOlI]){{7,9}}(?![\dA-Za-z])"
)
_REACHED = r"전화|연락|휴대|핸드폰|번호|문의|문자|상담|팩스|tel|phone|카톡"


def spelt_digits(text: str) -> str:
    """The digits that 공일공 or o1o stand for."""
    return re.sub(r"\D", "", text.translate(_VALUES))


def is_spelt_phone(at: Context) -> bool:
    digits = spelt_digits(re.sub("에|다시", "", at.text))
    if re.fullmatch(r"[\d\W]*", at.text):  # digits alone have shapes of their own
        return False
    spelt = len(re.findall(f"[{NUMERALS}]", at.text))
    if re.match(r"01[016789]\d{7,8}$", digits):
        return spelt != 1 or re.search(r"\s\D$", at.text) is None
    return spelt >= 8 and at.near(_REACHED)


_LOCAL = r"(?<![A-Za-z0-9])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}"
_SPELT_AT = r"(?:[ ]{0,2}(?:골뱅이|[(\[{<][ ]?(?:at|골뱅이|@)[ ]?[)\]}>])[ ]{0,2}|[ ]at[ ])"
_DOT = r"(?:[ ]?(?:\.|[(\[{][ ]?(?:dot|닷|점|\.)[ ]?[)\]}]|닷|쩜|점)[ ]?|[ ]dot[ ])"
_PROVIDER = rf"(?:네이버|지메일|구글|다음|한메일|네이트|핫메일|아웃룩|카카오|야후)(?:{_DOT}(?:컴|콤|넷|com|net)){{0,1}}"
_DOMAIN = (
    rf"(?:[A-Za-z0-9-]{{1,63}}{_DOT}){{1,4}}"
    r"(?:com|net|org|kr|co|ac|go|or|io|me|info|biz|dev|app|ai|example|test|컴|콤|넷)(?![A-Za-z0-9])"
)
SPELT_EMAIL = re.compile(rf"{_LOCAL}{_SPELT_AT}(?:{_DOMAIN}|{_PROVIDER})", re.IGNORECASE)
# hong@네이버, hong @ naver.com, hong@naver점com
LOOSE_EMAIL = re.compile(rf"{_LOCAL}(?:[ ]@[ ]|@)(?:{_DOMAIN}|{_PROVIDER})", re.IGNORECASE)
EMAIL = re.compile(
    r"(?<!\w)\w[\w.%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])",
    re.ASCII,
)


def is_email(at: Context) -> bool:
    return re.match(r"git@|.*@[23]x\.", at.text) is None  # ssh; pictures (icon@2x.png)


MESSENGER = re.compile(r"@?[A-Za-z][A-Za-z0-9_.-]{2,29}[A-Za-z0-9_](?![A-Za-z0-9@]|\.[a-z]{2,3}\b)")
_SERVICE = r"카톡|카카오\s?톡|오픈\s?톡|(?<![가-힣])톡|kakao(?:\s?talk)?|텔레그램|텔레(?![가-힣])|"
_SERVICE += r"(?<![가-힣])텔|telegram|위챗|wechat"
_ID = r"아이디|아뒤|\bid|계정"
_PLAIN_ID = re.compile(
    rf"(?:{_SERVICE})\s?(?:상담|문의|친추|추가)?\s?(?:(?:{_ID})\s?[:：=은는]?|[:：=])\s?[\"'“‘(\[]?$", re.I
)
_NEAR_ID = re.compile(rf"(?:{_SERVICE})\s?(?:으?로)?\s?(?:상담|문의|친추|추가)?\s?[:：(\[→▶]?\s?$", re.I)


def is_messenger(at: Context) -> bool:
    """Said to be an ID, or behind the messenger's name and shaped as nothing else is: @hong, hong_gd77."""
    if re.search(r"채널|플러스\s?친구|\bbot\b", at.before[-12:]):
        return False  # a firm's
    if re.match(r"(?:kakao|telegram|wechat|line|android|iphone|ios|https?|www)\b", at.text, re.I):
        return False
    if _PLAIN_ID.search(at.before):
        return True
    shaped = at.text.startswith("@") or re.search(r"[a-z][\d_]|\d[a-z]", at.text, re.I) is not None
    return shaped and _NEAR_ID.search(at.before) is not None


_SURNAMES = (
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길"
    "연위표명기반왕금옥육인맹제모탁국어은편용"
)
_TAIL = "라고|라는|에|에서|입니다|이며|이고|이다|에게|께서|께|님|씨|이|가|은|는|을|를|의|과|와|로|및"
# Words that begin with a surname and stand in fields of forms and menus.
_NO_NAME = (
    "정보|주소|이름|이전|이후|이상|연락|여기|선택|선정|지정|지위|지역|추가|용도|연결|양식|명의|주장|배우|국방|구분|구성|문자|문의|변경|변호|"
    "전체|전화|전자|기타|기준|공통|공동|안내|안전|현황|현재|조건|조회|신청|신고|성명|성별|인증|인적|유형|유무|표시|표기|제출|제목|남자|여자|"
    "이메일|이용|임의|임시|차량|차이|허용|허가|하나|하는|모두|모든|소속|소유|위치|위임|설정|설명|방법|방문|원본|장소|진행"
)
NAME = re.compile(
    rf"(?<![가-힣])(?:[{_SURNAMES}]|남궁|황보|제갈|선우|독고|사공)[가-힣]{{1,2}}(?=(?:{_TAIL})?(?![가-힣]))"
)
_SET_OFF = r"예금주|담당자|신청인|신청자|수령인|수취인|환자명|고객명|입금자명?|예약자"  # by a space alone
_FIELDS = (
    r"성\s?명|이\s?름|담당|청구인|대표자|대표이사|받는\s?(?:분|사람)|보내는\s?(?:분|사람)|보호자|작성자|주문자|가입자|계약자|"
    r"피보험자|임차인|임대인|매수인|매도인"
)
_FIELD = re.compile(rf"(?:{_SET_OFF}|(?<!파일 )(?:{_FIELDS}))[ ]{{0,2}}[:：=(|][ ]?$|(?:{_SET_OFF})[ \t]{{1,2}}$")


def is_name(at: Context) -> bool:
    """In a field; where only a space sets it off, three syllables, since 신청인 정보 is none."""
    if re.match(_NO_NAME, at.text):
        return False
    field = _FIELD.search(at.before)
    return field is not None and (len(at.text) >= 3 or re.search("[:：=(|]", field[0]) is not None)
