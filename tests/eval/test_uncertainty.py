"""Error bars: against closed forms, under invariances, and by how often intervals cover the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.uncertainty import mean, per_byte, proportion

floats = st.floats(-100, 100, allow_nan=False, width=32)


def test_mean_has_the_textbook_error_and_student_interval() -> None:
    found = mean([1.0, 2.0, 3.0, 4.0])
    assert found.value == 2.5
    assert found.stderr == pytest.approx(math.sqrt(5 / 3) / 2)
    assert found.high - found.value == pytest.approx(3.182446 * found.stderr, rel=1e-6)  # t of 3 degrees of freedom


def test_one_value_has_no_error() -> None:
    assert (mean([2.0]).stderr, mean([2.0]).low) == (None, None)
    assert per_byte([2.0], [4]).stderr is None
    assert proportion([1.0]).stderr is None


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.277533), (5, 10, 0.236593, 0.763407), (81, 263, 0.255259, 0.366207)],
)
def test_wilson_interval_has_its_published_values(hits: int, n: int, low: float, high: float) -> None:
    found = proportion([1.0] * hits + [0.0] * (n - hits))
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_proportion_gives_lm_evals_standard_error() -> None:
    hits = [1.0, 0.0, 0.0, 1.0, 1.0]
    assert proportion(hits).stderr == pytest.approx(np.std(hits, ddof=1) / math.sqrt(5))


@given(st.lists(floats, min_size=2, max_size=20), st.integers(2, 5))
def test_copies_of_an_item_in_its_cluster_add_no_certainty(values: list[float], copies: int) -> None:
    names = [str(number) for number in range(len(values))]
    once, often = mean(values), mean(np.repeat(values, copies), np.repeat(names, copies).tolist())
    assert often.value == pytest.approx(once.value, abs=1e-9)
    assert often.stderr == pytest.approx(once.stderr, rel=1e-6, abs=1e-9)


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 8))
def test_a_proportion_lies_in_its_interval_and_that_in_zero_to_one(hits: list[bool], groups: int) -> None:
    clusters = [str(number % groups) for number in range(len(hits))]
    plain, clustered = proportion(np.array(hits, float)), proportion(np.array(hits, float), clusters)
    for found in (plain, clustered):
        assert 0 <= found.low <= found.value + 1e-12
        assert found.value - 1e-12 <= found.high <= 1
    assert clustered.high - clustered.low >= plain.high - plain.low - 1e-12


@given(st.lists(st.tuples(st.floats(0.1, 1e4), st.integers(1, 10_000)), min_size=2, max_size=30))
def test_bits_per_byte_of_a_difference_is_the_difference_of_bits_per_byte(rows: list[tuple[float, int]]) -> None:
    nats, sizes = np.array([nats for nats, _ in rows]), [size for _, size in rows]
    other = nats[::-1].copy()
    wanted = per_byte(nats, sizes).value - per_byte(other, sizes).value
    assert per_byte(nats - other, sizes).value == pytest.approx(wanted, abs=1e-9 * nats.sum())


def test_bits_per_byte_of_equal_documents_is_a_plain_mean() -> None:
    nats = np.array([3.0, 4.0, 8.0])
    found, plain = per_byte(nats, [10, 10, 10]), mean(nats / 10 / math.log(2))
    assert found.value == pytest.approx(plain.value)
    assert (found.stderr, found.low) == (pytest.approx(plain.stderr), pytest.approx(plain.low))


def test_intervals_of_bits_per_byte_cover_the_truth_about_as_often_as_they_say() -> None:
    source = np.random.Generator(np.random.Philox(1))
    covered = 0
    for _ in range(1000):
        sizes = np.ceil(source.lognormal(6, 0.8, 60)).astype(int)
        nats = sizes * source.normal(1.0, 0.2, 60) * math.log(2)
        found = per_byte(nats, sizes.tolist())
        covered += found.low <= 1.0 <= found.high
    assert 0.91 <= covered / 1000 <= 0.98


def test_intervals_of_clustered_hits_cover_the_truth_about_as_often_as_they_say() -> None:
    source = np.random.Generator(np.random.Philox(2))
    clusters = np.repeat([str(number) for number in range(50)], 4).tolist()
    covered = 0
    for _ in range(1000):
        chances = np.repeat(source.beta(0.5, 1.5, 50), 4)  # mean .25, strongly alike within a document
        found = proportion((source.random(200) < chances).astype(float), clusters)
        covered += found.low <= 0.25 <= found.high
    assert 0.92 <= covered / 1000 <= 0.98


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf]])
def test_nothing_is_estimated_from_nothing_or_from_what_is_not_finite(values: list[float]) -> None:
    with pytest.raises(ValueError, match="value"):
        mean(values)


def test_a_proportion_is_of_zeros_and_ones() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        proportion([0.5])
