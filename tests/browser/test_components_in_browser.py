"""The explorer's components in Chromium: what they show is what Python says; hostile names; the keyboard."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from mnuts_core import GridSpec, LogitBundle, MixParams, RemixEngine, grid_search
from mnuts_core.bundles.library import shipped_folder
from mnuts_core.export.belonging import configs_of
from mnuts_core.export.config import MixConfig
from mnuts_core.search.direct import direct_plain, direct_search
from mnuts_core.text import visible
from mnuts_core.views import examples
from mnuts_core.views.assumptions import assumptions
from mnuts_core.views.direct import at_least, match
from mnuts_core.views.headline import headline, seen_and_unseen
from mnuts_core.views.paired import mix_pairs
from mnuts_core.views.sources import settled_words, sources, sources_words
from mnuts_dashboards.explorer.snapshots import _settings
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.page.data import images_record, page_meta, settings
from mnuts_dashboards.text import cards, numbers
from mnuts_dashboards.text.headline import direct_html, found_html, headline_html, words_html
from tests.browser.conftest import pages
from tests.dashboards.web.engine import DRIVER, WEB, encoded, packed
from tests.synthetic import clean_only, make_bundle

pytestmark = pytest.mark.browser
ADDRESS = "http://localhost/"
COMPONENTS = Path(__file__).with_name("components.js")
PARAMS = MixParams(s=2.0, p=2.5, c=-0.8, beta=0.95)
SEARCH = """
request => {
  const work = mounted.service.search(request);
  let step = work.next();
  while (!step.done) step = work.next();
  mounted.search = { request, result: step.value };
}
"""
HOSTILE = ["<img src=x onerror=alert(1)>", "cat\u202etac", "a\nb\tc", 10_000 * "long ", "</script><b>"]
"""Names of classes that a stranger may have chosen."""


def mount(page: Any, bundle: LogitBundle, meta: dict[str, Any]) -> None:
    """All components on a bundle."""
    record = {"bundle": encoded(packed(bundle)), "meta": meta, "settings": settings(ExplorerState)}
    page.evaluate("async record => (await import('/components.js')).mount(record)", record)


def show(page: Any, **changes: Any) -> None:
    page.evaluate("changes => mounted.show(changes)", changes)


def to(page: Any, params: MixParams) -> None:
    """Bring the components to a mix."""
    names = ("s", "p", "c", "clamp", "ln_k", "beta", "temperature")
    level = {"by_hand": params.alpha is not None} | ({"alpha": params.alpha} if params.alpha else {})
    show(page, **{name: getattr(params, name) for name in names}, **level, case="paper", snapshots=[])


def text(page: Any, selector: str) -> str:
    """What is to be read in an element, in one line."""
    return " ".join(page.locator(selector).first.inner_text().split())


def plain(html: str) -> str:
    """What is to be read in HTML, in one line."""
    words = re.sub(r"<[^>]*>", " ", html).replace("&nbsp;", " ").replace("&#39;", "'").replace("&lt;", "<")
    return " ".join(words.split())


@pytest.fixture(scope="module")
def page(chromium):
    """A page on an address of this machine that the test itself answers."""
    with pages(chromium) as make:
        page = make()

        def serve(route: Any) -> None:
            path = route.request.url.removeprefix(ADDRESS)
            own = {DRIVER.name: DRIVER, COMPONENTS.name: COMPONENTS}
            if not path:
                sheets = "".join(sheet.read_text("utf-8") for sheet in sorted(WEB.rglob("*.css")))
                body = f'<!doctype html><html lang="en"><title>x</title><style>{sheets}</style>'
                route.fulfill(body=body, content_type="text/html; charset=utf-8")
            else:
                file = own.get(path, WEB / path)
                route.fulfill(body=file.read_text("utf-8"), content_type="text/javascript; charset=utf-8")

        page.set_default_timeout(5_000)
        page.context.route(ADDRESS + "**", serve)
        page.goto(ADDRESS)
        yield page


@pytest.fixture(scope="module")
def digits() -> LogitBundle:
    return LogitBundle.load(shipped_folder() / "digits.safetensors")


@pytest.fixture(scope="module")
def reference(digits) -> RemixEngine:
    return RemixEngine(digits, device="cpu")


@pytest.fixture(scope="module")
def shown(page, digits):
    """The components on the shipped digits with their configurations."""
    mount(page, digits, page_meta(digits, configs_of(digits), name="digits"))
    return page


def test_headline_and_words_are_python_s(shown, reference):
    for params in (PARAMS, PARAMS.with_(alpha=0.9, temperature=0.5), MixParams(s=5000.0, p=10.0, c=-2.0)):
        to(shown, params)
        remix = reference.remix(params)
        table = headline(reference, params, remix)
        rows = re.findall(r"<tr data-row='(\w+)'>(.*?)</tr>", headline_html(table), re.S)
        for key, html in rows:
            ours = text(shown, f"#Headline tr[data-row={key}]")
            assert ours == plain(html), key
        words = plain(words_html(table, remix.warnings, sources_words(reference.bundle)))
        assert text(shown, "#Strip .gains") in words
        assert text(shown, "#Remarks > .words") in words
        assert shown.locator("#Remarks .warning").all_inner_texts() == list(remix.warnings)


def test_points_and_their_sources(shown, digits):
    words = text(shown, "#Sources")
    assert f"{settled_words(digits)}." in words
    for source in sources(digits):
        about = str(source).rsplit(": ", 1)[0]
        assert f"{about} {source.images:,} {source.points:,}" in words


def test_strip_gives_mcnemar_s_p(shown, reference):
    to(shown, PARAMS)
    changes = headline(reference, PARAMS, reference.remix(PARAMS)).changes()
    for other in ("rob", "plain"):
        for figure in ("clean", "attacked"):
            p = f"{figure} p = {changes[other][figure].paired.p_value:.2g}"
            assert p in shown.locator("#Strip .strip-words").text_content()


def test_a_verified_figure_stands_in_its_own_mix_s_row_alone(shown, digits):
    verified = [config for _, config in configs_of(digits) if config.verified]
    assert verified
    to(shown, PARAMS)
    assert text(shown, "#Headline tr[data-row=mix] td:last-child") == "not yet"
    rows = shown.locator("#Stars tr.choice")
    assert rows.count() == len(verified)
    for place, config in enumerate(verified):
        shown.evaluate("mounted.changes.length = 0")
        rows.nth(place).click()
        figure = f"{100 * config.verified.accuracy.value:.2f} %"
        assert text(shown, "#Headline tr[data-row=mix] td:last-child").startswith(figure)
        assert rows.nth(place).get_attribute("aria-selected") == "true"
        changes = shown.evaluate("mounted.changes[0]")
        expected = config.params
        assert [changes[name] for name in ("s", "p", "c", "clamp", "ln_k", "temperature")] == [
            getattr(expected, name) for name in ("s", "p", "c", "clamp", "ln_k", "temperature")
        ]
        assert f"verified: {100 * config.verified.accuracy.value:.1f} %" in text(shown, "#Verification")
    show(shown, s=1.25)
    assert text(shown, "#Headline tr[data-row=mix] td:last-child") == "not yet"


def test_assumptions_are_python_s(shown, reference):
    to(shown, PARAMS)
    remix = reference.remix(PARAMS)
    html = cards.assumptions_html(assumptions(reference, remix), seen_and_unseen(reference, remix))
    assert text(shown, "#Assumptions > div") == plain(html)


@pytest.mark.parametrize("where", ["clean", "attacked"])
def test_examples_and_the_chosen_one_s_card(shown, reference, where):
    to(shown, PARAMS)
    remix = reference.remix(PARAMS)
    found = examples.changed_examples(reference, remix, where)
    shown.get_by_role("tab", name=f"{where.capitalize()} images").first.click()
    fixed = int(found.fixed.sum())
    n = reference.n_clean if where == "clean" else reference.bundle.n_adv
    note = f"{fixed:,} of {n:,} {where} images fixed, {len(found.row) - fixed:,} broken (relative to h)"
    assert text(shown, "#Examples .table-note") == note
    row = int(found.row[0])
    shown.locator(f"#Examples tr[data-key='{row}']").click()
    assert shown.evaluate("mounted.changes.at(-1)") == {"case": where, "row": row}
    story = examples.story(reference, remix, where, row)
    said = text(shown, "#Story")
    assert cards.OUTCOMES[story.outcome] in said
    assert f"{where} image {story.number}" in said
    assert shown.locator(f"#Examples tr[data-key='{row}']").get_attribute("aria-selected") == "true"
    shown.locator("#Story button").click()
    assert shown.evaluate("mounted.changes.at(-1)") == {"case": "paper"}


def test_pages_sorting_and_the_keyboard(shown):
    to(shown, MixParams(s=0.1, p=1.0, c=0.0, alpha=0.55))
    shown.get_by_role("tab", name="Clean images").first.click()
    table = shown.locator("#Examples")
    assert table.locator("tr.choice").count() == 50
    pager = table.locator(".pager")
    first = table.locator("tr.choice").first
    first.focus()
    shown.keyboard.press("ArrowDown")
    keys = [row.get_attribute("data-key") for row in table.locator("tr.choice").all()]
    assert shown.evaluate("document.activeElement.dataset.key") == keys[1]
    assert shown.evaluate("mounted.state.row") == int(keys[1])
    shown.keyboard.press("End")
    assert shown.evaluate("document.activeElement.dataset.key") == keys[-1]
    shown.keyboard.press("PageDown")
    assert re.match(r"51–\d+ of \d+", pager.locator("span").inner_text())
    assert shown.evaluate("document.activeElement.matches('tr.choice')")
    heading = table.get_by_role("button", name="image", exact=True)
    heading.click()
    heading.click()
    assert table.locator("th[aria-sort=descending]").count() == 1
    numbers = [int(cell) for cell in table.locator("tr.choice td:first-child").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)


def test_tabs_by_the_keyboard(shown):
    to(shown, PARAMS)
    shown.locator("#Examples [role=tab]").first.focus()
    shown.keyboard.press("ArrowRight")
    chosen = shown.locator("#Examples [aria-selected=true]")
    assert chosen.inner_text() == "Attacked images"
    assert chosen.evaluate("tab => tab === document.activeElement")


def test_snapshots_beside_the_current_mix(shown, reference):
    kept = [PARAMS.with_(s=1.0), PARAMS.with_(alpha=0.8, clamp="relu")]
    to(shown, PARAMS)
    show(shown, snapshots=[vars(params) for params in kept])
    rows = shown.locator("#Snapshots tbody tr")
    assert rows.count() == 3
    current = reference.remix(PARAMS)
    for place, params in enumerate(kept):
        mix = reference.remix(params)
        pairs = mix_pairs(mix, current)
        cells = [" ".join(cell.split()) for cell in rows.nth(place).locator("td").all_inner_texts()]
        split = seen_and_unseen(reference, mix)
        difference = numbers.signed(100 * pairs["clean"].difference.value, 2)
        assert cells[:4] == [
            "AB"[place],
            _settings(mix.params),
            numbers.alpha_text(mix.alpha),
            f"{100 * mix.clean.value:.2f} {difference}",
        ]
        others = f"unseen {100 * split.unseen.value:.2f}" if split.unseen else "no others"
        assert cells[4] == f"{100 * split.seen.value:.2f} {others}"
        tip = rows.nth(place).locator("td").nth(5).get_attribute("title")
        assert numbers.minus(pairs["attacked"].points) in tip
    rows.first.get_by_role("button", name="Restore A").click()
    assert shown.evaluate("[mounted.state.s, mounted.state.by_hand]") == [1.0, False]
    rows.first.get_by_role("button", name="Remove A").click()
    assert shown.evaluate("mounted.state.snapshots.length") == 1


def test_what_a_search_found(shown, digits):
    grid = GridSpec.from_ranges((0.5, 5), (1, 3), (-1, 0), steps=3)
    found = grid_search(digits, grid, 0.95)
    cell = lambda one: {
        "params": vars(one.params), "objective": one.objective, "quantile": one.quantile, "index": one.index,
    }  # fmt: skip
    result = {
        "best": cell(found.best),
        "ties": [cell(one) for one in found.ties],
        "top": [cell(one) for one in found.ranked(10)],
        "edges": found.edges,
        "warnings": list(found.warnings),
        "n_wrong": found.n_wrong,
    }
    axes = {axis: values.tolist() for axis, values in grid.axes().items()}
    request = {"beta": 0.95, "grid": {"name": grid.name, **axes}, "clamp": "gelu", "ln_k": 250}
    shown.evaluate("search => { mounted.search = search }", {"request": request, "result": result})
    to(shown, PARAMS)
    lines = text(shown, "#SearchResults .found")
    assert lines == plain(found_html(found)).replace("-", "−") or lines == plain(found_html(found))
    shown.locator("#SearchResults tr.choice").first.click()
    best = found.best.params
    assert shown.evaluate("[mounted.state.s, mounted.state.p, mounted.state.c]") == [best.s, best.p, best.c]
    assert shown.evaluate("mounted.state.by_hand") is False
    assert not shown.get_by_text("The settings have moved on since.").is_visible()
    to(shown, PARAMS)
    assert shown.get_by_text("The settings have moved on since.").is_visible()


@pytest.mark.parametrize(("kept", "least"), [("clean", 0.95), ("attacked", 0.62)])
def test_what_a_direct_search_found(shown, digits, reference, kept, least):
    grid = GridSpec.from_ranges((0.5, 5), (1, 3), (-1, 0), steps=3)
    axes = {axis: values.tolist() for axis, values in grid.axes().items()}
    request = {"beta": 0.95, "grid": {"name": grid.name, **axes}, "clamp": "gelu", "ln_k": 250}
    shown.evaluate(SEARCH, request | {f"{kept}_at_least": least})
    to(shown, PARAMS)
    found = direct_search(digits, grid)
    pair = match(reference, found, direct_plain(digits), at_least(**{kept: least}))
    lines = plain(direct_html(pair, found, kept, least))
    assert text(shown, "#SearchResults .found").replace("−", "-") == lines.replace("−", "-")
    assert not shown.locator("#SearchResults table").is_visible()


def test_commands_give_the_mix_again(shown):
    to(shown, PARAMS.with_(clamp="relu", temperature=0.25))
    shown.locator("#Provenance summary").click()
    words = shlex.split(shown.locator("#Provenance pre").inner_text().splitlines()[0])
    assert words[:3] == ["mnuts", "remix", "digits"]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    numbers = {name: float(value) for name, value in options.items() if name != "--clamp"}
    assert numbers == {"--s": 2, "--p": 2.5, "--c": -0.8, "--beta": 0.95, "--temperature": 0.25}
    assert options["--clamp"] == "relu"


def test_the_exported_configuration_loads(shown, reference, tmp_path):
    to(shown, PARAMS)
    shown.locator("#ExportPanel summary").click()
    path = tmp_path / "config.json"
    path.write_text(shown.locator("#ExportPanel pre:not(:empty)").inner_text(), "utf-8")
    config = MixConfig.load(path)
    remix = reference.remix(PARAMS)
    assert (config.params.s, config.alpha, config.beta) == (2.0, remix.alpha, 0.95)
    with shown.expect_download() as download:
        shown.get_by_role("button", name="Download JSON").click()
    alpha = f"{reference.remix(PARAMS).alpha:.6g}"
    assert download.value.suggested_filename == f"digits-s2-p2.5-c-0.8-alpha{alpha}.json"
    assert json.loads(Path(download.value.path()).read_text("utf-8"))["alpha"] == remix.alpha


def test_the_file_says_where_mixes_are_verified(shown):
    to(shown, PARAMS)
    assert "needs “mnuts dashboard”" in text(shown, "#Verification")
    assert "mnuts evaluate CONFIG.json" in text(shown, "#Verification")


def test_the_image_of_the_chosen_example(shown, digits):
    record = encoded(images_record(digits))
    shown.evaluate(
        "async images => { mounted.images = (await import('/driver.mjs')).decoded(images) }", record
    )
    to(shown, PARAMS)
    show(shown, case="clean", row=7)
    pixels = shown.evaluate(
        "(() => { const c = document.querySelector('#Story canvas');"
        " return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] })()"
    )
    assert pixels[::4] == digits.clean_images[7, :, :, 0].ravel().tolist()
    assert "clean image 7" in shown.locator("#Story canvas").get_attribute("aria-label")


def test_old_figures_fade_until_their_views_come(shown):
    to(shown, PARAMS)
    shown.evaluate("mounted.show({s: 3}, ['headline'])")
    assert shown.locator("#Examples").get_attribute("aria-busy") == "true"
    show(shown)
    assert shown.locator("#Examples").get_attribute("aria-busy") == "false"


def test_hostile_names_stay_text(page):
    bundle = make_bundle(n=60, m=30, k=5)
    meta = page_meta(bundle)
    meta |= {"classes": HOSTILE, "name": HOSTILE[0], "title": HOSTILE[1], "warnings": [HOSTILE[0]]}
    meta["models"] = {"std": HOSTILE[4], "rob": HOSTILE[1]}
    meta["sources"] = [{**meta["sources"][0], "text": f"{HOSTILE[0]}\u202e: 30 images, 30 points kept"}]
    meta["command"] = "rm -rf /"
    record = packed(bundle) | {"classes": HOSTILE, "name": HOSTILE[0], "warnings": [HOSTILE[0]]}
    page.evaluate("() => { window.alert = () => { window.attacked = true } }")
    page.evaluate(
        "async record => (await import('/components.js')).mount(record)",
        {"bundle": encoded(record), "meta": meta, "settings": settings(ExplorerState)},
    )
    to(page, PARAMS.with_(s=0.3, alpha=0.6))
    row = page.locator("#Examples tr.choice").first
    row.click()
    assert page.evaluate("document.querySelectorAll('img, script:not([src]), b > b').length") == 0
    assert page.evaluate("window.attacked ?? false") is False
    everything = page.evaluate("document.body.innerText")
    assert "\u202e" not in everything
    assert visible(HOSTILE[1]) in everything
    assert HOSTILE[0] in everything
    commands = page.evaluate("document.querySelector('#Provenance pre').textContent")
    assert "BUNDLE.safetensors" in commands
    assert "rm -rf" not in commands
    assert "onerror" not in commands


def test_without_an_attacked_part(page):
    bundle = clean_only(make_bundle(n=40, m=20))
    record = {
        "bundle": encoded(packed(bundle)),
        "meta": page_meta(bundle),
        "settings": settings(ExplorerState),
    }
    page.evaluate("async record => (await import('/components.js')).mount(record, { by_hand: true })", record)
    assert "there are no figures under attack" in text(page, "#Remarks")
    assert text(page, "#Headline tr[data-row=mix] td:nth-child(3)") == ""
    assert "has no attacked part" in text(page, "#Sources")
