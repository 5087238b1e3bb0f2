"""Slices of the objective: each cell is the search's, and the marks stand at the best and at the current."""

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import GridSpec, MixParams, grid_search
from mnuts_core.views import tradeoff
from mnuts_dashboards.figures.sensitivity import slices_figure

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
