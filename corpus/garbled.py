"""Whether text taken from a font is nonsense: a PDF's font may lack its map to Unicode, or carry a false one.

Such text looks whole to every later check of encoding, since it is valid Unicode. Each test asks for a share that no
language has; pages of a few characters are never judged.
"""

from __future__ import annotations

import functools
import re
import unicodedata

_LEAST = 20  # characters that are no space
_NOTHING = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufff0-\uffff\U000f0000-\U0010ffff]")
_HANGUL = re.compile("[가-힣]")
_LATIN_1 = re.compile("[\u00a1-\u00bf\u00c0-\u00ff]")
_SIGN = re.compile(r"""[!"#$%&'/:;<>?@\[\\\]^`{|}~+,]""")
_OTHER = re.compile(
    "[^\u0000-\u02ff\u0370-\u052f\u1100-\u11ff\u1e00-\u2bff\u2e80-\u33ff\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\ue000-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00010000-\U0010ffff]"
)


def garbled(text: str) -> bool:
    """Whether a page's text is nonsense by its characters."""
    packed = "".join(text.split())
    size = len(packed)
    if size < _LEAST:
        return False
    hangul = _HANGUL.findall(packed)
    rare = sum(one not in _common() for one in hangul)
    # Of modern text less than 0.1 % of syllables are outside of KS X 1001, of syllables by chance 79 %.
    if len(hangul) >= _LEAST and rare > 0.25 * len(hangul):
        return True
    # No map: private use, control codes, U+FFFD. Old Hangul in private use stands among ordinary syllables.
    if len(_NOTHING.findall(packed)) > 0.3 * size:
        return True
    if len(hangul) > 0.1 * size:
        return False
    # Bytes of CP949 as Latin-1 (ÇÑ±Û); French and Vietnamese have letters with marks among plain ones.
    if len(_LATIN_1.findall(packed)) > 0.4 * size:
        return True
    # Codes of glyphs as ASCII: signs without words; leaders, rules and sums have few kinds of signs.
    signs = _SIGN.findall(packed)
    if len(signs) > 0.5 * size and len(set(signs)) >= 8:
        return True
    others = _OTHER.findall(packed)
    return len(others) > 0.2 * size and len({_script(one) for one in others}) >= 4


@functools.cache
def _common() -> frozenset[str]:
    """The 2,350 syllables of KS X 1001; Python's codec makes up eight bytes for each of the others."""
    syllables = map(chr, range(0xAC00, 0xD7A4))
    return frozenset(one for one in syllables if len(one.encode("euc_kr")) == 2)


def _script(character: str) -> str:
    return unicodedata.name(character, "UNNAMED").partition(" ")[0]
