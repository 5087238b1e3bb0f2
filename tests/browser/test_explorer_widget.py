"""The explorer's page with a kernel, through our server and in JupyterLab: what it shares and asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_dashboards.widgets.visit import BUNDLES_VARIABLE
from tests.browser.conftest import DASHBOARDS, jupyterlab, pages
from tests.serving import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
OPENS = "bundle=digits&s=5&p=4&c=-1.1"


def notebook_with(folder: Path, *lines: str) -> Path:
    """The explorer's notebook with more lines before the last."""
    book = json.loads((DASHBOARDS / "explorer.ipynb").read_text("utf-8"))
    code = book["cells"][1]
    source = "".join(code["source"])
    *before, last = source.splitlines()
    code["source"] = "\n".join([*before, *lines, last])
    path = folder / "explorer.ipynb"
    path.write_text(json.dumps(book), "utf-8")
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory, digits_path) -> Iterator[Server]:
    with serving(notebook_with(tmp_path_factory.mktemp("widget")), bundles=[str(digits_path)]) as running:
        yield running


@pytest.fixture(scope="module")
def opened(chromium, server) -> Iterator:
    """A page that stays open for the tests of this module."""
    with pages(chromium) as make:
        page = make()
        open_at(page, server.url, OPENS)
        yield page


@pytest.fixture(scope="module")
def engine(digits_path):
    return RemixEngine(LogitBundle.load(digits_path))


def open_at(page, url: str, query: str) -> None:
    page.goto(f"{url}?{query}", wait_until="commit")
    page.locator("[data-row=mix] td b", has_text="%").first.wait_for()


def figures(page) -> list[str]:
    return [text.strip() for text in page.locator("[data-row=mix] td").all_inner_texts()]


def type_in(page, name: str, text: str) -> None:
    box = page.locator(f"[data-setting={name}] .number-box")
    box.fill(text)
    box.press("Enter")


def shows(page, engine, **changes) -> None:
    """Wait for the figures of a mix."""
    remix = engine.remix(MixParams(s=5, p=4, c=-1.1).with_(**changes))
    first = page.locator("[data-row=mix] td").nth(0)
    expect(first).to_contain_text(f"{100 * remix.clean.value:.2f} %")
    expect(page.locator("[data-row=mix] td").nth(1)).to_contain_text(f"{100 * remix.attacked.value:.2f} %")


def test_a_slider_moves_figures_and_address_and_back_goes_back(opened, engine):
    shows(opened, engine)
    type_in(opened, "p", "3.7")
    shows(opened, engine, p=3.7)
    expect(opened).to_have_url(re.compile(r"\?bundle=digits&s=5&p=3\.7&c=-1\.1$"))
    opened.wait_for_timeout(900)
    opened.go_back()
    shows(opened, engine)


def test_a_kernel_and_its_page_agree(opened, engine, tmp_path):
    """What the kernel saves is of what the page shows, however late the state comes."""
    type_in(opened, "c", "-0.6")
    with opened.expect_download() as saved:
        opened.get_by_role("button", name="HTML report").click()
    saved.value.save_as(tmp_path / "report.html")
    remix = engine.remix(MixParams(s=5, p=4, c=-0.6))
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "--c -0.6" in report
    assert f"{100 * remix.attacked.value:.2f}" in report
    type_in(opened, "c", "-1.1")


def test_a_verification_is_cancelled_runs_joins_and_survives_a_reload(opened, engine, tmp_path):
    page, status = opened, opened.locator(".attack .found")
    for label, text in (("Images", "20"), ("Steps", "4")):
        page.get_by_label(label, exact=True).fill(text)
        page.get_by_label(label, exact=True).press("Enter")
    page.get_by_role("button", name="Verify this mix").click()
    expect(status).to_contain_text("Attacking 20 images at s = 5, p = 4")
    page.get_by_role("button", name="Cancel the attack").click()
    expect(status).to_have_text("Cancelled: nothing was verified.")
    page.get_by_role("button", name="Verify this mix").click()
    type_in(page, "s", "4")  # it goes on meanwhile
    shows(page, engine, s=4)
    type_in(page, "s", "5")
    expect(status).to_contain_text("mnuts evaluate CONFIG.json", timeout=90_000)
    verified = page.locator("[data-row=mix] td").nth(3)
    expect(verified).to_contain_text("%")
    shown = figures(page)
    page.reload()
    page.locator("[data-row=mix] td b", has_text="%").first.wait_for()
    expect(verified).to_contain_text(shown[3].split()[0])
    assert figures(page) == shown
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save bundle").click()
    saved.value.save_as(tmp_path / "more.safetensors")
    bundle = LogitBundle.load(tmp_path / "more.safetensors")
    assert bundle.n_points >= engine.bundle.n_points
    assert [source.verified for source in bundle.manifest.sources][-1]


def test_files_are_imported_and_refused(opened, engine, tmp_path, digits_path):
    page, chooser = opened, opened.locator("input[type=file]")
    config = MixConfig.from_remix(engine, MixParams(s=3, p=2, c=-1, beta=0.95))
    chooser.set_input_files(config.save(tmp_path / "mine.json"))
    expect(page.locator("[data-setting=s] .number-box")).to_have_value("3")
    (tmp_path / "broken.safetensors").write_bytes(digits_path.read_bytes()[:-8])
    chooser.set_input_files(tmp_path / "broken.safetensors")
    message = page.locator(".banner li > span")
    expect(message).to_contain_text("broken.safetensors")
    assert str(tmp_path) not in message.inner_text()
    chooser.set_input_files(digits_path)
    expect(page.get_by_label("Bundle")).to_have_value("digits (2)")
    page.locator("[data-row=mix] td b", has_text="%").first.wait_for()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_it_fits_the_screen(chromium, server, size):
    with pages(chromium) as make:
        page = make()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        open_at(page, server.url, "bundle=digits")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        if size[0] > 1000:
            page.locator("[data-panel=plane] .main-svg").first.wait_for()
            box = page.locator("[data-panel=plane] .plot-stage").bounding_box()
            assert box["y"] + box["height"] <= size[1]
        else:
            box = page.locator("[data-setting=s] input[type=range]").bounding_box()
            assert 400 < box["y"] < size[1]


STYLES = """() => ["body", "h1", "button", "input", ".jp-Toolbar", ".lm-MenuBar-item"].map((selector) => {
  const element = [...document.querySelectorAll(selector)].find((one) => !one.closest(".mnuts-page"));
  if (!element) return null;
  const { font, color, backgroundColor, padding, margin, border, display } = getComputedStyle(element);
  return [selector, font, color, backgroundColor, padding, margin, border, display].join("|");
})"""


def test_in_jupyterlab_it_is_itself_leaves_the_rest_alone_and_python_moves_it(
    chromium, engine, tmp_path, monkeypatch, digits_path
):
    notebook_with(
        tmp_path,
        "import asyncio, pathlib",
        "def moved(change):",
        "    pathlib.Path('seen').write_text(f'{explorer.state.s:g} {explorer.link()}')",
        "    if change['new'] < 4.9:",
        "        asyncio.get_running_loop().call_later(1, setattr, explorer.state, 'p', 2.5)",
        "explorer.open_link('s=5&p=4&c=-1.1')",
        "explorer.state.observe(moved, names='s')",
    )
    monkeypatch.setenv(BUNDLES_VARIABLE, str(digits_path))
    with jupyterlab(tmp_path) as address, pages(chromium) as make:
        page = make()
        page.goto(f"{address}/lab/tree/explorer.ipynb?reset", wait_until="commit")
        page.get_by_text("| Idle").wait_for()  # before that, Shift+Enter may be lost
        page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
        before = page.evaluate(STYLES)
        page.keyboard.press("Shift+Enter")
        page.locator("[data-row=mix] td b", has_text="%").first.wait_for()
        shows(page, engine)
        assert page.evaluate(STYLES) == before
        page.locator("[data-setting=s] input[type=range]").focus()
        for _ in range(10):
            page.keyboard.press("ArrowLeft")  # none of which reaches JupyterLab
        expect(page.locator("[data-setting=p] .number-box")).to_have_value("2.5")
        s = float(page.locator("[data-setting=s] .number-box").input_value())
        assert s < 4.9
        seen, link = (tmp_path / "seen").read_text().split(" ")
        assert float(seen) < 5
        assert link.startswith("bundle=digits&s=")
        page.goto("about:blank")
