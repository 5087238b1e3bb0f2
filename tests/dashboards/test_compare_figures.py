"""The comparison's figures are plain JSON that Plotly accepts, and show the numbers they are given."""

import math

import plotly.graph_objects as go
import pytest

from mnuts_core.comparison import Median, Medians, Transfer
from mnuts_core.estimates import Estimate
from mnuts_core.params import MixParams
from mnuts_dashboards import figures_compare as figures


def groups(value: float, attacked: bool = True) -> Medians:
    made = [Median(value + i / 10, value + i / 10 - 0.05, value + i / 10 + 0.05, 50 + i) for i in range(4)]
    return Medians(*(made if attacked else made[:2]))


@pytest.fixture
def medians():
    return {
        "first": {"g": groups(0.5), "h": groups(0.4), "LN h": groups(0.1), "M(h)": groups(0.6)},
        "bare": {"g": groups(0.5, False), "h": groups(0.4, False), "LN h": groups(0.2, False)},
    }


def cell(source, target, clean=90, loss=0.02, **more):
    params = MixParams(alpha=0.9)
    return Transfer(
        source,
        target,
        params,
        Estimate("clean", clean, 100),
        Estimate("margin bound", 50, 80),
        Estimate("transfer", 60, 80),
        loss,
        -0.0125,
        0.0,
        **more,
    )


def test_the_medians_stand_where_they_belong(medians):
    made = figures.medians_figure(medians)
    go.Figure(made)
    traces = {trace["meta"]: trace for trace in made["data"]}
    assert len(traces) == 16
    assert list(traces["LN h, attacked right"]["x"]) == ["first"]
    assert traces["LN h, attacked right"]["y"] == pytest.approx([0.3])
    assert traces["LN h, clean wrong"]["y"] == pytest.approx([0.2, 0.3])
    assert traces["LN h, clean wrong"]["error_y"]["array"] == pytest.approx([0.05, 0.05])
    assert "n = 51" in traces["LN h, clean wrong"]["text"][0]
    assert traces["M(h), clean right"]["x"] == ["first"]
    texts = [note["text"] for note in made["layout"]["annotations"] if note["x"] == "first"]
    assert texts == ["+0.10"] * 4
    assert [n["text"] for n in made["layout"]["annotations"] if n["x"] == "bare"] == ["no best"]


def test_an_empty_group_has_no_bar():
    nothing = Median(math.nan, math.nan, math.nan, 0)
    made = figures.medians_figure({"a": {"g": Medians(nothing, groups(0.1).clean_wrong)}})
    go.Figure(made)
    assert made["data"][0]["x"] == []
    assert made["data"][1]["x"] == ["a"]


def test_the_chosen_bundle_stands_out(medians):
    made = figures.medians_figure(medians, "bare")
    assert made["data"][0]["marker"]["opacity"] == [figures.FADED, 1.0]


def test_gaps_beside_the_papers(medians):
    made = figures.gaps_figure(medians, [figures.PaperGap("Peng", 0.395)])
    go.Figure(made)
    ours, theirs = made["data"]
    assert (ours["x"], ours["text"]) == (
        [pytest.approx(0.1)],
        ["first"],
    )  # the other one has no attacked part
    assert (theirs["x"], theirs["y"]) == ([0.395], [0])
    assert [note["y"] for note in made["layout"]["annotations"]] == pytest.approx([1.16, 0.16])
    go.Figure(figures.gaps_figure({}, []))


def test_the_matrix_shows_figures_and_losses():
    cells = [cell("a", "a", loss=0.0), cell("a", "b"), Transfer("a", "c", refused="no attack")]
    made = figures.transfers_figure(cells, ["a", "b", "c"], ("a", "b"))
    go.Figure(made)
    clean, bound, transfer = made["data"]
    assert clean["z"] == [[0.0, pytest.approx(2.0), None]]
    assert bound["z"] == [[-1.25, -1.25, None]]
    texts = [note["text"] for note in made["layout"]["annotations"]]
    assert "90.0<br>own" in texts
    assert "90.0<br>2.0" in texts
    assert "62.5<br>−1.2" in texts or "62.5<br>−1.3" in texts
    assert texts.count("–") == 3
    assert "no figures" in transfer["customdata"][0][2]
    assert "[82.6, 94.5], n = 100" in clean["customdata"][0][1]
    assert [(shape["x0"], shape["y0"]) for shape in made["layout"]["shapes"]] == [(0.5, -0.5)] * 3


def test_without_any_best_the_matrix_says_so():
    made = figures.transfers_figure([], ["a"])
    go.Figure(made)
    assert "needs attacked images" in made["layout"]["annotations"][0]["text"]


@pytest.mark.parametrize(
    ("name", "room", "label"),
    [
        ("digits", 8, "digits"),
        ("digits-square", 8, "digits-<br>square"),
        ("synthetic-100-classes", 7, "synthe…<br>100-<br>classes"),
        ("a-very-long-name-of-many-parts", 8, "a-very-<br>long-<br>name-of…"),
    ],
)
def test_labels_fit(name, room, label):
    assert figures.wrapped(name, room) == label
    assert all(len(line) <= room for line in label.split("<br>"))
