"""The explorer as its user meets it, through our server in Chromium."""

import csv
import re

import pytest
from playwright.sync_api import expect

from mnuts_core import GridSpec, MixConfig, MixParams, grid_search
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.state import PRESETS
from mnuts_dashboards.figures.plots import PLOTS
from tests.browser.conftest import PAGE_PLOT, at, open_explorer, pages
from tests.browser.explorer import (
    ESTIMATES,
    expected,
    fill,
    link_to,
    query,
    set_slider,
    shown,
    wait_for_mix,
    wait_for_query,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PANELS = tuple(PLOTS)


@pytest.fixture(scope="module")
def kept_page(chromium, explorer_server, start):
    """An explorer that stays open for the tests of this module."""
    with pages(chromium) as make:
        page = make()
        open_explorer(page, f"{explorer_server.url}?{link_to('digits', start)}")
        yield page


@pytest.fixture
def page(kept_page, engine, start):
    """The page that is open for all tests here, at the mix where they begin."""
    at(kept_page, link_to("digits", start))
    wait_for_mix(kept_page, expected(engine, start))
    return kept_page


def test_it_shows_real_data_and_paints(page, engine):
    base = engine.base
    assert shown(page, "rob") == [f"{100 * base.rob_clean.value:.2f}", f"{100 * base.rob_attacked.value:.2f}"]
    visible = page.evaluate(
        f"{list(PANELS)}.filter(n => document.querySelector(`[data-panel=${{n}}] .js-plotly-plot`))"
    )
    assert {"plane", "transform"} <= set(visible)
    assert page.locator("h1:visible").count() == 1
    assert page.get_by_text("Traceback").count() == 0


def test_the_page_loads_its_own_script_and_plotly_alone(kept_page):
    asked = kept_page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    loaded = [url for url in asked if not url.startswith("blob:")]
    assert len(loaded) == 2
    assert all(re.search(r"/mnuts/(explorer-|plotly-)[\w.-]+\.js$", url) for url in loaded)
    for url in loaded:
        assert "immutable" in kept_page.request.get(url).headers["cache-control"]


def test_every_panel_paints_when_it_comes_into_view(page):
    for name in PANELS:
        page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
        page.wait_for_function(
            f"{PAGE_PLOT.format(name)}?._fullLayout && {PAGE_PLOT.format(name)}.data.length > 0"
        )
        assert page.evaluate(f"{PAGE_PLOT.format(name)}.clientHeight") > 150


def test_typing_and_keys_move_sliders_and_the_numbers_follow_the_core(page, engine, start):
    params = start
    set_slider(page, "bias c", "-0.25")
    params = params.with_(c=-0.25)
    wait_for_mix(page, expected(engine, params))
    set_slider(page, "robustness kept, β", "0.9")
    params = params.with_(beta=0.9)
    wait_for_mix(page, expected(engine, params))
    handle = page.locator("[data-setting=p] input[type=range]")
    handle.focus()
    last = f"{PAGE_PLOT.format('transform')}.data.find(t => t.name === 'M').y.at(-1)"
    before = page.evaluate(last)
    handle.press("ArrowLeft")
    page.wait_for_function(f"{last} !== {before}")
    page.wait_for_function(
        f"{PAGE_PLOT.format('plane')}.data.some(t => t.name === 'this mix' && "
        f"Math.abs(t.x[0] - parseFloat(document.querySelector('[data-row=mix] b').innerText)) < 0.006)"
    )


@pytest.mark.parametrize("name", ["c", "s"])
def test_a_drag_moves_the_figures_before_it_ends_and_stays_where_it_ends(page, name):
    slider = page.locator(f"[data-setting={name}] input[type=range]")
    box, before = page.locator(f"[data-setting={name}] .number-box"), shown(page, "mix")
    at = slider.bounding_box()
    share = slider.evaluate("e => (e.value - e.min) / (e.max - e.min)")
    x, y = at["x"] + 8 + share * (at["width"] - 16), at["y"] + at["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 25, y, steps=5)
    page.wait_for_function(
        f"before => [...document.querySelectorAll('[data-row=mix] {ESTIMATES}')]"
        ".map(e => e.innerText.replace(/\\s*%$/, '')).join() !== before",
        arg=",".join(before),
    )
    page.wait_for_timeout(500)
    there = box.input_value()
    page.mouse.up()
    page.wait_for_timeout(500)
    assert box.input_value() == there
    wait_for_query(page, **{name: there.replace("−", "-")})


def test_find_best_then_export_gives_a_configuration_with_the_same_numbers(page, engine, tmp_path):
    set_slider(page, "robustness kept, β", "0.95")
    page.get_by_role("button", name="Find best for this β").click()
    best = grid_search(engine.bundle, GridSpec.paper("cifar10"), 0.95).best.params.with_(alpha=None)
    wait_for_mix(page, expected(engine, best))
    assert "best of the grid" in page.locator(".search .found").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    assert re.fullmatch(r"digits-s[\w.-]+\.json", download.value.suggested_filename)
    target = tmp_path / "config.json"
    download.value.save_as(target)
    config = MixConfig.load(target)
    assert config.params.with_(alpha=None) == best
    assert expected(engine, config.params) == expected(engine, best) == shown(page, "mix")
    assert config.estimates.clean.value == engine.remix(best).clean.value
    assert config.bundle.digest == engine.bundle.digest


def test_alpha_by_hand_and_a_preset(page, engine, start):
    page.get_by_role("button", name="α by hand").click()
    set_slider(page, "weight α", "0.6")
    wait_for_mix(page, expected(engine, start.with_(alpha=0.6)))
    page.get_by_label("Preset").select_option("Layer norm only")
    params = MixParams(s=1, p=1, c=0, clamp="linear", alpha=0.6)
    wait_for_mix(page, expected(engine, params))


def test_a_presets_values_are_set_as_they_are(page):
    for name, values in PRESETS.items():
        page.get_by_label("Preset").select_option(name)
        for symbol in "spc":
            box = page.get_by_label(f"{PARAMS[symbol].label}, as a number")
            expect(box).to_have_value(f"{getattr(values, symbol):.6g}".replace("-", "−"))
        expect(page.get_by_label("Preset").locator("option:checked")).to_have_text(name)


def test_a_wrong_setting_shows_a_banner_not_a_traceback(page):
    field = page.get_by_label("layer norm over top-k logits")
    fill(field, "1")
    page.get_by_role("alert").get_by_text("LN top-k must be 0").wait_for()
    assert page.get_by_text("Traceback").count() == 0
    field.press("Escape")
    assert field.input_value() == "250"
    set_slider(page, "robustness kept, β", "98.5")
    page.get_by_role("alert").get_by_text("β must be between 0 and 1. Did you mean 0.985?").wait_for()
    set_slider(page, "robustness kept, β", "0.95")
    page.get_by_role("alert").wait_for(state="hidden")


def test_sliders_have_names_and_say_their_values(page):
    """What a screen reader hears of a slider: its label, and the value itself, not its place."""
    for name, value in (("power p", "3.125"), ("scale s", "1.5"), ("robustness kept, β", "0.985")):
        set_slider(page, name, value)
        handle = page.get_by_role("slider", name=name, exact=True)
        handle.wait_for()
        assert page.get_by_role("textbox", name=f"{name}, as a number").input_value() == value
        expect(handle).to_have_attribute("aria-valuetext", value)


def test_the_controls_stay_in_view(page):
    top = page.locator(".column").bounding_box()["y"]
    page.mouse.move(900, 500)
    page.mouse.wheel(0, 900)
    page.wait_for_function(f"{PAGE_PLOT.format('margins')}.getBoundingClientRect().top < 300")
    assert 0 <= page.locator(".column").bounding_box()["y"] <= top


def test_the_address_follows_and_back_undoes_and_a_reload_keeps(page, engine, start):
    params, before = start, query(page)["c"]
    set_slider(page, "bias c", "-0.25")
    wait_for_query(page, c="-0.25")
    page.wait_for_timeout(850)  # at rest: the next change is a step of its own
    set_slider(page, "robustness kept, β", "0.9")
    wait_for_query(page, c="-0.25", beta="0.9")
    page.go_back()
    wait_for_mix(page, expected(engine, params.with_(c=-0.25)))
    wait_for_query(page, c="-0.25", beta=None)
    page.get_by_role("button", name="Redo").click()
    wait_for_mix(page, expected(engine, params.with_(c=-0.25, beta=0.9)))
    page.get_by_role("button", name="Undo").click()
    wait_for_query(page, c="-0.25", beta=None)
    page.reload(wait_until="commit")
    wait_for_mix(page, expected(engine, params.with_(c=-0.25)))
    page.go_back()
    wait_for_mix(page, expected(engine, params))
    wait_for_query(page, c=before)


def test_a_link_opens_the_view_hides_controls_and_shows_what_is_wrong(page, engine):
    at(page, "s=2&p=2&c=-0.3&beta=0.9&hide=T,search&k=one")
    wait_for_mix(page, expected(engine, MixParams(s=2, p=2, c=-0.3, beta=0.9)))
    page.get_by_role("alert").get_by_text("or a whole number of 2 or more (the link has “one”)").wait_for()
    assert not page.locator("[data-setting=temperature]").is_visible()
    assert not page.get_by_role("button", name="Find best for this β").is_visible()
    wait_for_query(page, bundle="digits", hide="T,search")


def test_an_example_is_chosen_by_mouse_and_keyboard(page):
    page.get_by_role(
        "grid", name="Images the mix fixes or breaks"
    ).scroll_into_view_if_needed()  # filled when seen
    page.locator(".shows-examples tr.choice").first.click()
    page.get_by_text("The mix fixes it").wait_for()
    first = query_image(page)
    assert page.evaluate("document.querySelector('.shows-story .picture').width") >= 8
    page.keyboard.press("ArrowDown")
    page.wait_for_function("old => new URLSearchParams(location.search).get('image') !== old", arg=first)
    number = query_image(page)
    chosen = page.locator(".shows-examples tr.choice[aria-selected=true]")
    chosen.locator("td", has_text=re.compile(rf"^{number}$")).wait_for()
    assert chosen.count() == 1
    page.wait_for_function(  # painted when seen; tables that are filled meanwhile may push it away again
        """number => {
          const panel = document.querySelector("[data-panel=bars]");
          panel.scrollIntoView({ block: "center" });
          return panel.querySelector(".plot").textContent.includes(`clean image ${number}, labelled`);
        }""",
        arg=number,
    )


def query_image(page) -> str:
    page.wait_for_function("new URLSearchParams(location.search).has('image')")
    return query(page)["image"]


def test_a_snapshot_is_on_the_plane_and_in_the_table(page):
    page.get_by_role("button", name="Keep a snapshot").click()
    wait_for_query(page, bundle="digits")
    set_slider(page, "bias c", "-0.5")
    page.locator("td", has_text="c −0.5").first.wait_for()  # till then rows are made anew
    page.get_by_role("button", name="Restore A").scroll_into_view_if_needed()
    page.wait_for_function(f"{PAGE_PLOT.format('plane')}.data.some(t => t.text?.[0] === 'A')")
    page.wait_for_function("new URLSearchParams(location.search).get('snap')?.startsWith('s:')")
    page.get_by_role("button", name="Remove A").click()
    page.get_by_role("button", name="Remove A").wait_for(state="hidden")


def test_the_heat_maps_table_gives_s_itself(page, engine, tmp_path):
    panel = page.locator("[data-panel=slices]")
    panel.scroll_into_view_if_needed()
    page.wait_for_function(f"{PAGE_PLOT.format('slices')}?.data?.length > 0")
    with page.expect_download() as download:
        panel.get_by_text("Save", exact=True).click()
        panel.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "slices.csv")
    rows = list(csv.DictReader((tmp_path / "slices.csv").open()))
    cells = [row for row in rows if row["trace"].startswith("objective")]
    grid = GridSpec.paper("cifar10")
    assert len(cells) == grid.size
    assert sorted({float(row["s"]) for row in cells}) == pytest.approx(sorted(grid.s))


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_it_fits_the_screen(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    if size[0] > 1000:
        page.locator("[data-panel=plane] .main-svg").first.wait_for()
        box = page.locator("[data-panel=plane] .plot-stage").bounding_box()
        assert box["y"] + box["height"] <= size[1]
    else:
        box = page.locator("[data-setting=s] input[type=range]").bounding_box()
        assert 400 < box["y"] < size[1]
