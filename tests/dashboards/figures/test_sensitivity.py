"""Slices of the objective: each cell is the search's, and the marks stand at the best and at the current."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import GridSpec, MixParams, grid_search
from mnuts_core.views import tradeoff
from mnuts_core.views.tradeoff import Sensitivity
from mnuts_dashboards.figures.sensitivity import prepare_slices, slices_figure

PARAMS = MixParams(s=2, p=2, c=-0.3)


def test_slices_show_the_objective(bundle):
    result = grid_search(bundle, GridSpec.paper("cifar10"))
    made = slices_figure(tradeoff.sensitivity(result, PARAMS))
    assert len(go.Figure(made).data) == len(result.grid.p) + 2
    shown = np.where(result.admissible, result.objective, np.nan)
    for j, trace in enumerate(made["data"][:-2]):
        np.testing.assert_allclose(trace["z"], 100 * shown[:, j, :])
    best, (star, mark) = result.best.params, made["data"][-2:]
    assert (star["x"], star["y"]) == ([best.c], [pytest.approx(np.log10(best.s))])
    assert (mark["x"], mark["y"]) == ([PARAMS.c], [pytest.approx(np.log10(PARAMS.s))])
    assert (star["text"], mark["text"]) == ([" "], ["p = 2"])  # between two slices
    on = slices_figure(tradeoff.sensitivity(result, PARAMS.with_(p=float(result.grid.p[2]))))["data"][-1]
    assert on["text"] == [" "]
    far = slices_figure(tradeoff.sensitivity(result, PARAMS.with_(p=10.0)))["data"][-1]
    assert (far["x"], far["y"]) == ([], [])  # no slice is anywhere near


def test_importance_is_the_rise_one_step_from_the_best_cell():
    objective = np.full((3, 2, 3), 0.5)
    objective[1, 0, 2] = 0.3
    objective[0, 0, 2], objective[2, 0, 2], objective[1, 1, 2], objective[1, 0, 1] = 0.31, 0.45, np.nan, 0.3
    s, p, c = np.array([0.1, 1.0, 10.0]), np.array([1.0, 2.0]), np.array([-1.0, -0.5, 0.0])
    view = Sensitivity(objective, s, p, c, best=(1.0, 1.0, 0.0), at=(1.0, 1.5, 0.2))
    drawn = prepare_slices({"sensitivity": view})
    assert drawn["importance"] == {"s": "15.00", "p": "–", "c": "0.00"}
    assert not drawn["outside"]
    for at in ((40.0, 1.0, 0.0), (1.0, 2.6, 0.0), (1.0, 1.0, 0.3)):
        assert prepare_slices({"sensitivity": view._replace(at=at)})["outside"]
