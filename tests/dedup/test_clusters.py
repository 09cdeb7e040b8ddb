"""Linking, components and survivors on arrays, against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.bands import distinct_pairs, link
from dedup.clusters import components, survivors
from dedup.exact import representatives

COUNT = 12
EDGES = st.dictionaries(
    st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)).filter(lambda pair: pair[0] < pair[1]),
    st.sampled_from([0.6, 0.7, 0.8, 1.0]),
)


def arrays(edges: dict[tuple[int, int], float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    better = np.array([a for a, _ in edges], np.int64)
    worse = np.array([b for _, b in edges], np.int64)
    return better, worse, np.array(list(edges.values()), np.float64)


@given(EDGES)
@settings(deadline=None)
def test_components_are_what_flooding_finds(edges: dict[tuple[int, int], float]) -> None:
    label = list(range(COUNT))
    for _ in range(COUNT):
        for a, b in edges:
            label[a] = label[b] = min(label[a], label[b])
    better, worse, _ = arrays(edges)
    assert components(COUNT, better, worse).tolist() == label


@given(EDGES)
@settings(deadline=None)
def test_a_document_goes_exactly_if_a_better_one_that_stays_is_joined_to_it(
    edges: dict[tuple[int, int], float],
) -> None:
    witness, similarity = survivors(COUNT, *arrays(edges))
    stays = witness < 0
    for document in range(COUNT):
        near = {a: value for (a, b), value in edges.items() if b == document and stays[a]}
        assert stays[document] == (not near)
        if near:
            assert similarity[document] == max(near.values()) == near[int(witness[document])]


def test_a_chain_does_not_take_its_far_end_away() -> None:
    witness, _ = survivors(3, np.array([0, 1]), np.array([1, 2]), np.array([0.7, 0.7]))
    assert witness.tolist() == [-1, 0, -1]


def test_a_bucket_of_many_is_linked_in_linear_number_and_stays_connected() -> None:
    count, neighbours = 20_000, 8
    better, worse = link(np.zeros(count, np.uint64), np.random.default_rng(1).permutation(count), neighbours)
    assert len(better) <= count * (neighbours + 1)
    assert (better < worse).all()
    assert (components(count, better, worse) == 0).all()


def test_a_small_bucket_is_linked_completely() -> None:
    better, worse = link(np.array([7] * 5 + [9], np.uint64), np.array([4, 2, 0, 1, 3, 5]), 8)
    assert set(zip(better.tolist(), worse.tolist(), strict=True)) == {(a, b) for b in range(5) for a in range(b)}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))), st.sampled_from([0, 1 << 40]))
@settings(deadline=None)
def test_distinct_pairs_are_sorted_and_without_repeats_however_large(pairs: list[tuple[int, int]], base: int) -> None:
    left, right = (np.array([pair[side] + base for pair in pairs], np.int64) for side in (0, 1))
    expected = sorted({(a + base, b + base) for a, b in pairs if a != b})
    assert list(zip(*(part.tolist() for part in distinct_pairs(left, right)), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=20), st.randoms())
@settings(deadline=None)
def test_the_best_of_equal_texts_represents_them(lanes: list[tuple[int, int]], rng: object) -> None:
    ranks = list(range(len(lanes)))
    rng.shuffle(ranks)  # type: ignore[attr-defined]
    found = representatives(np.array(lanes, np.uint64), np.array(ranks))
    for i, lane in enumerate(lanes):
        equal = [j for j, other in enumerate(lanes) if other == lane]
        assert found[i] == min(equal, key=lambda j: ranks[j])
