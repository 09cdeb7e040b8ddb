"""Old Hangul in private-use code becomes jamo where it stands in words; icons of fonts stay and are counted."""

from __future__ import annotations

import pytest

from corpus import hanyang
from corpus.normalising import normalise

# 나랏말ᄊᆞ미 中귁에: made from the table of hypua2jamo 0.7 (U+E3F0: ᄊᆞ; U+E1A7: ᄀᆞ)
OLD = "나랏말\ue3f0미 \ue1a7\ue1a7니"


@pytest.fixture
def without_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hanyang, "_table", dict)


def test_old_hangul_becomes_conjoining_jamo() -> None:
    translate = pytest.importorskip("hypua2jamo").translate
    done = normalise(OLD)
    assert done.losses == {"text.hanyang": 3}
    assert done.text == f"나랏말{translate(chr(0xE3F0))}미 \u1100\u119e\u1100\u119e니"
    assert normalise(done.text).text == done.text


def test_every_place_of_the_table_is_listed_and_no_other() -> None:
    translate = pytest.importorskip("hypua2jamo").translate
    table = hanyang._table()
    assert len(table) == 5661
    assert {code for code in range(0xE000, 0xF900) if translate(chr(code)) != chr(code)} == {ord(one) for one in table}


@pytest.mark.parametrize("text", ["\ue8b6 검색", "홈 \ue001 메뉴 \uf0c9", "\uf8ff", "\uf001음악", "더보기\ue5cc"])
def test_icons_stay_and_are_counted(text: str) -> None:
    done = normalise(text)
    assert done.text == text
    assert done.losses == {"text.private_use": sum("\ue000" <= one <= "\uf8ff" for one in text)}


@pytest.mark.usefixtures("without_table")
def test_without_the_library_the_characters_stay_and_are_counted() -> None:
    assert normalise(OLD).text == OLD
    assert normalise(OLD).losses == {"text.private_use": 3}
