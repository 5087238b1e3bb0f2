"""The search of the explorer, and clicks on plots that lead to its cells and mixes."""

import pytest

from mnuts_core import grid_search
from mnuts_core.search.direct import direct_search
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.figures.tradeoff import CURRENT, DIRECT, FRONTIER


def test_find_best_moves_to_what_the_core_finds(explorer, bundle):
    explorer.state.set(s=0.7, p=1.5, c=0.3, beta=0.95)
    explorer.controls.find.click()
    best = grid_search(bundle, explorer.opened.grids["cifar10"], 0.95).best
    assert explorer.state.params == best.params.with_(alpha=None)
    assert f"{100 * best.objective:.1f} %" in explorer.controls.found.value
    assert not explorer.controls.find.disabled


def test_a_wider_grid_is_offered_on_the_edge_and_searched(explorer):
    explorer.controls.find.click()
    result = explorer.opened.searches[("cifar10", "gelu", 250)].at_beta(explorer.state.beta)
    assert result.edges, "the made-up bundle has its optimum on the edge"
    assert explorer.controls.widen.layout.display == ""
    explorer.controls.widen.click()
    assert explorer.state.grid == "cifar10+"
    assert "cifar10+" in explorer.controls.inputs["grid"].options
    assert "grid cifar10+" in explorer.controls.found.value


def test_a_click_in_a_slice_goes_there(explorer):
    explorer.board._receive(
        None,
        {"type": "event", "panel": "slices", "kind": "click", "points": [{"curve": 2, "x": -1.1, "y": -1.0}]},
        [],
    )
    grid = explorer.opened.grids["cifar10"]
    assert (explorer.state.p, explorer.state.c) == (grid.p[2], -1.1)
    assert explorer.state.s == grid.s[1]  # nearest to 0.1


def test_what_was_found_fades_when_the_settings_move_on(explorer):
    explorer.controls.find.click()
    explorer.make(ALL)
    assert "for β = 0.985" in explorer.controls.found.value
    assert "mnuts-stale" not in explorer.controls.found._dom_classes
    explorer.state.c = 0.123
    explorer.make(ALL)
    assert "mnuts-stale" in explorer.controls.found._dom_classes


def test_clicks_on_the_plane_go_there(explorer, click):
    plane = explorer.make(ALL)["plane"]["data"]
    frontier = explorer._look().frontier

    click(explorer, FRONTIER, 3)
    assert explorer.state.params == frontier.params[3].with_(alpha=None)
    assert explorer.remix.clean.value == pytest.approx(frontier.curve.clean[3], abs=0.01)
    alpha = float(next(trace for trace in plane if trace["name"] == CURRENT)["customdata"][5])
    click(explorer, CURRENT, 5, customdata=alpha)
    assert (explorer.state.by_hand, explorer.state.alpha) == (True, alpha)
    before = explorer.state.params
    click(explorer, "robust, attacked", 0)
    assert explorer.state.params == before


@pytest.mark.parametrize(("kept", "least"), [("clean", 0.9), ("attacked", 0.2)])
def test_find_best_keeps_an_accuracy(explorer, bundle, kept, least):
    explorer.state.set(find_by=kept, least=least, temperature=0.5)
    explorer.controls.find.click()
    found = direct_search(bundle, explorer.opened.grids["cifar10"])
    want = found.clean_at_least(least) if kept == "clean" else found.attacked_at_least(least)
    assert explorer.state.params == want.params.with_(beta=explorer.state.beta)
    text = explorer.controls.found.value
    assert f"at {kept} accuracy of at least {100 * least:g} %" in text
    assert f"{100 * want.attacked:.2f} % of {bundle.n_adv:,} images (MMAA points only: optimistic)" in text
    assert f"clean {100 * want.clean:.2f} % of {bundle.n_adv:,} seen; " in text
    assert f"of {bundle.n_clean - bundle.n_adv:,} unseen" in text
    assert "plain mix: clean" in text
    explorer.make(ALL)
    assert "mnuts-stale" not in explorer.controls.found._dom_classes


def test_an_accuracy_out_of_reach_is_refused(explorer):
    explorer.state.set(find_by="clean", least=1.0)
    before = explorer.state.params
    explorer.controls.find.click()
    assert explorer.state.params == before
    assert "accuracy of at least 100 %: the most is" in explorer.header.banner.value


def test_the_accuracy_can_be_set_only_where_it_is_kept(explorer):
    least, find = explorer.controls.inputs["least"], explorer.controls.find
    assert (least.box.disabled, find.description) == (True, "Find best for this β")
    explorer.state.find_by = "attacked"
    assert (least.box.disabled, find.description) == (False, "Find best")
    assert "find=attacked" in explorer.link()


def test_a_click_on_the_direct_frontier_goes_there(explorer, click):
    explorer.make(ALL)
    frontier = explorer._look().direct
    click(explorer, DIRECT, 2)
    assert explorer.state.params == frontier.params[2].with_(beta=explorer.state.beta)
    assert explorer.remix.clean.value == pytest.approx(frontier.curve.clean[2], abs=1e-9)
    assert explorer.remix.attacked.value == pytest.approx(frontier.curve.attacked[2], abs=1e-9)
