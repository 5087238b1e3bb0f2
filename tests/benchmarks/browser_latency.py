"""From a slider's event to the painted plots: the explorer in Voilà and headless Chromium, SYNTHETIC logits.

Each slider is moved step by step, the next event once the last one is painted; the clock runs in the page,
from the event's dispatch to the first task after the frame in which the last visible plot was updated. Then
a drag of 5 s at 60 events/s, and how long after its last event the page shows it. Both for frames drawn in
place (`swift`) and for `Plotly.react` alone (`plain`), one after the other in one page. `kernel` is remixing
and packing, `wire` the way there and back, `wait` until the animation frame, `draw` Plotly, `paint` the rest.

Bars, median / p95: 60 / 100 ms, for 5,000×1,000 100 / 150 ms; end of drag 200 ms.
"""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from tests import ROOT
from tests.browser.conftest import CHROMIUM, CHROMIUM_ARGS, PAGE_TIMEOUT
from tests.serving import serving
from tests.synthetic import make_bundle

NOTEBOOK = ROOT / "dashboards" / "explorer.ipynb"
DRIVER = Path(__file__).with_name("browser_latency.js")
SIZES = ((10_000, 1_000, 10), (10_000, 1_000, 100), (5_000, 1_000, 1_000))
SLIDERS = {"s": "scale s", "p": "power p", "c": "bias c", "β": "robustness kept, β"}
WAYS = ("plain", "swift")
PARTS = ("kernel", "wire", "wait", "draw", "paint")
SEARCHED = """
document.querySelector('[data-panel=plane] .js-plotly-plot')?.data.some(
  (trace) => trace.name === 'best of the grid' && trace.x.length > 0)
"""
"""Whether the search in the background is over: a thousand classes take it some seconds of both cores."""
EVENTS = int(os.environ.get("MNUTS_BENCH_EVENTS", "40"))
"""Events a slider, in each way."""
DRAG_SECONDS = 5


def main() -> None:
    """Measure and print a table."""
    from playwright.sync_api import sync_playwright

    print(f"{'bundle':>14} {'slider':>6} {'way':>6} {'median':>7} /{'p95':>5}   ms, and its parts")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        for n, m, k in SIZES:
            _measure(browser, Path(folder), (n, m, k))
        browser.close()


def _measure(browser, folder: Path, size: tuple[int, int, int]) -> None:
    n, m, k = size
    bundle, notebook = folder / f"synthetic-{k}.safetensors", folder / f"explorer-{k}.ipynb"
    make_bundle(n=n, m=m, k=k).save(bundle)
    shutil.copy(NOTEBOOK, notebook)
    with serving(notebook, bundles=[str(bundle)]) as server:
        for name, label in SLIDERS.items():
            page = _open(browser, server.url)
            for way in WAYS:
                steps = page.evaluate("args => latency.steps(...args)", [label, way, EVENTS])
                _print_row(f"{n:,}×{k:,}", name, way, steps)
            if name == "c":
                for way in WAYS:
                    steps = page.evaluate("args => latency.drag(...args)", [label, way, DRAG_SECONDS])
                    line = "{lag:5.0f} ms after the last event, {frames} frames of {events} events"
                    print(f"{f'{n:,}×{k:,}':>14} {'drag':>6} {way:>6} {line.format(**steps)}", flush=True)
            page.context.close()


def _open(browser, url: str):
    """The explorer, painted and at rest."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(PAGE_TIMEOUT)
    page.add_init_script(path=DRIVER)
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.__mnutsBoard?.frames > 0")
    page.wait_for_function(SEARCHED)
    page.wait_for_timeout(5000)  # the next kernel's start
    return page


def _print_row(bundle: str, slider: str, way: str, steps: list[dict]) -> None:
    total = [one["total"] for one in steps]
    split = ", ".join(f"{part} {np.median([one[part] for one in steps]):.0f}" for part in PARTS)
    reacted = np.mean([one["reacted"] for one in steps])
    head = f"{bundle:>14} {slider:>6} {way:>6} {np.median(total):7.0f} /{np.quantile(total, 0.95):5.0f}"
    print(f"{head}   {split}; {reacted:.1f} plots a frame by react", flush=True)
