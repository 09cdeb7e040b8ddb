"""A product of a catalogue as Korean text: name, category, brand, price, specification, description, reviews.

    전기밥솥 CRP-LHTR1009F          name
    분류: 가전 > 주방               category, a path
    브랜드: 한빛
    가격: 329,000원                 a bare number gets its unit, a written price stays as it is

    사양                            pairs, in their order
    - 용량: 10인용

    밥맛이 좋은 …                   description, without its HTML

    리뷰
    - 평점 5: 배송이 빨라요.        a reviewer's name never enters

The reader `corpus/sources/catalogue.py` finds the columns; here is what becomes of their values.
"""

from __future__ import annotations

import decimal
import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("상품명", "제품명", "품명", "name", "product_name", "title"),
    "category": ("카테고리", "분류", "category", "category_path", "categories"),
    "brand": ("브랜드", "제조사", "brand", "manufacturer"),
    "price": ("가격", "판매가", "price"),
    "currency": ("통화", "currency"),
    "spec": ("사양", "스펙", "제원", "spec", "specs", "specifications", "attributes"),
    "description": ("설명", "상품설명", "상세설명", "description"),
    "reviews": ("리뷰", "상품평", "후기", "reviews", "review"),
}
"""What a product has → the columns that are looked for where the source's `columns` names none."""

_NAMES = ("name", "key", "이름", "항목", "속성", "label")
_VALUES = ("value", "값", "내용", "속성값")
_REVIEW = ("text", "content", "review", "body", "comment", "내용", "리뷰", "본문", "상품평", "후기")
_RATING = ("rating", "score", "평점", "별점")
_CURRENCIES = {"krw": "원", "원": "원", "won": "원", "₩": "원"}
_TAG = re.compile(
    r"</?(?:p|br|div|span|img|table|t[rdh]|tbody|thead|ul|ol|li|h[1-6]|b|strong|i|em|u|font|a|center|hr|style|script|"
    r"iframe|section|html|body|d[ltd]|pre|video)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,4})?")
_PAIR = re.compile(r"([^:：]{1,60}?)\s*[:：]\s*(.+)", re.DOTALL)
_PATH = re.compile(r"\s*[>›»]\s*")
_DEEPEST = 4  # objects within a specification


@dataclass(frozen=True, slots=True)
class Product:
    """A product's own text, "" where there is no more than its name and reviews; its name; its reviews."""

    text: str
    name: str
    reviews: tuple[str, ...]

    def joined(self) -> str:
        """One document with the reviews in it."""
        listed = "\n".join(f"- {one}" for one in self.reviews)
        return "\n\n".join(filter(None, (self.text or self.name, f"리뷰\n{listed}" if listed else "")))

    def review(self, number: int) -> str:
        """A document of one review, under the product's name."""
        return "\n\n".join(filter(None, (f"리뷰: {self.name}" if self.name else "", self.reviews[number])))


def product_of(row: Mapping[str, Any], columns: Mapping[str, str]) -> Product | None:
    """A row as text; None where it has none of the columns.

    Args:
        columns: a key of FIELDS → the column that holds it; for the others the usual names are tried.
    """
    found = {name: value for name in FIELDS if (value := _value(row, name, columns)) is not None}
    if not found.keys() - {"currency"}:
        return None
    name = plain(found.get("name"))
    head = [name, _told("분류", category(found.get("category"))), _told("브랜드", plain(found.get("brand")))]
    head.append(_told("가격", price(found.get("price"), plain(found.get("currency")))))
    listed = "\n".join(f"- {line}" for line in spec_lines(found.get("spec")))
    parts = ["\n".join(filter(None, head)), f"사양\n{listed}" if listed else "", plain(found.get("description"))]
    text = "\n\n".join(filter(None, parts))
    return Product("" if text == name else text, name, tuple(review_lines(found.get("reviews"))))


def _value(row: Mapping[str, Any], name: str, columns: Mapping[str, str]) -> Any:
    for column in (columns[name],) if name in columns else FIELDS[name]:
        value = row.get(column)
        if value is not None and value != "" and not (isinstance(value, float) and math.isnan(value)):
            return value
    return None


def _told(label: str, value: str) -> str:
    return f"{label}: {value}" if value else ""


def plain(value: object) -> str:
    """A value as text: HTML stripped, entities resolved, numbers as they are, lists by comma; "" for what is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "예" if value else "아니요"
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(plain, value)))
    if isinstance(value, dict):
        number, unit = plain(value.get("value")), plain(value.get("unit"))
        if number and value.keys() <= {"value", "unit"}:
            return f"{number} {unit}".strip()
        return ", ".join(f"{key}: {said}" for key, one in value.items() if (said := plain(one)))
    if not isinstance(value, str):
        return str(value) if isinstance(value, int | float | decimal.Decimal) else ""
    if _TAG.search(value):
        tree = HTMLTree.parse(value)
        text = extract_plain_text(
            tree, preserve_formatting=True, main_content=False, list_bullets=False, alt_texts=False
        )
        return str(text).strip()
    return (html.unescape(value) if _ENTITY.search(value) else value).strip()


def category(value: object) -> str:
    """A category's path, `가전 > 주방 > 전기밥솥`, from text, a list or an object of levels."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return " > ".join(filter(None, map(plain, value)))
    return _PATH.sub(" > ", plain(value))


def price(value: object, currency: str) -> str:
    """`329,000원` from a bare number, `12.5 USD` where a currency is named; text with more than digits stays.

    A bare number without a currency is won.
    """
    if isinstance(value, dict):
        currency = plain(value.get("currency") or value.get("통화")) or currency
        value = next((value[name] for name in ("amount", "value", "price", "금액") if name in value), None)
    text = plain(value).replace(",", "") if not isinstance(value, bool) else ""
    if isinstance(value, float) and math.isfinite(value):
        text = f"{value:.4f}"
    if not _NUMBER.fullmatch(text):
        return plain(value)
    whole, _, part = text.partition(".")
    amount = f"{int(whole):,}" + (f".{part.rstrip('0')}" if part.rstrip("0") else "")
    unit = _CURRENCIES.get(currency.lower(), currency) or "원"
    return f"{amount}원" if unit == "원" else f"{amount} {unit}"


def spec_lines(value: object, depth: int = 1) -> list[str]:
    """`용량: 10인용` lines from an object, a list of {name, value} or of pairs, or text as `키: 값|키: 값`."""
    if isinstance(value, str):
        loaded = _loaded(value)
        if loaded is not None:
            return spec_lines(loaded, depth)
        text = plain(value)
        pieces = text.split("|") if "|" in text else text.splitlines()
        return [_pair(piece.strip()) for piece in pieces if piece.strip()]
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in _spec(str(key), one, depth)]
    if isinstance(value, list | tuple):
        return [line for one in value for line in _item(one, depth)]
    return []


def _loaded(value: str) -> Any:
    """JSON written into a text column, None where it is none."""
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        loaded = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict | list) else None


def _pair(piece: str) -> str:
    match = _PAIR.fullmatch(piece)
    return f"{match[1].strip()}: {match[2].strip()}" if match and "://" not in piece[: match.end(1) + 3] else piece


def _item(one: object, depth: int) -> list[str]:
    if isinstance(one, dict):
        name = next((plain(one[key]) for key in _NAMES if key in one), "")
        value = next((one[key] for key in _VALUES if key in one), None)
        if name and value is not None:
            unit = one.get("unit") or one.get("단위")
            return _spec(name, {"value": value, "unit": unit} if unit else value, depth)
        return spec_lines(one, depth + 1) if depth < _DEEPEST else []
    if isinstance(one, list | tuple) and len(one) == 2 and isinstance(one[0], str):
        return _spec(one[0], one[1], depth)
    text = plain(one)
    return [_pair(text)] if text else []


def _spec(name: str, value: object, depth: int) -> list[str]:
    if isinstance(value, dict) and not value.keys() <= {"value", "unit"} and depth < _DEEPEST:
        return [f"{plain(name)} {line}" for line in spec_lines(value, depth + 1)]  # 크기 가로: 30 cm
    said = plain(value)
    return [f"{plain(name)}: {said}"] if said else []


def review_lines(value: object) -> Iterator[str]:
    """Reviews from a list of texts or objects, or one text; of an object its text and rating, never who wrote it."""
    if isinstance(value, str):
        loaded = _loaded(value)
        if loaded is None:
            if text := plain(value):
                yield text
            return
        value = loaded
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, dict):
            text = next((said for name in _REVIEW if isinstance(one.get(name), str) and (said := plain(one[name]))), "")
            rating = next((plain(one[name]) for name in _RATING if isinstance(one.get(name), int | float | str)), "")
            if text:
                yield f"평점 {rating}: {text}" if rating else text
        elif isinstance(one, str) and (text := plain(one)):
            yield text
