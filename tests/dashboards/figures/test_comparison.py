"""The comparison's medians and gaps: Plotly accepts them, and they show the numbers they are given."""

import math

import plotly.graph_objects as go
import pytest

from mnuts_core.functional.statistics import Estimate
from mnuts_core.views.comparison import Medians
from mnuts_dashboards.figures.comparison import FADED, PaperGap, gaps_figure, medians_figure


def margin_median(value: float, half: float, n: int) -> Estimate:
    return Estimate(value, value - half, value + half, n, "median")


def groups(value: float, attacked: bool = True) -> Medians:
    made = [margin_median(value + i / 10, 0.05, 50 + i) for i in range(4)]
    return Medians(*(made if attacked else made[:2]))


@pytest.fixture
def medians():
    return {
        "first": {"g": groups(0.5), "h": groups(0.4), "LN h": groups(0.1), "M(h)": groups(0.6)},
        "bare": {"g": groups(0.5, False), "h": groups(0.4, False), "LN h": groups(0.2, False)},
    }


def test_the_medians_stand_where_they_belong(medians):
    made = medians_figure(medians)
    go.Figure(made)
    traces = {trace["meta"]["name"]: trace for trace in made["data"]}
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


def test_names_of_bundles_are_text():
    name = "<b>R&D</b> of a bundle whose name is as long as some are"
    medians = {name: {"g": groups(0.5), "LN h": groups(0.1)}}
    shown = "&lt;b&gt;R&amp;D"
    made, gaps = medians_figure(medians, name), gaps_figure(medians, [])
    assert made["data"][0]["x"][0].startswith(shown)
    assert made["data"][0]["meta"]["x"] == made["data"][0]["customdata"] == [name]
    assert made["layout"]["xaxis"]["tickvals"] == made["data"][0]["x"]
    assert "<b>R" not in made["layout"]["xaxis"]["ticktext"][0]
    assert gaps["data"][0]["hovertext"][0].replace("<br>", "").startswith(shown)
    assert shown in gaps["layout"]["annotations"][0]["text"]


def test_an_empty_group_has_no_bar():
    nothing = Estimate(math.nan, math.nan, math.nan, 0, "median")
    made = medians_figure({"a": {"g": Medians(nothing, groups(0.1).clean_wrong)}})
    go.Figure(made)
    assert made["data"][0]["x"] == []
    assert made["data"][1]["x"] == ["a"]


def test_too_few_values_have_no_interval():
    few = Estimate(0.3, math.nan, math.nan, 3, "median")
    made = medians_figure({"a": {"g": Medians(few, groups(0.1).clean_wrong)}})
    assert made["data"][0]["text"] == ["too few for an interval, n = 3"]
    assert made["data"][1]["text"] == ["95 % interval 0.150 to 0.250, n = 51"]


def test_the_chosen_bundle_stands_out(medians):
    made = medians_figure(medians, "bare")
    assert made["data"][0]["marker"]["opacity"] == [FADED, 1.0]


def test_gaps_beside_the_papers(medians):
    made = gaps_figure(medians, [PaperGap("Peng", 0.395)])
    go.Figure(made)
    ours, theirs = made["data"]
    assert (ours["x"], ours["text"]) == (
        [pytest.approx(0.1)],
        ["first"],
    )  # the other one has no attacked part
    assert (theirs["x"], theirs["y"]) == ([0.395], [0])
    assert [note["y"] for note in made["layout"]["annotations"]] == pytest.approx([1.16, 0.16])
    go.Figure(gaps_figure({}, []))
