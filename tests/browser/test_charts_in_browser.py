"""The page's plots alone: drawn, moved in place, saved, read aloud, by keyboard, on light and dark paper."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.views import margins, tradeoff
from mnuts_dashboards.figures.catalogue import catalogue
from mnuts_dashboards.figures.plots import PLOTS
from mnuts_dashboards.plotlyjs.library import plotly_source
from tests.browser.conftest import pages
from tests.dashboards.web.engine import DRIVER, WEB, encoded, packed
from tests.synthetic import make_pool

pytestmark = pytest.mark.browser
ADDRESS = "http://localhost/"
START = MixParams(s=1.0, p=2.0, c=-0.3, beta=0.9)
ROBUSTBENCH = {
    "dataset": "cifar10",
    "norm": "Linf",
    "epsilon": "8/255",
    "model": "Made2024Up",
    "venue": "nowhere",
    "clean_percent": 93.5,
    "autoattack_percent": 70.25,
}
SET_UP = """
async ({bundle, catalogue, meta, paper}) => {
  const {decoded} = await import("/driver.mjs");
  const {EngineService} = await import("/engine/service.js");
  const {VIEWS} = await import("/engine/views/all.js");
  const {Charts} = await import("/charts/chart.js");
  const {prepared} = await import("/charts/prepare.js");
  const service = new EngineService(decoded(bundle), {});
  window.events_ = []; window.reacts = [];
  const react = Plotly.react;
  Plotly.react = (plot, ...rest) => {
    reacts.push(plot.closest("[data-panel]").dataset.panel);
    return react(plot, ...rest);
  };
  const root = document.querySelector("main");
  window.charts = new Charts(root, catalogue, { prepare: prepared, onEvent: (event) => events_.push(event) });
  window.show = async (params) => {
    const state = { params, example: null };
    const { remix, views } = service.frame(state, Object.keys(VIEWS));
    await new Promise(requestAnimationFrame);
    charts.draw({ ...views, remix, state, meta, paper });
  };
  window.plot = (name) => document.querySelector(`[data-panel=${name}] .plot`);
  window.panel = (name) => charts.panels.get(name);
}
"""
MOVING = ["plane", "transform", "mix_margins", "medians", "simplex", "bars"]
"""Panels that every slider moves."""


@pytest.fixture(scope="module")
def bundle() -> LogitBundle:
    return make_pool(n=400, m=120, k=10, sources=2)


@pytest.fixture(scope="module")
def page(chromium, bundle):
    """A page with the plots alone; its modules come from an address of this machine that the test answers."""
    with pages(chromium) as make:
        page = make()
        styles = (WEB / "charts" / "charts.css").read_text("utf-8")
        styles += ".unseen {position: absolute; clip-path: inset(50%)} [hidden] {display: none !important}"
        head = f"<meta charset=utf-8><title>Plots</title><style>{styles}</style>"
        shell = f"<!doctype html><html lang=en>{head}<main></main>"

        def serve(route):
            path = route.request.url.removeprefix(ADDRESS)
            if not path:
                route.fulfill(body=shell, content_type="text/html")
            elif path == "plotly.js":
                route.fulfill(body=plotly_source(), content_type="text/javascript")
            else:
                file = DRIVER if path == DRIVER.name else WEB / path
                route.fulfill(body=file.read_text("utf-8"), content_type="text/javascript")

        page.context.route(ADDRESS + "**", serve)
        page.goto(ADDRESS)
        page.add_script_tag(url="/plotly.js")
        meta = {name: getattr(bundle, name) for name in ("name", "digest", "n_clean", "n_adv", "n_points")}
        meta |= {"optimistic": False, "dataset": "CIFAR-10", "norm": "Linf", "eps": 8 / 255, "configs": []}
        meta |= {"classes": list(bundle.manifest.classes)}
        given = {"bundle": encoded(packed(bundle)), "catalogue": catalogue(), "meta": meta}
        page.evaluate(SET_UP, given | {"paper": {"robustbench": [ROBUSTBENCH]}})
        show(page, START)
        yield page


def show(page, params: MixParams) -> None:
    """Draw a mix, and wait until all plots on the screen have come to rest."""
    page.evaluate("show", encoded(params))
    settled(page)


def settled(page) -> None:
    page.wait_for_function(
        "!charts.scheduled && !charts.moving && [...charts.panels.values()]"
        ".every((one) => !one.near || !charts.covers(one.spec) || (one.drawn && !one.stale && one.settled))"
    )


def reveal(page, name: str) -> None:
    page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
    page.wait_for_function(f"panel('{name}').drawn && panel('{name}').near && !panel('{name}').stale")
    settled(page)


def saved(page, name: str, kind: str) -> tuple[str, bytes]:
    """What a panel's menu saves: its file's name and content."""
    reveal(page, name)
    panel = page.locator(f"[data-panel={name}]")
    panel.locator("summary").click()
    with page.expect_download() as download:
        panel.get_by_role("button", name=kind, exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_every_panel_is_drawn_when_it_comes_into_view(page):
    for name, plot in PLOTS.items():
        if name == "slices":
            continue  # there is no search
        reveal(page, name)
        section = page.locator(f"[data-panel={name}]")
        assert section.locator(".cartesianlayer :is(path, image)").count() > 0
        assert section.get_by_role("heading").inner_text() == plot.panel.title
        described = section.locator(".plot-stage").get_attribute("aria-describedby").split()[0]
        sentence = page.locator(f"#{described}").text_content()
        assert sentence.endswith(".")
        assert "null" not in sentence + section.locator(".plot-note").text_content()
    assert page.evaluate("events_.filter(({kind}) => kind === 'error')") == []
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("!charts.visible.has('margin_scatter') && charts.visible.has('plane')")
    assert not page.evaluate("charts.views.has('confusion_clean')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_drag_shows_the_picture_that_plotly_draws_afterwards(page, theme):
    """On a canvas, while no plot is built anew: its marks look as Plotly's, and stand where they will."""
    page.set_viewport_size({"width": 1280, "height": 3000})  # all plots on the screen
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    page.wait_for_function("charts.visible.size === charts.panels.size")
    show(page, START)
    before = pictures(page, MOVING)
    page.evaluate("reacts.length = 0; charts.patience = 0; charts.settle = () => {}")
    steps = [encoded(START.with_(s=1 + i / 50, c=-0.3 - i / 100)) for i in range(1, 5)]
    page.evaluate("async (steps) => { for (const params of steps) await show(params); }", steps)
    assert not set(page.evaluate("reacts")) & set(MOVING)
    assert page.evaluate(f"{MOVING}.every((name) => plot(name).classList.contains('plot-moving'))")
    moved = pictures(page, MOVING)
    page.evaluate("delete charts.settle; charts.patience = 4; charts.settle()")
    settled(page)
    assert set(MOVING) <= set(page.evaluate("reacts"))
    assert page.evaluate("document.querySelector('.plot-moving') === null")
    after = pictures(page, MOVING)
    for name in MOVING:
        assert differing(before[name], moved[name]) > 0, name
        assert differing(moved[name], after[name]) < 0.004, name
    page.evaluate("delete document.documentElement.dataset.theme")
    page.set_viewport_size({"width": 1280, "height": 800})
    settled(page)


def pictures(page, names: list[str]) -> dict[str, np.ndarray]:
    """What is seen of each plot, as pixels of light."""
    seen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"), float)
    boxes = page.evaluate(
        """names => names.map((name) => {
          const { left, top, right, bottom } = plot(name).getBoundingClientRect();
          return [left, top, right, bottom].map(Math.round);
        })""",
        names,
    )
    cut = {
        name: seen[top:bottom, left:right]
        for name, (left, top, right, bottom) in zip(names, boxes, strict=True)
    }
    assert all(picture.size > 10_000 for picture in cut.values())
    return cut


def differing(one: np.ndarray, other: np.ndarray) -> float:
    """The share of pixels that anyone would see are other ones."""
    return float((np.abs(one - other) > 48).mean())


def test_the_csv_has_all_it_takes_to_plot_the_curve_again(page, bundle):
    show(page, START)
    name, content = saved(page, "plane", "CSV")
    assert name.startswith("SYNTHETIC-logits-for-tests-plane-s1-p2-c-0.3-alpha0.")
    assert name.endswith(".csv")
    rows = [
        row
        for row in csv.DictReader(io.StringIO(content.decode()))
        if "this transform, attacked" in row["trace"]
    ]
    assert {row["digest"] for row in rows} == {bundle.digest}
    mix = {key: float(rows[0][f"mix_{key}"]) for key in ("s", "p", "c", "temperature", "alpha")}
    params = MixParams(**mix, clamp=rows[0]["mix_clamp"], ln_k=int(rows[0]["mix_ln_k"]))
    alphas = [float(row["point_alpha"]) for row in rows]
    engine = RemixEngine(bundle, device="cpu")
    curve = tradeoff.alpha_curve(engine, params, alphas)
    np.testing.assert_allclose([float(row["clean_percent"]) for row in rows], 100 * curve.clean)
    np.testing.assert_allclose([float(row["attacked_percent"]) for row in rows], 100 * curve.attacked)
    [point] = [row for row in csv.DictReader(io.StringIO(content.decode())) if row["trace"] == "this mix"]
    assert (
        float(point["attacked_percent_low"])
        < float(point["attacked_percent"])
        < float(point["attacked_percent_high"])
    )


def test_pictures(page):
    name, picture = saved(page, "transform", "PNG")
    assert (name[-4:], picture[:4]) == (".png", b"\x89PNG")
    name, drawing = saved(page, "transform", "SVG")
    assert name.endswith(".svg")
    assert "What M does to a single logit" in drawing.decode()


def test_the_data_table(page):
    reveal(page, "medians")
    section = page.locator("[data-panel=medians]")
    toggle = section.get_by_role("button", name="Table")
    toggle.focus()
    page.keyboard.press("Enter")
    assert toggle.get_attribute("aria-expanded") == "true"
    first = section.locator(".plot-table tbody tr").first.locator("td").all_text_contents()
    assert first[:2] == ["clean right", "g"]
    toggle.click()
    assert section.locator(".plot-table").is_hidden()


def test_by_keyboard(page):
    reveal(page, "plane")
    section = page.locator("[data-panel=plane]")
    section.locator(".plot-stage").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert section.get_by_role("status").text_content().startswith("this transform: ")
    page.evaluate("events_.length = 0")
    page.keyboard.press("Enter")
    [event] = page.evaluate("events_")
    assert (event["panel"], event["kind"]) == ("plane", "click")
    [point] = event["points"]
    assert point["trace"] == "this transform"
    assert 0.5 <= point["customdata"] <= 1
    page.keyboard.press("Tab")
    summary = section.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert section.get_by_role("button", name="SVG", exact=True).is_visible()
    page.keyboard.press("Escape")
    assert section.get_by_role("button", name="SVG", exact=True).is_hidden()


def test_clicks_and_a_selection(page):
    reveal(page, "margin_scatter")
    page.evaluate("events_.length = 0")
    box = page.locator("[data-panel=margin_scatter] .plot .nsewdrag").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, middle - 10, steps=5)
    page.mouse.move(box["x"] + box["width"] - 2, middle, steps=5)
    page.mouse.up()
    page.wait_for_function("events_.some(({kind}) => kind === 'select')")
    rows = page.evaluate(
        """async () => {
          const { imagesOf } = await import("/charts/images_of.js");
          const { points, detail, panel } = events_.find(({kind}) => kind === "select");
          const { rows } = imagesOf(panel, points, charts.fieldsOf(panel), detail.range);
          charts.select(rows);
          return rows;
        }"""
    )
    right = page.evaluate("[...charts.fields.images.std_right].flatMap((one, i) => one ? [i] : [])")
    assert len(rows) > 0
    assert set(rows) <= set(right)  # the upper strip
    settled(page)
    marked = "panel('margin_scatter').figure.data.at(-1).x.length"
    assert page.evaluate(marked) == len(rows)
    reveal(page, "mix_margins")
    assert page.evaluate("panel('mix_margins').figure.data.at(-1).customdata") == page.evaluate(
        "charts.fields.selected"
    )
    reveal(page, "margin_scatter")
    page.evaluate("charts.select([])")
    page.wait_for_function(f"{marked} === 0")


def test_options(page, bundle):
    reveal(page, "mix_margins")
    page.locator("[data-panel=mix_margins] .plot-option input").check()
    page.wait_for_function("panel('mix_margins').shown.layout.xaxis.range[0] === -6")
    histogram = margins.mix_histograms(RemixEngine(bundle, device="cpu").remix(START)).clean
    counts = page.evaluate("[...panel('mix_margins').figure.data[0].customdata]")
    assert counts == histogram.log_right.tolist()
    assert page.evaluate("events_.at(-1).detail") == {"name": "log_margins", "value": True}
    assert page.locator("[data-panel=margins] .plot-option input").is_checked()
    page.locator("[data-panel=mix_margins] .plot-option input").uncheck()
    reveal(page, "plane")
    page.locator("[data-panel=plane] .plot-option input").check()
    page.wait_for_function("panel('plane').figure.data[0].name === 'RobustBench'")
    assert page.evaluate("panel('plane').figure.data[0].y") == [70.25]
    page.locator("[data-panel=plane] .plot-option input").uncheck()
    settled(page)


def test_light_and_dark(page):
    reveal(page, "plane")
    colour = "getComputedStyle(plot('plane').querySelector('.xtick text')).fill"
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"{colour} !== '{light}'")
    assert page.evaluate("charts.theme === charts.themes.dark")
    page.evaluate("delete document.documentElement.dataset.theme")
    page.wait_for_function(f"{colour} === '{light}'")


def test_a_bundle_without_an_attack(page, bundle):
    """Panels of attacked images stay as they are or say why they are empty; nothing fails."""
    none = page.evaluate(
        """async () => {
          events_.length = 0;
          const { fields } = charts;
          const headline = structuredClone(fields.headline);
          headline.rob.attacked = null;
          charts.draw({ ...fields, headline, classes_attacked: null, confusion_attacked: null });
          await new Promise((resolve) => setTimeout(resolve, 400));
          return [panel("plane").figure.data.length, events_.filter(({kind}) => kind === "error")];
        }"""
    )
    assert none == [0, []]
