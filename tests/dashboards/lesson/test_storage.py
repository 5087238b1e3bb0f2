"""A reload: what the browser kept comes back, and what makes no sense does not."""

import json

import pytest

from mnuts_dashboards.lesson.app import Lesson


def visit(lesson, step):
    lesson.state.step = step
    return lesson.step


def test_a_reload_loses_neither_answers_nor_controls(mmaa_digits, digits_file):
    before, after = Lesson(digits_file), Lesson(digits_file)
    visit(before, 2)
    before.state.example = 3
    before.answer("right")
    visit(before, 5)
    before.answer(None)
    before.state.set_trait("scale", "LN")  # a control that comes with the answer
    visit(before, 8)
    before.answer(30)
    before.state.alpha = 0.83
    kept = json.loads(json.dumps(before.nav.kept))  # through the page
    after.open_link("step=8")
    after.nav._receive(after.nav, {"type": "recall", "kept": kept}, [])
    assert after.state.answers == before.state.answers
    assert (after.state.example, after.state.scale, after.state.alpha) == (3, "LN", 0.83)
    assert after.state.step == 8
    assert after.nav.done == before.nav.done == [2, 5, 8]
    assert after.result.value == before.result.value != ""
    assert after.nav.bundle == mmaa_digits.digest


@pytest.mark.parametrize(
    "found",
    [
        {"answers": {"nothing": 3, "benign": "much", "attack": 1e9, "margin:1": ["right"], "price": True}},
        {"answers": ["benign"], "alpha": None, "c": "1", "pair": 0, "of": "x", "cut": 7, "step": 3},
        {"example": 10**6, "bundle": "other"},
    ],
)
def test_what_makes_no_sense_is_not_taken_back(lesson, found):
    before = lesson.state.trait_values()
    lesson.nav._receive(lesson.nav, {"type": "recall", "kept": found}, [])
    assert lesson.state.trait_values() == before
    assert lesson.banner.value == ""
