"""*Find best*: what it finds, a wider grid, an accuracy to keep; what was found ages."""

from __future__ import annotations

import pytest

from mnuts_core import grid_search
from mnuts_core.search.direct import direct_search
from mnuts_core.search.grids import GridSpec
from tests.dashboards.web.explorer.visit import opened
from tests.synthetic import make_bundle

GRID = GridSpec.paper("cifar10")


@pytest.fixture
def there(visit, bundle):
    visit.hold(True)
    visit.open(opened("made-up", bundle), query="s=0.7&p=1.5&c=0.3&beta=0.95")
    visit.hold(False)
    return visit


def test_find_best_moves_to_what_the_core_finds(there, bundle):
    there.press("Find best for this β")
    best = grid_search(bundle, GRID, 0.95).best
    assert there.params == best.params.with_(alpha=None)
    assert "best of the grid for β = 0.95" in there.seen["found"]
    assert f"{100 * best.objective:.1f} %" in there.text("shows-searchresults")
    assert not there.isDisabled("Find best for this β")
    there.press("Undo")
    assert there.state["s"] == 0.7


def test_a_wider_grid_is_offered_on_the_edge_and_searched(there, bundle):
    there.press("Find best for this β")
    assert grid_search(bundle, GRID, 0.95).edges, "the made-up bundle has its optimum on the edge"
    there.press("Search a wider grid")
    assert there.state["grid"] == "cifar10+"
    assert "cifar10+" in there.offers("grid")
    assert "grid cifar10+" in there.text("shows-searchresults")
    assert "grid" not in there.address  # it is known on this page alone


def test_what_was_found_is_marked_when_the_settings_move_on(there):
    stale = "The settings have moved on since."
    there.press("Find best for this β")
    assert stale not in there.text("shows-searchresults")
    there.type("c", "0.123")
    assert stale in there.text("shows-searchresults")


@pytest.mark.parametrize(("kept", "least"), [("clean", 0.9), ("attacked", 0.2)])
def test_find_best_keeps_an_accuracy(there, bundle, kept, least):
    assert there.box("least")["disabled"]
    there.choose("keep", f"{kept} accuracy of at least")
    assert not there.box("least")["disabled"]
    assert f"find={kept}" in there.address
    there.type("least", str(least))
    there.type("temperature", "0.5")
    there.press("Find best")
    found = direct_search(bundle, GRID)
    want = found.clean_at_least(least) if kept == "clean" else found.attacked_at_least(least)
    alpha = there.params.alpha
    assert alpha == pytest.approx(want.params.alpha, abs=1e-12)
    assert there.params == want.params.with_(alpha=alpha, beta=0.95)
    text = there.text("shows-searchresults")
    assert f"at {kept} accuracy of at least {100 * least:g} %" in text
    assert f"{100 * want.attacked:.2f} % of {bundle.n_adv:,} images (MMAA points only: optimistic)" in text
    assert f"clean {100 * want.clean:.2f} % of {bundle.n_adv:,} seen; " in text
    assert f"of {bundle.n_clean - bundle.n_adv:,} unseen" in text
    assert "plain mix: clean" in text


def test_an_accuracy_out_of_reach_is_refused(there):
    there.choose("keep", "clean accuracy of at least")
    there.type("least", "1")
    before = there.params
    there.press("Find best")
    assert there.params == before
    [error] = there.errors
    assert "accuracy of at least 100 %: the most is" in error


def test_where_nothing_is_found_the_page_says_why_it_shows_the_plain_mix(visit, bundle):
    """Until something is found, or another bundle is open."""
    right = make_bundle(n=60, m=30, k=2)
    visit.open(opened("right", right), opened("made-up", bundle))
    assert (visit.state["s"], visit.state["clamp"]) == (1, "linear")
    assert visit.seen["found"].startswith("Algorithm 1 has nothing to go by")
    visit.choose("Bundle", "made-up")
    assert visit.seen["found"] == ""
