"""Needles are found where `in` finds them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import scanning
from corpus.edits import text_buffers


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("가나ab\n", max_size=20), max_size=5),
    st.lists(st.text("가나ab", min_size=1, max_size=3), max_size=5),
)
def test_marked_lines_are_those_that_hold_a_needle(texts: list[str], needles: list[str]) -> None:
    buffer, offsets = text_buffers(pa.array(texts, pa.large_string()))
    automaton = scanning.automaton([(needle, bit) for bit, needle in enumerate(needles)])
    marked = scanning.all_marked(lambda rows: scanning.mark_lines(buffer, offsets, *automaton, 1000, rows), 1)
    got = [(d, bytes(buffer[a:b]).decode(), bits) for d, a, b, bits in marked.tolist()]
    wanted = []
    for d, text in enumerate(texts):
        for line in text.split("\n"):
            bits = sum(1 << bit for bit, needle in enumerate(needles) if needle in line)
            if bits:
                wanted.append((d, line, bits))
    assert got == wanted
