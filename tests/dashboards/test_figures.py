"""Figures: what is drawn is what the views say, and Plotly accepts it."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, beta_frontier, grid_search, views
from mnuts_core.params import IDENTITY
from mnuts_core.tradeoff import alpha_curve
from mnuts_dashboards import figures
from tests.synthetic import clean_only

PARAMS = MixParams(s=2, p=2, c=-0.3)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def drawn(engine):
    """Every figure for one setting, with the views it was drawn from."""
    remix = engine.remix(PARAMS)
    table = views.headline(engine, remix, views.plain_remix(engine, PARAMS))
    result = grid_search(engine.bundle, GridSpec.paper("cifar10"))
    frontier = views.frontier(engine, beta_frontier(result, np.linspace(0.5, 1, 6)))
    mix, base = views.mix_histograms(remix), views.base_histograms(engine)
    plane = views.plane(engine, remix)
    curve = views.transform_curve(views.logit_density(engine, 250), PARAMS)
    return {
        "remix": remix,
        "table": table,
        "result": result,
        "plane": figures.plane_figure(plane, alpha_curve(engine, IDENTITY), frontier, table),
        "margins": figures.histogram_figure(base),
        "mix_margins": figures.histogram_figure({"M(h)": mix}, remix.threshold),
        "medians": figures.medians_figure(base, mix),
        "transform": figures.transform_figure(curve, ln=True),
        "simplex": figures.simplex_figure(views.paper_cases(PARAMS)),
        "slices": figures.slices_figure(views.sensitivity(result, PARAMS)),
        "curve": curve,
    }


@pytest.mark.parametrize(
    "name", ["plane", "margins", "mix_margins", "medians", "transform", "simplex", "slices"]
)
def test_plotly_accepts_every_figure(drawn, name):
    figure = go.Figure(drawn[name])  # validates every attribute's name and value
    assert len(figure.data) == len(drawn[name]["data"]) > 0


def test_the_point_is_the_mix(drawn):
    by_name = {trace["name"]: trace for trace in drawn["plane"]["data"]}
    point, remix = by_name["this mix, margin bound"], drawn["remix"]
    assert point["x"] == [100 * remix.clean.value]
    assert point["y"] == [100 * remix.margin_bound.value]
    low, high = remix.margin_bound.interval
    assert point["error_y"]["array"] == [pytest.approx(100 * (high - remix.margin_bound.value))]
    assert point["error_y"]["arrayminus"] == [pytest.approx(100 * (remix.margin_bound.value - low))]


def test_histograms_count_every_example(drawn, bundle):
    traces = drawn["margins"]["data"]
    clean = [trace for trace in traces if trace["yaxis"] in ("y", "y2", "y3")]
    per_column = np.zeros(3, int)
    for trace in clean:
        per_column[int(trace["yaxis"][1:] or 1) - 1] += trace["customdata"].sum()
    assert per_column.tolist() == [bundle.n_clean] * 3
    assert sum(trace["y"].sum() for trace in clean) == pytest.approx(300)
    mixed = drawn["mix_margins"]["data"]
    bars = [trace for trace in mixed if trace["type"] == "bar"]
    assert sum(trace["customdata"].sum() for trace in bars) == bundle.n_clean + bundle.n_adv


def test_the_threshold_stands_where_it_is(drawn):
    lines = [trace for trace in drawn["mix_margins"]["data"] if trace["type"] == "scatter"]
    assert [line["x"] for line in lines] == [[drawn["remix"].threshold] * 2] * 2


def test_the_gap_is_attacked_right_minus_clean_wrong(drawn):
    traces = {trace["name"]: trace["y"][3] for trace in drawn["medians"]["data"]}
    words = next(trace for trace in drawn["medians"]["data"] if trace["name"] == "margin gap")
    gap = traces["attacked right"] - traces["clean wrong"]
    assert words["text"][-1].endswith(f"{gap:+.3f}")


def test_slices_show_the_objective(drawn):
    result = drawn["result"]
    shown = np.where(result.admissible, result.objective, np.nan)
    for j, trace in enumerate(drawn["slices"]["data"][:-2]):
        np.testing.assert_allclose(trace["z"], 100 * shown[:, j, :])
    best, star = result.best.params, drawn["slices"]["data"][-2]
    assert (star["x"], star["y"]) == ([best.c], [pytest.approx(np.log10(best.s))])
    mark = drawn["slices"]["data"][-1]
    assert (mark["x"], mark["y"]) == ([PARAMS.c], [pytest.approx(np.log10(PARAMS.s))])


def test_transform_curve_is_the_transform(drawn):
    curve = drawn["curve"]
    v = curve.z + PARAMS.c
    from scipy.stats import norm

    v = v * norm.cdf(v)
    np.testing.assert_allclose(curve.m, PARAMS.s * np.sign(v) * np.abs(v) ** PARAMS.p, atol=1e-12)
    width = curve.z[1] - curve.z[0]
    assert curve.top.sum() * width == pytest.approx(1, abs=0.02)


def test_simplex_starts_in_the_middle_and_ends_at_a_corner(drawn):
    path = drawn["simplex"]["data"][1]
    middle = (path["x"][0], path["y"][0])
    assert middle == pytest.approx((0.5, np.sqrt(0.75) / 3), abs=0.02)
    assert (path["x"][-1], path["y"][-1]) == pytest.approx((0, 0), abs=1e-6)


def test_without_an_attack_robust_figures_are_absent_not_zero(bundle):
    engine = RemixEngine(clean_only(bundle))
    params = PARAMS.with_(alpha=0.8)
    remix = engine.remix(params)
    table = views.headline(engine, remix, views.plain_remix(engine, params))
    plane = figures.plane_figure(views.plane(engine, remix), alpha_curve(engine, IDENTITY), None, table)
    assert plane["data"] == []
    assert "no attacked part" in plane["layout"]["annotations"][0]["text"]
    margins = figures.histogram_figure(views.base_histograms(engine) | {"M(h)": views.mix_histograms(remix)})
    assert len(margins["data"]) == 8
    assert go.Figure(plane).layout.annotations
    assert go.Figure(margins).data


def test_figures_import_neither_torch_nor_widgets():
    import subprocess
    import sys

    code = "import sys, mnuts_dashboards.figures; print('torch' in sys.modules, 'ipywidgets' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


def test_ranges_are_fixed_round_and_hold_the_data(engine):
    """An axis that fits itself anew at every move of a slider could not be drawn in place."""
    density = views.logit_density(engine, 250)
    for s in (1e-3, 0.7, 40.0):
        params = PARAMS.with_(s=s)
        remix, curve = engine.remix(params), views.transform_curve(density, params)
        low, high = figures.transform_figure(curve, ln=True)["layout"]["yaxis"]["range"]
        assert low <= curve.m.min() < curve.m.max() <= high
        assert high - low < 2 * np.ptp(curve.m)
        margins = figures.histogram_figure({"M(h)": views.mix_histograms(remix)}, remix.threshold)
        bars = [trace for trace in margins["data"] if trace["type"] == "bar"]
        for trace in bars:
            assert max(trace["y"]) <= margins["layout"][f"yaxis{trace['yaxis'][1:]}"]["range"][1]
        table = views.headline(engine, remix, views.plain_remix(engine, params))
        plane = views.plane(engine, remix)
        layout = figures.plane_figure(plane, alpha_curve(engine, IDENTITY), None, table)["layout"]
        low, high = layout["xaxis"]["range"]
        assert low <= 100 * plane.current.clean.min() <= 100 * plane.current.clean.max() <= high <= 105
