"""What the page opens on, where a click leads, what a link may hide: as Python declares it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mnuts_core import LogitBundle
from mnuts_core.bundles.library import find_bundle
from mnuts_core.export.belonging import configs_of
from mnuts_dashboards.explorer.controls import HIDEABLE
from mnuts_dashboards.figures import tradeoff
from mnuts_dashboards.page.data import page_meta
from tests.synthetic import clean_only, make_pool

NAMES = {"bundles": ["digits", "cifar10"], "grids": ["cifar10"], "controls": []}


def meta_of(bundle: LogitBundle) -> dict[str, Any]:
    return json.loads(json.dumps(page_meta(bundle, configs_of(bundle))))


@pytest.fixture(scope="module", params=["digits", "cifar10"])
def meta(request) -> dict[str, Any]:
    return meta_of(LogitBundle.load(find_bundle(request.param)))


def test_a_link_without_a_transform_opens_on_the_verified_mix_of_its_level(app, meta):
    found = [config for config in meta["configs"] if not config["plain"] and config["verified"]]
    assert found
    for config in found:
        params = config["params"]
        by_hand = params["alpha"] is not None
        level = {"beta": params["beta"], "by_hand": by_hand} | ({"alpha": params["alpha"]} if by_hand else {})
        opened = app("opened", meta, level)
        assert opened == params
        changes = {**params, "bundle": meta["name"], "alpha": params["alpha"] or 0.75, **level}
        link = app("write", changes, opened)
        assert "s=" not in link
        again = app("read", link, NAMES)
        assert again["best"]
        assert app("opened", meta, again["values"]) == params


def test_where_nothing_was_verified_a_search_says_what_it_opens_on(app, meta):
    assert app("opened", meta, {"beta": 0.7}) is None
    assert app("opened", meta, {"clamp": "relu"}) is None
    assert app("opened", meta_of(clean_only(make_pool(n=20, m=10))), {}) is None


def test_what_a_link_may_hide(app):
    assert sorted(app("hideable")) == sorted(HIDEABLE)


def test_where_a_click_on_the_plane_leads(app, meta):
    mix = {**meta["configs"][0]["params"], "s": 2.5}
    frontier = {"params": [{**mix, "alpha": 0.9}]}
    state = {"beta": 0.9, "snapshots": [mix]}
    moment = {"state": state, "meta": meta, "views": {"frontier": frontier, "direct_frontier": frontier}}

    def changes(trace: str, **point: Any) -> dict[str, Any] | None:
        return app("clicked", {"panel": "plane", "points": [{"trace": trace, "point": 0, **point}]}, moment)

    assert changes(tradeoff.FRONTIER) == {**without(mix, "alpha"), "by_hand": False}
    assert changes(tradeoff.DIRECT) == {**mix, "alpha": 0.9, "beta": 0.9, "by_hand": True}
    assert changes(tradeoff.SNAPSHOTS)["s"] == 2.5
    star = meta["configs"][1]["params"]
    assert changes(tradeoff.OTHERS, customdata=1)["c"] == star["c"]
    for curve in (tradeoff.CURRENT, tradeoff.CURRENT_BY_MARGIN):
        assert changes(curve, customdata=0.8) == {"by_hand": True, "alpha": 0.8}
    assert changes("robust model") is None


def test_stars_in_one_place_are_all_reached_in_turn(app, meta):
    """Also where the current mix's own mark covers them; a point that leads nowhere is in nobody's way."""
    number = len(meta["configs"])
    at = {"trace": tradeoff.OTHERS, "x": 80.0, "y": 41.0, "point": 0}
    reached, params = [], dict(meta["configs"][0]["params"]) | {"alpha": meta["configs"][0]["alpha"]}
    for _ in range(number):
        others = [
            at | {"customdata": place}
            for place, config in enumerate(meta["configs"])
            if config["alpha"] != params["alpha"]
        ]
        points = [{"trace": "this mix", "point": 0, "x": 80.0, "y": 41.0}, *others]
        state = {**params, "by_hand": True, "bundle": meta["name"]}
        moment = {"state": state, "meta": meta, "views": {}, "remix": {"params": params}}
        changes = app("clicked", {"panel": "plane", "points": points}, moment)
        [place] = [
            i for i, config in enumerate(meta["configs"]) if config["params"]["s"] == changes["s"]
            and (changes.get("alpha") in (None, config["alpha"]))
            and config["params"]["beta"] == changes["beta"]
        ]  # fmt: skip
        reached.append(place)
        params = dict(meta["configs"][place]["params"]) | {"alpha": meta["configs"][place]["alpha"]}
    assert sorted(reached) == list(range(number))


def test_a_click_on_a_slice_goes_to_its_cell(app, meta):
    grid = meta["grids"]["cifar10"]
    moment = {"state": {}, "meta": meta, "views": {"sensitivity": grid}}
    point = {"curve": 2, "x": grid["c"][3] + 0.01, "y": -1.02}
    found = app("clicked", {"panel": "slices", "points": [point]}, moment)
    assert found == {"s": grid["s"][1], "p": grid["p"][2], "c": grid["c"][3]}


def without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}
