"""Personal data in Korean text: found by shape, check digits and context, masked by typed placeholders.

Two stages: a compiled scan marks candidates (`corpus/scanning.py`), then patterns and what stands around them decide.
Looked for are the identifiers of PLACEHOLDERS; not yet: names, addresses, IP addresses, health insurance cards, numbers
spelt in Hangul (공일공), e-mail addresses spelt in words (골뱅이). Nothing found here is ever logged.

Sources: 주민등록법 시행규칙 (form and check digit; since October 2020 the last six digits of new numbers are random, so
a failing check digit clears nothing), 전기통신번호관리세칙 (numbers), ISO/IEC 7812-1 (cards).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corpus.edits import Bytes, Edit, Longs

Policy = Literal["mask", "keep", "report"]
PLACEHOLDERS = (
    "<|rrn|>",
    "<|passport|>",
    "<|license|>",
    "<|phone|>",
    "<|email|>",
    "<|card|>",
    "<|account|>",
    "<|plate|>",
)
# How far before its candidate an identifier may begin: +82 (0)2 …; the local part of an address ends at the @.
_REACH = {0: 6, 1: 65, 2: 0, 3: 0}
LEFT = 90  # bytes of context before a candidate: 30 Hangul characters
_RIGHT = {0: 45, 1: 255, 2: 45, 3: 45}  # behind it: 15 Hangul characters; a domain name's 255 bytes (RFC 1035, 2.3.4)
FEWEST_DIGITS = 9  # of any identifier that is digits only, without the business lines 15xx-xxxx


@dataclass(frozen=True, slots=True)
class Context:
    """Where a candidate stands: the text before it and after it (at most 30 and 15 characters), and itself."""

    before: str
    after: str
    text: str

    @property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.text)

    def near(self, words: str) -> bool:
        """Whether one of the words (a pattern) stands before, or right behind."""
        around = self.before + "\0" + self.after
        return re.search(r"[^\d\s\0]", around) is not None and re.search(words, around, re.IGNORECASE) is not None

    def tight(self) -> bool:
        return self.text.isdigit()

    def tail(self) -> bool:
        """Whether it may be the end of a longer number or version: undivided, or by dots alone, behind 3. or 3-."""
        return re.search(r"\d[-.]$", self.before) is not None and re.fullmatch(r"[\d.]+", self.text) is not None


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of identifier.

    Attributes:
        name: as in settings, rule `pii.NAME` and placeholder.
        kind: of the candidates it is looked for in (see `scanning.mark_private`).
        pattern: its shape.
        check: whether a match in its context is one.
    """

    name: str
    kind: int
    pattern: re.Pattern[str]
    check: Callable[[Context], bool]


def _weighted(digits: str, weights: str) -> int:
    return sum(int(digit) * int(weight) for digit, weight in zip(digits, weights, strict=False))


def rrn_check_digit(digits: str) -> bool:
    """Whether the check digit of a resident's (or, two off, a foreigner's) registration number holds; 13 digits."""
    rest = (11 - _weighted(digits[:12], "234567892345") % 11) % 10
    foreigner = digits[6] in "5678"
    return int(digits[12]) == rest or (foreigner and int(digits[12]) == (rest + 2) % 10)


def luhn(digits: str) -> bool:
    """The check digit of cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def brn_check_digit(digits: str) -> bool:
    """The check digit of a business registration number, ten digits."""
    total = _weighted(digits[:9], "137137135") + int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])


def ean13(digits: str) -> bool:
    """The check digit of EAN-13, which ISBN-13 is too."""
    return (10 - _weighted(digits[:12], "131313131313") % 10) % 10 == int(digits[12])


_PERSON = r"주민\s?(?:등록)?\s?번호|외국인\s?등록\s?번호|거소\s?신고\s?번호|resident\s?registration|\brrn\b"
_CORPORATION = r"법인\s?(?:등록)?\s?번호"
_BARCODE = r"바코드|barcode|\bisbn|\bean\b|\bjan\b|\bupc\b|\bgtin\b"
_THING = (
    r"(?:주문|송장|등기|접수|문서|승인|사건|관리|상품|제품|품목|일련|모델|거래|예약|카드)\s?번호|운?송장|품번|시리얼|모델명|"
    r"(?:상품|제품)\s?코드|\bsku|\bserial|\border|\bproduct|\bgoods|\bitem|\bmodel"
)
_BETWEEN = r"(?:[\s|,:：;/()=\"']*|[^\d\n,;|]{0,12})$"  # between a label and its number
_MOMENT = r"(?:time|date|stamp|epoch|expires?|_at|\bts|\bt|\bid|타임스탬프|밀리초)\w*[\"']?\s*[=:(]?\s*[\"']?$"
_ADDRESS = r"(?:https?://|www\.)\S*$|[?&][\w-]+=$"
_FILE = r"[\w-]*\.(?:jpe?g|png|gif|webp|bmp|html?|mp[34]|pdf|zip|hwpx?|xlsx?)\b"


def _label(at: Context) -> str:
    """The last label before the number: of those that share the shape, the nearest one says which it is."""
    if re.search(r"[^\d\s]", at.before) is None:  # in a column of numbers
        return ""
    labels = re.findall(f"(?:{_PERSON})|(?:{_CORPORATION})|(?:{_THING})", at.before, re.IGNORECASE)
    return labels[-1] if labels else ""


def _is_corporation(at: Context) -> bool:
    """Labelled as a firm's, and nobody named in between (법인번호 없음, 대표자 900101-1234567)."""
    if re.match(rf"\s?\(\s?{_CORPORATION}", at.after):
        return True
    if "법인" not in at.before:
        return False
    between = re.search(rf"{_CORPORATION}{_BETWEEN}", at.before)
    return between is not None and re.search(r"대표|성명|이름|주민", between[0]) is None


def _of_a_thing(at: Context) -> bool:
    """Whether what stands around digits of a registration number's shape says that they are no person's."""
    if re.search(f"(?:{_THING}){_BETWEEN}", at.before, re.IGNORECASE):
        return True
    if "\t" in at.text:  # of a table of large numbers: neither 010 nor a row's number stands beside it
        return re.search(r"(?<!\d)[1-9]\d{3,}\t$", at.before) is not None or (
            re.match(r"\t[1-9]\d{3,}(?![-\d])", at.after) is not None
        )
    if not at.tight():
        return False
    digits = at.digits
    moment = re.match("1[4-9]", digits) is not None  # milliseconds since 1970
    return (
        (ean13(digits) and re.match("880|45|49|69", digits) is not None)  # of Korea, Japan, China; 97x is no date
        or (moment and re.search(_MOMENT, at.before, re.IGNORECASE) is not None)
        or re.search(rf"[A-Za-z]$|{_ADDRESS}", at.before) is not None
        or re.match(rf"[A-Za-z]|원|달러|{_FILE}", at.after) is not None
    )


def _is_rrn(at: Context) -> bool:
    """A label decides; else the date must fit, and then a failing check digit clears nothing, only the context does."""
    if _is_corporation(at):
        return False
    if re.fullmatch(_PERSON, _label(at), re.IGNORECASE) or re.match(rf"[\s(]*(?:{_PERSON})", at.after, re.IGNORECASE):
        return True
    digits = at.digits
    month, day = int(digits[2:4]), int(digits[4:6])
    if not (1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]):
        return False
    valid = rrn_check_digit(digits)
    if at.near(_BARCODE) and (ean13(digits) or not valid):
        return False
    # Born in the 1800s (9, 0): none of these numbers is young enough to have a random tail.
    return valid or (digits[6] not in "09" and not _of_a_thing(at))


def _is_card(at: Context) -> bool:
    if at.tail() or (at.digits[0] not in "34569" and not 2221 <= int(at.digits[:4]) <= 2720):
        return False
    # Columns of a table, set apart by tabs or wide gaps, pass for one as easily as digits without any groups.
    columns = re.search(r"\t|  ", at.text) is not None
    return luhn(at.digits) and (not (at.tight() or columns) or at.near(r"카드|결제|card|visa|master"))


def _is_license(at: Context) -> bool:
    if not at.tight() and 11 <= int(at.digits[:2]) <= 28:
        return True
    return at.near(r"면허")


_PHONE_WORDS = r"전화|연락|휴대|핸드폰|문의|팩스|상담|예약|☎|☏|tel|fax|phone|mobile|\bh\.?p\b|\bt\b|\bm\b"


def _is_phone(at: Context) -> bool:
    if at.tail() or ("\t" in at.text and re.match("82", at.text)):  # 3202, 8210, 4703, 9542 in columns
        return False
    local = re.sub(r"^(?:\+?82|0082|00182)0?", "0", at.digits)
    if re.match(r"01[016789]|050", local):
        return len(local) in (10, 11, 12)
    # In 2024-02-1234-5678 it is no area code, in the list 1.02-123-4567 it is.
    if re.search(r"\d[-.]$", at.before) and not re.search(r"(?:^|\s)\d\d?\.$", at.before):
        return at.near(_PHONE_WORDS)
    # An area code is set off from the rest (02111-1307 is a postal code), or the text says what the number is.
    return re.match(r"\W*(?:(?:00|001)?82\W*)?0?\W*\d{1,2}\D", at.text) is not None or at.near(_PHONE_WORDS)


def _is_brn(at: Context) -> bool:
    if re.search(r"사업자\s?(?:등록)?\s?번호\s?[:：(]?\s*$", at.before):
        return True
    if not brn_check_digit(at.digits) or at.near(r"계좌|입금"):
        return False
    return not at.tight() or at.near(r"사업자")


_BANKS = (
    r"(?:국민|신한|우리|하나|기업|산업|외환|씨티|부산|대구|경남|광주|전북|제주|수출입|한국씨티|저축|im)\s?은행|"
    r"농협|수협|신협|새마을\s?금고|우체국|카카오\s?뱅크|케이\s?뱅크|토스\s?뱅크|im\s?뱅크|sc\s?제일|\bkb\b|\bibk\b|\bnh\b|"
    r"\bkdb\b|계좌|예금주|입금"
)


def _is_account(at: Context) -> bool:
    if not 10 <= len(at.digits) <= 14 or re.match(r"(?:19|20)\d\d[-. ](?:0?[1-9]|1[0-2])[-. ]", at.text):
        return False
    if re.search(r"(?:주문|송장|접수|문서|승인|사건|관리|상품)\s?번호\s?[:：]?\s*$", at.before):
        return False
    return at.near(_BANKS)


def _is_passport(at: Context) -> bool:
    return at.near(r"여권|passport")


_PLATE_WORDS = r"차량|차번|번호판|자동차|승용|택시|렌터카|렌트카|주차|화물|트럭|버스|오토바이|견인"


def _is_plate(at: Context) -> bool:
    if re.match(r"\s?(?:[만억조천백원개명건호회번]|%)", at.after):
        return False
    # A rent car's 허 and a private car's 가 mean nothing else between digits; 12로 3456, 12조 3456 do.
    return (
        at.near(_PLATE_WORDS)
        or re.fullmatch(r"\d{3}[가나라마거너러머버서어저고노보소오구누루무부수우주하허호]\d{4}", at.text) is not None
    )


_DASH = r"-‐-―−ㅡ"  # U+2010 to U+2015, U+2212, and the vowel that Korean keyboards offer
_LEFT_EDGE = r"(?<![\d+])"
_ALONE = r"(?<!\d[-.])"  # for digits without groups: no tail of a longer number, version or decimal
_RIGHT_EDGE = rf"(?!\d|-\d|(?<![{_DASH}]\d{{4}})(?<![{_DASH}]\d{{7}})\.\d)"  # 010-1234-5678.3시 is whole


def _digits(shape: str) -> re.Pattern[str]:
    return re.compile(_LEFT_EDGE + shape + _RIGHT_EDGE)


_S = rf"(?:[ \t]{{0,2}}[{_DASH}.]{{1,2}}[ \t]{{0,2}}|[ \t]{{1,2}})"  # between groups
_D = rf"[ \t]{{0,2}}[{_DASH}]{{1,2}}[ \t]{{0,2}}"  # a dash between groups
_SIX_SEVEN = rf"(?:\d{{6}}(?:{_D}|[ \t]{{1,2}})\d{{7}}|{_ALONE}\d{{13}})"

IDENTIFIERS = (
    Identifier("corporation", 0, _digits(_SIX_SEVEN), _is_corporation),
    Identifier("rrn", 0, _digits(_SIX_SEVEN), _is_rrn),
    Identifier(
        "card",
        0,
        _digits(
            rf"(?:\d{{4}}{_S}\d{{4}}{_S}\d{{4}}{_S}\d{{4}}|3[47]\d\d{_S}\d{{6}}{_S}\d{{5}}|{_ALONE}(?:\d{{16}}|3[47]\d{{13}}))"
        ),
        _is_card,
    ),
    Identifier(
        "license",
        0,
        _digits(rf"(?:\d\d{_D}\d\d{_D}\d{{6}}{_D}\d\d|{_ALONE}\d{{12}}|\d\d{_D}\d{{6}}{_D}\d\d)"),
        _is_license,
    ),
    Identifier("brn", 0, _digits(rf"{_ALONE}(?:\d{{3}}{_D}\d\d{_D}\d{{5}}|\d{{10}})"), _is_brn),
    Identifier(
        "phone",
        0,
        re.compile(
            rf"{_LEFT_EDGE}(?:(?:\+|00|001)?82[ \t]?[-.)]?[ \t]?(?:\(0\)[ \t]?|0)?|(?:\((?=0\d+\)))?0)"
            rf"(?:1[016789]|2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d)(?:\)[ \t]?{_S}?|{_S})?\d{{3,4}}{_S}?\d{{4}}"
            + _RIGHT_EDGE
        ),
        _is_phone,
    ),
    Identifier("account", 0, _digits(rf"\d{{2,6}}(?:{_D}\d{{2,7}}){{1,4}}|{_ALONE}\d{{10,14}}"), _is_account),
    Identifier(
        "email",
        1,
        re.compile(
            r"(?<!\w)\w[\w.%+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])",
            re.ASCII,
        ),
        lambda at: re.match(r"git@|.*@[23]x\.", at.text) is None,  # ssh; pictures (icon@2x.png)
    ),
    Identifier(
        "passport",
        2,
        re.compile(r"(?<![A-Za-z0-9])(?:[MSRGDO]\d{8}|[MSRGDO]\d{3}[A-Z]\d{4})(?![A-Za-z0-9])"),
        _is_passport,
    ),
    Identifier(
        "plate",
        3,
        re.compile(
            r"(?<![\d.,-])\d{2,3}[가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호배바사아자]\s?\d{4}(?![\d,-])"
        ),
        _is_plate,
    ),
)


@dataclass(frozen=True, slots=True)
class Private:
    """Personal data of some documents.

    Attributes:
        edits: the masks by document, for those that have any, in order.
        numbers: how many identifiers each document holds, masked or reported, int64 [documents].
        reported: identifier → documents and how many, of those that are only reported.
    """

    edits: dict[int, list[Edit]]
    numbers: Longs
    reported: dict[str, tuple[int, int]]


def find_private(buffer: Bytes, offsets: Longs, policies: Mapping[str, Policy]) -> Private:
    """Identifiers in every document.

    Args:
        buffer: UTF-8 bytes, uint8.
        offsets: bounds of the documents in them, int64 [documents + 1].
        policies: what to do by name of identifier; one that is missing is kept, and not counted.
    """
    from corpus.scanning import all_marked, mark_private

    wanted = [identifier for identifier in IDENTIFIERS if policies.get(identifier.name, "keep") != "keep"]
    found = Private({}, np.zeros(len(offsets) - 1, np.int64), {})
    last: dict[str, int] = {}
    view = buffer.data
    done = (-1, 0)  # document and byte up to which all is decided
    room = int(offsets[-1] - offsets[0]) // 256 + 64
    marked = all_marked(lambda marked: mark_private(buffer, offsets, FEWEST_DIGITS, marked), room)
    for d, start, stop, kind in marked.tolist():
        low, high = int(offsets[d]), int(offsets[d + 1])
        for begin, end, name in _identified(view, (low, start, stop, high), kind, wanted):
            if d == done[0] and begin < done[1]:
                continue
            done = (d, end)
            found.numbers[d] += 1
            if policies[name] == "mask":
                found.edits.setdefault(d, []).append(Edit(begin - low, end - low, f"pii.{name}", f"<|{name}|>"))
            else:
                documents_so_far, number = found.reported.get(name, (0, 0))
                found.reported[name] = (documents_so_far + (last.get(name) != d), number + 1)
                last[name] = d
    return found


def _identified(
    view: memoryview, place: tuple[int, int, int, int], kind: int, wanted: Sequence[Identifier]
) -> list[tuple[int, int, str]]:
    """The identifiers in one candidate: first byte, byte after the last, name; disjoint, by place."""
    low, start, stop, high = place
    head = bytes(view[max(low, start - LEFT) : start]).decode("utf-8", "ignore")
    body = bytes(view[start : min(high, stop + _RIGHT[kind])]).decode("utf-8", "ignore")
    text, at = head + body, len(head)
    limit = at + len(bytes(view[start:stop]).decode())
    covered = bytearray(len(text))  # 1 where a character is taken: a candidate may hold many thousand identifiers
    taken: list[tuple[int, int, str]] = []
    for identifier in wanted:
        if identifier.kind != kind:
            continue
        for match in identifier.pattern.finditer(text, max(0, at - _REACH[kind])):
            begin, end = match.span()
            if begin >= limit:
                break
            if end <= at or covered.find(1, begin, end) >= 0:
                continue
            context = Context(text[max(0, begin - 30) : begin], text[end : end + 15], match[0])
            if identifier.check(context):
                taken.append((begin, end, identifier.name))
                covered[begin:end] = b"\1" * (end - begin)
    places = []
    before, byte = 0, start - len(head.encode())
    for begin, end, name in sorted(taken):
        first = byte + len(text[before:begin].encode())
        before, byte = end, first + len(text[begin:end].encode())
        places.append((first, byte, name))
    return places
