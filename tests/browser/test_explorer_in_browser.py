"""The explorer as its user meets it: through our server in Chromium, and in JupyterLab."""

import re
import shutil
from pathlib import Path

import pytest

from mnuts_core import GridSpec, LogitBundle, MixConfig, MixParams, RemixEngine, grid_search

from .conftest import jupyterlab, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = Path(__file__).resolve().parents[2] / "dashboards" / "explorer.ipynb"
PLOT = "document.querySelector('[data-panel={}] .mnuts-plot')"
PANELS = ("plane", "transform", "margins", "mix_margins", "simplex", "medians", "slices")


@pytest.fixture(scope="module")
def served(tmp_path_factory, digits_path):
    """The explorer on the shipped digits, served from a copy of its notebook."""
    copy = tmp_path_factory.mktemp("explorer") / "explorer.ipynb"
    shutil.copy(NOTEBOOK, copy)
    with serving(copy, bundle=str(digits_path)) as server:
        yield server


@pytest.fixture(scope="module")
def engine(digits_path):
    return RemixEngine(LogitBundle.load(digits_path))


@pytest.fixture
def page(served, chromium_page):
    chromium_page.goto(served.url, wait_until="commit")
    chromium_page.wait_for_function("window.__mnutsBoard?.frames > 0")
    chromium_page.locator("[data-row=mix]").wait_for()
    return chromium_page


def shown(page, row: str) -> list[str]:
    """The bold percentages of a row of the headline table."""
    return page.locator(f"[data-row={row}] b").all_inner_texts()


def expected(engine, params) -> list[str]:
    remix = engine.remix(params)
    return [f"{100 * e.value:.2f}" for e in (remix.clean, remix.margin_bound, remix.transfer)]


def set_slider(page, label: str, value: str) -> None:
    """Type into the box beside a slider, as a person does."""
    box = page.locator(".mnuts-slider", has_text=label).locator("input[type=text]")
    box.fill(value)
    box.press("Enter")


def wait_for_mix(page, figures: list[str]) -> None:
    page.wait_for_function(
        "want => JSON.stringify([...document.querySelectorAll('[data-row=mix] b')]"
        ".map(e => e.innerText)) === JSON.stringify(want)",
        arg=figures,
    )


def opening(engine) -> MixParams:
    return grid_search(engine.bundle, GridSpec.paper("cifar10")).best.params.with_(alpha=None)


def test_it_opens_on_real_data_and_paints(page, engine):
    wait_for_mix(page, expected(engine, opening(engine)))
    base = engine.base
    assert shown(page, "rob") == [
        f"{100 * base.rob_clean.value:.2f}",
        f"{100 * base.rob_attacked.value:.2f}",
    ]
    visible = page.evaluate(
        f"{list(PANELS)}.filter(n => document.querySelector(`[data-panel=${{n}}] .js-plotly-plot`))"
    )
    assert {"plane", "transform"} <= set(visible)
    assert page.locator("h1").count() == 0 or not page.locator("h1").first.is_visible()
    assert page.get_by_text("Traceback").count() == 0


def test_every_panel_paints_when_it_comes_into_view(page):
    for name in PANELS:
        page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
        page.wait_for_function(f"{PLOT.format(name)}?._fullLayout && {PLOT.format(name)}.data.length > 0")
        assert page.evaluate(f"{PLOT.format(name)}.clientHeight") > 150


def test_typing_and_keys_move_sliders_and_the_numbers_follow_the_core(page, engine):
    params = opening(engine)
    set_slider(page, "bias c", "-0.25")
    params = params.with_(c=-0.25)
    wait_for_mix(page, expected(engine, params))
    set_slider(page, "level β", "0.9")
    params = params.with_(beta=0.9)
    wait_for_mix(page, expected(engine, params))
    handle = page.locator(".mnuts-slider", has_text="power p").locator(".noUi-handle")
    handle.focus()
    before = page.evaluate(f"{PLOT.format('transform')}.data[2].y.at(-1)")
    handle.press("ArrowLeft")
    page.wait_for_function(f"{PLOT.format('transform')}.data[2].y.at(-1) !== {before}")
    page.wait_for_function(
        f"{PLOT.format('plane')}.data.some(t => t.name === 'this mix, margin bound' && "
        f"Math.abs(t.x[0] - parseFloat(document.querySelector('[data-row=mix] b').innerText)) < 0.006)"
    )


def test_find_best_then_export_gives_a_configuration_with_the_same_numbers(page, engine, tmp_path):
    set_slider(page, "level β", "0.95")
    page.get_by_role("button", name="Find best for this β").click()
    best = grid_search(engine.bundle, GridSpec.paper("cifar10"), 0.95).best.params.with_(alpha=None)
    wait_for_mix(page, expected(engine, best))
    assert "objective" in page.locator(".mnuts-found").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export JSON").click()
    assert re.fullmatch(r"mnuts-\w+\.json", download.value.suggested_filename)
    target = tmp_path / "config.json"
    download.value.save_as(target)
    config = MixConfig.load(target)
    assert config.params.with_(alpha=None) == best
    assert expected(engine, config.params) == expected(engine, best) == shown(page, "mix")
    assert config.estimates.clean.value == engine.remix(best).clean.value
    assert config.bundle.digest == engine.bundle.digest


def test_alpha_by_hand_and_a_preset(page, engine):
    page.get_by_role("button", name="α by hand").click()
    set_slider(page, "weight α", "0.6")
    wait_for_mix(page, expected(engine, opening(engine).with_(alpha=0.6)))
    page.get_by_label("start from").select_option("Layer norm only")
    params = MixParams(s=1, p=1, c=0, clamp="linear", alpha=0.6)
    wait_for_mix(page, expected(engine, params))


def test_a_wrong_setting_shows_a_banner_not_a_traceback(page):
    field = page.get_by_label("LN top-k")
    field.fill("1")
    field.press("Enter")
    page.get_by_role("alert").get_by_text("ln_k must be 0").wait_for()
    assert page.get_by_text("Traceback").count() == 0
    assert field.input_value() == "250"
    set_slider(page, "level β", "98.5")
    page.get_by_role("alert").get_by_text("beta must lie in [0, 1], got 98.5").wait_for()
    set_slider(page, "level β", "0.95")
    page.get_by_role("alert").wait_for(state="detached")


def test_the_controls_stay_in_view(page):
    top = page.locator(".mnuts-controls").bounding_box()["y"]
    page.mouse.move(900, 500)
    page.mouse.wheel(0, 900)
    page.wait_for_function(f"{PLOT.format('margins')}.getBoundingClientRect().top < 300")
    assert abs(page.locator(".mnuts-controls").bounding_box()["y"] - top) < 40


def test_two_tabs_are_independent(served, new_page, engine):
    first, second = new_page(), new_page()
    for page in (first, second):
        page.goto(served.url, wait_until="commit")
        page.wait_for_function("window.__mnutsBoard?.frames > 0")
    set_slider(first, "bias c", "-0.25")
    wait_for_mix(first, expected(engine, opening(engine).with_(c=-0.25)))
    assert shown(second, "mix") == expected(engine, opening(engine))


def test_it_works_in_jupyterlab(tmp_path, chromium_page, engine):
    shutil.copy(NOTEBOOK, tmp_path / "explorer.ipynb")
    page = chromium_page
    with jupyterlab(tmp_path) as url:
        page.goto(f"{url}/lab/tree/explorer.ipynb?reset", wait_until="commit")
        page.get_by_text("| Idle").wait_for()  # before that, Shift+Enter may be lost
        page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_function("window.__mnutsBoard?.frames > 0")
        wait_for_mix(page, expected(engine, opening(engine)))
