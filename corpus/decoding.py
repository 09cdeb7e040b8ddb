"""Bytes to text: BOM, HTTP header, meta charset, UTF-8, CP949, johab, in this order; every loss counted.

Never plain EUC-KR: it lacks 8,822 of the 11,172 syllables, so its labels mean CP949 here, as in the WHATWG's Encoding
Standard. A few broken bytes are replaced, not the page dropped. Readers call this; it knows no file.
"""

from __future__ import annotations

import codecs
import functools
import re
from dataclasses import dataclass, field

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with UTF-16's, so it comes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CP949_LABELS = {"euc-kr", "euckr", "cp949", "uhc", "ms949", "windows-949", "x-windows-949", "korean", "csksc56011987"}
_CP949_LABELS |= {"ks-c-5601-1987", "ks-c-5601-1989", "ks-c-5601", "ksc5601", "ksc-5601", "csks56011987", "iso-ir-149"}
_JOHAB_LABELS = {"johab", "x-johab", "cp1361", "ms1361"}
_SINGLE_BYTE = {"ascii", "cp1252", "iso8859-1", "iso8859-15"}  # decode anything: defaults of servers, no evidence
_META = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{2,40})|<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9_:.\-]{2,40})",
    re.I,
)
_META_WITHIN = 4096
_LOOK = 20_000  # characters that plausibility looks at
_PLAUSIBLE = 0.5
_SHARE = 0.001  # bytes that may be broken: 0.1 % …
_FEW = 4  # … or this many
_MOJIBAKE = re.compile(
    r"[\x80-\xff\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]{4}"
)
_HANGUL = re.compile("[\uac00-\ud7a3]")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the encoding it was read by (Python's name), and cause → times of what was lost or repaired."""

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
    wide = _wide(data)
    if wide is not None:
        return wide
    named = [codec for label in (http, meta) if (codec := codec_of(label))]
    declared = [name for name in named if name not in _SINGLE_BYTE]
    candidates = list(dict.fromkeys([*declared, "utf-8", "cp949", "johab"]))
    for name in candidates:
        whole = _strict(data, name)
        if whole is not None and (name == "utf-8" or whole.isascii() or _plausible(whole)):
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
        return codecs.lookup(plain).name
    except (LookupError, ValueError):
        return None


def meta_charset(data: bytes) -> str | None:
    """The charset that an HTML or XML document declares in its first 4 KiB."""
    match = _META.search(data, 0, _META_WITHIN)
    return (match[1] or match[2]).decode("ascii") if match else None


def reverse_mojibake(text: str) -> tuple[str, dict[str, int]]:
    """Undo double mojibake: UTF-8 or CP949 once read as Latin-1 or CP1252 and saved again, if Hangul comes of it.

    Returns:
        The text, and what `Decoded.losses` says of it (empty where nothing was undone).
    """
    if text.isascii() or _HANGUL.search(text):  # mangled text holds no Hangul, Korean text soon shows some
        return text, {}
    if _MOJIBAKE.search(text):
        original = _latin_bytes(text)
        for inner in ("utf-8", "cp949"):
            found = None if original is None else _strict(original, inner)
            if found is not None and _plausible(found):
                return found, {"mojibake.reversed": 1}
    return text, {}


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except (UnicodeDecodeError, LookupError):  # LookupError: a codec that is no text encoding
        return None


def _by_mark(data: bytes, name: str) -> Decoded:
    whole = _strict(data, name)
    if whole is not None:
        return Decoded(whole, name)
    text, lost = _replaced(data, name)
    if lost > _budget(data):
        raise UndecodableError(
            "text.undecodable", f"{lost} broken bytes though a byte order mark says {name}: save the text as UTF-8"
        )
    return Decoded(text, name, {"bytes.replaced": lost})


def _within_budget(data: bytes, candidates: list[str], latin: bool) -> Decoded:
    nearest = None
    for name in candidates:
        text, lost = _replaced(data, name)
        if lost <= _budget(data) and _plausible(text):
            return Decoded(text, name, {"bytes.replaced": lost})
        if nearest is None or lost < nearest[1]:
            nearest = (name, lost, text)
    if nearest is not None and nearest[1] == 0:  # fits, though it is not Korean: hanja, Latin, symbols
        return Decoded(nearest[2], nearest[0])
    if nearest is not None and nearest[0] == "utf-8" and nearest[1] <= _budget(data):
        return Decoded(nearest[2], "utf-8", {"bytes.replaced": nearest[1]})
    if latin:  # declared, and no Korean encoding fits
        return Decoded(*_replaced_cp1252(data))
    told = f"nearest is {nearest[0]} with {nearest[1]} broken bytes of {len(data)}" if nearest else "no candidate"
    raise UndecodableError(
        "text.undecodable", f"neither UTF-8, CP949 nor johab ({told}): save the text as UTF-8, or remove the file"
    )


def _budget(data: bytes) -> int:
    return max(_FEW, int(len(data) * _SHARE))


def _replaced(data: bytes, name: str) -> tuple[str, int]:
    """Text with U+FFFD for what is broken, and how many there are of them (beyond those that were in the text)."""
    text = data.decode(name, "replace")
    before = data.count(b"\xef\xbf\xbd") if name == "utf-8" else 0
    return text, text.count("\ufffd") - before


def _replaced_cp1252(data: bytes) -> tuple[str, str, dict[str, int]]:
    text, lost = _replaced(data, "cp1252")
    return text, "cp1252", {"bytes.replaced": lost} if lost else {}


def _wide(data: bytes) -> Decoded | None:
    """UTF-16 without a byte order mark, told by its NUL bytes; other bytes full of NULs are no text."""
    nuls = data.count(0)
    if nuls <= _budget(data):
        return None
    for name in ("utf-16-le", "utf-16-be"):
        text = _strict(data, name)
        if text is not None and "\0" not in text and _plausible(text):
            return Decoded(text, name)
    raise UndecodableError("text.binary", f"{nuls} NUL bytes: not a text file; remove it or name it by its format")


def _plausible(text: str) -> bool:
    """Whether what is not ASCII in a text is mostly frequent Korean: KS X 1001 syllables, jamo, CJK punctuation."""
    look = text[:_LOOK]
    other = len(_NON_ASCII.findall(look))
    return other > 0 and len(_frequent().findall(look)) >= _PLAUSIBLE * other


@functools.cache
def _frequent() -> re.Pattern[str]:
    syllables = bytes(b for lead in range(0xB0, 0xC9) for trail in range(0xA1, 0xFF) for b in (lead, trail))
    return re.compile(f"[{syllables.decode('euc_kr')}\u3131-\u318e\u3000-\u303f\u00b7\u2010-\u2027]")


def _latin_bytes(text: str) -> bytes | None:
    """The bytes that CP1252 (its five holes as Latin-1) shows as this text, None where it shows other characters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        translated = text.translate(_cp1252())
    try:
        return translated.encode("latin-1")
    except UnicodeEncodeError:
        return None


@functools.cache
def _cp1252() -> dict[int, int]:
    shown = {byte: bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0)}
    return {ord(character): byte for byte, character in shown.items() if character}
