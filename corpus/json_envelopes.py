"""Objects of a big JSON file one by one, in bounded memory, each with its place. Readers of JSON corpora build on it.

A file is an envelope (`{"id": …, "document": [{…}, {…}]}`), a list of objects, a list of envelopes, or one object. The
scan looks at quotes and brackets alone; each object is parsed by itself, so a bad one costs itself and no other. The
bytes of these signs occur in no character of UTF-8 or CP949, so both are scanned as they are. A big file is divided
between the objects of its lists: what the scan knows there goes with each range.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from corpus.decoding import UndecodableError, decode
from corpus.documents import Rejected
from corpus.json_elements import parse
from corpus.ranges import BigFile, Cuts, Range
from corpus.streams import Stream, too_long

_BLOCK = 1 << 20
_SIGN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{}]', re.DOTALL)
_CLOSES = {b"}": b"{", b"]": b"["}
_DEEPEST = 500  # brackets within each other; Python's parser gives up at about 1000
_NAME = re.compile(r"[A-Za-z_]{1,30}")  # others may be personal data
_ENDED = ("json.truncated", "json.no_object")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


_START: Mapping[str, Any] = {}


class Bytes(Protocol):
    """What is read: an open file, a member of an archive."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class Element:
    """An object: its fields, first byte, bytes, what was lost on decoding, and the fields that its envelope began with.

    `list_name` is the envelope's key of the list that holds it, "" where it stands in a bare list or alone.
    """

    value: dict[str, Any]
    offset: int
    length: int
    list_name: str = ""
    envelope: dict[str, Any] = field(default_factory=dict)
    losses: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Span:
    offset: int
    length: int
    data: bytes | None  # None: longer than the limit
    list_name: str
    envelope: dict[str, Any]
    state: dict[str, Any] | None  # with which a range may begin at the object, None where it may not


class _BrokenError(Exception):
    """Brackets that do not match, or bytes that end within an object: where the unread rest begins, and why."""

    def __init__(self, offset: int, length: int, cause: str, detail: str) -> None:
        super().__init__(cause)
        self.rejected = Rejected(offset, length, cause, detail)


def elements(
    stream: Bytes, lists: Collection[str], limit: int, state: Mapping[str, Any] = _START, end: int | None = None
) -> Iterator[Element | Rejected]:
    """The objects of a file: of the lists called so in an envelope, of a bare list, or the one object that it is.

    Args:
        lists: names of an envelope's lists; lists of other names are fields of an object like any other.
        limit: bytes above which an object is refused, unread.
        state: of the place where the stream begins within its file.
        end: objects that begin here or after belong to the next range.
    """
    found = bool(state) or end is not None
    try:
        for span in _spans(stream, lists, limit, state, end):
            found = True
            yield _parsed(span, limit)
    except _BrokenError as error:
        yield error.rejected
        return
    if not found:
        yield Rejected(0, 0, "json.no_object", "no object in the file: leave it out by `include`, or mend it")


def _parsed(span: _Span, limit: int) -> Element | Rejected:
    place = f"the object at byte {span.offset}"
    if span.data is None:
        return too_long(span.offset, span.length, limit, place)
    found = parse(span.data, span.offset, place)
    if isinstance(found, Rejected):
        return found
    value, losses = found
    return Element(value, span.offset, span.length, span.list_name, span.envelope, losses)


class _Scan:
    """Where the scan stands among brackets: an object of the file, and within it perhaps one of an envelope's list."""

    def __init__(self, lists: Collection[str], state: Mapping[str, Any]) -> None:
        self.names = {json.dumps(name, ensure_ascii=False).encode(): name for name in lists}
        self.levels = state.get("levels", "").encode()  # the open brackets
        self.outer = state.get("outer", -1)  # first bytes of the open objects, -1: none
        self.inner = -1
        self.list_name: str | None = state.get("list_name")
        self.list_at = 0
        self.enveloped = self.outer >= 0  # the outer object is an envelope: its list had an object
        self.key = b""  # the string before, a key perhaps
        self.envelope: dict[str, Any] = state.get("envelope", {})
        self.before: dict[str, Any] | None = None  # the state before the last object was opened

    def note(self) -> None:
        """Keep the state before a bracket is opened, if it is of an object at which a range may begin."""
        if len(self.levels) > 3:
            return
        if self.levels == b"[":
            self.before = {"levels": "["}
        elif self.levels in (b"{[", b"[{[") and self.list_name is not None:
            known = {"levels": self.levels.decode(), "outer": self.outer, "list_name": self.list_name}
            self.before = {**known, "envelope": self.envelope} if self.enveloped else None
        elif not self.levels:
            self.before = None

    @property
    def begun(self) -> int:
        """The first byte of the object that must stay in memory, -1 where there is none."""
        return self.inner if self.inner >= 0 else -1 if self.enveloped else self.outer

    def opens(self, sign: bytes, at: int) -> bool:
        """Go into a bracket; whether the outer object just proved to be an envelope."""
        self.levels += sign
        proved = False
        if len(self.levels) > _DEEPEST:
            raise self.broken(at, "json.too_deep", f"byte {at}: more than {_DEEPEST} brackets within each other")
        if self.levels in (b"{", b"[{"):
            self.outer, self.enveloped = at, False
        elif self.levels in (b"{[", b"[{[") and self.key in self.names:
            self.list_name, self.list_at = self.names[self.key], at
        elif self.levels in (b"{[{", b"[{[{") and self.list_name is not None:
            proved, self.enveloped, self.inner = not self.enveloped, True, at
        self.key = b""
        return proved

    def closes(self, sign: bytes, at: int) -> int:
        """Go out of a bracket; the first byte of the object that it ends, -1 where it ends none that is asked for."""
        levels, ended = self.levels, -1
        if levels[-1:] != _CLOSES[sign]:
            told = f"byte {at}: a bracket closes that was not opened; what came before was read"
            raise self.broken(at + 1, "json.broken", told)
        if sign == b"]" and levels in (b"{[", b"[{["):
            self.list_name = None
        elif sign == b"}" and self.inner >= 0 and levels in (b"{[{", b"[{[{"):
            ended, self.inner = self.inner, -1
        elif sign == b"}" and levels in (b"{", b"[{"):
            ended = -1 if self.enveloped else self.outer
            self.outer, self.enveloped = -1, False
        self.levels, self.key = levels[:-1], b""
        return ended

    def too_long(self, at: int, limit: int, longest: int) -> _BrokenError:
        """The error of a string that is not held to its end."""
        return self.broken(at + longest, "record.too_long", f"byte {at}: a string of over {limit} bytes")

    def broken(self, end: int, cause: str, told: str) -> _BrokenError:
        """The error of a file that cannot be read on: from the open object to byte `end`."""
        start = self.begun if self.begun >= 0 else max(0, end - 1)
        return _BrokenError(start, end - start, cause, f"{told}: mend the file or copy it again")


def _spans(
    stream: Bytes, lists: Collection[str], limit: int, state: Mapping[str, Any], stop: int | None
) -> Iterator[_Span]:
    scan, longest = _Scan(lists, state), 2 * limit + _BLOCK
    held, base, at = bytearray(), state.get("at", 0), 0  # bytes in memory, the place of the first, how many are scanned
    # A string that goes on is looked through again with each block, so these grow, up to its greatest length.
    while block := stream.read(max(_BLOCK, len(held) - at if len(held) - at < limit else longest + 1 - len(held) + at)):
        if base == 0 and not held and block[:2] in _UTF16:
            raise _BrokenError(0, len(block), "json.utf16", "UTF-16: save the file as UTF-8")
        held += block
        signs = _SIGN.finditer(held, at)
        at = len(held)
        for match in signs:
            start, end = match.span()
            sign = match.group() if end - start == 1 else b""
            if end - start > longest:
                raise scan.too_long(base + start, limit, longest)
            if sign == b'"':  # a string that goes on in the next block
                at = start
                break
            if not sign:
                scan.key = match.group() if end - start < 100 else b""
            elif sign in b"{[":
                scan.note()
                if scan.opens(sign, base + start):
                    head = held[max(0, scan.outer - base) : scan.list_at - base]
                    scan.envelope = _head(bytes(head) + b"[]}") if scan.inner - scan.outer <= limit else {}
                if stop is not None and max(scan.inner, scan.outer) >= stop:
                    return
            elif (begun := scan.closes(sign, base + start)) >= 0:
                length = base + end - begun
                whole = begun >= base and length <= limit
                data = bytes(held[begun - base : end]) if whole else None
                name, told = (scan.list_name or "", scan.envelope) if scan.enveloped else ("", {})
                yield _Span(begun, length, data, name, told, scan.before)
        del signs
        if len(held) - at > longest:
            raise scan.too_long(base + at, limit, longest)
        # Of an object over the limit nothing is kept: its end is all that is still looked for.
        keep = scan.begun if scan.begun >= 0 and base + at - scan.begun <= limit else base + at
        if keep > base:
            del held[: keep - base]
            base, at = keep, at - (keep - base)
    if scan.levels or at < len(held):
        raise scan.broken(base + len(held), "json.truncated", "the file ends within brackets or a string")


def _head(data: bytes) -> dict[str, Any]:
    """The fields of an envelope before its list, none where they cannot be read by themselves."""
    try:
        value = json.loads(decode(data).text, strict=False)
    except (ValueError, RecursionError, UndecodableError):
        return {}
    return value if isinstance(value, dict) else {}


def read_elements(
    path: Path,
    lists: Collection[str],
    limit: int,
    start: int = 0,
    end: int | None = None,
    state: Mapping[str, Any] = _START,
) -> Iterator[Element | Rejected]:
    """The objects that begin in [start, end), decompressed by the file's ending; offsets are decompressed bytes."""
    if path.stat().st_size == 0:
        yield Rejected(0, 0, "file.empty", "the file is empty: remove it or copy it again")
        return
    with Stream(path, start) as stream:
        for one in elements(io.BufferedReader(stream, _BLOCK), lists, limit, state, end):
            if stream.cut is not None and isinstance(one, Rejected) and one.cause in _ENDED:
                yield stream.cut.rejected(one.offset, one.length)
                return
            yield one
        if stream.cut is not None:
            yield stream.cut.rejected(stream.tell(), 0)


def divide_elements(file: BigFile, lists: Collection[str], limit: int, unit_bytes: int) -> list[Range]:
    """Ranges of objects, of a file that is not compressed."""
    if file.compressed:
        return []
    cuts = Cuts(unit_bytes)
    try:
        for span in _spans(file.stream(), lists, limit, _START, None):
            if span.state is not None:
                cuts.offer(span.offset, {**span.state, "at": span.offset}, span.offset + 1)
    except _BrokenError:  # the reader will tell, in the last range
        pass
    return cuts.ranges(file.size)


def plain_names(value: dict[str, Any]) -> str:
    """`; there are: id, text` for a message: those field names of an object that are plain identifiers."""
    names = [name for name in value if _NAME.fullmatch(name)][:8]
    return f"; there are: {', '.join(names)}" if names else ""
