"""Needles are found where `in` finds them."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import scanning
from corpus.edits import text_buffers


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("가나ab\n", max_size=30), max_size=5),
    st.lists(st.text("가나ab", min_size=1, max_size=3), max_size=5),
    st.sampled_from([(1000, 50), (8, 4), (12, 6)]),
)
def test_marked_lines_are_those_that_hold_a_needle_long_ones_at_their_ends(
    texts: list[str], needles: list[str], bounds: tuple[int, int]
) -> None:
    longest, edge = bounds
    buffer, offsets = text_buffers(pa.array(texts, pa.large_string()))
    automaton = scanning.needles([(needle, bit) for bit, needle in enumerate(needles)])
    marked = scanning.all_marked(lambda rows: scanning.mark_lines(buffer, offsets, *automaton, longest, edge, rows), 1)
    got = [(d, bytes(buffer[a:b]).decode(), bits) for d, a, b, bits in marked.tolist()]
    wanted = []
    for d, text in enumerate(texts):
        for line in text.split("\n"):
            size = len(line.encode())

            def here(needle: str, line: bytes = line.encode(), size: int = size) -> bool:
                last = [at + len(needle.encode()) - 1 for at in range(size) if line.startswith(needle.encode(), at)]
                return any(size <= longest or at < edge or at >= size - edge for at in last)

            bits = sum(1 << bit for bit, needle in enumerate(needles) if here(needle))
            if bits:
                wanted.append((d, line, bits))
    assert got == wanted
