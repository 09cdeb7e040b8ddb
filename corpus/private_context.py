"""What an identifier is and where a candidate for one stands: the terms in which `corpus/private_*.py` decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

# In characters: how much of the text before and behind a match its check sees.
BEFORE, AFTER = 30, 15
# Labels of numbers that are no person's.
THING = (
    r"(?:주문|송장|등기|접수|문서|승인|사건|관리|상품|제품|품목|일련|모델|거래|예약|카드|고지|증권|허가|특허|발급|전표|"
    r"배송|티켓|쿠폰|회차|공고|참조|세션|추적|로그|시리얼|부품|도서|청구)\s?번호|운?송장|품번|시리얼|모델명|주문\s?(?:코드|내역|no)|"
    r"(?:상품|제품|부품|종목|단축)\s?코드|\bsku|\bserial|\border|\bproduct|\bgoods|\bitem|\bmodel|\bpart\b|\btracking|\binvoice|"
    r"\bissn|\bdoi|\bs/n|\bp/n|\blot\b"
)
BETWEEN = r"(?:[\s|,:：;/()=\"'#]*|[^\d\n,;|]{0,12})$"  # between a label and its number


_OF_A_THING = re.compile(f"(?:{THING}){BETWEEN}", re.IGNORECASE)
_GROUPS = re.compile(r"(?:\d+[-.] ?)+$")  # earlier ones of the same number
_LETTER = re.compile(r"[^\W\d]")
_LABEL_END = r"[\s|:：=()\[\]\"'은는가이]*$"


@dataclass(frozen=True)
class Context:
    """Where a match stands: the text before it and after it (at most 30 and 15 characters), and itself."""

    before: str
    after: str
    text: str

    @cached_property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.text)

    @cached_property
    def line(self) -> str:
        """What stands before on the same line; where nothing does, the line above if it is as short as a label."""
        above, _, line = self.before.rpartition("\n")
        if re.search(r"\w", line):
            return line
        above = above.rstrip("\n").rpartition("\n")[2]
        return above + line if len(above) <= 15 else line

    @cached_property
    def _around(self) -> str:
        """The line before and behind; empty where there are numbers alone, so that a column of them costs little."""
        around = self.line + "\0" + self.after.partition("\n")[0]
        return around if re.search(r"[^\d\s\0]", around) else ""

    @cached_property
    def _label(self) -> str:
        return self.line if _LETTER.search(self.line) else ""

    def near(self, words: str) -> bool:
        """Whether one of the words (a pattern) stands before, or right behind, on the same line."""
        return bool(self._around) and re.search(words, self._around, re.IGNORECASE) is not None

    def labelled(self, words: str) -> bool:
        """Whether one of the words is the label right before."""
        return bool(self._label) and re.search(rf"(?:{words}){_LABEL_END}", self._label, re.IGNORECASE) is not None

    def of_a_thing(self) -> bool:
        """Whether the label right before says that the number is an order's, a parcel's …"""
        return bool(self._label) and _OF_A_THING.search(_GROUPS.sub("", self._label)) is not None

    def tight(self) -> bool:
        return self.text.isdigit()

    def tail(self) -> bool:
        """Whether it may be the end of a longer number or version: undivided, or by dots alone, behind 3. or 3-."""
        return re.search(r"\d[-.]$", self.before) is not None and re.fullmatch(r"[\d.]+", self.text) is not None


@dataclass(frozen=True, slots=True)
class Identifier:
    """One shape of an identifier.

    Attributes:
        name: as in settings, rule `pii.NAME` and placeholder; several shapes share one.
        kinds: of the candidates it is looked for in (see `private_scan`).
        pattern: its shape.
        check: whether a match in its context is one.
    """

    name: str
    kinds: tuple[int, ...]
    pattern: re.Pattern[str]
    check: Callable[[Context], bool]
