"""The engine's modules: whole without the page, small, and what the worker answers with them."""

from __future__ import annotations

import re

import pytest

from mnuts_core import MixParams
from tests.dashboards.web.engine import ENGINE, packed
from tests.synthetic import clean_only, make_bundle, make_pool

MODULES = sorted(ENGINE.rglob("*.js"))
OF_THE_PAGE = ("client.js", "worker.js")
"""The two that know where they run."""


def imports(module) -> set:
    """The modules that one imports."""
    found = re.findall(r'^import .*? from "(.*?)";', module.read_text("utf-8"), re.M)
    return {(module.parent / name).resolve() for name in found}


def test_they_import_each_other_alone_and_never_in_a_circle():
    reach = {module: imports(module) for module in MODULES}
    assert all(found <= set(MODULES) for found in reach.values())
    left = dict(reach)
    while left:
        free = [module for module, found in left.items() if not found & left.keys()]
        assert free, f"a circle among {sorted(module.name for module in left)}"
        for module in free:
            del left[module]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_each_is_small_and_knows_no_page(module):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) < 300
    assert module.name in OF_THE_PAGE or not re.search(r"\b(document|window|self|navigator)\.", text)


@pytest.mark.parametrize("example", [None, {"where": "clean", "row": 3}, {"where": "attacked", "row": 2}])
@pytest.mark.parametrize("k", [2, 10])
def test_all_views_of_one_state(engine, example, k):
    bundle = make_pool(n=30, m=20, k=k)
    state = {"params": MixParams(beta=0.9), "example": example}
    [frame] = engine.ask(["frame", state], bundle=packed(bundle))
    views = frame["views"]
    assert all(view is not None for name, view in views.items() if example or name != "story")
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
