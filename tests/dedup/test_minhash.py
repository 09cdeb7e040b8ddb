"""Signatures estimate the Jaccard similarity without bias; band keys are equal where the band's values are."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.minhash import alike, band_keys, fewest_equal, sign, sketches_of
from dedup.shingles import shingle_sets
from dedup.verify import jaccard

LETTERS = [chr(code) for code in range(0xAC00, 0xD7A4)]


def pair_of(rng: random.Random, shared: int, own: int) -> list[str]:
    """Two texts of distinct syllables, whose sets of single syllables have a Jaccard of shared / (shared + 2 own)."""
    drawn = rng.sample(LETTERS, shared + 2 * own)
    common = drawn[:shared]
    return ["".join(common + drawn[shared : shared + own]), "".join(common + drawn[shared + own :])]


def test_share_of_equal_values_estimates_the_jaccard_similarity_also_with_empty_bins() -> None:
    rng = random.Random(5)
    for shared, own in [(300, 100), (60, 20), (20, 10), (10, 10), (3, 1)]:
        texts = [text for _ in range(400) for text in pair_of(rng, shared, own)]
        values = sign(pa.array(texts, pa.large_string()), 1, 125).values
        estimate = (values[0::2] == values[1::2]).mean()
        truth = shared / (shared + 2 * own)
        # 400 pairs, whose values are not independent where shingles are few: four standard errors.
        error = np.sqrt(truth * (1 - truth) / (400 * min(125, shared + 2 * own)))
        assert abs(estimate - truth) < 4 * error + 1e-3, (shared, own, estimate, truth)


def test_texts_shorter_than_a_shingle_have_none() -> None:
    signed = sign(pa.array(["", "  ", "가나다라", "가나 다라 마"], pa.large_string()), 5, 10)
    assert signed.shingles.tolist() == [0, 0, 0, 1]


def test_band_keys_are_equal_exactly_where_all_rows_of_a_band_are() -> None:
    values = np.random.default_rng(1).integers(0, 2, (60, 12)).astype(np.uint32)
    keys = band_keys(values, 4, 3)
    for band in range(4):
        part = values[:, 3 * band : 3 * band + 3]
        same = (part[:, None, :] == part[None, :, :]).all(axis=2)
        assert ((keys[:, None, band] == keys[None, :, band]) == same).all()
    assert not set(keys[:, 0].tolist()) & set(keys[:, 1].tolist())


def test_the_fewest_equal_bins_are_where_the_binomial_s_tail_passes_one_in_ten_million() -> None:
    for bins, similarity in [(116, Fraction(3, 5)), (25, Fraction(4, 5)), (1024, Fraction(3, 5)), (8, Fraction(1, 20))]:
        least = fewest_equal(bins, float(similarity))
        terms = [comb(bins, k) * similarity**k * (1 - similarity) ** (bins - k) for k in range(bins + 1)]
        assert sum(terms[:least]) <= 1e-7 < sum(terms[: least + 1])
    assert fewest_equal(116, 1.0) == 116


def test_no_pair_at_the_threshold_is_given_up_and_most_far_below_are() -> None:
    rng = random.Random(6)
    for shared, own in [(3, 1), (6, 2), (12, 4), (30, 10), (60, 20), (300, 100)]:  # Jaccard .6
        signed = sign(pa.array([t for _ in range(600) for t in pair_of(rng, shared, own)], pa.large_string()), 1, 116)
        left = np.arange(0, 1200, 2)
        sketches = sketches_of(signed.values)
        assert alike(sketches, left, left + 1, 116, 0.6).all()
        count = (signed.values[::2] == signed.values[1::2]).sum(axis=1)
        assert count.min() > fewest_equal(116, 0.6)
    far = sign(pa.array([t for _ in range(600) for t in pair_of(rng, 20, 40)], pa.large_string()), 1, 116)  # .2
    assert alike(sketches_of(far.values), left, left + 1, 116, 0.6).mean() < 0.01


@given(st.integers(1, 300), st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
@settings(max_examples=100, deadline=None)
def test_equal_bytes_are_counted_one_by_one(bins: int, seed: int, similarity: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (6, bins)).astype(np.uint32) + (rng.integers(0, 9, (6, bins)) << 8).astype(np.uint32)
    left, right = (part.reshape(-1).astype(np.int64) for part in np.indices((6, 6)))
    equal = (values[left].astype(np.uint8) == values[right].astype(np.uint8)).sum(axis=1)
    found = alike(sketches_of(values), left, right, bins, similarity)
    assert (found == (equal >= fewest_equal(bins, similarity))).all()


@given(st.lists(st.text("가나다라 ", max_size=40), min_size=2, max_size=8), st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_jaccard_is_that_of_python_sets(texts: list[str], size: int) -> None:
    sets = shingle_sets(pa.array(texts, pa.large_string()), size)
    left, right = (part.reshape(-1).astype(np.int64) for part in np.indices((len(texts), len(texts))))
    found = jaccard(sets, left, sets, right)
    bare = ["".join(text.split()) for text in texts]
    grams = [{text[i : i + size] for i in range(len(text) - size + 1)} for text in bare]
    for a, b, similarity in zip(left, right, found, strict=True):
        either = grams[a] | grams[b]
        assert similarity == (len(grams[a] & grams[b]) / len(either) if either else 0.0)
