"""Namuwiki's markup to plain text, in time that grows with its length alone, whatever is nested or left open in it.

Kept: what a page shows as its text, headings, cells of tables (a row a line), code and formulas (`$…$`) as they were
written, sums in dollars. Gone: macros, footnotes, pictures, categories, comments, and what is struck out.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from corpus.wiki_lines import MARK, Raws, finish

_CALLED = "include|age|dday|youtube|kakaotv|nicovideo|navertv|vimeo|ruby|math|anchor|pagecount"
_NAMED = "목차|tableofcontents|각주|footnote|br|clearfix|pagecount|date|datetime"
_TOKEN = re.compile(
    rf"\{{\{{\{{|\}}\}}\}}|\[\[|\]\]|\[\*|\[(?P<named>{_NAMED})\]|\[(?P<called>{_CALLED})\(|\[|\]|\\(?P<escaped>[^\n])|\||\n",
    re.IGNORECASE,
)
_SIZE = re.compile(r"[+-][1-5](?=[ \n])[ \n]?|#[A-Za-z0-9#,]{1,40} ")  # {{{+1 …}}}, {{{#색 …}}}
_BLOCK = re.compile(r"#!(?P<kind>[a-z]{1,20})(?P<rest>[^\n}]{0,500})\n?", re.IGNORECASE)
_DEEPEST = 100
_REDIRECT = re.compile(r"\s*#(?:redirect|넘겨주기)\b", re.IGNORECASE)
_COMMENT = re.compile(r"^##[^\n]*\n?", re.MULTILINE)
_FILES = ("파일:", "file:", "분류:", "category:")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_STRUCK = re.compile(r"~~(?![\s~])[^\n~]*+~~|(?<!-)--(?![\s-])[^\n-]*+(?<!\s)--(?!-)")
_STYLED = re.compile(r"(?P<mark>__|\^\^|,,)(?=\S)(?P<text>[^\n_^,]++)(?P=mark)")
_OPTIONS = re.compile(r"[ \t]*+(?:<[^<>\n]{1,200}+>)++")  # of a cell: <bgcolor=#fff><-2>
_CAPTION = re.compile(r"\|([^|\n]{1,200})\|(?!\|)")
_LIST = re.compile(r"(?:>[ \t]*)*(?:\*+[ \t]*|(?:1|a|A|i|I)\.(?:#[0-9]+)?[ \t]+)?")


def redirects(source: str) -> bool:
    """Whether a page is nothing but the way to another."""
    return _REDIRECT.match(source) is not None


def plain_text(source: str) -> tuple[str, dict[str, int]]:
    """The text that a page shows, and what was lost (`wiki.too_deep`: nested beyond reason)."""
    raws = Raws()
    parser = _Parser(_COMMENT.sub("", raws.clean(source)), raws)
    text = _STRUCK.sub(MARK, html.unescape(parser.run()))
    for _ in range(2):  # one style within another
        text = _STYLED.sub(lambda found: found["text"], text)
    text = "\n".join(_row(line) if "||" in line else line for line in text.split("\n"))
    return finish(text, raws, _LIST), {"wiki.too_deep": 1} if parser.too_deep else {}


@dataclass(slots=True)
class _Frame:
    """An opening without its end as yet: "{{{", "[[", "[*" or "[" ("" for the page), and the parts that `|` divides."""

    kind: str
    parts: list[list[str]] = field(default_factory=lambda: [[]])


class _Parser:
    def __init__(self, source: str, raws: Raws) -> None:
        self.too_deep = False
        self._source, self._raws = source, raws
        self._stack = [_Frame("")]
        self._deep: list[str] = []  # kinds of openings below the deepest that is kept; what is in them is lost
        self._last: dict[str, int] = {}

    def run(self) -> str:
        at, source = 0, self._source
        while found := _TOKEN.search(source, at):
            self._add(source[at : found.start()])
            at = self._token(found)
        self._add(source[at:])
        while len(self._stack) > 1:
            self._give_up()
        return "".join(self._stack[0].parts[0])

    def _add(self, text: str) -> None:
        if text and not self._deep:
            self._stack[-1].parts[-1].append(text)

    def _token(self, found: re.Match[str]) -> int:
        """Take one token; returns where to go on."""
        token, at = found[0], found.end()
        top = self._deep[-1] if self._deep else self._stack[-1].kind
        if token == "{{{":
            return self._braces(at)
        if token == "}}}":
            self._close("{{{")
        elif found["escaped"]:
            self._add(found["escaped"])
        elif found["named"]:
            self._add("\n" if found["named"].lower() == "br" else MARK)
        elif found["called"]:
            return self._macro(found["called"].lower(), at)
        elif token in ("[[", "[*", "["):
            self._open(token)
        elif token[0] == "]" and top in ("[*", "["):
            self._close(top)
            return found.start() + 1
        elif token == "]]":
            self._close("[[")
        elif token == "|" and top == "[[" and not self._deep:
            self._stack[-1].parts.append([])
        elif token == "\n":
            self._line(at)
        else:
            self._add(token)
        return at

    def _end(self, mark: str, at: int) -> int:
        """Where a mark stands next, -1 where it does not; a search in vain is made once."""
        if self._last.get(mark, len(self._source)) < at:
            return -1
        end = self._source.find(mark, at)
        if end < 0:
            self._last[mark] = at - 1
        return end

    def _braces(self, at: int) -> int:
        """What begins with three braces: a style, a block, or text that is no markup."""
        styled = _SIZE.match(self._source, at)
        block = _BLOCK.match(self._source, at)
        if styled or (block and block["kind"].lower() in ("wiki", "folding")):
            self._open("{{{")
            return styled.end() if styled else block.end() if block else at
        end = self._end("}}}", at)
        if end < 0:
            return block.end() if block else at
        if block is None:
            self._add(self._raws.keep(self._source[at:end]))
        elif block["kind"].lower() == "syntax":
            begun = min(block.end(), end)
            self._add("\n" + self._raws.keep(self._source[begun:end].strip("\n")) + "\n")
        else:
            self._add(MARK)
        return end + 3

    def _macro(self, name: str, at: int) -> int:
        end = self._end(")]", at)
        if end < 0:
            return at
        inside = self._source[at:end]
        if name == "math":
            self._add(self._raws.keep(f"${inside.strip()}$"))
        elif name == "ruby":
            self._add(inside.partition(",")[0].strip())
        else:
            self._add(MARK)
        return end + 2

    def _open(self, kind: str) -> None:
        if self._deep or len(self._stack) > _DEEPEST:
            self.too_deep = True
            self._deep.append(kind)
        else:
            self._stack.append(_Frame(kind))

    def _close(self, kind: str) -> None:
        """End the opening of that kind; others left open within it go first, where they cannot hold such an end."""
        if self._deep:
            while len(self._deep) > 1 and self._deep[-1] != kind and self._deep[-1] != "{{{":
                self._deep.pop()
            if self._deep[-1] == kind:
                self._deep.pop()
            return
        if not any(frame.kind == kind for frame in self._stack):
            self._add("" if kind == "{{{" else "]]")
            return
        while self._stack[-1].kind != kind:
            if self._stack[-1].kind == "{{{":  # a link does not end within a block that it did not begin in
                return
            self._give_up()
        frame = self._stack.pop()
        inside = "|".join("".join(part) for part in frame.parts)
        if kind == "[[":
            self._add(_link(frame))
        elif kind == "[*":
            self._add(MARK)
        else:
            self._add(f"[{inside}]" if kind == "[" else inside)

    def _give_up(self) -> None:
        """Take the innermost opening for what it holds."""
        frame = self._stack.pop()
        self._add(("[" if frame.kind == "[" else "") + "|".join("".join(part) for part in frame.parts))

    def _line(self, at: int) -> None:
        """A line ends, and with it a bracket; after an empty line no link or footnote goes on."""
        empty = self._source.startswith("\n", at)
        ends = ("[", "[[", "[*") if empty else ("[",)
        while self._deep and self._deep[-1] in ends:
            self._deep.pop()
        while not self._deep and self._stack[-1].kind in ends:
            self._give_up()
        self._add("\n")


def _link(frame: _Frame) -> str:
    target = "".join(frame.parts[0]).strip()
    if target.lower().startswith(_FILES):
        return MARK
    shown = "|".join("".join(part) for part in frame.parts[1:]).strip()
    if shown:
        return shown
    if _WEB.match(target):
        return MARK
    return target.removeprefix(":").partition("#")[0] or MARK


def _row(line: str) -> str:
    """A table's row: its cells without their options, between bars."""
    line = line.strip()
    title = _CAPTION.match(line)
    cells = [title[1], *line[title.end() :].split("||")] if title else line.split("||")
    plain = (_OPTIONS.sub("", cell, count=1).strip() for cell in cells)
    return " | ".join(cell for cell in plain if cell.replace(MARK, ""))
