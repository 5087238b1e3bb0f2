"""Our server and a page of it in Chromium, on a notebook of one plot and one line."""

import os
import time
from pathlib import Path

import nbformat
import pytest

from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CODE = """
import os
import ipywidgets
import mnuts_dashboards as mnuts
from mnuts_dashboards.widgets.visit import query_string

query = query_string()
curve = {"data": [{"type": "scatter", "x": [0, 1, 2], "y": [0, 1, 4]}], "layout": {}}
asked = ipywidgets.Label(value=f"query {query}, bundle {os.environ.get('MNUTS_BUNDLE', 'none')}")
ipywidgets.VBox([mnuts.show(curve, "The curve", note="n = 3 <b>points</b>"), asked])
"""
DRAWN = "document.querySelector('[data-panel=figure] .plot')?._fullLayout"


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.metadata.title = "A tiny page"
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="module")
def serve_options() -> dict:
    return {}  # this page needs no bundle


def open_page(page, url: str):
    response = page.goto(url, wait_until="commit")
    page.wait_for_function(DRAWN)
    return response


def test_a_plot_that_stands_still_and_what_the_server_sends_with_it(served, chromium_page):
    response = open_page(chromium_page, served.url)
    assert served.line.startswith("A tiny page: http://127.0.0.1:")
    assert chromium_page.title() == "A tiny page"
    assert chromium_page.locator("[data-panel=figure] h2").inner_text() == "The curve"
    assert chromium_page.locator("[data-panel=figure] .plot-note").inner_text() == "n = 3 <b>points</b>"
    assert "default-src 'self'" in response.headers["content-security-policy"]
    url = chromium_page.evaluate("document.querySelector('meta[name=mnuts-plotly]').content")
    library = chromium_page.request.get(served.url.rstrip("/") + url)
    assert "immutable" in library.headers["cache-control"]
    assert "plotly.js (cartesian" in library.text()[:100]


def test_a_page_on_a_busy_machine_starts_late_but_starts(served, new_page):
    """As if each of anywidget's own limits of a few seconds had been used up at once."""
    page = new_page()
    page.add_init_script(
        "const own = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (ms) => own(ms < 30000 ? 0 : ms);"
    )
    open_page(page, served.url)


def test_theme_and_query(served, new_page):
    colour = "getComputedStyle(document.querySelector('[data-panel=figure] .xtick text')).fill"
    text = {}
    for name, scheme, query in (
        ("light", "light", ""),
        ("dark", "dark", ""),
        ("asked", "light", "theme=dark&s=1.5"),
    ):
        page = new_page(color_scheme=scheme)
        open_page(page, f"{served.url}?{query}")
        text[name] = page.evaluate(colour)
        assert page.get_by_text(f"query {query}").count() == 1
    assert text["light"] != text["dark"] == text["asked"]


def test_a_token_a_bundle_and_an_orderly_end(notebook, chromium_page, tmp_path):
    bundle = tmp_path / "some.safetensors"
    bundle.write_bytes(b"")
    with serving(notebook, token="secret", bundles=[str(bundle)], preheat=False) as running:
        assert running.url.endswith("/?token=secret")
        refused = chromium_page.goto(running.url.split("?")[0], wait_until="commit")
        assert refused.status == 403
        open_page(chromium_page, running.url)
        assert chromium_page.get_by_text(f"bundle {bundle}").count() == 1
        kernels = children(running.process.pid)
        assert kernels
        running.process.terminate()
        assert running.process.wait(40) == 0
        deadline = time.monotonic() + 20
        while any(os.path.exists(f"/proc/{pid}") for pid in kernels) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(os.path.exists(f"/proc/{pid}") for pid in kernels)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
