"""Double mojibake: UTF-8 or CP949 once read as Latin-1 or CP1252 and saved again; undone where Hangul comes of it.

A text that is mangled from end to end is read back whole, one that is not (a quotation, a header) run by run. Collect
asks for every record, whatever its format; `decode` for every file in UTF-8.

Nothing else has bytes of UTF-8's Hangul beside each other (Latin letters, signs and controls by threes), so that one
syllable is proof. Those of CP949 also stand in capital French and in rows of signs (·····, °±²): they must give
nothing but frequent syllables, several different ones, and among them those that Korean is made of.
"""

from __future__ import annotations

import functools
import re

from corpus.hangul import frequent

_SHOWN = "\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"  # by CP1252, 80 to 9F
_HIGH = f"\x80-\xff{_SHOWN}"
# A syllable (EA–ED and two of 80–BF, whose A0 often became a space), or two of CP949 (B0–C8 and A1–FE each).
_MANGLED = re.compile(
    rf"[\xea-\xed][\x80-\xbf {_SHOWN}][\x80-\xbf {_SHOWN}]"
    r"|[\xb0-\xc8][\xa1-\xfe][\xb0-\xc8][\xa1-\xfe]"
)
_HINT = re.compile(rf"[\xb0-\xc8\xea-\xed][ {_HIGH}]")  # in every such place, and searched for three times as fast
_RUN = re.compile(rf"[\t -~]*[{_HIGH}][\t -~{_HIGH}]*")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")
_BROKEN_A0 = re.compile(rb"[\xea-\xed](?: [\x80-\xbf ]|[\x80-\xbf] )")
# Two thirds of the syllables of running Korean are one of these; of KS X 1001's 2,350 they are a twentieth.
_COMMON = re.compile(
    "[이다는을의가에고은를하한지로기사도서인자대아해어시나있것그으리라정수들제과게니스일부만전여보면안상주구장되공원였했성경적동유비오와"
    "조소요세우관모무마내신분방위계문미당선업생금용할까려거등중국행진치결간같연또]"
)
_SHARE = 0.3  # of the syllables that must be common ones
_PURE = 0.9  # share of frequent Korean in what is not ASCII, where CP949 is to be believed
_DIFFERENT = 4  # … and so many different syllables


def reverse_mojibake(text: str) -> tuple[str, dict[str, int]]:
    """Undo double mojibake, if Hangul comes of it.

    Returns:
        The text, and cause → times: `mojibake.reversed` counts runs (empty where nothing was undone).
    """
    if text.isascii() or not _HINT.search(text) or not _MANGLED.search(text):
        return text, {}
    whole = None if _HANGUL.search(text) else _read_back(text)
    mended, times = (whole, 1) if whole is not None else _by_run(text)
    return mended, {"mojibake.reversed": times} if times else {}


def _by_run(text: str) -> tuple[str, int]:
    """Every mangled run read back; where one was proven, the short ones beside it are believed more easily."""
    if not any(_read_back(run[0]) is not None for run in _RUN.finditer(text) if _MANGLED.search(run[0])):
        return text, 0
    undone = 0

    def mend(run: re.Match[str]) -> str:
        nonlocal undone
        found = _read_back(run[0], proven=True) if _MANGLED.search(run[0]) else None
        undone += found is not None
        return run[0] if found is None else found

    return _RUN.sub(mend, text), undone


def _read_back(text: str, proven: bool = False) -> str | None:
    original = _latin_bytes(text)
    if original is None:
        return None
    for data in (original, _BROKEN_A0.sub(lambda broken: broken[0].replace(b" ", b"\xa0"), original)):
        try:
            found = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if _HANGUL.search(found):
            return found
        return _read_back(found, proven) if _MANGLED.search(found) else None  # mangled twice
    try:
        found = original.decode("cp949")
    except UnicodeDecodeError:
        return None
    return found if _pure(found) and (proven or _believable(found)) else None


def _pure(text: str) -> bool:
    return len(frequent().findall(text)) >= _PURE * len(_NON_ASCII.findall(text))


def _believable(text: str) -> bool:
    syllables = _HANGUL.findall(text)
    return len(set(syllables)) >= _DIFFERENT and len(_COMMON.findall(text)) >= _SHARE * len(syllables)


def _latin_bytes(text: str) -> bytes | None:
    """The bytes that CP1252 (its five holes as Latin-1) shows as this text, None where it shows other characters."""
    try:
        return text.translate(_cp1252()).encode("latin-1")
    except UnicodeEncodeError:
        return None


@functools.cache
def _cp1252() -> dict[int, int]:
    shown = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
    return {ord(character): byte for byte, character in shown.items() if character}
