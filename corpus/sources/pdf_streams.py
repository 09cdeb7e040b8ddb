"""How much a PDF unpacks to, found out before PDFium unpacks it: a page of a kilobyte may hold gigabytes of drawing.

No reader, but what the PDF reader asks first. Streams are found by their keywords, as a repair of a broken file would
find them; pictures and font files are left out, since text needs neither. Source: ISO 32000-1, 7.3.8 and 7.4.4.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

MOST = 64 << 20  # bytes of content, object and table streams; dense text takes PDFium about a second for 7 MB
_STREAM = re.compile(rb"stream\r?\n")
_DICTIONARY = 2048  # bytes before `stream` in which its dictionary is looked for
_LEFT_OUT = re.compile(rb"/Subtype\s*/Image|/Length[123]\b|/Subtype\s*/(?:Type1C|CIDFontType0C|OpenType)")
_FLATE = re.compile(rb"/Fl(?:ateDecode)?\b")
_CHUNK = 1 << 16


def unpacks_to_more(data: bytes, most: int = MOST) -> bool:
    """Whether the deflated streams of a PDF, pictures and fonts apart, unpack to more than `most` bytes together."""
    total = 0
    for found in _STREAM.finditer(data):
        if data[found.start() - 3 : found.start()] == b"end":
            continue
        before = data[max(0, found.start() - _DICTIONARY) : found.start()]
        dictionary = before[before.rfind(b" obj") + 1 :]
        layers = len(_FLATE.findall(dictionary))
        if not layers or _LEFT_OUT.search(dictionary):
            continue
        pieces: Iterable[bytes] = _raw(data, found.end())
        for _ in range(layers):
            pieces = _inflated(pieces)
        for piece in pieces:
            total += len(piece)
            if total > most:
                return True
    return False


def _raw(data: bytes, start: int) -> Iterator[bytes]:
    for at in range(start, len(data), _CHUNK):
        yield data[at : at + _CHUNK]


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What the pieces inflate to, a chunk at a time, to the end of the deflated data or its first error."""
    inflater = zlib.decompressobj()
    for piece in pieces:
        rest = piece
        while rest and not inflater.eof:
            try:
                out = inflater.decompress(rest, _CHUNK)
            except zlib.error:
                return
            rest = inflater.unconsumed_tail
            if out:
                yield out
        if inflater.eof:
            return
