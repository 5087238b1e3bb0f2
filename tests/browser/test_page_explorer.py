"""The explorer in a file as a visitor uses it: sliders, links, presets, undo, errors; it asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.library import find_bundle
from mnuts_core.cli.app import run
from mnuts_core.export.config import configs_of

pytestmark = pytest.mark.browser
DONE = 15_000  # milliseconds


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
        self.page.locator("[data-row=mix] td b", has_text="%").first.wait_for(timeout=DONE)
        self.settled()

    def settled(self) -> None:
        """Wait until figures and address have followed the last change."""
        self.page.wait_for_timeout(450)
        assert self.problems == []

    @property
    def query(self) -> str:
        return urlsplit(self.page.url).query

    def figures(self, row: str = "mix") -> list[str]:
        """What the headline table shows of a row."""
        return [cell.strip() for cell in self.page.locator(f"[data-row={row}] td").all_inner_texts()]

    def box(self, name: str):
        return self.page.locator(f"[data-setting={name}] .number-box")

    def slider(self, name: str):
        return self.page.locator(f"[data-setting={name}] input[type=range]")

    def type(self, name: str, text: str) -> None:
        self.box(name).fill(text)
        self.box(name).press("Enter")

    def value(self, name: str) -> float:
        """All digits of a setting, as its box has them when it is looked at."""
        self.box(name).focus()
        return float(self.box(name).input_value())

    @property
    def errors(self) -> list[str]:
        return self.page.locator(".banner li > span").all_inner_texts()


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """Both shipped bundles in one file."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    assert run(["page", "digits", "cifar10", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def context(chromium) -> Iterator:
    made = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    made.set_default_timeout(DONE)
    yield made
    made.close()


@pytest.fixture
def explorer(context, file) -> Iterator[Explorer]:
    """A page in the one context; what it complained of fails the test."""
    page = context.new_page()
    found = Explorer(page, file)
    yield found
    assert found.problems == []
    page.close()


@pytest.fixture(scope="module")
def engines() -> dict[str, RemixEngine]:
    return {name: RemixEngine(LogitBundle.load(find_bundle(name))) for name in ("digits", "cifar10")}


def percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def test_a_slider_moves_figures_and_address_together(explorer, engines):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1&beta=0.9")
    explorer.slider("p").focus()
    for _ in range(30):
        explorer.page.keyboard.press("ArrowLeft")
    explorer.settled()
    assert explorer.query == "bundle=digits&s=5&p=3.7&c=-1.1&beta=0.9"
    remix = engines["digits"].remix(MixParams(s=5, p=3.7, c=-1.1, beta=0.9))
    shown = explorer.figures()
    assert shown[0].startswith(percent(remix.clean.value))
    assert shown[1].startswith(percent(remix.attacked.value))
    alpha = explorer.page.locator("[data-row=mix] th").inner_text()
    assert alpha.endswith(f"α = {remix.alpha:.5f}")
    explorer.page.reload()
    explorer.began()
    assert explorer.figures() == shown
    assert explorer.query == "bundle=digits&s=5&p=3.7&c=-1.1&beta=0.9"


def test_what_is_typed_is_what_is_set_or_a_message_says_why_not(explorer):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1")
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
    assert explorer.errors == [
        "β must be between 0 and 1. Did you mean 0.985?",
        "p must be a number greater than 0 and at most 100 (you entered “none”).",
    ]
    explorer.settled()
    assert explorer.query == "bundle=digits&s=1000&p=2.5&c=-1&beta=0.95"
    explorer.type("p", "3")
    assert explorer.errors == ["β must be between 0 and 1. Did you mean 0.985?"]
    explorer.slider("beta").press("ArrowLeft")
    assert explorer.errors == []
    explorer.settled()
    assert explorer.query.endswith("beta=0.949")


@pytest.mark.parametrize("name", ["digits", "cifar10"])
def test_every_preset_star_and_link_shows_the_stored_figures_exactly(explorer, engines, name):
    engine = engines[name]
    explorer.open(f"bundle={name}")
    preset = explorer.page.get_by_label("Preset")
    found = configs_of(engine.bundle)
    stars = explorer.page.locator(".shows-stars tr.choice")
    assert stars.count() == len([config for _, config in found if config.verified])
    labels = [text for text in preset.locator("option").all_inner_texts() if text.startswith("shipped")]
    assert len(labels) == len(found)
    for (_, config), label in zip(found, labels, strict=True):
        explorer.page.get_by_role("button", name="Defaults").click()
        preset.select_option(label=label)
        check(explorer, config)
        link = explorer.query
        explorer.page.get_by_role("button", name="Defaults").click()
        star = stars.filter(has_text=label).first
        star.scroll_into_view_if_needed()
        star.click()
        check(explorer, config)
        assert explorer.query == link
    explorer.open(link)
    check(explorer, found[-1][1])


def check(explorer: Explorer, config: MixConfig) -> None:
    """Settings and figures are a configuration's, to the last digit."""
    explorer.settled()
    for name in ("s", "p", "c"):
        assert explorer.value(name) == getattr(config.transform, name)
    assert explorer.page.get_by_label("temperature T, as a number").input_value() == f"{config.temperature:g}"
    assert config.estimates is not None
    cards = [config.estimates.clean, config.estimates.attacked, config.estimates.by_margin]
    cards.append(config.verified and config.verified.accuracy)
    shown = explorer.figures()
    for card, text in zip(cards, shown, strict=True):
        assert card is None or text.startswith(percent(card.value)), (card, text)


def test_undo_redo_and_back(explorer):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1")
    links = [explorer.query]
    for change in (("p", "2"), ("c", "-0.5")):
        explorer.type(*change)
        explorer.page.wait_for_timeout(900)
        links.append(explorer.query)
    explorer.page.get_by_label("Bundle").select_option("cifar10")
    explorer.page.wait_for_timeout(900)
    links.append(explorer.query)
    assert len(set(links)) == 4
    undo, redo = (explorer.page.get_by_role("button", name=name) for name in ("Undo", "Redo"))
    for link in links[-2::-1]:
        undo.click()
        explorer.settled()
        assert explorer.query == link
    assert undo.is_disabled()
    redo.click()
    explorer.settled()
    assert explorer.query == links[1]
    explorer.page.go_back()
    explorer.settled()
    assert explorer.query == links[0]
    assert explorer.value("p") == 4.0


def test_snapshots_keep_and_restore_a_mix_to_the_last_digit(explorer):
    explorer.open("bundle=digits")
    s, p, c = (explorer.value(name) for name in ("s", "p", "c"))
    shown = explorer.figures()
    explorer.page.get_by_role("button", name="Keep a snapshot").click()
    explorer.type("p", "7")
    explorer.settled()
    table = explorer.page.locator(".shows-snapshots")
    table.scroll_into_view_if_needed()
    table.get_by_role("button", name="Restore A").click()
    explorer.settled()
    assert [explorer.value(name) for name in ("s", "p", "c")] == [s, p, c]
    assert explorer.figures() == shown
    assert "snap=" in explorer.query


def test_a_wrong_link_is_a_list_of_problems_and_the_rest_applies(explorer):
    explorer.open("bundle=digits&s=5&p=4&c=-1.1&beta=98.5&clamp=tanh&T=0.5")
    assert explorer.errors == [
        "clamp must be one of gelu, relu, elu, softplus, linear, got 'tanh'.",
        "β must be between 0 and 1. Did you mean 0.985?",
    ]
    assert explorer.query == "bundle=digits&s=5&p=4&c=-1.1&T=0.5"
    explorer.type("p", "3")
    assert explorer.errors == []


def test_an_export_is_read_by_python_and_by_the_page(explorer, engines, tmp_path):
    explorer.open("bundle=digits&s=3&p=2&c=-1&beta=0.95")
    with explorer.page.expect_download() as saved:
        explorer.page.get_by_role("button", name="Download JSON").click()
    path = tmp_path / "config.json"
    saved.value.save_as(path)
    config = MixConfig.load(path)
    remix = engines["digits"].remix(config.params)
    assert config.alpha == pytest.approx(
        engines["digits"].remix(remix.params.with_(alpha=None)).alpha, abs=1e-12
    )
    assert config.estimates is not None
    assert config.estimates.clean.value == remix.clean.value
    explorer.open("bundle=digits")
    explorer.page.locator("input[type=file]").set_input_files(path)
    explorer.settled()
    assert explorer.query == "bundle=digits&s=3&p=2&c=-1&beta=0.95"
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"schema": "mnuts-config/9"}))
    explorer.page.locator("input[type=file]").set_input_files(broken)
    explorer.page.locator(".banner li").wait_for()
    assert explorer.errors == ["broken.json must have schema 'mnuts-config/1', got \"mnuts-config/9\"."]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_table_and_plane_stand_on_the_first_screen(explorer, scheme):
    explorer.page.emulate_media(color_scheme=scheme)
    explorer.open("bundle=cifar10")
    explorer.page.locator("[data-panel=plane] .js-plotly-plot .main-svg").first.wait_for()
    for part in ("table.headline", "[data-panel=plane] .plot-stage"):
        box = explorer.page.locator(part).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 800
    assert explorer.page.locator("h1").count() == 1


def test_on_a_phone_nothing_overflows_and_the_sliders_stay_in_reach(chromium, file):
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, offline=True
    )
    explorer = Explorer(context.new_page(), file)
    explorer.open("bundle=cifar10&snap=s:5,p:4,c:-1.1")
    wide = explorer.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    explorer.page.locator("[data-panel=plane]").scroll_into_view_if_needed()
    for name in ("s", "p", "c", "beta"):
        box = explorer.slider(name).bounding_box()
        assert box["y"] > 400
        assert box["y"] + box["height"] <= 844
    explorer.settled()
    context.close()
