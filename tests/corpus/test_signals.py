"""Signals: registers of Korean and kinds of junk stand where their definitions say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from corpus.signals import NAMES, SCHEMA, SIGNALS, measure_texts

NEWS = "정부는 어제 새로운 정책을 발표했다. 이번 정책은 내년부터 시행될 예정이며 시민들의 의견을 듣기로 했다."


def signals(text: str) -> dict[str, float]:
    batch = measure_texts(pa.array([text], pa.large_string()), np.zeros(1), np.zeros(1))
    row: dict[str, float] = batch.to_pylist()[0]
    return row


def test_every_signal_has_a_name_of_its_own_a_meaning_and_a_unit() -> None:
    assert len(set(NAMES)) == len(SIGNALS) == len(SCHEMA)
    assert all(signal.doc and signal.unit for signal in SIGNALS)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "가", "😀", "\ufffd"])
def test_no_text_is_too_small_to_measure(text: str) -> None:
    measured = signals(text)
    assert measured.pop("quality") is None  # no classifier
    assert all(np.isfinite(value) for value in measured.values())


def test_shares_stay_between_nothing_and_all() -> None:
    for text in (NEWS, NEWS * 50, "ㅋㅋㅋㅋㅋㅋ", "가 " * 100, "!!! ... ???", "- 하나\n- 둘\n- 둘"):
        row = signals(text)
        for signal in SIGNALS:
            if signal.unit.startswith("share"):
                assert 0 <= row[signal.name] <= 1, signal.name


def test_running_korean_ends_its_eojeol_in_particles_and_endings_and_a_list_of_nouns_does_not() -> None:
    assert signals(NEWS)["particles"] > 0.6
    assert signals("강남맛집 강남술집 추천 정보 가격 강남역맛집 강남맛집")["particles"] < 0.1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("日本語の文章です", "kana"),
        ("漢字文章", "hanja"),
        ("only English words", "latin"),
        ("ㅇㅇ ㅋㅋ", "jamo"),
        ("12345 678", "digits"),
        ("😀😀", "emoji"),
        ("한국어 문장", "hangul"),
        ("문장 ÀÌ°ÍÀº", "mojibake"),
        ("보러 가기 https://a.kr", "urls"),
        ("가 나 다 라", "singles"),
        ("바카라 카지노", "spam"),
        ("문장이 여기서 끊…더보기", "cut_off"),
        ("문장이 여기서 끊... 더 보기", "cut_off"),
    ],
)
def test_a_signal_answers_to_its_text_and_not_to_plain_prose(text: str, name: str) -> None:
    plain = signals(NEWS)
    assert signals(text)[name] > 0.2
    assert name == "hangul" or plain[name] < 0.05


def test_terms_of_advertisements_are_counted_by_kind() -> None:
    row = signals("카지노 카지노 바카라 소식을 전했다")
    assert (row["spam"], row["spam_terms"]) == (3 / 5, 2)
