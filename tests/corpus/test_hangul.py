"""Jamo of every kind become the syllables they stand for."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus.hangul import LEADS, TAILS, VOWELS, compose, compose_filled, free_lone_jamo, widen_jamo

SYLLABLE = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)


@given(st.sampled_from(LEADS), st.sampled_from(VOWELS), st.sampled_from(["", *TAILS]))
def test_compose_agrees_with_unicode(lead: str, vowel: str, tail: str) -> None:
    index = (LEADS.index(lead), VOWELS.index(vowel), TAILS.index(tail) + 1 if tail else 0)
    conjoining = chr(0x1100 + index[0]) + chr(0x1161 + index[1]) + (chr(0x11A7 + index[2]) if tail else "")
    assert compose(lead, vowel, tail) == unicodedata.normalize("NFC", conjoining)


@given(SYLLABLE)
def test_make_up_sequences_of_python_euc_kr_become_their_syllable(syllable: str) -> None:
    assert compose_filled(syllable.encode("euc_kr").decode("cp949")) == syllable


def test_half_width_jamo_become_syllables_and_lone_ones_compatibility_jamo() -> None:
    assert widen_jamo("\uffbe\uffc2\uffa4\uffa1\uffda\uffa9 \uffbb\uffbb") == "한글 ㅋㅋ"


def test_every_half_width_jamo_is_widened_as_unicode_names_it() -> None:
    for code in range(0xFFA1, 0xFFDD):
        name = unicodedata.name(chr(code), "")
        if name:
            assert f"HALFWIDTH {unicodedata.name(widen_jamo(chr(code)))}" == name


def test_lone_conjoining_jamo_are_freed_and_old_hangul_stays() -> None:
    assert free_lone_jamo("\u110f\u110f \u1172\u1172") == "ㅋㅋ ㅠㅠ"
    old = "\u1112\u119e\u11ab"  # ᄒᆞᆫ
    assert free_lone_jamo(old) == old
