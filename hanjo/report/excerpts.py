"""What the report may show of a document: its text with the edits applied, a last veil over it, and cut short.

Personal data is masked three times over: by the run's own edits, by a veil that is coarser than any detector and
applied to all text that stays, and by showing little. Of cut lines, which the run's edits do not mask, only words
known beforehand are shown (`cut_lines`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from hanjo.report.cut_lines import shown_of_cut

WINDOW = 16 << 10  # bytes of a document that are looked at for an excerpt
_HOST = r"[A-Za-z0-9-]+(?:\s?\.\s?[A-Za-z0-9-]+)*|[가-힣]+(?:\.[가-힣A-Za-z]+)+"
_EMAIL = re.compile(rf"[\w.+%-]+\s?[@＠﹫]\s?(?:{_HOST})")
_DOT = r"\s?(?:\.|[(\[{<]\s?(?:dot|닷|점)\s?[)\]}>]|\bdot\b|닷|쩜|점)\s?"
_SPELT_EMAIL = re.compile(
    r"(?:[\w.+%-]+\s*[(\[{<]\s*(?:at|앳|골뱅이)\s*[)\]}>]|[A-Za-z0-9._+%-]+\s*골뱅이|[A-Za-z0-9._+%-]+\s+at(?=\s+\w+\s?(?:\.|dot)))"
    rf"\s*(?:[A-Za-z0-9-]+|[가-힣]+)(?:{_DOT}(?:[A-Za-z0-9-]+|[가-힣]+))*",
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


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of shown text: as it is, put in place of something (`mask`), cut by a rule, or differing.

    `at` is the first byte of the edit that it stands for, -1 for text.
    """

    kind: Literal["text", "mask", "cut", "differs"]
    text: str
    rule: str = ""
    at: int = -1


def veil(text: str) -> str:
    """Blot out e-mail and postal addresses, seven and more digits, passports, plates, names in by-lines and imprints.

    Meant to hide too much: a date or an order number may go too. Never used on text that is kept, only on excerpts.
    """
    text = _SPELT_EMAIL.sub("•••@•••", _EMAIL.sub("•••@•••", text))
    for pattern in (*_ADDRESSES, _DIGITS, _PASSPORT, _PLATE):
        text = pattern.sub(lambda match: re.sub(r"\w", "•", match[0]), text)
    return _OFFICER.sub(r"\1○○○", _BYLINE.sub("○○○", text))


def edited(text: bytes, edits: Iterable[dict], start: int = 0, end: int | None = None) -> list[Piece]:
    """The bytes [start, end) of a document as pieces, veiled; cut lines blotted.

    Args:
        text: UTF-8 bytes of `documents.text`.
        edits: rows of `edits.edits` or `clusters.cuts`: start, end, rule, replacement; sorted, disjoint.

    An edit that begins before `start` is finished first, so that no half of a masked number is ever shown.
    """
    end = len(text) if end is None else min(end, len(text))
    pieces, at = [], start
    for edit in edits:
        if edit["end"] <= at:
            continue
        if edit["start"] >= end:
            break
        if edit["start"] < at:
            at = edit["end"]
            continue
        pieces.append(Piece("text", veil(_decoded(text[at : edit["start"]]))))
        pieces.append(_of_edit(text, edit))
        at = edit["end"]
    if at < end:
        pieces.append(Piece("text", veil(_decoded(text[at:end]))))
    return [piece for piece in pieces if piece.text or piece.at >= 0]


def _of_edit(text: bytes, edit: dict) -> Piece:
    if edit["replacement"]:
        return Piece("mask", edit["replacement"], edit["rule"], edit["start"])
    cut = shown_of_cut(_decoded(text[edit["start"] : edit["end"]]), edit["rule"])
    return Piece("cut", cut, edit["rule"], edit["start"])


def _decoded(part: bytes) -> str:
    # A window's border may stand inside a character: that one character is not shown.
    return part.decode("utf-8", errors="ignore")


def head(pieces: Sequence[Piece], characters: int) -> list[Piece]:
    """The first so many characters, cut lines left out (a mark stays in their place), white space drawn together."""
    shown: list[Piece] = []
    left = characters
    for piece in pieces:
        if left <= 0:
            break
        if piece.kind == "cut":
            _mark_cut(shown, piece.rule)
            continue
        text = re.sub(r"\s+", " ", piece.text)
        shown.append(Piece(piece.kind, text if len(text) <= left else text[:left] + " …", piece.rule))
        left -= len(text)
    return shown


def _mark_cut(shown: list[Piece], rule: str) -> None:
    """One mark for lines that one rule cut one after the other."""
    if not (shown and shown[-1].kind == "cut" and shown[-1].rule == rule):
        shown.append(Piece("cut", "", rule))


def around(pieces: Sequence[Piece], index: int, characters: int) -> list[Piece]:
    """Piece `index` with so many characters of what stands on either side."""

    def side(part: Sequence[Piece], backwards: bool) -> list[Piece]:
        shown: list[Piece] = []
        left = characters
        for piece in reversed(part) if backwards else part:
            if left <= 0:
                break
            if piece.kind == "cut":
                _mark_cut(shown, piece.rule)
                continue
            text = re.sub(r"\s+", " ", piece.text)
            if len(text) > left:
                text = "…" + text[-left:] if backwards else text[:left] + "…"
            shown.append(Piece(piece.kind, text, piece.rule))
            left -= len(text)
        return shown[::-1] if backwards else shown

    return [*side(pieces[:index], True), pieces[index], *side(pieces[index + 1 :], False)]


def plain(pieces: Sequence[Piece]) -> str:
    """The edited text of the pieces: masks in place, cuts gone."""
    return "".join(piece.text for piece in pieces if piece.kind != "cut")


def compared(left: str, right: str, words: int = 45) -> tuple[list[Piece], list[Piece]]:
    """Two texts as pieces with their differences marked, from a little before the first difference on.

    Differences are sought by eojeol; both excerpts are about `words` eojeol long.
    """
    a, b = left.split(), right.split()
    a, b = a[: words * 12], b[: words * 12]
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    first = next(((i, j) for tag, i, _, j, _ in blocks if tag != "equal"), (0, 0))
    from_a, from_b = max(0, first[0] - words // 4), max(0, first[1] - words // 4)
    shown_a, shown_b = _marked(a, blocks, from_a, words, 1), _marked(b, blocks, from_b, words, 3)
    return shown_a, shown_b


def _marked(tokens: Sequence[str], blocks: Iterable[tuple], start: int, words: int, column: int) -> list[Piece]:
    pieces = [Piece("text", "… ")] if start else []
    end = start + words
    for block in blocks:
        low, high = max(block[column], start), min(block[column + 1], end)
        if low < high:
            kind: Literal["text", "differs"] = "text" if block[0] == "equal" else "differs"
            pieces.append(Piece(kind, " ".join(tokens[low:high])))
            pieces.append(Piece("text", " "))
    if len(tokens) > end:
        pieces.append(Piece("text", "…"))
    return pieces
