"""One setting, one widget: a slider with its number box, or a choice, linked to the state."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w
from traitlets import HasTraits

from mnuts_core.errors import MnutsError
from mnuts_core.params import PARAMS

WIDE = {"width": "auto", "margin": "2px 0"}
LABEL = "94px"
DIGITS = 6
"""Significant digits of a number box; the state keeps them all."""
SLACK = 1e-6
"""Of a step: what binary fractions may be off."""
ECHOES = 8
"""So many values set from here may be on their way back from the page."""


class Knob:
    """The slider and the number box of one parameter; range, step, scale and help come from `PARAMS`.

    The slider moves in steps; the box shows the state's value and takes any valid one as it is typed. A value
    outside the slider's range (of a search, a preset, a visitor) widens the range as long as it is in force.

    Attributes:
        slider: The slider.
        box: The number box.
        widget: Both in a row.
    """

    def __init__(self, state: HasTraits, name: str, refuse: Callable[[str], None]) -> None:
        self._state, self._name, self._spec, self._refuse = state, name, PARAMS[name], refuse
        value = getattr(state, name)
        self._echoes: deque[float] = deque(maxlen=ECHOES)
        low, high = self._ends(value)
        self._expect_echo(value, low)
        self._moving = False
        made = w.FloatLogSlider if self._spec.scale == "log" else w.FloatSlider
        self.slider = made(
            value=value,
            min=low,
            max=high,
            step=self._spec.step,
            description=self._spec.label,
            tooltip=self._spec.help,
            readout=False,
            style={"description_width": LABEL},
            layout={"flex": "1 1 auto", "width": "auto", "min_width": "0"},
        )
        if self._spec.scale == "log":
            self.slider.add_class("mnuts-log")  # see `page.js`
        self.box = w.Text(
            value=self._text(value),
            continuous_update=False,
            placeholder=self._spec.symbol,
            tooltip=f"{self._spec.help} Allowed: {self._spec.interval}",
            layout={"width": "82px", "flex": "none"},
        )
        self.widget = w.HBox([self.slider, self.box], layout=WIDE).add_class("mnuts-slider")
        self.slider.observe(self._moved, names="value")
        self.box.observe(self._typed, names="value")
        state.observe(self._show, names=name)

    def enable(self, enabled: bool) -> None:
        """Let the visitor move it, or not."""
        self.slider.disabled = self.box.disabled = not enabled

    def display(self, value: float) -> None:
        """Show a value that is not the state's: one that follows from others."""
        self._put(value)

    def _place(self, value: float) -> float:
        """Where a value stands on the slider: its logarithm, if the slider is logarithmic."""
        return math.log10(value) if self._spec.scale == "log" else value

    def _text(self, value: float) -> str:
        return f"{value:.{DIGITS}g}"

    def _show(self, change: Mapping[str, Any]) -> None:
        self._put(change["new"])

    def _put(self, value: float) -> None:
        self.box.value = self._text(value)
        if self._moving or math.isclose(value, self.slider.value, rel_tol=1e-12, abs_tol=1e-15):
            return
        low, high = self._ends(value)
        self._expect_echo(value, low)
        with self.slider.hold_sync():
            self.slider.min, self.slider.max = min(self.slider.min, low), max(self.slider.max, high)
            self.slider.value = value
            self.slider.min, self.slider.max = low, high  # what an earlier value had widened

    def _ends(self, value: float) -> tuple[float, float]:
        """The slider's ends, as places, so that the value lies between them.

        Whole steps: the page counts its own from the lower end, so that 1 is a place of the scale s, too.
        """
        place, step = self._place(value), self._spec.step
        low = min(self._place(self._spec.slider_low), place)
        high = max(self._place(self._spec.slider_high), place)
        below, above = math.floor(low / step + SLACK), math.ceil(high / step - SLACK)
        return self._whole(below, low), self._whole(above, high)

    def _whole(self, steps: int, end: float) -> float:
        """So many steps as a place; the end itself where that is no valid value: p = 0."""
        place = round(steps * self._spec.step, 9)
        try:
            self._spec.check(10**place if self._spec.scale == "log" else place)
        except MnutsError:
            return end
        return place

    def _moved(self, change: Mapping[str, Any]) -> None:
        """Pass on where the visitor moved the slider, but not the page's echo of a value set from here.

        The page rounds to the slider's step: p = 2.7143, the search's choice, would come back as 2.71, and on
        a slow connection only after the next value has been set.
        """
        value = change["new"]
        if self.slider.disabled or value == getattr(self._state, self._name) or self._is_echo(value):
            return
        self._echoes.clear()
        self._moving = True  # the page is ahead of us: it is not told where its own slider stands
        try:
            self._state.set_trait(self._name, self._rounded(value))
        finally:
            self._moving = False

    def _expect_echo(self, value: float, low: float) -> None:
        """The page sends a value back if it rounds it: to whole steps from the slider's lower end."""
        steps = (self._place(value) - low) / self._spec.step
        if abs(steps - round(steps)) > SLACK:
            self._echoes.append(value)

    def _is_echo(self, value: float) -> bool:
        """Whether a value is one that was set from here, rounded; those set before it have come back, too."""
        place = self._place(value)
        for i, sent in enumerate(self._echoes):
            if abs(place - self._place(sent)) <= 0.51 * self._spec.step:
                for _ in range(i + 1):
                    self._echoes.popleft()
                return True
        return False

    def _rounded(self, value: float) -> float:
        """Without the noise of binary fractions: 0.93, not 0.9299999999999999."""
        place = round(self._place(value), 6)
        return float(f"{10**place:.6g}") if self._spec.scale == "log" else place

    def _typed(self, change: Mapping[str, Any]) -> None:
        current = getattr(self._state, self._name)
        if self.box.disabled or change["new"] == self._text(current):
            return
        try:
            value = self._spec.check(float(change["new"]))
        except ValueError as error:  # ParameterError is one
            self._refuse(str(error) if isinstance(error, MnutsError) else self._not_a_number(change["new"]))
            self.box.value = self._text(current)
            return
        self._state.set_trait(self._name, value)
        self.box.value = self._text(value)

    def _not_a_number(self, text: str) -> str:
        hint = ": write 0.25, not 0,25" if "," in text else ""
        got = repr(text[:40]) if text.strip() else "nothing"
        return f"{self._name} must be a number in {self._spec.interval}, got {got}{hint}"


class Choice(w.Dropdown):
    """A choice linked to a trait of the state, whose options can be exchanged."""

    def __init__(self, state: HasTraits, name: str, label: str, options: Sequence[Any], tooltip: str) -> None:
        self._state, self._name, self._exchanging = state, name, False
        super().__init__(
            options=options,
            value=getattr(state, name),
            description=label,
            tooltip=tooltip,
            style={"description_width": LABEL},
            layout=WIDE,
        )
        self.observe(self._tell, names="value")
        state.observe(self._show, names=name)

    def offer(self, options: Sequence[Any]) -> None:
        """Offer other options; the state's value, which must be among them, stays chosen."""
        if list(self.options) != list(options):
            self._exchanging = True  # a dropdown first falls back to its first option
            self.options = list(options)
            self.value = getattr(self._state, self._name)
            self._exchanging = False

    def _tell(self, change: Mapping[str, Any]) -> None:
        if not self._exchanging:
            self._state.set_trait(self._name, change["new"])

    def _show(self, change: Mapping[str, Any]) -> None:
        values = [option[1] if isinstance(option, tuple) else option for option in self.options]
        if change["new"] in values:
            self.value = change["new"]


def button(label: str, tooltip: str, *, primary: bool = False) -> w.Button:
    """A button."""
    made = w.Button(description=label, tooltip=tooltip, layout={"width": "auto", "margin": "2px 0"})
    made.button_style = "primary" if primary else ""
    return made


def heading(text: str) -> w.HTML:
    """A small heading between groups of controls."""
    return w.HTML(f"<h3 class='mnuts-group'>{text}</h3>").add_class("mnuts-wide")
