"""JSON read without holding the file: a scanner that matches brackets outside strings and hands out value by value.

For readers of JSON that is not lines (a list of 12 GB on one line). What is broken costs as little as can be told:
after a lost quote or bracket reading goes on at the next element that begins with the key that the first began with.

All that is decided on the way depends on the bytes from the value at hand on and on a `Place`, never on how the stream
was cut into blocks: so a list can be read from any of its elements on, as a range of a big file is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corpus.decoding import UndecodableError, decode
from corpus.documents import Rejected
from corpus.streams import Stream, too_long

_BLOCK = 1 << 18
_SPACE = re.compile(rb"[ \t\r\n]*+")
_OUTSIDE = re.compile(rb'["{}\[\]]')
_SCALAR = re.compile(rb'[^ \t\r\n,:\[\]{}"]*+')
_FIRST_KEY = re.compile(rb'\{[ \t\r\n]*+"[^"\\]{1,100}+"')
_WASTE = 4  # bytes looked at in vain, for each byte gone past, before the rest is given up
_AFTER_LIST = (None, 0x2C, 0x5B, 0x5D, 0x7D)  # after `]`, if it is a list's end: nothing, or , [ ] }
_OPEN = b"{["
# strict=False: a raw tab within a string is a common slip; control characters are removed later, and counted. Made
# once: json.loads makes a decoder anew for every call that is not the default one.
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class Element:
    """One JSON value of a list, or on its own: its byte offset, its bytes."""

    offset: int
    data: bytes


class RangeEndError(Exception):
    """The element that comes next belongs to the next range of the file."""


@dataclass(slots=True)
class Place:
    """What reading has come to, in a list of elements or outside of one.

    Attributes:
        end: where an element must begin before to belong to this range; None: to the end.
        open: whether it is within a list; `within`: and that list in an object; `fixed`: which was read whole before.
        begun, key, wasted: of the list: its first byte, the first key of its first object, bytes looked at in vain.
        looked: the furthest byte that anything was decided by.
        seen: whether there was any value.
    """

    end: int | None = None
    open: bool = False
    within: bool = False
    fixed: bool = False
    begun: int = 0
    key: bytes | None = None
    wasted: int = 0
    looked: int = 0
    seen: bool = False

    @classmethod
    def of(cls, state: dict[str, Any], end: int | None) -> Place:
        """The place that `state` told of; without one, a file's beginning."""
        if not state:
            return cls(end)
        key = state["key"]
        key = None if key is None else key.encode("latin-1")
        return cls(end, open=True, within=state["within"], begun=state["begun"], key=key, wasted=state["wasted"])

    def state(self) -> dict[str, Any]:
        """JSON-like; the key's bytes may be of any encoding."""
        key = None if self.key is None else self.key.decode("latin-1")
        return {"within": self.within, "begun": self.begun, "key": key, "wasted": self.wasted}


class Scanner:
    """A place in a stream of JSON. It holds what it looked at since the last value, at most about two windows.

    Attributes:
        ended: whether `value` found the stream's end before the value's.
        window: bytes of a value that are looked at for its end, before it is too long or broken.
    """

    def __init__(self, stream: Stream, limit: int, offset: int = 0) -> None:
        self.ended = False
        self.stream, self.window = stream, limit + _BLOCK
        self._data, self._at, self._base = bytearray(), 0, offset

    @property
    def offset(self) -> int:
        """Decompressed byte at which the scanner stands."""
        return self._base + self._at

    def peek(self) -> int | None:
        """The next byte that is no white space; the scanner then stands at it. None at the end."""
        while True:
            space = _SPACE.match(self._data, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._data):
                return self._data[self._at]
            self._forget()
            if not self._fill():
                return None

    def after(self) -> int | None:
        """The byte after the value just taken and white space, a space where that does not end, None at the end."""
        at = self._at
        while True:
            space = _SPACE.match(self._data, at)
            at = space.end() if space else at
            if at - self._at > self.window:
                return 0x20
            if at < len(self._data):
                return self._data[at]
            if not self._fill():
                return None

    def pass_byte(self) -> None:
        """Go past one byte, which `peek` has shown."""
        self._at += 1

    def back(self, offset: int) -> None:
        """Stand at an offset again from which on everything is still held: that of the value just taken."""
        self._at = max(0, offset - self._base)

    def value(self) -> bytes | None:
        """The value that `peek` has shown, or None (and no step further) where it does not end or is too long."""
        end = self._match(hold=True)
        if end is None or end > self.window:
            return None
        self._at = end
        return bytes(memoryview(self._data)[:end])

    def skip(self, depth: int = 0) -> bool:
        """Go past a value (or to the end of `depth` open ones) without holding it; whether an end was found."""
        end = self._match(hold=False, depth=depth)
        self._at = len(self._data) if end is None else end
        return end is not None

    def look(self, size: int) -> int:
        """Hold so many bytes from here on, or all that there are; how many these are."""
        while len(self._data) - self._at < size and self._fill():
            pass
        return min(size, len(self._data) - self._at)

    def find(self, pattern: re.Pattern[bytes], size: int) -> int | None:
        """Offset of the end of a pattern's first match in the next `size` bytes, which are held."""
        found = pattern.search(self._data, self._at, self._at + size)
        return None if found is None else self._base + found.end()

    def starts(self, *marks: bytes) -> bool:
        """Whether the stream begins so; to be asked first of all."""
        while len(self._data) < 4 and self._fill():
            pass
        return any(self._data.startswith(mark) for mark in marks)

    def to_end(self) -> None:
        """Go to the end of the stream."""
        self._at = len(self._data)
        self._forget()
        while self._fill():
            self._at = len(self._data)
            self._forget()

    def _fill(self) -> bool:
        block = self.stream.read(_BLOCK)
        if not block:
            return False
        self._data += block
        return True

    def _forget(self) -> None:
        del self._data[: self._at]
        self._base, self._at = self._base + self._at, 0

    def _match(self, hold: bool, depth: int = 0) -> int | None:
        """Where, within `_data`, the value ends that begins here; None at the stream's end, or above the limit."""
        self._forget()
        self.ended = False
        at, inside = 0, False
        data = self._data
        if not depth and data and data[0] not in b'"{[':
            return self._scalar(hold)
        while True:
            if inside:
                at, inside = _string_end(data, at)
                if not inside and depth == 0:
                    return at
                if not inside:
                    continue
            elif found := _OUTSIDE.search(data, at):
                at = found.end()
                byte = data[at - 1]
                if byte == 0x22:
                    inside = True
                elif byte in _OPEN:
                    depth += 1
                else:
                    depth -= 1
                    if depth == 0:
                        return at
                continue
            else:
                at = len(data)
            at = self._more(at, hold)
            if at < 0:
                return None

    def _more(self, at: int, hold: bool) -> int:
        """Read a block more; the place `at` in what is then held, or -1."""
        if hold and len(self._data) > self.window:
            return -1
        if not hold:
            self._at = at
            self._forget()
            at = 0
        if not self._fill():
            self.ended = True
            return -1
        return at

    def _scalar(self, hold: bool) -> int | None:
        at = 0
        while True:
            found = _SCALAR.match(self._data, at)
            at = found.end() if found else at
            if at < len(self._data):
                return max(at, 1)  # a byte that has no place here is a value of its own, so that each call steps on
            at = self._more(at, hold)
            if at < 0:
                return len(self._data) if self.ended else None


def _string_end(data: bytearray, at: int) -> tuple[int, bool]:
    """Where the string ends in which `at` stands, or how far it may be gone past; whether it goes on there."""
    while True:
        end = data.find(0x22, at)
        stop = end if end >= 0 else len(data)
        escaped = False
        if stop > at and data[stop - 1] == 0x5C:
            part = data[at:stop]
            escaped = (len(part) - len(part.rstrip(b"\\"))) % 2 == 1
        if end < 0:
            return stop - escaped, True
        if not escaped:
            return end + 1, False
        at = end + 1


def parse(data: bytes, offset: int, place: str) -> tuple[Any, dict[str, int]] | Rejected:
    """The value of some bytes and what was lost in decoding them, or why there is none.

    Args:
        place: where that is, for a person ("line 3"); the byte and column of a flaw are told beside it.
    """
    losses: dict[str, int] = {}
    try:
        text = data.decode("utf-8-sig" if offset == 0 else "utf-8")
    except UnicodeDecodeError:
        try:
            decoded = decode(data)
        except UndecodableError as error:
            return Rejected(offset, len(data), error.cause, f"{place}, byte {offset}: {error.detail}")
        text, losses = decoded.text, dict(decoded.losses)
    try:
        return _DECODER.decode(text), losses
    except json.JSONDecodeError as error:
        at = offset + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        told = (
            f"{place}, byte {at}, column {error.pos + 1}: {error.msg.removesuffix(' starting at')}: mend or remove it"
        )
    except (ValueError, RecursionError):  # a number of thousands of digits, thousands of brackets
        told = f"{place}, byte {offset}: a number too long or brackets too deep: mend or remove it"
    return Rejected(offset, len(data), "json.broken", told)


def list_elements(scanner: Scanner, limit: int, place: Place) -> Iterator[Element | Rejected]:
    """The elements of the list in which the scanner stands; it then stands after the list, or at the stream's end.

    Raises:
        RangeEndError: an element begins at `place.end` or after.
    """
    if not place.open:
        place.begun, place.key, place.wasted = scanner.offset, None, 0
    place.open, boundary = True, _boundary(place.key)
    while (byte := scanner.peek()) is not None:
        if place.end is not None and scanner.offset >= place.end:
            raise RangeEndError
        if byte in b",]":
            scanner.pass_byte()
            if byte == 0x5D and (boundary is None or scanner.peek() in _AFTER_LIST):
                place.open = False
                return
            continue
        start = scanner.offset
        data = scanner.value()
        if data is not None and _whole(scanner, data, boundary, place.key):
            if boundary is None and (first := _FIRST_KEY.match(data)):
                place.key = first[0][1:].strip()
                boundary = _boundary(place.key)
            yield Element(start, data) if len(data) <= limit else too_long(start, len(data), limit, f"byte {start}")
        else:
            rejected, goes_on = _broken_element(scanner, start, data, boundary, limit, place)
            yield rejected
            if not goes_on:
                place.open = False
                return
    place.open = False
    yield _ended(scanner, scanner.offset)


def _broken_element(
    scanner: Scanner, start: int, data: bytes | None, boundary: re.Pattern[bytes] | None, limit: int, place: Place
) -> tuple[Rejected, bool]:
    """Go past an element that is none, or too long: what is told of it, and whether there is a list to go on with."""
    ended = data is None and scanner.ended
    scanner.back(start)
    held = scanner.look(scanner.window if data is None else len(data) + _BLOCK)
    resumed = scanner.find(boundary, held) if boundary else None
    place.looked = max(place.looked, start + held)
    place.wasted += held if data is None or (boundary and resumed is None) else len(data)
    goes_on = True
    if place.wasted > _WASTE * (start - place.begun) + 2 * limit:
        scanner.to_end()
        told = _broken(start, scanner.offset, "too much of what follows is broken to look further")
    elif resumed is not None:
        scanner.back(resumed)
        told = _broken(start, resumed, "a quote or bracket is missing or too many; read on at the next object")
    elif ended:
        scanner.to_end()
        told, goes_on = _ended(scanner, start), False
    elif scanner.skip():
        length = scanner.offset - start
        long = length > limit
        told = too_long(start, length, limit, f"byte {start}") if long else _broken(start, scanner.offset, "no JSON")
    else:
        told, goes_on = _ended(scanner, start), False
    place.looked = max(place.looked, scanner.offset)
    return told, goes_on


def _whole(scanner: Scanner, data: bytes, boundary: re.Pattern[bytes] | None, key: bytes | None) -> bool:
    """Whether a value that was taken is one, and not several run together by a lost quote, nor what is left of one."""
    if boundary is not None and data[0] != 0x7B:
        return False
    after = scanner.after()
    suspect = after is not None and after not in b",]{"
    if not suspect and (boundary is None or key is None or not _several(data, boundary, key)):
        return True
    return not isinstance(parse(data, 1, ""), Rejected)


def _several(data: bytes, boundary: re.Pattern[bytes], key: bytes) -> bool:
    """Whether the boundary stands in a value; its key is looked for first, which is much faster."""
    first = _FIRST_KEY.match(data)
    if first is not None and first[0][1:].strip() == key and data.find(key, first.end()) < 0:
        return False
    return boundary.search(data) is not None


def _boundary(key: bytes | None) -> re.Pattern[bytes] | None:
    """Where an element ends and one like the first begins."""
    if key is None:
        return None
    name = re.escape(key)
    return re.compile(rb"[,}\]][ \t\r\n]*+(?=\{[ \t\r\n]*+" + name + rb"[ \t\r\n]*+:)")


def _broken(start: int, end: int, why: str) -> Rejected:
    return Rejected(start, end - start, "json.broken", f"byte {start} to {end}: {why}: mend the file there")


def _ended(scanner: Scanner, start: int) -> Rejected:
    """What was there from `start` on when the stream ended before the list did."""
    if scanner.stream.cut is not None:
        return scanner.stream.cut.rejected(start, scanner.offset - start)
    detail = (
        f"the file ends within the list or object at byte {start}: a bracket or quote is missing, or it was cut short"
    )
    return Rejected(start, scanner.offset - start, "json.truncated", f"{detail}: copy it again")
