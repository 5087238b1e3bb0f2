"""Nobody is left out: axe-core finds nothing wrong on any app, on a desk and a phone, light and dark."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnuts_core.cli.app import run
from tests.browser.conftest import pages
from tests.serving import Server, serving

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
EVERYTHING = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
"""All that another theme can change."""
LAYOUT = EVERYTHING | {"rules": {"color-contrast": {"enabled": False}}}
"""All that another width can change; contrast takes axe-core longer than all its other rules together."""
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
APPS = """
from mnuts_dashboards.apps.compare import Compare
from mnuts_dashboards.apps.explorer import Explorer
from mnuts_dashboards.apps.lesson import Lesson
from mnuts_dashboards.widgets.visit import query_string

asked, _, query = query_string().partition("&")
app = {"explorer": Explorer, "compare": Compare, "lesson": Lesson}[asked]()
app.open_link(query)
app
"""
"""One notebook for all three, so that one server does."""
SHOWN = "(one) => one.checkVisibility({ checkVisibilityCSS: true })"
STRUCTURE = f"""
["h1", "main, [role=main]"].map((which) => [...document.querySelectorAll(which)].filter({SHOWN}).length)
"""
OPEN = "document.querySelectorAll('details').forEach((one) => (one.open = true))"


def check(page, what: str, options: dict = EVERYTHING) -> None:
    """Have axe-core look at a page; what it takes for a dialog may hide from it how the page is built."""
    found = axe.Axe().run(page, options=options)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"
    assert page.evaluate(STRUCTURE) == [1, 1], f"{what}: one heading of level 1, and one main part"


def check_both_themes(page, what: str) -> None:
    """All rules on light ground, and the contrast on dark."""
    check(page, f"{what}, light")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("matchMedia('(prefers-color-scheme: dark)').matches")
    check(page, f"{what}, dark", CONTRAST)
    page.emulate_media(color_scheme="light")


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """The digits' explorer in a file."""
    path = tmp_path_factory.mktemp("page") / "digits.html"
    assert run(["page", "digits", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def apps(tmp_path_factory) -> Iterator[Server]:
    """A server of all three apps, on both shipped bundles; the address names the app."""
    cell = {"cell_type": "code", "id": "app", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    content = {"cells": [cell | {"source": APPS}], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    notebook = tmp_path_factory.mktemp("apps") / "apps.ipynb"
    notebook.write_text(json.dumps(content))
    with serving(notebook) as server:
        yield server


@pytest.fixture(scope="module")
def page(chromium) -> Iterator:
    """One page for all tests, without transitions between colours."""
    with pages(chromium) as make:
        yield make(reduced_motion="reduce", bypass_csp=True)  # for `wait_for_function`


def opened(page, address: str, ready: str) -> None:
    """Open an app; Voilà's own words stand where it will be, and may go after its first plot."""
    page.set_viewport_size(DESK)
    page.goto(address, wait_until="commit")
    page.wait_for_function(ready)
    page.wait_for_function("!document.body.textContent.includes('Loading widget')")


FIGURES = "document.querySelector('[data-row=mix] td b')?.textContent.includes('%')"
DRAWN = "document.querySelectorAll('.plot .main-svg').length > 0"


def test_the_explorers_file(page, file):
    opened(page, f"{file.as_uri()}?bundle=digits", FIGURES)
    page.set_viewport_size(PHONE)
    check(page, "as it opens, on a phone", LAYOUT)
    page.set_viewport_size(DESK)
    preset = page.get_by_label("Preset")
    preset.select_option(label=preset.locator("option").all_inner_texts()[2])
    page.get_by_role("button", name="Find best for this β").click()
    page.locator("#found tr.choice").first.wait_for()  # now it has gone to the best mix
    page.locator("[data-setting=p] .number-box").fill("none")
    page.locator("[data-setting=p] .number-box").press("Enter")
    page.get_by_role("alert").get_by_text("p must be a number").wait_for()
    page.locator("[data-panel=medians]").get_by_role("button", name="Table", exact=True).click()
    page.locator(".shows-examples tr.choice").first.click()
    page.evaluate(OPEN)
    page.wait_for_function(DRAWN)
    check_both_themes(page, "with all that can be opened")
    page.set_viewport_size(PHONE)
    check(page, "with all that can be opened, on a phone", LAYOUT)


def test_the_explorer_in_voila(page, apps):
    opened(page, f"{apps.url}?explorer&bundle=digits", FIGURES)
    page.wait_for_function(DRAWN)
    check_both_themes(page, "the explorer in Voilà")


def test_the_lesson(page, apps):
    drawn = "() => [...document.querySelectorAll('.plot-panel .main-svg')].some((one) => one.clientWidth)"
    opened(page, f"{apps.url}?lesson&bundle=digits&step=1", drawn)
    check_both_themes(page, "step 1")
    page.get_by_role("button", name="Just show me").click()
    page.get_by_role("button", name="Step 8").click()
    page.get_by_role("heading", name="Mixing").wait_for()
    page.get_by_role("button", name="Just show me").click()
    page.locator(".verdict").wait_for()
    page.get_by_role("button", name="Table", exact=True).click()
    page.evaluate(OPEN)
    check_both_themes(page, "step 8, answered")
    page.set_viewport_size(PHONE)
    check(page, "step 8, answered, on a phone", LAYOUT)
    page.get_by_role("button", name="What you learned").click()
    page.locator(".learned").wait_for()
    check_both_themes(page, "the end")


def test_the_comparison(page, apps):
    rows = "document.querySelectorAll('.box tr[data-key]').length > 6"
    opened(page, f"{apps.url}?compare&bundles=digits,cifar10&clamp=tanh", rows)
    page.get_by_role("alert").get_by_text("clamp must be").wait_for()
    page.get_by_role("row", name="digits").first.click()
    page.locator("[data-panel=medians]").get_by_role("button", name="Table", exact=True).click()
    page.wait_for_function(DRAWN)
    page.evaluate(OPEN)
    check_both_themes(page, "the comparison")
    page.set_viewport_size(PHONE)
    check(page, "the comparison on a phone", LAYOUT)
