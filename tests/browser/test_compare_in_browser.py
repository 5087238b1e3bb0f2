"""The comparison as its visitor meets it: through our server in Chromium."""

import re
from pathlib import Path

import pandas as pd
import pytest

from mnuts_core import GridSpec, LogitBundle, RemixEngine, grid_search
from mnuts_core.views.comparison import margin_medians
from mnuts_core.views.transfer_matrix import transfer_matrix
from tests.browser.conftest import DASHBOARDS, PLOT
from tests.synthetic import clean_only, make_bundle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = DASHBOARDS / "compare.ipynb"
START = "bundles=digits,made-up&beta=0.95"
FACTS, BEST, PAIRS = (f"table[aria-label='{label}']" for label in (
    "Models and attacks", "Best parameters", "Transfer of best parameters"))  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """SYNTHETIC bundles beside the shipped digits, and a file that is broken."""
    made = tmp_path_factory.mktemp("bundles")
    make_bundle().save(made / "made-up.safetensors")
    make_bundle(n=400, m=250, k=20, seed=2).save(made / "made-up-20-classes.safetensors")
    clean_only(make_bundle(seed=3)).save(made / "made-up-clean-only.safetensors")
    uploads = made / "elsewhere"
    uploads.mkdir()
    make_bundle(seed=5, boost=3.5).save(uploads / "brought.safetensors")
    (uploads / "broken.safetensors").write_bytes((made / "made-up.safetensors").read_bytes()[:-8])
    return made


@pytest.fixture(scope="module")
def serve_options(folder):
    """No bundle by its path: the page finds those of `folder` by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNUTS_DATA", str(folder))
        yield {}


@pytest.fixture(scope="module")
def bundles(folder, digits_path):
    paths = {path.stem: path for path in folder.glob("*.safetensors")} | {"digits": digits_path}
    return {name: LogitBundle.load(path) for name, path in paths.items()}


@pytest.fixture
def console(chromium_page):
    """What the browser's console says is wrong."""
    errors: list[str] = []
    chromium_page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    yield errors
    assert errors == []


@pytest.fixture
def page(served, chromium_page, console):
    del console  # it listens
    chromium_page.goto(f"{served.url}?{START}", wait_until="commit")
    chromium_page.wait_for_function("window.__mnutsBoard?.frames > 0")
    wait_for_rows(chromium_page, PAIRS, 4)
    return chromium_page


def wait_for_rows(page, table: str, n: int) -> None:
    page.wait_for_function(f'document.querySelectorAll("{table} tbody tr[data-key]").length === {n}')


def expected(bundles, names, beta=0.95, alpha="target") -> list[str]:
    """Clean accuracies of every pair as the page writes them."""
    params = {n: grid_search(bundles[n], GridSpec.paper("cifar10"), beta).best.params for n in names}
    cells = transfer_matrix({n: RemixEngine(bundles[n], device="cpu") for n in names}, params, alpha)
    return [f"{100 * cell.clean.value:.2f}" for cell in cells]


def wait_for_clean(page, figures: list[str]) -> None:
    page.wait_for_function(
        "([cells, want]) => JSON.stringify([...document.querySelectorAll(cells)]"
        ".map(cell => cell.childNodes[0]?.textContent)) === JSON.stringify(want)",
        arg=[f"{PAIRS} tbody tr td:nth-child(5)", figures],
    )


def test_the_link_opens_the_view_and_every_plot_paints_and_is_taken_away(page, bundles, tmp_path):
    wait_for_clean(page, expected(bundles, ["digits", "made-up"]))
    for name in ("medians", "gaps", "transfers"):
        page.locator(f"[data-panel={name}]").scroll_into_view_if_needed()
        page.wait_for_function(f"{PLOT.format(name)}?._fullLayout && {PLOT.format(name)}.data.length > 0")
    wanted = margin_medians(RemixEngine(bundles["digits"], device="cpu"))["LN h"].clean_right
    trace = f"{PLOT.format('medians')}.data.find(t => t.meta.name === 'LN h, clean right')"
    shown = page.evaluate(f"{trace}.y[0]")
    assert shown == pytest.approx(wanted.value)
    assert page.get_by_text("Traceback").count() == 0
    click_on_a_bar_and_on_a_row(page)
    take_everything_away(page, bundles, tmp_path)


def test_nothing_is_clipped_on_small_and_large_screens_dark_and_light(served, chromium_page, console):
    page = chromium_page
    query = "bundles=digits,made-up,made-up-20-classes,made-up-clean-only&alpha=source"
    page.goto(f"{served.url}?{query}", wait_until="commit")
    wait_for_rows(page, PAIRS, 12)
    boxes = "[...document.querySelectorAll('.mnuts-table-box')]"
    for theme, width, height in (("light", 1280, 800), ("dark", 1920, 1080)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"document.body.classList.contains('theme-{theme}')")
        page.wait_for_function(f"{boxes}.every(e => e.scrollWidth <= e.clientWidth)")
        assert page.evaluate("document.querySelector('.mnuts-main').getBoundingClientRect().right") <= width
    page.get_by_text("Read with care").wait_for()


def test_beta_alpha_and_a_bundle_are_followed_and_kept(page, bundles):
    box = page.locator(".mnuts-slider", has_text="robustness kept, β").locator("input[type=text]")
    box.fill("0.9")
    box.press("Enter")
    wait_for_clean(page, expected(bundles, ["digits", "made-up"], 0.9))
    page.wait_for_function("location.search.includes('beta=0.9')")
    page.wait_for_timeout(900)  # a step of its own in the browser's history
    page.get_by_label("keep α").check()
    wait_for_clean(page, expected(bundles, ["digits", "made-up"], 0.9, "source"))
    page.get_by_label("made-up-20-classes").check()
    wait_for_clean(page, expected(bundles, ["digits", "made-up", "made-up-20-classes"], 0.9, "source"))
    page.wait_for_function("location.search.includes('made-up-20-classes')")
    address = page.url
    page.reload(wait_until="commit")
    wait_for_rows(page, PAIRS, 9)
    wait_for_clean(page, expected(bundles, ["digits", "made-up", "made-up-20-classes"], 0.9, "source"))
    assert page.url == address
    page.get_by_label("made-up-20-classes").uncheck()
    wait_for_rows(page, PAIRS, 4)
    page.wait_for_function("!location.search.includes('20-classes')")
    page.go_back()
    wait_for_rows(page, PAIRS, 9)


def test_files_are_taken_or_refused_in_one_line(page, folder):
    choose = page.locator("input[type=file]")
    choose.set_input_files(folder / "elsewhere" / "broken.safetensors")
    alert = page.get_by_role("alert")
    alert.get_by_text("broken is left out").wait_for()
    assert alert.count() == 1
    wait_for_rows(page, PAIRS, 4)
    choose.set_input_files(folder / "elsewhere" / "brought.safetensors")
    wait_for_rows(page, PAIRS, 9)
    alert.wait_for(state="detached")
    assert page.get_by_label("brought").is_checked()
    assert page.get_by_text("Traceback").count() == 0


def take_everything_away(page, bundles, tmp_path):
    def saved(button) -> Path:
        with page.expect_download() as download:
            button.click()
        target = tmp_path / download.value.suggested_filename
        download.value.save_as(target)
        return target

    for number in range(3):
        table = saved(page.locator(".mnuts-box").nth(number).get_by_role("button", name="CSV"))
        frame = pd.read_csv(table)
        assert len(frame) == (4 if table.name == "transfer.csv" else 2)
    assert [f"{100 * share:.2f}" for share in frame.clean] == expected(bundles, ["digits", "made-up"])
    for name in ("medians", "gaps", "transfers"):
        panel = page.locator(f"[data-panel={name}]")
        panel.scroll_into_view_if_needed()
        page.wait_for_function(f"{PLOT.format(name)}?._fullLayout")
        image = saved(panel.get_by_role("button", name=re.compile("PNG")))
        assert image.read_bytes().startswith(b"\x89PNG")
        assert image.stat().st_size > 5000
    assert len(pd.read_csv(saved(page.get_by_role("button", name="Median margins, CSV")))) == 32


def click_on_a_bar_and_on_a_row(page):
    page.locator("[data-panel=medians]").scroll_into_view_if_needed()
    drag = page.locator("[data-panel=medians] .nsewdrag").first.bounding_box()
    page.mouse.click(drag["x"] + 0.7 * drag["width"], drag["y"] + drag["height"] - 6)
    page.locator(f"{FACTS} tr[aria-selected=true]").wait_for()
    assert "made-up" in page.locator(f"{FACTS} tr[aria-selected=true]").inner_text()
    row = page.locator(f"{PAIRS} tbody tr").nth(1)
    row.click()
    page.wait_for_function(f"{PLOT.format('transfers')}.layout.shapes.length === 3")
