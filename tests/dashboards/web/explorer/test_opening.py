"""What a page opens on: the best mix, searched in the background, with something to see meanwhile."""

from __future__ import annotations

import numpy as np
import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.params import IDENTITY, PAPER_OPTIMA
from mnuts_core.search.grids import GridSpec
from tests.dashboards.web.explorer.visit import opened, verified
from tests.synthetic import clean_only, make_bundle

PAPER = PAPER_OPTIMA["cifar10"]


@pytest.fixture(scope="module")
def small():
    return make_bundle(n=100, m=60)


@pytest.fixture(scope="module")
def made_up(small):
    return opened("made-up", small)


def best(bundle, beta):
    return grid_search(bundle, GridSpec.paper("cifar10"), beta).best.params.with_(alpha=None)


def transform(visit):
    return tuple(visit.state[name] for name in "spc")


def test_it_opens_at_once_and_goes_to_the_best_when_it_is_found(held, made_up, small):
    held.open(made_up)
    assert transform(held) == (PAPER.s, PAPER.p, PAPER.c)
    assert held.address == "bundle=made-up"  # the best is what it means
    assert held.seen["searching"]
    held.hold(False)
    assert held.params == best(small, 0.985)
    assert (held.address, held.errors) == ("bundle=made-up", [])
    assert (held.seen["undo"], held.seen["searching"]) == (False, False)  # no step of its own


def test_a_link_without_a_transform_opens_on_the_best_at_its_level(held, made_up, small):
    held.open(made_up, query="beta=0.9&T=1")
    assert held.address == "bundle=made-up&beta=0.9&T=1"
    held.hold(False)
    assert held.params == best(small, 0.9).with_(temperature=1)
    assert "&s=" in held.address
    assert held.seen["entries"] == 1


def test_what_the_visitor_moves_meanwhile_stays(held, made_up):
    held.open(made_up)
    held.type("c", "-0.5")
    held.hold(False)
    assert transform(held) == (PAPER.s, PAPER.p, -0.5)
    assert not held.seen["searching"]


def test_a_cancelled_search_leaves_the_mix_that_is_shown_and_the_link_says_so(held, made_up):
    held.open(made_up)
    held.press("Cancel")
    assert transform(held) == (PAPER.s, PAPER.p, PAPER.c)
    assert not held.seen["searching"]
    held.hold(False)
    assert held.address == "bundle=made-up&s=5&p=4&c=-1.1"
    assert held.errors == []


def test_find_best_during_the_opening_search_waits_for_that_very_search(held, made_up, small):
    held.open(made_up)
    held.type("beta", "0.9")
    held.press("Find best for this β")
    assert held.seen["searching"]
    held.hold(False)
    assert held.params == best(small, 0.9)


def test_another_clamp_takes_the_place_of_the_search_under_way(held, made_up):
    held.open(made_up)
    held.choose("clamp", "relu")
    held.hold(False)
    assert transform(held) == (PAPER.s, PAPER.p, PAPER.c)
    assert not held.seen["searching"]
    assert held.address == "bundle=made-up&s=5&p=4&c=-1.1&clamp=relu"


@pytest.fixture(scope="module")
def never_wrong():
    """Two classes, one attacked image, every answer right: there is a level, and nothing to search."""
    labels = np.arange(30) % 2
    logits = np.where(np.arange(2) == labels[:, None], 1.0, -1.0) * np.linspace(0.5, 2.0, 30)[:, None]
    arrays = {"clean_labels": labels, "clean_std_logits": 3 * logits, "clean_rob_logits": logits}
    arrays |= {"adv_index": np.array([0]), "adv_std_logits": -logits[:1], "adv_rob_logits": logits[:1]}
    return opened("never wrong", LogitBundle.from_arrays(**arrays))


@pytest.fixture(scope="module")
def clean(small):
    return opened("clean", clean_only(small))


def test_where_no_search_is_possible_it_opens_on_the_plain_mix(held, never_wrong, clean):
    held.open(never_wrong)
    held.hold(False)
    assert held.params == IDENTITY.with_(beta=0.985)
    assert held.address == "bundle=never%20wrong&s=1&p=1&c=0&clamp=linear&k=0"
    assert (held.errors, held.seen["searching"]) == ([], False)
    held.open(clean)
    assert held.params == IDENTITY.with_(beta=0.985, alpha=held.state["alpha"])
    held.type("c", "-0.5")
    held.press("Defaults")
    assert transform(held) == (1, 1, 0)


def test_alpha_follows_from_beta_again_where_the_page_alone_put_it_by_hand(visit, made_up, clean):
    visit.open(clean, made_up)
    assert visit.state["by_hand"]
    visit.choose("Bundle", "made-up")
    assert not visit.state["by_hand"]
    visit.choose("Bundle", "clean")
    assert visit.state["by_hand"]
    visit.type("alpha", "0.9")
    visit.choose("Bundle", "made-up")
    assert (visit.state["by_hand"], visit.state["alpha"]) == (True, 0.9)
    visit.open(clean, made_up, query="alpha=0.8")
    visit.choose("Bundle", "made-up")
    assert (visit.state["by_hand"], visit.state["alpha"]) == (True, 0.8)


def test_what_is_wrong_with_a_link_outlasts_the_search_behind_it(held, made_up, small):
    held.open(made_up, query="beta=2")
    held.hold(False)
    assert held.params == best(small, 0.985)
    assert held.errors == ["β must be between 0 and 1. Did you mean 0.02?"]


def test_a_bundle_with_a_verified_mix_opens_on_it_without_a_search(held, small, tmp_path):
    config = verified(RemixEngine(small), MixParams(s=2, p=2, c=-0.3))
    held.open(opened("made-up", small, [(tmp_path / "mine.json", config)]))
    assert held.params == MixParams(s=2, p=2, c=-0.3)
    assert held.address == "bundle=made-up"
    assert held.seen["preset"] == "mine, β = 0.985"
    held.type("c", "-0.4")
    assert held.address == "bundle=made-up&s=2&p=2&c=-0.4"


def test_a_page_that_has_ended_listens_to_nothing(held, made_up):
    """In JupyterLab a cell that runs again puts another page in its place, many times in one document."""
    assert held.open(made_up).close() == 0
