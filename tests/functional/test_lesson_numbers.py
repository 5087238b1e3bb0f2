"""The lesson's figures against other ways to work them out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnuts_core.functional import statistics
from mnuts_core.functional.statistics import Number, median_of

SAMPLES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60).map(np.array)


def test_a_median_is_the_cores():
    values = np.random.default_rng(0).gamma(2.0, size=65)
    assert statistics.median(values) == Number(*median_of(values))
    assert statistics.median(values).over(0) == "shown"


@given(SAMPLES, SAMPLES)
def test_superiority_counts_pairs_and_ties_half(larger, smaller):
    ours = statistics.superiority(larger, smaller)
    pairs = np.sign(larger[:, None] - smaller[None]).mean() / 2 + 0.5
    assert ours.value == pytest.approx(pairs)
    assert ours.n == len(larger) + len(smaller)
    theirs = stats.mannwhitneyu(larger, smaller).statistic / (len(larger) * len(smaller))
    assert ours.value == pytest.approx(theirs)


def test_superioritys_interval_is_what_resampling_gives():
    rng = np.random.default_rng(1)
    larger, smaller = rng.normal(0.8, 1, 150), rng.normal(0, 1, 70)
    ours = statistics.superiority(larger, smaller)
    drawn = [
        stats.mannwhitneyu(rng.choice(larger, 150), rng.choice(smaller, 70)).statistic / (150 * 70)
        for _ in range(2000)
    ]
    np.testing.assert_allclose([ours.low, ours.high], np.quantile(drawn, [0.025, 0.975]), atol=0.012)


def test_perfect_order_still_has_an_interval():
    found = statistics.superiority(np.arange(10.0) + 20, np.arange(6.0))
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.5 < found.low < 0.7  # Wilson, 6 of 6


def test_a_change_of_superiority_knows_that_the_examples_are_the_same():
    rng = np.random.default_rng(2)
    larger, smaller = rng.normal(1, 1, 120), rng.normal(0, 1, 90)
    moved = (larger + 0.3 + rng.normal(0, 0.05, 120), smaller + rng.normal(0, 0.05, 90))
    change = statistics.superiority_change((larger, moved[0]), (smaller, moved[1]))
    before, after = statistics.superiority(larger, smaller), statistics.superiority(*moved)
    assert change.value == pytest.approx(after.value - before.value)
    assert change.over(0) == "shown"
    assert change.high - change.low < (before.high - before.low) / 2
    same = statistics.superiority_change((larger, 3 * larger), (smaller, 3 * smaller))
    assert (same.value, same.over(0)) == (0.0, "open")


def test_ratio_of_medians_holds_the_ratio_of_all_their_ends():
    rng = np.random.default_rng(3)
    above, below = rng.uniform(0.1, 0.3, 50), rng.uniform(0.4, 0.9, 80)
    found = statistics.ratio_of_medians(above, below)
    assert found.value == pytest.approx(np.median(above) / np.median(below))
    one, other = statistics.median(above), statistics.median(below)
    assert (found.low, found.high) == (one.low / other.high, one.high / other.low)
    assert math.isnan(statistics.ratio_of_medians(above, np.zeros(9)).value)


def test_a_paired_gain_is_that_of_the_paired_differences():
    better, worse, n = 22, 5, 1000
    differences = np.repeat([1.0, -1.0, 0.0], [better, worse, n - better - worse])
    found = statistics.paired_gain(better, worse, n)
    assert found.value == pytest.approx(differences.mean())
    half = 1.959964 * differences.std() / np.sqrt(n)
    np.testing.assert_allclose([found.low, found.high], [found.value - half, found.value + half], rtol=1e-6)
    none = statistics.paired_gain(0, 0, 200)
    assert none.low < 0 < none.high


def test_verdicts():
    assert statistics.sign_verdict(22, 0) == "shown"
    assert statistics.sign_verdict(0, 22) == "contrary"
    assert statistics.sign_verdict(3, 2) == "open"
    assert statistics.sign_verdict(0, 0) == "open"
    assert statistics.share(0, 0).over(0.5) == "open"
    assert statistics.median(np.arange(3.0)).over(-1.0) == "open"  # three values give no interval


def test_a_guess_holds_in_the_interval_or_near_the_figure():
    number = Number(0.5, 0.45, 0.6, 100)
    assert number.holds(0.59)
    assert not number.holds(0.61)
    assert number.holds(0.61, 0.12)


def test_means_and_nothing():
    found = statistics.mean(np.array([1.0, 2.0, 3.0, 4.0]))
    low, high = stats.norm.interval(0.95, 2.5, np.std([1, 2, 3, 4], ddof=1) / 2)
    np.testing.assert_allclose(found[:3], [2.5, low, high])
    for make in (statistics.mean, statistics.median):
        assert math.isnan(make(np.array([])).value)
    assert statistics.superiority(np.array([]), np.array([1.0])).n == 1
