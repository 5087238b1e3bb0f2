"""The control column: one widget a setting, linked to the state; nothing is computed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w

from mnuts_core.errors import MnutsError
from mnuts_core.params import CLAMPS, PARAMS, check_ln_k

from .state import PRESETS, TRANSFORM, ExplorerState

WIDE = {"width": "auto", "margin": "2px 0"}
CASES = [("the paper's two cases", "paper"), ("a clean image", "clean"), ("an attacked image", "attacked")]
NO_PRESET = "choose …"
BEST = "Best of the grid for this β"
LABEL = "94px"
HIDEABLE = (
    *("history", "bundle", "preset", "s", "p", "c", "clamp", "k", "level", "beta", "alpha", "T"),
    *("search", "example", "snapshots", "verify", "export", "import"),
)
"""What `hide=` in a link may name."""
DIGITS = 6
"""Significant digits of a number box; the state keeps them all."""


class Knob:
    """The slider and the number box of one parameter; range, step, scale and help come from `PARAMS`.

    The slider moves in steps; the box shows the state's value and takes any valid one as it is typed. A value
    outside the slider's range (of a search, a preset, a visitor) widens the range.

    Attributes:
        slider: The slider.
        box: The number box.
        widget: Both in a row.
    """

    def __init__(self, state: ExplorerState, name: str, refuse: Callable[[str], None]) -> None:
        self._state, self._name, self._spec, self._refuse = state, name, PARAMS[name], refuse
        value = getattr(state, name)
        self._echo: float | None = value
        low, high = self._place(self._spec.slider_low), self._place(self._spec.slider_high)
        made = w.FloatLogSlider if self._spec.scale == "log" else w.FloatSlider
        self.slider = made(
            value=value,
            min=min(low, self._place(value)),
            max=max(high, self._place(value)),
            step=self._spec.step,
            description=self._spec.label,
            tooltip=self._spec.help,
            readout=False,
            style={"description_width": LABEL},
            layout={"flex": "1 1 auto", "width": "auto", "min_width": "0"},
        )
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
        if math.isclose(value, self.slider.value, rel_tol=1e-12, abs_tol=1e-15):
            return
        place = self._place(value)
        self._echo = value
        self.slider.min, self.slider.max = min(self.slider.min, place), max(self.slider.max, place)
        self.slider.value = value

    def _moved(self, change: Mapping[str, Any]) -> None:
        """Pass on where the visitor moved the slider, but not the page's echo of a value set from here.

        The page rounds to the slider's step: p = 2.7143, the search's choice, would come back as 2.71.
        """
        echo, self._echo = self._echo, None
        if self.slider.disabled or change["new"] == getattr(self._state, self._name):
            self._echo = echo
        elif echo is None or abs(self._place(change["new"]) - self._place(echo)) > 0.51 * self._spec.step:
            self._state.set_trait(self._name, self._rounded(change["new"]))

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
        return f"{self._name} must be a number in {self._spec.interval}, got {text!r}: write 0.25, not 0,25"


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


class Controls(w.VBox):
    """The column.

    Args:
        state: What the controls are linked to.
        bundles: Names of the bundles at hand.
        grids: Names of the grids.
        verify: The controls of the verification.
        upload: Takes files.
        refuse: Told what is wrong with an input, in one sentence.

    Attributes:
        undo, redo, defaults, copy, find, widen, cancel, keep, export, report: Buttons, for the app to act on.
        progress: Progress of the search.
        found: What the search found, as HTML.
        said: A passing remark, such as that a link was copied, as HTML.
    """

    def __init__(
        self,
        state: ExplorerState,
        bundles: Sequence[str],
        grids: Sequence[str],
        *,
        verify: w.Widget,
        upload: w.Widget,
        refuse: Callable[[str], None],
    ) -> None:
        self.state, self._refuse, self._derived = state, refuse, state.alpha
        self.bundle = Choice(state, "bundle", "bundle", list(bundles), "The cached logits to explore")
        self.preset = w.Dropdown(
            options=[NO_PRESET, BEST, *PRESETS],
            description="start from",
            tooltip="Set s, p, c, clamp and layer norm as in the paper, or without a transform",
            style={"description_width": LABEL},
            layout=WIDE,
        )
        self.preset.observe(self._on_preset, names="value")
        self.knobs = {name: Knob(state, name, refuse) for name in PARAMS}
        self.clamp = Choice(state, "clamp", "clamp", list(CLAMPS), "Clamping function (Eq. 4, D.2)")
        self.ln_k = w.Text(
            value=str(state.ln_k),
            continuous_update=False,
            description="LN top-k",
            tooltip="Layer norm over the k largest logits; 0 leaves it out",
            style={"description_width": LABEL},
            layout=WIDE,
        )
        self.ln_k.observe(self._on_ln_k, names="value")
        state.observe(lambda change: self.ln_k.set_trait("value", str(change["new"])), names="ln_k")
        self.by_hand = w.ToggleButtons(
            options=[("α from β", False), ("α by hand", True)],
            value=state.by_hand,
            tooltips=["Algorithm 1: α = 1/(1+q)", "Set the mixing weight yourself"],
            style={"button_width": "auto"},
            layout=WIDE,
        )
        self.by_hand.observe(self._on_level, names="value")
        state.observe(lambda change: self.by_hand.set_trait("value", change["new"]), names="by_hand")
        self.grid = Choice(state, "grid", "grid", list(grids), "Where Find best searches: s, p, c of Table 3")
        self._make_buttons()
        self.case = Choice(state, "case", "shows", CASES, "Whose probabilities the last plots show")
        self.row = w.BoundedIntText(
            value=state.row,
            min=0,
            max=0,
            description="row",
            tooltip="Which example, counted from 0; or choose one from the table below the plots",
            style={"description_width": LABEL},
            layout=WIDE,
        )
        w.link((state, "row"), (self.row, "value"))
        super().__init__(self._column(verify, upload))
        self.add_class("mnuts-controls")
        state.observe(self._show_level, names="by_hand")
        state.observe(self._show_preset, names=list(TRANSFORM))
        state.observe(self._show_hidden, names="hidden")
        self._show_preset()
        self._show_level()

    def _make_buttons(self) -> None:
        self.undo = button("Undo", "The view before the last change; the browser's Back does the same")
        self.redo = button("Redo", "Take the undoing back")
        self.defaults = button("Defaults", "Back to what the bundle opens on; Undo takes it back")
        self.copy = button("Copy link", "A link that opens this very view")
        self.find = button("Find best for this β", "Algorithm 1 over the grid", primary=True)
        self.widen = button("Search a wider grid", "The optimum sits on the grid's edge: search further out")
        self.cancel = button("Cancel", "Stop the search")
        self.keep = button("Keep a snapshot", "Compare this mix with others: on the plane and in a table")
        self.export = button("Export JSON", "Save this configuration (mnuts-config/1) with its figures")
        self.report = button("HTML report", "Save this view as one file that opens without a server")
        self.progress = w.FloatProgress(min=0, max=1, layout={"width": "auto"})
        self.found, self.said = w.HTML(), w.HTML().add_class("mnuts-said")
        for hidden in (self.widen, self.cancel, self.progress):
            hidden.layout.display = "none"

    def _column(self, verify: w.Widget, upload: w.Widget) -> list[w.Widget]:
        of = {name: knob.widget for name, knob in self.knobs.items()}
        steps = w.HBox([self.undo, self.redo, self.defaults, self.copy]).add_class("mnuts-buttons")
        search = [self.grid, self.find, self.progress, self.cancel, self.found, self.widen]
        groups: list[tuple[str, dict[str, w.Widget]]] = [
            ("", {"history": w.VBox([steps, self.said]), "bundle": self.bundle, "preset": self.preset}),
            (
                "Transform M(s, p, c)",
                {"s": of["s"], "p": of["p"], "c": of["c"], "clamp": self.clamp, "k": self.ln_k},
            ),
            (
                "Mix",
                {"level": self.by_hand, "beta": of["beta"], "alpha": of["alpha"], "T": of["temperature"]},
            ),
            ("Search", {"search": w.VBox(search)}),
            ("Compare", {"snapshots": self.keep}),
            ("Verify", {"verify": verify}),
            ("Example", {"example": w.VBox([self.case, self.row])}),
            (
                "Take away, bring in",
                {
                    "export": w.HBox([self.export, self.report]).add_class("mnuts-buttons"),
                    "import": upload,
                },
            ),
        ]
        self._named = {name: widget for _, group in groups for name, widget in group.items()}
        self._headings = [(heading(title), tuple(group)) for title, group in groups if title]
        column: list[w.Widget] = []
        for title, group in groups:
            column += [next(h for h, names in self._headings if names == tuple(group))] if title else []
            column += group.values()
        return column

    def _show_hidden(self, _: object = None) -> None:
        """Hide what a link hides, and headings with nothing left below them."""
        gone = set(self.state.hidden)
        for name, widget in self._named.items():
            widget.layout.display = "none" if name in gone else None
        for title, names in self._headings:
            title.layout.display = "none" if gone.issuperset(names) else None

    def say(self, text: str) -> None:
        """Say something in passing beside the buttons."""
        self.said.value = text

    def searching(self, share: float | None) -> None:
        """Show a running search at a share of its work; None when it has ended."""
        running = share is not None
        self.find.disabled = self.widen.disabled = running
        for shown in (self.progress, self.cancel):
            shown.layout.display = "" if running else "none"
        self.progress.value = share or 0.0

    def age(self, *, stale: bool) -> None:
        """Fade what the search found once the settings have moved on."""
        (self.found.add_class if stale else self.found.remove_class)("mnuts-stale")

    def _on_preset(self, change: Mapping[str, Any]) -> None:
        if change["new"] == BEST:
            self.find.click()
            return
        params = PRESETS.get(change["new"])
        if params is not None:
            self.state.take(params, level=change["new"].startswith("Paper"))

    def _show_preset(self, _: object = None) -> None:
        """Name the preset whose transform is in force, if one is."""
        here = [getattr(self.state, name) for name in TRANSFORM]
        names = (n for n, preset in PRESETS.items() if [getattr(preset, name) for name in TRANSFORM] == here)
        self.preset.value = next(names, NO_PRESET)

    def _on_ln_k(self, change: Mapping[str, Any]) -> None:
        try:
            self.state.ln_k = check_ln_k(int(change["new"]))
        except ValueError as error:  # ParameterError is one
            told = str(error) if isinstance(error, MnutsError) else None
            self._refuse(told or f"LN top-k must be a whole number, 0 or at least 2, got {change['new']!r}")
            self.ln_k.value = str(self.state.ln_k)

    def show_alpha(self, alpha: float) -> None:
        """Show the α that follows from β."""
        self._derived = alpha
        if not self.state.by_hand:
            self.knobs["alpha"].display(alpha)

    def _on_level(self, change: Mapping[str, Any]) -> None:
        """By hand starts from the α that was in force."""
        if change["new"] and not self.state.by_hand:
            self.state.set(by_hand=True, alpha=min(1.0, max(0.5, self._derived)))
        else:
            self.state.by_hand = change["new"]

    def _show_level(self, _: object = None) -> None:
        self.knobs["beta"].enable(not self.state.by_hand)
        self.knobs["alpha"].enable(self.state.by_hand)
