"""The comparison's control column: widgets linked to the state; nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as w

from mnuts_dashboards.compare.state import ALPHA_FROM, MAX_COMPARED, CompareState
from mnuts_dashboards.text.messages import remark_html
from mnuts_dashboards.widgets.inputs import button, heading, input_of
from mnuts_dashboards.widgets.landmark import Landmark
from mnuts_dashboards.widgets.toolbar import Toolbar

ALPHA_HELP = {
    "target": "From the β-quantile of the bundle to which s, p, c are applied, which needs an attacked part.",
    "source": "Kept, as s, p, c are, from the bundle they were chosen on; the other needs no attacked part.",
}


class BundleChoice(w.VBox):
    """A box to tick for each bundle.

    Args:
        state: Its `bundles` follow the boxes, in the order in which they were ticked.
        names: The bundles at hand.
        refuse: Called with why a box cannot be ticked.
    """

    def __init__(self, state: CompareState, names: Sequence[str], refuse: Callable[[str], None]) -> None:
        self._state, self._refuse = state, refuse
        self._boxes: dict[str, w.Checkbox] = {}
        super().__init__()
        self.add_class("mnuts-bundles")
        self.offer(names)
        state.observe(self._show, names="bundles")

    def offer(self, names: Sequence[str]) -> None:
        """Offer these bundles."""
        self._boxes = {name: self._boxes.get(name) or self._box(name) for name in names}
        self.children = list(self._boxes.values())

    def choose(self, name: str) -> None:
        """Tick a box, as the visitor would."""
        self._boxes[name].value = True

    def _box(self, name: str) -> w.Checkbox:
        box = w.Checkbox(value=name in self._state.bundles, description=name, indent=False, tooltip=name)
        box.observe(lambda change: self._ticked(name, change["new"]), names="value")
        return box

    def _ticked(self, name: str, ticked: bool) -> None:
        chosen = self._state.bundles
        if ticked == (name in chosen):
            return
        if ticked and len(chosen) >= MAX_COMPARED:
            self._refuse(f"At most {MAX_COMPARED} bundles stand beside each other: untick one first.")
            self._boxes[name].value = False
            return
        self._state.bundles = (*chosen, name) if ticked else tuple(kept for kept in chosen if kept != name)

    def _show(self, change: Mapping[str, Any]) -> None:
        for name, box in self._boxes.items():
            box.value = name in change["new"]


class CompareControls(w.VBox):
    """The column.

    Args:
        state: What the controls are linked to.
        names: The bundles at hand.
        upload: Takes files.
        refuse: Called with what is wrong with an input, in one sentence.

    Attributes:
        toolbar: Undo, redo, copy, and a passing remark.
        cancel, again, margins: Buttons, for the app to act on.
        bundles: The boxes.
    """

    def __init__(
        self, state: CompareState, names: Sequence[str], upload: w.Widget, refuse: Callable[[str], None]
    ) -> None:
        self.bundles = BundleChoice(state, names, refuse)
        self.beta, self.grid, self.clamp = (
            input_of(state, name, refuse) for name in ("beta", "grid", "clamp")
        )
        self.alpha = w.RadioButtons(options=ALPHA_FROM, value=state.alpha, layout={"width": "auto"})
        w.link((state, "alpha"), (self.alpha, "value"))
        self._help, self.toolbar = w.HTML(), Toolbar()
        self.cancel = button("Cancel", "Stop the search; the last view stays")
        self.again = button("Compute", "Compute what was cancelled", primary=True)
        self.margins = button("Median margins, CSV", "All medians with their intervals and n")
        self.progress = w.FloatProgress(min=0, max=1, layout={"width": "auto", "flex": "1 1 auto"})
        running = w.HBox([self.progress, self.cancel, self.again], layout={"min_height": "34px"})
        super().__init__(
            [
                Landmark("region", "Controls"),
                self.toolbar,
                heading(f"Bundles (up to {MAX_COMPARED})"),
                self.bundles,
                upload,
                heading("Best parameters"),
                *(self.beta, self.grid, self.clamp, running),
                heading("When applied to another bundle"),
                *(self.alpha, self._help),
                heading("Export"),
                self.margins,
            ]
        )
        self.add_class("mnuts-controls")
        state.observe(lambda change: self._explain(change["new"]), names="alpha")
        self._explain(state.alpha)
        self.computing(None)

    def computing(self, share: float | None, *, cancelled: bool = False) -> None:
        """Show running work at a share of it.

        Args:
            share: The share done; None when it has ended.
            cancelled: Whether the visitor ended it: then it can be taken up again.
        """
        running = share is not None
        self.progress.layout.visibility = self.cancel.layout.visibility = "visible" if running else "hidden"
        self.cancel.layout.display = "none" if cancelled else None
        self.again.layout.display = None if cancelled else "none"
        self.progress.value = share or 0.0
        if cancelled:
            self.show_status("Cancelled: the figures are those of the settings before.")
        elif running:
            self.show_status("")

    def show_status(self, text: str) -> None:
        """Show a passing remark beside the buttons."""
        self.toolbar.status.value = remark_html(text) if text else ""

    def _explain(self, alpha: str) -> None:
        self._help.value = remark_html(ALPHA_HELP[alpha])
