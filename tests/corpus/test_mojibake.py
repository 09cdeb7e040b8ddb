"""Double mojibake is undone wherever Hangul comes of it, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.mojibake import reverse_mojibake

KOREAN = (
    "대한민국의 수도는 서울이고 부산은 항구다. “따옴표” 안에서도 그렇다 (2024년).\n둘째 줄에는 안녕하세요라고 썼다."
)
SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1)


def mangled(text: str, inner: str, outer: str) -> str:
    """What a program shows that takes `inner` for `outer`; CP1252's five holes pass through, as in browsers."""
    data = text.encode(inner)
    if outer == "latin-1":
        return data.decode(outer)
    return "".join(bytes([b]).decode("cp1252") if b not in b"\x81\x8d\x8f\x90\x9d" else chr(b) for b in data)


@pytest.mark.parametrize("inner", ["utf-8", "cp949"])
@pytest.mark.parametrize("outer", ["latin-1", "cp1252"])
class TestBothWays:
    def test_a_whole_text_is_read_back(self, inner: str, outer: str) -> None:
        assert reverse_mojibake(mangled(KOREAN, inner, outer)) == (KOREAN, {"mojibake.reversed": 1})

    def test_runs_beside_intact_hangul_are_read_back(self, inner: str, outer: str) -> None:
        text = f"제목은 멀쩡하다: {mangled(KOREAN, inner, outer)} 끝\n멀쩡한 줄 été ½ ····"
        mended, losses = reverse_mojibake(text)
        assert mended == f"제목은 멀쩡하다: {KOREAN} 끝\n멀쩡한 줄 été ½ ····"
        assert losses["mojibake.reversed"] == 2  # a line each

    def test_twice_mangled_text_is_read_back(self, inner: str, outer: str) -> None:
        assert reverse_mojibake(mangled(mangled(KOREAN, inner, outer), "utf-8", outer))[0] == KOREAN


def test_a_no_break_space_that_became_a_space_is_restored() -> None:
    text = "했습니다. 젠장 잠시 장소"  # 잠 and 장 hold the byte A0
    assert b"\xa0" in text.encode()
    assert reverse_mojibake(mangled(text, "utf-8", "latin-1").replace("\xa0", " "))[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "Déjà vu, façade, naïveté, Übermäßigkeit, œuvre éééé",
        "À BIENTÔT! ÇÀ ET LÀ, FORÊT ÉPAISSE, ÎLES DÉSERTES",
        "ÁÉÍÓÚ ÀÈÌÒÙ ÂÊÎÔÛ ÄËÏÖÜ ÃÑÕ ÆØÅ ÐÞß",
        "°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ",
        "목차 ········ 12\n1장 ······· 3\n2장 ················ 45",
        "····· °±² ½½½ §§§§ «»«» ¡¿¡¿ ±±±± ´´´´ ×÷×÷",
        "……””’’——––••™®©",
        "25°±1° 5µ¹² x²³¹ 가격은 £¥¢¤ 이다",
        "Þetta er íslenska: ÆÐÞÖ æðþö, ÁÆÐÍÓÚÝ",
        "¿Qué? ¡Ñandú! ÑANDÚES Y CIGÜEÑAS",
        "ê í ë ì êí ëì êëìí",
    ],
)
def test_other_latin_text_and_rows_of_signs_stay(text: str) -> None:
    assert reverse_mojibake(text) == (text, {})


@given(SYLLABLES)
def test_hangul_in_utf8_once_read_as_latin_1_always_comes_back(text: str) -> None:
    assert reverse_mojibake(text.encode().decode("latin-1")) == (text, {"mojibake.reversed": 1})


@given(SYLLABLES)
def test_intact_hangul_is_never_touched(text: str) -> None:
    assert reverse_mojibake(text) == (text, {})


@given(st.text(st.one_of(st.characters(max_codepoint=0xFF), st.sampled_from("가나ŒŽ…“™€ ·°"))))
def test_what_comes_out_needs_no_second_look(text: str) -> None:
    once = reverse_mojibake(text)[0]
    assert len(once) <= len(text)
