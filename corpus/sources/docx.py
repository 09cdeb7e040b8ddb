"""Word documents (DOCX, a zip of XML): paragraphs and table cells in reading order, a line each, notes at the end.

Left out is what a reader of the page's text does not read: deleted text, comments, headers and footers, field codes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.zip_packages import Package, PackageError, read_package

ENDINGS = (".docx", ".docm")
SPLIT = "no"

_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": ""}
# Fallback: the same again for older programs; rt: a reading above its base; moveFrom: stands elsewhere now
_UNREAD = {"Fallback", "rt", "moveFrom", "instrText", "delText", "del"}
_NOTES = (("footnotes", "footnote"), ("endnotes", "endnote"))


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    empty = "no text in it (pictures only?): run OCR over them, or leave it out"
    yield read_package(path, options.max_record, "docx", _text, empty)


def _text(package: Package) -> tuple[str, dict[str, int]]:
    main = _main_part(package)
    body = _Story("")
    package.parse(main, body.start, body.end, body.text)
    lines, losses = body.lines, dict[str, int]()
    folder = posixpath.dirname(main)
    for part, kind in _NOTES:
        wanted = body.references.get(kind)
        if not wanted:
            continue
        try:
            notes = _Story(kind)
            package.parse(f"{folder}/{part}.xml".lstrip("/"), notes.start, notes.end, notes.text)
        except PackageError as error:
            if error.cause != "broken":
                raise
            losses["docx.notes_unreadable"] = losses.get("docx.notes_unreadable", 0) + len(wanted)
            continue
        for number in wanted:
            lines += notes.notes.get(number, [])
    return "\n".join(lines).strip("\n"), losses


def _main_part(package: Package) -> str:
    """Name of the part that holds the body, as the package's relations say."""
    found: list[str] = []

    def start(name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("Type", "").endswith("/officeDocument"):
            found.append(given.get("Target", "").lstrip("/"))

    if "_rels/.rels" in package.names:
        package.parse("_rels/.rels", start)
    part = next((one for one in [*found, "word/document.xml"] if one in package.names), None)
    if part is None:
        raise PackageError("unknown", "a zip, but no Word document in it: name it by its format, or leave it out")
    return part


class _Story:
    """Lines of a part: the body, or all notes of a kind, as the parser tells them.

    Attributes:
        references: kind of note → ids in the order in which the body names them, each once.
        notes: id → lines of that note.
    """

    def __init__(self, note: str) -> None:
        self.lines: list[str] = []
        self.references: dict[str, dict[str, None]] = {}
        self.notes: dict[str, list[str]] = {}
        self._note = note
        self._paragraphs: list[list[str]] = []  # a text box stands within a paragraph, and holds others
        self._unread, self._within_text = 0, False

    def start(self, name: str, given: dict[str, str]) -> None:
        """An element begins."""
        if self._unread or name in _UNREAD:
            self._unread += 1
        elif name == "p":
            self._paragraphs.append([])
        elif name == "t":
            self._within_text = True
        elif name in _SIGNS and self._paragraphs:
            self._paragraphs[-1].append(_SIGNS[name])
        elif name.endswith("Reference"):
            self.references.setdefault(name.removesuffix("Reference"), {})[given.get("id", "")] = None
        elif name == self._note:
            self.lines = self.notes[given.get("id", "")] = []

    def end(self, name: str) -> None:
        """An element ends."""
        if self._unread:
            self._unread -= 1
        elif name == "t":
            self._within_text = False
        elif name == "p" and self._paragraphs:
            line = "".join(self._paragraphs.pop()).strip()
            if line:
                self.lines.append(line)

    def text(self, text: str) -> None:
        """Text of the element at hand."""
        if self._within_text and not self._unread and self._paragraphs:
            self._paragraphs[-1].append(text)
