"""Shares with their Wilson intervals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mnuts_core import Estimate, ParameterError
from mnuts_core.estimates import wilson_interval


@given(st.integers(1, 20_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys(case):
    successes, n = case
    expected = binomtest(successes, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_within(case):
    estimate = Estimate("clean", *case)
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
    estimate = Estimate("transfer", 712, 1000)
    assert str(estimate) == "71.20 % [68.32, 73.92], n = 1,000"
    told = json.loads(json.dumps(estimate.to_json()))
    assert told["kind"] == "transfer"
    assert told["value"] == 0.712
    assert told["n"] == 1000
    assert told["ci95"] == pytest.approx([0.6832, 0.7392], abs=1e-4)
