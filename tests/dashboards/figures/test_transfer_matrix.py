"""The transfer matrix: Plotly accepts it, and its cells show accuracy and loss."""

import plotly.graph_objects as go
import pytest

from mnuts_core.functional.statistics import share
from mnuts_core.params import MixParams
from mnuts_core.views.transfer_matrix import Transfer
from mnuts_dashboards.figures.transfer_matrix import transfers_figure


def cell(source, target, clean=90, loss=0.02, **more):
    params = MixParams(alpha=0.9)
    return Transfer(
        source,
        target,
        params,
        share(clean, 100, "clean"),
        attacked=share(50, 80, "attacked"),
        by_margin=share(40, 80, "right by margin"),
        clean_loss=loss,
        attacked_loss=-0.0125,
        by_margin_loss=0.0,
        **more,
    )


def test_the_matrix_shows_figures_and_losses():
    cells = [cell("a", "a", loss=0.0), cell("a", "b"), Transfer("a", "c", refused="no attack")]
    made = transfers_figure(cells, ["a", "b", "c"], ("a", "b"))
    go.Figure(made)
    clean, attacked, by_margin = made["data"]
    assert clean["z"] == [[0.0, pytest.approx(2.0), None]]
    assert attacked["z"] == [[-1.25, -1.25, None]]
    texts = [note["text"] for note in made["layout"]["annotations"]]
    assert "90.0<br>own" in texts
    assert "90.0<br>2.0" in texts
    assert "62.5<br>−1.2" in texts or "62.5<br>−1.3" in texts
    assert texts.count("–") == 3
    assert "no figures" in by_margin["customdata"][0][2]
    assert "[82.6, 94.5], n = 100" in clean["customdata"][0][1]
    assert [(shape["x0"], shape["y0"]) for shape in made["layout"]["shapes"]] == [(0.5, -0.5)] * 3


def test_names_of_bundles_are_text():
    made = transfers_figure([cell("<b>", "<b>", loss=0.0)], ["<b>"])
    trace = made["data"][0]
    assert trace["x"] == trace["y"] == made["layout"]["yaxis"]["ticktext"] == ["&lt;b&gt;"]
    assert trace["meta"]["x"] == ["<b>"]
    assert trace["customdata"][0][0].startswith("parameters of &lt;b&gt;, applied to &lt;b&gt;")


def test_without_any_best_the_matrix_says_so():
    made = transfers_figure([], ["a"])
    go.Figure(made)
    assert "needs attacked images" in made["layout"]["annotations"][0]["text"]
