"""The compiled counts equal a plain Python's, for any text and for the sample's."""

from __future__ import annotations

import itertools
import math
import random
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import characters
from corpus import count_columns as columns
from corpus.characters import character_table
from corpus.counting import LONG_WORD, RECENT, SHORT_LINE, SPACED_RUN, count_texts
from corpus.edits import text_buffers
from corpus.signal_page import sample_texts

SAMPLE = Path(__file__).resolve().parents[2] / "recipes" / "sample"
ALPHABET = '가나다은을의요했었어지음제조 \n\tㅋ漢aB1.…!-()"😀é\u00a0\u3000\ufffdかw:/①𠀀'
NUMBER = re.compile(
    r"제[0-9]+[조항호장절관편]|[①-⓿]$|\(?(?:[0-9]{1,3}|[가-힣A-Za-z])\)|(?:[0-9]{1,3}|[가-힣A-Za-z])\.(?![0-9A-Za-z])"
)
TEXTS = st.lists(st.text(ALPHABET, max_size=60), min_size=1, max_size=6)
FEW_WORDS = st.lists(st.sampled_from(["가", "나다", "라", "\n"]), max_size=60).map(" ".join)


def counts(texts: Sequence[str]) -> list[dict[str, float]]:
    rows = np.zeros((len(texts), columns.COLUMNS))
    count_texts(*text_buffers(pa.array(texts, pa.large_string())), character_table(), rows)
    names = [name for name, value in vars(columns).items() if name.isupper() and isinstance(value, int)]
    names = [name for name in names if name[:2] not in ("W_", "L_") and name not in ("CLASSES", "COLUMNS")]
    return [{name: float(row[getattr(columns, name)]) for name in names} for row in rows]


def reference(text: str) -> dict[str, float]:
    """What the compiled pass says of a text, by the plainest code."""
    words = text.split()
    visible = [character for character in text if not character.isspace()]
    lines = [line for line in text.split("\n") if line.strip()]
    pairs = Counter(itertools.pairwise(words))
    times = Counter(visible)
    again = [line for number, line in enumerate(lines) if _alike(line) in map(_alike, lines[:number])]
    sentences = [sentence for line in lines for sentence in _sentences(line)]
    folded = Counter(character if ord(character) < 0xFFFF else "\uffff" for character in visible)
    return {
        "BYTES": len(text.encode()),
        "CHARS": len(text),
        "HANGUL": sum("가" <= c <= "힣" for c in text),
        "DIGIT": sum(c.isdecimal() for c in text),
        "NEWLINE": text.count("\n"),
        "OLD_HANGUL": sum("\u1100" <= c < "\u1200" for c in text),
        "ENTROPY": -sum(n / len(visible) * math.log2(n / len(visible)) for n in folded.values()),
        "RUNS": sum(
            len(run) - 3
            for piece in words
            for run in ["".join(group) for _, group in itertools.groupby(piece)]
            if len(run) > 3
        ),
        "WORDS": len(words),
        "WORD_CHARS": sum(times.values()),
        "WORD_SQUARES": sum(len(word) ** 2 for word in words),
        "SINGLES": sum(len(word) == 1 for word in words),
        "LONG": sum(len(word) > LONG_WORD for word in words),
        "LETTERED": sum(any(unicodedata.category(c).startswith("L") for c in word) for word in words),
        "SPACED": sum(len(run) for line in lines for run in _single_runs(line.split()) if len(run) >= SPACED_RUN),
        "UNSPACED_CHARS": sum(n for word in words if (n := sum("가" <= c <= "힣" for c in word)) > LONG_WORD),
        "LINES": len(lines),
        "LINE_BYTES": sum(len(line.encode()) for line in lines),
        "LINE_CHARS": sum(map(len, lines)),
        "SHORT": sum(len("".join(line.split())) < SHORT_LINE for line in lines),
        "NUMBERED": sum(NUMBER.match(line.split()[0]) is not None for line in lines),
        "SENTENCES": len(sentences),
        "SIGNS": sum(signed for _, signed in sentences),
        "FORMS": sum(_final(text) for text, _ in sentences),
        "REPEATED_LINES": len(again),
        "REPEATED_LINE_BYTES": sum(len(line.encode()) for line in again),
        "REPEATED_LINE_CHARS": sum(map(len, again)),
        "DISTINCT": len(set(words)),
        "TOP_PAIR": n if (n := max(pairs.values(), default=0)) > 1 else 0,
        "REPEATED_FIVES": repeated_fives(words),
        **{f"TOP_{n}": top(words, n) for n in (2, 3, 4)},
        **{f"REPEAT_{n}": repeated(words, n) for n in range(5, 11)},
    }


def _alike(line: str) -> str:
    return "".join(" " if character.isspace() else character for character in line)


def _single_runs(words: Sequence[str]) -> list[list[str]]:
    groups = itertools.groupby(words, lambda word: len(word) == 1 and "가" <= word <= "힣")
    return [list(group) for single, group in groups if single]


def _letters(word: str) -> str:
    """The word without the symbols that it ends in."""
    while word and character_class(word[-1]) == characters.SYMBOL:
        word = word[:-1]
    return word


def character_class(character: str) -> int:
    point = ord(character)
    if point > 0xFFFF:
        return characters.HANJA if 0x20000 <= point < 0x32000 else characters.EMOJI
    return int(character_table()[point]) & 15


def _sentences(line: str) -> list[tuple[str, bool]]:
    """Each with the line up to its end, and whether a sign stands there."""
    found = []
    words = line.split()
    for number, word in enumerate(words):
        tail = word[len(_letters(word)) :]
        signed = any(sign in characters.SIGNS for sign in tail)
        signed = signed and not (number == 0 and NUMBER.match(word))
        if number == len(words) - 1 or (signed and not _letters(word)[-1:].isdecimal()):
            found.append((" ".join(words[: number + 1]), signed))
    return found


def _final(text: str) -> bool:
    passed = (characters.SYMBOL, characters.SPACE, characters.JAMO)
    while text and character_class(text[-1]) in passed:
        text = text[:-1]
    if text and text[-1] in characters.FORMS:
        return True
    if len(text) < 2 or not "가" <= text[-1] <= "힣":
        return False
    stem = "가" <= text[-2] <= "힣" and (ord(text[-2]) - 0xAC00) % 28 in (18, 20)
    return (stem and text[-1] in characters.INFORMALS) or text[-2:] in characters._PAIRS.split()


def top(words: Sequence[str], n: int) -> int:
    """Characters, spaces between the words too, of the n-gram that is most frequent: of equals the first."""
    grams = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    gram, times = next(iter(grams.most_common(1)), ((), 0))
    return times * len(" ".join(gram)) if times > 1 else 0


def repeated(words: Sequence[str], n: int) -> int:
    """Characters of the n-grams that stood before; after one that did, the next is looked for behind it."""
    seen, found, i = set(), 0, 0
    while i + n <= len(words):
        gram = tuple(words[i : i + n])
        if gram in seen:
            found += sum(map(len, gram))
            i += n
        else:
            seen.add(gram)
            i += 1
    return found


def repeated_fives(words: Sequence[str]) -> int:
    seen, covered = set(), set()
    for i in range(len(words) - 4):
        run = tuple(words[i : i + 5])
        if run in seen:
            covered |= set(range(i, i + 5))
        seen.add(run)
    return len(covered)


def assert_counts(texts: Sequence[str]) -> None:
    for text, row in zip(texts, counts(texts), strict=True):
        for name, value in reference(text).items():
            assert math.isclose(row[name], value, abs_tol=1e-9), (name, row[name], value, text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_counts_equal_plain_python(texts: list[str]) -> None:
    assert_counts(texts)


@settings(max_examples=300, deadline=None)
@given(FEW_WORDS)
def test_repetition_equals_plain_python_where_there_is_much_of_it(text: str) -> None:
    assert_counts([text])


def test_counts_equal_plain_python_on_the_sample() -> None:
    texts = list(sample_texts(SAMPLE))
    assert_counts(random.Random(7).sample(texts, 300))
    assert_counts(["\n".join(texts[:60]) + "\n" + "\n".join(texts[30:90])])


def test_a_text_twice_over_repeats_and_compresses() -> None:
    text = next(text for text in sample_texts(SAMPLE) if 800 < len(text) < 3000 and len(set(text.split())) > 150)
    once, twice = counts([text, f"{text}\n{text}"])
    assert twice["SAVED"] - 2 * once["SAVED"] > 0.4 * len(text.encode()) > once["SAVED"]
    assert twice["REPEAT_10"] >= 0.8 * once["WORD_CHARS"]
    assert twice["REPEATED_LINES"] >= once["LINES"]


def test_what_a_compressor_would_save_is_counted_in_bytes() -> None:
    same, other = counts(["가나다라 가나다라", "가나다라 마바사아"])
    assert (same["SAVED"], other["SAVED"]) == (12 - 3, 0)
    assert counts(["가" * 2 * RECENT])[0]["SAVED"] == 3 * (2 * RECENT - 1) - 3


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("전화 02-123-4567 이나", 1),
        ("(02)123-4567", 1),
        ("010.1234.5678, 010-2345-6789", 2),
        ("01012345678", 1),
        ("+82-10-1234-5678", 1),
        ("1588-1234", 1),
        ("080-123-4567", 1),
        ("번호는 <|phone|>, <|phone|>입니다", 2),
        ("2024-10-15", 0),
        ("0.1234567891", 0),
        ("02.12.2024", 0),
        ("15,881,234원", 0),
        ("978-89-123-4567-8", 0),
        ("3.14159265358979", 0),
        ("20241015", 0),
    ],
)
def test_numbers_shaped_like_telephones_are_counted(text: str, number: int) -> None:
    assert counts([text])[0]["PHONES"] == number


@pytest.mark.parametrize(
    ("line", "numbered"),
    [
        ("1. 첫째", True),
        ("12) 둘째", True),
        ("(3) 셋째", True),
        ("가. 나항", True),
        ("나) 다항", True),
        ("① 원 안", True),
        ("제3조(목적) 이 법은", True),
        ("제2항 다음과 같다", True),
        ("A. 보기", True),
        ("2024. 10. 15. 선고", False),
        ("제일 먼저", False),
        ("3개가 있다", False),
        ("가나다. 그리고", False),
        ("3.5배", False),
        ("e.g. 보기", False),
        ("1.첫째", True),
    ],
)
def test_lines_that_begin_with_a_number_are_counted(line: str, numbered: bool) -> None:
    assert counts([line])[0]["NUMBERED"] == numbered


def test_urls_runs_and_broken_characters_are_counted() -> None:
    row = counts(["보기 https://a.kr www.b.kr ㅋㅋㅋㅋㅋ !!!!! ÀÌ°Í \ufffd"])[0]
    assert row["URLS"] == 2
    assert row["RUNS"] == 4 and row["LAUGHTER"] == 2
    assert row["MOJIBAKE"] == 3 + 1


def test_lines_are_counted_by_end_bullet_and_ellipsis() -> None:
    row = counts(["이것은 문장이다\n그렇습니다.\n- 항목\n정말...\n제목 둘째"])[0]
    assert (row["ENDED"], row["BULLETED"], row["ELLIPSES"]) == (3, 1, 1)


def test_counting_does_not_depend_on_what_stands_in_the_same_batch() -> None:
    texts = ["가 나 가 나 가 나", "", "다른 글이다.\n다른 글이다.", "가 나 가 나 가 나", "😀\uffff"]
    assert counts(texts) == [counts([text])[0] for text in texts]
