"""The notebooks' own figure: it counts, and puts each image on its side."""

import numpy as np
import plotly.graph_objects as go

from mnuts_dashboards.figures.margins import attack_figure


def test_the_attack_figure_counts_and_puts_points_on_the_right_side():
    before, after = np.array([0.9, 0.5, -0.2]), np.array([0.4, -0.1, -0.6])
    figure = attack_figure(before, after)
    diagonal, held, wrong = figure["data"]
    assert len(go.Figure(figure).data) == 3
    assert (held["name"], wrong["name"]) == ("still right: 1", "wrong: 2")
    assert (held["x"].tolist(), held["y"].tolist()) == ([0.9], [0.4])
    assert diagonal["x"] == diagonal["y"]
    assert figure["layout"]["xaxis"]["range"][0] < after.min()
