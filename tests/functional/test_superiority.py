"""Superiority and its interval against SciPy and resampling."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnuts_core.functional.superiority import superiority, superiority_change

SAMPLES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60).map(np.array)


@given(SAMPLES, SAMPLES)
def test_superiority_counts_pairs_and_ties_half(larger, smaller):
    ours = superiority(larger, smaller)
    pairs = np.sign(larger[:, None] - smaller[None]).mean() / 2 + 0.5
    assert ours.value == pytest.approx(pairs)
    assert ours.n == len(larger) + len(smaller)
    theirs = stats.mannwhitneyu(larger, smaller).statistic / (len(larger) * len(smaller))
    assert ours.value == pytest.approx(theirs)


def test_superioritys_interval_is_what_resampling_gives():
    rng = np.random.default_rng(1)
    larger, smaller = rng.normal(0.8, 1, 150), rng.normal(0, 1, 70)
    ours = superiority(larger, smaller)
    drawn = [
        stats.mannwhitneyu(rng.choice(larger, 150), rng.choice(smaller, 70)).statistic / (150 * 70)
        for _ in range(2000)
    ]
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(drawn, [0.025, 0.975]), atol=0.012)


def test_perfect_order_still_has_an_interval():
    found = superiority(np.arange(10.0) + 20, np.arange(6.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 0.7  # Wilson, 6 of 6


def test_a_change_of_superiority_knows_that_the_examples_are_the_same():
    rng = np.random.default_rng(2)
    larger, smaller = rng.normal(1, 1, 120), rng.normal(0, 1, 90)
    moved = (larger + 0.3 + rng.normal(0, 0.05, 120), smaller + rng.normal(0, 0.05, 90))
    change = superiority_change((larger, moved[0]), (smaller, moved[1]))
    before, after = superiority(larger, smaller), superiority(*moved)
    assert change.value == pytest.approx(after.value - before.value)
    assert change.over(0) == "shown"
    assert change.high - change.low < (before.high - before.low) / 2
    same = superiority_change((larger, 3 * larger), (smaller, 3 * smaller))
    assert (same.value, same.over(0)) == (0.0, "open")


def test_a_group_without_values_has_none():
    found = superiority(np.array([]), np.array([1.0]))
    assert (math.isnan(found.value), found.n) == (True, 1)
    pair = (np.array([]), np.array([]))
    assert math.isnan(superiority_change(pair, (np.ones(2), np.ones(2))).low)
