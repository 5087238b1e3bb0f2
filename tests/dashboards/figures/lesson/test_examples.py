"""The lesson's single images and logits: what the explorer draws, in larger letters."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views import examples, transform
from mnuts_dashboards.figures.examples import simplex_figure
from mnuts_dashboards.figures.lesson.examples import (
    cutoff_figure,
    lead_figure,
    probability_figure,
    triangle_figure,
)
from mnuts_dashboards.figures.lesson.layout import SIZE


def test_the_lead_is_marked_between_the_first_two():
    made = lead_figure(["a", "b", "c"], np.array([0.6, 0.25, 0.15]), ["#000000"] * 3, 0.35)
    assert go.Figure(made).data[0].y == pytest.approx([0.6, 0.25, 0.15])
    mark = made["layout"]["shapes"][-1]
    assert (mark["y0"], mark["y1"]) == (0.25, 0.6)
    assert made["layout"]["annotations"][0]["text"] == "margin 0.350"


def test_numbers_stand_in_their_bars_where_there_is_room_lest_the_lines_strike_them_out():
    made = lead_figure(["a", "b", "c"], np.array([0.5, 0.48, 0.02]), ["#000000"] * 3, 0.02)
    assert made["data"][0]["textposition"] == ["inside", "inside", "outside"]


def test_two_lists_of_classes_are_groups():
    made = probability_figure([["sure", "unsure"], ["a", "b"]], [("p", [0.9, 0.001], "#000000")])
    assert made["layout"]["xaxis"]["type"] == "multicategory"
    assert go.Figure(made).data[0].text == ("0.90", "")


def test_triangles_are_the_explorers_in_larger_letters():
    cases = examples.paper_cases(MixParams())
    large, small = triangle_figure(cases), simplex_figure(cases)
    assert len(go.Figure(large).data) == len(small["data"])
    np.testing.assert_array_equal(large["data"][1]["x"], small["data"][1]["x"])
    assert all(note["font"]["size"] >= SIZE for note in large["layout"]["annotations"])
    assert small["layout"]["annotations"][0]["font"]["size"] < SIZE


def test_the_corners_are_named_below_the_taus_that_stand_under_the_paths():
    large, small = (
        make(examples.paper_cases(MixParams()))["layout"] for make in (triangle_figure, simplex_figure)
    )
    lower = [min(note["y"] for note in layout["annotations"]) for layout in (large, small)]
    assert large["yaxis"]["range"][0] < lower[0] < lower[1] < 0


def test_the_cutoff_lies_at_minus_c(bundle):
    density = transform.logit_density(RemixEngine(bundle), 250)
    made = cutoff_figure(transform.transform_curve(density, MixParams(s=1, p=1, c=-1.1)), -1.1)
    curve, cutoff = go.Figure(made).data[-2:]
    assert curve.name == "clamp(z + c)"
    assert set(cutoff.x) == {1.1}
    assert "cutoff z = 1.10" in cutoff.text[1]
    layout = made["layout"]
    zero = [-layout[name]["range"][0] / np.ptp(layout[name]["range"]) for name in ("yaxis", "yaxis2")]
    assert zero[0] == pytest.approx(zero[1])  # the hills stand on the curve's own zero line
