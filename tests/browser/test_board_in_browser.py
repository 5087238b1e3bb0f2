"""The board on a real page: our server, Chromium, a notebook of four lines."""

import json
import os
import time
from pathlib import Path

import nbformat
import pytest

from tests.browser.conftest import PLOT
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CODE = """
import os
import ipywidgets
import numpy as np
from mnuts_dashboards.board.board import Board
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.widgets.visit import query_string

query = query_string()
x = np.linspace(0, 3, 200)
slider = ipywidgets.FloatSlider(value=1, min=0, max=5, step=0.5, description="power")
board = Board([
    Panel("curve", "The curve", span=6, height=260, note="x to a power"),
    Panel("grid", "The grid", span=6, height=260),
])
status = ipywidgets.Label(value="nothing yet")
asked = ipywidgets.Label(value=f"query {query}, bundle {os.environ.get('MNUTS_BUNDLE', 'none')}")
save = ipywidgets.Button(description="Export")
save.on_click(lambda _: board.download("mix.json", '{"p": 1}'))

def make(visible):
    p = slider.value
    curve = {"data": [{"type": "scatter", "mode": "lines", "name": "power", "x": x, "y": x**p}]}
    grid = {"data": [{"type": "heatmap", "z": np.outer(x[::50], x[::50]) ** p}]}
    return {"curve": curve, "grid": grid}

def show(event):
    status.value = f"{event.kind} on {event.panel}, {len(event.points)} points"

slider.observe(lambda _: board.request(make), "value")
board.on_event(show, kinds=["click", "relayout"])
board.request(make)
board.draw({}, {"curve": "n = 200 <b>points</b>"})
ipywidgets.VBox([slider, save, board, status, asked])
"""
CURVE, GRID = PLOT.format("curve"), PLOT.format("grid")


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("board") / "tiny.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book.metadata.title = "A tiny board"
    nbformat.write(book, path)
    return path


@pytest.fixture(scope="module")
def serve_options() -> dict:
    return {}  # this page needs no bundle


def open_page(page, url: str) -> None:
    page.goto(url, wait_until="commit")
    page.wait_for_function(f"{GRID}?._fullLayout && window.__mnutsBoard?.frames > 0")


def last_y(page) -> float:
    return page.evaluate(f"{CURVE}.data[0].y[199]")


def move_slider(page, steps: int = 2) -> None:
    handle = page.locator(".noUi-handle").first
    handle.focus()
    for _ in range(steps):
        handle.press("ArrowRight")


def test_a_board_from_paint_to_zoom(served, chromium_page):
    page = chromium_page
    open_page(page, served.url)
    assert served.line.startswith("A tiny board: http://127.0.0.1:")
    assert page.title() == "A tiny board"
    assert last_y(page) == pytest.approx(3.0)
    assert page.locator("[data-panel=curve] h3").inner_text() == "The curve"
    assert page.locator("[data-panel=curve] .mnuts-note").inner_text() == "n = 200 <b>points</b>"
    assert page.evaluate(f"{CURVE}.data[0].y instanceof Float64Array")
    assert page.evaluate(f"{GRID}.data[0].z.length") == 4

    # A zoom and a hidden trace are the visitor's: an update leaves them alone.
    page.evaluate(f"Plotly.relayout({CURVE}, {{'xaxis.range': [1, 2], 'yaxis.range': [0, 5]}})")
    page.get_by_text("relayout on curve, 0 points").wait_for()
    page.evaluate(f"Plotly.restyle({GRID}, {{visible: 'legendonly'}}, [0])")
    frames = page.evaluate("__mnutsBoard.frames")
    move_slider(page)
    page.wait_for_function(f"{CURVE}.data[0].y[199] > 8.9")
    page.wait_for_function(f"__mnutsBoard.frames > {frames}")
    assert last_y(page) == pytest.approx(9.0)
    assert page.evaluate(f"{CURVE}._fullLayout.xaxis.range") == [1, 2]
    assert page.evaluate(f"{CURVE}._fullLayout.yaxis.range") == [0, 5]


def test_a_page_on_a_busy_machine_starts_late_but_starts(served, new_page):
    """As if each of anywidget's own limits of a few seconds had been used up at once."""
    page = new_page()
    page.add_init_script(
        "const own = AbortSignal.timeout.bind(AbortSignal);"
        "AbortSignal.timeout = (ms) => own(ms < 30000 ? 0 : ms);"
    )
    page.goto(served.url, wait_until="commit")
    page.wait_for_function("window.__mnutsBoard?.frames > 0")


def test_downloads(served, chromium_page):
    page = chromium_page
    open_page(page, served.url)
    saved = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as download:
            page.locator("[data-panel=curve]").get_by_role("button", name=f"as {kind}: The curve").click()
        assert download.value.suggested_filename == f"curve.{kind.lower()}"
        saved[kind] = Path(download.value.path()).read_bytes()
    assert saved["PNG"].startswith(b"\x89PNG")
    assert len(saved["PNG"]) > 5000
    assert b"The curve" in saved["SVG"]
    rows = saved["CSV"].decode().splitlines()
    assert rows[0] == "trace,x,y"
    assert len(rows) == 201
    assert rows[-1] == "power,3,3"
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "mix.json"
    assert json.loads(Path(download.value.path()).read_text()) == {"p": 1}


def test_a_click_on_a_plot_reaches_the_kernel(served, chromium_page):
    page = chromium_page
    open_page(page, served.url)
    page.locator("[data-panel=grid] .nsewdrag").click()
    page.get_by_text("click on grid, 1 points").wait_for()


def test_theme_and_query(served, new_page):
    colour = f"getComputedStyle({CURVE}.querySelector('.xtick text')).fill"
    text = {}
    for name, options, query in (
        ("light", {"color_scheme": "light"}, ""),
        ("dark", {"color_scheme": "dark"}, ""),
        ("asked", {"color_scheme": "light"}, "?theme=dark&s=1.5"),
    ):
        page = new_page(**options)
        open_page(page, served.url + query)
        text[name] = page.evaluate(colour)
        assert page.get_by_text(f"query {query[1:]}").count() == 1
    assert text["light"] != text["dark"] == text["asked"]
    page = new_page(color_scheme="light")
    open_page(page, served.url)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} === {text['dark']!r}")


def test_narrow_pages_have_one_column(served, new_page):
    page = new_page()
    page.set_viewport_size({"width": 600, "height": 900})
    open_page(page, served.url)
    curve, grid = (page.locator(f"[data-panel={name}]").bounding_box() for name in ("curve", "grid"))
    assert grid["y"] > curve["y"] + curve["height"]
    page.set_viewport_size({"width": 1200, "height": 900})
    page.wait_for_function(f"{CURVE}._fullLayout.width === {CURVE}.clientWidth && {CURVE}.clientWidth > 500")


def test_headers_and_the_library_over_http(served, chromium_page):
    response = chromium_page.goto(served.url, wait_until="commit")
    assert "default-src 'self'" in response.headers["content-security-policy"]
    url = chromium_page.evaluate("document.querySelector('meta[name=mnuts-plotly]').content")
    library = chromium_page.request.get(served.url.rstrip("/") + url)
    assert "immutable" in library.headers["cache-control"]
    assert "plotly.js (cartesian" in library.text()[:100]


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
