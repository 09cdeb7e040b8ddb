from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import TrainingError, UsageError
from pretrain.sampler import Permutation, Sampler, TokenShard


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 3000), seed=st.integers(0, 2**40), number=st.integers(0, 50))
def test_a_permutation_is_a_bijection_and_its_inverse_undoes_it(size: int, seed: int, number: int) -> None:
    permutation = Permutation.of(size, seed, number)
    sent = permutation.forward(np.arange(size))
    assert np.array_equal(np.sort(sent), np.arange(size))
    assert np.array_equal(permutation.inverse(sent), np.arange(size))


@settings(max_examples=60, deadline=None)
@given(size=st.integers(2**33, 2**50), places=st.lists(st.integers(0, 2**33 - 1), min_size=1, unique=True))
def test_the_inverse_holds_for_trillions_of_windows_without_listing_them(size: int, places: list[int]) -> None:
    permutation = Permutation.of(size, 3, 1)
    sent = permutation.forward(places)
    assert (sent < size).all()
    assert permutation.inverse(sent).tolist() == places


def test_a_permutation_mixes_and_differs_by_seed_and_epoch() -> None:
    one = Permutation.of(10_000, 1, 0).forward(np.arange(10_000)).astype(np.int64)
    assert abs(np.corrcoef(one, np.arange(10_000))[0, 1]) < 0.05
    assert (np.diff(one) == 1).sum() < 20
    for seed, number in ((2, 0), (1, 1)):
        other = Permutation.of(10_000, seed, number).forward(np.arange(10_000)).astype(np.int64)
        assert (one == other).sum() < 20


def test_a_place_outside_is_refused() -> None:
    with pytest.raises(UsageError):
        Permutation.of(5, 0, 0).forward([5])


def test_an_epoch_takes_every_window_once_and_no_window_crosses_a_shard() -> None:
    sampler = Sampler([TokenShard("a", 50), TokenShard("b", 7), TokenShard("c", 33)], context=8, seed=1, batch=3)
    assert sampler.windows == 6 + 0 + 4
    for epoch in range(3):
        windows = sampler.windows_of(np.arange(epoch * 10, (epoch + 1) * 10))
        assert sorted(windows.tolist()) == list(range(10))
        assert sampler.samples_of_window(windows, epoch).tolist() == list(range(epoch * 10, (epoch + 1) * 10))
    for window in range(10):
        shard, first = sampler.spot(window)
        assert shard != 1
        assert first + 8 + 1 <= sampler.shards[shard].tokens


@settings(max_examples=60, deadline=None)
@given(
    tokens=st.lists(st.integers(0, 60), min_size=1, max_size=4),
    context=st.integers(1, 9),
    batch=st.integers(1, 7),
    steps=st.integers(1, 12),
    data=st.data(),
)
def test_steps_of_tokens_are_those_whose_windows_hold_them(
    tokens: list[int], context: int, batch: int, steps: int, data: st.DataObject
) -> None:
    shards = [TokenShard(str(number), count) for number, count in enumerate(tokens)]
    if not any(count > context for count in tokens):
        with pytest.raises(TrainingError):
            Sampler(shards, context, 5, batch)
        return
    sampler = Sampler(shards, context, 5, batch)
    shard = data.draw(st.sampled_from([number for number, count in enumerate(tokens) if count]))
    first = data.draw(st.integers(0, tokens[shard] - 1))
    last = data.draw(st.integers(first + 1, tokens[shard]))
    expected = set()
    for step in range(steps):
        for window in sampler.windows_of(list(sampler.samples_of_step(step))):
            where, start = sampler.spot(int(window))
            if where == shard and start < last and first < start + context + 1:
                expected.add(step)
    assert sampler.steps_of_tokens(shard, first, last, steps) == sorted(expected)


@pytest.mark.parametrize(("ranks", "micro"), [(1, 12), (2, 3), (3, 2), (4, 3), (12, 1)])
def test_a_step_uses_the_same_samples_whatever_the_ranks(ranks: int, micro: int) -> None:
    sampler = Sampler([TokenShard("a", 1000)], context=4, seed=9, batch=12)
    whole = sampler.windows_of(list(sampler.samples_of_step(5)))
    parts = [sampler.share(5, rank, ranks, micro) for rank in range(ranks)]
    assert {part.shape for part in parts} == {(12 // (ranks * micro), micro)}
    assert sorted(np.concatenate([part.ravel() for part in parts]).tolist()) == sorted(whole.tolist())
