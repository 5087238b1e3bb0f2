"""The explorer as one file: from a disk or a static server, without a network, it computes as Python does."""

from __future__ import annotations

import dataclasses
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.library import find_bundle, require_shipped_folder
from mnuts_core.text import visible
from mnuts_dashboards.explorer.page_file import explorer_page
from tests.synthetic import make_pool

pytestmark = pytest.mark.browser
SETTINGS = [
    MixParams(),
    MixParams(s=5, p=4, c=-1.1, beta=0.95),
    MixParams(s=0.07, p=2.2, c=-0.35, beta=0.9, clamp="softplus", ln_k=0),
    MixParams(s=5000, p=10, c=-0.9, alpha=0.93, temperature=0.7),
]
EVIL = "</script><img src=x onerror=alert(1)>\u202e{{ 7 * 7 }}&amp;'\""
ASK = """
async (states) => {
  const text = (selector) => document.querySelector(selector).textContent;
  const worker = new Worker(URL.createObjectURL(new Blob([JSON.parse(text("#mnuts-worker"))])));
  const next = () => new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
  const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer;
  const types = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };
  const revived = (_, value) => (value?.$array ? new types[value.$array](bytes(value.data)) : value);
  const { record } = JSON.parse(text(".mnuts-bundle"), revived);
  worker.postMessage({ type: "load", bundle: record, options: {} });
  await next();
  const answers = [];
  for (const params of states) {
    worker.postMessage({ type: "state", number: 1, state: { params }, views: [] });
    const { clean, attacked, by_margin, params: { alpha } } = (await next()).remix;
    answers.push([clean.count, attacked.count, by_margin.count, clean.low, attacked.high, alpha]);
  }
  worker.terminate();
  return answers;
}
"""
REFUSED = """
async () => {
  const seen = [];
  document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
  await fetch("data:,x").catch(() => {});
  const image = document.createElement("img");
  image.src = "http://127.0.0.1:9/x.png";
  document.body.append(image);
  const evaluate = () => { try { (0, eval)("1"); } catch { seen.push("eval"); } };
  setTimeout(evaluate); // what the debugger itself runs may evaluate
  await new Promise((resolve) => setTimeout(resolve, 100));
  return seen.sort();
}
"""


class Seen:
    """A page that is open, and what it asked for and complained of."""

    def __init__(self, chromium, **options) -> None:
        self.context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("console", self._on_console)

    def _on_console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, address: str) -> None:
        """Open it and wait for its first figures."""
        self.page.goto(address)
        self.page.locator("[data-row=mix]", has_text="%").wait_for()
        assert [url for url in self.asked if not url.startswith("blob:")] == [address]
        assert self.complaints == []


@pytest.fixture
def seen(chromium) -> Iterator[Seen]:
    """A page in a fresh context without a network."""
    found = Seen(chromium, offline=True)
    yield found
    found.context.close()


@pytest.fixture(scope="module")
def bundle() -> LogitBundle:
    return LogitBundle.load(find_bundle("digits"))


@pytest.fixture
def file(page_file) -> Path:
    """The page file, whose first bundle are the digits."""
    return page_file


def test_figures_are_those_of_python(seen, file, bundle):
    seen.open(file.as_uri())
    answers = seen.page.evaluate(ASK, [dataclasses.asdict(params) for params in SETTINGS])
    engine = RemixEngine(bundle)
    for params, (*figures, alpha) in zip(SETTINGS, answers, strict=True):
        remix = engine.remix(params)
        clean, attacked, by_margin = remix.clean, remix.attacked, remix.by_margin
        counts = [clean.count, attacked.count, by_margin.count]
        ends = [pytest.approx(end, abs=1e-12) for end in (clean.low, attacked.high)]
        assert figures == [*counts, *ends]
        assert alpha == pytest.approx(remix.params.alpha, abs=1e-9)


def test_a_slider_moves_the_figures(seen, file, bundle):
    seen.open(f"{file.as_uri()}?bundle=digits&s=2&p=3&c=-1&beta=0.9")
    row = seen.page.locator("[data-row=mix]")
    slider = seen.page.get_by_role("slider", name="power p")
    seen.page.locator(".main-svg").first.wait_for()  # the plots come after the figures
    for power in (3.0, 1.5):
        slider.fill(str(power))
        slider.dispatch_event("input")
        remix = RemixEngine(bundle).remix(MixParams(s=2, p=power, c=-1, beta=0.9))
        for figure in (remix.clean, remix.attacked):
            row.get_by_text(f"{100 * figure.value:.2f} %").first.wait_for()
    assert seen.complaints == []


def test_what_it_exports_is_what_the_command_line_reads(seen, file, bundle, tmp_path):
    seen.open(f"{file.as_uri()}?bundle=digits&s=2&p=3&c=-1&beta=0.9&clamp=relu")
    with seen.page.expect_download() as coming:
        seen.page.get_by_role("button", name="Download JSON").click()
    path = tmp_path / "mix.json"
    coming.value.save_as(path)
    found = MixConfig.load(path)
    ours = MixConfig.from_remix(RemixEngine(bundle), MixParams(s=2, p=3, c=-1, beta=0.9, clamp="relu"))
    assert found.digest == ours.digest
    for field in ("transform", "alpha", "beta", "auxiliary", "bundle", "threat", "estimates", "warnings"):
        assert getattr(found, field) == getattr(ours, field), field
    assert seen.complaints == []


def test_a_thumb_let_go_where_it_was_taken_up_follows_again(seen, file):
    seen.open(f"{file.as_uri()}?bundle=digits&s=2&p=3&c=-1&beta=0.9")
    slider = seen.page.get_by_role("slider", name="power p")
    box, (low, high) = slider.bounding_box(), [float(slider.get_attribute(end)) for end in ("min", "max")]
    x, y = box["x"] + 8 + (box["width"] - 16) * (3 - low) / (high - low), box["y"] + box["height"] / 2
    seen.page.mouse.move(x, y)
    seen.page.mouse.down()
    for to in (x + 30, x):  # back again: the browser reports no change
        seen.page.mouse.move(to, y, steps=4)
    seen.page.mouse.up()
    power = seen.page.get_by_role("textbox", name="power p, as a number")
    power.fill("5")
    power.press("Enter")
    assert float(slider.input_value()) == 5
    assert seen.complaints == []


@pytest.mark.parametrize("junk", ["{}", '[5, null, {"params": {}, "card": {}}]'])
def test_what_another_page_kept_here_does_no_harm(seen, file, bundle, junk):
    key = f"mnuts:verified {bundle.digest}"
    seen.page.add_init_script(f"sessionStorage.setItem({key!r}, {junk!r})")
    seen.open(file.as_uri())


def test_a_file_that_is_taken_ends_the_message_of_one_that_was_not(seen, file, tmp_path):
    seen.open(file.as_uri())
    shipped = require_shipped_folder() / "digits-beta95.json"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(shipped.read_text("utf-8").replace('"attack":', '"attacks":'), "utf-8")
    chooser, said = seen.page.locator("input[type=file]"), seen.page.locator(".banner")
    chooser.set_input_files(shipped)
    seen.page.get_by_text("digits-beta95.json loaded.").wait_for()
    chooser.set_input_files(wrong)
    said.get_by_text("wrong.json is wrong at verified.attacks").wait_for()
    chooser.set_input_files(shipped)
    said.wait_for(state="hidden")
    assert seen.complaints == []


def test_the_policy_allows_nothing_else(seen, file):
    seen.open(file.as_uri())
    assert seen.page.evaluate(REFUSED) == ["connect-src", "eval", "img-src", "script-src"]


def test_hostile_names_stay_text(seen, tmp_path):
    bundle = make_pool(n=60, m=30, k=3)
    manifest = bundle.manifest.model_copy(update={"name": EVIL, "classes": (EVIL, f"{EVIL}2", "c")})
    path = tmp_path / "evil.html"
    path.write_text(explorer_page([(EVIL, replace(bundle, manifest=manifest))], title=EVIL), "utf-8")
    seen.open(path.as_uri())
    assert seen.page.locator("h1").inner_text() == visible(EVIL)
    assert seen.page.locator("img[src=x]").count() == 0
    assert "\u202e" not in seen.page.locator("body").inner_text()


def test_what_keeps_it_from_starting_is_said(seen, file, tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(file.read_text("utf-8").replace('id="mnuts-worker"', 'id="gone"'), "utf-8")
    seen.page.goto(broken.as_uri())
    seen.page.get_by_text("The page could not be started").wait_for()
    assert len(seen.complaints) == 1


def test_it_opens_from_any_static_server(chromium, file, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    shutil.copy(file, tmp_path / "a" / "b" / "index.html")
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = Seen(chromium)
        seen.open(f"http://127.0.0.1:{server.server_port}/a/b/")
        seen.context.close()
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Nobody listens."""
