"""The lesson's margins and flips: they count, and hide what is to be guessed."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_dashboards.figures.lesson.margins import Group, flips_figure, margin_figure
from mnuts_dashboards.theme import RIGHT, WRONG


def test_each_group_is_in_per_cent_of_its_own_n():
    groups = [
        Group("right", np.array([0.1, 0.5, 0.51, 1.0]), RIGHT, 0.505),
        Group("wrong", np.array([]), WRONG),
    ]
    made = margin_figure(groups, guess=0.3, threshold=0.7)
    right, wrong, threshold = go.Figure(made).data
    assert (right.name, wrong.name) == ("right (n = 4)", "wrong (n = 0)")
    assert sum(right.y) == pytest.approx(100)
    assert sum(wrong.y) == 0
    assert [shape["x0"] for shape in made["layout"]["shapes"]] == [0.505, 0.3]
    assert made["layout"]["annotations"][0]["text"] == "median 0.505"
    assert set(threshold.x) == {0.7}
    assert list(made["layout"]["yaxis"]["range"]) == [0, max(threshold.y)]


@pytest.mark.parametrize("log", [False, True])
def test_flips_are_hidden_until_they_are_guessed(log):
    thresholds, fixes, breaks = np.array([0.1, 0.2]), np.array([3, 1]), np.array([4, 0])
    hidden, shown = (
        flips_figure(thresholds, fixes, breaks, (0.1, "now"), 5, hidden=hidden, log=log)
        for hidden in (True, False)
    )
    assert [trace["name"] for trace in hidden["data"]] == ["now"]
    fixed, broken, line = go.Figure(shown).data
    assert (list(fixed.y), list(broken.y), set(line.x)) == ([3, 1], [4, 0], {0.1})
    assert line.textposition == ("middle left" if log else "middle right")
    assert shown["layout"]["shapes"][0]["y0"] == 5


def test_a_slider_moves_a_trace_and_leaves_the_layout_as_it_is():
    """So the page can draw its frames in place; a shape would take the whole plot."""
    groups = [Group("right", np.array([0.1, 0.5]), RIGHT, 0.3)]
    odds, counts = np.array([0.01, 0.1]), np.array([1, 2])
    for before, after in (
        [margin_figure(groups, threshold=at) for at in (0.2, 0.21)],
        [flips_figure(odds, counts, counts, (at, f"α = {at}"), 5, hidden=False) for at in (0.2, 0.21)],
    ):
        assert before["layout"] == after["layout"]
        changed = {key for key in before["data"][-1] if before["data"][-1][key] != after["data"][-1][key]}
        assert changed <= {"x", "text"}
