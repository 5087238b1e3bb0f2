"""Frames: what a worker answers to one state."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mnuts_core import MixParams
from tests.dashboards.web.engine import packed
from tests.dashboards.web.test_engine import TIED
from tests.synthetic import clean_only, make_bundle, make_pool, make_tied


@pytest.mark.parametrize("example", [None, {"where": "clean", "row": 3}, {"where": "attacked", "row": 2}])
@pytest.mark.parametrize("k", [2, 10])
def test_all_views_of_one_state(engine, example, k):
    bundle = make_pool(n=30, m=20, k=k)
    state = {"params": MixParams(beta=0.9), "example": example}
    [frame] = engine.ask(["frame", state], bundle=packed(bundle))
    views = frame["views"]
    absent = {"frontier", "direct_frontier", "sensitivity", "certified"} | (set() if example else {"story"})
    # before a search, without a certificate
    assert {name for name, view in views.items() if view is None} == absent
    assert frame["remix"]["attacked"]["n"] == views["headline"]["mix"]["attacked"]["n"] == 20
    assert len(views["simplex"]) == (1 if example and k > 2 else 2)
    assert len(views["bars"]) == (1 if example else 2)


def test_all_views_without_an_attacked_part(engine):
    bundle = clean_only(make_bundle(n=30, m=20))
    [frame] = engine.ask(["frame", {"params": MixParams(alpha=0.8)}], bundle=packed(bundle))
    views = frame["views"]
    assert views["examples_attacked"] is None
    assert views["headline"]["changes"]["plain"]["attacked"] is None
    assert views["headline"]["mix"]["clean"]["n"] == 30


@pytest.mark.parametrize("example", [{"where": "clean", "row": 30}, {"where": "attacked", "row": 0}])
def test_an_example_that_is_not_there(engine, example):
    bundle = clean_only(make_bundle(n=30, m=20))
    with pytest.raises(AssertionError, match=r"row must lie in \[0, 30\)|has no attacked part"):
        engine.ask(["frame", {"params": MixParams(alpha=0.8), "example": example}], bundle=packed(bundle))


def test_a_snapshot_that_cannot_be_computed_says_why(engine):
    bundle = clean_only(make_bundle(n=30, m=20))
    state = {"params": MixParams(alpha=0.8), "snapshots": [MixParams(beta=0.9), MixParams(alpha=0.6)]}
    [frame] = engine.ask(["frame", state], bundle=packed(bundle))
    first, second = frame["views"]["snapshots"]
    assert "set α by hand" in first["error"]
    assert second["clean"]["n"] == second["paired"]["clean"]["n"] == 30


EDGES = list(itertools.product([0.05, 5e3], [1.0, 10.0], [-4.0, 2.0], [0.0, 1.0]))


BUNDLES = {
    "pool": make_pool(n=60, m=40, boost=1.0),
    **{kind: make_tied(n=60, m=40, **whose) for kind, whose in TIED.items()},
}


@pytest.mark.parametrize("kind", BUNDLES)
@pytest.mark.parametrize("level", [{"beta": 0.0}, {"beta": 1.0}, {"alpha": 0.5}, {"alpha": 1.0}])
def test_no_field_is_nan_but_of_nothing(engine, level, kind):
    bundle = packed(BUNDLES[kind])
    for place, (s, p, c, temperature) in enumerate(EDGES):
        clamp = ("gelu", "relu", "linear")[place % 3]
        params = MixParams(s=s, p=p, c=c, temperature=temperature, clamp=clamp, **level)
        [frame] = engine.ask(["frame", {"params": params}], bundle=bundle)
        assert not nans(frame), params


OF_NOTHING = {"median_right", "median_wrong", "gap"}
"""NaN where no example is of that kind; as are estimates that rest on fewer than six."""


def nans(value: Any, at: str = "") -> list[str]:
    """The fields that are NaN though there is something to take them from."""
    if isinstance(value, dict):
        if "kind" in value and value["n"] < 6:
            return []
        fields = {f"{at}.{key}": one for key, one in value.items() if key not in OF_NOTHING}
    elif isinstance(value, list):
        fields = {f"{at}[{place}]": one for place, one in enumerate(value)}
    else:
        bad = np.isnan(value).any() if isinstance(value, np.ndarray) else value != value
        return [at] if bad else []
    return [name for key, one in fields.items() for name in nans(one, key)]
