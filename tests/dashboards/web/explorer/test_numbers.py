"""Numbers as the page prints them: digit for digit as Python does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import MixParams
from mnuts_core.clamps import CLAMPS
from mnuts_core.functional import decimals
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import share
from mnuts_dashboards.text import numbers
from tests.dashboards.web.explorer.records import estimate, paired

NUMBERS, DIGITS, TEXT = "app/numbers.js", "controls/numbers.js", "engine/text.js"
TIES = st.builds(lambda odd, power: odd / 2**power, st.integers(-4001, 4001), st.integers(0, 12))
"""Numbers that lie half way between two texts more often than others."""
VALUES = st.one_of(
    TIES, st.floats(-1e6, 1e6), st.floats(-1, 1), st.sampled_from([0.0, 1e-300, 1e22, 5000.0, 99995.0, 0.5])
)
LISTS = st.lists(VALUES, min_size=30, max_size=30)


@given(values=LISTS, digits=st.integers(0, 8))
def test_decimals(page, values, digits):
    found = page.call(DIGITS, "fixed", *([x, digits] for x in values))
    assert found == [f"{x:.{digits}f}" for x in values]
    assert page.call(DIGITS, "signed", *([x, digits] for x in values)) == [
        numbers.signed(x, digits) for x in values
    ]


@given(values=LISTS, digits=st.integers(1, 12))
def test_significant_digits(page, values, digits):
    found = page.call(DIGITS, "general", *([x, digits] for x in values))
    assert found == [f"{x:.{digits}g}" for x in values]


@given(st.lists(st.integers(0, 10**12), min_size=5))
def test_thousands(page, values):
    assert page.call(TEXT, "thousands", *([n] for n in values)) == [f"{n:,}" for n in values]


@given(st.lists(st.floats(0.5, 1) | st.floats(0, 1e-3).map(lambda x: 1 - x) | st.just(1.0), min_size=10))
def test_alpha(page, values):
    found = page.call(NUMBERS, "alphaText", *([x] for x in values))
    assert found == [numbers.alpha_text(x) for x in values]


@given(
    st.builds(
        MixParams,
        s=st.floats(0.001, 1e6),
        p=st.floats(0.01, 100),
        c=st.floats(-10, 10),
        clamp=st.sampled_from(CLAMPS),
        alpha=st.none() | st.floats(0.5, 1),
        beta=st.floats(0, 1),
        temperature=st.floats(0, 5),
    )
)
def test_a_mix_in_one_line(page, params):
    [found] = page.call(NUMBERS, "settingsText", [vars(params)])
    assert found == numbers.minus(numbers.settings_text(params))


COUNTS = st.tuples(*[st.integers(0, 400)] * 4).filter(any)


@given(st.lists(COUNTS, min_size=5, max_size=5))
def test_paired_differences(page, tables):
    tables = [Paired(*counts) for counts in tables]
    found = page.call(NUMBERS, "pointsText", *([paired(table)] for table in tables))
    assert found == [numbers.minus(table.points) for table in tables]


@given(st.integers(1, 10_000), st.data())
@settings(max_examples=20)
def test_shares(page, n, data):
    figures = [share(data.draw(st.integers(0, n)), n) for _ in range(5)] + [share(0, 0)]
    records = [[estimate(figure)] for figure in figures]
    assert page.call(NUMBERS, "estimateText", *records) == [str(figure) for figure in figures]
    assert page.call(NUMBERS, "tally", *records) == [figure.tally for figure in figures]


@given(st.lists(st.tuples(*[st.floats(0, 0.9998, allow_subnormal=False)] * 2), min_size=10))
def test_compared_numbers(page, pairs):
    found = page.call(NUMBERS, "compared", *pairs)
    assert [tuple(texts) for texts in found] == [decimals.compared(*pair) for pair in pairs]


def test_compared_numbers_next_to_one(page):
    pairs = [(1 - 2e-13, 0.3), (1 - 2e-13, 1 - 2.1e-13), (0.25, 1 - 1e-5), (1.0, 1 - 1e-7), (0.9998, 0.99991)]
    assert page.call(NUMBERS, "compared", *pairs) == [
        ["1 − 2.0e-13", "0.30"],
        ["1 − 2.0e-13", "1 − 2.1e-13"],
        ["0.25", "1 − 1.0e-5"],
        ["1.0", "1 − 1.0e-7"],
        ["0.9998", "1 − 9.0e-5"],
    ]


@pytest.mark.parametrize("change", [-0.129, 0.5, 0.0, 0.0004, -0.0004, 1.25])
def test_changes_of_the_error_rate(page, change):
    assert page.call("explorer/sentences.js", "errorsText", [change]) == [numbers.errors_text(change)]
