"""Settings: what is declared with a trait, and its word in links."""

import pytest
import traitlets as tr
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.widgets.settings import Setting, choice, declared, number, settings_of, whole


class State(tr.HasTraits):
    level = number(PARAMS["beta"], word="b")
    bins = whole(25, 2, 200, word="bins", label="Bins", help="How many")
    kind = choice(
        [("as bars", "bars"), ("as a line", "line")], "bars", word="kind", label="Drawn", help="How"
    )
    power = choice([("one", 1), ("two", 2)], 1, word="n", label="Power", help="Which")
    spoken = declared(tr.Unicode(), Setting("spoken", str))
    other = tr.Int(3)


SETTINGS = settings_of(State)


def test_they_are_found_in_their_order_and_by_their_defaults():
    assert list(SETTINGS) == ["level", "bins", "kind", "power", "spoken"]
    state = State()
    assert (state.level, state.bins, state.kind, state.power) == (PARAMS["beta"].default, 25, "bars", 1)


@given(level=st.floats(0, 1), bins=st.integers(2, 200), kind=st.sampled_from(["bars", "line"]))
def test_what_is_written_reads_back(level, bins, kind):
    for name, value in {"level": level, "bins": bins, "kind": kind, "power": 2}.items():
        assert SETTINGS[name].read(SETTINGS[name].write(value)) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("level", "2", "β must be between 0 and 1"),
        ("bins", "1", "bins must be a whole number from 2 to 200, got '1'"),
        ("bins", "2.5", "bins must be a whole number from 2 to 200, got '2.5'"),
        ("bins", "9" * 5000, "bins must be a whole number from 2 to 200"),
        ("kind", "as bars", "kind must be one of bars, line, got 'as bars'"),
        ("power", "3", "n must be one of 1, 2, got '3'"),
    ],
)
def test_a_wrong_text_is_refused_in_one_line(name, text, message):
    with pytest.raises(ParameterError) as raised:
        SETTINGS[name].read(text)
    assert message in str(raised.value)
    assert len(str(raised.value)) < 200


def test_a_whole_number_stays_within_its_ends():
    state = State()
    with pytest.raises(tr.TraitError):
        state.bins = 1
