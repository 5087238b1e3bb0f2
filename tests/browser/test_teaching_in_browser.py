"""The lesson as a class meets it: all steps through our server in Chromium, with keys, links and a tablet."""

import re

import numpy as np
import pytest

from mnuts_core import LogitBundle, RemixEngine
from mnuts_dashboards.lesson.plan import STEPS
from tests.browser.conftest import DASHBOARDS, PLOT

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NOTEBOOK = DASHBOARDS / "teaching.ipynb"
TITLES = [step.title() for step in STEPS]
INK = "getComputedStyle(document.querySelector('.mnuts-lesson-body p')).color"
STACKED = """fractions => fractions.map(({children: [top, bottom]}) =>
    top.getBoundingClientRect().bottom <= bottom.getBoundingClientRect().top + 1)"""
COLOURS = "lines => lines.map(e => getComputedStyle(e).color)"
GIVEN = {"failures": "69", "benign": "0.17", "attack": "85", "mixing": "30", "price": "2.2"}


@pytest.fixture(scope="module")
def engine(digits_path):
    return RemixEngine(LogitBundle.load(digits_path))


@pytest.fixture
def opened(served, new_page):
    """A function that opens the lesson; afterwards the console must hold no error."""
    errors = []

    def make(query="", **options):
        page = new_page(**options)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(served.url + query, wait_until="commit")
        page.locator("h2", has_text=re.compile(".")).first.wait_for()
        page.wait_for_function("window.__mnutsBoard?.frames > 0")
        return page

    yield make
    assert errors == []


def at_step(page, number: int) -> None:
    page.get_by_text(f"Step {number} of {len(STEPS)}", exact=True).wait_for()


def painted(page, panel: str) -> None:
    page.wait_for_function(f"{PLOT.format(panel)}?._fullLayout && {PLOT.format(panel)}.clientHeight > 200")


def predict(page, value: str | None = None) -> None:
    """Answer with a number, or with the first choice."""
    question = page.locator(".mnuts-question")
    if value is None:
        question.get_by_role("radio").first.check()
    else:
        question.get_by_role("slider").fill(value)
    question.get_by_role("button", name="Check").click()
    page.locator(".mnuts-answer").wait_for()


def test_the_journey_through_all_steps(opened, engine):
    page = opened()
    for number, step in enumerate(STEPS, 1):
        at_step(page, number)
        page.get_by_role("heading", name=step.title(), level=2).wait_for()
        assert page.locator(".mnuts-answer").count() == 0
        for panel in step.panels:
            painted(page, panel)
        shown = page.evaluate(
            "[...document.querySelectorAll('.mnuts-panel')].filter(p => p.offsetParent)"
            ".map(p => p.dataset.panel)"
        )
        assert shown == list(step.panels)
        predict(page, GIVEN.get(step.key, "1.2" if step.key == "clamp" else None))
        assert page.locator(".mnuts-verdict").count() >= 1
        assert page.locator("details summary").count() == 1
        if number < len(STEPS):
            page.get_by_role("button", name="Next").click()
    assert page.get_by_role("button", name="Next").is_disabled()
    page.get_by_text("Your predictions").wait_for()
    assert page.locator(".mnuts-recap + .mnuts-wide tbody tr").count() == len(STEPS)
    first = page.locator(".mnuts-recap + .mnuts-wide tbody tr").first.inner_text()
    assert f"{100 * engine.base.rob_attacked.value:.1f}" in first
    assert "correct" in first
    assert page.locator("[data-done]").count() == len(STEPS)
    assert page.get_by_text("Traceback").count() == 0
    assert page.locator(".mnuts-banner").count() == 0


def test_the_answer_is_checked_against_the_data_and_can_be_taken_back(opened, engine):
    page = opened("?step=3")
    at_step(page, 3)
    assert page.evaluate(f"{PLOT.format('margins')}.data.length") == 1
    predict(page, "0.9")
    margins = engine.raw_margins()[: engine.n_clean][~engine.rob_right[: engine.n_clean]]
    answer = page.locator(".mnuts-answer").inner_text()
    assert "No: you answered 0.90." in answer
    assert f"{np.median(margins):.3f}" in answer
    page.wait_for_function(f"{PLOT.format('margins')}.data.length === 2")
    page.get_by_role("button", name="Try again").click()
    page.locator(".mnuts-answer").wait_for(state="detached")
    page.wait_for_function(f"{PLOT.format('margins')}.data.length === 1")
    assert page.evaluate("document.activeElement.innerText") == "Check"  # the focus stayed
    page.get_by_role("button", name="Just show me").click()
    page.get_by_text("The data say:").wait_for()


def test_a_control_moves_plot_formula_and_text(opened, engine):
    page = opened("?step=8")
    at_step(page, 8)
    predict(page, "30")
    slider = page.locator(".mnuts-controls-row").get_by_role("slider", name="weight α")
    slider.fill("0.8")
    page.wait_for_function("document.querySelector('.mnuts-live').innerText.includes('α = 0.800')")
    page.wait_for_function(f"{PLOT.format('flips')}.data.some(t => t.text?.[1]?.includes('α = 0.800'))")
    assert "0.250" in page.locator(".mnuts-formula").inner_text()
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.mnuts-live').innerText.includes('α = 0.799')")
    assert slider.get_attribute("aria-valuetext") == "0.799"


def test_it_works_by_keyboard_and_every_input_has_a_name(opened):
    page = opened("?step=2")
    at_step(page, 2)
    page.get_by_role("button", name="Step 2").focus()
    for _ in range(40):  # on through steps, Next and the question
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('.mnuts-check').disabled")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".mnuts-answer").wait_for()
    assert page.get_by_role("group", name=re.compile("Is it right?")).count() == 1
    page.get_by_role("button", name="Next").press("Enter")
    at_step(page, 3)
    page.wait_for_function("document.activeElement.tagName === 'H2'")
    assert page.get_by_role("slider", name=re.compile("median margin")).count() == 1
    assert page.locator("[aria-current=step]").inner_text() == "3"
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, input')].filter(e => e.offsetParent &&"
        " !(e.innerText || e.ariaLabel || e.title || e.labels?.length)).length"
    )
    assert nameless == 0
    page.get_by_role("button", name="Step 5").click()
    at_step(page, 5)
    predict(page)
    page.get_by_role("radio", name="after layer norm").check()  # another group than the prediction's
    assert page.locator(".mnuts-question input:checked").count() == 1


def test_the_address_keeps_the_step_and_the_browser_goes_back(opened):
    page = opened("?step=4&theme=dark")
    at_step(page, 4)
    assert page.locator("body.theme-dark").count() == 1
    page.get_by_role("button", name="Next").click()
    at_step(page, 5)
    assert "step=5" in page.url
    assert "theme=dark" in page.url
    page.go_back()
    at_step(page, 4)
    assert "step=4" in page.url
    page.reload(wait_until="commit")
    at_step(page, 4)


def test_a_reload_keeps_predictions_and_controls_and_another_bundle_has_its_own(opened):
    page = opened("?step=8")
    at_step(page, 8)
    predict(page, "30")
    answer = page.locator(".mnuts-answer").inner_text()
    slider = page.locator(".mnuts-controls-row").get_by_role("slider", name="weight α")
    slider.fill("0.8")
    page.wait_for_function("document.querySelector('.mnuts-live').innerText.includes('α = 0.800')")
    page.wait_for_function("Object.values(sessionStorage).some((kept) => JSON.parse(kept)?.alpha === 0.8)")
    page.reload(wait_until="commit")
    page.wait_for_function("document.querySelector('.mnuts-live')?.innerText.includes('α = 0.800')")
    assert page.locator(".mnuts-answer").inner_text() == answer
    assert slider.get_attribute("aria-valuetext") == "0.800"
    assert page.get_by_role("button", name=re.compile("^Step 8: .*, answered$")).count() == 1
    page.goto(f"{page.url}&bundle=cifar10", wait_until="commit")
    page.get_by_text("bundle cifar10").wait_for()
    at_step(page, 8)
    assert page.locator("[data-done]").count() == 0


def test_an_unknown_bundle_in_the_address_is_named_in_the_banner(opened):
    page = opened("?bundle=nothing&step=2")
    at_step(page, 2)
    assert "bundle must be one of" in page.locator(".mnuts-banner").inner_text()


def test_formulas_are_set_as_mathematics_and_fit_on_a_telephone(opened):
    page = opened("?step=2")
    page.set_viewport_size({"width": 390, "height": 844})
    inks = set()
    formula = page.locator(".mnuts-formula")
    for number in (2, 5, 6, 7, 8, 9):
        page.get_by_role("button", name=f"Step {number}").click()
        at_step(page, number)
        formula.scroll_into_view_if_needed()
        stacked = formula.locator("mfrac").evaluate_all(STACKED)
        assert stacked == [True] * {5: 2, 8: 2, 9: 2}.get(number, 0)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.locator(f"body.theme-{theme}").wait_for()
            ink = page.evaluate(INK)
            assert set(formula.locator("math").evaluate_all(COLOURS)) == {ink}, (theme, number)
            inks.add(ink)
            assert formula.evaluate("e => e.scrollWidth <= e.clientWidth"), (theme, number)
    assert len(inks) == 2


def test_nothing_overflows_at_any_width(opened):
    page = opened("?step=7")
    for number in (7, 8, 9):
        panel = STEPS[number - 1].panels[-1]
        page.get_by_role("button", name=f"Step {number}").click()
        at_step(page, number)
        page.get_by_role("button", name="Just show me").click()
        page.locator(".mnuts-answer").wait_for()
        for width, height, least in ((768, 1024, 16), (1280, 800, 16.5), (1920, 1080, 20)):
            page.set_viewport_size({"width": width, "height": height})
            painted(page, panel)
            page.wait_for_function(f"{PLOT.format(panel)}._fullLayout.width <= {width}")  # it has followed
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (number, width)
            widths = page.evaluate(
                "[...document.querySelectorAll('.mnuts-lesson-body, .mnuts-question, .mnuts-panel')]"
                ".filter(e => e.offsetParent).map(e => e.getBoundingClientRect().right)"
            )
            assert max(widths) <= width, number
            size = page.evaluate(
                "parseFloat(getComputedStyle(document.querySelector('.mnuts-question label')).fontSize)"
            )
            assert size >= least, (number, width)


def test_it_runs_in_jupyterlab(lab, chromium_page):
    page = chromium_page
    page.goto(f"{lab}/lab/tree/teaching.ipynb?reset", wait_until="commit")
    page.get_by_text("| Idle").wait_for()  # before that, Shift+Enter may be lost
    page.locator(".jp-CodeCell .jp-InputArea-editor").first.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_role("heading", name=TITLES[0], level=2).wait_for()
    painted(page, "accuracy")
    address_before = page.url
    page.locator(".mnuts-lesson").get_by_role("button", name="Next").click()
    at_step(page, 2)
    assert page.url == address_before  # JupyterLab's address is not ours
    page.goto("about:blank")
