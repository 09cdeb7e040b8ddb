"""Bytes become text by the documented order of encodings; losses are counted, hopeless bytes refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.decoding import UndecodableError, codec_of, decode, meta_charset, reverse_mojibake

KOREAN = "똠방각하가 펲시콜라를 마신다. 대한민국의 수도는 서울이고 부산은 항구다.\n" * 3
SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "johab", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-16"])
def test_korean_is_read_without_any_label(encoding: str) -> None:
    decoded = decode(KOREAN.encode(encoding))
    assert decoded.text == KOREAN
    assert decoded.losses == {}


def test_a_label_of_euc_kr_means_cp949_and_loses_no_syllable() -> None:
    every = "".join(chr(code) for code in range(0xAC00, 0xD7A4))
    assert codec_of("EUC-KR") == codec_of("ks_c_5601-1987") == codec_of("x-windows-949") == "cp949"
    assert decode((KOREAN + every).encode("cp949"), http="euc-kr").text == KOREAN + every


def test_a_wrong_label_does_not_spoil_the_text() -> None:
    assert decode(KOREAN.encode(), http="euc-kr").text == KOREAN
    assert decode(KOREAN.encode("cp949"), http="utf-8", meta="utf-8").text == KOREAN
    assert decode(KOREAN.encode("cp949"), http="iso-8859-1").text == KOREAN


def test_the_meta_charset_is_found_in_html_and_xml() -> None:
    assert meta_charset(b'<html><meta http-equiv="Content-Type" content="text/html; charset=euc-kr">') == "euc-kr"
    assert meta_charset(b"<meta charset='utf-8'>") == "utf-8"
    assert meta_charset(b'<?xml version="1.0" encoding="EUC-KR"?>') == "EUC-KR"
    assert meta_charset(b"<p>charset=none</p>") is None


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_few_broken_bytes_cost_characters_not_the_record(encoding: str) -> None:
    data = KOREAN.encode(encoding)
    decoded = decode(data[:-10] + b"\xff" + data[-10:])
    assert decoded.encoding == encoding
    assert 1 <= decoded.losses["bytes.replaced"] <= 4  # a byte within a syllable breaks all its bytes
    assert "펲시콜라" in decoded.text


@pytest.mark.parametrize(("inner", "outer"), [("utf-8", "latin-1"), ("cp949", "latin-1")])
def test_double_mojibake_is_reversed_and_counted(inner: str, outer: str) -> None:
    mangled = KOREAN.encode(inner).decode(outer)
    decoded = decode(mangled.encode())
    assert decoded.text == KOREAN
    assert decoded.losses == {"mojibake.reversed": 1}


def test_accented_latin_text_is_no_mojibake() -> None:
    text = "Déjà vu, façade, naïveté, Übermäßigkeit, œuvre éééé"
    assert reverse_mojibake(text) == (text, {})
    assert decode(text.encode("cp1252"), http="iso-8859-1").text == text


def test_binary_and_undecodable_bytes_are_refused_by_cause() -> None:
    with pytest.raises(UndecodableError) as binary:
        decode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    assert binary.value.cause == "text.binary"
    with pytest.raises(UndecodableError) as garbage:
        decode(bytes(range(0x80, 0x100)) * 20)
    assert garbage.value.cause == "text.undecodable"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")))
def test_utf8_with_its_mark_always_comes_back(text: str) -> None:
    assert decode(text.encode("utf-8-sig")).text == text


@given(SYLLABLES)
def test_hangul_in_utf8_always_comes_back(text: str) -> None:
    assert decode(text.encode()).text == text
