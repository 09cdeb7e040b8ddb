"""Personal data in Korean text: found by shape, check digits and context, masked by typed placeholders.

Two stages: a compiled scan marks candidates (`corpus/private_scan.py`), then the patterns and checks of
`corpus/identifiers.py` decide by what stands around them. measure makes edits of what is found (`find_private`); for a
text at hand, `private_spans` says where each stands. Nothing found here is ever logged. `docs/privacy.md` says what is
looked for and what is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from corpus.edits import Bytes, Edit, Longs, text_buffers
from corpus.identifiers import IDENTIFIERS, NAMES, PLACEHOLDERS, Policy
from corpus.private_anchors import (
    ADDRESS,
    EMAIL,
    FIELD,
    IPV6,
    MESSENGER,
    NUMBER,
    PLATE,
    QUAD,
    SERIAL,
    SPELT_EMAIL,
    Shorts,
    anchors,
)
from corpus.private_context import AFTER, BEFORE, Context, Identifier

__all__ = [
    "NAMES",
    "PLACEHOLDERS",
    "Policy",
    "Private",
    "PrivateSpan",
    "dropped_names",
    "find_private",
    "private_spans",
]

# How many characters before its candidate an identifier may begin: +82 (0)2 …; the local part of an address.
_REACH = {NUMBER: 6, EMAIL: 67, SERIAL: 1, SPELT_EMAIL: 67}
_WHOLE = {PLATE, ADDRESS, QUAD, IPV6}  # these begin with their candidate
# And how many behind it: what a label announces.
_AHEAD = {MESSENGER: 20, FIELD: 12}
_LEFT = 90  # bytes of context before a candidate: 30 Hangul characters
_SOONEST = {EMAIL: 160, SPELT_EMAIL: 160}
_RIGHT = 45  # behind it: 15 Hangul characters; a domain name's 255 bytes (RFC 1035, 2.3.4); 동, 층 and 호
_LATEST = {EMAIL: 255, SPELT_EMAIL: 255, ADDRESS: 210, MESSENGER: 120}
_FEWEST_DIGITS = 9  # of any identifier that is digits in groups, without the business lines 15xx-xxxx


class PrivateSpan(NamedTuple):
    """One identifier in a text: characters (code points) [start, end), and what its policy is."""

    type: str
    start: int
    end: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Private:
    """Personal data of some documents.

    Attributes:
        edits: the masks by document, for those that have any, in order.
        numbers: how many identifiers each document holds, masked or reported, int64 [documents].
        dropped: bit i is set where a document holds the identifier NAMES[i] and its policy is drop, int64 [documents].
        reported: identifier → documents and how many, of those that are only reported.
    """

    edits: dict[int, list[Edit]]
    numbers: Longs
    dropped: Longs
    reported: dict[str, tuple[int, int]]


def find_private(buffer: Bytes, offsets: Longs, policies: Mapping[str, Policy]) -> Private:
    """Identifiers in every document.

    Args:
        buffer: UTF-8 bytes, uint8.
        offsets: bounds of the documents in them, int64 [documents + 1].
        policies: what to do by name of identifier; one that is missing is kept, and not counted. What is to be dropped
            is masked too: no later stage that forgets the verdict sees it.
    """
    documents = len(offsets) - 1
    found = Private({}, np.zeros(documents, np.int64), np.zeros(documents, np.int64), {})
    last: dict[str, int] = {}
    for d, begin, end, name in _identifiers(buffer, offsets, policies):
        low = int(offsets[d])
        found.numbers[d] += 1
        if policies[name] == "report":
            documents_so_far, number = found.reported.get(name, (0, 0))
            found.reported[name] = (documents_so_far + (last.get(name) != d), number + 1)
            last[name] = d
            continue
        found.edits.setdefault(d, []).append(Edit(begin - low, end - low, f"pii.{name}", f"<|{name}|>"))
        if policies[name] == "drop":
            found.dropped[d] |= 1 << NAMES.index(name)
    return found


def private_spans(texts: Sequence[str], policies: Mapping[str, Policy]) -> list[list[PrivateSpan]]:
    """Where identifiers stand in each text, in code points, by place; those that are only reported, too.

    Args:
        texts: normalised (`corpus/normalising.py`).
        policies: as for `find_private`.
    """
    buffer, offsets = text_buffers(pa.array(texts, pa.large_string()))
    spans: list[list[PrivateSpan]] = [[] for _ in texts]
    at: tuple[int, int, int] = (-1, 0, 0)  # document, byte, character up to which characters are counted
    for d, begin, end, name in _identifiers(buffer, offsets, policies):
        _, byte, character = at if at[0] == d else (d, int(offsets[d]), 0)
        start = character + _characters(buffer, byte, begin)
        stop = start + _characters(buffer, begin, end)
        at = (d, end, stop)
        spans[d].append(PrivateSpan(name, start, stop, policies[name]))
    return spans


def dropped_names(bits: int) -> list[str]:
    """The identifiers that a value of `Private.dropped` stands for."""
    return [name for bit, name in enumerate(NAMES) if bits >> bit & 1]


def _characters(buffer: Bytes, begin: int, end: int) -> int:
    return int(np.count_nonzero((buffer[begin:end] & 0xC0) != 0x80))


@lru_cache(maxsize=2)
def _tables(names: bool) -> tuple[Bytes, Shorts]:
    return anchors(names)


def _identifiers(buffer: Bytes, offsets: Longs, policies: Mapping[str, Policy]) -> Iterator[tuple[int, int, int, str]]:
    """Every identifier that is not kept: document, first byte, byte after the last, name; disjoint, by place."""
    from corpus.private_scan import mark_private
    from corpus.scanning import all_marked

    wanted: dict[int, list[Identifier]] = {}
    for identifier in IDENTIFIERS:
        if policies.get(identifier.name, "keep") != "keep":
            for kind in identifier.kinds:
                wanted.setdefault(kind, []).append(identifier)
    view = buffer.data
    done = (-1, 0)  # document and byte up to which all is decided
    room = int(offsets[-1] - offsets[0]) // 256 + 64
    tables = _tables(FIELD in wanted)
    marked = all_marked(lambda marked: mark_private(buffer, offsets, _FEWEST_DIGITS, *tables, marked), room)
    for d, start, stop, kind in marked.tolist():
        if kind not in wanted:
            continue
        low, high = int(offsets[d]), int(offsets[d + 1])
        for begin, end, name in _identified(view, (low, start, stop, high), kind, wanted[kind]):
            if d == done[0] and begin < done[1]:
                continue
            done = (d, end)
            yield d, begin, end, name


def _matches(pattern: re.Pattern[str], kind: int, text: str, at: int) -> Iterable[re.Match[str]]:
    if kind in _WHOLE:
        match = pattern.match(text, at)
        return (match,) if match else ()
    return pattern.finditer(text, max(0, at - _REACH.get(kind, 0)))


def _identified(
    view: memoryview, place: tuple[int, int, int, int], kind: int, wanted: Sequence[Identifier]
) -> list[tuple[int, int, str]]:
    """The identifiers in one candidate: first byte, byte after the last, name; disjoint, by place."""
    low, start, stop, high = place
    head = bytes(view[max(low, start - _SOONEST.get(kind, _LEFT)) : start]).decode("utf-8", "ignore")
    body = bytes(view[start : min(high, stop + _LATEST.get(kind, _RIGHT))]).decode("utf-8", "ignore")
    text, at = head + body, len(head)
    limit = at + len(bytes(view[start:stop]).decode()) + _AHEAD.get(kind, 0)
    covered = bytearray(len(text))  # 1 where a character is taken: a candidate may hold many thousand identifiers
    taken: list[tuple[int, int, str]] = []
    for identifier in wanted:
        for match in _matches(identifier.pattern, kind, text, at):
            begin, end = match.span()
            if begin >= limit:
                break
            if end <= at or covered.find(1, begin, end) >= 0:
                continue
            context = Context(text[max(0, begin - BEFORE) : begin], text[end : end + AFTER], match[0])
            if identifier.check(context):
                taken.append((begin, end, identifier.name))
                covered[begin:end] = b"\1" * (end - begin)
    places = []
    before, byte = 0, start - len(head.encode())
    for begin, end, name in sorted(taken):
        first = byte + len(text[before:begin].encode())
        before, byte = end, first + len(text[begin:end].encode())
        places.append((first, byte, name))
    return places
