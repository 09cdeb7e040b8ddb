"""Registers: Korean of each kind is taken for what it is, and none of it is lost to a rule.

The texts stand in registers/NAME.txt, written for this test, one after the other with a line `---` between; any.txt
holds lists and verses whose register is open.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus import registers
from corpus.decide import judge
from corpus.measure import PrivacySettings, measure_batch
from corpus.rules import DecideSettings
from corpus.signals import NAMES


def written(name: str) -> list[str]:
    return (Path(__file__).parent / "registers" / f"{name}.txt").read_text(encoding="utf-8").strip().split("\n---\n")


JUNK = {  # a looser register must not let in what the default keeps out
    "search words in lines": "강남출장마사지 강남맛집\n서초출장마사지 서초맛집\n송파출장마사지 송파맛집\n" * 4,
    "search words": "강남맛집 강남술집 강남회식 추천 정보 강남역맛집 강남데이트 가격 강남점심 강남맛집 BEST 강남룸 "
    * 3,
    "search words of other trades": "부산헬스장 대전치과 분당이사 수원영어학원 일산꽃집 분당헬스장 부산청소 대전맛집 "
    "수원네일샵 일산청소 분당꽃집 대전네일샵 부산이사",
    "search words with questions": "대전꽃집 추천\n일산맛집 가격\n수원치과 후기\n분당청소 추천\n부산학원 가격\n"
    "대전이사 후기\n",
    "buttons": "이전글 장바구니",
    "stock list": "\n".join(f"{n}. A{7000 + n * 7}-{n} {n * 1000}원 재고 {n}" for n in range(1, 20)),
    "one line again and again": "위 첨자 텍스트에 밑줄을 사용할 경우 밑줄 위치가 위 첨\n" * 8,
    "English with a Korean title": "설치 방법\n"
    + "You can find information about your current setup by using a tool. " * 5,
    "menu": "주소록 보기 하기",
    "gambling": "온라인카지노 바카라사이트 www.k119.example 가입쿠폰 3만원 즉시지급 코드 9754",
    "signs": "★★★★★ ◆◆◆◆◆ ▶▶▶▶▶ 지금 바로 시작 ◀◀◀◀◀ ★★★★★ ◆◆◆◆◆ ▶▶▶▶▶",
}


def measured(texts: list[str]) -> pa.RecordBatch:
    return measure_batch(pa.array(texts, pa.large_string()), 0.5, PrivacySettings().policies(), {})[1]


def guessed(texts: list[str]) -> list[str]:
    signals = measured([text.strip() for text in texts])
    columns = {name: signals.column(name).to_numpy() for name in registers.NEEDED}
    return [registers.NAMES[number] for number in registers.guess(columns)]


def rules(texts: list[str]) -> list[str | None]:
    documents = pa.table({"source": ["s"] * len(texts), "rights_id": ["r"] * len(texts)})
    signals = pa.Table.from_batches([measured([text.strip() for text in texts])])
    found: list[str | None] = judge(documents, signals, DecideSettings().limits(), {}, {"r": None})[0][
        "rule"
    ].to_pylist()
    return found


@pytest.mark.parametrize("register", registers.NAMES)
def test_text_of_a_register_is_taken_for_it(register: str) -> None:
    assert Counter(guessed(written(register))) == {register: len(written(register))}


@pytest.mark.parametrize("register", registers.NAMES)
def test_no_register_loses_good_text(register: str) -> None:
    assert rules(written(register)) == [None] * len(written(register))


@pytest.mark.parametrize("text", written("any"))
def test_lists_and_hanja_stay(text: str) -> None:
    assert rules([text]) == [None]


@pytest.mark.parametrize("text", JUNK.values(), ids=JUNK)
def test_junk_goes_whatever_register_it_is_taken_for(text: str) -> None:
    assert rules([text]) != [None]


def test_every_register_has_a_name_a_profile_and_signals_that_exist() -> None:
    from corpus import profiles

    assert len(set(registers.NAMES)) == len(registers.REGISTERS)
    assert set(registers.NAMES) <= set(profiles.names())
    assert set(registers.NEEDED) <= set(NAMES)


def test_every_document_has_exactly_one_register_even_an_empty_one() -> None:
    random = np.random.default_rng(0)
    columns = {name: random.random(1000) * random.choice([0, 1, 300], 1000) for name in registers.NEEDED}
    columns = {name: np.append(values, 0.0) for name, values in columns.items()}
    found = registers.guess(columns)
    assert found.shape == (1001,) and found.min() >= 0 and found.max() < len(registers.REGISTERS)
    assert registers.NAMES[found[-1]] == "encyclopedia"


def test_a_million_guesses_take_about_a_second() -> None:
    random = np.random.default_rng(0)
    columns = {name: random.random(1_000_000) for name in registers.NEEDED}
    started = time.process_time()
    registers.guess(columns)
    assert time.process_time() - started < 5
