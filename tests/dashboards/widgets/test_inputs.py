"""A slider with its number box: what is set from outside stays, and how far the slider reaches."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.widgets.drag import Drag
from mnuts_dashboards.widgets.inputs import input_of


@pytest.fixture
def state():
    return ExplorerState()


@pytest.fixture
def messages():
    return []


@pytest.fixture
def power(state, messages):
    return input_of(state, "p", messages.append)


@pytest.mark.parametrize("name", list(PARAMS))
def test_the_page_reports_no_place_that_the_kernel_gave_it(state, messages, name):
    """Such a report is rounded to the slider's step, and clipped to the range that it had before."""
    entry = input_of(state, name, messages.append)
    assert not entry.slider.continuous_update
    drags = [part for part in entry.children if isinstance(part, Drag)]
    assert [drag.slider for drag in drags] == [entry.slider.model_id]
    assert drags[0].log == (PARAMS[name].scale == "log")


def valid(name):
    spec = PARAMS[name]
    return st.floats(
        spec.low, spec.high, exclude_min=spec.low_open, allow_infinity=False, allow_subnormal=False
    )


@pytest.mark.parametrize("name", list(PARAMS))
@given(data=st.data())
def test_what_is_set_from_outside_stays_to_the_last_bit_and_lies_on_the_slider(name, data):
    state, messages = ExplorerState(), []
    entry = input_of(state, name, messages.append)
    for value in data.draw(st.lists(valid(name), min_size=1, max_size=4)):
        state.set_trait(name, value)
        assert getattr(state, name) == value
        assert entry.slider.value == pytest.approx(value, rel=1e-9, abs=1e-12)
        assert entry.box.value == f"{value:.6g}" or float(entry.box.value) == value
    assert messages == []


@pytest.mark.parametrize("name", list(PARAMS))
@given(data=st.data())
def test_any_valid_number_can_be_typed(name, data):
    state, messages = ExplorerState(), []
    entry, value = input_of(state, name, messages.append), data.draw(valid(name))
    entry.box.value = repr(value)
    assert messages == []
    assert getattr(state, name) == value or entry.box.value == f"{value:.6g}"  # what was there in few digits


def test_a_number_that_is_not_the_intervals_end_does_not_read_as_one(state, messages):
    entry = input_of(state, "alpha", messages.append)
    state.alpha = 1 - 2e-13
    assert float(entry.box.value) == 1 - 2e-13
    entry.box.value = "1"
    assert state.alpha == 1.0


def test_a_drag_to_zero_is_zero_and_not_minus_zero(state, messages):
    entry = input_of(state, "c", messages.append)
    entry.slider.value = -1e-17
    assert math.copysign(1, state.c) == 1


@pytest.mark.parametrize("name", list(PARAMS))
def test_the_sliders_steps_are_whole_ones(state, messages, name):
    """The page counts steps from the lower end: s = 1, the identity, must be one of them."""
    entry, spec = input_of(state, name, messages.append), PARAMS[name]
    for value in (spec.slider_low, 0.7654321, spec.slider_high):
        if spec.low <= value <= spec.high:
            state.set_trait(name, value)
            low = entry.slider.min / spec.step
            assert low == pytest.approx(round(low), abs=1e-6)
            place = math.log10(value) if spec.scale == "log" else value
            assert entry.slider.min <= place <= entry.slider.max


def test_an_end_that_is_no_valid_value_is_not_offered(state, messages):
    entry = input_of(state, "p", messages.append)
    state.p = 0.003  # a whole step down is 0, and p > 0
    assert entry.slider.min == 0.003


@pytest.mark.parametrize(("name", "far"), [("p", 90.0), ("s", 5000.0), ("temperature", 1e9)])
def test_a_far_value_widens_the_slider_as_long_as_it_is_in_force(state, messages, name, far):
    entry = input_of(state, name, messages.append)
    before = entry.slider.min, entry.slider.max
    state.set_trait(name, far)
    assert entry.slider.value == pytest.approx(far)
    assert entry.slider.max > before[1]
    state.set_trait(name, PARAMS[name].slider_high / 2)
    assert (entry.slider.min, entry.slider.max) == before
    assert getattr(state, name) == PARAMS[name].slider_high / 2


def test_the_range_does_not_move_under_a_drag(state, power):
    state.p = 90.0
    power.slider.value = 50.0
    assert (state.p, power.slider.max) == (50.0, 90.0)


@pytest.mark.parametrize(
    ("text", "end"),
    [("0,5", "Did you mean 0.5?"), ("abc", "(you entered “abc”)."), (" ", "(you entered nothing).")],
)
def test_what_is_no_number_is_reported(power, messages, state, text, end):
    power.box.value = text
    assert messages[0].endswith(end)
    assert power.box.value == f"{state.p:g}"
