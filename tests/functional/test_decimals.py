"""What is compared in a sentence reads differently where it differs, and in the right order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.functional.decimals import compared, digits_apart

shares = st.floats(0, 1, allow_subnormal=False)


@given(shares, shares)
def test_two_numbers_read_as_different_as_they_are(value, limit):
    shown, against = (float(text) for text in compared(value, limit))
    assert (shown < against, shown > against) == (value < limit, value > limit)
    for number, read in ((value, shown), (limit, against)):
        assert read == pytest.approx(number, rel=0.05)
        assert (read == 1) == (number == 1)


@given(shares, st.integers(1, 40))
def test_neighbours_are_distinguished(value, steps):
    limit = value * (1 - steps * 2e-16)
    texts = compared(value, limit)
    assert (texts[0] == texts[1]) == (value == limit)


def test_few_digits_where_few_are_enough():
    assert compared(2.4e-5, 0.0) == ("2.4e-5", "0")
    assert compared(0.31415, 0.8) == ("0.31", "0.80")
    assert compared(0.99996, 0.34) == ("0.99996", "0.34000")
    assert digits_apart(0.1, 0.2, least=4) == 4
