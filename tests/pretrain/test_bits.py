from __future__ import annotations

import math

import numpy as np
import pytest

from pretrain.bits import bits_over_documents, bits_per_byte


def test_a_nat_is_so_many_bits() -> None:
    assert bits_per_byte(math.log(2) * 24, 12) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="no text"):
        bits_per_byte(1.0, 0)


def test_documents_weigh_by_their_bytes() -> None:
    score = bits_over_documents([math.log(2) * 30, math.log(2) * 10], [10, 30])
    assert score.value == pytest.approx(1.0)
    assert (score.documents, score.bytes) == (2, 40)


def test_the_error_is_zero_where_all_documents_agree_and_unknown_for_one() -> None:
    assert bits_over_documents([2.0, 4.0, 6.0], [1, 2, 3]).error == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(bits_over_documents([2.0], [1]).error)


def test_the_error_is_the_spread_of_the_score_over_samples_of_documents() -> None:
    generator = np.random.Generator(np.random.Philox(1))
    scores, errors = [], []
    for _ in range(400):
        sizes = generator.integers(50, 2000, 80)
        nats = sizes * generator.normal(1.0, 0.3, 80)
        score = bits_over_documents(nats, sizes)
        scores.append(score.value)
        errors.append(score.error)
    assert float(np.mean(errors)) == pytest.approx(float(np.std(scores)), rel=0.15)


def test_what_does_not_fit_together_is_refused() -> None:
    for nats, sizes in (([1.0], [1, 2]), ([], []), ([1.0], [0])):
        with pytest.raises(ValueError, match=r"bytes|without text"):
            bits_over_documents(nats, sizes)
