"""Bytes become text by the documented order of encodings; losses are counted, hopeless bytes refused."""

import time

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
    assert decode(data + b"\xff").losses == {"bytes.replaced": 1}
    assert "펲시콜라" in decoded.text


def test_bytes_are_counted_not_signs_that_stand_for_them() -> None:
    cut = KOREAN.encode()[:-1] + "끝".encode()[:2]  # two bytes of a syllable: one U+FFFD
    assert decode(cut).losses == {"bytes.replaced": 2}
    assert decode(cut).text.count("\ufffd") == 1


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("euc_kr", "cp949"),
        ("ksx1001", "cp949"),
        ("KS_C_5601-1989", "cp949"),
        (" 'UTF8' ", "utf-8"),
        ("shift_jis", "shift_jis"),
        ("unicode_escape", None),
        ("undefined", None),
        ("punycode", None),
        ("rot13", None),
        ("zlib", None),
        ("utf-7", None),
        ("no such", None),
        ("", None),
    ],
)
def test_a_label_names_a_character_set_or_nothing(label: str, codec: str | None) -> None:
    assert codec_of(label) == codec
    assert decode(KOREAN.encode(), http=label).text == KOREAN


def test_utf_16_is_told_by_its_bytes_not_by_a_label() -> None:
    assert decode(KOREAN.encode(), meta="utf-16").text == KOREAN
    assert decode(KOREAN.encode("utf-16-le") + b"\x00").losses == {"bytes.replaced": 1}  # cut within a character
    english = "Plain words, nothing else. " * 5
    assert decode(english.encode("utf-16-le"), http="utf-16").text == english
    with pytest.raises(UndecodableError):
        decode(english.encode("utf-16-le"))


def test_other_declared_encodings_are_read_as_declared() -> None:
    japanese, russian = "日本語の文章です。漢字とかな。" * 3, "Это русский текст. " * 3
    assert decode(japanese.encode("shift_jis"), meta="Shift_JIS").text == japanese
    assert decode(russian.encode("koi8-r"), http="koi8-r").text == russian
    mail = "대한민국의 수도는 서울이다. " * 3
    assert decode(mail.encode("iso2022_kr"), meta="iso-2022-kr").text == mail


def test_a_page_over_the_budget_is_refused_at_once() -> None:
    noise = bytes(range(0x80, 0x100)) * 200_000  # 25 MB
    started = time.monotonic()
    with pytest.raises(UndecodableError, match="more than 25600 broken bytes of 25600000"):
        decode(noise)
    assert time.monotonic() - started < 5


@given(st.binary(max_size=400), st.sampled_from([None, "utf-8", "euc-kr", "johab", "utf-16", "iso-8859-1", "big5"]))
def test_any_bytes_give_text_or_a_cause(data: bytes, label: str | None) -> None:
    try:
        decoded = decode(data, http=label, meta=meta_charset(data))
    except UndecodableError as error:
        assert error.cause in ("text.binary", "text.undecodable")
        return
    decoded.text.encode("utf-8", "surrogatepass")
    assert decoded.losses.get("bytes.replaced", 0) <= max(4, len(data) // 2)


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
