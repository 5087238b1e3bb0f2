"""The trade-off plane: its points are the mix's figures, and Plotly accepts it."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, beta_frontier, grid_search, views
from mnuts_core.params import IDENTITY
from mnuts_core.tradeoff import alpha_curve
from mnuts_dashboards.figures_plane import PLANE_TRACES, plane_figure
from tests.synthetic import clean_only

PARAMS = MixParams(s=2, p=2, c=-0.3)


def drawn(engine, params, frontier=None, *more):
    remix = engine.remix(params)
    table = views.headline(engine, remix, views.plain_remix(engine, params))
    return plane_figure(views.plane(engine, remix), alpha_curve(engine, IDENTITY), frontier, table, *more)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def frontier(engine):
    result = grid_search(engine.bundle, GridSpec.paper("cifar10"))
    return views.frontier(engine, beta_frontier(result, np.linspace(0.5, 1, 6)))


def test_plotly_accepts_it_with_its_traces_in_their_order(engine, frontier):
    kept = (engine.remix(PARAMS),)
    for made in (drawn(engine, PARAMS), drawn(engine, PARAMS, frontier, kept)):
        assert len(go.Figure(made).data) == len(PLANE_TRACES)
    of = dict(zip(PLANE_TRACES, made["data"], strict=True))
    np.testing.assert_array_equal(of["frontier"]["x"], 100 * frontier.curve.clean)
    assert (of["snapshots"]["text"], of["snapshots"]["x"]) == (["A"], [100 * kept[0].clean.value])


def test_the_point_is_the_mix(engine):
    remix = engine.remix(PARAMS)
    by_name = {trace["name"]: trace for trace in drawn(engine, PARAMS)["data"]}
    point = by_name["this mix, bound"]
    assert point["x"] == [100 * remix.clean.value]
    assert point["y"] == [100 * remix.margin_bound.value]
    low, high = remix.margin_bound.interval
    assert point["error_y"]["array"] == [pytest.approx(100 * (high - remix.margin_bound.value))]
    assert point["error_y"]["arrayminus"] == [pytest.approx(100 * (remix.margin_bound.value - low))]


def test_a_figure_of_another_setting_is_hollow_and_says_so(engine):
    remix = engine.remix(PARAMS)
    earlier = (remix.clean, remix.margin_bound)
    point = drawn(engine, PARAMS, None, (), earlier)["data"][PLANE_TRACES.index("verified")]
    told = f"other mix, verified, n = {remix.margin_bound.n:,}"
    assert point["name"] == "other mix, verified"
    assert point["meta"] == told
    assert point["hovertemplate"].startswith(told)
    assert point["marker"]["symbol"] == "star-open"
    assert drawn(engine, PARAMS)["data"][PLANE_TRACES.index("verified")]["x"] == []


def test_without_an_attack_there_is_no_trade_off(bundle):
    plane = drawn(RemixEngine(clean_only(bundle)), PARAMS.with_(alpha=0.8))
    assert plane["data"] == []
    assert "no attacked part" in plane["layout"]["annotations"][0]["text"]
    assert go.Figure(plane).layout.annotations


def test_the_range_holds_the_curve_and_ends_at_a_hundred(engine):
    for s in (1e-3, 0.7, 40.0):
        params = PARAMS.with_(s=s)
        current = views.plane(engine, engine.remix(params)).current
        low, high = drawn(engine, params)["layout"]["xaxis"]["range"]
        assert low <= 100 * current.clean.min() <= 100 * current.clean.max() <= high <= 105
