"""The control column: one widget a setting, linked to the state; nothing is computed here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w

from mnuts_core.errors import ParameterError
from mnuts_dashboards.explorer.presets import Presets
from mnuts_dashboards.explorer.state import DECLARED, MIX, PLOT_TRAITS, PLOTS, TRANSFORMED, ExplorerState
from mnuts_dashboards.widgets.entries import read_ln_k, sentence
from mnuts_dashboards.widgets.inputs import WIDE, Choice, NumberInput, button, heading, input_of
from mnuts_dashboards.widgets.toolbar import Toolbar

HIDEABLE = (
    *("history", "bundle", "preset", "level"),
    *(setting.word for setting in DECLARED.values() if setting.group),
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
        toolbar: Undo, redo, copy, and a passing remark.
        inputs: The control of each setting, by its name.
        by_hand: Whether α is set by hand.
        defaults, find, widen, cancel, keep, export, report, page, save: Buttons, for the app to act on.
        progress: Progress of the search.
        found: What the search found, as HTML.
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
        self.preset = Presets(state, best=self._find_for_beta, take=take)
        options = {"grid": list(grids)}
        self.inputs: dict[str, w.DOMWidget] = {
            name: self._ln_k() if name == "ln_k" else input_of(state, name, refuse, options.get(name))
            for name in DECLARED
        }
        self.by_hand = self._by_hand()
        self._make_buttons()
        super().__init__(self._column(verify, upload))
        self.add_class("mnuts-controls")
        state.observe(self._show_level, names="by_hand")
        state.observe(self._show_case, names="case")
        state.observe(self._show_find, names="find_by")
        state.observe(self._show_hidden, names="hidden")
        self._show_level()
        self._show_case()
        self._show_find()

    def _ln_k(self) -> w.Text:
        box = w.Text(
            value=str(self.state.ln_k),
            continuous_update=False,
            description=DECLARED["ln_k"].label,
            tooltip=DECLARED["ln_k"].help,
            style={"description_width": "initial"},
            layout=WIDE,
        )
        box.observe(self._on_ln_k, names="value")
        self.state.observe(lambda change: box.set_trait("value", str(change["new"])), names="ln_k")
        return box

    def _by_hand(self) -> w.ToggleButtons:
        toggle = w.ToggleButtons(
            options=[("Set α from β", False), ("Set α manually", True)],
            value=self.state.by_hand,
            tooltips=["Algorithm 1: α = 1/(1+q)", "Set the mixing weight yourself"],
            style={"button_width": "auto"},
            layout=WIDE,
        )
        toggle.observe(self._on_level, names="value")
        self.state.observe(lambda change: toggle.set_trait("value", change["new"]), names="by_hand")
        return toggle

    def _make_buttons(self) -> None:
        self.defaults = button("Defaults", "Back to what the bundle opens on; Undo takes it back")
        self.toolbar = Toolbar(self.defaults)
        self.find = button("Find best for this β", "Algorithm 1 over the grid", primary=True)
        self.widen = button("Search a wider grid", "The optimum sits on the grid's edge: search further out")
        self.cancel = button("Cancel", "Stop the search")
        self.keep = button("Keep a snapshot", "Compare this mix with others: on the plane and in a table")
        self.export = button("Export JSON", "Save this configuration (mnuts-config/1) with its figures")
        self.save = button("Save bundle", "Save the open bundle, with the points of verifications made here")
        self.report = button("HTML report", "Save this view as one file that opens without a server")
        self.page = button("Page file", "Save this bundle and an explorer of it as one live file")
        self.progress = w.FloatProgress(min=0, max=1, layout={"width": "auto"})
        self.found = w.HTML()
        for hidden in (self.widen, self.cancel, self.progress):
            hidden.layout.display = "none"

    def _column(self, verify: w.Widget, upload: w.Widget) -> list[w.Widget]:
        search = [self.inputs["grid"], self.find, self.progress, self.cancel, self.found, self.widen]
        saving = w.HBox([self.export, self.report, self.page, self.save]).add_class("mnuts-buttons")
        groups: list[tuple[str, dict[str, w.Widget]]] = [
            ("", {"history": self.toolbar, "bundle": self.bundle, "preset": self.preset}),
            (TRANSFORMED, self._group(TRANSFORMED)),
            (MIX, {"level": self.by_hand, **self._group(MIX)}),
            ("Search", {"search": w.VBox([self.inputs["find_by"], self.inputs["least"], *search])}),
            ("Compare", {"snapshots": self.keep}),
            ("Verify", {"verify": verify}),
            ("Example", {"example": w.VBox([self.inputs["case"], self.inputs["row"]])}),
            *([(PLOTS, self._group(PLOTS))] if PLOT_TRAITS else []),
            ("Export and import", {"export": saving, "import": upload}),
        ]
        self._named = {name: widget for _, group in groups for name, widget in group.items()}
        self._headings = [(heading(title), tuple(group)) for title, group in groups if title]
        column: list[w.Widget] = []
        for title, group in groups:
            column += [next(h for h, names in self._headings if names == tuple(group))] if title else []
            column += group.values()
        return column

    def _group(self, group: str) -> dict[str, w.Widget]:
        """The controls of a group of settings, by their words."""
        return {
            setting.word: self.inputs[name] for name, setting in DECLARED.items() if setting.group == group
        }

    def _show_hidden(self, _: object = None) -> None:
        """Hide what a link hides, and headings with nothing left below them."""
        gone = set(self.state.hidden)
        for name, widget in self._named.items():
            widget.layout.display = "none" if name in gone else None
        for title, names in self._headings:
            title.layout.display = "none" if gone.issuperset(names) else None

    def show_status(self, text: str) -> None:
        """Show a passing remark beside the buttons; it goes with the next change of a setting."""
        self.toolbar.status.value, self._status_settings = text, self.state.trait_values()

    def settle(self) -> None:
        """The view is drawn: remarks on other settings go."""
        if self.toolbar.status.value and self._status_settings != self.state.trait_values():
            self.toolbar.status.value = ""

    @property
    def searched(self) -> tuple[w.DOMWidget, ...]:
        """What a search changes."""
        return self.find, self.widen, self.cancel, self.progress, self.found

    @property
    def settings(self) -> tuple[w.DOMWidget, ...]:
        """What shows the settings."""
        made = self.inputs.values()
        parts = [(each.slider, each.box) if isinstance(each, NumberInput) else (each,) for each in made]
        return (*itertools.chain(*parts), self.bundle, self.preset, self.by_hand)

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
            self.inputs["ln_k"].value = str(self.state.ln_k)

    def show_alpha(self, alpha: float) -> None:
        """Show the α in force, be it by hand or from β."""
        self._derived = alpha
        self.inputs["alpha"].display(alpha)

    def _on_level(self, change: Mapping[str, Any]) -> None:
        """By hand starts from the α that was in force."""
        if change["new"] and not self.state.by_hand:
            self.state.set(by_hand=True, alpha=min(1.0, max(0.5, self._derived)))
        else:
            self.state.by_hand = change["new"]

    def _find_for_beta(self) -> None:
        self.state.find_by = "beta"
        self.find.click()

    def _show_level(self, _: object = None) -> None:
        self.inputs["beta"].enable(not self.state.by_hand)
        self.inputs["alpha"].enable(self.state.by_hand)

    def _show_find(self, _: object = None) -> None:
        """An accuracy to keep only where β is not kept."""
        by_beta = self.state.find_by == "beta"
        self.inputs["least"].enable(not by_beta)
        self.find.description = "Find best for this β" if by_beta else "Find best"
        self.find.tooltip = "Algorithm 1 over the grid" if by_beta else "All cells of the grid at every α"

    def _show_case(self, _: object = None) -> None:
        """The paper's cases are no rows of the bundle."""
        self.inputs["row"].disabled = self.state.case == "paper"
