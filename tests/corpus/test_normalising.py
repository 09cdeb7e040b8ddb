"""Every text gets one form; what must stay stays, and what goes is counted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.normalising import normalise

AWKWARD = st.lists(
    st.one_of(
        st.characters(),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
        st.characters(min_codepoint=0x3130, max_codepoint=0x318F),
        st.characters(min_codepoint=0xFF00, max_codepoint=0xFFEF),
        st.characters(min_codepoint=0x2000, max_codepoint=0x206F),
        st.characters(min_codepoint=0xA960, max_codepoint=0xA97F),
        st.characters(min_codepoint=0x0300, max_codepoint=0x0320),
        st.characters(min_codepoint=0xE0B0, max_codepoint=0xF8FF),
        st.characters(min_codepoint=0xD7B0, max_codepoint=0xD7FF),
        st.characters(min_codepoint=0xF900, max_codepoint=0xFAFF),
        st.sampled_from(["ㅎㅏㄴ", "ㅤㄱㅏㄲ", "\u1112\u1161\u11ab", "\uffbe\uffc2\uffa4", "한\u11a8"]),
        st.sampled_from(["👨\u200d👩", "中\ue1a7귁"]),
        st.sampled_from("\u115f\u1160\x0b\x0c\x85\u2028ᄀᆞᆨ한ㅋㅋㅋ\u200b\u200d\u3164\r\n\u0000\ufeff가각A"),
    )
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (unicodedata.normalize("NFD", "한글 각"), "한글 각"),
        ("줄\r\n바꿈\r또\u2028또", "줄\n바꿈\n또\n또"),
        ("첫 쪽\f둘째 쪽\v끝", "첫 쪽\n둘째 쪽\n끝"),
        ("이름\u3164빈칸", "이름 빈칸"),
        ("ＡＢＣ１２３！\u3000￦", "ABC123! ₩"),
        ("가격：１，０００원（부가세 별도），漢字（한자）", "가격:1,000원(부가세 별도),漢字(한자)"),
        ("「學而時習之，不亦說乎？」", "「學而時習之，不亦說乎？」"),
        ("가\u00a0나\u200b다\ufeff", "가 나다"),
        ("ㅋㅋㅋㅋㅋㅋ ㅠㅠㅠㅠ ㅎㅎ ㅋㅋㅋ", "ㅋㅋㅋ ㅠㅠㅠ ㅎㅎ ㅋㅋㅋ"),
        ("ㅋㅋ\u200bㅋㅋㅋ", "ㅋㅋㅋ"),
    ],
)
def test_one_form(text: str, expected: str) -> None:
    assert normalise(text).text == expected


@pytest.mark.parametrize(
    "text",
    [
        "100000원",
        "하하하하하하",
        "“따옴표” ‘하나’",
        "大韓民國",
        "\u1112\u119e\u11ab글",
        "ㄱㅏ",
        "👨\u200d👩\u200d👧 ❤️\u200d🔥",
        "½ ①",
        "\uf8ff",
    ],
)
def test_what_must_stay_stays(text: str) -> None:
    assert normalise(text).text == text


def test_losses_are_counted_by_cause() -> None:
    losses = normalise("가\x00\x07\ud800나\ufffe\u200b\ue0bc").losses
    assert losses == {
        "text.control": 2,
        "text.surrogate": 1,
        "text.noncharacter": 1,
        "text.zero_width": 1,
        "text.private_use": 1,
    }


@given(AWKWARD)
def test_normalising_twice_changes_nothing_and_the_result_is_nfc_utf8(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()
