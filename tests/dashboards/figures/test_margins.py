"""Histograms and medians of margins: they count every example, and stand where the margins do."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from mnuts_core import MixParams, RemixEngine
from mnuts_core.views import margins as margins_view
from mnuts_dashboards.figures.margins import histogram_figure
from mnuts_dashboards.figures.medians import medians_figure
from tests.synthetic import clean_only

PARAMS = MixParams(s=2, p=2, c=-0.3)


@pytest.fixture(scope="module")
def engine(bundle):
    return RemixEngine(bundle)


@pytest.fixture(scope="module")
def base(engine):
    return margins_view.base_histograms(engine)


@pytest.fixture(scope="module")
def remix(engine):
    return engine.remix(PARAMS)


@pytest.fixture(scope="module")
def mixed(remix):
    return histogram_figure({"M(h)": margins_view.mix_histograms(remix)}, remix.threshold)


def test_plotly_accepts_them(base, remix, mixed):
    for made in (histogram_figure(base), mixed, medians_figure(base, margins_view.mix_histograms(remix))):
        assert len(go.Figure(made).data) == len(made["data"]) > 0


def test_histograms_count_every_example(base, mixed, bundle):
    clean = [trace for trace in histogram_figure(base)["data"] if trace["yaxis"] in ("y", "y2", "y3")]
    per_column = np.zeros(3, int)
    for trace in clean:
        per_column[int(trace["yaxis"][1:] or 1) - 1] += trace["customdata"].sum()
    assert per_column.tolist() == [bundle.n_clean] * 3
    assert sum(trace["y"].sum() for trace in clean) == pytest.approx(300)
    bars = [trace for trace in mixed["data"] if trace["type"] == "bar"]
    assert sum(trace["customdata"].sum() for trace in bars) == bundle.n_clean + bundle.n_adv


def test_the_threshold_stands_where_it_is(remix, mixed):
    lines = [trace for trace in mixed["data"] if trace["type"] == "scatter"]
    assert [line["x"] for line in lines] == [[remix.threshold] * 2] * 2


def test_the_gap_is_attacked_right_minus_clean_wrong(base, remix):
    data = medians_figure(base, margins_view.mix_histograms(remix))["data"]
    heights = {trace["name"]: trace["y"][3] for trace in data}
    words = next(trace for trace in data if trace["name"] == "margin gap")
    assert words["text"][-1].endswith(f"{heights['attacked right'] - heights['clean wrong']:+.3f}")


def test_without_an_attack_the_attacked_row_is_absent(bundle):
    engine = RemixEngine(clean_only(bundle))
    mix = margins_view.mix_histograms(engine.remix(PARAMS.with_(alpha=0.8)))
    base = margins_view.base_histograms(engine)
    margins = histogram_figure(base | {"M(h)": mix})
    assert len(margins["data"]) == 8
    assert go.Figure(margins).data
    names = [trace["name"] for trace in medians_figure(base, mix)["data"]]
    assert names == ["clean right", "clean wrong", "margin gap"]


def test_no_bar_leaves_its_fixed_range(engine):
    """An axis that fits itself anew at every move of a slider could not be drawn in place."""
    for s in (1e-3, 0.7, 40.0):
        remix = engine.remix(PARAMS.with_(s=s))
        made = histogram_figure({"M(h)": margins_view.mix_histograms(remix)}, remix.threshold)
        for trace in made["data"]:
            assert max(trace["y"]) <= made["layout"][f"yaxis{trace['yaxis'][1:]}"]["range"][1]


def test_g_is_never_called_attacked(base, remix):
    """The points were found against h: nobody attacked g."""
    figure = histogram_figure(base)
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert "<b>g</b>, not attacked itself" in texts
    texts += [trace["hovertemplate"] for trace in figure["data"]]
    texts += [trace["meta"]["name"] for trace in figure["data"]]
    assert not [text for text in texts if re.match(r"(<b>)?g(</b>)?, attacked", text)]
    medians = medians_figure(base, margins_view.mix_histograms(remix))
    assert medians["layout"]["xaxis"]["ticktext"][0] == "g<br>not attacked"
    hovers = [trace["hovertext"] for trace in medians["data"] if trace["type"] == "bar"]
    assert [text[0] for text in hovers] == [
        "g, clean right",
        "g, clean wrong",
        "g, right at h's attack points (not attacked)",
        "g, wrong at h's attack points (not attacked)",
    ]
    assert hovers[2][1] == "h, attacked right"
