"""Numbers that are entered: set as they are typed, or refused in the same words as in Python."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.widgets.entries import read_ln_k, read_number, shown
from mnuts_dashboards.widgets.settings import shortest

QUICK = settings(max_examples=80, phases=[Phase.generate])


def answered(read, *given) -> dict[str, object]:
    try:
        return {"value": read(*given)}
    except ParameterError as error:
        return {"refused": str(error)}


TYPED = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 200).map(lambda value: f"{value:.3g} %"),
    st.text("0123456789.,-−+eE_% x", max_size=12),
    st.sampled_from(
        [
            "2.5",
            "1e3",
            "−1",
            "-0",
            "95 %",
            "98.5",
            "1,000",
            "−1,234.5",
            "",
            "  ",
            "0,985",
            "inf",
            "nan",
            "0x10",
            "9" * 45,
            "é😀",
        ]
    ),
)


@given(st.sampled_from(sorted(PARAMS)), TYPED)
@QUICK
def test_a_number_is_read_or_refused_as_in_python(app, name, text):
    assert app("number", name, text) == answered(read_number, PARAMS[name], text)


@given(TYPED)
@QUICK
def test_a_number_of_logits_too(app, text):
    assert app("lnK", text) == answered(read_ln_k, text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("s", "2.5", 2.5),
        ("s", "1e3", 1000.0),
        ("c", "−1", -1.0),
        ("beta", "95 %", 0.95),
        ("beta", "98.5%", 0.985),
    ],
)
def test_what_people_type_is_what_is_set(app, name, text, value):
    assert app("number", name, text) == {"value": value}
    assert read_number(PARAMS[name], text) == value


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("s", "1,000", "1000"),
        ("s", "1,234.5", "1234.5"),
        ("s", "0,125", "0.125"),
        ("s", "2,5", "2.5"),
        ("c", "−1,5", "−1.5"),
        ("beta", "0,985", "0.985"),
        ("beta", "98,5", "0.985"),
    ],
)
def test_commas_are_asked_about(app, name, text, meant):
    assert app("number", name, text)["refused"].endswith(f". Did you mean {meant}?")


@pytest.mark.parametrize("text", ["", "abc", "1e400", "−1", "1.2.3"])
def test_what_is_no_scale_is_named(app, text):
    refused = app("number", "s", text)["refused"]
    assert refused.startswith("s must be ")
    assert refused.endswith("(you entered nothing)" if not text else f"(you entered {shown(text)})")


def test_a_share_in_percent_is_asked_about(app):
    assert app("number", "beta", "98.5")["refused"] == "β must be between 0 and 1. Did you mean 0.985?"


@given(st.floats(allow_nan=False, allow_infinity=False))
@QUICK
def test_numbers_are_written_as_python_writes_them(app, value):
    assert app("shortest", value) == shortest(value)
    assert float(app("general", value, 17)) == value


@given(st.text(max_size=20))
@QUICK
def test_texts_are_quoted_as_python_quotes_them(app, text):
    assert app("quoted", text) == repr(text)
