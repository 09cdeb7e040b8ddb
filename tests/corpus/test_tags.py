"""Tags: coarse words and slurs are counted through their disguises, and words that only look so are not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import tag_terms
from corpus.edits import text_buffers
from corpus.normalising import normalise
from corpus.tags import count_tags, tag_automaton

SHARED = Path(__file__).parents[3] / "shared/data/fetched-news-comments-hate.jsonl.gz"  # beside the repository


def tags(*texts: str) -> list[list[int]]:
    buffer, offsets = text_buffers(pa.array(texts, pa.large_string()))
    rows = np.zeros((len(texts), 2), np.int64)
    count_tags(buffer, offsets, *tag_automaton(), rows)
    counted: list[list[int]] = rows.tolist()
    return counted


@pytest.mark.parametrize(
    "text",
    [
        *(
            "시발",
            "시1발",
            "씨.발 뭐야",
            "씨*발",
            "ㅅㅂ",
            "ㅅ.ㅂ",
            "아 시 발",
            "FUCK",
            "tlqkf",
            "ㅂㅅ이냐",
            "병~신",
            "개새끼야",
            "저 새끼",
        ),
        *(
            "존나 웃기네",
            "ㅈㄴ",
            "죽여버린다",
            "나가 죽어",
            "뒈져라",
            "씨\u200b발",
            "이 병신아!",
            "지.랄.하.네",
            "따먹은",
        ),
    ],
)
def test_a_coarse_word_is_counted_once_through_its_disguise(text: str) -> None:
    assert tags(normalise(text).text) == [[1, 0]]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "한남충들",
            "김치녀",
            "맘충",
            "틀딱",
            "급식충",
            "전라디언",
            "짱깨",
            "짱.깨",
            "쪽바리",
            "똥남아",
            "똥꼬충",
            "개독",
        ),
        *("애자새끼", "저능아", "조센징들", "꼴페미", "개슬람"),
    ],
)
def test_a_slur_against_a_group_is_bias(text: str) -> None:
    assert tags(text)[0][1] == 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "이 사건이 시발점이 되었다",
            "다시발견된 유적",
            "도시발전 계획",
            "회의시발표할 자료",
            "서울역이 시발역이다",
            "아저씨. 발을 다쳤다",
        ),
        *(
            "팔등신 미녀",
            "등신대 조각",
            "번개같이 달렸다",
            "안개같은 비",
            "허리띠를 졸라 매고",
            "글씨바탕",
            "글씨발표",
            "그년도의 예산",
        ),
        *(
            "새끼손가락이 아프다",
            "새끼 고양이",
            "먹사슬이 아니라 먹이사슬",
            "착한녀석",
            "개독립 운동",
            "무뇌증은 병이다",
            "3시 18분에 발표한다",
        ),
        *(
            "보지 않았다",
            "자지 않고",
            "장애인 이동권",
            "동성애자의 인권",
            "중국인 관광객",
            "페미니즘 이론",
            "노인 복지",
            "이슬람 사원",
        ),
    ],
)
def test_what_only_looks_like_one_is_not_counted(text: str) -> None:
    assert tags(text) == [[0, 0]]


def test_terms_do_not_run_from_one_document_into_the_next() -> None:
    assert tags("시", "발", "시", "발견") == [[0, 0]] * 4
    assert tags("새끼야", " 새끼야") == [[1, 0], [1, 0]]


@given(
    st.lists(st.sampled_from([*tag_terms.PROFANITY.split()[:20], "가나", "시발점", "다시 발견", "😀", "é"]), max_size=8)
)
def test_the_count_of_a_line_is_the_sum_over_its_parts(parts: list[str]) -> None:
    alone = [tags(part.replace("^", " "))[0] for part in parts]
    together = tags(" 하하 ".join(part.replace("^", " ") for part in parts))[0]
    assert together == [sum(column) for column in zip(*alone, strict=True)] or not parts


def test_against_labelled_comments_the_tag_is_precise_and_says_how_little_it_sees() -> None:
    if not SHARED.exists():
        pytest.skip(f"no {SHARED}: comments labelled by people (CC-BY-SA-4.0)")
    with gzip.open(SHARED, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    counted = np.array(tags(*(normalise(row["text"]).text for row in rows)))
    toxic, biased = counted.any(axis=1), counted[:, 1] > 0
    rude, prejudiced = (
        np.array([row["hate"] != "none" for row in rows]),
        np.array([row["bias"] != "none" for row in rows]),
    )
    assert (toxic & rude).sum() / toxic.sum() >= 0.9
    assert (biased & prejudiced).sum() / biased.sum() >= 0.9
    assert (toxic & rude).sum() / rude.sum() >= 0.1  # most contempt has no coarse word in it
