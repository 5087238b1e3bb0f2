"""The lesson's accuracies: intervals in per cent, and nothing shown that is still to be guessed."""

import plotly.graph_objects as go
import pytest

from mnuts_core.functional.statistics import Estimate
from mnuts_dashboards.figures.lesson.accuracy import Bar, Point, accuracy_figure, price_figure
from mnuts_dashboards.figures.lesson.layout import GUESS
from mnuts_dashboards.theme import ROB, STD

HALF, MOST = Estimate(0.5, 0.4, 0.65, 90, "clean"), Estimate(0.9, 0.85, 0.95, 200, "clean")


def test_a_bar_has_its_interval():
    made = accuracy_figure([Bar("g", MOST, STD), Bar("h", HALF, ROB)])
    trace = go.Figure(made).data[0]
    assert trace.y == (90, 50)
    assert trace.error_y.array == pytest.approx([5, 15])
    assert trace.error_y.arrayminus == pytest.approx([5, 10])
    assert made["layout"]["annotations"] == []


def test_the_number_of_a_hollow_bar_has_the_colour_of_text():
    """Plotly would choose its colour for the bar's, through which the page shines."""
    made = accuracy_figure([Bar("g", MOST, STD), Bar("g at h's", HALF, STD, hollow=True)])
    assert made["data"][0]["text"] == ["90.0 %", ""]
    note = made["layout"]["annotations"][0]
    assert (note["x"], note["text"]) == ("g at h's", "50.0 %")
    assert "color" not in note["font"]


def test_what_is_to_be_guessed_is_a_question_mark_and_the_guess_a_mark():
    made = accuracy_figure([Bar("g", MOST, STD), Bar("h", None, ROB)], guess=("h", 0.3))
    bars, guess = go.Figure(made).data
    assert bars.x == ("g",)
    assert [(note["x"], note["text"]) for note in made["layout"]["annotations"]] == [("h", "?"), ("h", GUESS)]
    assert (guess.x, guess.y) == (("h",), (30,))


def test_points_of_the_plane_have_intervals_both_ways_and_lie_within():
    made = price_figure([Point("h", MOST, HALF, ROB, "square")], None, (0.2, 0.4))
    point, guess = go.Figure(made).data
    assert (point.x, point.y) == ((90,), (50,))
    assert (point.error_x.array[0], point.error_y.arrayminus[0]) == pytest.approx((5, 10))
    assert (guess.x, guess.y) == ((20,), (40,))
    low, high = made["layout"]["xaxis"]["range"]
    assert low < 20 < 95 < high
