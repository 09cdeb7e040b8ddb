"""Texts that every extension is verified on, whatever else is given: all syllables, other scripts, code, odd bytes.

They are made, not collected: the same on every machine, no network, nobody's text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from tokenizer.byte_level import HANGUL

_LINE = 48  # characters
_MIXED = 400  # lines of characters drawn at random
_OTHER = ((0x20, 0x2FFF), (0x3000, 0x4FFF), (0x8000, 0x84FF), (0xA000, 0xA95F), (0xF900, 0xFFFD), (0x1F300, 0x1F6FF))
_PLAIN = (
    "The quick brown fox doesn't jump over 1,234.56 lazy dogs; \"it\" can't — naïve façade, Ångström, 10 % of £5.",
    "def area(r: float) -> float:\n    return 3.14159 * r ** 2  # no unit\n\n\tif x != y and z[0] >= -1:\n\t\tpass\n",
    '<a href="https://example.org/?q=1&amp;p=2">link</a>\r\n{"key": [1, 2.5e-3, null]}\r\n\r\n   $x_i^2$ \\frac{a}{b}',
    "日本語の文章は漢字とかなで書く。中文句子没有空格。Русский текст. Ελληνικά. עברית العربية हिन्दी ไทย",
    "\x00 nul \x07 bell \x1b[0m \u200b \u00a0 \ufeff \u2028 👩‍👩‍👧 🇰🇷 e\u0301 ﬁ ｆｕｌｌ",
)
_KOREAN = (
    "한국어 문장은 띄어쓰기를 하고 조사가 붙는다. API를 2024년 3월에 호출했다(한글).",
    "ㅋㅋㅋ ㅠㅠ 정말?! 學校에서 '안녕'하고 \"반갑\"습니다…\n\t들여쓴 줄\r\n  끝.  ",
    "ᄒᆞᆫ글 나랏말ᄊᆞ미 中國에 달아 ﾎￂﾤ 각 뷁뙠쀍",
)


def with_hangul(special: Sequence[str]) -> Iterator[str]:
    """Korean sentences, all 11,172 syllables with and without spaces, jamo; special tokens' spellings in between."""
    yield from _KOREAN
    for start in range(0xAC00, 0xD7A4, _LINE):
        line = "".join(map(chr, range(start, min(start + _LINE, 0xD7A4))))
        yield line
        yield " ".join(line)
    for first, last in HANGUL:
        if first != 0xAC00:
            yield "".join(chr(one) for one in range(first, last + 1) if unicodedata.category(chr(one)) != "Cn")
    for name in special:
        yield f"앞{name}뒤 {name} 끝"


def without_hangul(special: Sequence[str]) -> Iterator[str]:
    """English, code, other scripts in the order of Unicode and mixed at random; special tokens' spellings."""
    yield from _PLAIN
    others = [one for first, last in _OTHER for one in range(first, last + 1) if not _is_hangul(one)]
    assigned = [chr(one) for one in others if unicodedata.category(chr(one)) not in ("Cn", "Cs")]
    for start in range(0, len(assigned), _LINE):
        yield "".join(assigned[start : start + _LINE])
    random = np.random.Generator(np.random.Philox(0))
    for _ in range(_MIXED):
        yield "".join(assigned[i] for i in random.integers(0, len(assigned), _LINE))
    for name in special:
        yield f"before{name}after {name} end"


def _is_hangul(code_point: int) -> bool:
    return any(first <= code_point <= last for first, last in HANGUL)
