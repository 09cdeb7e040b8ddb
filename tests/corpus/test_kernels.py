"""The compiled counts equal plain Python's, for any text, and needles are found where `in` finds them."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import kernels as k
from corpus import scanning
from corpus.edits import text_buffers
from corpus.signals import character_table

TEXTS = st.lists(st.text("가나다은 \n\tㅋ漢aB1.…!-😀é\u00a0\ufffdかw:/", max_size=60), min_size=1, max_size=6)


def counts(texts: list[str]) -> np.ndarray:
    rows = np.zeros((len(texts), k.COLUMNS))
    k.count_texts(*text_buffers(pa.array(texts, pa.large_string())), character_table(), rows)
    return rows


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_counts_equal_plain_python(texts: list[str]) -> None:
    for text, row in zip(texts, counts(texts), strict=True):
        words = text.split()
        visible = [c for c in text if not c.isspace()]
        lines = [line for line in text.split("\n") if line.strip()]
        assert row[k.BYTES] == len(text.encode())
        assert row[k.CHARS] == len(text)
        assert row[k.WORDS] == len(words)
        assert row[k.WORD_CHARS] == len(visible)
        assert row[k.SINGLES] == sum(len(word) == 1 for word in words)
        assert row[k.DISTINCT] == len(set(words))
        assert row[k.HANGUL] == sum("가" <= c <= "힣" for c in text)
        assert row[k.DIGIT] == sum(c.isdigit() for c in text)
        assert row[k.LINES] == len(lines)
        assert row[k.SHORT] == sum(len("".join(line.split())) < k.SHORT_LINE for line in lines)
        n = len(visible)
        entropy = -sum(v / n * math.log2(v / n) for v in Counter(visible).values())
        assert math.isclose(row[k.ENTROPY], entropy, abs_tol=1e-9)
        pairs = Counter(itertools.pairwise(words))
        top = max(pairs.values(), default=0)
        assert row[k.TOP_PAIR] == (top if top > 1 else 0)
        assert row[k.REPEATED_FIVES] == repeated_fives(words)


def repeated_fives(words: list[str]) -> int:
    seen, covered = set(), set()
    for i in range(len(words) - 4):
        run = tuple(words[i : i + 5])
        if run in seen:
            covered |= set(range(i, i + 5))
        seen.add(run)
    return len(covered)


def test_repeated_lines_are_counted_in_bytes_from_their_second_copy_on() -> None:
    row = counts(["가나다\n다른 줄\n가나다\n가나다"])[0]
    assert row[k.REPEATED_LINE_BYTES] == 18 and row[k.LINE_BYTES] == 9 + 10 + 18


def test_urls_runs_and_broken_characters_are_counted() -> None:
    row = counts(["보기 https://a.kr www.b.kr ㅋㅋㅋㅋㅋ !!!!! ÀÌ°Í \ufffd"])[0]
    assert row[k.URLS] == 2
    assert row[k.RUNS] == 4 and row[k.LAUGHTER] == 2
    assert row[k.MOJIBAKE] == 3 + 1


def test_lines_are_counted_by_end_bullet_and_ellipsis() -> None:
    row = counts(["이것은 문장이다\n그렇습니다.\n- 항목\n정말...\n제목 둘째"])[0]
    assert (row[k.ENDED], row[k.BULLETED], row[k.ELLIPSES]) == (3, 1, 1)


def test_counting_does_not_depend_on_what_stands_in_the_same_batch() -> None:
    texts = ["가 나 가 나 가 나", "", "다른 글이다.\n다른 글이다.", "가 나 가 나 가 나"]
    together = counts(texts)
    assert (together == np.vstack([counts([text]) for text in texts])).all()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("가나ab\n", max_size=20), max_size=5),
    st.lists(st.text("가나ab", min_size=1, max_size=3), max_size=5),
)
def test_marked_lines_are_those_that_hold_a_needle(texts: list[str], needles: list[str]) -> None:
    buffer, offsets = text_buffers(pa.array(texts, pa.large_string()))
    automaton = scanning.automaton([(needle, bit) for bit, needle in enumerate(needles)])
    marked = scanning.all_marked(lambda rows: scanning.mark_lines(buffer, offsets, *automaton, 1000, 50, rows), 1)
    got = [(d, bytes(buffer[a:b]).decode(), bits) for d, a, b, bits in marked.tolist()]
    wanted = []
    for d, text in enumerate(texts):
        for line in text.split("\n"):
            bits = sum(1 << bit for bit, needle in enumerate(needles) if needle in line)
            if bits:
                wanted.append((d, line, bits))
    assert got == wanted
