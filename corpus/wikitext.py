"""MediaWiki's markup to plain text, in time that grows with its length alone, whatever is nested or left open in it.

Kept: what a page shows as its text, glosses in other languages and hanja (`{{llang|en|X}}` stands for X), headings,
cells of tables (a row a line), code and formulas as they were written. Gone: other templates, references, pictures,
categories, and the sections that only point elsewhere. What a template leaves behind, as `()` or `(, `, goes with it.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from corpus.wiki_lines import MARK, Raws, finish

_RAW = {  # elements whose inside is no markup → what becomes of it
    **dict.fromkeys(("nowiki", "code"), "text"),
    **dict.fromkeys(("pre", "syntaxhighlight", "source"), "lines"),
    **dict.fromkeys(("math", "chem", "ce"), "formula"),
    **dict.fromkeys(("ref", "gallery", "timeline", "imagemap", "score", "graph", "mapframe", "maplink", "hiero"), ""),
    **dict.fromkeys(("templatestyles", "indicator", "inputbox", "categorytree", "references", "section"), ""),
}
_TOKEN = re.compile(
    rf"<!--|<(?P<raw>{'|'.join(_RAW)})\b[^<>]{{0,1000}}>|</?(?P<tag>[a-z][a-z0-9]{{0,15}})\b[^<>]{{0,1000}}>"
    r"|\n[ \t:]*(?P<row>\{\||\|\}(?!\})|\|-|\|\+|[|!])|\n|\{\{+|\}\}+"
    r"|\[\[|\]\]|\[(?=(?:https?:|ftp:)?//)|\]|\|\||!!|\|",
    re.IGNORECASE,
)
_LINES = {"br", "p", "div", "li", "tr", "blockquote", "center", "poem", "ul", "ol", "dl", "dd", "dt", "table", "hr"}
_DEEPEST = 100  # openings within each other; MediaWiki itself stops at 40 templates
_REDIRECT = re.compile(r"\s*#\s*(?:redirect|넘겨주기)\b", re.IGNORECASE)
_URL = re.compile(r"(?:https?:|ftp:)?//[^\s\[\]<>|{}\"]*", re.IGNORECASE)
_FILES = ("파일:", "그림:", "file:", "image:", "media:", "분류:", "category:")
_INTERWIKI = re.compile(r"[a-z]{2,3}(?:-[a-z]{2,10})?:")
_NAMED = re.compile(r"\s*([^\s=|]{1,30})\s*=")
_GLOSS = {"lang", "llang", "langx", "원제"}  # first the language, then what is said in it
_WHOLE = {"한자", "nowrap", "small", "big", "국기"}  # all that they are given
_SIGNS = {"!": "|", "=": "=", "!!": "||"}


def redirects(source: str) -> bool:
    """Whether a page is nothing but the way to another."""
    return _REDIRECT.match(source) is not None


def plain_text(source: str) -> tuple[str, dict[str, int]]:
    """The text that a page shows, and what was lost (`wiki.too_deep`: nested beyond reason)."""
    raws = Raws()
    parser = _Parser("\n" + raws.clean(source), raws)
    return finish(html.unescape(parser.run()), raws), {"wiki.too_deep": 1} if parser.too_deep else {}


@dataclass(slots=True)
class _Frame:
    """An opening without its end as yet: "{{", "[[", "[" or "{|" ("" for the page), and the parts that `|` divides."""

    kind: str
    parts: list[list[str]] = field(default_factory=lambda: [[]])
    rows: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    attributes: bool = False  # of a table or row: to the end of the line
    heading: bool = False  # the cell began with "!"
    caption: bool = False  # the cell is the table's title


class _Parser:
    def __init__(self, source: str, raws: Raws) -> None:
        self.too_deep = False
        self._source, self._raws = source, raws
        self._stack = [_Frame("")]
        self._deep: list[str] = []  # kinds of openings below the deepest that is kept; what is in them is lost
        self._never: set[str] = set()  # elements that are not closed any more from here on
        self._ends: dict[str, re.Pattern[str]] = {}

    def run(self) -> str:
        at, source = 0, self._source
        while found := _TOKEN.search(source, at):
            if found.start() > at:
                self._add(source[at : found.start()])
            at = self._token(found)
        self._add(source[at:])
        while len(self._stack) > 1:
            self._give_up()
        return "".join(self._stack[0].parts[0])

    def _add(self, text: str) -> None:
        frame = self._stack[-1]
        if not self._deep and not frame.attributes:
            frame.parts[-1].append(text)

    def _token(self, found: re.Match[str]) -> int:
        """Take one token; returns where to go on."""
        token, at = found[0], found.end()
        if token == "<!--":
            end = self._source.find("-->", at)
            return len(self._source) if end < 0 else end + 3
        if found["raw"]:
            return self._element(found)
        if found["tag"]:
            self._add("\n" if found["tag"].lower() in _LINES else "")
        elif token[0] == "\n":
            return self._line(found)
        elif token[0] == "{":
            for _ in range(len(token) // 2):
                self._open("{{")
        elif token[0] == "}":
            for _ in range(len(token) // 2):
                self._close("{{", "")
        elif token == "[[":
            self._open("[[")
        elif token == "[":
            self._open("[")
            address = _URL.match(self._source, at)
            return address.end() if address else at
        elif token[0] == "]":
            if (self._deep or [self._stack[-1].kind])[-1] == "[":
                self._close("[", token)
                return found.start() + 1
            self._close("[[", token) if token == "]]" else self._add(token)
        else:
            self._bar(token)
        return at

    def _element(self, found: re.Match[str]) -> int:
        name, at = found["raw"].lower(), found.end()
        what = _RAW[name]
        if found[0].endswith("/>") or name in self._never:
            self._add("" if what else MARK)
            return at
        if name not in self._ends:
            self._ends[name] = re.compile(f"</{name}[ \\t\\n]{{0,9}}>", re.IGNORECASE)
        end = self._ends[name].search(self._source, at)
        if end is None:
            self._never.add(name)
            return at
        inside = self._source[at : end.start()]
        if what == "text":
            self._add(self._raws.keep(inside))
        elif what == "lines":
            self._add("\n" + self._raws.keep(inside.strip("\n")) + "\n")
        elif what == "formula":
            self._add(self._raws.keep(f"${inside.strip()}$"))
        else:
            self._add(MARK)
        return end.end()

    def _open(self, kind: str) -> None:
        if self._deep or len(self._stack) > _DEEPEST:
            self.too_deep = True
            self._deep.append(kind)
        else:
            self._stack.append(_Frame(kind))

    def _close(self, kind: str, literal: str) -> None:
        """End the opening of that kind; a link left open within a template or table goes first."""
        if self._deep:
            while len(self._deep) > 1 and self._deep[-1] != kind and self._deep[-1] in "[[":
                self._deep.pop()
            if self._deep[-1] == kind:
                self._deep.pop()
            return
        while self._stack[-1].kind != kind and self._stack[-1].kind in ("[[", "["):
            self._give_up()
        frame = self._stack[-1]
        if frame.kind != kind:
            self._add(literal if kind != "[[" else "")
            return
        self._stack.pop()
        self._add({"{{": _template, "[[": _link, "[": _outside, "{|": _table}[kind](frame))

    def _give_up(self) -> None:
        """Take the innermost opening for what it holds."""
        frame = self._stack.pop()
        self._add(_table(frame) if frame.kind == "{|" else "|".join("".join(part) for part in frame.parts))

    def _bar(self, token: str) -> None:
        frame = self._stack[-1]
        if self._deep:
            return
        if frame.kind in ("{{", "[[") and token != "!!":
            frame.parts += [[] for _ in token]
        elif frame.kind == "{|" and not frame.attributes:
            if token == "||" or (token == "!!" and frame.heading):
                _end_cell(frame)
            elif token == "|" and frame.parts[0] != [MARK] and len(frame.parts) == 1:
                frame.parts = [[MARK], []]  # what stood before were the cell's attributes
            else:
                self._add(token)
        else:
            self._add(token)

    def _line(self, found: re.Match[str]) -> int:
        """A line begins, in a table perhaps a row or cell with it; links do not go on after an empty line."""
        row, at = found["row"], found.end()
        empty = self._source.startswith("\n", at) and not row
        while self._deep and (self._deep[-1] == "[" or (empty and self._deep[-1] == "[[")):
            self._deep.pop()
        if self._deep:
            return at
        kind = self._stack[-1].kind
        while kind == "[" or (kind == "[[" and (empty or row)):
            if kind == "[[" and row and not any(frame.kind == "{|" for frame in self._stack):
                break
            self._give_up()
            kind = self._stack[-1].kind
        frame = self._stack[-1]
        if row == "{|":
            self._open("{|")
            self._stack[-1].attributes = not self._deep
        elif row and kind == "{|":
            self._row(frame, row)
        elif row and kind in ("{{", "[["):
            self._add("\n")
            frame.parts += [[]] if row[0] == "|" else []
            self._add(row[1:] if row[0] == "|" else row)
        elif row == "|}":
            self._add("\n")
        else:
            frame.attributes = False
            self._add(f"\n{row or ''}")
        return at

    def _row(self, frame: _Frame, mark: str) -> None:
        frame.attributes = False
        if mark == "|}":
            self._close("{|", "")
        elif mark in ("|-", "|+"):
            _end_row(frame)
            frame.attributes, frame.caption = mark == "|-", mark == "|+"
        else:
            _end_row(frame) if frame.caption else _end_cell(frame)
            frame.heading, frame.caption = mark == "!", False


def _end_cell(frame: _Frame) -> None:
    cell = " ".join("".join(frame.parts[-1]).split())
    if cell.replace(MARK, ""):
        frame.cells.append(cell)
    frame.parts = [[]]


def _end_row(frame: _Frame) -> None:
    _end_cell(frame)
    if frame.cells:
        frame.rows.append(" | ".join(frame.cells))
    frame.cells = []


def _table(frame: _Frame) -> str:
    _end_row(frame)
    return "\n" + "\n".join(frame.rows) + "\n"


def _outside(frame: _Frame) -> str:
    return "".join(frame.parts[0]).strip() or MARK


def _link(frame: _Frame) -> str:
    target = "".join(frame.parts[0]).strip()
    lower = target.lower()
    if lower.startswith(_FILES):
        return MARK
    shown = "|".join("".join(part) for part in frame.parts[1:]).strip()
    if not shown and _INTERWIKI.match(target):
        return MARK
    return shown or target.removeprefix(":")


def _template(frame: _Frame) -> str:
    name = "".join(frame.parts[0]).strip().replace("_", " ").lower().removeprefix("틀:")
    if name in _SIGNS:
        return _SIGNS[name]
    first = 1 if name in _GLOSS else 0
    if not (first or name in _WHOLE or name.startswith(("lang-", "llang-"))):
        return MARK
    given = []
    for part in frame.parts[1:]:
        text = "".join(part)
        named = _NAMED.match(text)
        if named and not named[1].isdigit():
            continue
        given.append((text[named.end() :] if named else text).strip())
    return ", ".join(filter(None, given[first:])) or MARK
