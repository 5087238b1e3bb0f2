"""Frames drawn in place: the same geometry as a fresh `Plotly.newPlot` of the same figure, frame by frame.

The board's script runs in an empty page with a stand-in for the widget's model: no server, no kernel.
"""

import base64
import json

import numpy as np
import pytest
from mnuts_dashboards import figures
from mnuts_dashboards.board import Board, Panel
from mnuts_dashboards.plotlyjs import plotly_source
from mnuts_dashboards.wire import Packer

from mnuts_core import GridSpec, MixParams, RemixEngine, grid_search, views
from mnuts_core.params import IDENTITY
from mnuts_core.tradeoff import alpha_curve
from tests.synthetic import make_bundle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = ("plane", "transform", "mix_margins", "medians", "simplex", "slices")
START = MixParams(s=1, p=2, c=-0.3)
HARNESS = """
async ([esm, panels]) => {
  const listeners = [];
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
    for (const listener of listeners) listener({ type: "frame", notes: {}, ...message, id }, [new DataView(buffer.buffer)]);
    while (!sent.some((said) => said.type === "ack" && said.id === id)) await new Promise((resolve) => setTimeout(resolve, 5));
    return window.__mnutsBoard.last;
  };
  window.plot = (name) => document.querySelector(`[data-panel=${name}] .mnuts-plot`);
}
"""
# What a plot's SVG consists of: each mark's kind, look, words and all its numbers.
GEOMETRY = """
const marksOf = (plot) => [...plot.querySelectorAll(".cartesianlayer .plot, .cartesianlayer .overplot")].flatMap((layer) =>
  [...layer.querySelectorAll("path, text, .point, .trace")].filter((node) => node.isConnected).map((node) => {
    const of = (name) => node.getAttribute(name) ?? "";
    const css = getComputedStyle(node);
    const numbers = ["d", "transform", "x", "y"].flatMap((name) => (of(name).match(/-?[\\d.]+(e-?\\d+)?/g) ?? []).map(Number));
    const look = [css.fill, css.stroke, css.strokeWidth, css.fillOpacity, css.display].join(" ").replace(/url\\(.*?\\)/, "url");
    return { kind: `${node.tagName} ${of("class").replace(/trace\\w{6}/, "")}`, look, words: node.textContent, letters: of("d").replace(/[-\\d.,e]+/g, ""), numbers };
  }));
"""
COMPARE = f"""
async (name) => {{
  {GEOMETRY}
  const drawn = plot(name);
  const fresh = document.createElement("div");
  fresh.style.cssText = `width:${{drawn.clientWidth}}px; height:${{drawn.clientHeight}}px`;
  document.body.append(fresh);
  await Plotly.newPlot(fresh, drawn.data.map((trace) => ({{ ...trace }})), structuredClone(drawn.layout), {{ responsive: false }});
  const [ours, theirs] = [marksOf(drawn), marksOf(fresh)];
  Plotly.purge(fresh);
  fresh.remove();
  const told = ({{ numbers, ...rest }}) => JSON.stringify([rest, numbers.length]);
  const other = ours.map(told).findIndex((text, i) => !theirs[i] || text !== told(theirs[i]));
  const off = ours.flatMap(({{ numbers }}, i) => numbers.map((value, j) => Math.abs(value - theirs[i]?.numbers[j])));
  return {{ marks: ours.length, theirs: theirs.length, other: other < 0 ? null : [told(ours[other]), theirs[other] && told(theirs[other])], off: Math.max(0, ...off) }};
}}
"""


@pytest.fixture(scope="module")
def engine():
    return RemixEngine(make_bundle(n=400, m=300, k=10))


@pytest.fixture(scope="module")
def draw(engine):
    """A function that makes the explorer's figures for a setting, as a message for the page."""
    base, plain = views.base_histograms(engine), alpha_curve(engine, IDENTITY)
    density, result = views.logit_density(engine, 250), grid_search(engine.bundle, GridSpec.paper("cifar10"))

    def make(params: MixParams, names=NAMES):
        remix = engine.remix(params)
        table = views.headline(engine, remix, views.plain_remix(engine, params))
        mix = views.mix_histograms(remix)
        made = {
            "plane": figures.plane_figure(views.plane(engine, remix), plain, None, table),
            "transform": figures.transform_figure(views.transform_curve(density, params), ln=True),
            "mix_margins": figures.histogram_figure({"M(h)": mix}, remix.threshold),
            "medians": figures.medians_figure(base, mix),
            "simplex": figures.simplex_figure(views.paper_cases(params)),
            "slices": figures.slices_figure(views.sensitivity(result, params)),
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
    page.wait_for_function("sent.some(said => said.type === 'ready')")
    return page


def values_of(name: str) -> list[MixParams]:
    moves = {"s": np.geomspace(1, 1.5, 4), "p": np.linspace(2, 2.5, 4), "c": np.linspace(-0.3, 0.0, 4)}
    moves["beta"] = np.linspace(0.98, 0.9, 4)
    return [START.with_(**{name: float(value)}) for value in moves[name][1:]]


@pytest.mark.parametrize("slider", ["s", "p", "c", "beta"])
def test_a_frame_drawn_in_place_is_the_plot_that_plotly_draws(page, draw, slider):
    page.evaluate("window.draw", draw(START))
    reacted = []
    for params in values_of(slider):
        sent = draw(params)
        last = page.evaluate("window.draw", sent)
        reacted.append(last.get("reacted", 0))
        for name in NAMES:
            told = page.evaluate(COMPARE, name)
            assert told["marks"] == told["theirs"] > 5, (name, told)
            assert told["other"] is None, (name, told)
            assert told["off"] <= 0.5, (name, told)
    changing = 6 if slider == "beta" else 5  # heat maps change with β only, and take Plotly.react
    assert sum(reacted) < 0.4 * changing * len(reacted), reacted


def test_zoom_hidden_traces_and_selections_survive_and_the_plot_settles(page, draw):
    page.evaluate("window.draw", draw(START))
    page.evaluate("Plotly.relayout(plot('plane'), {'xaxis.range': [60, 80], 'yaxis.range': [20, 50]})")
    page.evaluate("Plotly.restyle(plot('transform'), {visible: 'legendonly'}, [2])")
    page.evaluate("Plotly.restyle(plot('mix_margins'), {selectedpoints: [[1, 2]]}, [0])")
    before = page.evaluate("plot('plane').data[7].x[0]")
    for params in values_of("c"):
        page.evaluate("window.draw", draw(params))
        after = page.evaluate(
            "() => ({x: plot('plane')._fullLayout.xaxis.range, y: plot('plane')._fullLayout.yaxis.range,"
            " hidden: plot('transform')._fullData[2].visible, selected: plot('mix_margins')._fullData[0].selectedpoints,"
            " lines: plot('transform').querySelectorAll('.scatterlayer .trace').length})"
        )
        assert after == {"x": [60, 80], "y": [20, 50], "hidden": "legendonly", "selected": [1, 2], "lines": 2}
        told = page.evaluate(COMPARE, "plane")
        assert told["marks"] == told["theirs"]
        assert told["other"] is None, told
        assert told["off"] <= 0.5
    assert page.evaluate("plot('plane').data[7].x[0]") != before
    # a trace shown again has the newest numbers
    page.evaluate("Plotly.restyle(plot('transform'), {visible: true}, [2])")
    told = page.evaluate(COMPARE, "transform")
    assert (told["marks"], told["other"], told["off"]) == (told["theirs"], None, 0)


def test_axes_stay_during_a_drag_and_fit_after_it(page):
    def frame(top: float) -> list:
        y = np.array([0.0, top])
        layout = {"xaxis": {"range": [0, 1]}, "yaxis": {"range": [0, top]}}
        return message({"plane": {"data": [{"type": "scatter", "x": np.array([0.0, 1.0]), "y": y}], "layout": layout}})

    drawn = "() => plot('plane')._fullLayout.yaxis.range"
    page.evaluate("window.draw", frame(10))
    assert page.evaluate(drawn) == [0, 10]
    page.evaluate("window.draw", frame(8))
    assert page.evaluate(drawn) == [0, 10]
    page.evaluate("window.draw", frame(11))  # out of it: room for more
    assert page.evaluate(drawn)[1] > 11
    page.wait_for_function("plot('plane')._fullLayout.yaxis.range[1] === 11")
    assert page.evaluate("plot('plane').data[0].y[1]") == 11
