"""The explorer as its user meets it: through our server in Chromium, and in JupyterLab."""

import csv
import os
import re
import signal
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from mnuts_core import GridSpec, LogitBundle, MixConfig, MixParams, RemixEngine, grid_search
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.state import PRESETS
from mnuts_dashboards.figures.plots import PLOTS
from tests.browser.conftest import PAGE_PLOT, at, open_explorer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PANELS = tuple(PLOTS)


@pytest.fixture(scope="module")
def engine(digits_path):
    return RemixEngine(LogitBundle.load(digits_path))


@pytest.fixture(scope="module")
def served(explorer_server):
    return explorer_server


@pytest.fixture
def page(kept_page, engine):
    """The page that is open for all tests here, as it was when it opened."""
    at(kept_page, "bundle=digits")
    wait_for_mix(kept_page, expected(engine, opening(engine)))
    return kept_page


@pytest.fixture
def fresh_page(served, chromium_page):
    open_explorer(chromium_page, served.url)
    return chromium_page


ESTIMATES = "td:not(:nth-of-type(4)) b"
"""In a row of the headline table: clean, attacked, right by margin; the last cell is verified."""


def shown(page, row: str) -> list[str]:
    """The bold percentages of a row of the headline table."""
    texts = page.locator(f"[data-row={row}] {ESTIMATES}").all_inner_texts()
    return [text.removesuffix("%").strip() for text in texts if text]


def expected(engine, params) -> list[str]:
    remix = engine.remix(params)
    return [f"{100 * e.value:.2f}" for e in (remix.clean, remix.attacked, remix.by_margin)]


def set_slider(page, label: str, value: str) -> None:
    """Type into the box beside a slider, as a person does."""
    box = page.get_by_label(f"{label}, as a number")
    box.fill(value)
    box.press("Enter")


def wait_for_mix(page, figures: list[str]) -> None:
    page.wait_for_function(
        f"want => JSON.stringify([...document.querySelectorAll('[data-row=mix] {ESTIMATES}')]"
        ".map(e => e.innerText.replace(/\\s*%$/, ''))) === JSON.stringify(want)",
        arg=figures,
    )


def opening(engine) -> MixParams:
    return grid_search(engine.bundle, GridSpec.paper("cifar10")).best.params.with_(alpha=None)


def test_it_opens_on_real_data_and_paints(page, engine):
    wait_for_mix(page, expected(engine, opening(engine)))
    base = engine.base
    assert shown(page, "rob") == [f"{100 * base.rob_clean.value:.2f}", f"{100 * base.rob_attacked.value:.2f}"]
    visible = page.evaluate(
        f"{list(PANELS)}.filter(n => document.querySelector(`[data-panel=${{n}}] .js-plotly-plot`))"
    )
    assert {"plane", "transform"} <= set(visible)
    assert page.locator("h1:visible").count() == 1
    assert page.get_by_text("Traceback").count() == 0


def test_every_panel_paints_when_it_comes_into_view(page):
    for name in PANELS:
        page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
        page.wait_for_function(
            f"{PAGE_PLOT.format(name)}?._fullLayout && {PAGE_PLOT.format(name)}.data.length > 0"
        )
        assert page.evaluate(f"{PAGE_PLOT.format(name)}.clientHeight") > 150


def test_typing_and_keys_move_sliders_and_the_numbers_follow_the_core(page, engine):
    params = opening(engine)
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


def test_alpha_by_hand_and_a_preset(page, engine):
    page.get_by_role("button", name="α by hand").click()
    set_slider(page, "weight α", "0.6")
    wait_for_mix(page, expected(engine, opening(engine).with_(alpha=0.6)))
    page.get_by_label("Preset").select_option("Layer norm only")
    params = MixParams(s=1, p=1, c=0, clamp="linear", alpha=0.6)
    wait_for_mix(page, expected(engine, params))


def test_the_page_leaves_a_presets_values_as_they_are(page):
    """Its sliders round to their steps and tell so; that is no choice of the visitor's."""
    for name, values in PRESETS.items():
        page.get_by_label("Preset").select_option(name)
        for _ in ("now", "later"):
            for symbol in "spc":
                box = page.get_by_label(f"{PARAMS[symbol].label}, as a number")
                expect(box).to_have_value(f"{getattr(values, symbol):.6g}".replace("-", "−"))
            page.wait_for_timeout(500)
        expect(page.get_by_label("Preset").locator("option:checked")).to_have_text(name)


def test_a_wrong_setting_shows_a_banner_not_a_traceback(page):
    field = page.get_by_label("layer norm over top-k logits")
    field.fill("1")
    field.press("Enter")
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


def query(page) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(page.url).query))


def wait_for_query(page, **wanted: str | None) -> None:
    """Wait until the address says so; None: the word is not in it."""
    page.wait_for_function(
        "want => Object.entries(want).every(([k, v]) => new URLSearchParams(location.search).get(k) === v)",
        arg=wanted,
    )


def test_the_address_follows_and_back_undoes_and_a_reload_keeps(page, engine):
    params = opening(engine)
    wait_for_query(page, bundle="digits", c=None)
    set_slider(page, "bias c", "-0.25")
    wait_for_query(page, c="-0.25")
    page.wait_for_timeout(1000)  # at rest: the next change is a step of its own
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


def test_a_link_opens_the_view_hides_controls_and_shows_what_is_wrong(served, chromium_page, engine):
    page = chromium_page
    page.goto(f"{served.url}?s=2&p=2&c=-0.3&beta=0.9&hide=T,search&k=one&theme=dark", wait_until="commit")
    wait_for_mix(page, expected(engine, MixParams(s=2, p=2, c=-0.3, beta=0.9)))
    page.get_by_role("alert").get_by_text("or a whole number of 2 or more (the link has “one”)").wait_for()
    assert not page.locator("[data-setting=temperature]").is_visible()
    assert not page.get_by_role("button", name="Find best for this β").is_visible()
    wait_for_query(page, theme="dark", hide="T,search")


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
    page.locator("[data-panel=bars]").scroll_into_view_if_needed()  # painted when seen
    page.locator("[data-panel=bars]").get_by_text(f"clean image {number}, labelled").first.wait_for()


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


def test_verify_in_the_background_and_only_this_mix_shows_the_figure(page, tmp_path):
    page.get_by_label("Images", exact=True).fill("12")
    page.get_by_label("Images", exact=True).press("Enter")
    page.get_by_label("Steps", exact=True).fill("2")
    page.get_by_label("Steps", exact=True).press("Enter")
    page.get_by_role("button", name="Verify this mix").click()
    page.get_by_text("keep exploring").wait_for()
    set_slider(page, "bias c", "-0.4")  # the page goes on meanwhile
    wait_for_query(page, c="-0.4")
    page.get_by_text("mnuts evaluate CONFIG.json").first.wait_for()
    verified = page.locator("[data-row=mix] td").nth(3)
    expect(verified).to_have_text("not yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("table.headline thead th").nth(4)).to_contain_text(re.compile(r"n\s=\s12$"))
    expect(verified).not_to_have_text("not yet")
    is_verified = "t.name === 'this mix, verified' && t.meta === 'this mix, verified, n = 12'"
    page.wait_for_function(f"{PAGE_PLOT.format('plane')}.data.some(t => {is_verified})")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    download.value.save_as(tmp_path / "config.json")
    assert MixConfig.load(tmp_path / "config.json").verified.accuracy.n == 12


def test_files_are_imported_or_refused(page, engine, tmp_path, digits_path):
    config = MixConfig.from_remix(engine, MixParams(s=2, p=2, c=-0.3))
    chooser = page.locator("input[type=file]")
    chooser.set_input_files(config.save(tmp_path / "mine.json"))
    wait_for_mix(page, expected(engine, MixParams(s=2, p=2, c=-0.3)))
    (tmp_path / "broken.safetensors").write_bytes(b"no bundle")
    chooser.set_input_files(tmp_path / "broken.safetensors")
    page.get_by_role("alert").get_by_text("broken.safetensors is not a readable safetensors file").wait_for()
    chooser.set_input_files(digits_path)
    wait_for_query(page, bundle="digits (2)")
    wait_for_mix(page, expected(engine, MixParams(s=2, p=2, c=-0.3)))


def test_the_report_opens_from_the_disk(page, new_page, tmp_path):
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML report").click()
    download.value.save_as(tmp_path / "report.html")
    report = new_page()
    report.goto(f"file://{tmp_path / 'report.html'}")
    report.wait_for_function("[...document.querySelectorAll('section > div')].every(d => d._fullLayout)")
    assert shown(report, "mix") == shown(page, "mix")


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


def test_a_page_that_might_leave_but_stays_goes_on(page, engine):
    page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    set_slider(page, "bias c", "-0.25")
    wait_for_mix(page, expected(engine, opening(engine).with_(c=-0.25)))


SOON = """
const later = window.setTimeout;
window.setTimeout = (task, ms, ...rest) => later(task, ms === 10000 ? 1000 : ms, ...rest);
"""
"""A page that waits one second for its kernel's answer where it waits ten."""


def test_a_kernel_that_does_not_answer_is_told_of_and_a_closed_tab_ends_it(served, new_page, engine):
    page = new_page()
    page.add_init_script(SOON)
    open_explorer(page, served.url)
    kernel_that_does_not_answer(page, engine)
    closed_tab(page)


def closed_tab(page):
    answers, own = [], kernel_of(page)
    page.context.on("response", lambda response: answers.append(response))
    page.goto("about:blank")
    deadline = time.monotonic() + 20
    while processes(own) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes(own)
    assert [r.status for r in answers if "shutdown" in r.url and r.status >= 400] == []


def kernel_that_does_not_answer(page, engine):
    notice = page.get_by_text("The kernel does not answer")
    own = processes(kernel_of(page))
    assert own
    try:
        for process in own:
            os.kill(process, signal.SIGSTOP)
        page.mouse.click(5, 5)
        notice.wait_for()
    finally:
        for process in own:
            os.kill(process, signal.SIGCONT)
    notice.wait_for(state="hidden")
    set_slider(page, "bias c", "-0.25")
    wait_for_mix(page, expected(engine, opening(engine).with_(c=-0.25)))


def kernel_of(page) -> str:
    """The id of a page's kernel."""
    names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name).join(' ')")
    return re.search(r"kernels/([\w-]+)", names)[1]


def processes(kernel: str) -> list[int]:
    """The processes of a kernel."""
    return [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if kernel in readable(path)
    ]


def readable(path: Path) -> str:
    try:
        return path.read_text(errors="ignore")
    except OSError:
        return ""


def test_two_tabs_are_independent(page, fresh_page, engine):
    wait_for_mix(fresh_page, expected(engine, opening(engine)))
    set_slider(page, "bias c", "-0.25")
    wait_for_mix(page, expected(engine, opening(engine).with_(c=-0.25)))
    assert shown(fresh_page, "mix") == expected(engine, opening(engine))


def test_it_works_in_jupyterlab(lab, chromium_page, engine):
    page = chromium_page
    page.goto(f"{lab}/lab/tree/explorer.ipynb?reset", wait_until="commit")
    page.get_by_text("| Idle").wait_for()  # before that, Shift+Enter may be lost
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    page.keyboard.press("Shift+Enter")
    wait_for_mix(page, expected(engine, opening(engine)))
    page.goto("about:blank")
