"""The notebooks' playground as a page: its controls move the mix's figures; one figure needs no engine."""

from __future__ import annotations

import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_dashboards.explorer.playground import playground_app, still_app
from tests.dashboards.web.explorer.visit import Visit, opened


@pytest.fixture
def playground(visit, bundle):
    app = playground_app(["plane", "transform"], ["beta", "s", "clamp"])
    return Visit(visit._ask, app).open(opened("made-up", bundle))


def test_its_controls_move_the_figures(playground, bundle):
    engine = RemixEngine(bundle)
    playground.type("s", "2.5")
    playground.choose("clamp", "relu")
    playground.type("beta", "0.9")
    mix = engine.remix(MixParams(s=2.5, p=3, c=-1, clamp="relu", beta=0.9))
    figures = playground.text("brief")
    for figure in (mix.clean, mix.attacked, mix.by_margin):
        assert f"{100 * figure.value:.2f} %" in figures
    assert f"n = {mix.attacked.n}" in figures


def test_what_is_not_allowed_is_said_and_moves_nothing(playground):
    before = playground.text("brief")
    playground.type("beta", "3")
    assert "between 0 and 1" in playground.text("banner")
    assert playground.text("brief") == before
    playground.type("beta", "0.9")
    assert not playground.isShown("Dismiss")


def test_a_figure_that_stands_still_needs_no_bundle(visit):
    app = still_app({"data": [], "layout": {}}, "Margins", 300, "n = 3")
    assert Visit(visit._ask, app).open().text("plot-panel").startswith("Margins")
