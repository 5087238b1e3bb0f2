"""The trade-off plane: its points are the mix's figures, and Plotly accepts it."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, beta_frontier, grid_search
from mnuts_core.bundles.manifest import SourceCard
from mnuts_core.functional.statistics import share
from mnuts_core.params import IDENTITY
from mnuts_core.views import headline, tradeoff
from mnuts_core.views.tradeoff import alpha_curve
from mnuts_dashboards.bundles.verified import Known
from mnuts_dashboards.figures.other_mixes import leaderboard_points
from mnuts_dashboards.figures.tradeoff import (
    CURRENT,
    CURRENT_BY_MARGIN,
    DIRECT,
    FRONTIER,
    OTHERS,
    SNAPSHOTS,
    plane_figure,
)
from mnuts_dashboards.theme import MIX, PLAIN
from tests.synthetic import clean_only

PARAMS = MixParams(s=2, p=2, c=-0.3)


def drawn(engine, params, frontier=None, *more):
    remix = engine.remix(params)
    table = headline.headline(engine, params, remix)
    return plane_figure(tradeoff.plane(engine, remix), alpha_curve(engine, IDENTITY), frontier, table, *more)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def frontier(engine):
    result = grid_search(engine.bundle, GridSpec.paper("cifar10"))
    return tradeoff.frontier(engine, beta_frontier(result, np.linspace(0.5, 1, 6)))


NAMES = [
    *("plain mix", "plain mix, by margin", FRONTIER, DIRECT, CURRENT, CURRENT_BY_MARGIN),
    *("standard model", "robust model", "this mix, by margin", "this mix"),
    *(SNAPSHOTS, OTHERS, "this mix, verified"),
]


def traces(made):
    """The traces by their names, by which a click finds what it means."""
    return {trace["name"]: trace for trace in made["data"]}


def test_plotly_accepts_it_with_its_traces_always_the_same(engine, frontier):
    kept = (engine.remix(PARAMS),)
    for made in (drawn(engine, PARAMS), drawn(engine, PARAMS, frontier, kept)):
        assert [trace.name for trace in go.Figure(made).data] == NAMES
    of = traces(made)
    np.testing.assert_array_equal(of[FRONTIER]["x"], 100 * frontier.curve.clean)
    assert (of[SNAPSHOTS]["text"], of[SNAPSHOTS]["x"]) == (["A"], [100 * kept[0].clean.value])


def test_the_point_is_the_mix(engine):
    remix = engine.remix(PARAMS)
    by_name = {trace["name"]: trace for trace in drawn(engine, PARAMS)["data"]}
    for name, figure in (("this mix", remix.attacked), ("this mix, by margin", remix.by_margin)):
        point = by_name[name]
        assert point["x"] == [100 * remix.clean.value]
        assert point["y"] == [100 * figure.value]
        low, high = figure.interval
        assert point["error_y"]["array"] == [pytest.approx(100 * (high - figure.value))]
        assert point["error_y"]["arrayminus"] == [pytest.approx(100 * (figure.value - low))]


def test_other_verified_mixes_are_small_stars_with_labels(engine):
    shown = [PARAMS.with_(alpha=0.8), IDENTITY.with_(alpha=0.9)]
    clean, left = engine.remix(PARAMS).clean, share(20, 50, "verified")
    others = [Known(params, "", clean, left, None) for params in shown]
    stars = traces(drawn(engine, PARAMS, None, (), others))[OTHERS]
    assert (stars["x"], stars["y"]) == ([100 * clean.value] * 2, [40.0, 40.0])
    assert stars["marker"]["color"] == [MIX, PLAIN]
    assert stars["hovertext"] == [
        f"s = 2, p = 2, c = -0.3, α = 0.80000, T = 0<br>verified, {left}",
        f"plain mix, α = 0.90000<br>verified, {left}",
    ]
    none = traces(drawn(engine, PARAMS))[OTHERS]
    assert (none["x"], none["showlegend"]) == ([], False)


def test_this_mix_has_a_star_once_it_is_verified(engine):
    remix, left = engine.remix(PARAMS), share(20, 50, "verified")
    table = headline.headline(engine, PARAMS, remix, verified=left)
    plane = plane_figure(tradeoff.plane(engine, remix), alpha_curve(engine, IDENTITY), None, table)
    star = traces(plane)["this mix, verified"]
    assert (star["x"], star["y"], star["meta"]) == (
        [100 * remix.clean.value],
        [40.0],
        "this mix, verified, n = 50",
    )
    assert star["hovertemplate"].startswith("this mix, verified, n = 50")
    assert traces(drawn(engine, PARAMS))["this mix, verified"]["x"] == []


def test_the_standard_model_stands_at_its_own_attacked_accuracy_or_nowhere(engine):
    none = traces(drawn(engine, PARAMS))["standard model"]
    assert (none["y"], none["showlegend"]) == ([None], False)
    first = engine.bundle.attacked.first
    card = SourceCard(name="APGD", target="g")
    wrong = np.roll(np.eye(10)[first.labels], 1, axis=1)
    attacked = RemixEngine(engine.bundle.with_points(card, first.index, wrong, first.rob_logits))
    shown = traces(drawn(attacked, PARAMS))["standard model"]
    assert (shown["y"], shown["showlegend"]) == ([0.0], True)


def test_among_entries_the_mix_has_places_where_they_are_comparable(engine):
    remix = engine.remix(PARAMS)
    clean, attacked = (100 * figure.value for figure in (remix.clean, remix.attacked))
    meta = {"dataset": "CIFAR-10", "norm": "Linf", "eps": 8 / 255, "incomparable": ""}
    row = {
        "dataset": "cifar10",
        "norm": "Linf",
        "epsilon": "8/255",
        "kind": "robust",
        "model": "A",
        "venue": "",
    }
    accuracies = ((clean + 1, attacked), (clean, attacked + 1), (clean - 1, attacked + 1))
    rows = [row | {"clean_percent": x, "autoattack_percent": y} for x, y in accuracies]
    rows.append(rows[0] | {"kind": "standard_base"})
    fields = {"meta": meta, "options": {"robustbench": True}, "paper": {"robustbench": rows}, "remix": remix}
    found = leaderboard_points(fields)
    assert found["places"] == {"clean": 2, "attacked": 3, "of": 3}
    assert len(found["x"]) == 4
    assert found["hover"][0] == "A"
    verified = share(round((attacked + 2) * 10), 1000, "verified")
    assert (
        leaderboard_points(fields | {"headline": {"mix": {"verified": verified}}})["places"]["attacked"] == 1
    )
    assert leaderboard_points(fields | {"meta": meta | {"incomparable": "JPEG"}})["places"] is None
    assert leaderboard_points(fields | {"options": {}})["places"] is None


def test_without_an_attack_there_is_no_trade_off(bundle):
    plane = drawn(RemixEngine(clean_only(bundle)), PARAMS.with_(alpha=0.8))
    assert plane["data"] == []
    assert "no attacked part" in plane["layout"]["annotations"][0]["text"]
    assert go.Figure(plane).layout.annotations


def test_the_range_holds_the_curve_and_ends_at_a_hundred(engine):
    for s in (1e-3, 0.7, 40.0):
        params = PARAMS.with_(s=s)
        current = tradeoff.plane(engine, engine.remix(params)).current
        low, high = drawn(engine, params)["layout"]["xaxis"]["range"]
        assert low <= 100 * current.clean.min() <= 100 * current.clean.max() <= high <= 105
