"""From opening the page file to its first paint, figures and plot; headless Chromium, from a disk.

Bars, for CIFAR-10: 5 MB, one second to the first plot.
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from mnuts_core import LogitBundle
from mnuts_core.bundles.library import find_bundle
from mnuts_dashboards.explorer.page_file import explorer_page
from tests.browser.conftest import CHROMIUM, CHROMIUM_ARGS, PAGE_TIMEOUT

BUNDLES = ("cifar10", "digits")
TIMES = int(os.environ.get("MNUTS_BENCH_OPENINGS", "9"))
"""How often each is opened, each time in a fresh context."""
WATCH = """
window.seen = {};
const watch = () => {
  if (document.querySelector("[data-row=mix]")?.textContent.includes("%")) seen.figures ??= performance.now();
  if (document.querySelector(".main-svg")) seen.plot ??= performance.now();
  if (!seen.plot) requestAnimationFrame(watch);
};
requestAnimationFrame(watch);
"""


def main() -> None:
    """Measure and print a table: milliseconds, median / greatest."""
    from playwright.sync_api import sync_playwright

    print(f"{'bundle':>10} {'MB':>5} {'paint':>12} {'figures':>12} {'plot':>12}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        for name in BUNDLES:
            file = Path(folder) / f"{name}.html"
            file.write_text(explorer_page([(name, LogitBundle.load(find_bundle(name)))]), "utf-8")
            found = [_opened(browser, file) for _ in range(TIMES)]
            cells = (f"{np.median(one):.0f} /{max(one):5.0f}" for one in zip(*found, strict=True))
            print(f"{name:>10} {file.stat().st_size / 1e6:5.2f} {' '.join(f'{cell:>12}' for cell in cells)}")
        browser.close()


def _opened(browser, file: Path) -> tuple[float, float, float]:
    """First paint, figures and plot, in milliseconds after the page was asked for."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True).new_page()
    page.set_default_timeout(PAGE_TIMEOUT)
    page.add_init_script(WATCH)
    page.goto(file.as_uri(), wait_until="commit")
    page.locator(".main-svg").first.wait_for()
    seen = page.evaluate("seen")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.context.close()
    return paint, seen["figures"], seen["plot"]
