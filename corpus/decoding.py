"""Bytes to text: BOM, HTTP header, meta charset, UTF-8, CP949, johab, in this order; every loss counted.

Never plain EUC-KR: it lacks 8,822 of the 11,172 syllables, so its labels mean CP949 here, as in the WHATWG's Encoding
Standard. A few broken bytes are replaced, not the page dropped. Readers call this; it knows no file. What was decoded
wrongly before it came to us is for `corpus/mojibake.py`.
"""

from __future__ import annotations

import codecs
import re
import threading
from dataclasses import dataclass, field

from corpus.hangul import frequent
from corpus.mojibake import reverse_mojibake

__all__ = ["Decoded", "UndecodableError", "codec_of", "decode", "meta_charset", "reverse_mojibake"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with UTF-16's, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CP949_LABELS = {"euc-kr", "euckr", "cp949", "uhc", "ms949", "windows-949", "x-windows-949", "korean", "csksc56011987"}
_CP949_LABELS |= {"ks-c-5601-1987", "ks-c-5601-1989", "ks-c-5601", "ksc5601", "ksc-5601", "csks56011987", "iso-ir-149"}
_CP949_LABELS |= {"ks-c-5601-1992", "ksx1001", "ks-x-1001", "uhc949"}
_JOHAB_LABELS = {"johab", "x-johab", "cp1361", "ms1361"}
_SINGLE_BYTE = {"ascii", "cp1252", "iso8859-1", "iso8859-15"}  # decode anything: defaults of servers, no evidence
# Codecs that a label may name: character sets. Python has others (unicode_escape, punycode, undefined) that none may.
_CHARACTER_SET = re.compile(
    r"utf-8(?:-sig)?|utf-(?:16|32)(?:-[lb]e)?|ascii|cp\d+|iso8859-\d+|iso2022_\w+|euc_\w+|shift_ji\w+|gb\w+|hz|big5\w*|"
    r"koi8-\w|mac-\w+|tis-620|johab"
)
_WIDE = ("utf-16-le", "utf-16-be")
_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9_:.\-]{2,40})",
    re.I,
)
_META_WITHIN = 4096
_LOOK = 20_000  # characters that plausibility looks at
_PLAUSIBLE = 0.5
_SHARE = 0.001  # bytes that may be broken: 0.1 % …
_FEW = 4  # … or this many
_NON_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read by (Python's name), and cause → times of what was lost or repaired.

    `bytes.replaced` counts bytes, whatever number of U+FFFD stands for them.
    """

    text: str
    encoding: str
    losses: dict[str, int] = field(default_factory=dict)


class UndecodableError(ValueError):
    """No encoding fits within the error budget, or the bytes are no text; `cause` is a dotted name."""

    def __init__(self, cause: str, detail: str) -> None:
        super().__init__(detail)
        self.cause, self.detail = cause, detail


def decode(data: bytes, http: str | None = None, meta: str | None = None) -> Decoded:
    """Decode a record's bytes.

    Args:
        http: charset of the HTTP header, if any.
        meta: charset that the document itself declares, if any (`meta_charset`).

    Raises:
        UndecodableError: cause `text.binary` or `text.undecodable`.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _by_mark(data[len(bom) :], name)
    named = [codec for label in (http, meta) if (codec := codec_of(label))]
    wide = _wide(data, any(name.startswith("utf-16") for name in named))
    if wide is not None:
        return wide
    # Without its NUL bytes no text is UTF-16 or UTF-32, whatever is declared (and 8-bit text would pass for hanja).
    declared = [name for name in named if name not in _SINGLE_BYTE and not name.startswith(("utf-16", "utf-32"))]
    candidates = list(dict.fromkeys([*declared, "utf-8", "cp949", "johab"]))
    for name in candidates:
        whole = _strict(data, name)
        if whole is not None and (name == "utf-8" or whole.isascii() or plausible(whole)):
            text, losses = reverse_mojibake(whole) if name == "utf-8" else (whole, {})
            return Decoded(text, name, losses)
    return _within_budget(data, candidates, latin=len(declared) < len(named))


def codec_of(label: str | None) -> str | None:
    """Python's codec for a charset label, CP949 for every label of EUC-KR; None where the label means nothing."""
    if not label:
        return None
    plain = label.strip().strip("\"'").lower().replace("_", "-")
    if plain in _CP949_LABELS:
        return "cp949"
    if plain in _JOHAB_LABELS:
        return "johab"
    try:
        name = codecs.lookup(plain).name
    except (LookupError, ValueError):
        return None
    if name == "euc_kr":
        return "cp949"
    return name if _CHARACTER_SET.fullmatch(name) else None


def meta_charset(data: bytes) -> str | None:
    """The charset that an HTML or XML document declares in its first 4 KiB."""
    match = _META.search(data, 0, _META_WITHIN)
    return (match[1] or match[2]).decode("ascii") if match else None


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _by_mark(data: bytes, name: str) -> Decoded:
    found = _replaced(data, name, _budget(data))
    if found is None:
        detail = f"{_broken(data)} though a byte order mark says {name}: save the text as UTF-8"
        raise UndecodableError("text.undecodable", detail)
    return Decoded(found[0], name, _losses(found[1]))


def _within_budget(data: bytes, candidates: list[str], latin: bool) -> Decoded:
    nearest = None
    for name in candidates:
        found = _replaced(data, name, _budget(data))
        if found is None:
            continue
        text, lost = found
        if plausible(text):
            return Decoded(text, name, _losses(lost))
        if nearest is None or lost < nearest[1]:
            nearest = (name, lost, text)
    if nearest is not None and (nearest[1] == 0 or nearest[0] == "utf-8"):  # not Korean, but: hanja, Latin, symbols
        return Decoded(nearest[2], nearest[0], _losses(nearest[1]))
    if latin:  # declared, and no Korean encoding fits
        text = data.decode("cp1252", "replace")
        return Decoded(text, "cp1252", _losses(text.count("\ufffd")))
    raise UndecodableError(
        "text.undecodable",
        f"neither UTF-8, CP949 nor johab ({_broken(data)} in each): save the text as UTF-8, or remove the file",
    )


def _broken(data: bytes) -> str:
    return f"more than {_budget(data)} broken bytes of {len(data)}"


def _losses(lost: int) -> dict[str, int]:
    return {"bytes.replaced": lost} if lost else {}


def _budget(data: bytes) -> int:
    return max(_FEW, int(len(data) * _SHARE))


class _Room(threading.local):
    """How many bytes the error handler below may still replace, and has."""

    left = 0
    used = 0


_room = _Room()


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _room.used += error.end - error.start
    if _room.used > _room.left:
        raise error
    return "\ufffd", error.end


codecs.register_error("hanjo.replace", _replace)


def _replaced(data: bytes, name: str, most: int) -> tuple[str, int] | None:
    """Text with U+FFFD for what is broken, and how many bytes were; None, as soon as they are more than `most`."""
    _room.left, _room.used = most, 0
    try:
        return data.decode(name, "hanjo.replace"), _room.used
    except UnicodeDecodeError:
        return None


def _wide(data: bytes, declared: bool) -> Decoded | None:
    """UTF-16 without a byte order mark, told by its NUL bytes; other bytes full of NULs are no text."""
    nuls = data.count(0)
    if nuls <= _budget(data):
        return None
    for name in _WIDE:
        text, lost = _replaced(data, name, _FEW) or ("\0", 0)  # a file that was cut may end within a character
        if "\0" not in text and (plausible(text) or (declared and _mostly_common(text))):
            return Decoded(text, name, _losses(lost))
    raise UndecodableError("text.binary", f"{nuls} NUL bytes: not a text file; remove it or name it by its format")


def _mostly_common(text: str) -> bool:
    """Whether most of a text is ASCII: read in the wrong byte order it would be anything but."""
    look = text[:_LOOK]
    return len(_NON_ASCII.findall(look)) < _PLAUSIBLE * len(look)


def plausible(text: str) -> bool:
    """Whether what is not ASCII in a text is mostly frequent Korean: KS X 1001 syllables, jamo, CJK punctuation."""
    look = text[:_LOOK]
    other = len(_NON_ASCII.findall(look))
    return other > 0 and len(frequent().findall(look)) >= _PLAUSIBLE * other
