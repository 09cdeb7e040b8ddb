"""Boilerplate: lines of a page that are not its text, cut by anchored whole-line rules under a budget.

A line goes only where one rule describes all of it: a byline with its address, a notice of copyright, a bar of menu
words. Of a line of prose only such an end may go: (서울=연합뉴스) 홍길동 기자 = … A sentence that mentions such a thing
stays. The patterns stand in `corpus/boilerplate_rules.py`. measure turns what is found here into edits; what share of
a document it was becomes the signal `boilerplate`, by which decide removes a page that is nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corpus.boilerplate_rules import LINE_RULES, MENU_WORDS, SURE_MENU, LineRule
from corpus.edits import Bytes, Edit, Longs

if TYPE_CHECKING:
    from corpus.scanning import Needles

__all__ = ["LINE_RULES", "Found", "LineRule", "find_boilerplate"]

LONGEST_LINE = 400  # bytes; a longer line is prose, or for dedup's repeated lines
EDGE = 240  # bytes of a longer line, at its beginning and its end, that are looked at for a part to cut
LONGEST_ITEM = 48  # bytes of a line that is one menu word
RUN = 3  # so many menu words on lines of their own, one after the other, are a menu …
LONG_RUN = 5  # … and so many where none of them is surely one
_BESIDE_MENUS = {f"boilerplate.{name}" for name in ("menu_bar", "login", "share", "related", "footer", "cookie")}


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
def _needles() -> Needles:
    """The automaton of all needles; the bit of a needle is its rule's place in LINE_RULES."""
    from corpus.scanning import needles

    words = [(rule.needles or MENU_WORDS, place) for place, rule in enumerate(LINE_RULES)]
    return needles([(needle, place) for some, place in words for needle in dict.fromkeys(some)])


def _bits(rules: list[bool]) -> int:
    return sum(1 << place for place, chosen in enumerate(rules) if chosen)


_OF_RUNS = _bits([rule.run for rule in LINE_RULES])
_OF_PARTS = _bits([rule.part != "line" for rule in LINE_RULES])


def find_boilerplate(buffer: Bytes, offsets: Longs, budget: float) -> Found:
    """Lines and ends of lines of boilerplate in every document.

    Args:
        buffer: UTF-8 bytes, uint8.
        offsets: bounds of the documents in them, int64 [documents + 1].
        budget: largest share of a document's bytes that may be cut; where more was found nothing is cut.
    """
    from corpus.scanning import all_marked, mark_lines

    room = int(offsets[-1] - offsets[0]) // 64 + 64
    lines = all_marked(lambda marked: mark_lines(buffer, offsets, *_needles(), LONGEST_LINE, EDGE, marked), room)
    documents = len(offsets) - 1
    sizes = lines[:, 2] - lines[:, 1]
    lines = lines[(sizes <= LONGEST_LINE) | (lines[:, 3] & _OF_PARTS != 0)]
    lines = lines[(lines[:, 3] != _OF_RUNS) | (lines[:, 2] - lines[:, 1] <= LONGEST_ITEM)]
    few = np.bincount(lines[:, 0], minlength=documents)[lines[:, 0]] < RUN  # no run of menu words can be here
    lines = lines[(lines[:, 3] != _OF_RUNS) | ~few]
    cuts: dict[int, list[Edit]] = defaultdict(list)
    for d, edit in _matches(buffer, offsets, lines):
        cuts[d].append(edit)
    shares = np.zeros(documents)
    for d, edits in cuts.items():
        shares[d] = sum(edit.end - edit.start for edit in edits) / (offsets[d + 1] - offsets[d])
    return Found({d: sorted(cuts[d]) for d in cuts if shares[d] <= budget}, shares, int((shares > budget).sum()))


def _matches(buffer: Bytes, offsets: Longs, lines: Longs) -> Iterator[tuple[int, Edit]]:
    """What the rules describe, by document and place."""
    run = _Run()
    view = buffer.data
    for d, start, end, hit in lines.tolist():
        first = int(offsets[d])
        if end - start > LONGEST_LINE:
            yield from ((d, edit) for edit in _parts(bytes(view[start:end]), start - first, hit))
            continue
        raw = bytes(view[start:end])
        rule = _rule_of(raw.decode().strip().lower(), hit, start == first)
        if rule is None:
            if hit & _OF_PARTS:
                yield from ((d, edit) for edit in _parts(raw, start - first, hit))
            continue
        stop = end + (end < offsets[d + 1])  # with its newline
        edit = Edit(start - first, stop - first, rule.id)
        if not rule.run:
            yield d, edit
            if rule.id not in _BESIDE_MENUS:
                continue
        if run.document != d or bytes(view[run.end : start]).strip():
            yield from run.menu()
            run = _Run(d)
        run.add(edit, stop, rule.run, not rule.run or SURE_MENU.search(raw.decode()) is not None)
    yield from run.menu()


class _Run:
    """Lines of boilerplate that follow each other, blank ones between them or not."""

    def __init__(self, document: int = -1) -> None:
        self.document, self.end = document, -1  # end: byte after the last line
        self._words: list[Edit] = []
        self._lines = 0
        self._sure = False

    def add(self, edit: Edit, end: int, word: bool, sure: bool) -> None:
        """Append a line: a menu word, or one that is cut by itself."""
        self._lines, self._sure, self.end = self._lines + 1, self._sure or sure, end
        if word:
            self._words.append(edit)

    def menu(self) -> Iterator[tuple[int, Edit]]:
        """Its menu words, if it is long enough to be a menu."""
        if self._lines >= (RUN if self._sure else LONG_RUN):
            yield from ((self.document, edit) for edit in self._words)


@lru_cache(maxsize=4096)
def _rules_of(hit: int, part: bool, head: bool) -> tuple[LineRule, ...]:
    """The rules of these needles that describe whole lines (at a document's head), or else parts of one."""
    some = (rule for place, rule in enumerate(LINE_RULES) if hit >> place & 1)
    return tuple(rule for rule in some if (rule.part != "line") == part and (head or not rule.head))


def _rule_of(line: str, hit: int, head: bool) -> LineRule | None:
    for rule in _rules_of(hit, False, head):
        if rule.pattern.fullmatch(line):
            return rule
    return None


def _parts(line: bytes, at: int, hit: int) -> Iterator[Edit]:
    """The ends of a line of prose that rules describe; `at` is the line's place in its document."""
    reach = 0
    for rule in _rules_of(hit, True, True):
        at_start = rule.part == "start"
        text = (line[:EDGE] if at_start else line[-EDGE:]).decode("utf-8", "ignore")  # may cut a character in two
        match = rule.pattern.match(text) if at_start else rule.pattern.search(text)
        if match is None:
            continue
        if at_start:
            start = len(text[: match.start("cut")].encode())
        else:
            start = len(line) - len(text[match.start("cut") :].encode())
        if start >= reach:
            reach = start + len(match["cut"].encode())
            yield Edit(at + start, at + reach, rule.id)
