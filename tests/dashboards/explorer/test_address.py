"""The address is what *Copy link* gives, after whatever a visitor does, and opens the same view anew."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.clamps import CLAMPS
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.views import ALL
from mnuts_dashboards.figures.tradeoff import CURRENT, FRONTIER
from tests.synthetic import clean_only, make_bundle

PATIENCE = 30  # seconds; only a failure takes so long


class Browser:
    """The page's side of the address: its history, *Back* and *Forward*, and the clipboard."""

    def __init__(self, explorer):
        self.page = explorer.page
        self.entries, self.at, self.copied = [(self.page.link, self.page.place)], 0, None
        self.page.send = self.receive

    @property
    def address(self):
        return self.entries[self.at][0]

    def receive(self, message):
        match message["type"]:
            case "push":
                self.entries[self.at + 1 :] = [(message["link"], message["place"])]
                self.at += 1
            case "replace":
                self.entries[self.at] = message["link"], message["place"]
            case "go":
                self.go(message["steps"])
            case "copy":
                self.copied = message["link"]

    def go(self, steps):
        """As the browser's own buttons do; it tells the kernel where it arrived."""
        if steps and 0 <= self.at + steps < len(self.entries):
            self.at += steps
            link, place = self.entries[self.at]
            self.page._receive(None, {"type": "arrive", "place": place, "query": link}, [])


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    other = make_bundle(seed=5, n=120, m=60)
    bundles = {"first": make_bundle(), "second": other, "clean": clean_only(other)}
    return [bundle.save(folder / f"{name}.safetensors") for name, bundle in bundles.items()]


@pytest.fixture(scope="module")
def config(paths):
    made = MixConfig.from_remix(
        RemixEngine(LogitBundle.load(paths[1])), MixParams(s=20, p=9.5, c=-0.123456789, beta=0.91)
    )
    return made.save(paths[0].parent / "mine.json")


def click(explorer, panel, **point):
    event = {"type": "event", "panel": panel, "kind": "click", "points": [point]}
    explorer.board._receive(None, event, [])


def on_plane(explorer, trace, **point):
    click(explorer, "plane", trace=trace, **point)


def press(name):
    def click_it(explorer, browser):
        owner = explorer.controls.toolbar if name in ("undo", "redo", "copy") else explorer.controls
        getattr(owner, name).click()

    return click_it


def slide(name, value):
    return lambda explorer, browser: setattr(explorer.controls.inputs[name].slider, "value", value)


def type_in(name, text):
    return lambda explorer, browser: setattr(explorer.controls.inputs[name].box, "value", text)


def choose(name, value):
    def act(explorer, browser):
        made = explorer.controls.inputs.get(name) or getattr(explorer.controls, name)
        made.value = value

    return act


def of_snapshots(name):
    def act(explorer, browser):
        if explorer.state.snapshots:
            explorer.details.snapshots.table.on_action(name, len(explorer.state.snapshots) - 1)

    return act


ACTIONS = {
    **{f"bundle {name}": choose("bundle", name) for name in ("first", "second", "clean")},
    **{f"press {name}": press(name) for name in ("undo", "redo", "defaults", "find", "widen", "keep")},
    "best": choose("preset", "Best of the grid for this β"),
    "paper": choose("preset", "Paper: CIFAR-100 (Table 3)"),
    "plain": choose("preset", "Plain mix (no transform)"),
    "slide c": slide("c", -0.35),
    "slide s": slide("s", 10**0.41),
    "type s": type_in("s", "4321.123456789"),
    "type beta": type_in("beta", "0.912345"),
    "type nonsense": type_in("p", "many"),
    "by hand": choose("by_hand", True),
    "from beta": choose("by_hand", False),
    "slide alpha": slide("alpha", 0.6),
    "clamp": choose("clamp", CLAMPS[1]),
    "gelu": choose("clamp", "gelu"),
    "top-k": choose("ln_k", "5"),
    "T": type_in("temperature", "0.25"),
    "grid": choose("grid", "cifar100"),
    "clean image": choose("case", "clean"),
    "attacked image": choose("case", "attacked"),
    "row": choose("row", 150),
    "a cell": lambda explorer, browser: click(explorer, "slices", curve=2, x=-0.9, y=0.3),
    "the frontier": lambda explorer, browser: on_plane(explorer, FRONTIER, point=1, x=0, y=0),
    "the curve": lambda explorer, browser: on_plane(explorer, CURRENT, point=0, x=0, y=0, customdata=0.8125),
    "restore": of_snapshots("restore"),
    "remove": of_snapshots("drop"),
    "back": lambda explorer, browser: browser.go(-1),
    "forward": lambda explorer, browser: browser.go(1),
}


@pytest.fixture(scope="module")
def acts(config):
    return ACTIONS | {"import": lambda explorer, browser: explorer.import_file(config)}


def view(explorer):
    """What a visitor sees of the settings, and the figures."""
    explorer.make(ALL)
    state = explorer.state
    seen = {name: getattr(state, name) for name in ("bundle", "snapshots", "hidden")}
    seen |= {"params": state.params, "selection": explorer.selection}
    return seen | {"headline": explorer.header.headline.value}


def check(explorer, browser, visitor):
    assert browser.address == explorer.link()
    explorer.controls.toolbar.copy.click()
    assert browser.address == browser.copied
    visitor.open_link(browser.address)
    assert view(visitor) == view(explorer)


steps = st.lists(st.sampled_from([*ACTIONS, "import"]), min_size=1, max_size=7)


@pytest.fixture(scope="module")
def visited(paths):
    return Explorer(*paths)


@pytest.fixture(scope="module")
def visitor(paths):
    return Explorer(*paths)


@settings(max_examples=15)
@given(names=steps)
def test_the_address_is_the_copied_link_and_opens_the_same_view(names, visited, acts, visitor):
    visited.open_link("bundle=first")
    browser = Browser(visited)
    for name in names:
        visited.navigator._last = float("-inf")  # at rest: a step of its own
        acts[name](visited, browser)
        check(visited, browser, visitor)


async def until(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def found(explorer):
    return explorer.opened.opening is not None and explorer.searching._job is None


def test_a_bundle_that_is_loading_keeps_the_transform_and_the_address_says_so(paths):
    async def visit():
        explorer = Explorer(*paths)
        browser = Browser(explorer)
        await until(lambda: found(explorer))
        assert browser.address == "bundle=first"
        before = explorer.state.params
        explorer.state.bundle = "second"
        assert explorer.bundles.name == "first"  # the other one is on its way
        assert browser.address == f"bundle=second&s={before.s!r}&p={before.p!r}&c={before.c!r}".replace(
            ".0&", "&"
        )
        await until(lambda: explorer.bundles.name == "second" and explorer.link() and found(explorer))
        assert explorer.state.params == before
        assert browser.address == explorer.link()
        explorer.controls.defaults.click()
        explorer.controls.toolbar.copy.click()
        assert browser.address == browser.copied == "bundle=second"
        assert explorer.state.params != before

    asyncio.run(visit())


def test_a_bundle_that_is_loading_can_be_undone(paths):
    async def visit():
        explorer = Explorer(*paths)
        browser = Browser(explorer)
        await until(lambda: found(explorer))
        explorer.state.bundle = "second"
        explorer.controls.toolbar.undo.click()
        assert (explorer.state.bundle, browser.address) == ("first", "bundle=first")
        await until(lambda: explorer.session.is_open("second"))
        await asyncio.sleep(0.05)
        assert explorer.bundles.name == explorer.state.bundle == "first"

    asyncio.run(visit())


def test_the_address_leaves_out_what_turns_out_to_be_the_bundles_own_best(visited):
    visited.open_link("bundle=second")
    best = visited.state.params
    visited.open_link(f"bundle=first&s={best.s!r}&p={best.p!r}&c={best.c!r}")
    browser = Browser(visited)
    visited.state.bundle = "second"
    assert visited.state.params == best
    assert browser.address == visited.link() == "bundle=second"


def test_another_bundle_has_no_grid_that_was_widened_on_the_first(visited):
    visited.open_link("bundle=first")
    visited.controls.find.click()
    visited.controls.widen.click()
    assert visited.state.grid == "cifar10+"
    visited.state.bundle = "second"
    assert visited.state.grid == visited.controls.inputs["grid"].value == "cifar10"
    assert visited.controls.bundle.value == visited.bundles.name == "second"
