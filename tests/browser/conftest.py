"""Headless Chromium and our own server, for tests that look at a real page."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mnuts_core import LogitBundle, MixParams, RemixEngine
from mnuts_core.cli.app import run
from mnuts_dashboards.widgets.visit import BUNDLES_VARIABLE
from tests import ROOT
from tests.browser.explorer import best_of
from tests.serving import START_TIMEOUT, Server, end, serving

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGE_TIMEOUT = 90_000  # milliseconds
PAGE_PLOT = "document.querySelector('[data-panel={}] .plot')"
"""A plot of the page that computes by itself."""
DASHBOARDS = ROOT / "dashboards"


@pytest.fixture(scope="package")
def chromium():
    """The browser, for this folder alone: while Playwright runs, no other test can start an event loop."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    path = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@contextmanager
def pages(chromium) -> Iterator[Callable]:
    """A function that opens a page; afterwards no request may have gone to anywhere but this machine."""
    contexts, asked, errors = [], [], []

    def make(**options):
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
        context.set_default_timeout(PAGE_TIMEOUT)
        context.on("request", lambda request: asked.append(request.url))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert outside(asked) == [], "the page asked for something outside this machine"
    assert errors == [], "the page's scripts failed"


@pytest.fixture
def new_page(chromium) -> Iterator[Callable]:
    """`pages` for one test."""
    with pages(chromium) as make:
        yield make


@pytest.fixture
def chromium_page(new_page):
    """One page in a fresh context."""
    return new_page()


def outside(urls: list[str]) -> list[str]:
    """Those of `urls` that leave this machine."""
    inside = {"127.0.0.1", "localhost", None}  # None: blob: and data: have no host
    return [url for url in urls if urlsplit(url.removeprefix("blob:")).hostname not in inside]


@pytest.fixture(scope="module")
def notebook(request, tmp_path_factory) -> Path:
    """A copy of the notebook that the test module names in `NOTEBOOK`."""
    original = request.module.NOTEBOOK
    return Path(shutil.copy(original, tmp_path_factory.mktemp(original.stem)))


@pytest.fixture(scope="module")
def serve_options(digits_path) -> dict:
    """How `served` serves: on the shipped digits, unless a test module says otherwise."""
    return {"bundles": [str(digits_path)]}


@pytest.fixture(scope="module")
def served(notebook, serve_options) -> Iterator[Server]:
    """Our server on `notebook`, once a module."""
    with serving(notebook, **serve_options) as server:
        yield server


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """JupyterLab in a folder, without a token; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", f"--notebook-dir={folder}"]
    options += [
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(folder / "config")}
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            env=environment,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{address}/api", timeout=5):
                break
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail(f"JupyterLab did not start:\n{(folder / 'lab.log').read_text()[-3000:]}")
            time.sleep(0.2)
        yield address
    finally:
        end(process)


@pytest.fixture(scope="session")
def digits_path() -> Path:
    """The shipped bundle of real digits."""
    return ROOT / "data" / "digits.safetensors"


@pytest.fixture(scope="package")
def engine(digits_path) -> RemixEngine:
    """What answers for the mixes of the shipped digits."""
    return RemixEngine(LogitBundle.load(digits_path))


@pytest.fixture(scope="package")
def start(engine) -> MixParams:
    """The mix at which the explorer's tests begin."""
    return best_of(engine)


@pytest.fixture(scope="package")
def lab_folder(tmp_path_factory) -> Path:
    """The folder of `lab`, with the apps' notebooks; a test puts its own beside them."""
    folder = tmp_path_factory.mktemp("lab")
    for notebook in DASHBOARDS.glob("*.ipynb"):
        shutil.copy(notebook, folder)
    return folder


@pytest.fixture(scope="package")
def lab(lab_folder, digits_path) -> Iterator[str]:
    """JupyterLab, on the shipped digits; its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUNDLES_VARIABLE, str(digits_path))
        with jupyterlab(lab_folder) as address:
            yield address


@pytest.fixture(scope="package")
def page_file(tmp_path_factory) -> Path:
    """Both shipped bundles in one file that computes by itself, as the command writes it."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    assert run(["page", "digits", "cifar10", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def explorer_server(tmp_path_factory, digits_path) -> Iterator[Server]:
    """The explorer on the shipped digits."""
    notebook = shutil.copy(DASHBOARDS / "explorer.ipynb", tmp_path_factory.mktemp("explorer"))
    with serving(Path(notebook), bundles=[str(digits_path)]) as server:
        yield server


def open_explorer(page, url: str) -> None:
    """Open the explorer and wait until it shows its mix."""
    page.goto(url, wait_until="commit")
    page.locator("[data-row=mix] td b", has_text="%").first.wait_for()


def at(page, query: str) -> None:
    """Let an open explorer come to another address, as by *Back* from an earlier visit's."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.evaluate(
        """query => {
          for (const element of document.querySelectorAll("*")) element.scrollTop = 0;
          history.pushState(null, "", `${location.pathname}?${query}`);
          dispatchEvent(new PopStateEvent("popstate", { state: null }));
        }""",
        query,
    )
    page.wait_for_function("history.state?.visit")  # the page has taken it over
