"""What ships is reached exactly in a page: by presets, stars, snapshots, links and steps back.

In a file: hosts differ neither in the state of the page nor in its engine.
"""

import pytest
from playwright.sync_api import expect

from mnuts_core import LogitBundle, MixConfig
from mnuts_core.export.belonging import configs_of
from mnuts_core.params import PARAMS
from mnuts_dashboards.bundles.configs import label_of
from mnuts_dashboards.bundles.verified import DIGITS
from tests import ROOT
from tests.browser.conftest import PAGE_PLOT, at, open_explorer, pages

pytestmark = pytest.mark.browser

DATA = ROOT / "data"
CELLS = "[...document.querySelectorAll('[data-row=mix] td:not([hidden])')].map(e => e.innerText)"
HEADS = "[...document.querySelectorAll('table.headline thead th:not([hidden])')].slice(1)"
"""Clean, attacked, right by margin, verified."""
STARS = f"{PAGE_PLOT.format('plane')}.data.find(t => t.name === 'other verified mixes')"
STAR = f"""number => {{
  const plot = {PAGE_PLOT.format("plane")}, star = {STARS}, box = plot.getBoundingClientRect();
  const i = [...star.customdata].indexOf(number), {{ xaxis, yaxis }} = plot._fullLayout;
  return [box.left + xaxis._offset + xaxis.l2p(star.x[i]), box.top + yaxis._offset + yaxis.l2p(star.y[i])];
}}"""
"""Where the star of a number is on the screen."""
STEP = 850  # milliseconds after which a change is a step of its own


@pytest.fixture(params=["cifar10", "digits"])
def name(request):
    return request.param


@pytest.fixture
def configs(name):
    bundle = LogitBundle.load(DATA / f"{name}.safetensors")
    return {label_of(file, config): config for file, config in configs_of(bundle)}


@pytest.fixture(scope="module")
def kept_page(chromium, page_file):
    """A page that stays open for the tests of this module."""
    with pages(chromium) as make:
        page = make(offline=True, bypass_csp=True)  # Playwright evaluates what it waits for
        open_explorer(page, page_file.as_uri())
        yield page


@pytest.fixture
def page(kept_page, name):
    at(kept_page, f"bundle={name}")
    wait_for_bundle(kept_page, name)
    return kept_page


def wait_for_bundle(page, name):
    """Until the figures of a bundle stand there."""
    page.wait_for_function("name => new URLSearchParams(location.search).get('bundle') === name", arg=name)
    page.locator(".opening").wait_for(state="hidden")


def choose(page, label):
    page.get_by_label("Preset").select_option(label)


def figures(config):
    """What the page estimates from the bundle."""
    return config.estimates.clean, config.estimates.attacked, config.estimates.by_margin


def wait_for(page, config):
    """Until this mix's row has the configuration's figures, and the boxes its numbers."""
    estimates = (*figures(config), config.verified.accuracy)
    starts = [f"{100 * card.value:.2f}" for card in estimates]
    sizes = [f"n = {card.n:,}" for card in estimates]
    page.wait_for_function(
        f"([starts, sizes]) => {{ const cells = {CELLS};"
        f"const heads = {HEADS}.map(e => e.innerText.replaceAll('\\u00a0', ' '));"
        "return cells.length && cells.every((t, i) => t.startsWith(starts[i]))"
        " && heads.every((t, i) => t.includes(sizes[i])); }",
        arg=[starts, sizes],
    )
    for symbol in "spc":
        box = page.get_by_label(f"{PARAMS[symbol].label}, as a number")
        expect(box).to_have_value(f"{getattr(config.transform, symbol):.6g}".replace("-", "−"))


def exported(page, folder):
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    download.value.save_as(folder / "config.json")
    return MixConfig.load(folder / "config.json")


def assert_exact(page, config, folder):
    """The very numbers of the file, α from its β or by hand as there, and its figures."""
    wait_for(page, config)
    shown = exported(page, folder)
    assert shown.transform == config.transform
    assert shown.beta in (config.beta, None)  # None: the level gives another α by now
    assert shown.alpha == pytest.approx(config.alpha, rel=0, abs=10.0**-DIGITS)  # computed anew, in the page
    assert shown.temperature == config.temperature
    for ours, stored in zip(figures(shown), figures(config), strict=True):
        assert (ours.value, ours.n) == (stored.value, stored.n)
    assert shown.verified == config.verified


def test_presets_links_steps_back_and_another_bundle(page, name, configs, tmp_path):
    addresses = []
    for label, config in configs.items():
        choose(page, label)
        assert_exact(page, config, tmp_path)
        addresses.append(page.evaluate("location.href"))
        page.wait_for_timeout(STEP)
    *_, before, last = configs.values()
    page.go_back()
    assert_exact(page, before, tmp_path)
    page.go_forward()
    assert_exact(page, last, tmp_path)
    page.wait_for_timeout(STEP)

    other = {"cifar10": "digits", "digits": "cifar10"}[name]
    page.get_by_label("Bundle", exact=True).select_option(other)
    wait_for_bundle(page, other)
    page.get_by_text("not yet", exact=True).wait_for()
    page.wait_for_timeout(STEP)
    address, cells = page.evaluate("location.href"), page.evaluate(CELLS)
    assert f"bundle={other}&s=" in address
    page.reload(wait_until="commit")
    page.wait_for_function(f"want => JSON.stringify({CELLS}) === JSON.stringify(want)", arg=cells)
    assert page.evaluate("location.href") == address
    page.go_back()
    assert_exact(page, last, tmp_path)
    page.goto(addresses[0], wait_until="commit")
    assert_exact(page, next(iter(configs.values())), tmp_path)
    assert page.evaluate("location.href") == addresses[0]


def test_stars_and_snapshots(page, configs, tmp_path):
    rows = page.locator(".shows-stars tr.choice")
    for number, (label, config) in enumerate(configs.items()):
        elsewhere(page)
        page.locator("[data-panel=plane]").scroll_into_view_if_needed()
        page.wait_for_function(f"{STARS}.x.length === {len(configs)}")  # this mix has none
        place, chosen = page.evaluate(STAR, number), page.get_by_label("Preset").locator("option:checked")
        for _ in configs:  # of stars in one place each click reaches the next
            page.mouse.click(*place)
            page.wait_for_timeout(600)
            if chosen.inner_text() == label:
                break
        assert_exact(page, config, tmp_path)
        page.get_by_role("button", name="Keep a snapshot").click()
        elsewhere(page)
        rows.filter(has_text=label).first.click()
        wait_for(page, config)
    assert rows.count() == len(configs)
    for letter, config in zip("ABCDEF", configs.values(), strict=False):
        elsewhere(page)
        page.get_by_role("button", name=f"Restore {letter}").click()
        assert_exact(page, config, tmp_path)


def elsewhere(page):
    """Go to other settings, in whose row no figure of these may stand."""
    choose(page, "Layer norm only")
    page.get_by_text("not yet", exact=True).wait_for()
    page.wait_for_timeout(300)  # rows of tables are made anew till then
