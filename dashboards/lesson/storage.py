"""What a reload must not lose: answers and controls. The browser keeps them for its tab, by bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.state import LessonState
from mnuts_dashboards.lesson.step import Step

CONTROLS = ("pair", "example", "of", "cut", "scale", "c", "p", "s", "alpha", "beta")
"""The traits that controls move."""
KEPT = ("answers", *CONTROLS)
"""Not the bundle and the step: they stand in the address."""


def kept(state: LessonState) -> dict[str, Any]:
    """What the browser shall keep, as JSON."""
    return {name: getattr(state, name) for name in KEPT}


def recall(steps: Sequence[Step], state: LessonState, found: Mapping[str, Any]) -> None:
    """Take back what the browser kept; what no question and no control allows is passed over.

    Args:
        steps: The lesson's steps on the bundle for which it was kept.
        state: Set as one change; answers that it has already stay.
        found: What `kept` gave before the reload.
    """
    present = [step for step in steps if not step.missing()]
    questions = {step.key: step.question() for step in present}
    answers = found.get("answers")
    with state.hold_trait_notifications():
        if isinstance(answers, Mapping):
            sound = {slot: value for slot, value in answers.items() if _answers(questions, slot, value)}
            state.answers = sound | state.answers
        for control in (control for step in present for control in step.controls()):
            if control.allows(value := found.get(control.trait)):
                move(state, control, value)


def move(state: LessonState, control: Input, value: Any) -> None:
    """Set a control's trait. JavaScript knows one kind of number, the state has two."""
    kind = type(getattr(state, control.trait))
    state.set_trait(control.trait, kind(value))


def _answers(questions: Mapping[str, Input], slot: object, value: object) -> bool:
    question = questions.get(str(slot).partition(":")[0])
    return question is not None and (value is None or question.allows(value))
