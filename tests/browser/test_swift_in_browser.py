"""Frames drawn in place: the same geometry as a fresh `Plotly.newPlot` of the same figure, frame by frame.

The board's script runs in an empty page with a stand-in for the widget's model: no server, no kernel.
"""

import base64
import csv
from pathlib import Path

import numpy as np
import pytest

from mnuts_core import GridSpec, MixParams, RemixEngine, grid_search
from mnuts_core.params import IDENTITY
from mnuts_core.views import examples, headline, margins, tradeoff, transform
from mnuts_core.views.tradeoff import alpha_curve
from mnuts_dashboards.board.board import Board
from mnuts_dashboards.board.packing import Packer
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.board.plotlyjs import plotly_source
from mnuts_dashboards.figures.examples import simplex_figure
from mnuts_dashboards.figures.margins import histogram_figure
from mnuts_dashboards.figures.medians import medians_figure
from mnuts_dashboards.figures.sensitivity import slices_figure
from mnuts_dashboards.figures.tradeoff import plane_figure
from mnuts_dashboards.figures.transform import transform_figure
from tests.synthetic import make_bundle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ("plane", "transform", "mix_margins", "medians", "simplex", "slices")
START = MixParams(s=1, p=2, c=-0.3)
HARNESS = """
async ([esm, panels]) => {
  const listeners = [];
  const later = window.setTimeout; // `hold` keeps the plots from settling, however slow the machine is
  const held = [];
  window.hold = false;
  window.settleNow = () => held.splice(0).forEach((task) => task());
  window.setTimeout = (task, ms, ...rest) =>
    window.hold && ms === 150 ? (held.push(task), 0) : later(task, ms, ...rest);
  const values = { panels, visible: panels.map(panel => panel.name), wanted: ["relayout"], dark: false };
  window.sent = [];
  const model = {
    on: (_, listener) => listeners.push(listener), off: () => {},
    send: (message) => sent.push(message), get: (key) => values[key],
    set: (key, value) => { values[key] = value; }, save_changes: () => {},
  };
  const app = (await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })))).default();
  app.initialize({ model });
  const el = document.createElement("div");
  document.body.append(el);
  app.render({ model, el });
  window.frames_ = 0;
  window.draw = async ([message, bytes]) => {
    const buffer = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    const id = ++window.frames_;
    const frame = { type: "frame", notes: {}, ...message, id };
    for (const listener of listeners) listener(frame, [new DataView(buffer.buffer)]);
    const shown = () => sent.some((message) => message.type === "ack" && message.id === id);
    while (!shown()) await new Promise((resolve) => setTimeout(resolve, 5));
    return window.__mnutsBoard.last;
  };
  window.plot = (name) => document.querySelector(`[data-panel=${name}] .mnuts-plot`);
}
"""
# What a plot's SVG consists of: each mark's kind, look, words and all its numbers.
GEOMETRY = """
const MARKS = ["plot", "overplot"].flatMap((layer) =>
  ["path", "text", ".point", ".trace"].map((mark) => `.cartesianlayer .${layer} ${mark}`)).join();
const marksOf = (plot) => [...plot.querySelectorAll(MARKS)].map((node) => {
  const of = (name) => node.getAttribute(name) ?? "";
  const numbersOf = (name) => (of(name).match(/-?[\\d.]+(e-?\\d+)?/g) ?? []).map(Number);
  const css = getComputedStyle(node);
  const look = [css.fill, css.stroke, css.strokeWidth, css.fillOpacity, css.display].join(" ");
  return {
    kind: `${node.tagName} ${of("class").replace(/trace\\w{6}/, "")}`,
    look: look.replace(/url\\(.*?\\)/, "url"), // a pattern's name
    words: node.textContent,
    letters: of("d").replace(/[-\\d.,e]+/g, ""),
    numbers: ["d", "transform", "x", "y"].flatMap(numbersOf),
  };
});
"""
COMPARE = f"""
async (name) => {{
  {GEOMETRY}
  const drawn = plot(name);
  const fresh = document.createElement("div");
  fresh.style.cssText = `width:${{drawn.clientWidth}}px; height:${{drawn.clientHeight}}px`;
  document.body.append(fresh);
  const copy = drawn.data.map((trace) => ({{ ...trace }}));
  await Plotly.newPlot(fresh, copy, structuredClone(drawn.layout), {{ responsive: false }});
  const [ours, theirs] = [marksOf(drawn), marksOf(fresh)];
  Plotly.purge(fresh);
  fresh.remove();
  const signature = ({{ numbers, ...rest }}) => JSON.stringify([rest, numbers.length]);
  const other = ours.map(signature).findIndex((text, i) => !theirs[i] || text !== signature(theirs[i]));
  const apart = (i) => (value, j) => Math.abs(value - theirs[i]?.numbers[j]);
  const off = Math.max(0, ...ours.flatMap(({{ numbers }}, i) => numbers.map(apart(i))));
  const differ = other < 0 ? null : [signature(ours[other]), theirs[other] && signature(theirs[other])];
  return {{ marks: ours.length, theirs: theirs.length, other: differ, off }};
}}
"""


@pytest.fixture(scope="module")
def engine():
    return RemixEngine(make_bundle(n=400, m=300, k=10))


@pytest.fixture(scope="module")
def draw(engine):
    """A function that makes the explorer's figures for a setting, as a message for the page."""
    base, plain = margins.base_histograms(engine), alpha_curve(engine, IDENTITY)
    density, result = (
        transform.logit_density(engine, 250),
        grid_search(engine.bundle, GridSpec.paper("cifar10")),
    )

    def make(params: MixParams, names=NAMES):
        remix = engine.remix(params)
        table = headline.headline(engine, params, remix)
        mix = margins.mix_histograms(remix)
        made = {
            "plane": plane_figure(tradeoff.plane(engine, remix), plain, None, table),
            "transform": transform_figure(transform.transform_curve(density, params), ln=True),
            "mix_margins": histogram_figure({"M(h)": mix}, remix.threshold),
            "medians": medians_figure(base, mix),
            "simplex": simplex_figure(examples.paper_cases(params)),
            "slices": slices_figure(tradeoff.sensitivity(result, params)),
        }
        return message({name: made[name] for name in names})

    return make


def message(made: dict) -> list:
    """What the board would send, its bytes as text."""
    packer = Packer()
    packed = {name: packer.figure(figure) for name, figure in made.items()}
    return [{"figures": packed}, base64.b64encode(packer.buffer()).decode()]


@pytest.fixture
def page(chromium_page):
    page = chromium_page
    page.goto("about:blank")
    page.set_viewport_size({"width": 1280, "height": 2400})  # all in view
    page.add_script_tag(content=plotly_source().decode())
    css = Board([Panel("one", "One")])._css
    page.add_style_tag(content=str(css))
    panels = [{"name": name, "title": name, "span": 6, "height": 360, "note": ""} for name in NAMES]
    page.evaluate(HARNESS, [str(Board([Panel("one", "One")])._esm), panels])
    page.wait_for_function("sent.some(message => message.type === 'ready')")
    return page


def values_of(name: str) -> list[MixParams]:
    moves = {"s": np.geomspace(1, 1.5, 4), "p": np.linspace(2, 2.5, 4), "c": np.linspace(-0.3, 0.0, 4)}
    moves["beta"] = np.linspace(0.98, 0.9, 4)
    return [START.with_(**{name: float(value)}) for value in moves[name][1:]]


def test_a_frame_drawn_in_place_is_the_plot_that_plotly_draws(page, draw):
    for slider in ("s", "p", "c", "beta"):
        page.evaluate("window.draw", draw(START))
        reacted = []
        for params in values_of(slider):
            last = page.evaluate("window.draw", draw(params))
            reacted.append(last.get("reacted", 0))
            for name in NAMES:
                found = page.evaluate(COMPARE, name)
                assert found["marks"] == found["theirs"] > 3, (slider, name, found)
                assert found["other"] is None, (slider, name, found)
                assert found["off"] <= 0.5, (slider, name, found)
        changing = 6 if slider == "beta" else 5  # heat maps change with β only, and take Plotly.react
        assert sum(reacted) <= 0.6 * changing * len(reacted), (slider, reacted)


def drag(page, name: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag on a plot with the mouse: the page records what a visitor does, not what a script calls."""
    box = page.locator(f"[data-panel={name}] .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=4)
    page.mouse.up()


def test_zoom_and_hidden_traces_survive(page, draw, engine):
    page.evaluate("window.draw", draw(START))
    drag(page, "plane", (60, 40), (260, 160))
    page.wait_for_function("sent.some(message => message.kind === 'relayout')")
    page.locator("[data-panel=transform] .legendtoggle").last.click()
    page.wait_for_function("plot('transform')._fullData[2].visible === 'legendonly'")
    look = "() => [plot('plane')._fullLayout.xaxis.range, plot('plane')._fullLayout.yaxis.range]"
    clean = "plot('plane').data.find(t => t.name === 'this mix').x[0]"
    zoomed, before = page.evaluate(look), page.evaluate(clean)
    for params in values_of("c"):
        page.evaluate("window.draw", draw(params))
        assert page.evaluate(look) == zoomed
        assert page.evaluate("plot('transform')._fullData[2].visible") == "legendonly"
        assert page.evaluate("plot('transform').querySelectorAll('.scatterlayer .trace').length") == 3
    assert page.evaluate(clean) != before
    page.wait_for_timeout(600)  # settled by now
    assert page.evaluate(look) == zoomed
    page.locator("[data-panel=transform] .legendtoggle").last.click()
    page.wait_for_function("plot('transform')._fullData[2].visible === true")
    found = page.evaluate(COMPARE, "transform")  # shown again, with the newest numbers
    assert (found["marks"], found["other"], found["off"]) == (found["theirs"], None, 0)
    curve = transform.transform_curve(transform.logit_density(engine, 250), params)
    assert page.evaluate("plot('transform').data[2].customdata.at(-1)") == pytest.approx(curve.m[-1])


def test_a_selection_survives(page):
    def frame(y: list[float]) -> list:
        axes = {"xaxis": {"range": [0, 4]}, "yaxis": {"range": [0, 4]}}
        trace = {"type": "scatter", "mode": "markers", "x": np.array([1.0, 2.0, 3.0]), "y": np.array(y)}
        return message({"plane": {"data": [trace], "layout": {"dragmode": "select", **axes}}})

    page.evaluate("window.draw", frame([1, 2, 3]))
    box = page.locator("[data-panel=plane] .nsewdrag").bounding_box()
    drag(page, "plane", (2, 2), (int(0.6 * box["width"]), int(box["height"]) - 2))
    page.wait_for_function("plot('plane')._fullData[0].selectedpoints?.length === 2")
    page.evaluate("window.draw", frame([2, 3, 1]))
    assert page.evaluate("plot('plane')._fullData[0].selectedpoints") == [0, 1]
    assert page.evaluate("[...plot('plane').data[0].y]") == [2, 3, 1]


def test_axes_stay_during_a_drag_and_fit_after_it(page):
    def frame(top: float) -> list:
        trace = {"type": "scatter", "x": np.array([0.0, 1.0]), "y": np.array([0.0, top])}
        layout = {"xaxis": {"range": [0, 1]}, "yaxis": {"range": [0, top]}}
        return message({"plane": {"data": [trace], "layout": layout}})

    drawn = "() => plot('plane')._fullLayout.yaxis.range"
    page.evaluate("window.draw", frame(10))
    page.wait_for_timeout(600)  # settled by now
    page.evaluate("window.hold = true")
    assert page.evaluate(drawn) == [0, 10]
    page.evaluate("window.draw", frame(8))
    assert page.evaluate(drawn) == [0, 10]
    page.evaluate("window.draw", frame(11))  # out of it: room for more
    assert page.evaluate(drawn)[1] > 11
    page.evaluate("window.settleNow()")
    page.wait_for_function("plot('plane')._fullLayout.yaxis.range[1] === 11")
    assert page.evaluate("plot('plane').data[0].y[1]") == 11


def test_a_page_that_missed_a_frame_asks_for_everything(page):
    def frame(y: list[float], **extra) -> list:
        trace = {"type": "scatter", "x": np.array([0.0, 1.0]), "y": np.array(y)}
        found, bytes_ = message({"plane": {"data": [trace]}})
        return [found | extra, bytes_]

    page.evaluate("window.draw", frame([0, 1]))
    ready = page.evaluate("sent.filter(message => message.type === 'ready').length")
    page.evaluate("message => { window.draw(message); }", frame([5, 6], after=7))
    assert page.evaluate("sent.filter(message => message.type === 'ready').length") == ready + 1
    assert page.evaluate("[...plot('plane').data[0].y]") == [0, 1]


def test_the_heat_maps_table_lists_s_itself(page, draw):
    page.evaluate("window.draw", draw(START))
    with page.expect_download() as download:
        page.locator("[data-panel=slices]").get_by_role("button", name="Save the data as CSV").click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
    cells = [row for row in rows if row["trace"].startswith("objective")]
    grid = GridSpec.paper("cifar10")
    assert len(cells) == grid.size
    np.testing.assert_allclose(sorted({float(row["y"]) for row in cells}), np.sort(grid.s), rtol=1e-6)
