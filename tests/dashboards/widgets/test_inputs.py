"""A slider with its number box: what the page sends back, and how far the slider reaches."""

import math

import pytest

from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.widgets.inputs import Knob


@pytest.fixture
def state():
    return ExplorerState()


@pytest.fixture
def told():
    return []


@pytest.fixture
def power(state, told):
    return Knob(state, "p", told.append)


def test_a_late_echo_of_an_earlier_value_is_no_choice(state, power):
    state.p = 3.571428
    state.p = 9.876543
    power.slider.value = 3.57  # the page's answer to the first one, on a slow connection
    assert state.p == 9.876543
    power.slider.value = 9.88
    assert state.p == 9.876543
    power.slider.value = 9.87  # and this is the visitor
    assert state.p == 9.87
    power.slider.value = 3.57
    assert state.p == 3.57


def test_a_value_that_the_page_need_not_round_has_no_echo(state, power):
    state.p = 3.0
    state.p = 4.0
    power.slider.value = 3.0
    assert state.p == 3.0


@pytest.mark.parametrize("name", list(PARAMS))
def test_the_sliders_steps_are_whole_ones(state, told, name):
    """The page counts steps from the lower end: s = 1, the identity, must be one of them."""
    knob, spec = Knob(state, name, told.append), PARAMS[name]
    for value in (spec.slider_low, 0.7654321, spec.slider_high):
        if spec.low <= value <= spec.high:
            state.set_trait(name, value)
            low = knob.slider.min / spec.step
            assert low == pytest.approx(round(low), abs=1e-6)
            place = math.log10(value) if spec.scale == "log" else value
            assert knob.slider.min <= place <= knob.slider.max


def test_a_step_is_no_echo_and_a_value_between_two_is(state, told):
    knob = Knob(state, "s", told.append)
    state.s = 1.0
    knob.slider.value = 10**0.0049
    assert state.s != 1.0  # nothing was expected back
    state.s = 1.004
    knob.slider.value = 1.0
    assert state.s == 1.004


def test_an_end_that_is_no_valid_value_is_not_offered(state, told):
    knob = Knob(state, "p", told.append)
    state.p = 0.003  # a whole step down is 0, and p > 0
    assert knob.slider.min == 0.003


@pytest.mark.parametrize(("name", "far"), [("p", 90.0), ("s", 5000.0), ("temperature", 1e9)])
def test_a_far_value_widens_the_slider_as_long_as_it_is_in_force(state, told, name, far):
    knob = Knob(state, name, told.append)
    before = knob.slider.min, knob.slider.max
    state.set_trait(name, far)
    assert knob.slider.value == pytest.approx(far)
    assert knob.slider.max > before[1]
    state.set_trait(name, PARAMS[name].slider_high / 2)
    assert (knob.slider.min, knob.slider.max) == before
    assert getattr(state, name) == PARAMS[name].slider_high / 2


def test_the_range_does_not_move_under_a_drag(state, power):
    state.p = 90.0
    power.slider.value = 50.0
    assert (state.p, power.slider.max) == (50.0, 90.0)


@pytest.mark.parametrize(
    ("text", "end"), [("0,5", "got '0,5': write 0.25, not 0,25"), ("abc", "got 'abc'"), (" ", "got nothing")]
)
def test_what_is_no_number_is_told(power, told, state, text, end):
    power.box.value = text
    assert told[0].endswith(end)
    assert power.box.value == f"{state.p:g}"
