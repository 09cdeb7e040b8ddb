"""Parity with FineWeb-2's Korean filters: the same decision and rule as datatrove 0.10.1, given the same words.

Both sides take eojeol as words: datatrove accepts a word tokenizer in place of a language's name. Skipped where
datatrove is not installed (`pip install 'hanjo[bench]'`); thresholds and the shape of a verdict are tested without it.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus import fineweb2
from corpus.calibrate import texts_of_files
from corpus.fineweb2 import fineweb2_verdict

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "recipes" / "sample"
GOOD = (
    "옛날 옛적 깊은 산골에 나무꾼이 살았다. 그는 매일 아침 산에 올라 나무를 했고 저녁이면 장에 나가 팔았다. "
    "어느 날 사슴 한 마리가 달려와 숨겨 달라고 했다. 나무꾼은 사슴을 나뭇더미 속에 감추어 주었다. "
)
WORDS = ["나무", "는", "을", *(f"말{n}" for n in range(60))]


def sample_texts() -> list[str]:
    """The texts of the sample, whole and in paragraphs, so that every rule has something to bite on."""
    texts = list(texts_of_files([SAMPLE]))
    paragraphs = [paragraph for text in texts for paragraph in text.split("\n\n")]
    return [*texts, *paragraphs, *("\n".join([paragraph] * 4) for paragraph in paragraphs[::20])]


@cache
def filters() -> tuple[Any, ...]:
    pytest.importorskip("datatrove", reason="datatrove is not installed: parity with FineWeb-2 goes unchecked")
    from datatrove.pipeline.filters.fineweb_quality_filter import FineWebQualityFilter
    from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
    from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
    from datatrove.utils.word_tokenizers import WordTokenizer

    class Eojeol(WordTokenizer):
        def word_tokenize(self, text: str) -> list[str]:
            return text.split()

        def sent_tokenize(self, text: str) -> list[str]:
            return text.splitlines()

        def span_tokenize(self, text: str) -> list[tuple[int, int]]:
            return [(0, len(text))]

    eojeol: Any = Eojeol()
    # As fineweb-2-pipeline.py calls them, with the values of configs/kor_Hang.yml.
    return (
        GopherRepetitionFilter(
            dup_para_frac=0,
            dup_line_char_frac=0,
            dup_para_char_frac=0,
            dup_line_frac=0.374,
            top_n_grams=((2, 0.282), (3, 0.228), (4, 0.185)),  # type: ignore[arg-type]
            dup_n_grams=((5, 0.201), (6, 0.184), (7, 0.168), (8, 0.154), (9, 0.14), (10, 0.127)),  # type: ignore[arg-type]
            language=eojeol,
        ),
        FineWebQualityFilter(
            short_line_thr=999,
            char_duplicates_ratio=0.1,
            line_punct_thr=0.062,
            new_line_ratio=0.196,
            language=eojeol,
        ),
        GopherQualityFilter(
            max_avg_word_length=6,
            min_avg_word_length=1,
            stop_words=[*"의다이는에을한년하은를했고가있인월로되", "에서", "으로"],
            max_non_alpha_words_ratio=0.791,
            min_stop_words=2,
            language=eojeol,
        ),
    )


def datatroves(text: str) -> tuple[bool, str | None]:
    from datatrove.data import Document

    for one in filters():
        result = one.filter(Document(text=text, id="0"))
        keep, reason = result if isinstance(result, tuple) else (result, None)
        if not keep:
            return False, f"fineweb2.{reason}"
    return True, None


def ours(text: str) -> tuple[bool, str | None]:
    return fineweb2_verdict(text, text.split())[:2]


def test_decisions_and_rules_on_the_sample_are_datatroves() -> None:
    filters()
    texts = sample_texts()
    assert len(texts) > 300
    told = [(ours(text), datatroves(text)) for text in texts if text.strip()]
    agree = sum(left == right for left, right in told)
    assert agree == len(told), [pair for pair in told if pair[0] != pair[1]][:5]
    rules = Counter(rule for (_, rule), _ in told)
    assert len(rules) >= 6, f"too few rules were put to the test: {rules}"


PIECES = st.sampled_from(
    [
        "나무",
        "는",
        "을",
        "의 에",
        "\n",
        "\n\n",
        " ",
        ".",
        "다.",
        "…",
        "...",
        "#",
        "•",
        "- ",
        "12",
        "¡",
        "가나다라마바사아자차",
        "\r",
        "·",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=300).map("".join))
@example("가 " * 200)
@example("\n".join(["나무 는 을 다."] * 30))
def test_decisions_on_odd_texts_are_datatroves(text: str) -> None:
    filters()
    if text.split():  # datatrove divides by the number of words
        assert ours(text) == datatroves(text)


@pytest.mark.parametrize(
    ("text", "words", "rule"),
    [
        ("", [], "empty"),
        ("\n \n", [], "empty"),
        (GOOD + "\n" + "같은 줄\n같은 줄\n같은 줄\n같은 줄", WORDS, "dup_line_frac"),
        ("가나다라 " * 60, ["가나다라"] * 60, "top_2_gram"),
        (GOOD.replace(".", ""), WORDS, "line_punct_ratio"),
        (GOOD, WORDS[:40], "gopher_short_doc"),
        (GOOD * 5, [word * 4 for word in WORDS], "gopher_above_avg_threshold"),
        (GOOD + "# " * 20 + "다.", WORDS, "gopher_too_many_hashes"),
        (GOOD, [*WORDS, *"1234567890123456789"], "gopher_below_alpha_threshold"),
        (GOOD, WORDS[3:], "gopher_enough_stop_words"),
        (GOOD, WORDS, None),
    ],
)
def test_each_rule_is_named_with_value_and_limit(text: str, words: list[str], rule: str | None) -> None:
    verdict = fineweb2_verdict(text.strip(), words)
    if rule is None:
        assert verdict == (True, None, None, None)
        return
    assert (verdict.keep, verdict.rule) == (False, f"fineweb2.{rule}")
    assert rule == "empty" or (verdict.value is not None and verdict.limit is not None)


def test_the_thresholds_are_those_of_kor_hang() -> None:
    assert (fineweb2.MAX_REPEATED_LINES, fineweb2.MIN_ENDED_LINES, fineweb2.MAX_LINES_A_WORD) == (0.374, 0.062, 0.196)
    assert len(fineweb2.STOP_WORDS) == 21
