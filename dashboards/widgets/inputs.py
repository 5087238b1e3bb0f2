"""One setting, one widget: a slider with its number box, or a choice, linked to the state."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w
from traitlets import HasTraits

from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.params import ParamSpec
from mnuts_dashboards.widgets.drag import Drag
from mnuts_dashboards.widgets.entries import read_number, sentence
from mnuts_dashboards.widgets.settings import Whole, settings_of

WIDE = {"width": "auto", "margin": "2px 0"}
LABEL = "128px"
DIGITS = 6
"""Significant digits of a number box; the state keeps them all."""
SLACK = 1e-6
"""Of a step: what binary fractions may be off."""


class NumberInput(w.HBox):
    """The slider and the number box of one number; range, step, scale and help come from what is declared.

    The slider moves in steps; the box shows the state's value and takes any valid one as it is typed. A value
    outside the slider's range (of a search, a preset, a visitor) widens the range as long as it is in force.
    The state keeps what was set, whatever place the page finds for it: only a visitor's move changes it, see
    `Drag`.

    Attributes:
        slider: The slider.
        box: The number box.
    """

    def __init__(self, state: HasTraits, name: str, spec: ParamSpec, refuse: Callable[[str], None]) -> None:
        self._state, self._name, self._spec, self._refuse = state, name, spec, refuse
        value = getattr(state, name)
        low, high = self._ends(value)
        self._moving = self._putting = False
        kind = w.FloatLogSlider if self._spec.scale == "log" else w.FloatSlider
        self.slider = kind(
            value=value,
            min=low,
            max=high,
            step=self._spec.step,
            description=self._spec.label,
            tooltip=self._spec.help,
            readout=False,
            continuous_update=False,  # see `Drag`
            style={"description_width": LABEL},
            layout={"flex": "1 1 auto", "width": "auto", "min_width": "0"},
        )
        if self._spec.scale == "log":
            self.slider.add_class("mnuts-log")  # see `browser.js`
        self.box = w.Text(
            value=self._text(value),
            continuous_update=False,
            placeholder=self._spec.symbol,
            tooltip=f"{self._spec.help} Allowed: {self._spec.interval}",
            layout={"width": "82px", "flex": "none"},
        )
        super().__init__([self.slider, self.box, Drag(self.slider)], layout=WIDE)
        self.add_class("mnuts-slider")
        self.slider.observe(self._moved, names="value")
        self.box.observe(self._typed, names="value")
        state.observe(self._show, names=name)

    def _place(self, value: float) -> float:
        """Where a value stands on the slider: its logarithm, if the slider is logarithmic."""
        return math.log10(value) if self._spec.scale == "log" else value

    def _text(self, value: float) -> str:
        """A few digits; all of them where a few would show an end of the interval that is not the value."""
        text = f"{value:.{DIGITS}g}"
        return (
            repr(value) if float(text) != value and float(text) in (self._spec.low, self._spec.high) else text
        )

    def _show(self, change: Mapping[str, Any]) -> None:
        self._put(change["new"])

    def _put(self, value: float) -> None:
        self.box.value = self._text(value)
        if self._moving or math.isclose(value, self.slider.value, rel_tol=1e-12, abs_tol=1e-15):
            return
        low, high = self._ends(value)
        self._putting = True
        try:
            with self.slider.hold_sync():
                self.slider.min, self.slider.max = min(self.slider.min, low), max(self.slider.max, high)
                self.slider.value = value
                self.slider.min, self.slider.max = low, high  # what an earlier value had widened
        finally:
            self._putting = False

    def _ends(self, value: float) -> tuple[float, float]:
        """The slider's ends, as places, so that the value lies between them.

        Whole steps: the page counts its own from the lower end, so that 1 is a place of the scale s, too.
        """
        place = self._place(value)
        low = min(self._place(self._spec.slider_low), place)
        high = max(self._place(self._spec.slider_high), place)
        return self._whole(math.floor, low), self._whole(math.ceil, high)

    def _whole(self, rounded: Callable[[float], int], end: float) -> float:
        """The end moved outwards to a whole step; left as it is where that is no valid value: p = 0."""
        steps, slack = end / self._spec.step, SLACK if rounded is math.floor else -SLACK
        if not math.isfinite(steps):
            return end
        place = round(rounded(steps + slack) * self._spec.step, 9)
        try:
            self._spec.check(10**place if self._spec.scale == "log" else place)
        except MnutsError:
            return end
        return place

    def _moved(self, change: Mapping[str, Any]) -> None:
        """Pass on where the visitor moved the slider."""
        if self._putting:
            return
        self._moving = True  # the page is ahead of us: it knows where its own slider stands
        try:
            self._state.set_trait(self._name, self._rounded(change["new"]))
        finally:
            self._moving = False

    def _rounded(self, value: float) -> float:
        """Without the noise of binary fractions: 0.93, not 0.9299999999999999; and 0, not −0."""
        place = round(self._place(value), 6)
        return float(f"{10**place:.6g}") if self._spec.scale == "log" else place + 0.0

    def _typed(self, change: Mapping[str, Any]) -> None:
        current = getattr(self._state, self._name)
        if change["new"] == self._text(current):
            return
        try:
            value = read_number(self._spec, change["new"])
        except ParameterError as error:
            self.box.value = self._text(current)  # before the banner: who reads that may type again
            self._refuse(sentence(str(error)))
            return
        self._state.set_trait(self._name, value)
        self.box.value = self._text(value)


class Choice(w.Dropdown):
    """A choice linked to a trait of the state."""

    options: Any

    def __init__(self, state: HasTraits, name: str, label: str, options: Sequence[Any], tooltip: str) -> None:
        self._state, self._name = state, name
        super().__init__(
            options=options,
            value=getattr(state, name),
            description=label,
            tooltip=tooltip,
            style={"description_width": LABEL},
            layout=WIDE,
        )
        self.observe(self._chosen, names="value")
        state.observe(self._show, names=name)

    def _chosen(self, change: Mapping[str, Any]) -> None:
        self._state.set_trait(self._name, change["new"])

    def _show(self, change: Mapping[str, Any]) -> None:
        values = [option[1] if isinstance(option, tuple) else option for option in self.options]
        if change["new"] in values:
            self.value = change["new"]


Input = NumberInput | Choice


def input_of(state: HasTraits, name: str, refuse: Callable[[str], None]) -> Input:
    """The control of a setting, made from what is declared of it.

    Args:
        state: The state that it is linked to.
        name: The setting's name in `settings_of` the state.
        refuse: Called with what is wrong with what was entered, in one sentence.

    Raises:
        ParameterError: If the setting is set by something else.
    """
    setting = settings_of(state)[name]
    match setting.values:
        case ParamSpec() as spec:
            return NumberInput(state, name, spec, refuse)
        case tuple(choices) if not isinstance(choices, Whole):
            return Choice(state, name, setting.label, choices, setting.help)
    raise ParameterError(f"{name} has no values to choose from")
