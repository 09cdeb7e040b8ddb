"""JSON that is not lines: an object, a list of objects, an object with a list of them inside; lines so named too.

The file is never held: elements are found by their brackets (`corpus/json_elements.py`), offsets are their bytes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.json_elements import Element, Scanner, list_elements, parse
from corpus.sources import ReadOptions
from corpus.sources.jsonl import no_text, record_of
from corpus.sources.jsonl import read as read_as_lines
from corpus.streams import Stream, too_long

ENDINGS = (".json", ".json.gz", ".json.zst")
SPLIT = "no"

_LOOK = 1 << 20  # bytes in which two whole objects, a line each, mean JSON Lines
_UTF8 = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records in the order of the file; start and end are not used."""
    yield from records(path, options)


def records(path: Path, options: ReadOptions) -> Iterator[Record | Rejected]:
    """A record for each object, or why it is none, whatever of the shapes the file has."""
    if _is_lines(path):
        yield from read_as_lines(path, options)
        return
    for one in elements(path, options):
        if isinstance(one, Rejected):
            yield one
        else:
            yield record_of(one.data, one.offset, len(one.data), "object", options)


def elements(path: Path, options: ReadOptions) -> Iterator[Element | Rejected]:
    """The objects of a file that are its records, whatever of the shapes it has, and what is none."""
    with Stream(path) as stream:
        scanner = Scanner(stream, options.max_record)
        if scanner.starts(*_WIDE):
            yield Rejected(0, path.stat().st_size, "json.utf16", "the file is UTF-16 or UTF-32: save it as UTF-8")
            return
        if scanner.starts(_UTF8):
            for _ in _UTF8:
                scanner.pass_byte()
        seen, told = False, ""
        while (byte := scanner.peek()) is not None:
            seen = True
            if byte in b"[{":
                for one in (_list if byte == ord("[") else _object)(scanner, options):
                    told = one.cause if isinstance(one, Rejected) else ""
                    yield one
            else:
                begun = scanner.offset
                scanner.to_end()
                detail = f"byte {begun}: neither an object nor a list: mend the file, or name it by its format"
                yield Rejected(begun, scanner.offset - begun, "json.broken", detail)
        if stream.cut is not None and stream.cut.cause != told:
            yield stream.cut.rejected(scanner.offset, 0)
        elif not seen:
            yield Rejected(0, scanner.offset, "file.empty", "the file is empty: remove it or copy it again")


def _is_lines(path: Path) -> bool:
    """Whether two lines that follow each other are objects, each whole: in a list a comma would stand between them."""
    with Stream(path) as stream:
        lines = b"".join(iter(lambda: stream.read(_LOOK) if stream.tell() < _LOOK else b"", b"")).split(b"\n")
    before = False
    for line in filter(None, (line.strip() for line in lines)):
        bare = line.removeprefix(_UTF8)
        whole = bare.startswith(b"{") and bare.endswith(b"}") and not isinstance(parse(bare, 0, ""), Rejected)
        if before and whole:
            return True
        before = whole
    return False


def _list(scanner: Scanner, options: ReadOptions) -> Iterator[Element | Rejected]:
    begun = scanner.offset
    scanner.pass_byte()
    if scanner.peek() in (ord("{"), ord("]"), None):
        yield from list_elements(scanner, options.max_record)
        return
    scanner.skip(depth=1)
    detail = f"the list at byte {begun} does not begin with an object: write {{{options.text!r}: …}} for each text"
    yield Rejected(begun, scanner.offset - begun, "json.not_object", detail.replace("'", '"'))


def _object(scanner: Scanner, options: ReadOptions) -> Iterator[Element | Rejected]:
    """An object that is a record, or whose lists hold the records; of one that is too long to hold, the latter."""
    begun = scanner.offset
    data = scanner.value()
    found = None if data is None else parse(data, begun, "object")
    row = found[0] if isinstance(found, tuple) else None
    if data is not None and row is not None and (options.text in row or not _inner(row)):
        yield Element(begun, data)
        return
    scanner.back(begun)
    scanner.pass_byte()
    given, refused = 0, False
    while (byte := scanner.peek()) != ord("}"):
        if byte is None:
            break
        if byte == ord("["):
            scanner.pass_byte()
            if _has_text(scanner, options):
                for one in list_elements(scanner, options.max_record):
                    given, refused = given + 1, refused or isinstance(one, Rejected)
                    yield one
            elif not scanner.skip(depth=1):
                break
        elif byte in b",:":
            scanner.pass_byte()
        elif not scanner.skip():
            break
    else:
        scanner.pass_byte()
    length = scanner.offset - begun
    if isinstance(found, Rejected) and not refused:  # a flaw that no element has told
        yield dataclasses.replace(found, length=0) if given else found
    elif scanner.stream.cut is not None or given:
        return
    elif row is not None:
        yield Rejected(begun, length, "json.no_text", f"byte {begun}: {no_text(row, options.text)}")
    elif length > options.max_record:
        yield too_long(begun, length, options.max_record, f"byte {begun}")
    else:
        detail = f"the object at byte {begun} has no end: a bracket or quote is missing, or it was cut short"
        yield Rejected(begun, length, "json.truncated", f"{detail}: copy it again")


def _inner(row: dict[str, object]) -> bool:
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in row.values())


def _has_text(scanner: Scanner, options: ReadOptions) -> bool:
    """Whether the list in which the scanner stands begins with an object that has a text; it stands there still."""
    if scanner.peek() != ord("{"):
        return False
    begun = scanner.offset
    data = scanner.value()
    scanner.back(begun)
    found = None if data is None else parse(data, 1, "")
    return found is None or (not isinstance(found, Rejected) and options.text in found[0])
