"""The address is what *Copy link* gives, after whatever a visitor does, and opens the same view anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mnuts_core import MixConfig, MixParams, RemixEngine
from mnuts_core.clamps import CLAMPS
from tests.dashboards.web.explorer import visit as visits
from tests.dashboards.web.explorer.visit import Visit, opened
from tests.dashboards.web.node import running
from tests.synthetic import clean_only, make_bundle

OTHER = make_bundle(seed=5, n=80, m=50)
FIRST, SECOND = opened("first", make_bundle(n=100, m=60)), opened("second", OTHER)
BUNDLES = [FIRST, SECOND, opened("clean", clean_only(OTHER))]
CONFIG = MixConfig.from_remix(RemixEngine(OTHER), MixParams(s=20, p=9.5, c=-0.123456789, beta=0.91))

ACTS = [
    *(["choose", "Bundle", name] for name in ("first", "second", "clean")),
    *(["press", name] for name in ("Undo", "Redo", "Defaults", "Find best for this β", "Keep a snapshot")),
    ["choose", "Preset", "Best of the grid for this β"],
    ["choose", "Preset", "Paper: CIFAR-100 (Table 3)"],
    ["choose", "Preset", "Plain mix (no transform)"],
    ["slide", "c", -0.35],
    ["slide", "s", 0.41],
    ["type", "s", "4321.123456789"],
    ["type", "beta", "0.912345"],
    ["type", "p", "many"],
    ["press", "α by hand"],
    ["press", "α from β"],
    ["slide", "alpha", 0.6],
    ["choose", "clamp", CLAMPS[1]],
    ["choose", "clamp", "gelu"],
    ["typeInto", "layer norm over top-k logits", "5"],
    ["type", "temperature", "0.25"],
    ["choose", "grid", "cifar100"],
    ["choose", "Source", "a clean image"],
    ["choose", "Source", "an attacked image"],
    ["typeInto", "Image no.", "40"],
    ["restore"],
    ["remove"],
    ["go", -1],
    ["go", 1],
    ["file", "mine.json", CONFIG.to_json()],
]


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visit]:
    """Another page, which comes by a link."""
    with running(visits.DRIVER) as ask:
        yield Visit(ask)


def act(visit, name, *given):
    """Do what can be done: a visitor cannot use what is disabled or not there."""
    if name in ("restore", "remove"):
        name, given = "press", [f"{name.capitalize()} A"]
    if name in ("slide", "type"):
        possible = not visit.box(given[0])["disabled"]
    elif name == "typeInto":
        possible = not visit.field(given[0])["disabled"]
    else:
        possible = name != "press" or visit.isShown(given[0])
    if possible:
        getattr(visit, name)(*given)


def view(seen):
    """What a visitor sees of the settings, and the figures."""
    state = {key: seen["state"][key] for key in ("bundle", "snapshots", "hidden", "case", "row")}
    if state["case"] == "paper":
        del state["row"]
    return state | {"params": visits.params_of(seen["state"]), "rows": seen["rows"]}


@settings(max_examples=8, phases=[Phase.generate])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=5))
def test_the_address_is_the_copied_link_and_opens_the_same_view(visit, visitor, acts):
    visit.open(*BUNDLES, query="bundle=first")
    for each in acts:
        act(visit, *each)
        visit.press("Copy link")
        seen = visit.seen
        assert seen["address"] == seen["copied"]
    visitor.open(*BUNDLES, query=seen["address"])
    assert view(visitor.seen) == view(seen)
    assert visitor.address == seen["address"]


def test_a_bundle_that_is_on_its_way_keeps_the_transform_and_the_address_says_so(visit):
    visit.open(*BUNDLES, slow=["second"])
    before = visit.seen
    assert before["address"] == "bundle=first"
    visit.choose("Bundle", "second")
    coming = visit.seen
    assert coming["opening"] == "opening second …"
    assert coming["rows"] == before["rows"]
    s, p, c = (f"{before['state'][name]!r}".removesuffix(".0") for name in "spc")
    assert coming["address"] == f"bundle=second&s={s}&p={p}&c={c}"
    visit.comes("second")
    there = visit.seen
    assert (there["opening"], there["address"]) == ("", coming["address"])
    assert visit.params == visits.params_of(before["state"])
    assert there["rows"] != before["rows"]
    visit.press("Defaults")
    assert visit.address == "bundle=second"
    assert visit.params != visits.params_of(before["state"])


def test_a_bundle_that_is_on_its_way_can_be_undone(visit):
    visit.open(*BUNDLES, slow=["second"])
    before = visit.seen
    visit.choose("Bundle", "second")
    visit.press("Undo")
    assert (visit.state["bundle"], visit.address) == ("first", "bundle=first")
    visit.comes("second")
    assert (visit.seen["rows"], visit.address) == (before["rows"], "bundle=first")


def test_the_address_leaves_out_what_turns_out_to_be_the_bundles_own_best(visit):
    best = visit.open(*BUNDLES, query="bundle=second").params
    visit.open(*BUNDLES, query=f"bundle=first&s={best.s!r}&p={best.p!r}&c={best.c!r}")
    visit.choose("Bundle", "second")
    assert visit.params == best
    assert visit.address == "bundle=second"


def test_another_bundle_has_no_grid_that_was_widened_on_the_first(visit):
    visit.open(*BUNDLES)
    visit.press("Find best for this β")
    visit.press("Search a wider grid")
    assert visit.state["grid"] == "cifar10+"
    visit.choose("Bundle", "second")
    assert (visit.state["grid"], visit.offers("grid")) == ("cifar10", ["cifar10", "cifar100", "imagenet"])


def test_a_broken_bundle_is_refused_by_a_message_and_the_old_one_stays(visit):
    bad = {"name": "bad", "broken": "bad.safetensors is damaged"}
    visit.open(bad, FIRST)
    assert (visit.state["bundle"], visit.errors) == ("first", ["bad.safetensors is damaged."])
    before = visit.seen["rows"]
    visit.choose("Bundle", "bad")
    assert (visit.state["bundle"], visit.seen["rows"]) == ("first", before)
    assert visit.errors == ["bad.safetensors is damaged."]


def test_where_no_bundle_can_be_fetched_any_more_the_open_one_stays_and_goes_on(visit):
    visit.open(*BUNDLES)
    before = visit.seen["rows"]
    visit.cutOff(True)
    visit.choose("Bundle", "second")
    assert (visit.state["bundle"], visit.errors) == ("first", ["second: the kernel has ended."])
    assert visit.seen["rows"] == before
    assert "bundle=first" in visit.address
    visit.type("p", "1.5")
    assert visit.seen["rows"] != before
    assert visit.errors == ["second: the kernel has ended."]


def test_a_link_chooses_the_bundle_as_one_view(visit):
    visit.open(*BUNDLES)
    visit.link("bundle=clean&s=2&p=2&c=-0.3&alpha=0.8&shows=clean&image=3")
    assert visit.address == "bundle=clean&s=2&p=2&c=-0.3&alpha=0.8&shows=clean&image=3"
    assert visit.errors == []
    visit.link("bundle=../../etc/passwd")
    assert visit.state["bundle"] == "clean"
    assert visit.errors == ["bundle must be one of first, second, clean, got '../../etc/passwd'."]
    visit.link("bundle=first")
    assert not visit.state["by_hand"]


def test_a_link_sets_everything_and_reads_back(visit):
    query = (
        "bundle=first&s=0.5&p=2&c=-0.4&clamp=relu&k=5&alpha=0.8&T=1&grid=cifar100&shows=attacked&image=7"
        "&snap=s:5,p:4,c:-1.1&hide=T,search"
    )
    visit.open(*BUNDLES, query=query)
    assert visit.params == MixParams(s=0.5, p=2, c=-0.4, clamp="relu", ln_k=5, alpha=0.8, temperature=1)
    assert (visit.state["case"], visit.state["row"]) == ("attacked", 7)
    assert (visit.address, visit.errors) == (query, [])


def test_what_is_wrong_with_a_link_is_listed_until_something_moves(visit):
    visit.open(*BUNDLES, query="s=-1&p=2&c=0.1&shows=clean&image=100000")
    assert (visit.state["p"], visit.state["row"]) == (2.0, 0)
    assert visit.errors == [
        "s must be greater than 0 and at most 1,000,000 (the link has −1).",
        "image must be between 0 and 99 (the link has 100,000).",
    ]
    visit.type("c", "0.2")
    assert visit.errors == []


def test_undo_redo_and_defaults(visit):
    visit.open(*BUNDLES, query="bundle=first&s=2&p=2&c=-0.3&hide=T")
    assert not visit.seen["undo"]
    visit.type("c", "-0.5")
    visit.press("α by hand")
    alpha = visit.state["alpha"]
    visit.slide("alpha", 0.9)
    visit.press("Undo")
    assert (visit.state["alpha"], visit.state["by_hand"]) == (alpha, True)
    visit.press("Undo")
    assert (visit.state["c"], visit.state["by_hand"]) == (-0.5, False)
    visit.press("Redo")
    assert visit.state["by_hand"]
    visit.press("Defaults")
    assert visit.address == "bundle=first&hide=T"
    visit.press("Undo")
    assert (visit.state["c"], visit.state["by_hand"], visit.seen["redo"]) == (-0.5, True, True)
    visit.go(-2)
    assert visit.address == "bundle=first&s=2&p=2&c=-0.3&hide=T"
