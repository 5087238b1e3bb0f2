"""The lesson as one page: what it shows and hides, its plots, buttons, fields and links."""

import ast
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from mnuts_core import BundleError
from mnuts_dashboards.lesson.app import Lesson
from mnuts_dashboards.lesson.plan import PANELS, STEPS
from tests import ROOT

VOID = {"img", "br"}


def first_answer(step):
    question = step.question()
    return question.options[0][0] if question.options else question.low


def text_of(html):
    return unescape(re.sub(r"<[^>]*>", " ", html))


class Tags(HTMLParser):
    """Fails on a tag that closes another than the last one opened."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def balanced(text):
    tags = Tags()
    tags.feed(text)
    return tags.open == []


# --- texts
def test_every_step_hides_its_answer_until_there_is_one(lesson):
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        assert lesson.idea.value
        assert lesson.result.value == ""
        assert lesson.live.value == "" or step.key == "failures"
        hidden = len(json.dumps(lesson.make(frozenset()), default=str))
        lesson.answer(None)
        assert "<b>The data say:</b>" in lesson.result.value
        assert step.check(None).correct is None
        assert at in lesson.nav.done
        assert len(json.dumps(lesson.make(frozenset()), default=str)) >= hidden
        assert lesson.banner.value == ""


def test_all_texts_are_well_formed_and_no_number_is_missing(lesson):
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        assert "{" not in step.question().label
        lesson.answer(first_answer(step))
        for part in (lesson.idea, lesson.formula, lesson.result, lesson.live, lesson.cards, lesson.more):
            assert balanced(part.value), part.value
            text = text_of(part.value)
            assert not re.search(r"\b(nan|inf|None|Markup)\b", text), text
            assert "{" not in text


def test_an_answer_is_judged_in_words(lesson):
    lesson.answer(69)
    assert "<b>Correct.</b> You answered 69 %." in lesson.result.value
    lesson.answer(20)
    assert "<b>No:</b> you answered 20 %." in lesson.result.value


def test_the_recap_lists_every_answer_with_the_data_in_few_words(lesson):
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        lesson.answer(40 if at == 1 else 2.0 if at == len(STEPS) else first_answer(step))
        assert step.check(step.prediction).short
    text = text_of(lesson.cards.value)
    assert "Your predictions" in text
    assert all(f"{at}. {step.title()}" in text for at, step in enumerate(STEPS, 1))
    assert "40 %" in text
    assert "2.0 points" in text


# --- plots
def test_figures_are_plain_json_for_known_panels(lesson):
    names = {panel.name for panel in PANELS}
    seen = set()
    for at, step in enumerate(lesson.steps, 1):
        lesson.state.step = at
        for answered in (False, True):
            if answered:
                lesson.answer(None)
            made = lesson.make(frozenset())
            assert set(made) == set(step.panels) <= names
            assert set(step.notes()) <= set(step.panels)
            assert all("data" in figure and "layout" in figure for figure in made.values())
        seen |= set(step.panels)
        for panel in step.panels:
            assert f"mnuts-shows-{panel}" in lesson._dom_classes
    assert seen == names


def test_every_panel_has_words_and_its_rule_in_the_style_sheet():
    style = (ROOT / "dashboards" / "lesson" / "lesson.css").read_text("utf-8")
    for panel in PANELS:
        assert panel.title
        assert panel.note
        assert f'.mnuts-shows-{panel.name} [data-panel="{panel.name}"]' in style


# --- buttons and fields
def test_buttons_and_fields_move_the_state(lesson):
    lesson.asked.value = 40
    lesson.check.click()
    assert lesson.state.answers == {"failures": 40}
    assert lesson.asked.disabled
    lesson.check.click()  # "Try again"
    assert lesson.state.answers == {}
    lesson.show.click()
    assert lesson.state.answers == {"failures": None}
    lesson.nav.step = 3
    assert lesson.state.step == 3
    lesson.show.click()
    lesson.fields[0].value = "g"
    assert lesson.state.of == "g"
    lesson.nav.step = 8
    lesson.fields[0].value = 0.7
    assert lesson.state.alpha == 0.7


def test_a_choice_must_be_made_before_it_is_checked(lesson):
    lesson.state.step = 5
    assert lesson.check.disabled
    lesson.asked.value = "worse"
    assert not lesson.check.disabled
    lesson.check.click()
    assert lesson.state.answers["ln"] == "worse"


def test_after_just_show_me_one_can_try_again(lesson):
    lesson.state.step = 5  # a choice, so that there is no answer to start from
    assert lesson.check.disabled
    lesson.show.click()
    assert (lesson.check.description, lesson.check.disabled) == ("Try again", False)


@pytest.mark.parametrize("value", ["maybe", True, -1, 101, float("nan")])
def test_what_is_no_answer_is_refused(lesson, value):
    with pytest.raises(ValueError, match="no answer"):
        lesson.answer(value)
    lesson.asked.value = value
    assert lesson.state.answers == {}


def test_a_control_out_of_range_is_ignored(lesson):
    opened = lesson.state.pair
    lesson.fields[0].value = 10**9
    assert lesson.state.pair == opened


# --- opening
def test_a_link_opens_a_step_and_wrong_ones_do_no_harm(lesson):
    lesson.open_link("step=5")
    assert lesson.step.key == "ln"
    lesson.open_link("step=99")
    assert lesson.step.key == "price"
    lesson.open_link("step=0")
    assert lesson.step.key == "failures"
    lesson.open_link("bundle=../../etc/passwd&step=2")
    assert "bundle must be one of" in lesson.banner.value
    assert lesson.step.key == "margin"


def test_a_missing_bundle_is_an_error(tmp_path):
    with pytest.raises(BundleError, match="neither a file"):
        Lesson(tmp_path / "none.safetensors")


def test_the_notebook_is_thin_and_without_outputs():
    notebook = json.loads((ROOT / "dashboards" / "teaching.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 1
    assert code[0]["outputs"] == []
    assert notebook["metadata"]["title"] == "Why a robust model knows when it is wrong"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "dashboards/lesson/steps").glob("s*.py")), ids=lambda path: path.stem
)
def test_a_steps_words_stand_in_its_template_alone(path):
    tree = ast.parse(path.read_text())
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    texts = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    words = [
        node.value for node in texts if id(node) not in docstrings and re.search(r"[a-z] +[a-z]", node.value)
    ]
    assert [text for text in words if "\\" not in text] == []  # formulas are LaTeX
    assert "macro question(" in path.with_suffix(".html").read_text()
