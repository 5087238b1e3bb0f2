"""The comparison in node, and SYNTHETIC bundles for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mnuts_core import LogitBundle
from mnuts_core.bundles.manifest import AttackCard, ThreatModel
from mnuts_core.search.grids import PAPER_RANGES, GridSpec
from mnuts_dashboards.compare.page_file import compare_app
from tests.dashboards.web.explorer.visit import DRIVER, Visit, Visitor, opened
from tests.dashboards.web.node import running
from tests.synthetic import clean_only, make_bundle, make_pool

Open = Callable[..., "Comparer"]
FACTS, BEST, PAIRS = "Models and attacks", "Best parameters (Algorithm 1)", "Transfer, pair by pair"
MIXES = "Two mixes on the same images"


class Comparer(Visitor):
    """A visitor of the comparison."""

    look = "compare"

    @property
    def names(self) -> list[str]:
        """The bundles that stand beside each other."""
        return [row["key"] for row in self.visit.table(FACTS)["rows"]]

    def cells(self, table: str = PAIRS) -> list[list[str]]:
        """A table's cells."""
        return [row["cells"] for row in self.visit.table(table)["rows"]]


def card(bundle: LogitBundle, **fields: Any) -> LogitBundle:
    """The bundle with another manifest."""
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update=fields))


def small(name: str) -> GridSpec:
    """One of the paper's grids with three values an axis."""
    return GridSpec.from_ranges(*PAPER_RANGES[name], steps=3, name=name)


@pytest.fixture(autouse=True)
def _small_grids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small grids in Python; the page has its own from `made`."""
    monkeypatch.setattr(GridSpec, "paper", small)


@pytest.fixture(scope="package")
def bundles() -> dict[str, LogitBundle]:
    """Bundles of all kinds."""
    one = card(make_bundle(n=120, m=80), attack=AttackCard(name="MMAA: APGD", n_iter=20, n_targets=9))
    two = make_bundle(n=120, m=80, seed=1, boost=3.5)
    return {
        "one": one,
        "two": card(two, attack=AttackCard(name="Square, least margin", n_queries=300)),
        "many": card(make_bundle(n=90, m=60, k=20, seed=2), threat=ThreatModel(norm="L2", eps=0.5)),
        "bare": clean_only(make_bundle(n=60, m=40, seed=3)),
        "rich": make_pool(n=80, m=60, seed=4),
    }


@pytest.fixture(scope="package")
def pages() -> Iterator[Visit]:
    """The page in a process of its own."""
    with running(DRIVER) as ask:
        yield Visit(ask, compare_app())


@pytest.fixture(scope="package")
def made(bundles: dict[str, LogitBundle]) -> dict[str, dict[str, Any]]:
    """The bundles as a page gets them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GridSpec, "paper", small)
        return {name: opened(name, bundle) for name, bundle in bundles.items()}


@pytest.fixture
def compare(pages: Visit, made: dict[str, dict[str, Any]]) -> Open:
    """A function that opens the comparison on some of the bundles."""

    def make(*names: str, query: str = "", more: tuple[dict[str, Any], ...] = (), **options: Any) -> Comparer:
        return Comparer(pages.open(*(made[name] for name in names), *more, query=query, **options))

    return make
