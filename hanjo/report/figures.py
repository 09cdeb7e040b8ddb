"""Numbers as a reader wants them: thousands, sizes, honest percentages. The report's words for amounts; no chart here.

Used by every `file here` and, as filters, by `page.html.jinja`.
"""

from __future__ import annotations

import math

ABSENT = "–"
_GAP = "\N{NO-BREAK SPACE}"  # between a number and its unit
_SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
_BYTES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def whole(value: float | None) -> str:
    """`1234567` as `1,234,567`; a dash where there is no number."""
    return ABSENT if value is None else f"{value:,.0f}"


def short(value: float | None) -> str:
    """`1234567` as `1.23 M`, for headlines and axes."""
    return _scaled(value, _SCALES, "")


def headline(value: float | None) -> str:
    """Whole up to six digits, short beyond."""
    return whole(value) if value is None or abs(value) < 10**6 else short(value)


def size(value: float | None) -> str:
    """Bytes as `1.23 MB` (powers of ten)."""
    return _scaled(value, _BYTES, "B")


def _scaled(value: float | None, scales: tuple[tuple[int, str], ...], unit: str) -> str:
    if value is None:
        return ABSENT
    for scale, name in scales:
        if abs(value) >= scale * 0.9995:  # what would be rounded to 1000 of the next smaller one
            return f"{_three_digits(value / scale)}{_GAP}{name}"
    return f"{_three_digits(value)}{_GAP if unit else ''}{unit}"


def _three_digits(value: float) -> str:
    if abs(value) < 1000:
        value = float(f"{value:.3g}")  # first, since 0.9999 has the places of 1
    if value == int(value):
        return f"{value:.0f}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 6)}f}"


def number(value: float | None, digits: int = 4) -> str:
    """A measured value with `digits` significant digits and no exponent where that stays readable."""
    if value is None or not math.isfinite(value):
        return ABSENT if value is None else str(value)
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -5:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    return f"{value:,.{max(0, digits - 1 - magnitude)}f}".replace("-", "−")


def trim(value: float | None) -> str:
    """A limit or a measured share as it would be written: `0.2`, `15`, `0.0417`."""
    return ABSENT if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(part: float | None, of: float | None) -> str:
    """A share that is never rounded to nothing: below 0.1 % two significant digits, however many zeros that takes."""
    if part is None or not of:
        return ABSENT
    share = 100 * part / of
    if share == 0:
        return f"0{_GAP}%"
    if share >= 0.1:
        return f"{share:.1f}{_GAP}%"
    return f"{share:.{1 - math.floor(math.log10(share))}f}{_GAP}%"


def seconds(value: float | None) -> str:
    """A duration: `0.4 s`, `12.0 s`, `3 min 05 s`, `2 h 10 min`."""
    if value is None:
        return ABSENT
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count_of(amount: float, noun: str) -> str:
    """`1 document`, `2 documents`."""
    return f"{whole(amount)} {noun}" + ("" if amount == 1 else "s")


def sentence(text: str) -> str:
    """A declared meaning as a sentence: capital first, full stop last."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
