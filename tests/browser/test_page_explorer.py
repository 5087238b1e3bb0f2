"""The explorer in a file as a visitor uses it: sliders, links, presets, undo, errors; it asks for nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.bundles.library import find_bundle
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec

pytestmark = pytest.mark.browser
DONE = 15_000  # milliseconds
STEP = 850  # milliseconds after which the next change is a step of its own


class Explorer:
    """A page file that is open, and how to use it."""

    def __init__(self, page, file: Path) -> None:
        self.page, self.file = page, file
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("request", self._requested)

    def _requested(self, request) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            self.problems.append(f"asked for {request.url}")

    def open(self, query: str = "") -> None:
        """Open the file at a link and wait for its first figures."""
        self.page.goto(self.file.as_uri() + (f"?{query}" if query else ""))
        self.began()

    def began(self) -> None:
        """Wait for the first figures."""
        self.page.locator("[data-row=mix] td b", has_text="%").first.wait_for()

    def becomes(self, look: Callable[[], object], expected: object) -> None:
        """Wait until what is looked at is as expected."""
        end = time.monotonic() + DONE / 1000
        while (found := look()) != expected and time.monotonic() < end:
            self.page.wait_for_timeout(20)
        assert found == expected
        assert self.problems == []

    def query(self) -> str:
        """The link in the address."""
        return urlsplit(self.page.url).query

    def figures(self) -> list[str]:
        """What the headline table shows of this mix, α first."""
        row = self.page.locator("[data-row=mix]")
        alpha = row.locator("th small").inner_text()
        return [alpha, *(cell.strip() for cell in row.locator("td").all_inner_texts())]

    def accuracies(self) -> list[str]:
        """The figures without what stands behind them."""
        return [text.partition(" %")[0] for text in self.figures()[1:]]

    def errors(self) -> list[str]:
        """What the banner lists."""
        return self.page.locator(".banner li > span").all_inner_texts()

    def box(self, name: str):
        return self.page.locator(f"[data-setting={name}] .number-box")

    def slider(self, name: str):
        return self.page.locator(f"[data-setting={name}] input[type=range]")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def type(self, name: str, text: str) -> None:
        self.box(name).fill(text)
        self.box(name).press("Enter")

    def value(self, name: str) -> float:
        """All digits of a setting, as its box has them when it is looked at."""
        self.box(name).focus()
        return float(self.box(name).input_value())

    def transform(self) -> list[float]:
        return [self.value(name) for name in ("s", "p", "c")]


@pytest.fixture(scope="module")
def context(chromium) -> Iterator:
    made = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    made.set_default_timeout(DONE)
    yield made
    made.close()


@pytest.fixture
def explorer(context, page_file) -> Iterator[Explorer]:
    """A page in the one context; what it complained of fails the test."""
    page = context.new_page()
    found = Explorer(page, page_file)
    yield found
    assert found.problems == []
    page.close()


@pytest.fixture(scope="module")
def engines() -> dict[str, RemixEngine]:
    return {name: RemixEngine(LogitBundle.load(find_bundle(name))) for name in ("digits", "cifar10")}


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def test_a_slider_moves_figures_and_address_together(explorer, engines):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1&beta=0.9")
    explorer.slider("p").focus()
    for _ in range(30):
        explorer.page.keyboard.press("ArrowLeft")
    link = "bundle=digits&s=5&p=3.7&c=-1.1&beta=0.9"
    explorer.becomes(explorer.query, link)
    remix = engines["digits"].remix(MixParams(s=5, p=3.7, c=-1.1, beta=0.9))
    explorer.becomes(lambda: explorer.figures()[0], f"α = {remix.alpha:.5f}")
    figures = [remix.clean, remix.attacked, remix.by_margin]
    assert explorer.accuracies()[:3] == [percent(figure.value) for figure in figures]
    shown = explorer.figures()
    explorer.page.reload()
    explorer.began()
    assert explorer.figures() == shown
    assert explorer.query() == link


def test_what_is_typed_is_what_is_set_or_a_message_says_why_not(explorer):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1&beta=98.5&clamp=tanh&T=0")
    asked = "β must be between 0 and 1. Did you mean 0.985?"
    assert explorer.errors() == ["clamp must be one of gelu, relu, elu, softplus, linear, got 'tanh'.", asked]
    explorer.becomes(explorer.query, "bundle=digits&s=5&p=4&c=-1.1")
    for name, text, value in [
        ("s", "1e3", 1000.0),
        ("p", "2.5", 2.5),
        ("c", "−1", -1.0),
        ("beta", "95 %", 0.95),
    ]:
        explorer.type(name, text)
        assert explorer.value(name) == value
    explorer.type("beta", "98.5")
    explorer.type("p", "none")
    refused = "p must be a number greater than 0 and at most 100 (you entered “none”)."
    assert explorer.errors() == [asked, refused]
    explorer.becomes(explorer.query, "bundle=digits&s=1000&p=2.5&c=-1&beta=0.95")
    explorer.type("p", "3")
    assert explorer.errors() == [asked]
    explorer.slider("beta").press("ArrowLeft")
    assert explorer.errors() == []
    explorer.becomes(explorer.query, "bundle=digits&s=1000&p=3&c=-1&beta=0.949")


def test_undo_redo_and_back(explorer):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1")
    links = ["bundle=digits&s=5&p=4&c=-1.1", "bundle=digits&s=5&p=2&c=-1.1", "bundle=digits&s=5&p=2&c=-0.5"]
    links.append("bundle=cifar10&s=5&p=2&c=-0.5")
    changes = [lambda: explorer.type("p", "2"), lambda: explorer.type("c", "-0.5")]
    changes.append(lambda: explorer.page.get_by_label("Bundle", exact=True).select_option("cifar10"))
    for change, link in zip(changes, links[1:], strict=True):
        explorer.page.wait_for_timeout(STEP)
        change()
        explorer.becomes(explorer.query, link)
    for link in links[-2::-1]:
        explorer.button("Undo").click()
        explorer.becomes(explorer.query, link)
    assert explorer.button("Undo").is_disabled()
    explorer.button("Redo").click()
    explorer.becomes(explorer.query, links[1])
    explorer.page.go_back()
    explorer.becomes(explorer.query, links[0])
    explorer.becomes(explorer.transform, [5.0, 4.0, -1.1])


def test_a_configuration_comes_in_again_and_a_broken_one_is_refused(explorer, tmp_path):
    explorer.open("bundle=digits")
    opening = explorer.query()
    explorer.open("bundle=digits&s=3&p=2&c=-1&beta=0.95")
    with explorer.page.expect_download() as saved:
        explorer.button("Download JSON").click()
    path = tmp_path / "config.json"
    saved.value.save_as(path)
    shown = explorer.figures()
    explorer.button("Defaults").click()
    explorer.becomes(explorer.query, opening)
    chooser = explorer.page.locator("input[type=file]")
    chooser.set_input_files(path)
    explorer.becomes(explorer.query, "bundle=digits&s=3&p=2&c=-1&beta=0.95")
    explorer.becomes(explorer.figures, shown)
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"schema": "mnuts-config/9"}))
    chooser.set_input_files(broken)
    refused = "broken.json must have schema 'mnuts-config/1', got \"mnuts-config/9\"."
    explorer.becomes(explorer.errors, [refused])


def test_find_best_is_the_search_of_python(explorer, engines):
    explorer.open("bundle=digits&s=5&p=2&c=-1.1&beta=0.9")
    explorer.button("Find best for this β").click()
    best = grid_search(engines["digits"].bundle, GridSpec.paper("cifar10"), 0.9).best.params
    explorer.becomes(explorer.transform, [pytest.approx(x, rel=1e-12) for x in (best.s, best.p, best.c)])
    explorer.page.locator("#found").get_by_text("best of the grid").wait_for()


def test_table_and_plane_stand_on_the_first_screen(explorer):
    explorer.open("bundle=cifar10")
    explorer.page.locator("[data-panel=plane] .main-svg").first.wait_for()
    for part in ("table.headline", "[data-panel=plane] .plot-stage"):
        box = explorer.page.locator(part).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
    assert explorer.page.locator("h1").count() == 1


def test_on_a_phone_nothing_overflows_and_the_sliders_stay_in_reach(chromium, page_file):
    options = {
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "offline": True,
    }
    context = chromium.new_context(**options)
    explorer = Explorer(context.new_page(), page_file)
    explorer.open("bundle=cifar10&snap=s:5,p:4,c:-1.1")
    explorer.page.locator("[data-panel=plane]").scroll_into_view_if_needed()
    explorer.page.locator("[data-panel=plane] .main-svg").first.wait_for()
    assert explorer.page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("s", "p", "c", "beta"):
        box = explorer.slider(name).bounding_box()
        assert box["y"] > 422
        assert box["y"] + box["height"] <= 844
    assert explorer.problems == []
    context.close()
