"""WARC crawls: every response that is an HTML page is a document, every conversion (WET) record its text.

Requests, metadata and the like are no records of ours; answers that are not pages (status, type) are skipped by rule.
A big file is divided between records, which only the chain of their lengths from the file's start tells: a page may
hold another crawl, packed or not. A packed one is divided where a gzip member begins with a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from corpus.decoding import UndecodableError, decode
from corpus.documents import Record, Rejected
from corpus.ranges import BigFile, Cuts, Range
from corpus.sources import ReadOptions, Skipped, parse_created
from corpus.sources.webpage import page_text
from corpus.streams import Stream, too_long

ENDINGS = (".warc", ".warc.gz", ".wet", ".wet.gz")
SPLIT = "records"

_SINGLE = 16 << 20  # compressed bytes in which a file packed by records begins its second
_PAGES = ("text/html", "application/xhtml+xml")
_KINDS = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.conversion


def read(
    path: Path, options: ReadOptions, start: int = 0, end: int | None = None
) -> Iterator[Record | Rejected | Skipped]:
    """Records that begin in [start, end), bytes of the file as it lies, in order; offsets are decompressed bytes."""
    if path.stat().st_size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    size, seen, offset = path.stat().st_size, False, options.state.get("told", start)
    with Stream(path, start, stop=end, told=offset) as stream:
        try:
            # Decompressed by Stream, not by fastwarc: offsets then count decompressed bytes, and a cut is noticed.
            for record in ArchiveIterator(stream, stream_detect=False, parse_http=False):
                seen, offset, length = True, record.stream_pos, record.content_length
                if not record.record_type & _KINDS:
                    continue
                if length <= options.max_record:
                    record.freeze()
                if record.content_length < length:
                    yield _cut(stream, offset, record.content_length)
                    return
                yield _one(record, offset, length, options)
        except OSError as error:
            if stream.cut is None:
                detail = f"from byte {offset} on: {_plain(error)}: copy the file again or name it by its format"
                yield Rejected(offset, max(0, size - offset), "warc.broken", detail)
                return
        if stream.cut is not None:
            yield stream.cut.rejected(stream.tell(), 0)
        elif not seen:
            yield Rejected(0, size, "warc.broken", "no WARC record in the file: copy it again or name it by its format")


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of records as the reader comes to them; what follows a damaged one belongs to the last."""
    cuts, several = Cuts(unit_bytes), False
    with file.stream() as stream:
        try:
            for record in ArchiveIterator(stream, stream_detect=False, parse_http=False):
                offset = record.stream_pos
                if not file.compressed:
                    cuts.offer(offset, {"told": offset})
                    continue
                while stream.members and stream.members[0][0] <= offset:
                    told, at = stream.members.popleft()
                    if told == offset and at:
                        several = True
                        cuts.offer(at, {"told": told})
                if not several and file.handle.tell() > _SINGLE:
                    return []
        except OSError:  # the reader will tell, in the last range
            pass
    return cuts.ranges(file.size)


def _cut(stream: Stream, offset: int, length: int) -> Rejected:
    if stream.cut is not None:
        return stream.cut.rejected(offset, length)
    detail = f"the file ends within the record at byte {offset}; what came before it was read: copy the file again"
    return Rejected(offset, length, "warc.truncated", detail)


def _one(record: WarcRecord, offset: int, length: int, options: ReadOptions) -> Record | Rejected | Skipped:
    place = f"record at byte {offset}"
    try:
        kind, status = _parse(record)
        if status is not None and not 200 <= status < 300:
            return Skipped(offset, length, "source.http_status")
        if kind not in _PAGES and record.record_type != WarcRecordType.conversion:
            return Skipped(offset, length, "source.not_html")
        data = record.reader.read(options.max_record + 1)
    except OSError:
        detail = f"{place}: broken HTTP header or content-encoding: nothing to do, or fetch the page again"
        return Rejected(offset, length, "warc.http", detail)
    if len(data) > options.max_record:
        return too_long(offset, max(length, len(data)), options.max_record, f"the {place}")
    try:
        if kind in _PAGES:
            text, encoding, losses = page_text(data, record.http_charset, options)
        else:
            decoded = decode(data)
            text, encoding, losses = decoded.text, decoded.encoding, decoded.losses
    except UndecodableError as error:
        return Rejected(offset, length, error.cause, f"{place}: {error.detail}")
    if not text:
        return Skipped(offset, length, "source.no_text")
    return _record(record, text, encoding, losses, offset, length)


def _parse(record: WarcRecord) -> tuple[str, int | None]:
    """Media type and HTTP status (None where there is none); the reader stands at the body, decoded, after it."""
    if record.record_type == WarcRecordType.conversion:
        return "text/plain", None
    record.parse_http(auto_decode="all")
    headers = record.http_headers
    kind = (record.http_content_type or record.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return kind, None if headers is None else headers.status_code


def _record(record: WarcRecord, text: str, encoding: str, losses: dict[str, int], offset: int, length: int) -> Record:
    meta: dict[str, Any] = {} if encoding == "utf-8" else {"encoding": encoding}
    # When the page was fetched, not when it was written; still the only order among its versions.
    created = parse_created(record.headers.get("WARC-Date"))
    url = record.headers.get("WARC-Target-URI")
    return Record(text, offset, length, url=url, created=created, meta=meta, losses=losses)


def _plain(error: OSError) -> str:
    return (error.strerror or "not a WARC record").rstrip(".")
