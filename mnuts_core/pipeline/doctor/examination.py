"""The checks in their order, and the examination that runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mnuts_core.errors import MnutsError
from mnuts_core.io.untrusted import brief
from mnuts_core.pipeline.doctor import (
    accuracy,
    answers,
    behaviour,
    classes,
    data,
    forms,
    gradients,
    precision,
    resources,
    robustness,
)
from mnuts_core.pipeline.doctor.case import Case
from mnuts_core.pipeline.doctor.findings import Finding, error


class Check(NamedTuple):
    """One thing to look at.

    Attributes:
        title: What it is, for those who wait.
        run: The case → what was found.
        quick: Whether it takes a few passes at most, so that a build begins with it.
    """

    title: str
    run: Callable[[Case], Iterator[Finding]]
    quick: bool = True


CHECKS = (
    Check("images", data.images),
    Check("order of images", data.labels_sorted),
    Check("threat model", data.threat_model),
    Check("answers", answers.answers),
    Check("logits", answers.logits),
    Check("images left alone", answers.changes_images),
    Check("evaluation mode", behaviour.evaluation_mode),
    Check("one pass", behaviour.loops),
    Check("randomness", behaviour.randomness),
    Check("order of classes", classes.class_order),
    Check("form of the images", forms.inputs),
    Check("preprocessing", forms.preprocessing),
    Check("constant answers", answers.constant_answers),
    Check("labels", classes.labels_fit),
    Check("clean accuracy", accuracy.clean_accuracy),
    Check("two models", accuracy.same_model),
    Check("gradients", gradients.gradients),
    Check("ten steps of an attack", robustness.robustness, quick=False),
    Check("reduced precision", precision.reduced_precision, quick=False),
    Check("memory, time, disk", resources.resources),
)


def examine(
    case: Case, *, quick: bool = False, progress: Callable[[str, float], None] | None = None
) -> Iterator[Finding]:
    """Look at everything, and say of each thing what was seen as soon as it was.

    Args:
        case: What to look at.
        quick: Leave out what attacks the models.
        progress: Called with what comes next, and the share that is done, in [0, 1].

    Yields:
        The findings; a check that a model's own failure cuts short is an error of that model.
    """
    checks = [check for check in CHECKS if check.quick or not quick]
    with case.ready():
        for number, check in enumerate(checks):
            if progress is not None:
                progress(check.title, number / len(checks))
            found = []
            try:
                for finding in check.run(case):
                    found.append(finding)
                    yield finding
            except MnutsError as problem:
                yield error("answers", f"{check.title}: {problem}")
            except Exception as problem:  # a model's own code, its backward pass too, may raise anything
                yield error("answers", f"{check.title}: {brief(problem)}")
            if any(each.code == "images-outside-0-1" for each in found):
                return  # whatever a model says of such images means nothing
