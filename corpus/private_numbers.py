"""Numbers of persons and of firms: whether digits of the right shape are one, by check digit and by what stands around.

`corpus/identifiers.py` has their shapes. Sources: 주민등록법 시행규칙 (form and check digit; since October 2020
the last six digits of new numbers are random, so a failing check digit clears nothing), 전기통신번호관리세칙
(telephone numbers), ISO/IEC 7812-1 (cards).
"""

from __future__ import annotations

import re

from corpus.check_digits import brn_check_digit, ean13, luhn, rrn_check_digit
from corpus.private_context import BETWEEN, THING, Context

_PERSON = r"주민\s?(?:등록)?\s?번호|외국인\s?등록\s?번호|거소\s?신고\s?번호|resident\s?registration|\brrn\b"
_CORPORATION = r"법인\s?(?:등록)?\s?번호"
_BARCODE = r"바코드|barcode|\bisbn|\bean\b|\bjan\b|\bupc\b|\bgtin\b"
_KEY = r"[\"'](?:\w*_)?(?:id|no|num|number|code|key|seq|sku|size|hash|uid|ts)[\"']\s*[:=]\s*[\"']?$"  # of JSON
_SOLD = r"바코드|상품|제품|재고|단가|가격|\d원|\d개|\d+\s?(?:g|kg|ml|l)\b|수량"
_MOMENT = (
    r"(?:time|date|stamp|epoch|expires?|_at|\bts|\bt|\bid|타임스탬프|밀리초|1[4-9]\d{11}[\s,])"
    r"\w*[\"']?\s*[=:(]?\s*[\"']?$"
)
_ADDRESS = r"(?:https?://|www\.)\S*$|[?&][\w-]+=$"
_FILE = r"[\w-]*\.(?:jpe?g|png|gif|webp|bmp|html?|mp[34]|pdf|zip|hwpx?|xlsx?)\b"
BANK_NAMES = (
    r"(?:국민|신한|우리|하나|기업|산업|외환|씨티|부산|대구|경남|광주|전북|제주|수출입|한국씨티|저축|im|아이엠)\s?은행|"
    r"농협|수협|신협|새마을\s?금고|우체국|카카오\s?뱅크|케이\s?뱅크|토스\s?뱅크|카뱅|케뱅|토뱅|im\s?뱅크|sc\s?제일|"
    r"(?<![a-z])(?:kb|ibk|nh|kdb)(?![a-z])|산림\s?조합"
)
_BANKS = BANK_NAMES + r"|계좌|예금주|입금|송금|무통장"
_SHORT_BANKS = r"국민|신한|우리|하나|기업|카카오|토스|케이|부산|대구|경남|광주|전북|제주|씨티|새마을|계좌(?:\s?번호)?"
_COUNTED = r"\s?(?:원|달러|개|건|명|회|%|바이트|bytes?\b|kb\b|mb\b|㎡|밀리초|ms\b)"


def _label(at: Context) -> str:
    """The last label before the number: of those that share the shape, the nearest one says which it is."""
    if re.search(r"[^\d\s]", at.line) is None:  # in a column of numbers
        return ""
    labels = re.findall(f"(?:{_PERSON})|(?:{_CORPORATION})|(?:{THING})", at.before, re.IGNORECASE)
    return labels[-1] if labels else ""


def is_corporation(at: Context) -> bool:
    """Labelled as a firm's, and nobody named in between (법인번호 없음, 대표자 900101-1234567)."""
    if re.match(rf"\s?\(\s?{_CORPORATION}", at.after):
        return True
    if "법인" not in at.before:
        return False
    between = re.search(rf"{_CORPORATION}{BETWEEN}", at.before)
    return between is not None and re.search(r"대표|성명|이름|주민", between[0]) is None


def _no_persons(at: Context) -> bool:
    """Whether what stands around digits of a registration number's shape says that they are no person's."""
    if at.of_a_thing():
        return True
    if "\t" in at.text:  # of a table of large numbers: neither 010 nor a row's number stands beside it
        return re.search(r"(?<!\d)[1-9]\d{3,}\t$", at.before) is not None or (
            re.match(r"\t[1-9]\d{3,}(?![-\d])", at.after) is not None
        )
    if not at.tight():
        return False
    digits = at.digits
    return (
        _said_otherwise(at)
        or (ean13(digits) and re.match("880|45|49|69", digits) is not None)  # of Korea, Japan, China; 97x is no date
        or re.search("[A-Za-z]$", at.before) is not None
        or re.match(rf"[A-Za-z]|{_COUNTED}", at.after, re.IGNORECASE) is not None
    )


def _said_otherwise(at: Context) -> bool:
    """Whether a label says of 13 digits without groups that they are a barcode, a moment, an account, a key."""
    digits = at.digits
    return (
        at.of_a_thing()
        or (re.match("1[4-9]", digits) is not None and re.search(_MOMENT, at.before, re.IGNORECASE) is not None)
        or re.search(f"{_KEY}|{_ADDRESS}", at.before, re.IGNORECASE) is not None
        or re.match(_FILE, at.after, re.IGNORECASE) is not None
        or len(set(digits)) <= 2  # 1010101010101
        or (digits.startswith("880") and (at.near(_BARCODE) or (ean13(digits) and at.near(_SOLD))))
        or at.labelled(f"{BANK_NAMES}|{_SHORT_BANKS}")
    )


def is_rrn(at: Context) -> bool:
    """A label decides; else the date must fit, and then a failing check digit clears nothing, only the context does."""
    if is_corporation(at):
        return False
    if re.fullmatch(_PERSON, _label(at), re.IGNORECASE) or re.match(rf"[\s(]*(?:{_PERSON})", at.after, re.IGNORECASE):
        return True
    digits = at.digits
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]):
        return False
    if re.fullmatch(r"\d{6}\.\d{7}", at.text):  # more often a decimal: only with a label
        return False
    if at.tight() and _said_otherwise(at):
        return False
    valid = rrn_check_digit(digits)
    if at.near(_BARCODE) and (ean13(digits) or not valid):
        return False
    # Born in the 1800s (9, 0): none of these numbers is young enough to have a random tail.
    return valid or (digits[6] not in "09" and not _no_persons(at))


def is_card(at: Context) -> bool:
    if at.tail() or (at.digits[0] not in "34569" and not 2221 <= int(at.digits[:4]) <= 2720):
        return False
    if at.of_a_thing() and not at.labelled(r"카드\s?번호"):
        return False
    # Columns of a table, set apart by tabs or wide gaps, pass for one as easily as digits without any groups.
    columns = re.search(r"\t|  ", at.text) is not None
    return luhn(at.digits) and (not (at.tight() or columns) or at.near(r"카드|결제|card|visa|master"))


_REGIONS = "서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주"


def is_license(at: Context) -> bool:
    if not at.tight() and 11 <= int(at.digits[:2]) <= 28 and len(at.digits) == 12:
        return not at.of_a_thing()
    return at.near(r"면허") or (not at.tight() and re.search(rf"(?:{_REGIONS})\s?-?\s?$", at.before) is not None)


_PHONE_WORDS = (
    r"전화|연락|휴대|핸드폰|폰\s?번호|문의|팩스|상담|예약|☎|☏|📞|📱|tel|fax|phone|mobile|"
    r"\bh\.?p\b|\bt\b|\bm\b|\bf\b|\bc\.?p\b"
)
_VERSION = r"버전|\bver(?:sion)?\b|\bv$|릴리스|빌드|\bbuild|\brelease|펌웨어|firmware|업데이트"


def is_phone(at: Context) -> bool:
    if at.tail() or (
        re.match(r"82\d|82.*\t", at.text) and not re.match(r"8210\d{8}$", at.text)
    ):  # 3202, 8210, 4703, 9542 in columns
        return False
    local = re.sub(r"^(?:\+?82|0082|00182)0?", "0", at.digits)
    if at.of_a_thing() and (at.tight() or not re.match(r"01[016789]", local)):
        return False
    if re.match(r"01[016789]|050", local):
        return len(local) in (10, 11, 12) and not (at.tight() and re.match(r"[A-Za-z]|\s?원", at.after))
    # In 2024-02-1234-5678 it is no area code, in the list 1.02-123-4567 it is.
    if re.search(r"\d[-.]$", at.before) and not re.search(r"(?:^|\s)\d\d?\.$", at.before):
        return at.near(_PHONE_WORDS)
    # An area code is set off from the rest (02111-1307 is a postal code), or the text says what the number is.
    return re.match(r"\W*(?:(?:00|001)?82\W*)?0?\W*\d{1,2}\D", at.text) is not None or at.near(_PHONE_WORDS)


def is_spaced_phone(at: Context) -> bool:
    """0 1 0 - 1 2 3 4 - 5 6 7 8: no cell of a row of single digits."""
    local = at.digits
    mobile = re.match(r"01[016789]", local) is not None and len(local) in (10, 11)
    grouped = re.search(r"\d\s*[-.)]\s*\d|  ", at.text) is not None
    alone = re.search(r"\d\s$", at.before) is None and re.match(r"\s\d", at.after) is None
    return alone and (mobile or len(local) in (9, 10, 11)) and (grouped or at.near(_PHONE_WORDS))


def is_spaced_rrn(at: Context) -> bool:
    alone = re.search(r"\d\s$", at.before) is None and re.match(r"\s\d", at.after) is None
    return alone and is_rrn(Context(at.before, at.after, at.digits[:6] + "-" + at.digits[6:]))


def is_brn(at: Context) -> bool:
    if re.search(r"사업자\s?(?:등록)?\s?(?:증?\s?번호|no\.?)?\s?[:：(|\t]?\s*$", at.before, re.IGNORECASE):
        return True
    if re.fullmatch(r"\d+ \d+ \d+", at.text):
        return False
    if not brn_check_digit(at.digits) or at.near(r"계좌|입금") or at.of_a_thing():
        return False
    return at.near(r"사업자|법인|상호|대표|통신판매|company|business") or (not at.tight() and not at.near(_BANKS))


def is_account(at: Context) -> bool:
    digits = at.digits
    if not 10 <= len(digits) <= 14 or re.match(r"(?:19|20)\d\d[-. ](?:0?[1-9]|1[0-2])[-. ]\d\d?\b", at.text):
        return False
    if re.search("[A-Za-z]$", at.before):
        return False
    direct = at.labelled(f"{BANK_NAMES}|{_SHORT_BANKS}")
    if at.of_a_thing() and not direct:
        return False
    if re.match(r"(?:1[568]\d\d|0\d{1,2})-\d{3,4}(?:-|$)", at.text) and not direct:  # of a bank's telephones
        return False
    if " " in at.text or "\t" in at.text or re.match(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d", digits):
        return direct
    return direct or at.near(_BANKS)


def is_passport(at: Context) -> bool:
    return at.near(r"여권|passport")


def is_health_card(at: Context) -> bool:
    if re.match(_COUNTED, at.after):
        return False
    return at.near(r"(?:건강|의료)\s?보험(?!료)|보험증|건보증?\b|health\s?insurance")


_PLATE_WORDS = (
    r"차량|차번|번호판|자동차|승용|택시|렌터카|렌트카|주차|차주|세차|정비|화물|트럭|버스|오토바이|견인|탑차|운전|과태료|"
    r"차종|(?<![가-힣])차(?![가-힣])|보유\s?차|입차|출차|배차"
)


def is_plate(at: Context) -> bool:
    if re.match(r"\s?(?:[만억조천백원개명건호회번년월일점세배]|%|kg|km|페이지)", at.after) or at.of_a_thing():
        return False
    if re.search(r"(?:대법원|헌재|고법|지법|법원|선고|판결|사건)\s?[\w,.\s]{0,20}$", at.line) or re.match(
        r"\s?(?:판결|선고|결정)", at.after
    ):
        return False
    # A rent car's 허 and a private car's 가 mean nothing else between digits; 12로 3456, 12조 3456 do.
    return (
        at.near(_PLATE_WORDS)
        or re.fullmatch(r"\d{3}[가나라마거너러머버서어저고노보소오구누루무부수우주하허호]\d{4}", at.text) is not None
        or re.fullmatch(r"\d{2}[거너더러머버서어저허]\d{4}", at.text) is not None
        or (
            re.fullmatch(r"\d\d[가-힣] ?\d{4}", at.text) is not None
            and re.search(rf"(?:{_REGIONS})\s?$", at.before) is not None
        )
    )
