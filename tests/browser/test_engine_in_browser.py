"""The page's engine where it will run: in Chromium, in its worker, with helpers, newest state first."""

from __future__ import annotations

from typing import Any

import pytest

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.views import headline, margins, tradeoff
from tests.browser.conftest import pages
from tests.dashboards.web.engine import DRIVER, ENGINE, answers, assert_same, encoded, packed
from tests.synthetic import make_pool

pytestmark = pytest.mark.browser
ADDRESS = "http://localhost/"
PARAMS = MixParams(s=2.0, p=2.5, c=-0.8, beta=0.95)
VIEWS = ["headline", "curve", "mix_margins", "transform", "assumptions", "bars", "simplex", "medians"]
RELAYED = """
/** Between the lead and its helpers the page passes messages on, and keeps what the helpers say. */
const Channel = MessageChannel;
window.relayed = () => {
  const said = [];
  window.MessageChannel = function () {
    const [helper, lead] = [new Channel(), new Channel()];
    helper.port2.onmessage = ({data}) => (said.push(data), lead.port2.postMessage(data));
    lead.port2.onmessage = ({data}) => helper.port2.postMessage(data);
    return {port1: helper.port1, port2: lead.port1};
  };
  return said;
};
"""
START = """
async ({bundle, cores}) => {
  const {decoded, encoded} = await import("/driver.mjs");
  const {EngineClient} = await import("/engine/client.js");
  window.frames_ = []; window.errors_ = []; window.encoded_ = encoded;
  const make = () => new Worker("/engine/worker.js", {type: "module"});
  window.answers_ = relayed();
  const on = {frame: (frame) => frames_.push(frame), error: (message) => errors_.push(message)};
  window.client = new EngineClient(make, on, {cores});
  return encoded([await client.load(decoded(bundle))]);
}
"""


@pytest.fixture(scope="module")
def bundle() -> LogitBundle:
    return make_pool(n=5000, m=200, k=200, sources=3)


@pytest.fixture(scope="module")
def page(chromium):
    """A page on an address of this machine that the test itself answers."""
    with pages(chromium) as make:
        page = make()

        def serve(route):
            path = route.request.url.removeprefix(ADDRESS)
            file = DRIVER if path == DRIVER.name else ENGINE.parent / path
            if not path:
                route.fulfill(body="<!doctype html>", content_type="text/html")
            else:
                route.fulfill(body=file.read_text("utf-8"), content_type="text/javascript")

        page.context.route(ADDRESS + "**", serve)
        page.add_init_script(RELAYED)
        page.goto(ADDRESS)
        yield page


def start(page, bundle: LogitBundle, cores: int) -> Any:
    found = page.evaluate(START, {"bundle": encoded(packed(bundle)), "cores": cores})
    return answers(found)[0]


def show(page, params: MixParams, views: list[str]) -> dict[str, Any]:
    """The next frame that comes, for one state."""
    state = {"state": {"params": encoded(params)}, "views": views}
    page.evaluate("({state, views}) => { frames_.length = 0; client.show(state, views); }", state)
    page.wait_for_function("frames_.length + errors_.length > 0")
    return answers(page.evaluate("encoded_([...frames_, ...errors_])"))[0]


@pytest.mark.parametrize("cores", [1, 3, 5], ids=["one worker", "rows in two shares", "rows in four shares"])
def test_every_figure_in_the_worker(page, bundle, cores):
    reference = RemixEngine(bundle, device="cpu")
    helpers, rows = max(0, cores - 2), bundle.n_clean + len(bundle.require_attacked())
    assert_same(start(page, bundle, cores), reference.base)
    assert page.evaluate("client.workers.length") == 1 + helpers
    page.wait_for_function("(helpers) => answers_.length === helpers", arg=helpers)  # all are ready
    for params in (PARAMS, PARAMS.with_(clamp="relu"), PARAMS.with_(temperature=0.5, s=3.0)):
        page.evaluate("answers_.length = 0")
        frame, remix = show(page, params, VIEWS), reference.remix(params)
        found = page.evaluate("answers_.map(({margins}) => margins.margin.length)")
        assert found == [pytest.approx(rows / (1 + helpers), abs=1)] * helpers
        columns = {name: getattr(remix, name) for name in vars(remix) if not name.startswith("on_")}
        assert_same(frame["remix"], columns)
        table = headline.headline(reference, params, remix)
        assert_same(frame["views"]["headline"]["plain"]["attacked"], table.plain.attacked)
        assert_same(frame["views"]["curve"], tradeoff.alpha_curve(reference, remix.params))
        assert_same(frame["views"]["mix_margins"], margins.mix_histograms(remix))


def test_the_newest_state_wins(page, bundle):
    start(page, bundle, 1)
    script = """async (params) => {
      for (let i = 1; i <= 200; i++) client.show({params: {...params, s: i / 100}}, ["headline"]);
      while (frames_.at(-1)?.number !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
      return [frames_.length, frames_.at(-1).remix.params.s, errors_];
    }"""
    assert page.evaluate(script, encoded(PARAMS)) == [2, 2.0, []]  # the first and the last


def test_an_error_is_a_message_and_the_next_state_is_answered(page, bundle):
    start(page, bundle, 1)
    state = {"params": encoded(PARAMS)}
    page.evaluate("(state) => client.show(state, ['no such view'])", state)
    page.wait_for_function("errors_.length === 1")
    page.evaluate("errors_.length = 0")
    assert show(page, PARAMS, ["headline"])["views"]["headline"]["mix"]["clean"]["n"] == bundle.n_clean


GRID = {"name": "g", "s": [0.5, 1.0, 2.0], "p": [1.0, 2.0, 3.0], "c": [-1.0, -0.5, 0.0]}
SEARCH = """async ({request, state}) => {
  const shares = [];
  frames_.length = 0;
  const found = client.search(request, (share) => shares.push(share));
  client.show(state, ["headline", "sensitivity"]);
  while (!frames_.length) await new Promise((resolve) => setTimeout(resolve, 1));
  const early = frames_[0].views.sensitivity === null; // a frame that did not wait for the search
  const result = await found;
  client.show(state, ["sensitivity", "frontier"]);
  while (frames_.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  return encoded_([early, shares.length > 0, result.best.index, frames_[1].views, errors_]);
}"""


def test_a_search_lets_frames_through(page, bundle):
    start(page, bundle, 1)
    request = {"grid": GRID, "clamp": "gelu", "ln_k": 250, "beta": 0.95}
    found = page.evaluate(SEARCH, {"request": request, "state": {"params": encoded(PARAMS)}})
    early, progress, index, views, errors = answers(found)
    assert early
    assert progress
    assert errors == []
    grid = GridSpec(**{axis: GRID[axis] for axis in "spc"})
    result = grid_search(bundle, grid, beta=0.95, device="cpu")
    assert tuple(index) == result.best.index
    assert_same(views["sensitivity"], tradeoff.sensitivity(result, PARAMS)._asdict())
    assert len(views["frontier"]["params"]) > 1


def test_a_search_is_cancelled_and_the_next_one_found(page, bundle):
    start(page, bundle, 1)
    script = """async (request) => {
      const first = client.search(request).catch((error) => error.message);
      const second = client.search({...request, grid: {...request.grid, s: [1]}});
      return [await first, (await second).tables.objective.length];
    }"""
    request = {"grid": GRID, "clamp": "gelu", "ln_k": 250, "beta": 0.95}
    assert page.evaluate(script, request) == ["the search was cancelled", 9]


def test_a_script_that_is_not_there(page):
    script = """async () => {
      const {EngineClient} = await import("/engine/client.js");
      const make = () => new Worker(URL.createObjectURL(new Blob(["throw new Error('broken')"])));
      const two = () => new Float32Array(2);
      const bundle = {labels: new Int32Array(1), std: two(), rob: two(), attacked: null};
      return new EngineClient(make, {}, {cores: 1}).load(bundle).catch((error) => error.message);
    }"""
    assert "broken" in page.evaluate(script)
