"""The control column: one widget a setting, linked to the state; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w

from mnuts_core.params import CLAMPS, PARAMS

from .state import PRESETS, ExplorerState

WIDE = {"width": "auto", "margin": "2px 0"}
CASES = [("the paper's two cases", "paper"), ("a clean image", "clean"), ("an attacked image", "attacked")]
PRECISION = {"s": ".4g", "p": ".2f", "c": ".2f", "beta": ".3f", "alpha": ".5f", "temperature": ".2f"}


class Knob:
    """The slider of one parameter, its range, step, scale and help taken from `PARAMS`.

    A value from elsewhere (a search, a preset) that lies outside the slider's range widens the range.

    Attributes:
        widget: The slider.
    """

    def __init__(self, state: ExplorerState, name: str) -> None:
        self._state, self._name, self._spec = state, name, PARAMS[name]
        self._echo: float | None = getattr(state, name)
        low, high = self._place(self._spec.slider_low), self._place(self._spec.slider_high)
        made = w.FloatLogSlider if self._spec.scale == "log" else w.FloatSlider
        self.widget = made(
            value=self._echo,
            min=min(low, self._place(self._echo)),
            max=max(high, self._place(self._echo)),
            step=self._spec.step,
            description=self._spec.label,
            tooltip=self._spec.help,
            readout_format=PRECISION[name],
            style={"description_width": "96px"},
            layout=WIDE,
        )
        self.widget.add_class("mnuts-slider")
        self.widget.observe(self._tell, names="value")
        state.observe(self._show, names=name)

    def _place(self, value: float) -> float:
        """Where a value stands on the slider: its logarithm, if the slider is logarithmic."""
        return math.log10(value) if self._spec.scale == "log" else value

    def _show(self, change: Mapping[str, Any]) -> None:
        if math.isclose(change["new"], self.widget.value, rel_tol=1e-12, abs_tol=1e-15):
            return
        place = self._place(change["new"])
        self._echo = change["new"]
        self.widget.min, self.widget.max = min(self.widget.min, place), max(self.widget.max, place)
        self.widget.value = change["new"]

    def _tell(self, change: Mapping[str, Any]) -> None:
        """Pass on what the visitor chose, but not the page's echo of a value that was set from here.

        The page rounds to the slider's step: p = 2.7143, the search's choice, would come back as 2.71.
        """
        echo, self._echo = self._echo, None
        if change["new"] == getattr(self._state, self._name):
            self._echo = echo
        elif echo is None or abs(self._place(change["new"]) - self._place(echo)) > 0.51 * self._spec.step:
            self._state.set_trait(self._name, change["new"])


class Choice(w.Dropdown):
    """A choice linked to a trait of the state, whose options can be exchanged."""

    def __init__(
        self, state: ExplorerState, name: str, label: str, options: Sequence[Any], tooltip: str
    ) -> None:
        self._state, self._name, self._exchanging = state, name, False
        super().__init__(
            options=options,
            value=getattr(state, name),
            description=label,
            tooltip=tooltip,
            style={"description_width": "96px"},
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


class Controls(w.VBox):
    """The column.

    Attributes:
        find, widen, cancel, export: Buttons, for the app to act on.
        progress: Progress of the search.
        found: What the search found, as HTML.
    """

    def __init__(self, state: ExplorerState, bundles: Sequence[str], grids: Sequence[str]) -> None:
        self.state = state
        self.bundle = Choice(state, "bundle", "bundle", list(bundles), "The cached logits to explore")
        self.preset = w.Dropdown(
            options=["choose …", *PRESETS],
            description="start from",
            tooltip="Set s, p, c, clamp and layer norm as in the paper, or without a transform",
            style={"description_width": "96px"},
            layout=WIDE,
        )
        self.preset.observe(self._on_preset, names="value")
        self.sliders = {name: Knob(state, name).widget for name in PARAMS}
        self.clamp = Choice(state, "clamp", "clamp", list(CLAMPS), "Clamping function (Eq. 4, D.2)")
        self.ln_k = w.BoundedIntText(
            value=state.ln_k,
            min=0,
            max=100_000,
            description="LN top-k",
            tooltip="Layer norm over the k largest logits; 0 leaves it out",
            style={"description_width": "96px"},
            layout=WIDE,
        )
        w.link((state, "ln_k"), (self.ln_k, "value"))
        self.by_hand = w.ToggleButtons(
            options=[("α from β", False), ("α by hand", True)],
            value=state.by_hand,
            tooltips=["Algorithm 1: α = 1/(1+q)", "Set the mixing weight yourself"],
            style={"button_width": "auto"},
            layout=WIDE,
        )
        w.link((state, "by_hand"), (self.by_hand, "value"))
        self.grid = Choice(state, "grid", "grid", list(grids), "Where Find best searches: s, p, c of Table 3")
        self._make_search()
        self.case = Choice(state, "case", "shows", CASES, "Which logits the simplex shows")
        self.row = w.BoundedIntText(
            value=state.row,
            min=0,
            max=0,
            description="image",
            tooltip="Which image, counted from 0",
            style={"description_width": "96px"},
            layout=WIDE,
        )
        w.link((state, "row"), (self.row, "value"))
        self.export = button("Export JSON", "Save this configuration (mnuts-config/1) with its figures")
        super().__init__(self._column())
        self.add_class("mnuts-controls")
        state.observe(self._show_level, names="by_hand")
        self._show_level()

    def _make_search(self) -> None:
        self.find = button("Find best for this β", "Algorithm 1 over the grid", primary=True)
        self.widen = button("Search a wider grid", "The optimum sits on the grid's edge: search further out")
        self.cancel = button("Cancel", "Stop the search")
        self.progress = w.FloatProgress(min=0, max=1, layout={"width": "auto"})
        self.found = w.HTML()
        for hidden in (self.widen, self.cancel, self.progress):
            hidden.layout.display = "none"

    def _column(self) -> list[w.Widget]:
        of = self.sliders
        return [
            self.bundle,
            self.preset,
            heading("Transform M(s, p, c)"),
            *(of["s"], of["p"], of["c"], self.clamp, self.ln_k),
            heading("Mix"),
            *(self.by_hand, of["beta"], of["alpha"], of["temperature"]),
            heading("Search"),
            *(self.grid, self.find, self.progress, self.cancel, self.found, self.widen),
            heading("Simplex"),
            *(self.case, self.row),
            heading("Take away"),
            self.export,
        ]

    def searching(self, share: float | None) -> None:
        """Show a running search at a share of its work; None when it has ended."""
        running = share is not None
        self.find.disabled = self.widen.disabled = running
        for shown in (self.progress, self.cancel):
            shown.layout.display = "" if running else "none"
        self.progress.value = share or 0.0

    def _on_preset(self, change: Mapping[str, Any]) -> None:
        params = PRESETS.get(change["new"])
        if params is not None:
            self.state.take(params, level=change["new"].startswith("Paper"))
            self.preset.value = "choose …"

    def _show_level(self, _: object = None) -> None:
        self.sliders["beta"].disabled = self.state.by_hand
        self.sliders["alpha"].disabled = not self.state.by_hand
