"""The compiled side of a cluster is that of the plain one, which a standard library gives."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.splits import SPLITS, sides, split_of

SHARES = st.floats(0.0, 0.5)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=30), st.integers(-(10**12), 10**30), SHARES, SHARES)
def test_compiled_and_plain_agree(clusters: list[bytes], seed: int, valid: float, test: float) -> None:
    names = [one.hex() for one in clusters]
    letters = np.frombuffer("".join(names).encode(), np.uint8).reshape(-1, 32)
    found = sides(letters, seed, valid, test)
    assert [SPLITS[side] for side in found] == [split_of(name, seed, valid, test) for name in names]


@pytest.mark.parametrize("seed", [0, 10**95, 10**120])
def test_a_seed_of_any_length_is_borne(seed: int) -> None:
    names = [hashlib.blake2b(str(i).encode(), digest_size=16).hexdigest() for i in range(50)]
    found = sides(np.frombuffer("".join(names).encode(), np.uint8).reshape(-1, 32), seed, 0.3, 0.3)
    assert [SPLITS[side] for side in found] == [split_of(name, seed, 0.3, 0.3) for name in names]
    assert set(found.tolist()) == {0, 1, 2}
