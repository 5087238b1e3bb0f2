"""The explorer's file by keyboard alone: every control and plot is reached, shows its focus, and works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mnuts_core.cli.app import run
from tests.browser.conftest import pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STOPS = """
[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ checkVisibilityCSS: true }))
"""
LISTEN = """
window.nameOf = (one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 40)}`;
window.placeOf = (one) => {
  const parent = one.parentElement;
  return parent ? `${placeOf(parent)}/${[...parent.children].indexOf(one)}` : "";
};
window.stops = new Map(); // by their place, since a table makes its rows anew
document.addEventListener("focusin", ({ target }) => {
  const { outlineStyle, outlineWidth } = getComputedStyle(target);
  const { top, bottom } = target.getBoundingClientRect();
  const marked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  stops.set(placeOf(target), { name: nameOf(target), seen: marked && bottom > 0 && top < innerHeight });
});
"""
PASSED_OVER = f"{STOPS}.filter((one) => !stops.has(placeOf(one))).map(nameOf)"
UNSEEN = "[...stops.values()].filter(({ seen }) => !seen).map(({ name }) => name)"
FIGURES = "document.querySelector('[data-row=mix] td b')?.textContent.includes('%')"
DRAWN = """
document.querySelectorAll(".plot .main-svg").length > 0 &&
document.querySelector(".shows-examples tr.choice") !== null // which comes once the page has time
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    """The digits' explorer in a file."""
    path = tmp_path_factory.mktemp("page") / "digits.html"
    assert run(["page", "digits", "--out", str(path)]) == 0
    return f"{path.as_uri()}?bundle=digits&s=5&p=4&c=-1.1&beta=0.9"


@pytest.fixture(scope="module")
def only_page(chromium) -> Iterator:
    with pages(chromium) as make:
        yield make(bypass_csp=True)  # for `wait_for_function`


@pytest.fixture
def page(only_page, address):
    """The explorer as it opens, with all its tables."""
    only_page.goto(address)
    only_page.wait_for_function(FIGURES)
    only_page.wait_for_function(DRAWN)
    return only_page


def tab_to(page, selector: str) -> None:
    """Go on to the next stop that a selector matches."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"no Tab leads to {selector}")


def address_has(page, word: str, has: bool = True) -> None:
    page.wait_for_function("([word, has]) => location.search.includes(word) === has", arg=[word, has])


def test_every_stop_is_reached_and_seen_and_none_is_a_trap(page):
    page.evaluate(LISTEN)
    for _ in range(2 * page.evaluate(f"{STOPS}.length")):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):  # past the last one
            break
    else:
        pytest.fail(f"no way out: {page.evaluate('nameOf(document.activeElement)')}")
    assert page.evaluate(PASSED_OVER) == []
    assert page.evaluate(UNSEEN) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_controls_plots_tables_and_the_export_work(page):
    tab_to(page, "select:has(option:nth-child(3))")
    address_has(page, "s=5&p=4")
    page.keyboard.press("ArrowDown")  # the presets
    address_has(page, "s=5&p=4", False)
    tab_to(page, "[data-setting=p] input[type=range]")
    page.keyboard.press("Home")
    tab_to(page, "[data-setting=p] .number-box")
    page.keyboard.press("Control+a")
    page.keyboard.type("2.5")
    page.keyboard.press("Enter")
    address_has(page, "p=2.5")
    tab_to(page, "button[title^='The configuration of this mix']")
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    assert coming.value.suggested_filename.endswith(".json")

    plane = page.locator("[data-panel=plane]")
    tab_to(page, "[data-panel=plane] button[aria-controls]")
    page.keyboard.press("Enter")
    assert plane.locator("table tbody tr").count() > 3
    tab_to(page, "[data-panel=plane] .plot-stage")
    page.keyboard.press("ArrowRight")
    assert "," in plane.locator("p.unseen[role=status]").inner_text()
    described = plane.locator(".plot-stage").get_attribute("aria-describedby").split()
    assert all(len(page.locator(f"#{part}").inner_text()) > 40 for part in described)
    tab_to(page, ".shows-examples tr.choice")
    page.keyboard.press("ArrowDown")
    address_has(page, "image=")
