"""Paired comparison: published intervals, the likelihood maximized by hand, coverage, and McNemar's test."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, multinomial

from mnuts_core import ParameterError
from mnuts_core.functional.paired import Paired, mcnemar, paired_difference
from mnuts_core.functional.statistics import Z95, sign_verdict, wilson_interval

TABLES = st.tuples(st.integers(0, 200), st.integers(0, 200), st.integers(0, 800)).filter(sum)
"""Only the first right, only the second right, as both: at least one example."""


def score(better: int, worse: int, n: int, delta: float) -> float:
    """Tango's statistic, with the likelihood maximized numerically instead of by its formula."""

    def loss(q: float) -> float:
        shares = (q + delta, q, 1 - 2 * q - delta)
        counts = (better, worse, n - better - worse)
        return -sum(k * math.log(max(p, 1e-300)) for k, p in zip(counts, shares, strict=True) if k)

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return (better - worse - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))


@pytest.mark.parametrize(
    ("better", "worse", "n", "low", "high"),
    [
        (1, 7, 21, -0.517, -0.026),  # Fagerland, Lydersen and Laake (2014), airway hyper-responsiveness
        (12, 2, 50, 0.0611, 0.3447),
        (40, 20, 160, 0.0309, 0.2181),
    ],
)
def test_intervals_of_tango(better, worse, n, low, high):
    found = paired_difference(better, worse, n)
    assert found.value == (better - worse) / n
    assert found.interval == pytest.approx((low, high), abs=6e-4 if n == 21 else 5e-5)


@pytest.mark.parametrize(
    "case", [(1, 7, 21), (12, 2, 50), (3, 0, 40), (0, 1, 44), (230, 190, 1000), (5, 5, 10)]
)
def test_at_the_ends_the_score_is_that_of_95_percent(case):
    found = paired_difference(*case)
    assert score(*case, found.low) == pytest.approx(Z95, abs=2e-4)
    assert score(*case, found.high) == pytest.approx(-Z95, abs=2e-4)


def test_no_difference_seen_leaves_room_for_one():
    half = wilson_interval(0, 200)[1]
    assert paired_difference(0, 0, 200).interval == pytest.approx((-half, half))


def test_all_or_none():
    found = paired_difference(7, 0, 7)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0 < found.low < 0.5
    assert paired_difference(0, 7, 7).interval == (-1.0, -found.low)
    many = paired_difference(10**12, 10**12 - 1, 10**15)
    assert many.low < many.value < many.high < 1e-6


@given(TABLES)
def test_the_interval_is_in_order_antisymmetric_and_agrees_with_the_verdict(table):
    better, worse, _ = table
    found = paired_difference(better, worse, sum(table))
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    other = paired_difference(worse, better, sum(table))
    assert (other.low, other.high) == (-found.high, -found.low)
    if not math.isclose((better - worse) ** 2, Z95**2 * (better + worse)):
        verdict = "shown" if found.low > 0 else "contrary" if found.high < 0 else "open"
        assert verdict == sign_verdict(better, worse)
        assert Paired(0, better, worse, sum(table) - better - worse).clear == (verdict != "open")


@pytest.mark.parametrize(
    ("p", "q", "most"),
    [(0.02, 0.0, 1.0), (0.05, 0.02, 0.99), (0.1, 0.1, 0.97), (0.3, 0.1, 0.96), (0.15, 0.0, 0.97)],
)
def test_covers_the_truth_95_times_in_100_or_more_where_little_differs(p, q, most):
    """Exactly, by the probability of every table; mean ± 1.96 deviations covers 55 % in the first."""
    n = 40
    tables = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    likely = multinomial.pmf([(b, c, n - b - c) for b, c in tables], n, (p, q, 1 - p - q))
    kept = [
        (paired_difference(b, c, n), chance)
        for (b, c), chance in zip(tables, likely, strict=True)
        if chance > 1e-7
    ]
    covered = sum(chance for found, chance in kept if found.low <= p - q <= found.high)
    assert 0.94 <= covered <= most


@pytest.mark.parametrize("case", [(-1, 0, 5), (0, -1, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_counts(case):
    with pytest.raises(ParameterError, match=f"better={case[0]}, worse={case[1]}, n={case[2]}"):
        paired_difference(*case)


@given(st.integers(0, 60), st.integers(0, 60))
@settings(max_examples=50)
def test_mcnemar_by_binomial_coefficients(better, worse):
    n, fewer = better + worse, min(better, worse)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    assert mcnemar(better, worse) == pytest.approx(min(1.0, 2 * tail / 2**n), rel=1e-9)
    if n:
        assert mcnemar(better, worse) == pytest.approx(binomtest(better, n).pvalue, rel=1e-9)


def test_a_table_by_hand():
    first = np.array([1, 1, 1, 0, 0, 1], bool)
    second = np.array([1, 0, 0, 1, 0, 1], bool)
    table = Paired.of(first, second)
    assert table == Paired(both=2, only_first=2, only_second=1, neither=1)
    assert table.n == 6
    assert table.difference == paired_difference(2, 1, 6)
    assert table.p_value == 1.0
    card = json.loads(json.dumps(table.to_json()))
    assert (card["both_right"], card["only_first_right"], card["only_second_right"]) == (2, 2, 1)
    assert (card["both_wrong"], card["n"], card["mcnemar_p"]) == (1, 6, 1.0)
    assert card["difference"]["value"] == pytest.approx(1 / 6)
    assert str(Paired(0, 5, 0, 5)) == "+50.00 points [+8.37, +76.34], McNemar p = 0.0625, n = 10"


def test_no_images():
    nothing = Paired.of(np.zeros(0, bool), np.zeros(0, bool))
    assert (math.isnan(nothing.difference.value), nothing.p_value, str(nothing)) == (True, 1.0, "no images")
    assert nothing.to_json()["difference"]["value"] is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.ones(3, bool), np.ones(4, bool)),
        (np.ones(3, bool), np.ones(1, bool)),  # would broadcast
        (np.ones(3), np.ones(3, bool)),
        (np.ones((2, 2), bool), np.ones((2, 2), bool)),
        (np.array(True), np.array(True)),
    ],
)
def test_only_boolean_vectors_of_one_length(first, second):
    with pytest.raises(ParameterError, match="boolean vectors of one length, got"):
        Paired.of(first, second)
