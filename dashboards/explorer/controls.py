"""The control column: one widget a setting, linked to the state; nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w

from mnuts_core.clamps import CLAMPS
from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS
from mnuts_dashboards.explorer.presets import Presets
from mnuts_dashboards.explorer.state import ExplorerState
from mnuts_dashboards.widgets.entries import read_ln_k, sentence
from mnuts_dashboards.widgets.inputs import LABEL, WIDE, Choice, NumberInput, button, heading

CASES = [("the paper's two cases", "paper"), ("a clean image", "clean"), ("an attacked image", "attacked")]
HIDEABLE = (
    *("history", "bundle", "preset", "s", "p", "c", "clamp", "k", "level", "beta", "alpha", "T"),
    *("search", "example", "snapshots", "verify", "export", "import"),
)
"""What `hide=` in a link may name."""


class Controls(w.VBox):
    """The column.

    Args:
        state: What the controls are linked to.
        bundles: Names of the bundles at hand.
        grids: Names of the grids.
        verify: The controls of the verification.
        upload: Takes files.
        take: Takes the file of a configuration.
        refuse: Called with what is wrong with an input, in one sentence.

    Attributes:
        preset: What to start from.
        undo, redo, defaults, copy, find, widen, cancel, keep, export, report: Buttons, for the app to act on.
        progress: Progress of the search.
        found: What the search found, as HTML.
        status: A passing remark, such as that a link was copied, as HTML.
    """

    def __init__(
        self,
        state: ExplorerState,
        bundles: Sequence[str],
        grids: Sequence[str],
        *,
        verify: w.Widget,
        upload: w.Widget,
        take: Callable[[Path], None],
        refuse: Callable[[str], None],
    ) -> None:
        self.state, self._refuse, self._derived = state, refuse, state.alpha
        self.bundle = Choice(state, "bundle", "bundle", list(bundles), "The cached logits to explore")
        self.preset = Presets(state, best=lambda: self.find.click(), take=take)
        self.number_inputs = {name: NumberInput(state, name, refuse) for name in PARAMS}
        self.clamp = Choice(state, "clamp", "clamp", list(CLAMPS), "Clamping function (Eq. 4, D.2)")
        self.ln_k = w.Text(
            value=str(state.ln_k),
            continuous_update=False,
            description="layer norm over top-k logits",
            tooltip="Layer norm over the k largest logits; 0 leaves it out",
            style={"description_width": "initial"},
            layout=WIDE,
        )
        self.ln_k.observe(self._on_ln_k, names="value")
        state.observe(lambda change: self.ln_k.set_trait("value", str(change["new"])), names="ln_k")
        self.by_hand = w.ToggleButtons(
            options=[("Set α from β", False), ("Set α manually", True)],
            value=state.by_hand,
            tooltips=["Algorithm 1: α = 1/(1+q)", "Set the mixing weight yourself"],
            style={"button_width": "auto"},
            layout=WIDE,
        )
        self.by_hand.observe(self._on_level, names="value")
        state.observe(lambda change: self.by_hand.set_trait("value", change["new"]), names="by_hand")
        self.grid = Choice(state, "grid", "grid", list(grids), "Where Find best searches: s, p, c of Table 3")
        self._make_buttons()
        self.case = Choice(state, "case", "Source", CASES, "Whose probabilities the last plots show")
        self.row = w.BoundedIntText(
            value=state.row,
            min=0,
            max=0,
            description="Image no.",
            tooltip="Which image, counted from 0; or choose one from the table below the plots",
            style={"description_width": LABEL},
            layout=WIDE,
        )
        w.link((state, "row"), (self.row, "value"))
        super().__init__(self._column(verify, upload))
        self.add_class("mnuts-controls")
        state.observe(self._show_level, names="by_hand")
        state.observe(self._show_case, names="case")
        state.observe(self._show_hidden, names="hidden")
        self._show_level()
        self._show_case()

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
        self.found, self.status = w.HTML(), w.HTML().add_class("mnuts-status")
        for hidden in (self.widen, self.cancel, self.progress):
            hidden.layout.display = "none"

    def _column(self, verify: w.Widget, upload: w.Widget) -> list[w.Widget]:
        of = {name: entry.widget for name, entry in self.number_inputs.items()}
        steps = w.HBox([self.undo, self.redo, self.defaults, self.copy]).add_class("mnuts-buttons")
        search = [self.grid, self.find, self.progress, self.cancel, self.found, self.widen]
        groups: list[tuple[str, dict[str, w.Widget]]] = [
            ("", {"history": w.VBox([steps, self.status]), "bundle": self.bundle, "preset": self.preset}),
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
                "Export and import",
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

    def show_status(self, text: str) -> None:
        """Show a passing remark beside the buttons; it goes with the next change of a setting."""
        self.status.value, self._status_settings = text, self.state.trait_values()

    def settle(self) -> None:
        """The view is drawn: remarks on other settings go."""
        if self.status.value and self._status_settings != self.state.trait_values():
            self.status.value = ""

    @property
    def searched(self) -> tuple[w.DOMWidget, ...]:
        """What a search changes."""
        return self.find, self.widen, self.cancel, self.progress, self.found

    @property
    def settings(self) -> tuple[w.DOMWidget, ...]:
        """What shows the settings."""
        number_inputs = [part for entry in self.number_inputs.values() for part in (entry.slider, entry.box)]
        return (
            *number_inputs,
            self.bundle,
            self.preset,
            self.clamp,
            self.ln_k,
            self.by_hand,
            self.grid,
            self.case,
            self.row,
        )

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

    def _on_ln_k(self, change: Mapping[str, Any]) -> None:
        try:
            self.state.ln_k = read_ln_k(change["new"])
        except ParameterError as error:
            self._refuse(sentence(str(error)))
            self.ln_k.value = str(self.state.ln_k)

    def show_alpha(self, alpha: float) -> None:
        """Show the α in force, be it by hand or from β."""
        self._derived = alpha
        self.number_inputs["alpha"].display(alpha)

    def _on_level(self, change: Mapping[str, Any]) -> None:
        """By hand starts from the α that was in force."""
        if change["new"] and not self.state.by_hand:
            self.state.set(by_hand=True, alpha=min(1.0, max(0.5, self._derived)))
        else:
            self.state.by_hand = change["new"]

    def _show_level(self, _: object = None) -> None:
        self.number_inputs["beta"].enable(not self.state.by_hand)
        self.number_inputs["alpha"].enable(self.state.by_hand)

    def _show_case(self, _: object = None) -> None:
        """The paper's cases are no rows of the bundle."""
        self.row.disabled = self.state.case == "paper"
