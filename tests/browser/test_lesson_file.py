"""The lesson as one file in Chromium, on a phone: a walk to its end by keyboard, and no network asked."""

from __future__ import annotations

import pytest

from mnuts_core.cli.app import run
from tests.browser.conftest import pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DRAWN = """
(key) => document.querySelector(`[data-panel=${key}] .main-svg`)?.clientWidth > 0
    && !document.querySelector(`[data-panel=${key}]`).hidden
"""
COVERED = """
() => {
  const foot = document.querySelector(".foot").getBoundingClientRect();
  return foot.bottom > innerHeight || document.activeElement.getBoundingClientRect().bottom > foot.top;
}
"""
"""Whether the way on is out of the screen, or the foot in which it stands covers what has the focus."""
STEPS = ("failures", "margin", "benign", "line", "norm", "clamp", "power", "mix", "price")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("lesson") / "lesson.html"
    assert run(["page", "digits", "--app", "lesson", "--out", str(path)]) == 0
    return path


def test_a_walk_to_the_end(chromium, file):
    errors, asked = [], []
    with pages(chromium) as make:
        page = make(reduced_motion="reduce", bypass_csp=True)  # for `wait_for_function`
        page.set_viewport_size({"width": 390, "height": 844})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri(), wait_until="commit")
        for number, key in enumerate(STEPS, 1):
            page.wait_for_function(DRAWN, arg=key)
            assert page.evaluate("document.querySelector('[aria-current=step]').textContent") == str(number)
            if radio := page.locator(".question input[type=radio]").first.all():
                radio[0].press("Space")
            page.get_by_role("button", name="Check").press("Enter")
            page.locator(".verdict").wait_for()
            page.locator("[data-panel]:not([hidden])").get_by_role("button", name="Table", exact=True).focus()
            assert not page.evaluate(COVERED), key
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), key
            page.get_by_role("button", name="→").press("Enter")
            assert page.evaluate("document.activeElement.tagName") == "H2", "the focus goes along"
        page.locator(".learned").wait_for()
        assert page.locator(".predictions tbody tr").count() == len(STEPS)
        page.reload(wait_until="commit")
        page.locator(".learned").wait_for()
        assert page.locator(".predictions tbody tr").count() == len(STEPS)
        page.go_back()
        page.locator("[data-panel=price]").scroll_into_view_if_needed()  # plots are drawn where they are seen
        page.wait_for_function(DRAWN, arg="price")
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
