"""Check digits of identifiers and of what merely looks like one; `corpus/identifiers.py` asks them about a candidate.

Each takes the digits alone, as many as the standard has. Sources: 주민등록법 시행규칙 (residents), ISO/IEC 7812-1,
annex B (cards), 국세청 (firms), GS1 General Specifications (EAN-13).
"""

from __future__ import annotations


def _weighted(digits: str, weights: str) -> int:
    return sum(int(digit) * int(weight) for digit, weight in zip(digits, weights, strict=False))


def rrn_check_digit(digits: str) -> bool:
    """Whether the check digit of a resident's (or, two off, a foreigner's) registration number holds; 13 digits."""
    rest = (11 - _weighted(digits[:12], "234567892345") % 11) % 10
    foreigner = digits[6] in "5678"
    return int(digits[12]) == rest or (foreigner and int(digits[12]) == (rest + 2) % 10)


def luhn(digits: str) -> bool:
    """The check digit of cards (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def brn_check_digit(digits: str) -> bool:
    """The check digit of a business registration number, ten digits."""
    total = _weighted(digits[:9], "137137135") + int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])


def ean13(digits: str) -> bool:
    """The check digit of EAN-13, which ISBN-13 is too."""
    return (10 - _weighted(digits[:12], "131313131313") % 10) % 10 == int(digits[12])
