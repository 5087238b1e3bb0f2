"""The comparison as its visitor meets it in Chromium: a walk in the file, and one through our server."""

from __future__ import annotations

import re
import shutil

import pandas as pd
import pytest

from mnuts_core import LogitBundle
from mnuts_core.cli.app import run
from mnuts_dashboards.compare.numbers import frames
from mnuts_dashboards.compare.state import CompareState
from tests.browser.conftest import DASHBOARDS, PAGE_PLOT, pages
from tests.serving import serving
from tests.synthetic import make_bundle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FACTS, PAIRS = (f"[aria-label='{label}']" for label in ("Models and attacks", "Transfer, pair by pair"))
ROWS = f'document.querySelectorAll("table{PAIRS} tbody tr[data-key]").length'
START = "bundles=digits,made-up&beta=0.95&grid=imagenet"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A SYNTHETIC bundle, one to bring, and a file that is broken."""
    made = tmp_path_factory.mktemp("bundles")
    make_bundle().save(made / "made-up.safetensors")
    uploads = made / "elsewhere"
    uploads.mkdir()
    make_bundle(seed=5, boost=3.5).save(uploads / "brought.safetensors")
    (uploads / "broken.safetensors").write_bytes((made / "made-up.safetensors").read_bytes()[:-8])
    return made


@pytest.fixture(scope="module")
def bundles(folder, digits_path):
    paths = {"digits": digits_path, "made-up": folder / "made-up.safetensors"}
    return {name: LogitBundle.load(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def file(folder, tmp_path_factory, digits_path):
    path = tmp_path_factory.mktemp("page") / "compare.html"
    words = ["page", str(digits_path), str(folder / "made-up.safetensors"), "--app", "compare", "--out", path]
    assert run(list(map(str, words))) == 0
    return path


def saved(page, button, tmp_path) -> pd.DataFrame:
    with page.expect_download() as download:
        button.click()
    target = tmp_path / download.value.suggested_filename
    download.value.save_as(target)
    return pd.read_csv(target)


def test_a_walk_in_the_file(chromium, file, bundles, tmp_path):
    errors = []
    with pages(chromium) as make:
        page = make(bypass_csp=True)  # for `wait_for_function`
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(f"{file.as_uri()}?{START}", wait_until="commit")
        page.wait_for_function(f"{ROWS} === 4")
        shown = saved(page, page.get_by_role("button", name="Save this table: Transfer"), tmp_path)
        state = CompareState(bundles=("digits", "made-up"), beta=0.95, grid="imagenet")
        wanted = frames(bundles, state)["transfers"]
        for column in ("clean", "attacked", "by_margin", "attacked_to_own_low", "clean_to_plain", "alpha"):
            assert shown[column].tolist() == pytest.approx(wanted[column].tolist(), abs=1e-9), column
        for name in ("medians", "gaps", "transfer_attacked"):
            page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
            page.wait_for_function(f"{PAGE_PLOT.format(name)}?._fullLayout")
        click_on_a_bar_and_on_a_cell(page)
        picture = page.locator("[data-panel=transfer_attacked]")
        picture.locator("summary").click()
        with page.expect_download() as download:
            picture.get_by_role("button", name="PNG").click()
        assert re.fullmatch(
            r"digits-made-up-transfer_attacked-beta0\.95\.png", download.value.suggested_filename
        )
        page.get_by_text("needs “mnuts dashboard”").wait_for()
        nothing_is_clipped(page)
    assert errors == []


def click_on_a_bar_and_on_a_cell(page):
    page.locator("[data-panel=medians]").scroll_into_view_if_needed()
    drag = page.locator("[data-panel=medians] .nsewdrag").first.bounding_box()
    page.mouse.click(drag["x"] + 0.65 * drag["width"], drag["y"] + drag["height"] - 6)
    chosen = page.locator(f"table{FACTS} tr[aria-selected=true]")
    chosen.wait_for()
    assert "made-up" in chosen.inner_text()
    cell = page.locator("[data-panel=transfer_attacked]")
    cell.scroll_into_view_if_needed()
    drag = cell.locator(".nsewdrag").bounding_box()
    page.mouse.click(drag["x"] + 0.75 * drag["width"], drag["y"] + 0.2 * drag["height"])
    page.locator(f"table{PAIRS} tr[aria-selected=true]").wait_for()
    words = page.locator(f"table{PAIRS} tr[aria-selected=true] td").all_inner_texts()
    assert [word.split("\n")[0] for word in words[:2]] == ["digits", "made-up"]


def nothing_is_clipped(page):
    boxes = "[...document.querySelectorAll('.table-box')]"
    for theme, width, height in (("light", 1280, 800), ("dark", 1920, 1080), ("light", 390, 844)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"{boxes}.every(e => e.scrollWidth <= e.clientWidth)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_walk_through_the_server(chromium, folder, tmp_path):
    notebook = shutil.copy(DASHBOARDS / "compare.ipynb", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNUTS_DATA", str(folder))
        with serving(tmp_path / "compare.ipynb") as server, pages(chromium) as make:
            assert notebook
            walk(make(), server.url, folder)


def walk(page, url, folder):
    page.goto(f"{url}?{START}", wait_until="commit")
    page.wait_for_function(f"{ROWS} === 4")
    box = page.locator("[data-setting=beta] .number-box")
    box.fill("0.9")
    box.press("Enter")
    page.wait_for_function("location.search.includes('beta=0.9')")
    page.wait_for_timeout(900)  # a step of its own in the browser's history
    page.get_by_label("α").select_option(label="keep α")
    page.wait_for_function("location.search.includes('alpha=source')")
    address = page.url
    page.reload(wait_until="commit")
    page.wait_for_function(f"{ROWS} === 4")
    assert page.url == address
    page.get_by_label("made-up").uncheck()
    page.wait_for_function(f"{ROWS} === 1")
    page.go_back()
    page.wait_for_function(f"{ROWS} === 4")
    choose = page.locator("input[type=file]")
    choose.set_input_files(folder / "elsewhere" / "broken.safetensors")
    alert = page.get_by_role("alert")
    alert.get_by_text("broken.safetensors is left out").wait_for()
    assert alert.locator("li").count() == 1
    choose.set_input_files(folder / "elsewhere" / "brought.safetensors")
    page.wait_for_function(f"{ROWS} === 9")
    assert page.get_by_label("brought").is_checked()
    assert alert.locator("li").count() == 0
    assert page.get_by_text("Traceback").count() == 0
