"""Tokens as bytes: GPT-2's printable characters for bytes and back, and which bytes can only come from Hangul.

Used wherever tokens are made, looked at or measured. A token of a byte-level vocabulary need not be whole
characters, so that "contains Hangul" is asked of bytes: is every valid UTF-8 text with these bytes a text with Hangul?
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

HANGUL = (
    (0xAC00, 0xD7FF),  # syllables, extended jamo B
    (0x3131, 0x318E),  # compatibility jamo
    (0x1100, 0x11FF),  # jamo
    (0xA960, 0xA97F),  # extended jamo A
    (0x3200, 0x321E),  # in brackets
    (0x3260, 0x327F),  # in circles
    (0xFFA0, 0xFFDC),  # half-width
)
"""Code points, first and last; what is not assigned within them stands in no text."""
HANGUL_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in HANGUL)
"""The same as the inside of a character class of Python's regular expressions."""

_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 0x7F: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD)}
_PICTURES |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)  # they turn the direction of text


@functools.cache
def byte_names() -> tuple[str, ...]:
    """How a byte-level vocabulary writes each of the 256 bytes (GPT-2's mapping): printable ones as they are."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(256))
    return tuple(chr(byte) if byte in printable else chr(256 + next(others)) for byte in range(256))


@functools.cache
def character_bytes() -> dict[str, int]:
    """The way back: a byte for each of the 256 characters."""
    return {character: byte for byte, character in enumerate(byte_names())}


def to_bytes(token: str) -> bytes | None:
    """The bytes that a byte-level token stands for; None where it holds a character that stands for none."""
    table = character_bytes()
    try:
        return bytes(table[character] for character in token)
    except KeyError:
        return None


def from_bytes(data: bytes) -> str:
    """The byte-level token of some bytes."""
    table = byte_names()
    return "".join(table[byte] for byte in data)


def character_length(lead: int) -> int:
    """Bytes of the character that a lead byte begins; 0 for a continuation byte, 1 for what begins none."""
    if lead & 0xC0 == 0x80:
        return 0
    return 1 if lead < 0xC0 or lead >= 0xF8 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def certain_hangul(data: bytes) -> bool:
    """Whether every valid UTF-8 text that contains these bytes contains Hangul."""
    return any(first <= low and high <= last for low, high in possible_characters(data) for first, last in HANGUL)


def possible_characters(data: bytes) -> Iterator[tuple[int, int]]:
    """For each character that begins in the bytes, the lowest and highest code point that it can be.

    They are the same for a whole character. A last character that is cut off has a range: ED leaves U+D000 to D7FF,
    since what would follow is surrogates.
    """
    start = 0
    while start < len(data):
        size = character_length(data[start])
        if size > 1:
            part = data[start : start + size]
            low, high = _ends(part, size)
            yield low, high
        elif size:
            yield data[start], data[start]
        start += max(size, 1)


def _ends(part: bytes, size: int) -> tuple[int, int]:
    value = part[0] & (0x7F >> size)
    for byte in part[1:]:
        value = value << 6 | byte & 0x3F
    open_bits = 6 * (size - len(part))
    low, high = value << open_bits, (value + 1 << open_bits) - 1
    return low, min(high, 0xD7FF) if low < 0xD800 else high


def starts_whole(data: bytes) -> bool:
    """Whether the bytes begin where a character begins."""
    return bool(data) and data[0] & 0xC0 != 0x80


def ends_whole(data: bytes) -> bool:
    """Whether the last character that begins in the bytes is all there."""
    for back in range(1, min(4, len(data)) + 1):
        size = character_length(data[-back])
        if size:
            return size <= back
    return True


def as_text(data: bytes) -> str | None:
    """The text of bytes that are whole characters; None of others."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def readable(data: bytes) -> str:
    """Bytes for a person: parts of characters as `<EA>`, control characters as pictures of them."""
    parts = []
    for kind, piece in _characters(data):
        parts.append(piece.decode().translate(_PICTURES) if kind else "".join(f"<{byte:02X}>" for byte in piece))
    return "".join(parts)


def _characters(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Stretches of whole characters, and of bytes that are none."""
    at = 0
    while at < len(data):
        try:
            data[at:].decode()
        except UnicodeDecodeError as error:
            if error.start:
                yield True, data[at : at + error.start]
            yield False, data[at + error.start : at + error.end]
            at += error.end
        else:
            yield True, data[at:]
            return
