"""The lesson's state: answers given and taken back, and what a link asks for."""

import pytest

from mnuts_dashboards.lesson.state import LessonState, link_of


def test_answers_are_remembered_and_forgotten():
    state = LessonState()
    state.answer("a", 1.0)
    state.answer("b", None)
    assert state.answers == {"a": 1.0, "b": None}
    state.forget("a")
    assert state.answers == {"b": None}


@pytest.mark.parametrize(
    ("query", "found"),
    [("step=4&theme=dark", {"step": 4}), ("step=x&bundle=", {}), ("step=99999999999999", {})],
)
def test_a_link_asks_for_what_makes_sense(query, found):
    assert link_of(query) == found
