"""What the explorer's page asks of its kernel: verification, files, reports; and what it does without one."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mnuts_core import LogitBundle, MixConfig, MixParams
from tests import ROOT
from tests.browser.conftest import PAGE_PLOT, at, open_explorer, pages
from tests.browser.explorer import (
    expected,
    fill,
    link_to,
    query,
    set_slider,
    shown,
    wait_for_mix,
    wait_for_query,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHIPPED = MixConfig.load(ROOT / "data" / "digits-beta985.json")
SOON = """
const later = window.setTimeout;
window.setTimeout = (task, ms, ...rest) => later(task, ms === 10000 ? 1000 : ms, ...rest);
"""
"""A page that waits one second for its kernel's answer where it waits ten."""
VERIFIED = '[data-row=mix] td[data-label="Verified"]'
GONE = "The kernel does not answer"


@pytest.fixture(scope="module")
def visits(chromium):
    """Makes pages for this module."""
    with pages(chromium) as make:
        yield make


@pytest.fixture(scope="module")
def page(visits, explorer_server):
    """A page that stays open for the tests of this module, one after the other."""
    page = visits()
    page.add_init_script(SOON)
    open_explorer(page, f"{explorer_server.url}?theme=dark")
    return page


@pytest.fixture(scope="module")
def other_page(visits, explorer_server, start):
    """Another visitor's."""
    page = visits()
    page.add_init_script(SOON)
    open_explorer(page, f"{explorer_server.url}?{link_to('digits', start)}")
    return page


def save(page, name: str, path: Path) -> Path:
    """Press a button, and keep the file that it saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    download.value.save_as(path)
    return path


def test_it_opens_on_the_mix_that_ships(page, engine):
    wait_for_mix(page, expected(engine, SHIPPED.params))
    verified = f"{100 * SHIPPED.verified.accuracy.value:.2f} %"
    expect(page.locator(VERIFIED)).to_contain_text(verified)
    wait_for_query(page, bundle="digits", s=None, p=None, c=None, theme="dark")


def test_two_visitors_are_independent(page, other_page, engine, start):
    set_slider(other_page, "bias c", "-0.25")
    wait_for_mix(other_page, expected(engine, start.with_(c=-0.25)))
    assert shown(page, "mix") == expected(engine, SHIPPED.params)


def test_the_report_is_of_what_is_shown_however_late_the_state_comes(page, new_page, engine, tmp_path):
    at(page, "bundle=digits&s=5&p=4&c=-1.1")
    wait_for_mix(page, expected(engine, MixParams(s=5, p=4, c=-1.1)))
    set_slider(page, "bias c", "-0.6")
    path = save(page, "HTML report", tmp_path / "report.html")
    assert "--c -0.6" in path.read_text("utf-8")
    report = new_page()
    report.goto(path.as_uri())
    report.wait_for_function("[...document.querySelectorAll('section > div')].every(d => d._fullLayout)")
    assert shown(report, "mix") == expected(engine, MixParams(s=5, p=4, c=-0.6)) == shown(page, "mix")


def test_the_page_file_opens_on_the_same_figures(page, chromium, tmp_path):
    path = save(page, "Page file", tmp_path / "page.html")
    with pages(chromium) as make:
        file = make(offline=True)
        open_explorer(file, f"{path.as_uri()}?{page.url.partition('?')[2]}")
        assert shown(file, "mix") == shown(page, "mix")


def test_a_verification_is_cancelled_runs_joins_and_survives_a_reload(page, engine, tmp_path):
    at(page, "bundle=digits&s=5&p=4&c=-1.1")
    wait_for_mix(page, expected(engine, MixParams(s=5, p=4, c=-1.1)))
    status, verified = page.locator(".attack .found"), page.locator(VERIFIED)
    begin_attack(page, images=12, steps=2)
    expect(status).to_contain_text("Attacking 12 images at s = 5, p = 4")
    page.get_by_role("button", name="Cancel the attack").click()
    expect(status).to_have_text("Cancelled: nothing was verified.", timeout=30_000)
    page.get_by_role("button", name="Verify this mix").click()
    page.get_by_text("keep exploring").wait_for()
    set_slider(page, "bias c", "-0.4")  # the page goes on meanwhile
    wait_for_query(page, c="-0.4")
    expect(status).to_contain_text("mnuts evaluate CONFIG.json", timeout=90_000)
    expect(verified).to_have_text("not yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("table.headline thead th").last).to_contain_text(re.compile(r"n\s=\s12$"))
    expect(verified).to_contain_text("%")
    is_verified = "t.name === 'this mix, verified' && t.meta === 'this mix, verified, n = 12'"
    page.wait_for_function(f"{PAGE_PLOT.format('plane')}.data.some(t => {is_verified})")
    config = MixConfig.load(save(page, "Download JSON", tmp_path / "config.json"))
    assert config.verified.accuracy.n == 12
    row, address = page.locator("[data-row=mix] td").all_inner_texts(), page.url
    page.reload()
    page.locator("[data-row=mix] td b", has_text="%").first.wait_for()
    expect(verified).to_contain_text(row[-1].split()[0])
    assert page.locator("[data-row=mix] td").all_inner_texts() == row
    assert page.url == address
    bundle = LogitBundle.load(save(page, "Save bundle", tmp_path / "more.safetensors"))
    assert bundle.n_points >= engine.bundle.n_points
    assert [source.verified for source in bundle.manifest.sources][-1]


def test_files_are_imported_or_refused(page, engine, tmp_path, digits_path):
    chooser, message = page.locator("input[type=file]"), page.locator(".banner li > span")
    config = MixConfig.from_remix(engine, MixParams(s=3, p=2, c=-1, beta=0.95))
    chooser.set_input_files(config.save(tmp_path / "mine.json"))
    wait_for_query(page, s="3", p="2", c="-1", beta="0.95")
    (tmp_path / "broken.safetensors").write_bytes(digits_path.read_bytes()[:-8])
    chooser.set_input_files(tmp_path / "broken.safetensors")
    expect(message).to_contain_text("broken.safetensors")
    assert str(tmp_path) not in message.inner_text()
    chooser.set_input_files(digits_path)
    wait_for_query(page, bundle="digits (2)")
    wait_for_mix(page, expected(engine, MixParams(s=3, p=2, c=-1, beta=0.95)))


def test_a_page_that_might_leave_but_stays_goes_on_and_leaving_ends_its_kernel(other_page, engine, start):
    page = other_page
    page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))")
    set_slider(page, "bias c", "-0.3")
    wait_for_mix(page, expected(engine, start.with_(c=-0.3)))
    answers, own = [], kernel_of(page)
    assert processes(own)
    page.context.on("response", lambda response: answers.append(response))
    page.goto("about:blank")
    deadline = time.monotonic() + 20
    while processes(own) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not processes(own)
    assert [r.status for r in answers if "shutdown" in r.url and r.status >= 400] == []


def test_a_kernel_that_does_not_answer_or_dies_is_reported_and_the_page_goes_on(page, engine):
    notice, mix = page.get_by_text(GONE), MixParams(s=5, p=4, c=-1.1)
    at(page, "bundle=digits (2)&s=5&p=4&c=-1.1")
    wait_for_mix(page, expected(engine, mix))
    own = processes(kernel_of(page))
    assert own
    try:
        for process in own:
            os.kill(process, signal.SIGSTOP)
        click_until(page, notice)
    finally:
        for process in own:
            os.kill(process, signal.SIGCONT)
    notice.wait_for(state="hidden")
    begin_attack(page, images=300, steps=100)
    for process in own:
        os.kill(process, signal.SIGKILL)
    notice.wait_for()  # without a click: the server ends the connection
    expect(page.locator(".banner")).to_contain_text("Verification: the kernel has ended")
    expect(page.get_by_role("button", name="Verify this mix")).to_be_enabled()
    set_slider(page, "bias c", "-0.25")
    wait_for_mix(page, expected(engine, mix.with_(c=-0.25)))
    assert query(page)["c"] == "-0.25"


def begin_attack(page, **settings: int) -> None:
    for label, number in settings.items():
        fill(page.get_by_label(label.capitalize(), exact=True), str(number))
    page.get_by_role("button", name="Verify this mix").click()


def click_until(page, notice) -> None:
    """Click now and then until a notice is seen: a page asks its kernel at a click, but not at every one."""
    for _ in range(90):
        page.mouse.click(5, 5)
        if notice.is_visible():
            return
        page.wait_for_timeout(1_000)
    notice.wait_for(timeout=1)


def kernel_of(page) -> str:
    """The id of a page's kernel."""
    return page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")


def processes(kernel: str) -> list[int]:
    """The processes of a kernel."""
    return [
        int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if kernel in readable(path)
    ]


def readable(path: Path) -> str:
    try:
        return path.read_text(errors="ignore")
    except OSError:
        return ""
