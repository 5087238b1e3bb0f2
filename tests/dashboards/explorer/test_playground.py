"""The notebooks' playground: what it shows follows its sliders; rows have no gaps; bad names are refused."""

import pytest

from mnuts_core.errors import BundleError, ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.playground import COLUMNS, Playground, show
from mnuts_dashboards.explorer.views import PANELS

EVERYTHING = [panel.name for panel in PANELS]


@pytest.fixture(scope="module")
def play():
    return Playground(EVERYTHING, [*PARAMS, "clamp"], bundle="digits", s=5.0, p=4.0, c=-0.6, alpha=0.99)


def test_every_plot_of_the_explorer_is_drawn(play):
    drawn = play.make(frozenset(EVERYTHING))
    assert set(drawn) == set(EVERYTHING)
    assert all(figure["data"] for figure in drawn.values())


def test_the_numbers_are_the_engines_and_follow_the_state(play):
    play.make(frozenset({"plane"}))
    assert str(play.remix.clean) in play.messages.value
    assert str(play.remix.by_margin) in play.messages.value
    play.state.alpha = 0.6
    play.make(frozenset({"plane"}))
    assert play.params.alpha == 0.6
    assert "α = 0.6 " in play.messages.value


def test_with_beta_the_weight_follows():
    play = Playground(["mix_margins"], ["beta"], bundle="digits", beta=0.9)
    assert play.params.alpha is None
    assert play.remix.threshold == play.engine.threshold(play.params)


def test_figures_of_the_paper_alone_state_no_numbers_of_the_bundle():
    assert Playground(["simplex", "bars"], ["s"], bundle="digits").messages.value == ""


@pytest.mark.parametrize(
    "plots", [["plane"], ["transform", "bars", "simplex"], EVERYTHING, ["slices", "plane"]]
)
def test_rows_are_filled(plots):
    spans = [panel["span"] for panel in Playground(plots, ["s"], bundle="digits").board.panels]
    used = 0
    for span in spans:
        assert span <= COLUMNS
        used = span if used + span > COLUMNS else used + span
        if used == COLUMNS:
            used = 0
    assert used == 0


@pytest.mark.parametrize(
    ("plots", "controls", "named"),
    [
        (["planes"], ["s"], "plots"),
        ([], ["s"], "plots"),
        ("plane", ["s"], "plots"),
        (["plane"], ["q"], "controls"),
    ],
)
def test_unknown_names_are_refused(plots, controls, named):
    with pytest.raises(ParameterError, match=f"{named} must be a list of"):
        Playground(plots, controls, bundle="digits")


def test_an_unknown_bundle_is_refused():
    with pytest.raises(BundleError, match="nowhere"):
        Playground(["plane"], bundle="nowhere")


def test_a_figure_of_ones_own_is_shown_under_its_title():
    assert show({"data": [], "layout": {}}, "Margins", note="n = 3").panels[0]["title"] == "Margins"
