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
from hanjo.report.veil import veiled

Kind = Literal["text", "mask", "blot", "cut", "differs"]
WINDOW = 16 << 10  # bytes of a document that are looked at for an excerpt


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of shown text: as it is, put in place of something by an edit (`mask`), hidden by the veil alone
    (`blot`), cut by a rule, or differing.

    `at` is the first byte of the edit that it stands for, -1 for text.
    """

    kind: Kind
    text: str
    rule: str = ""
    at: int = -1


def edited(text: bytes, edits: Iterable[dict], start: int = 0, end: int | None = None) -> list[Piece]:
    """The bytes [start, end) of a document as pieces, veiled; cut lines blotted.

    Args:
        text: UTF-8 bytes of `documents.text`.
        edits: rows of `edits.edits` or `clusters.cuts`: start, end, rule, replacement; sorted, disjoint.

    An edit that begins before `start` is finished first, so that no half of a masked number is ever shown.
    """
    end = len(text) if end is None else min(end, len(text))
    pieces: list[Piece] = []
    at = start
    for edit in edits:
        if edit["end"] <= at:
            continue
        if edit["start"] >= end:
            break
        if edit["start"] < at:
            at = edit["end"]
            continue
        pieces += _under_veil(text[at : edit["start"]])
        pieces.append(_of_edit(text, edit))
        at = edit["end"]
    if at < end:
        pieces += _under_veil(text[at:end])
    return [piece for piece in pieces if piece.text or piece.at >= 0]


def _under_veil(part: bytes) -> list[Piece]:
    return [Piece("blot" if hidden else "text", shown) for shown, hidden in veiled(_decoded(part))]


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


def compared(left: Sequence[Piece], right: Sequence[Piece], words: int = 45) -> tuple[list[Piece], list[Piece]]:
    """The edited text of two documents with their differences marked, from a little before the first difference on.

    Differences are sought by eojeol; both excerpts are about `words` eojeol long. Masks and blots stay what they are.
    """
    a, b = _eojeol(left)[: words * 12], _eojeol(right)[: words * 12]
    texts = ["".join(part.text for part in eojeol) for eojeol in a], ["".join(part.text for part in e) for e in b]
    blocks = difflib.SequenceMatcher(None, *texts, autojunk=False).get_opcodes()
    first = next(((i, j) for tag, i, _, j, _ in blocks if tag != "equal"), (0, 0))
    from_a, from_b = max(0, first[0] - words // 4), max(0, first[1] - words // 4)
    shown_a, shown_b = _marked(a, blocks, from_a, words, 1), _marked(b, blocks, from_b, words, 3)
    return shown_a, shown_b


def _eojeol(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """What stands between white space, each as the pieces that it is made of; cuts are left out."""
    found: list[list[Piece]] = []
    open_ = False
    for piece in pieces:
        if piece.kind == "cut":
            continue
        for text in re.findall(r"\s+|\S+", piece.text):
            if text.isspace():
                open_ = False
                continue
            if not open_:
                found.append([])
            found[-1].append(Piece(piece.kind, text, piece.rule))
            open_ = True
    return found


def _marked(
    eojeol: Sequence[Sequence[Piece]], blocks: Iterable[tuple], start: int, words: int, column: int
) -> list[Piece]:
    pieces = [Piece("text", "… ")] if start else []
    end = start + words
    for block in blocks:
        low, high = max(block[column], start), min(block[column + 1], end)
        if low >= high:
            continue
        kind: Kind = "text" if block[0] == "equal" else "differs"
        for i, parts in enumerate(eojeol[low:high]):
            if i:
                _join(pieces, Piece(kind, " "))
            for part in parts:
                _join(pieces, Piece(kind, part.text) if part.kind == "text" else part)
        pieces.append(Piece("text", " "))
    if len(eojeol) > end:
        pieces.append(Piece("text", "…"))
    return pieces


def _join(pieces: list[Piece], piece: Piece) -> None:
    """Add a piece, to the last one where both are alike."""
    if pieces and (pieces[-1].kind, pieces[-1].rule) == (piece.kind, piece.rule):
        piece = Piece(piece.kind, pieces.pop().text + piece.text, piece.rule)
    pieces.append(piece)
