"""The search behind a page that opens: in the background, with something sensible to see meanwhile."""

import asyncio
import threading

import pytest

from mnuts_core import grid_search
from mnuts_core.params import PAPER_OPTIMA
from mnuts_dashboards.bundles.open_bundles import load_bundle
from mnuts_dashboards.explorer import search as search_explorer
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.views import ALL
from tests.synthetic import clean_only

PATIENCE = 30  # seconds; only a failure takes so long


@pytest.fixture(scope="module")
def path(bundle, tmp_path_factory):
    return bundle.save(tmp_path_factory.mktemp("bundles") / "made-up.safetensors")


@pytest.fixture
def held(monkeypatch):
    """Searches wait until this event is set."""
    event, search = threading.Event(), search_explorer.search

    def slow(opened, params, grid, progress=None):
        while not event.wait(0.01):
            progress(0.1)  # where a cancelled one ends
        return search(opened, params, grid, progress)

    monkeypatch.setattr(search_explorer, "search", slow)
    monkeypatch.setattr(search_explorer, "MOMENT", 0.0)
    yield event
    event.set()


def best(bundle, explorer, beta):
    return grid_search(bundle, explorer.opened.grids["cifar10"], beta).best.params.with_(alpha=None)


def transform(explorer):
    return explorer.state.s, explorer.state.p, explorer.state.c


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def paper(params):
    return params.s, params.p, params.c


def test_the_page_opens_at_once_and_goes_to_the_best_when_it_is_found(path, bundle, held):
    async def visit():
        explorer = Explorer(path)
        assert transform(explorer) == paper(PAPER_OPTIMA["cifar10"])
        assert explorer.link() == "bundle=made-up"  # the best is what it means
        assert explorer.controls.cancel.layout.display == ""
        held.set()
        await until(lambda: not explorer.searching.awaited)
        assert explorer.state.params == best(bundle, explorer, 0.985)
        assert explorer.link() == "bundle=made-up"
        assert explorer.controls.toolbar.undo.disabled  # no step of its own
        await until(lambda: explorer._look().frontier is not None)

    asyncio.run(visit())


def test_a_link_without_a_transform_waits_for_the_best_at_its_level(path, bundle, held):
    async def visit():
        explorer = Explorer(path)
        explorer.open_link("beta=0.9&T=1")
        assert explorer.link() == "bundle=made-up&beta=0.9&T=1"
        assert len(explorer.navigator.history.links) == 1
        held.set()
        await until(lambda: not explorer.searching.awaited)
        assert explorer.state.params == best(bundle, explorer, 0.9).with_(temperature=1)
        assert "&s=" in explorer.navigator.history.now
        assert explorer.page.link == explorer.navigator.history.now

    asyncio.run(visit())


def test_what_the_visitor_moves_meanwhile_stays(path, held):
    async def visit():
        explorer = Explorer(path)
        explorer.state.c = -0.5
        held.set()
        await until(lambda: explorer._look().frontier is not None)
        s, p, _ = paper(PAPER_OPTIMA["cifar10"])
        assert transform(explorer) == (s, p, -0.5)

    asyncio.run(visit())


def test_a_cancelled_search_leaves_the_provisional_mix_and_the_link_says_so(path, held):
    async def visit():
        explorer = Explorer(path)
        explorer.controls.cancel.click()
        await until(lambda: not explorer.searching.awaited)
        assert transform(explorer) == paper(PAPER_OPTIMA["cifar10"])
        assert explorer.link() == explorer.page.link == "bundle=made-up&s=5&p=4&c=-1.1"
        assert explorer.controls.cancel.layout.display == "none"
        assert explorer.header.banner.value == ""

    asyncio.run(visit())


def test_find_best_during_the_opening_search_waits_for_that_very_search(path, bundle, held):
    async def visit():
        explorer = Explorer(path)
        explorer.state.beta = 0.9
        explorer.controls.find.click()
        held.set()
        await until(lambda: explorer.controls.found.value)
        assert explorer.state.params == best(bundle, explorer, 0.9)

    asyncio.run(visit())


def test_another_clamp_cancels_the_search_under_way(path, held):
    async def visit():
        explorer = Explorer(path)
        explorer.state.clamp = "relu"
        held.set()
        await until(lambda: explorer._look().frontier is not None)
        assert [key[1] for key in explorer.opened.searches] == ["relu"]
        assert explorer.controls.progress.layout.display == "none"

    asyncio.run(visit())


def test_a_link_that_names_another_bundle_switches_to_it_as_one_view(path, bundle, tmp_path, monkeypatch):
    other = clean_only(bundle).save(tmp_path / "other.safetensors")
    explorer = Explorer(path, other)
    seen = []
    monkeypatch.setattr(
        explorer.board, "request", lambda make: seen.append((explorer.opened, explorer.link()))
    )
    explorer.open_link("bundle=other&s=2&p=2&c=-0.3&alpha=0.8&shows=clean&image=3")
    assert seen == [(explorer.opened, "bundle=other&s=2&p=2&c=-0.3&alpha=0.8&shows=clean&image=3")]
    assert explorer.opened.engine.bundle.n_adv == 0
    assert "0 attacked" in explorer.header.provenance.value
    assert explorer.controls.find.disabled
    explorer.open_link("bundle=made-up")
    assert not explorer.state.by_hand
    assert explorer.state.params == best(bundle, explorer, 0.985)


def test_a_bundle_is_loaded_in_the_background_and_the_old_view_stays(path, bundle, tmp_path, monkeypatch):
    other = bundle.save(tmp_path / "other.safetensors")
    release = threading.Event()

    async def visit():
        explorer = Explorer(path, other)
        before = explorer.opened
        monkeypatch.setattr(
            explorer.session, "load", lambda name: release.wait(PATIENCE) and load_bundle(other)
        )
        explorer.state.bundle = "other"
        assert explorer.opened is before
        assert "opening …" in explorer.header.provenance.value
        release.set()
        await until(lambda: explorer.opened is not before)
        assert explorer.link().startswith("bundle=other")
        assert "opening …" not in explorer.header.provenance.value

    asyncio.run(visit())


def test_what_is_wrong_with_a_link_outlasts_the_search_behind_it(path, held):
    async def visit():
        explorer = Explorer(path)
        explorer.open_link("beta=2")
        held.set()
        await until(lambda: not explorer.searching.awaited)
        explorer.make(ALL)
        assert "β must be between 0 and 1" in explorer.header.banner.value

    asyncio.run(visit())
