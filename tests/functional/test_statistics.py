"""Shares, medians, differences and their intervals, against SciPy and other ways to work them out."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, quantile_test

from mnuts_core import Estimate, ParameterError
from mnuts_core.functional.statistics import (
    columns,
    median,
    share,
    share_of,
    sign_verdict,
    wilson_interval,
)


@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(case):
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_within(case):
    estimate = share(*case, "clean")
    low, high = estimate.interval
    assert 0 <= low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= high <= 1
    assert low < high


def test_wikipedias_example():
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@pytest.mark.parametrize("case", [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts(case):
    with pytest.raises(ParameterError, match=f"got successes={case[0]}, n={case[1]}"):
        wilson_interval(*case)


def test_text_and_json():
    estimate = share(712, 1000, "transfer")
    assert str(estimate) == "71.20 % [68.32, 73.92], n = 1,000"
    fields = json.loads(json.dumps(estimate.to_json()))
    assert fields["kind"] == "transfer"
    assert fields["value"] == 0.712
    assert fields["n"] == 1000
    assert fields["ci95"] == pytest.approx([0.6832, 0.7392], abs=1e-4)


# How many of n tosses fall below r, counted by hand: P(0 of 6) = 1/64, P(≤ 1 of 9) = 10/512,
# P(≤ 1 of 11) = 12/2048 but P(≤ 2 of 11) = 67/2048 > 2.5 %, P(≤ 2 of 12) = 79/4096.
@pytest.mark.parametrize(("n", "r"), [(6, 1), (8, 1), (9, 2), (11, 2), (12, 3)])
def test_a_medians_interval_lies_between_the_order_statistics_counted_by_hand(n, r):
    ascending = np.linspace(0.1, 0.9, n) ** 2
    found = median(np.random.default_rng(n).permutation(ascending))
    assert (found.low, found.high) == (ascending[r - 1], ascending[-r])
    assert found.value == np.median(ascending)
    assert found.n == n


@pytest.mark.parametrize("n", [1, 5, 6, 7, 20, 65, 400, 1001, 10_000])
def test_a_medians_interval_is_scipys(n):
    values = np.random.default_rng(n).gamma(2.0, size=n)
    theirs = quantile_test(values, q=0.0, p=0.5).confidence_interval(0.95)
    np.testing.assert_array_equal(median(values).interval, [theirs.low, theirs.high])


def test_a_medians_interval_covers_it_about_95_times_in_100():
    rng = np.random.default_rng(3)
    covered = [found.low <= 0.5 <= found.high for found in (median(rng.random(40)) for _ in range(2000))]
    assert 0.94 <= np.mean(covered) <= 0.985  # exact coverage at n = 40 is 96.2 %


@pytest.mark.parametrize("n", range(6))
def test_too_few_values_have_a_median_but_no_interval(n):
    found = median(np.arange(float(n)))
    assert found.n == n
    assert math.isnan(found.value) == (n == 0)
    assert np.isnan([found.low, found.high]).all()  # 5 values: 2/32 lie outside their range, over 5 %


def test_ties_are_no_trouble():
    assert median(np.ones(10)) == Estimate(1.0, 1.0, 1.0, 10, "median")


def test_verdicts():
    assert sign_verdict(22, 0) == "shown"
    assert sign_verdict(0, 22) == "contrary"
    assert sign_verdict(3, 2) == "open"
    assert sign_verdict(0, 0) == "open"


def test_a_median_of_nothing_is_no_number():
    assert math.isnan(median(np.array([])).value)


def test_a_share_of_none_is_no_number():
    none = share(0, 0, "clean")
    assert (math.isnan(none.value), none.n, none.successes) == (True, 0, 0)
    assert str(none) == "NaN, n = 0"
    assert none.to_json() == {"kind": "clean", "value": None, "n": 0, "ci95": [None, None]}
    assert share_of(np.zeros(0, bool)).n == 0
    with pytest.raises(ParameterError, match="successes=1, n=0"):
        share(1, 0)


def test_a_share_counts_and_nothing_else_does():
    right = np.array([True, False, True, True])
    assert share_of(right, "transfer") == share(3, 4, "transfer")
    assert share_of(right).tally == "3 of 4 (75.00 %)"
    with pytest.raises(ParameterError, match="got a median"):
        _ = median(np.arange(9.0)).successes


def test_columns_of_a_frame():
    figure = share(8, 10)
    names = ["x", "x_low", "x_high", "x_n"]
    assert columns("x", figure) == dict(zip(names, [0.8, *wilson_interval(8, 10), 10], strict=True))
    assert columns("x", None) == dict.fromkeys(names)
