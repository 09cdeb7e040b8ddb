"""EPUB books: the chapters' text in the order of the spine, as one document; pages of navigation are left out."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from corpus.decoding import UndecodableError
from corpus.documents import Record, Rejected
from corpus.sources import ReadOptions
from corpus.sources.webpage import page_text
from corpus.zip_packages import Package, PackageError, read_package

ENDINGS = (".epub",)
SPLIT = "no"

_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_CONTAINER, _LOCKS = "META-INF/container.xml", "META-INF/encryption.xml"
# An element that XHTML closes in itself stays open for a parser of HTML: <title/> would swallow the chapter.
_CLOSED = re.compile(rb"<(title|script|style|textarea|iframe|a|div|span|p|i|b|em|strong)(\s[^<>]*)?/>", re.IGNORECASE)


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """The one record of the file; start and end are not used."""
    empty = "no text in its chapters (pictures only?): run OCR, or leave it out"
    whole = dataclasses.replace(options, page="all")
    yield read_package(path, options.max_record, "epub", lambda package: _text(package, whole), empty)


def _text(package: Package, options: ReadOptions) -> tuple[str, dict[str, int]]:
    locked = _locked(package)
    chapters: list[str] = []
    losses: dict[str, int] = {}
    for name in _spine(package):
        if name in locked:
            raise PackageError("locked", "its chapters are encrypted (DRM): ask the publisher for a file without it")
        try:
            if name not in package.names:
                raise PackageError("broken", "missing")
            text, _, lost = page_text(_CLOSED.sub(rb"<\1\2></\1>", package.read(name)), None, options)
        except (PackageError, UndecodableError) as error:
            if isinstance(error, PackageError) and error.cause != "broken":
                raise
            lost, text = {"epub.chapter_unreadable": 1}, ""
        for cause, times in lost.items():
            losses[cause] = losses.get(cause, 0) + times
        if text:
            chapters.append(text)
    return "\n\n".join(chapters), losses


def _spine(package: Package) -> list[str]:
    """Names of the chapters in reading order, each once."""
    books: list[str] = []

    def container(name: str, given: dict[str, str]) -> None:
        if name == "rootfile" and "full-path" in given:
            books.append(given["full-path"])

    if _CONTAINER not in package.names:
        raise PackageError("unknown", "a zip, but no EPUB in it: name it by its format, or leave it out")
    package.parse(_CONTAINER, container)
    if not books:
        raise PackageError("broken", "its container names no book: copy the file again or save it anew")
    items: dict[str, tuple[str, str, str]] = {}
    order: dict[str, None] = {}

    def book(name: str, given: dict[str, str]) -> None:
        if name == "item":
            told = given.get("href", ""), given.get("media-type", ""), given.get("properties", "")
            items[given.get("id", "")] = told
        elif name == "itemref":
            order[given.get("idref", "")] = None

    package.parse(books[0], book)
    folder = posixpath.dirname(books[0])
    found: dict[str, None] = {}
    for one in order:
        href, kind, properties = items.get(one, ("", "", ""))
        if kind in _PAGES and "nav" not in properties.split():
            found[posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))] = None
    return list(found)


def _locked(package: Package) -> set[str]:
    """Names of the members that are encrypted; fonts often are, in books whose text is not."""
    found: set[str] = set()

    def start(name: str, given: dict[str, str]) -> None:
        if name == "CipherReference":
            found.add(posixpath.normpath(unquote(given.get("URI", ""))))

    if _LOCKS in package.names:
        package.parse(_LOCKS, start)
    return found
