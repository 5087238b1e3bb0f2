"""The notebooks' playground: what Python and its page share; plots that stand still; rows; bad names."""

import html
import json
import re

import pytest

from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.apps.playground import STILL_VARIABLE, Playground, show
from mnuts_dashboards.explorer.playground import COLUMNS, playground_app
from mnuts_dashboards.explorer.view import view_json
from mnuts_dashboards.explorer.views import BY_NAME
from tests.dashboards.apps.conftest import assert_a_page_writes_nothing_else

EVERYTHING = list(BY_NAME)


@pytest.fixture(scope="module")
def play():
    return Playground(EVERYTHING, [*PARAMS, "clamp"], bundle="digits", s=5.0, p=4.0, c=-0.6, alpha=0.99)


def drawn(widget):
    """The figures that stand in a widget's HTML."""
    return [
        json.loads(html.unescape(text)) for text in re.findall(r'data-figure="([^"]*)"', str(widget.still()))
    ]


def test_its_page_begins_as_python_has_it_and_needs_no_free_kernel(play):
    assert play.view == view_json(play.state)
    assert play.view["by_hand"]
    assert (play.view["s"], play.view["alpha"]) == (5.0, 0.99)
    assert play.carried["opened"]["meta"]["name"] == "digits"
    assert len(play.carried["buffers"][0]) > 0
    assert b"Plotly" in play.carried["library"]


def test_what_either_sets_the_other_takes_over():
    play = Playground(["mix_margins"], ["beta"], bundle="digits", beta=0.9)
    seen = []
    play.state.observe(lambda change: seen.append(change["new"]), names="beta")
    play.state.beta = 0.8
    assert play.view["beta"] == 0.8
    play.set_state({"view": play.view | {"beta": 0.7}})
    assert (play.params.beta, play.params.alpha) == (0.7, None)
    assert seen == [0.8, 0.7]
    play.set_state({"view": play.view | {"bundle": "cifar10"}})
    assert play.view["bundle"] == "digits"


def test_a_page_writes_the_state_and_nothing_else(play):
    assert_a_page_writes_nothing_else(play)


def test_every_plot_stands_still_with_the_mixs_figures_above(play):
    text = html.unescape(str(play.still()))
    for figure in (play.remix.clean, play.remix.attacked, play.remix.by_margin):
        assert str(figure) in text
    assert len(drawn(play)) == len(EVERYTHING)
    assert all(figure["data"] for figure in drawn(play))
    assert set(play.figures()) == set(EVERYTHING)


def test_figures_of_the_paper_alone_state_no_numbers_of_the_bundle():
    play = Playground(["simplex", "bars"], ["s"], bundle="digits")
    assert not play.page["figures"]
    assert "attacked at most" not in str(play.still())


def test_where_nothing_runs_it_there_is_html_alone(play, monkeypatch):
    data, *_ = play._repr_mimebundle_()
    assert {"application/vnd.jupyter.widget-view+json", "text/html"} <= set(data)
    monkeypatch.setenv(STILL_VARIABLE, "1")
    assert set(play._repr_mimebundle_()) == {"text/html", "text/plain"}


@pytest.mark.parametrize(
    "plots", [["plane"], ["transform", "bars", "simplex"], EVERYTHING, ["slices", "plane"]]
)
def test_rows_are_filled(plots):
    panels = playground_app(plots, ["s"]).content["catalogue"]["panels"]
    assert [panel["name"] for panel in panels] == plots
    used = 0
    for span in (panel["span"] for panel in panels):
        assert used + span <= COLUMNS
        used = (used + span) % COLUMNS
    assert used == 0


@pytest.mark.parametrize(
    ("plots", "controls", "named"),
    [
        (["planes"], ["s"], "plots"),
        ("plane", ["s"], "plots"),
        (["plane"], ["q"], "controls"),
    ],
)
def test_unknown_names_are_refused(plots, controls, named):
    with pytest.raises(ParameterError, match=f"{named} must be a list of"):
        Playground(plots, controls, bundle="digits")


def test_plots_are_needed_controls_are_not():
    with pytest.raises(ParameterError, match="plots must name some of"):
        Playground([], ["s"], bundle="digits")
    play = Playground(["margins"], [], bundle="digits")
    assert (play.page["controls"], play.page["figures"]) == ([], False)


def test_an_unknown_bundle_is_refused():
    with pytest.raises(BundleError, match="nowhere"):
        Playground(["plane"], bundle="nowhere")


def test_a_figure_of_ones_own_is_shown_under_its_title():
    figure = {"data": [{"type": "scatter", "y": [0.0, float("nan")]}], "layout": {}}
    shown = show(figure, "Margins <1>", note="n = 3")
    assert shown.page["catalogue"]["panels"][0]["title"] == "Margins <1>"
    assert "Margins &lt;1&gt;" in shown.still()
    assert drawn(shown)[0]["data"] == [{"type": "scatter", "y": [0.0, None]}]
