"""The lesson's margins and flips: they count, and hide what is to be guessed."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_dashboards.figures_lesson_margins import Group, flips_figure, margin_figure
from mnuts_dashboards.theme import RIGHT, WRONG


def test_each_group_is_in_per_cent_of_its_own_n():
    groups = [
        Group("right", np.array([0.1, 0.5, 0.51, 1.0]), RIGHT, 0.505),
        Group("wrong", np.array([]), WRONG),
    ]
    made = margin_figure(groups, guess=0.3, threshold=0.7)
    right, wrong = go.Figure(made).data
    assert (right.name, wrong.name) == ("right (n = 4)", "wrong (n = 0)")
    assert sum(right.y) == pytest.approx(100)
    assert sum(wrong.y) == 0
    assert [shape["x0"] for shape in made["layout"]["shapes"]] == [0.505, 0.3, 0.7]
    assert made["layout"]["annotations"][0]["text"] == "median 0.505"


@pytest.mark.parametrize("log", [False, True])
def test_flips_are_hidden_until_they_are_guessed(log):
    thresholds, mends, breaks = np.array([0.1, 0.2]), np.array([3, 1]), np.array([4, 0])
    hidden, shown = (
        flips_figure(thresholds, mends, breaks, (0.1, "now"), 5, hidden=hidden, log=log)
        for hidden in (True, False)
    )
    assert hidden["data"] == []
    assert [list(trace.y) for trace in go.Figure(shown).data] == [[3, 1], [4, 0]]
    assert shown["layout"]["annotations"][1]["x"] == (-1 if log else 0.1)
    assert shown["layout"]["shapes"][1]["y0"] == 5
