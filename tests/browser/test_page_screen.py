"""The screen, on a desk and on a phone: what is on it fits, can be brushed and cleared, saved and printed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnuts_core import MixConfig, MixParams
from mnuts_core.views import classes, tradeoff
from tests.browser.test_page_explorer import DONE, Explorer

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DIP = "bundle=digits&s=1&p=2&c=-2.14&robustbench=on"
"""A mix in GELU's dip."""


def opened(chromium, file: Path, query: str = "", **options) -> Iterator[Explorer]:
    context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    context.set_default_timeout(DONE)
    explorer = Explorer(context.new_page(), file)
    explorer.open(query)
    yield explorer
    assert explorer.problems == []
    context.close()


@pytest.fixture(scope="module")
def desk(chromium, page_file) -> Iterator[Explorer]:
    yield from opened(chromium, page_file, "bundle=digits", color_scheme="dark")


@pytest.fixture(scope="module")
def phone(chromium, page_file) -> Iterator[Explorer]:
    yield from opened(chromium, page_file, "bundle=digits", **PHONE)


def panel(explorer: Explorer, name: str):
    """A plot, once it is drawn."""
    found = explorer.page.locator(f"[data-panel={name}]")
    found.scroll_into_view_if_needed()
    found.locator(".main-svg").first.wait_for()
    return found


def selected(explorer: Explorer) -> str:
    return explorer.page.locator(".selection > span").inner_text()


def test_table_and_plane_fit_on_a_small_screen(desk):
    bottom = panel(desk, "plane").evaluate("one => one.getBoundingClientRect().bottom + scrollY")
    assert bottom <= 800
    assert desk.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_a_class_and_a_mistake_are_selected_and_cleared(desk, engine):
    """By mouse and by keyboard; every other plot marks them, and the list of images keeps to them."""
    results = classes.class_results(engine, engine.remix(MixParams()), "clean")
    stage = panel(desk, "classes").locator(".plot-stage")
    stage.focus()
    for key in ("ArrowRight", "ArrowRight", "Space"):
        desk.page.keyboard.press(key)
    desk.becomes(lambda: selected(desk), f"{results.n[1]} images selected: class 1")
    note = desk.page.locator(".shows-examples .table-note")
    desk.becomes(lambda: note.inner_text().partition(" clean")[0], f"of {results.n[1]} selected")
    for name in ("margin_scatter", "mix_margins", "margins", "confusion"):
        legend = panel(desk, name).locator(".scatterlayer .trace").last
        desk.becomes(lambda legend=legend: legend.locator("path").count() > 0, True)
    desk.page.keyboard.press("Escape")  # leaves the point
    panel(desk, "classes").locator(".plot-stage").focus()
    desk.page.keyboard.press("Escape")
    desk.becomes(lambda: desk.page.locator(".selection").is_visible(), False)
    desk.becomes(lambda: "selected" in note.inner_text(), False)
    box = panel(desk, "confusion").locator(".nsewdrag").bounding_box()
    across, down = box["width"] / 10, box["height"] / 10
    desk.page.mouse.click(box["x"] + 8.5 * across, box["y"] + 1.5 * down)  # true 1, predicted 8
    desk.becomes(lambda: selected(desk).endswith("selected: 1 taken for 8"), True)
    desk.becomes(lambda: desk.query().endswith("%3B1%20taken%20for%208"), True)
    one = selected(desk)
    desk.button("Undo").click()
    desk.becomes(lambda: desk.page.locator(".selection").is_visible(), False)
    desk.button("Redo").click()
    desk.becomes(lambda: selected(desk), one)
    desk.button("Clear selection").click()
    desk.becomes(lambda: desk.page.locator(".selection").is_visible(), False)


def test_brushing_bars_of_margins(desk):
    box = panel(desk, "mix_margins").locator(".nsewdrag").first.bounding_box()
    desk.page.mouse.move(box["x"] + 3, box["y"] + 5)
    desk.page.mouse.down()
    desk.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40, steps=4)
    desk.page.mouse.up()
    desk.becomes(lambda: "selected: M(h) right or wrong, margin 0.00 to " in selected(desk), True)
    desk.button("Clear selection").click()


def test_a_switch_is_part_of_the_link_and_of_the_way_back(desk):
    box = panel(desk, "margins").locator(".plot-option input")
    box.check()
    desk.becomes(lambda: "log_margins=on" in desk.query(), True)
    desk.button("Undo").click()
    desk.becomes(lambda: ("log_margins" in desk.query(), box.is_checked()), (False, False))


def test_what_is_saved_is_of_the_settings_of_now(desk, engine):
    """Right after a change, of a plot that is not on the screen."""
    menu = panel(desk, "plane")
    desk.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    desk.type("s", "7.5")
    with desk.page.expect_download() as download:
        menu.locator("button", has_text="CSV").evaluate("one => one.click()")  # its menu has closed
    assert download.value.suggested_filename.startswith("digits-plane-s7.5-p")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    curve = [row for row in rows if row["trace"] == "this transform, attacked"]
    mix = {name: float(curve[0][f"mix_{name}"]) for name in ("s", "p", "c", "alpha", "temperature")}
    alphas = [float(row["point_alpha"]) for row in curve]
    expected = 100 * tradeoff.alpha_curve(engine, MixParams(**mix), alphas).attacked
    assert mix["s"] == 7.5
    assert [float(row["attacked_percent"]) for row in curve] == pytest.approx(expected.tolist())
    desk.type("s", "8.5")
    with desk.page.expect_download() as download:
        desk.button("Download JSON").evaluate("one => one.click()")
    assert MixConfig.load(download.value.path()).params.s == 8.5
    desk.button("Undo").click()


def test_errors_are_a_list_and_go_with_their_cause(desk):
    desk.page.evaluate("scrollTo(0, 0)")
    desk.type("s", "1,000")
    desk.type("p", "abc")
    desk.becomes(lambda: len(desk.errors()), 2)
    assert desk.errors()[0].endswith("Did you mean 1000?")
    desk.slider("p").press("ArrowLeft")  # who drags does not mean what was typed
    desk.becomes(lambda: len(desk.errors()), 1)
    desk.type("s", "1e3")
    desk.becomes(lambda: (desk.errors(), desk.value("s")), ([], 1000.0))
    for text, value in (("95 %", 0.95), ("0.97", 0.97)):
        if not desk.box("beta").is_enabled():
            desk.button("α from β").click()
        desk.type("beta", text)
        desk.becomes(lambda: desk.value("beta"), value)


def test_terms_explain_themselves_to_mouse_and_keyboard(desk):
    desk.page.evaluate("scrollTo(0, 0)")
    term, tip = desk.page.locator(".headline .term").first, desk.page.get_by_role("tooltip")
    for begin, end in ((term.hover, lambda: desk.page.mouse.move(0, 0)), (term.focus, term.blur)):
        begin()
        assert tip.inner_text().startswith("Attacked accuracy: ")
        assert term.get_attribute("aria-describedby") == tip.get_attribute("id")
        end()
        tip.wait_for(state="hidden")


def test_where_m_changes_the_class_the_plot_says_so(desk):
    desk.page.goto(desk.file.as_uri() + f"?{DIP}")
    desk.began()
    bars = panel(desk, "bars")
    warning = "M changes the class of Case 1 from A to "
    desk.becomes(lambda: bars.locator(".plot-warning").inner_text().startswith(warning), True)
    assert "Fig. 3 0.93" in bars.locator(".textpoint").first.text_content()
    option = panel(desk, "plane").locator("[data-option=robustbench]")
    assert option.is_hidden()  # digits are on no leaderboard
    desk.page.get_by_label("Bundle", exact=True).select_option("cifar10")
    plane = panel(desk, "plane").locator(".plot-warning")
    desk.becomes(lambda: "JPEG" in plane.inner_text() and "not like for like" in plane.inner_text(), True)


def test_print_has_every_plot_on_light_paper(desk):
    desk.page.evaluate("scrollTo(0, 0)")
    panels = desk.page.locator("[data-panel]").count()
    drawn = desk.page.locator("[data-panel] .main-svg:first-child")
    wait = "document.querySelector('main').getAttribute('aria-busy') === 'false'"
    desk.page.wait_for_function(wait)
    desk.page.wait_for_timeout(1800)  # all views are there, seen or not
    desk.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert drawn.count() == panels
    colour = "getComputedStyle(document.querySelector('[data-panel=plane] .xtick text')).fill"
    assert desk.page.evaluate(colour) == "rgb(89, 99, 110)"  # of light paper
    assert desk.page.locator("dl.glossary").is_visible()
    desk.page.evaluate("dispatchEvent(new Event('afterprint'))")
    desk.becomes(lambda: desk.page.evaluate(colour) != "rgb(89, 99, 110)", True)
    assert not desk.page.locator("dl.glossary").is_visible()


def test_a_phone_has_sliders_beside_every_plot_and_all_controls_in_a_sheet(phone):
    page = phone.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for name in ("plane", "margin_scatter"):
        panel(phone, name)
        reach = page.locator(".reach-panel").bounding_box()
        assert 844 - reach["height"] - 1 <= reach["y"] < 844
        assert phone.slider("s").is_visible()
    assert not page.get_by_label("Bundle", exact=True).is_visible()
    phone.button("More controls").tap()
    assert page.get_by_label("Bundle", exact=True).is_visible()
    phone.button("Back to the plots").tap()
    assert not page.get_by_label("Bundle", exact=True).is_visible()


@pytest.mark.parametrize("size", [(320, 256), (640, 400)], ids=["400 % zoom", "200 % zoom"])
def test_in_a_low_window_the_sliders_leave_room_for_the_plots(phone, size):
    page, (width, height) = phone.page, size
    page.set_viewport_size({"width": width, "height": height})
    panel(phone, "plane")
    reach = page.locator(".reach-panel").bounding_box()
    assert reach["y"] + reach["height"] < 0 or reach["y"] > height  # it went with what stands around it
    phone.button("More controls").tap()
    assert page.get_by_label("Bundle", exact=True).is_visible()
    phone.becomes(lambda: page.evaluate("document.documentElement.scrollWidth"), width)
    phone.button("Back to the plots").tap()
    assert not page.get_by_label("Bundle", exact=True).is_visible()
    page.set_viewport_size(PHONE["viewport"])


def test_a_phone_s_tables_stack(phone):
    stars = phone.page.locator(".shows-stars tbody tr").first
    stars.scroll_into_view_if_needed()
    cells = stars.locator("td")
    boxes = [cells.nth(i).bounding_box() for i in range(cells.count())]
    assert max(box["x"] + box["width"] for box in boxes) <= 390
    assert boxes[-1]["y"] > boxes[0]["y"]
    overlap = stars.evaluate("row => row.scrollWidth > row.clientWidth")
    assert not overlap
