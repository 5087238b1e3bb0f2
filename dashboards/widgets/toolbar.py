"""What stands on top of every control column: undo, redo and copy, and a passing remark below them."""

from __future__ import annotations

import ipywidgets as w

from mnuts_dashboards.widgets.browser import Page
from mnuts_dashboards.widgets.inputs import button
from mnuts_dashboards.widgets.undo import Navigator


class Toolbar(w.VBox):
    """The buttons, and the remark.

    Args:
        *more: Buttons of the app's own, which stand before *Copy link*.

    Attributes:
        undo, redo, copy: The buttons.
        status: The remark, as HTML.
    """

    def __init__(self, *more: w.Button) -> None:
        self.undo = button("Undo", "The view before the last change; the browser's Back does the same")
        self.redo = button("Redo", "Take the undoing back")
        self.copy = button("Copy link", "A link that opens this very view")
        self.status = w.HTML().add_class("mnuts-status")
        buttons = w.HBox([self.undo, self.redo, *more, self.copy]).add_class("mnuts-buttons")
        super().__init__([buttons, self.status])

    def connect(self, navigator: Navigator, page: Page) -> None:
        """Let the buttons act.

        Args:
            navigator: Whose steps they take back; `show_steps` is for it to call when these change.
            page: What has the clipboard.
        """
        self.undo.on_click(lambda _: navigator.undo())
        self.redo.on_click(lambda _: navigator.redo())
        self.copy.on_click(lambda _: page.copy(navigator.here()))

    def show_steps(self, navigator: Navigator) -> None:
        """Offer the steps that there are.

        Args:
            navigator: Whose steps.
        """
        self.undo.disabled = not navigator.history.can_undo
        self.redo.disabled = not navigator.history.can_redo
