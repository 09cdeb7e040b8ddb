"""The last step of both wiki readers: text whose markup is gone, but for its lines (headings, lists), made whole.

Also what both keep aside meanwhile: insides of code and formulas, which are no markup.
"""

from __future__ import annotations

import re

MARK = "\x00"
"""Stands where something was taken out, so that what it leaves behind (`()`, `(, `) can go too."""

_OPEN, _CLOSE = "\x01", "\x02"
_CONTROLS = re.compile("[\x00-\x02]")
_KEPT = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_QUOTES = re.compile("'{2,}")
_MAGIC = re.compile("__(?:[A-Z]{3,30}|[가-힣]{1,10})__")
_GAP = r"[\s,;:/·\x00]"
_EMPTY = re.compile(rf" ?\({_GAP}*+\)")
_LEADING = re.compile(rf"\({_GAP}*+")
_TRAILING = re.compile(rf"(?<!{_GAP}){_GAP}*+\)")
_BETWEEN = re.compile(r"(?<![ \t,;\x00])[ \t,;\x00]*+(?<=[ \t,;\x00])")
_LIST = re.compile(r"[*#:;]+[ \t]*")  # MediaWiki's
_RULE = re.compile(r"-{4,}")
_BLANK = re.compile(r"\n{3,}")
_POINTERS = {"같이보기", "각주", "참고문헌", "외부링크", "주석"}
_AND = re.compile("및|과|와|[,·/]")


class Raws:
    """Pieces of text that no rule must touch, by placeholders."""

    def __init__(self) -> None:
        self._kept: list[str] = []

    def clean(self, source: str) -> str:
        """The source without the control characters that placeholders are made of."""
        return _CONTROLS.sub("", source)

    def keep(self, text: str) -> str:
        """A placeholder for a piece."""
        self._kept.append(text)
        return f"{_OPEN}{len(self._kept) - 1}{_CLOSE}"

    def restore(self, text: str) -> str:
        """The text with its pieces in their places."""
        return _KEPT.sub(lambda found: self._kept[int(found[1])], text)


def finish(text: str, raws: Raws, lists: re.Pattern[str] = _LIST) -> str:
    """Quotes that mean bold, empty brackets, marks of lists and headings gone; sections that only point elsewhere too.

    Args:
        lists: what a line of a list begins with, indentation aside.
    """
    text = _MAGIC.sub("", _QUOTES.sub("", text))
    if MARK in text:
        text = _EMPTY.sub(lambda found: "" if MARK in found[0] else found[0], text)
        text = _LEADING.sub(lambda found: "(" if MARK in found[0] else found[0], text)
        text = _TRAILING.sub(lambda found: ")" if MARK in found[0] else found[0], text)
        text = _BETWEEN.sub(_between, text)
    lines: list[str] = []
    headings: list[tuple[int, int]] = []  # level and place of those under which nothing stands as yet
    skipping = 0  # level of the section that is left out
    for line in text.split("\n"):
        level, line = _heading(line.strip())
        if level:
            if skipping and level > skipping:
                continue
            skipping = level if _points(line) else 0
            while headings and headings[-1][0] >= level:
                del lines[headings.pop()[1] :]
            if not skipping and line:
                headings.append((level, len(lines)))
                lines += ["", line]
            continue
        if skipping or _RULE.fullmatch(line):
            continue
        marks = lists.match(line)
        line = line[marks.end() :] if marks else line
        lines.append(line)
        if line:
            headings = []
    if headings:
        del lines[headings[0][1] :]
    return _BLANK.sub("\n\n", raws.restore("\n".join(lines))).strip("\n")


def _between(found: re.Match[str]) -> str:
    run = found[0]
    if MARK not in run:
        return run
    if run.count(",") + run.count(";") > 1:
        return ", "
    plain = run.replace(MARK, "")
    return " " if plain.isspace() else plain


def _heading(line: str) -> tuple[int, str]:
    """Level and title of a heading, 0 and the line where it is none."""
    if len(line) < 3 or line[0] != "=" or line[-1] != "=":
        return 0, line
    left, right = len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("="))
    level = min(left, right, 6, (len(line) - 1) // 2)
    return level, line[level:-level].strip("# \t")


def _points(title: str) -> bool:
    parts = _AND.split("".join(title.split()).replace(MARK, ""))
    return any(parts) and all(part in _POINTERS for part in parts if part)
