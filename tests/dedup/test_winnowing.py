"""The winnowed choice against its definition in plain Python, and its promise about text that is shared."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.winnowing import winnow

LETTERS = st.one_of(st.sampled_from(list("가나다 은\n a.")), st.characters(exclude_categories=["Cs"]))
TEXTS = st.text(LETTERS, max_size=80)


def chosen_by_definition(hashes: list[int], window: int) -> list[int]:
    chosen: list[int] = []
    for first in range(len(hashes) - window + 1):
        part = hashes[first : first + window]
        place = first + max(i for i, value in enumerate(part) if value == min(part))
        if not chosen or chosen[-1] != place:
            chosen.append(place)
    return chosen


@given(st.lists(TEXTS, max_size=5), st.integers(1, 6), st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_the_smallest_of_every_window_is_chosen(texts: list[str], size: int, window: int) -> None:
    found = winnow(pa.array(texts, pa.large_string()), size, window)
    every = winnow(pa.array(texts, pa.large_string()), size, 1)
    for i, text in enumerate(texts):
        bare = "".join(text.split())
        hashes = every.hashes[every.document == i].tolist()
        assert every.place[every.document == i].tolist() == list(range(max(0, len(bare) - size + 1)))
        mine = found.document == i
        places = chosen_by_definition(hashes, window)
        assert found.place[mine].tolist() == places
        assert found.hashes[mine].tolist() == [hashes[place] for place in places]


@given(TEXTS, TEXTS, TEXTS, st.integers(1, 6), st.integers(1, 9))
@settings(max_examples=150, deadline=None)
def test_texts_that_share_enough_share_a_choice(before: str, middle: str, after: str, size: int, window: int) -> None:
    if len("".join(middle.split())) < size + window - 1:
        return
    found = winnow(pa.array([before + middle, middle + after], pa.large_string()), size, window)
    assert set(found.hashes[found.document == 0].tolist()) & set(found.hashes[found.document == 1].tolist())
