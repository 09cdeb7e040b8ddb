from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretrain.schedule import Shape, learning_rate


def rates(steps: int, shape: Shape, warmup: float = 0.1, decay: float = 0.2, floor: float = 0.0) -> list[float]:
    return [
        learning_rate(step, steps, peak=1.0, shape=shape, warmup=warmup, decay=decay, floor=floor)
        for step in range(steps)
    ]


def test_stable_decay_rises_stays_and_falls_in_equal_steps() -> None:
    found = rates(20, "stable-decay")
    assert found[:2] == [0.5, 1.0]
    assert found[2:16] == [1.0] * 14
    assert found[16:] == pytest.approx([0.8, 0.6, 0.4, 0.2])


def test_cosine_falls_from_the_end_of_the_warm_up_towards_the_floor() -> None:
    found = rates(100, "cosine", floor=0.1)
    assert found[9] == 1.0
    assert all(earlier > later for earlier, later in pairwise(found[9:]))
    assert 0.1 < found[-1] < 0.11


@given(
    steps=st.integers(1, 60),
    shape=st.sampled_from(["stable-decay", "cosine"]),
    warmup=st.floats(0, 1),
    decay=st.floats(0, 1),
    floor=st.floats(0, 1),
)
def test_no_step_is_wasted_or_above_the_peak(
    steps: int, shape: Shape, warmup: float, decay: float, floor: float
) -> None:
    assert all(0 < rate <= 1 + 1e-12 for rate in rates(steps, shape, warmup, decay, floor))
