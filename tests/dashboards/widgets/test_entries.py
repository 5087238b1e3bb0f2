"""What the page answers to numbers that people enter: in words, without Python's names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.widgets.entries import read_ln_k, read_number


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("s", "-1", "s must be greater than 0 and at most 1,000,000 (you entered −1)"),
        ("beta", "98.5", "β must be between 0 and 1. Did you mean 0.985?"),
        ("alpha", "30", "α must be between 0.5 and 1 (you entered 30)"),  # 0.3 is no valid α either
        ("c", "-0,25", "c must be a number between −100 and 100. Did you mean −0.25?"),
        ("temperature", "inf", "T must be a number 0 or greater (you entered “inf”)"),
        ("p", "", "p must be a number greater than 0 and at most 100 (you entered nothing)"),
    ],
)
def test_a_wrong_number_is_answered_with_what_is_allowed_and_meant(name, text, answer):
    with pytest.raises(ParameterError) as caught:
        read_number(PARAMS[name], text)
    assert str(caught.value) == answer


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("s", "1e3", 1000.0), ("c", "−1", -1.0), ("beta", "95 %", 0.95), ("alpha", "98.5%", 0.985)],
)
def test_numbers_are_read_as_people_write_them(name, text, value):
    assert read_number(PARAMS[name], text) == value


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1", " (you entered 1)"),
        ("-3", " (you entered −3)"),
        ("2.5", " (you entered 2.5)"),
        ("", " (you entered nothing)"),
        ("9" * 30, f", at most 1,000,000,000 (you entered {'9' * 30})"),
    ],
)
def test_a_wrong_number_of_logits_is_answered_likewise(text, end):
    with pytest.raises(ParameterError) as caught:
        read_ln_k(text)
    assert str(caught.value) == f"LN top-k must be 0 (no layer norm) or a whole number of 2 or more{end}"


@given(st.sampled_from(sorted(PARAMS)), st.one_of(st.text(max_size=30), st.floats().map(repr)))
def test_what_is_read_is_valid_and_what_is_not_is_refused_without_python_names(name, text):
    problem = ""
    try:
        value = read_number(PARAMS[name], text)
        assert value == PARAMS[name].check(value)
    except ParameterError as error:
        problem = str(error)
    assert len(problem) < 200
    assert problem == "" or problem.startswith(f"{PARAMS[name].symbol} must be ")


def test_a_whole_number_may_be_written_with_an_exponent():
    assert [read_ln_k(text) for text in ("250", "1e3", "2.0", "0")] == [250, 1000, 2, 0]
