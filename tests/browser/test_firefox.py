"""The explorer in Firefox: its file from a disk, without a network, and the page of our server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnuts_core import LogitBundle, MixConfig, MixParams, RemixEngine
from mnuts_core.bundles.library import find_bundle
from mnuts_core.cli.app import run
from tests.browser.conftest import outside
from tests.browser.firefox import ARROW_LEFT, ENTER, TIMEOUT, Firefox, find_firefox, running_firefox

pytestmark = pytest.mark.browser
LINK = "bundle=digits&s=2&p=3&c=-1&clamp=relu&beta=0.9"
FIGURES = "[...document.querySelectorAll('[data-row=mix] td b')].map((one) => one.textContent).slice(0, 2)"
DOWNLOAD, SAVE = (
    f"[...document.querySelectorAll('button')].find((one) => one.textContent === '{label}')"
    for label in ("Download JSON", "Save bundle")
)


@pytest.fixture
def firefox(tmp_path) -> Iterator[Firefox]:
    """A browser."""
    program = find_firefox()
    if program is None:
        pytest.skip("no Firefox here: apt-get install firefox-esr")
    with running_firefox(program, tmp_path) as found:
        found.size(1280, 800)
        yield found


def figures(engine: RemixEngine, params: MixParams) -> list[str]:
    """Clean and attacked accuracy as the page writes them."""
    remix = engine.remix(params)
    return [f"{100 * figure.value:.2f} %" for figure in (remix.clean, remix.attacked)]


def test_the_file_computes_draws_and_exports(firefox, tmp_path):
    file = tmp_path / "digits.html"
    assert run(["page", "digits", "--out", str(file)]) == 0
    engine = RemixEngine(LogitBundle.load(find_bundle("digits")))
    firefox.offline()
    firefox.open(f"{file.as_uri()}?{LINK}")
    firefox.becomes(FIGURES, figures(engine, MixParams(s=2, p=3, c=-1, beta=0.9, clamp="relu")))
    firefox.becomes("document.querySelectorAll('.main-svg').length > 0", True)

    firefox.evaluate("document.querySelector('[data-setting=p] input[type=range]').focus()")
    firefox.press(*[ARROW_LEFT] * 30)
    moved = MixParams(s=2, p=2.7, c=-1, beta=0.9, clamp="relu")
    firefox.becomes(FIGURES, figures(engine, moved))
    firefox.becomes("location.search", f"?{LINK.replace('p=3', 'p=2.7')}")

    firefox.evaluate(DOWNLOAD + ".focus()")
    firefox.press(ENTER)
    found, ours = MixConfig.load(saved(firefox.downloads)), MixConfig.from_remix(engine, moved)
    assert found.digest == ours.digest
    assert found.estimates == ours.estimates
    assert firefox.complaints == []
    assert [url for url in firefox.asked if not url.startswith(("file:", "blob:", "data:"))] == []


def test_the_served_page_computes_draws_and_tells_its_kernel(firefox, explorer_server, engine):
    firefox.open(f"{explorer_server.url}?{LINK}")
    firefox.becomes(FIGURES, figures(engine, MixParams(s=2, p=3, c=-1, beta=0.9, clamp="relu")))
    firefox.becomes("document.querySelectorAll('.main-svg').length > 0", True)
    firefox.evaluate("document.querySelector('[data-setting=p] input[type=range]').focus()")
    firefox.press(*[ARROW_LEFT] * 30)
    firefox.becomes(FIGURES, figures(engine, MixParams(s=2, p=2.7, c=-1, beta=0.9, clamp="relu")))
    firefox.evaluate(SAVE + ".focus()")
    firefox.press(ENTER)
    assert LogitBundle.load(saved(firefox.downloads, ".safetensors")).digest == engine.bundle.digest
    assert firefox.complaints == []
    assert outside(firefox.asked) == []


def saved(folder: Path, ending: str = ".json") -> Path:
    """The one file that was saved, once it is whole."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        files = list(folder.iterdir())
        if [path.suffix for path in files] == [ending] and files[0].stat().st_size:
            return files[0]
        time.sleep(0.05)
    raise AssertionError(f"nothing was saved: {list(folder.iterdir())}")
