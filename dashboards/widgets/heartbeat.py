"""Whether the kernel still answers, and that a page which has just come shows what the kernel has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w

from mnuts_dashboards.widgets.widget import PageWidget

CODE = {"_esm", "_css"}
"""Traits of the page's own widgets that never change."""


class Heartbeat(PageWidget):
    """Answers the page; part of every app, and nothing to be seen while all is well.

    A page that loads reads the kernel's widgets first and listens to them a moment later. What changes in
    between, as a job ends, is lost to it. So once it has drawn the app, every widget's state is sent again.

    Args:
        app: The app that it is part of.
    """

    _esm = Path(__file__).with_name("heartbeat.js")
    _css = Path(__file__).with_name("heartbeat.css")

    def __init__(self, app: w.Widget) -> None:
        super().__init__()
        self._app = app
        self.layout.display = "none"
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        match content.get("type"):
            case "there?":
                self.send({"type": "here"})
            case "drawn":
                for widget in _tree(self._app):
                    widget.send_state(set(widget.keys) - CODE)
                    widget.layout.send_state()


def _tree(widget: w.Widget) -> Iterator[w.DOMWidget]:
    """A widget and all that stand in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _tree(child)
