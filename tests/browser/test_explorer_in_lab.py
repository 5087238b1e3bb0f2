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
    page.goto("about:blank")
