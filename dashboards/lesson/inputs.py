"""The lesson's inputs, for predictions and for controls: what they ask for and which answers they allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mnuts_core.params import PARAMS
from mnuts_dashboards.lesson.numbers import minus
from mnuts_dashboards.lesson.state import Answer


@dataclass(frozen=True)
class Input:
    """One labelled input, a slider or radio buttons; the same for controls and for predictions.

    Attributes:
        label: What it asks for; plain text.
        options: `(value, text)` of each radio button; none means a slider.
        low, high, step: Of a slider.
        digits: Decimals shown.
        unit: Shown after the number.
        log: Whether the slider moves in powers of ten.
        trait: The state's trait that a control moves; empty for a prediction.
    """

    label: str
    options: tuple[tuple[str, str], ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    digits: int = 2
    unit: str = ""
    log: bool = False
    trait: str = ""

    @property
    def kind(self) -> Literal["range", "choice"]:
        """How the page draws it."""
        return "choice" if self.options else "range"

    def text(self, value: Answer) -> str:
        """An answer as plain text."""
        if self.options:
            return dict(self.options).get(str(value), str(value))
        return minus(f"{float(value or 0.0):.{self.digits}f}{self.unit}")

    def allows(self, value: Any) -> bool:
        """Whether a value can be an answer to it."""
        if self.options:
            return isinstance(value, str) and value in dict(self.options)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high


def percentage(label: str) -> Input:
    """A prediction in whole per cent.

    Args:
        label: What it asks for; plain text.
    """
    return Input(label, high=100, step=1, digits=0, unit=" %")


def slider(name: str, **changes: Any) -> Input:
    """A slider of a parameter, over its own range.

    Args:
        name: The parameter, which is also the state's trait.
        **changes: Fields of `Input` that differ.
    """
    spec = PARAMS[name]
    settings = {
        "low": spec.slider_low,
        "high": spec.slider_high,
        "step": spec.step,
        "log": spec.scale == "log",
    }
    settings["digits"] = 3 if name == "beta" else 2
    return Input(spec.label, trait=name, **(settings | changes))
