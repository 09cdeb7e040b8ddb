"""JSON that is not lines: an object, a list of objects, an object with a list of them inside; lines so named too.

The file is never held: elements are found by their brackets (`corpus/json_elements.py`), offsets are their bytes. A big
file is divided between the elements of its lists, found as they are read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from corpus.documents import Record, Rejected
from corpus.json_elements import Element, Place, RangeEndError, Scanner, list_elements, parse
from corpus.ranges import BigFile, Cuts, Range, line_ranges
from corpus.sources import ReadOptions
from corpus.sources.jsonl import no_text, record_of
from corpus.sources.jsonl import read as read_as_lines
from corpus.streams import Stream, too_long

ENDINGS = (".json", ".json.gz", ".json.zst")
SPLIT = "records"

_LOOK = 1 << 20  # bytes, about, in which two whole objects, a line each, mean JSON Lines
_UTF8 = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


def read(path: Path, options: ReadOptions, start: int = 0, end: int | None = None) -> Iterator[Record | Rejected]:
    """Records in the order of the file, of the elements that begin in [start, end)."""
    if "line" in options.state:
        yield from read_as_lines(path, dataclasses.replace(options, first_line=options.state["line"]), start, end)
        return
    with Stream(path, start) as stream:
        lines = not options.state and _is_lines(stream)
    if lines:
        yield from read_as_lines(path, options, 0, end)
        return
    with Stream(path, start) as stream:
        place = Place.of(options.state, end)
        for one in elements(Scanner(stream, options.max_record, start), path.stat().st_size, options, place):
            if isinstance(one, Rejected):
                yield one
            else:
                yield record_of(one.data, one.offset, len(one.data), "object", options)


def divide(file: BigFile, options: ReadOptions, unit_bytes: int) -> list[Range]:
    """Ranges of elements, or of lines where the file has such, of a file that is not compressed."""
    if file.compressed:
        return []
    if _is_lines(file.stream()):
        return line_ranges(file, unit_bytes, 2 * _LOOK)
    cuts, place = Cuts(unit_bytes), Place()
    state, looked = None, 2 * _LOOK
    for one in elements(Scanner(file.stream(), options.max_record), file.size, options, place):
        if state is not None and place.open and place.begun == state["begun"]:
            cuts.offer(one.offset, state, max(looked, one.offset + 1))
        state = place.state() if place.open and not place.fixed else None
        looked = place.looked
    return cuts.ranges(file.size)


def elements(scanner: Scanner, size: int, options: ReadOptions, place: Place) -> Iterator[Element | Rejected]:
    """The objects of a file that are its records, whatever of the shapes it has, and what is none."""
    begun = scanner.offset
    if begun == 0 and scanner.starts(*_WIDE):
        yield Rejected(0, size, "json.utf16", "the file is UTF-16 or UTF-32: save it as UTF-8")
        return
    if begun == 0 and scanner.starts(_UTF8):
        for _ in _UTF8:
            scanner.pass_byte()
    told = ""
    try:
        for one in _values(scanner, options, place):
            told = one.cause if isinstance(one, Rejected) else ""
            yield one
    except RangeEndError:
        return
    cut = scanner.stream.cut
    if cut is not None and cut.cause != told:
        yield cut.rejected(scanner.offset, 0)
    elif begun == 0 and not place.seen:
        yield Rejected(0, scanner.offset, "file.empty", "the file is empty: remove it or copy it again")


def _values(scanner: Scanner, options: ReadOptions, place: Place) -> Iterator[Element | Rejected]:
    """What the values of the file hold, from the place on."""
    if place.open:
        yield from list_elements(scanner, options.max_record, place)
        if place.within:
            yield from _lists_within(scanner, options, place)
    while (byte := scanner.peek()) is not None:
        place.seen = True
        if byte in b"[{":
            yield from (_list if byte == ord("[") else _object)(scanner, options, place)
        else:
            begun = scanner.offset
            scanner.to_end()
            detail = f"byte {begun}: neither an object nor a list: mend the file, or name it by its format"
            yield Rejected(begun, scanner.offset - begun, "json.broken", detail)


def _is_lines(stream: Stream) -> bool:
    """Whether two lines that follow each other are objects, each whole: in a list a comma would stand between them."""
    lines = b"".join(iter(lambda: stream.read(_LOOK) if stream.tell() < _LOOK else b"", b"")).split(b"\n")
    before = False
    for line in filter(None, (line.strip() for line in lines)):
        bare = line.removeprefix(_UTF8)
        whole = bare.startswith(b"{") and bare.endswith(b"}") and not isinstance(parse(bare, 0, ""), Rejected)
        if before and whole:
            return True
        before = whole
    return False


def _list(scanner: Scanner, options: ReadOptions, place: Place) -> Iterator[Element | Rejected]:
    begun = scanner.offset
    scanner.pass_byte()
    place.within = False
    if scanner.peek() in (ord("{"), ord("]"), None):
        yield from list_elements(scanner, options.max_record, place)
        return
    scanner.skip(depth=1)
    detail = f"the list at byte {begun} does not begin with an object: write {{{options.text!r}: …}} for each text"
    yield Rejected(begun, scanner.offset - begun, "json.not_object", detail.replace("'", '"'))


def _object(scanner: Scanner, options: ReadOptions, place: Place) -> Iterator[Element | Rejected]:
    """An object that is a record, or whose lists hold the records; of one that is too long to hold, the latter."""
    begun = scanner.offset
    data = scanner.value()
    place.looked = max(place.looked, begun + scanner.window + 1)
    found = None if data is None else parse(data, begun, "object")
    row = found[0] if isinstance(found, tuple) else None
    if data is not None and row is not None and (options.text in row or not _inner(row)):
        yield Element(begun, data)
        return
    scanner.back(begun)
    scanner.pass_byte()
    # Where reading goes on in the middle, it is not known what an object was refused for.
    place.within, place.fixed = True, isinstance(found, Rejected)
    given, refused = False, False
    for one in _lists_within(scanner, options, place):
        given, refused = True, refused or isinstance(one, Rejected)
        yield one
    place.fixed = False
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


def _lists_within(scanner: Scanner, options: ReadOptions, place: Place) -> Iterator[Element | Rejected]:
    """The elements of an object's lists, from where the scanner stands in it; it then stands after the object."""
    while (byte := scanner.peek()) != ord("}"):
        if byte is None:
            return
        if byte == ord("["):
            scanner.pass_byte()
            if _has_text(scanner, options, place):
                yield from list_elements(scanner, options.max_record, place)
            elif not scanner.skip(depth=1):
                return
        elif byte in b",:":
            scanner.pass_byte()
        elif not scanner.skip():
            return
    scanner.pass_byte()


def _inner(row: dict[str, object]) -> bool:
    return any(isinstance(value, list) and value and isinstance(value[0], dict) for value in row.values())


def _has_text(scanner: Scanner, options: ReadOptions, place: Place) -> bool:
    """Whether the list in which the scanner stands begins with an object that has a text; it stands there still."""
    if scanner.peek() != ord("{"):
        return False
    begun = scanner.offset
    data = scanner.value()
    if data is None:
        place.looked = max(place.looked, begun + scanner.window + 1)
    scanner.back(begun)
    found = None if data is None else parse(data, 1, "")
    return found is None or (not isinstance(found, Rejected) and options.text in found[0])
