"""What may begin or announce an identifier, by character: the tables of the compiled scan (`corpus/private_scan.py`).

They stand apart from it since `corpus/identifiers.py` needs the kinds of candidates, and numba is wanted only where
texts are measured.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Shorts = npt.NDArray[np.uint16]

# Kinds of candidates.
(NUMBER, EMAIL, SERIAL, PLATE, ADDRESS, QUAD, SPELT, SPELT_EMAIL, MESSENGER, FIELD, IPV6) = range(11)
# What a character may announce: the low four bits of a cell of the table.
(_DIGIT, _AT, _CAPITAL, _BRACKET, _LETTER_O, _LETTER_A, _KAKAO, _TELEGRAM, _ZERO, _SNAIL, _TALK, _FIELD) = range(1, 13)
# And what it is where another one announces: the high bits.
_STREET, _PLACE, _NUMERAL, _PLATE = 16, 32, 64, 128

NUMERALS = "공영빵일이삼사오육륙칠팔구"
_STREETS = "로길동리가읍면산하"  # 지하 123, 산 12-3
PLATES = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호배바사아자"
_PLACES = "시군구읍면도동리로울산구천주전종기원북남"  # of 시 군 구 …, and of 서울, 부산, 대구, 인천 …


def anchors(names: bool) -> tuple[Bytes, Shorts]:
    """The tables of `mark_private`; with `names`, the labels of names announce one too.

    Returns:
        What each character may announce and is, uint8 [65536]; by the byte behind an ASCII character, a bit for each
        that may then announce one, uint16 [256].
    """
    table = np.zeros(65536, np.uint8)
    announcing = [
        ("0123456789", _DIGIT),
        ("@", _AT),
        ("ABCDEFGHIJLMNPQRSUVWXYZ", _CAPITAL),
        ("([{", _BRACKET),
        ("oO", _LETTER_O),
        ("a", _LETTER_A),
        ("kK", _KAKAO),
        ("tT", _TELEGRAM),
        ("공영빵", _ZERO),
        ("골", _SNAIL),
        ("톡텔챗", _TALK),
        ("명름주자인분당람" if names else "", _FIELD),
    ]
    for characters, what in announcing:
        table[[ord(character) for character in characters]] = what
    for characters, flag in ((_STREETS, _STREET), (_PLACES, _PLACE), (NUMERALS, _NUMERAL), (PLATES, _PLATE)):
        table[[ord(character) for character in characters]] |= flag
    follow = np.zeros(256, np.uint16)
    follow[:] = 1 << _AT
    behind = [
        (_CAPITAL, b"0123456789"),
        (_KAKAO, b"aA0123456789"),
        (_TELEGRAM, b"eE0123456789"),
        (_LETTER_A, b"t"),
        (_LETTER_O, b"0123456789lI -\xec"),
        (_BRACKET, b"aA @\xea"),
    ]
    for what, following in behind:
        follow[list(following)] |= 1 << what
    return table, follow
