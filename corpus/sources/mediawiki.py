"""MediaWiki's XML dumps (Wikipedia and others): an article is a document, its markup removed. Other XML is refused.

The file is divided at `<page>`, which cannot stand in a page's own (escaped) text, and each page is parsed by itself: a
damaged one costs itself alone, none can declare entities, and offsets are those of pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.safe_xml import XmlError, parse_xml
from corpus.sources import ReadOptions, Skipped, parse_created
from corpus.streams import Stream, too_long
from corpus.wikitext import plain_text, redirects

ENDINGS = (".xml", ".xml.gz", ".xml.bz2", ".xml.zst")
SPLIT = "no"

_BLOCK = 1 << 18
_LOOK = 1 << 16
_BEGIN, _END = b"<page>", b"</page>"
_ROOT = re.compile(rb"<([^\s<>/!?\"'=]{1,200})[\s/>]")
_FIELDS = {"title", "ns", "id", "timestamp", "model", "text"}


def read(
    path: Path, options: ReadOptions, start: int = 0, end: int | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """The pages in the order of the file; start and end are not used."""
    with Stream(path) as stream:
        head = b"".join(iter(lambda: stream.read(_LOOK) if stream.tell() < _LOOK else b"", b""))
        if not head.strip() and stream.cut is None:
            yield Rejected(0, len(head), "file.empty", "the file is empty: remove it or copy it again")
            return
        root = _ROOT.search(head)
        if root is None or root[1] != b"mediawiki":
            named = root is not None and re.fullmatch(rb"[A-Za-z][A-Za-z0-9_.:-]{0,30}", root[1]) is not None
            what = f"XML with the root <{root[1].decode()}>" if root and named else "XML of another kind, or none"
            told = f"{what}, not a MediaWiki dump: set the source's `format`, or leave the file out by `include`"
            yield Rejected(0, path.stat().st_size, "xml.unknown", told)
            return
        for offset, length, page in _pages(stream, head, options.max_record):
            if isinstance(page, Rejected):
                yield page
            elif page is None:
                yield too_long(offset, length, options.max_record, f"the page at byte {offset}")
            else:
                yield _one(page, offset)


def _pages(stream: Stream, head: bytes, limit: int) -> Iterator[tuple[int, int, bytes | Rejected | None]]:
    """Offset, length and bytes of each page, None for bytes above the limit."""
    data, base, found = bytearray(head), 0, False
    while True:
        at = data.find(_BEGIN)
        if at < 0:
            keep = max(0, len(data) - len(_BEGIN))
            base += keep
            del data[:keep]
            block = stream.read(_BLOCK)
            if not block:
                break
            data += block
            continue
        del data[:at]
        base, found = base + at, True
        length, seen, kept = 0, 0, True
        while (stop := data.find(_END, max(0, seen - len(_END)))) < 0:
            seen = len(data)
            if seen > limit:
                gone = seen - len(_END)
                del data[:gone]
                length, seen, kept = length + gone, len(_END), False
            block = stream.read(_BLOCK)
            if not block:
                yield base, length, _ended(stream, base, length + len(data))
                return
            data += block
        stop += len(_END)
        length += stop
        yield base, length, bytes(data[:stop]) if kept and length <= limit else None
        del data[:stop]
        base += length
    if stream.cut is not None:
        yield base, 0, stream.cut.rejected(base, 0)
    elif not found:
        yield (
            0,
            base,
            Rejected(0, base, "xml.no_page", "a MediaWiki dump without a page: copy it again"),
        )


def _ended(stream: Stream, offset: int, length: int) -> Rejected:
    if stream.cut is not None:
        return stream.cut.rejected(offset, length)
    detail = f"the file ends within the page at byte {offset}; what came before it was read: copy the file again"
    return Rejected(offset, length, "xml.truncated", detail)


@dataclass(slots=True)
class _Page:
    """What is read of a page: of its latest revision, where it has several. Never who wrote it."""

    title: str = ""
    ns: str = ""
    id: str = ""
    timestamp: str = ""
    model: str = "wikitext"
    text: str = ""
    redirect: bool = False


def _one(data: bytes, offset: int) -> Record | Rejected | Skipped:
    page, path, text = _Page(), list[str](), list[str]()

    def start(name: str, given: dict[str, str]) -> None:
        path.append(name)
        text.clear()
        if path == ["page", "redirect"]:
            page.redirect = True

    def end(name: str) -> None:
        above = path[:-1]
        wanted = name in _FIELDS and (above == ["page"] or (above == ["page", "revision"] and name != "id"))
        if wanted:
            setattr(page, name, "".join(text))
        text.clear()
        path.pop()

    try:
        parse_xml(data, start, end, text.append)
    except XmlError as error:
        told = f"the page at byte {offset} {error.what}: mend or remove it"
        return Rejected(offset, len(data), f"xml.{error.cause}", told)
    if page.ns.strip() not in ("", "0"):
        return Skipped(offset, len(data), "source.namespace")
    if page.redirect or redirects(page.text):
        return Skipped(offset, len(data), "source.redirect")
    if page.model != "wikitext":
        return Skipped(offset, len(data), "source.not_wikitext")
    plain, losses = plain_text(page.text)
    if not plain:
        return Skipped(offset, len(data), "source.no_text")
    created = parse_created(page.timestamp)
    if created is None:
        losses["created.unreadable"] = 1
    meta = {"title": page.title}
    return Record(plain, offset, len(data), key=page.id or None, created=created, meta=meta, losses=losses)
