"""The explorer in JupyterLab: it is itself, leaves the rest alone, and Python moves it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mnuts_core import LogitBundle, MixParams, RemixEngine
from tests.browser.conftest import DASHBOARDS
from tests.browser.explorer import expected, wait_for_mix

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OBSERVED = """
import asyncio, pathlib
def moved(change):
    pathlib.Path("seen").write_text(f"{explorer.state.s:g} {explorer.link()}")
    if change["new"] < 4.9:
        asyncio.get_running_loop().call_later(1, setattr, explorer.state, "p", 2.5)
explorer.open_link("s=5&p=4&c=-1.1")
explorer.state.observe(moved, names="s")
"""
STYLES = """() => ["body", "h1", "button", "input", ".jp-Toolbar", ".lm-MenuBar-item"].map((selector) => {
  const element = [...document.querySelectorAll(selector)].find((one) => !one.closest(".mnuts-page"));
  if (!element) return null;
  const { font, color, backgroundColor, padding, margin, border, display } = getComputedStyle(element);
  return [selector, font, color, backgroundColor, padding, margin, border, display].join("|");
})"""


@pytest.fixture
def notebook(lab_folder) -> Path:
    """The explorer's notebook, with more before the last line of its cell."""
    book = json.loads((DASHBOARDS / "explorer.ipynb").read_text("utf-8"))
    code = book["cells"][1]
    *before, last = "".join(code["source"]).splitlines()
    code["source"] = "\n".join([*before, OBSERVED, last])
    path = lab_folder / "observed.ipynb"
    path.write_text(json.dumps(book), "utf-8")
    return path


def test_it_is_itself_leaves_the_rest_alone_and_python_moves_it(lab, notebook, chromium_page, digits_path):
    page, engine = chromium_page, RemixEngine(LogitBundle.load(digits_path))
    page.goto(f"{lab}/lab/tree/{notebook.name}?reset", wait_until="commit")
    page.get_by_text("| Idle").wait_for()  # before that, Shift+Enter may be lost
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    before = page.evaluate(STYLES)
    page.keyboard.press("Shift+Enter")
    wait_for_mix(page, expected(engine, MixParams(s=5, p=4, c=-1.1)))
    assert page.evaluate(STYLES) == before
    page.locator("[data-setting=s] input[type=range]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")  # none of which reaches JupyterLab
    expect(page.locator("[data-setting=p] .number-box")).to_have_value("2.5")
    s = float(page.locator("[data-setting=s] .number-box").input_value())
    assert s < 4.9
    seen, link = notebook.with_name("seen").read_text().split(" ")
    assert float(seen) < 5
    assert link.startswith("bundle=digits&s=")
    sliders_stay_in_view_where_it_is_wide_and_narrow(page)
    page.goto("about:blank")


def sliders_stay_in_view_where_it_is_wide_and_narrow(page):
    slider, outer = (
        page.locator("[data-setting=s] input[type=range]"),
        page.locator(".jp-WindowedPanel-outer"),
    )
    for width, panel in ((1280, "margins"), (760, "plane")):
        page.set_viewport_size({"width": width, "height": 800})
        page.locator(f"[data-panel={panel}]").evaluate("panel => panel.scrollIntoView()")
        expect(page.locator(f"[data-panel={panel}] .main-svg").first).to_be_in_viewport()
        expect(slider).to_be_in_viewport(ratio=1)
        seen, box = outer.bounding_box(), page.locator(".column").bounding_box()
        assert seen["y"] <= box["y"]
        assert box["y"] + box["height"] <= seen["y"] + seen["height"]
        fits = "page => page.scrollWidth <= page.clientWidth"
        assert page.locator(".mnuts-page").evaluate(fits)
    term, tip = page.locator(".plot-panel .term").first, page.get_by_role("tooltip")
    term.scroll_into_view_if_needed()
    term.focus()
    assert abs(tip.bounding_box()["y"] - term.bounding_box()["y"]) < 150  # whatever JupyterLab scrolls
