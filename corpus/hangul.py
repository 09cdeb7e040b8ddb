"""Hangul by code points: which characters are what, and jamo put together to syllables. Facts only, no policy.

Unicode has 11,172 syllables (U+AC00 on), conjoining jamo (U+1100–11FF, A960–A97C, D7B0–D7FB; old Hangul lives there),
compatibility jamo (U+3131–318E: ㅋㅋ, ㅠㅠ) and half-width jamo (U+FFA0–FFDC). Unicode 15, 3.12 and 18.6.
"""

from __future__ import annotations

import functools
import re

CONJOINING = "\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff"  # for character classes of regular expressions
COMPATIBILITY = "\u3131-\u318e"
HALF_WIDTH = "\uffa0-\uffbe\uffc2-\uffc7\uffca-\uffcf\uffd2-\uffd7\uffda-\uffdc"
FILLER = "\u3164"

LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_CONSONANTS = "ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"

_HALF_WIDTH_RUN = re.compile(f"[{HALF_WIDTH}]+")
_FILLED = re.compile(f"{FILLER}([{LEADS}])([{VOWELS}])([{TAILS}{FILLER}])")
_TYPED = re.compile(f"([{LEADS}])([{VOWELS}])(?:([{TAILS}])(?![{VOWELS}]))?")
_MODERN = re.compile("[\u1100-\u1112\u1161-\u1175]")
_LONE_LEADS = re.compile(f"(?<![{CONJOINING}])[\u1100-\u1112]+(?![{CONJOINING}])")
_LONE_VOWELS = re.compile(f"(?<![{CONJOINING}])[\u1161-\u1175]+(?![{CONJOINING}])")


def compose(lead: str, vowel: str, tail: str = "") -> str:
    """The syllable of compatibility jamo: ㅎ, ㅏ, ㄴ → 한."""
    index = (LEADS.index(lead) * 21 + VOWELS.index(vowel)) * 28
    return chr(0xAC00 + index + (TAILS.index(tail) + 1 if tail else 0))


def _half_width_table() -> dict[int, str]:
    table = {0xFFA0: FILLER}
    table |= {0xFFA1 + index: jamo for index, jamo in enumerate(_CONSONANTS)}
    places = [*range(0xFFC2, 0xFFC8), *range(0xFFCA, 0xFFD0), *range(0xFFD2, 0xFFD8), *range(0xFFDA, 0xFFDD)]
    return table | dict(zip(places, VOWELS, strict=True))


_WIDE = _half_width_table()


def widen_jamo(text: str) -> str:
    """Half-width jamo → syllables as one types them (ﾎￂﾤ → 한), what stands alone → compatibility jamo."""
    return _HALF_WIDTH_RUN.sub(lambda run: _typed(run[0].translate(_WIDE)), text)


def _typed(jamo: str) -> str:
    return _TYPED.sub(lambda match: compose(match[1], match[2], match[3] or ""), jamo)


def compose_filled(text: str) -> str:
    """KS X 1001's make-up sequences (filler, lead, vowel, tail or filler) → the syllable they stand for."""
    return _FILLED.sub(lambda match: compose(match[1], match[2], match[3].strip(FILLER)), text)


def free_lone_jamo(text: str) -> str:
    """Modern conjoining jamo that stand alone (ᄏᄏ of an NFKC) → compatibility jamo; old Hangul is left as it is."""
    if not _MODERN.search(text):  # a look behind at every character takes far longer
        return text
    text = _LONE_LEADS.sub(lambda run: "".join(LEADS[ord(one) - 0x1100] for one in run[0]), text)
    return _LONE_VOWELS.sub(lambda run: "".join(VOWELS[ord(one) - 0x1161] for one in run[0]), text)


@functools.cache
def frequent() -> re.Pattern[str]:
    """A character of nearly all Korean text: the 2,350 syllables of KS X 1001, single jamo, CJK punctuation."""
    syllables = bytes(b for lead in range(0xB0, 0xC9) for trail in range(0xA1, 0xFF) for b in (lead, trail))
    return re.compile(f"[{syllables.decode('euc_kr')}{COMPATIBILITY}\u3000-\u303f\u00b7\u2010-\u2027]")
