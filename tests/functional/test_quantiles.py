"""The quantile of line 9 of Algorithm 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnuts_core import ParameterError
from mnuts_core.functional.quantiles import check_method, margin_quantile
from tests import reference

MARGINS = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1)).map(np.sort)
BETAS = st.one_of(st.floats(0, 1), st.integers(0, 1000).map(lambda i: i / 1000))


@given(margins=MARGINS, beta=BETAS)
def test_linear_is_numpys(margins, beta):
    expected = np.quantile(margins, 1 - beta, method="linear")
    assert margin_quantile(margins, beta) == pytest.approx(expected, abs=2e-8)  # places within 1e-9 snap
    authors = np.percentile(margins, 100 - 100 * beta)
    assert margin_quantile(margins, beta) == pytest.approx(authors, abs=2e-8)


@given(margins=MARGINS, thousandths=st.integers(0, 1000))
def test_lower_is_the_smaller_neighbour(margins, thousandths):
    beta = thousandths / 1000
    assert margin_quantile(margins, beta, "lower") == reference.bottom_quantile(margins, beta, "lower")


@given(margins=MARGINS, beta=BETAS)
def test_lower_never_undercuts_beta(margins, beta):
    q = margin_quantile(margins, beta, "lower")
    assert np.mean(margins >= q) >= beta - 1e-8
    assert q <= margin_quantile(margins, beta, "linear") + 1e-15


@given(margins=MARGINS, beta=BETAS, more=st.floats(0, 1), method=st.sampled_from(["linear", "lower"]))
def test_more_beta_never_raises_the_quantile(margins, beta, more, method):
    higher = beta + more * (1 - beta)
    assert margin_quantile(margins, higher, method) <= margin_quantile(margins, beta, method) + 1e-15


@pytest.mark.parametrize("method", ["linear", "lower"])
def test_ends(method):
    margins = np.array([0.1, 0.2, 0.9])
    assert margin_quantile(margins, 1.0, method) == 0.1
    assert margin_quantile(margins, 0.0, method) == 0.9
    assert margin_quantile(np.array([0.4]), 0.5, method) == 0.4


def test_a_place_that_is_an_integer_but_for_rounding():
    margins = np.linspace(0, 1, 11)
    for tenths in range(11):  # (1 - 0.9) · 10 is 0.9999999999999998 in floating point
        assert margin_quantile(margins, tenths / 10, "lower") == margins[10 - tenths]
    assert margin_quantile(np.linspace(0, 1, 1001), 0.985, "lower") == pytest.approx(0.015)


def test_tables_and_levels():
    margins = np.sort(np.random.default_rng(0).random((2, 3, 7)), axis=-1)
    betas = np.array([0.0, 0.3, 0.985, 1.0])
    table = margin_quantile(margins, betas)
    assert table.shape == (2, 3, 4)
    np.testing.assert_allclose(table, np.moveaxis(np.quantile(margins, 1 - betas, axis=-1), 0, -1))
    assert margin_quantile(margins, 0.3).shape == (2, 3)
    np.testing.assert_array_equal(margin_quantile(margins, 0.3), table[..., 1])


@pytest.mark.parametrize("method", ["nearest", None, 1])
def test_bad_method(method):
    with pytest.raises(ParameterError, match="quantile must be 'linear' or 'lower', got "):
        check_method(method)
    with pytest.raises(ParameterError, match="quantile must be"):
        margin_quantile(np.array([0.5]), 0.5, method)
