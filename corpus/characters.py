"""Characters of Korean text: the class of each code point, and what it says where an eojeol or a line ends in it.

The table made here is what the compiled pass of measure (`corpus/counting.py`) reads of Unicode and of Korean grammar.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt

# Classes: the low four bits of a cell of the table.
SPACE, NEWLINE, HANGUL, JAMO, HANJA, KANA, LATIN, DIGIT, LETTER, EMOJI, SYMBOL, BROKEN = range(12)
CLASSES = 12
# Flags: the bits above.
PARTICLE, ENDING, STOP, BULLET, FORM, SIGN, STRAY, INFORMAL = (1 << bit for bit in range(4, 12))

# Last syllables of an eojeol that are a particle or an ending: 은/는/이/가 …, 고/며/면/서 …, 다/요 …
PARTICLES = (
    "은는이가을를의에도로와과만서고며면지게여어아해던한할된될인일적들니다요까네죠음함됨임라자야나려듯히써나든께부터"
)
# Last syllables of a line that ends like a sentence, with a full stop or not: 다 요 죠 까, and clipped 음 함 됨 임 것.
ENDINGS = "다요죠까네라자지음함됨임것오소셔냐군걸게해야어아"
STOPS = ".?!。…！？\"'”’)]」』~"
BULLETS = "-*•·●○■□▶▷◆◇※‣∙･ㆍ▪①②③④⑤⑥⑦⑧⑨⑩"
# Final forms: those that few nouns end in; those that are final after a stem in ㅆ or ㅄ (했어, 좋겠네, 없지);
# and pairs of syllables.
FORMS = "다요죠까음함됨임냐셔"
INFORMALS = "어지네니나군"
_PAIRS = """
거든 는데 은데 인데 한데 잖아 더라 거야 이야 해라 하라 어라 시오 할게 을게 볼게 갈게 줄게 하자 보자 가자 구나 구먼 는걸
은걸 할래 을래 갈래 볼래 리라 노라 려고 는지 을지 을걸 나봐 뭐해 뭐야 맞아 좋아 같아 많아 싫어 싶어 몰라 그래
먹자
"""
# Signs that end a sentence; brackets and quotation marks may follow.
SIGNS = ".?!。…！？‼⁇⁈⁉．｡"
# Particles that Korean writes onto the word before; alone between spaces they tell of machine translation.
STRAYS = "을를의은는과와로에"


# The pairs as first << 16 | second, sorted.
PAIRS = np.array(sorted(ord(pair[0]) << 16 | ord(pair[1]) for pair in _PAIRS.split()), np.int64)


@lru_cache(maxsize=1)
def character_table() -> npt.NDArray[np.uint16]:
    """Class (low four bits) and flags of every code point below 65,536, uint16 [65536]."""
    table = np.array([_class_of(chr(point)) for point in range(65536)], np.uint16)
    flags = (
        (PARTICLES, PARTICLE),
        (ENDINGS, ENDING),
        (STOPS, STOP),
        (BULLETS, BULLET),
        (FORMS, FORM),
        (SIGNS, SIGN),
        (STRAYS, STRAY),
        (INFORMALS, INFORMAL),
    )
    for characters, flag in flags:
        table[[ord(character) for character in characters]] |= flag
    return table


def _class_of(character: str) -> int:
    point = ord(character)
    if 0xAC00 <= point < 0xD7A4:
        return HANGUL
    if character == "\n":
        return NEWLINE
    if character.isspace():
        return SPACE
    category = unicodedata.category(character)
    if point == 0xFFFD or category in ("Cc", "Co", "Cs", "Cn"):
        return BROKEN
    if 0x1100 <= point < 0x1200 or 0x3131 <= point < 0x318F or 0xA960 <= point < 0xA97D or 0xD7B0 <= point < 0xD7FC:
        return JAMO
    if 0x3400 <= point < 0xA000 or 0xF900 <= point < 0xFB00:
        return HANJA
    if 0x3041 <= point < 0x3100 or 0x31F0 <= point < 0x3200:
        return KANA
    if category == "Nd":
        return DIGIT
    if category.startswith("L"):
        return LATIN if point < 0x250 or 0x1E00 <= point < 0x1F00 else LETTER
    return EMOJI if 0x2600 <= point < 0x27C0 else SYMBOL
