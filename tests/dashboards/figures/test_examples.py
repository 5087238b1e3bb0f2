"""Single cases: paths on the simplex, and probabilities as bars."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views import examples, transform
from mnuts_core.views.examples import example_bars, paper_bars
from mnuts_dashboards import theme
from mnuts_dashboards.figures.examples import BAR_NAMES, bars_figure, simplex_figure
from mnuts_dashboards.figures.transform import transform_figure

PARAMS = MixParams(s=2, p=2, c=-0.3)


def test_a_path_starts_in_the_middle_and_ends_at_a_corner():
    made = simplex_figure(examples.paper_cases(PARAMS))
    assert len(go.Figure(made).data) == len(made["data"]) > 0
    path = made["data"][1]
    middle = (path["x"][0], path["y"][0])
    assert middle == pytest.approx((0.5, np.sqrt(0.75) / 3), abs=0.02)
    assert (path["x"][-1], path["y"][-1]) == pytest.approx((0, 0), abs=1e-6)


def test_triangles_stand_side_by_side_with_their_names():
    cases = examples.paper_cases(PARAMS)
    made = simplex_figure(cases)
    outlines = [trace for trace in made["data"] if trace.get("hoverinfo") == "skip"]
    assert [outline["x"][0] for outline in outlines] == [0, 1.35]
    titles = [note["text"] for note in made["layout"]["annotations"] if note.get("yref") == "paper"]
    assert titles == [case.name for case in cases]


def test_bars_are_the_probabilities_and_the_true_class_is_marked(bundle):
    engine = RemixEngine(bundle)
    case = example_bars(engine, engine.remix(PARAMS), "clean", 3)
    made = bars_figure([case])
    assert go.Figure(made).data
    bars, [margins] = _by_type(made)
    assert {trace["name"] for trace in bars} == {BAR_NAMES[key] for key in case.values}
    shown = [f"{key} {case.margin[key]:.2g}" for key in case.margin]
    assert margins["text"] == [f"margin {shown[0]},<br>{', '.join(shown[1:])}"]
    for trace, values in zip(bars, case.values.values(), strict=True):
        np.testing.assert_array_equal(trace["y"], values)
        marked = [place for place, name in enumerate(trace["meta"]["x"]) if "✓" in name]
        assert marked == [case.label]


def test_the_papers_cases_stand_in_subplots_with_one_legend():
    made = bars_figure(paper_bars(PARAMS))
    assert {trace["xaxis"] for trace in made["data"]} == {"x", "x2"}
    shown = [trace["legendgroup"] for trace in made["data"] if trace["showlegend"]]
    bars, margins = _by_type(made)
    assert len(shown) == len(set(shown)) == len(bars) / 2 == 3
    assert [trace["xaxis"] for trace in margins] == ["x", "x2"]
    assert all("Fig. 3 " in trace["text"][0] for trace in margins)


def _by_type(made):
    """Its bars, and the lines of margins above them."""
    return tuple([trace for trace in made["data"] if trace["type"] == kind] for kind in ("bar", "scatter"))


def test_the_transformed_model_has_one_colour_of_its_own(bundle):
    """M(h) looks the same on the simplex, in the bars, as a curve and in the table, and like nothing else."""
    engine = RemixEngine(bundle)
    remix = engine.remix(PARAMS)
    bars = bars_figure([example_bars(engine, remix, "clean", 3)])["data"]
    simplex = simplex_figure(examples.paper_cases(PARAMS))["data"]
    curve = transform_figure(
        transform.transform_curve(transform.logit_density(engine, 250), PARAMS), ln=True
    )["data"]
    found = {
        *(trace["marker"]["color"] for trace in bars if trace["name"] == BAR_NAMES["M(h)"]),
        *(
            t["line"]["color"]
            for t in simplex
            if t.get("name") == "transformed σ(M(h)/τ)" and t["mode"] == "lines"
        ),
        *(trace["line"]["color"] for trace in curve if trace.get("name") == "M"),
        theme.CLASSIFIER["mapped"],
    }
    assert found == {theme.MAPPED}
    assert theme.MAPPED not in (theme.STD, theme.ROB, theme.PLAIN, theme.MIX, theme.RIGHT, theme.WRONG)
