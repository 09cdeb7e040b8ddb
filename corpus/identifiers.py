"""The identifiers of persons and firms: name, shape, check, policy and placeholder; `corpus/privacy.py` looks for them.

To add one is a line in IDENTIFIERS, a setting in `corpus/measure.py`, and, where its candidates are none of the kinds
of `corpus/private_anchors.py`, a mark in `corpus/private_scan.py`. The order decides where shapes overlap: the
earlier one wins.
"""

from __future__ import annotations

import re
from typing import Literal

from corpus import private_addresses as addresses
from corpus import private_contacts as contacts
from corpus import private_numbers as numbers
from corpus.private_anchors import (
    ADDRESS,
    EMAIL,
    FIELD,
    IPV6,
    MESSENGER,
    NUMBER,
    PLATE,
    PLATES,
    QUAD,
    SERIAL,
    SPELT,
    SPELT_EMAIL,
)
from corpus.private_context import Identifier

# mask: its placeholder stands in its place; drop: masked, and the document is removed by decide; report: only counted;
# keep: not looked for.
Policy = Literal["mask", "drop", "keep", "report"]
# Added to every tokenizer in this order: append, never insert.
PLACEHOLDERS = (
    "<|rrn|>",
    "<|passport|>",
    "<|license|>",
    "<|phone|>",
    "<|email|>",
    "<|card|>",
    "<|account|>",
    "<|plate|>",
    "<|address|>",
    "<|ip|>",
    "<|health|>",
    "<|messenger|>",
    "<|name|>",
    "<|brn|>",
    "<|corporation|>",
)

_DASH = r"-‐-―−ㅡ"  # U+2010 to U+2015, U+2212, and the vowel that Korean keyboards offer
_LEFT_EDGE = r"(?<![\d+])"
_ALONE = r"(?<!\d[-.])"  # for digits without groups: no tail of a longer number, version or decimal
_RIGHT_EDGE = rf"(?!\d|-\d|(?<![{_DASH}]\d{{4}})(?<![{_DASH}]\d{{7}})\.\d)"  # 010-1234-5678.3시 is whole


def _digits(shape: str) -> re.Pattern[str]:
    return re.compile(_LEFT_EDGE + shape + _RIGHT_EDGE)


_S = rf"(?:[ \t]{{0,2}}[{_DASH}.]{{1,2}}[ \t]{{0,2}}|[ \t]{{1,2}})"  # between groups
_D = rf"[ \t]{{0,2}}[{_DASH}]{{1,2}}[ \t]{{0,2}}"  # a dash between groups
_E = rf"(?:{_S}?)"
_SIX_SEVEN = rf"(?:\d{{6}}(?:{_D}|[ \t]?\.[ \t]?|[ \t]{{1,2}})\d{{7}}|{_ALONE}\d{{13}})"
_THREE_TWO_FIVE = rf"\d{{3}}(?:{_D}|[ ])\d\d(?:{_D}|[ ])\d{{5}}"
_CARD = rf"\d{{4}}{_S}\d{{4}}{_S}\d{{4}}{_S}\d{{4}}|3[47]\d\d{_S}\d{{6}}{_S}\d{{5}}|{_ALONE}(?:\d{{16}}|3[47]\d{{13}})"
_PREFIX = (
    r"\(\+?82\)[ \t]?[-.]?[ \t]?0?|(?:\+|00|001)?82[ \t]?[-.)]?[ \t]?(?:\(0\)[ \t]?|0)?|"
    r"(?:\((?=(?:\+?82|0\d{1,3})[)]))?(?:\+?82[)][ \t]?[-.]?[ \t]?)?0"
)
_AREA = r"1[016789]|2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50\d"

IDENTIFIERS = (
    Identifier("address", (ADDRESS,), addresses.FLAT, addresses.is_flat),
    Identifier("address", (ADDRESS,), addresses.POSTAL, addresses.is_postal),
    Identifier("corporation", (NUMBER,), _digits(_SIX_SEVEN), numbers.is_corporation),
    Identifier("rrn", (NUMBER,), _digits(_SIX_SEVEN), numbers.is_rrn),
    Identifier(
        "rrn",
        (NUMBER,),
        _digits(rf"\d(?:[ ]\d){{5}}(?:[ ]?[{_DASH}][ ]?|[ ]{{1,2}})\d(?:[ ]\d){{6}}"),
        numbers.is_spaced_rrn,
    ),
    Identifier("ip", (NUMBER, QUAD), addresses.QUAD, addresses.is_quad),
    Identifier("card", (NUMBER,), _digits(rf"(?:{_CARD})"), numbers.is_card),
    Identifier(
        "license",
        (NUMBER,),
        _digits(rf"(?:\d\d{_D}\d\d{_D}\d{{6}}{_D}\d\d|{_ALONE}\d{{12}}|\d\d{_D}\d{{6}}{_D}\d\d)"),
        numbers.is_license,
    ),
    Identifier("health", (NUMBER,), _digits(rf"{_ALONE}\d(?:{_D}|[ ])?\d{{10}}"), numbers.is_health_card),
    Identifier("brn", (NUMBER,), _digits(rf"{_ALONE}(?:{_THREE_TWO_FIVE}|\d{{10}})"), numbers.is_brn),
    Identifier(
        "phone",
        (NUMBER,),
        re.compile(
            rf"{_LEFT_EDGE}(?:{_PREFIX})\(?(?:{_AREA})(?:\)[ \t]?{_S}?|{_S})?\d{{3,4}}{_S}?\d{{4}}{_RIGHT_EDGE}"
        ),
        numbers.is_phone,
    ),
    Identifier(
        "phone",
        (NUMBER,),
        _digits(rf"0(?:[ ]{{1,2}}\d){{1,2}}(?:(?:[ ]?[{_DASH}.)]{{1,2}}[ ]?|[ ]{{1,2}})\d){{7,8}}"),
        numbers.is_spaced_phone,
    ),
    Identifier("phone", (SPELT,), contacts.SPELT_PHONE, contacts.is_spelt_phone),
    Identifier(
        "account",
        (NUMBER,),
        _digits(rf"\d{{2,6}}(?:{_D}\d{{2,7}}){{1,4}}(?:{_D}\d)?|{_ALONE}\d{{10,14}}|\d{{3,6}}(?:[ ]\d{{2,6}}){{1,3}}"),
        numbers.is_account,
    ),
    Identifier("email", (EMAIL,), contacts.EMAIL, contacts.is_email),
    Identifier("email", (SPELT_EMAIL,), contacts.SPELT_EMAIL, contacts.is_email),
    Identifier("email", (EMAIL,), contacts.LOOSE_EMAIL, contacts.is_email),
    Identifier("messenger", (MESSENGER,), contacts.MESSENGER, contacts.is_messenger),
    Identifier(
        "passport",
        (SERIAL,),
        re.compile(r"(?<![A-Za-z0-9])(?:[MSRGDO]\d{8}|[MSRGDO]\d{3}[A-Z]\d{4}|[A-Z]{2}\d{7})(?![A-Za-z0-9])"),
        numbers.is_passport,
    ),
    Identifier(
        "plate", (PLATE,), re.compile(rf"(?<![\d.,-])\d{{2,3}}[ ]?[{PLATES}][ ]?\d{{4}}(?![\d-]|,\d)"), numbers.is_plate
    ),
    Identifier("ip", (IPV6,), addresses.IPV6, addresses.is_ipv6),
    Identifier("name", (FIELD,), contacts.NAME, contacts.is_name),
)
NAMES = tuple(dict.fromkeys(identifier.name for identifier in IDENTIFIERS))
DOCS = {
    "rrn": "a resident's or foreigner's registration number (주민등록번호, 외국인등록번호)",
    "passport": "a passport's number, with 여권 or passport near it",
    "license": "a driving licence's number (운전면허)",
    "phone": "a telephone number, spelt out or spaced too; lines of businesses (15xx, 080) stay",
    "email": "an e-mail address, with (at) or 골뱅이 too",
    "card": "a payment card's number, by its first digits and Luhn's check",
    "account": "a bank account's number, with a bank, 계좌 or 예금주 on its line",
    "plate": "a vehicle's number plate",
    "address": "the number of a building or lot and what follows it; the names of towns and streets stay",
    "ip": "a public IP address; private ranges stay",
    "health": "a health insurance card's number (건강보험증)",
    "messenger": "a person's ID in a messenger, as 카톡 ID; channels of firms stay",
    "name": "a person's name in a field such as 성명 or 예금주",
    "brn": "a firm's business registration number (사업자등록번호)",
    "corporation": "a corporation's registration number (법인등록번호)",
}
"""Name → what it is and by what it is told, in one line."""
