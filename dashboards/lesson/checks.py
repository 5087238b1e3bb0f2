"""A prediction held against the data: what they say, how near it came, and which claims they confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from mnuts_core.errors import BundleError
from mnuts_core.functional.statistics import Estimate, Verdict
from mnuts_dashboards.lesson.state import Answer

POINTS = 0.05
"""A guess this near to a share or a margin counts as correct."""


class Claim(NamedTuple):
    """A claim that the data may confirm, contradict, or leave open.

    Attributes:
        verdict: What the data say.
        text: The claim, and the figures behind the verdict.
    """

    verdict: Verdict
    text: Markup


@dataclass(frozen=True)
class Check:
    """A prediction held against the data.

    Attributes:
        number: The honest number.
        truth: What the data say.
        correct: Whether the prediction was right or near enough; None without one, or if data leave it open.
        claims: What follows, each with its verdict.
        note: What has to be added in fairness.
        short: The truth in a few words, for the recap.
    """

    number: Estimate
    truth: Markup
    correct: bool | None
    claims: tuple[Claim, ...]
    short: Markup
    note: str = ""


def is_near(number: Estimate, prediction: Answer, tolerance: float, unit: float = 1.0) -> bool | None:
    """Whether a predicted number is in the interval or within `tolerance`; None if nothing was predicted.

    Args:
        number: The truth.
        prediction: In units of `unit`.
        tolerance: In the truth's own units.
        unit: What one of the prediction's units is worth.
    """
    return None if prediction is None else number.holds(float(prediction) * unit, tolerance)


def is_larger(one: Estimate, other: Estimate) -> Verdict:
    """Whether one figure is larger than another: their intervals must not overlap.

    Args:
        one: The figure that should be larger.
        other: The figure that should be smaller.
    """
    return one.over(other)


def measured(estimate: Estimate | None) -> Estimate:
    """A figure of the attacked images, in a step that needs some.

    Args:
        estimate: The figure.

    Raises:
        BundleError: If there is none.
    """
    if estimate is None:
        raise BundleError("this figure needs attacked images, and the bundle has none")
    return estimate
