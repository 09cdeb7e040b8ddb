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
    for text in (
        NEWS,
        NEWS * 50,
        "가 가 " * 50,
        "카.지.노 " * 20,
        "ㅋㅋㅋㅋㅋㅋ",
        "가 " * 100,
        "!!! ... ???",
        "- 하나\n- 둘\n- 둘",
    ):
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
        ("바카라 카지노", "gambling"),
        ("출장마사지 콜걸", "adult"),
        ("당일대출 무직자 급전", "loan"),
        ("대포통장 매입", "schemes"),
        ("카.지.노 먹/튀", "disguised"),
        ("예약문의 무료배송", "ad_calls"),
        ("카지노 가입코드 카톡상담", "advertising"),
        ("그것은 당신의 문서 의 이름", "mt_tells"),
        ("파일 을 열기", "stray_particles"),
        ("연락 02-123-4567", "phones"),
        ("연락 <|phone|>", "phones"),
        ("글 자 띄 우 기 로 쓴 글", "spaced_out"),
        ("띄어쓰기없이길게이어서쓴글은읽기가어렵다", "long_eojeol"),
        ("русский текст", "other_letters"),
        ("\u1112\u119e\u11ab글", "old_hangul"),
        ("1. 하나\n2. 둘", "list_lines"),
        ("같은 줄\n같은 줄", "line_repeats"),
        ("같은 줄\n같은 줄", "char_repeats"),
        ("가나 다라 가나 다라 가나 다라", "top_2"),
        ("가나 다라 마바 가나 다라 마바", "top_3"),
        ("가 나 다 라 마 가 나 다 라 마", "repeat_5"),
        ("같은 말을 또 하고 같은 말을 또 하고 같은 말을 또 하고", "compressibility"),
        ("문장이 여기서 끊…더보기", "cut_off"),
        ("문장이 여기서 끊... 더 보기", "cut_off"),
    ],
)
def test_a_signal_answers_to_its_text_and_not_to_plain_prose(text: str, name: str) -> None:
    plain = signals(NEWS)
    assert signals(text)[name] > 0.2
    assert name in ("hangul", "compressibility") or plain[name] < 0.05
    assert signals(text)[name] > plain[name]


ADVERTISEMENTS = (
    "먹튀없는 안전놀이터 추천 첫충 30% 매충 10% 가입코드 abc 카톡상담 환영",
    "카.지.노 바.카.라 주소 www.a.example 카톡ID abc12",
    "출장 마사지 전지역 30분 도착 후불제 선입금없는 010-0000-0000 카톡문의",
    "무직자 당일 대출 신용불문 24시간 상담 <|phone|>",
    "급등주 추천 무료 리딩방 입장 텔레그램 문의 수익 인증",
    "정품 비아그라 시알리스 최저가 보장 당일 배송 상담 문의 <|phone|>",
)
REPORTS = (
    "경찰은 불법 카지노를 운영한 혐의로 다섯 명을 붙잡았다. 이들은 바카라 사이트를 열어 회원을 모은 것으로 조사됐다.",
    "금융감독원은 무직자도 당일 대출이 된다며 수수료를 먼저 받는 작업대출 사기가 늘었다고 주의를 당부했다.",
    "성매매 알선 혐의를 받는 출장마사지 업소 업주가 구속됐다. 경찰은 오피사이트 운영자도 쫓고 있다.",
    "식품의약품안전처는 온라인에서 불법으로 팔리는 비아그라와 시알리스를 먹지 말라고 밝혔다.",
    "주식 리딩방에서 원금 보장을 내세워 투자금을 받아 가로챈 일당이 재판에 넘겨졌다. 피해자는 백 명이 넘는다.",
    "도박문제를 겪는 청소년이 늘고 있다. 바카라와 사다리게임에 빠진 학생들은 대출까지 받았다. 상담전화는 1336번이다.",
)


@pytest.mark.parametrize("text", ADVERTISEMENTS)
def test_an_advertisement_calls_to_act_beside_its_terms(text: str) -> None:
    row = signals(text)
    assert row["advertising"] > 0.1 and row["spam_terms"] >= 2


@pytest.mark.parametrize("text", REPORTS)
def test_a_report_has_the_terms_without_the_calls(text: str) -> None:
    row = signals(text)
    assert row["spam"] > 0 and row["disguised"] == 0 and row["advertising"] < 0.05


def test_sentences_are_told_by_form_and_by_sign_apart() -> None:
    row = signals("오늘은 바람이 불었어\n내일도 그럴 것 같네요\n창밖을 보는데")
    assert (row["sentence_forms"], row["sentence_signs"]) == (1, 0)
    row = signals("제목. 목차. 주소록.")
    assert (row["sentence_forms"], row["sentence_signs"]) == (0, 1)
    row = signals("비가 왔다. 우산이 없었다. 뛰었다!\n제목 한 줄")
    assert (row["sentence_forms"], row["sentence_signs"]) == (0.75, 0.75)


def test_lengths_of_eojeol_and_lines_are_means_and_spread() -> None:
    row = signals("가 나다라\n가 나다라")
    assert (row["eojeol_length"], row["eojeol_length_sd"], row["line_chars"], row["newlines"]) == (2, 1, 5, 0.25)


REGISTERS = {
    "poem": ("나 보기가 역겨워\n가실 때에는\n말없이 고이 보내 드리우리다\n영변에 약산\n진달래꽃", 0.1, 0.2),
    "chat": ("야 오늘 뭐해? ㅋㅋㅋ\n나 집인데 ㅠㅠ\n나와 밥 먹자\n오키 지금 갈게", 0.9, 0.2),
    "law": (
        "제3조(정의) 이 법에서 쓰는 말의 뜻은 다음과 같다.\n1. 근로자\n2. 사용자\n가. 대표자\n나. 관리자",
        0.1,
        0.2,
    ),
    "code": ("model.to(device)를 실행하고 batch size를 줄이면 된다. pip install torch 뒤에 다시 해 본다.", 0.5, 0.2),
    "prices": ("사과 1.5kg 12,900원, 배 3kg 25,000원, 감 5kg 31,000원에 팝니다. 택배비는 따로입니다.", 0.5, 0.2),
}


@pytest.mark.parametrize(("text", "forms", "repeats"), REGISTERS.values(), ids=REGISTERS)
def test_registers_that_must_not_suffer_have_sane_values(text: str, forms: float, repeats: float) -> None:
    row = signals(text)
    assert row["sentence_forms"] >= forms and row["spacing"] == 1
    for name in ("top_2", "top_3", "top_4", "repeat_5", "repeat_10", "char_repeats", "compressibility"):
        assert row[name] <= repeats, name
    for name in ("spam", "disguised", "advertising", "phones", "spaced_out"):
        assert row[name] == 0, name


def test_terms_of_advertisements_are_counted_by_kind() -> None:
    row = signals("카지노 카지노 바카라 소식을 전했다")
    assert (row["spam"], row["spam_terms"]) == (3 / 5, 2)
