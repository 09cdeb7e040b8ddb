"""MediaWiki's XML dumps (Wikipedia and others): an article is a document, its markup removed. Other XML is refused.

The file is divided at `<page>`, which cannot stand in a page's own (escaped) text, and each page is parsed by itself: a
damaged one, ended or not, costs itself alone, none can declare entities, and offsets are those of pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.ranges import BigFile, Cuts, Range
from corpus.safe_xml import XmlError, parse_xml
from corpus.sources import ReadOptions, Skipped, parse_created
from corpus.streams import Stream, too_long
from corpus.wikitext import plain_text, redirects

ENDINGS = (".xml", ".xml.gz", ".xml.bz2", ".xml.zst")
SPLIT = "records"

_BLOCK = 1 << 18
_SINGLE = 16 << 20  # compressed bytes in which a file of many streams begins its second
_LOOK = 1 << 16
_BEGIN, _END = b"<page>", b"</page>"
_ROOT = re.compile(rb"<([^\s<>/!?\"'=]{1,200})[\s/>]")
_FIELDS = {"title", "ns", "id", "timestamp", "model", "text"}


def read(
    path: Path, options: ReadOptions, start: int = 0, end: int | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """The pages that begin in [start, end), in the order of the file; of a compressed one these are its own bytes."""
    with Stream(path, start, stop=end, told=options.state.get("told")) as stream:
        if start:
            yield from _read(stream, b"", options, (start, end))
            return
        head = _head(stream)
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
        yield from _read(stream, head, options, (start, end))


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of pages; of a compressed file of several streams (`multistream`), those that begin between pages."""
    cuts = Cuts(unit_bytes)
    with file.stream() as stream:
        head = _head(stream)
        root = _ROOT.search(head)
        if root is None or root[1] != b"mediawiki":
            return []
        if not file.compressed:
            for at in _page_starts(file, unit_bytes):
                cuts.offer(at, {"told": at})
            return cuts.ranges(file.size)
        before, several = 0, False
        for offset, length, _ in _pages(stream, head, options.max_record, bounded=False):
            while stream.members and stream.members[0][0] <= offset:
                told, at = stream.members.popleft()
                if before <= told and at:
                    several = True
                    cuts.offer(at, {"told": told})
            before = offset + length
            if not several and file.handle.tell() > _SINGLE:
                return []
    return cuts.ranges(file.size)


def _page_starts(file: BigFile, unit_bytes: int) -> Iterator[int]:
    """Where pages begin that are the last in a unit's bytes, or the first after them."""
    begun = 0
    while begun + unit_bytes < file.size:
        at = _last_page(file, begun + 1, begun + unit_bytes + 1)
        if at < 0:
            at = _first_page(file, begun + 1)
        if at < 0:
            return
        yield at
        begun = at


def _last_page(file: BigFile, low: int, high: int) -> int:
    """The last `<page>` that begins in [low, high), -1 where there is none."""
    while high > low:
        start = max(low, high - _BLOCK)
        file.handle.seek(start)
        at = file.handle.read(high - start + len(_BEGIN) - 1).rfind(_BEGIN)
        if at >= 0:
            return start + at
        high = start
    return -1


def _first_page(file: BigFile, low: int) -> int:
    file.handle.seek(low)
    held = b""
    while block := file.handle.read(_BLOCK):
        held += block
        if (at := held.find(_BEGIN)) >= 0:
            return low + at
        low += max(0, len(held) - len(_BEGIN) + 1)
        held = held[max(0, len(held) - len(_BEGIN) + 1) :]
    return -1


def _head(stream: Stream) -> bytes:
    return b"".join(iter(lambda: stream.read(_LOOK) if stream.tell() < _LOOK else b"", b""))


def _read(
    stream: Stream, head: bytes, options: ReadOptions, part: tuple[int, int | None]
) -> Iterator[Record | Rejected | Skipped]:
    start, end = part
    found = False
    for offset, length, page in _pages(stream, head, options.max_record, bounded=end is not None):
        found = True
        if isinstance(page, Rejected):
            yield page
        elif page is None:
            yield too_long(offset, length, options.max_record, f"the page at byte {offset}")
        else:
            yield _one(page, offset)
    if not found and start == 0 and end is None:
        yield Rejected(0, stream.tell(), "xml.no_page", "a MediaWiki dump without a page: copy it again")


def _pages(
    stream: Stream, head: bytes, limit: int, bounded: bool
) -> Iterator[tuple[int, int, bytes | Rejected | None]]:
    """Offset, length and bytes of each page, None for bytes above the limit.

    Args:
        head: what was read of the stream already.
        bounded: the stream ends where another page begins, not with the file.
    """
    data, base = bytearray(head), stream.tell() - len(head)
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
        base += at
        length, seen, kept = 0, 0, True
        while (stop := _stop(data, seen, first=length == 0)) < 0:
            seen = len(data)
            if seen > limit:
                gone = seen - len(_END)
                del data[:gone]
                length, seen, kept = length + gone, len(_END), False
            block = stream.read(_BLOCK)
            if not block and bounded:
                stop = len(data)
                break
            if not block:
                yield base, length + len(data), _ended(stream, base, length + len(data))
                return
            data += block
        length += stop
        yield base, length, bytes(data[:stop]) if kept and length <= limit else None
        del data[:stop]
        base += length
    if stream.cut is not None:
        yield base, 0, stream.cut.rejected(base, 0)


def _stop(data: bytearray, seen: int, first: bool) -> int:
    """Where the page at hand stops: after its end, or where the next one begins without one; -1: not in these bytes.

    Args:
        seen: bytes looked at already.
        first: the page's own beginning is among them.
    """
    end = data.find(_END, max(0, seen - len(_END)))
    begin = data.find(_BEGIN, max(len(_BEGIN) if first else 0, seen - len(_BEGIN)), len(data) if end < 0 else end)
    return begin if begin >= 0 else end if end < 0 else end + len(_END)


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
