"""Whether the kernel still answers: the page asks where the visitor does something, and tells if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mnuts_dashboards.widgets.widget import PageWidget


class Pulse(PageWidget):
    """Answers the page; part of every app, and nothing to be seen while all is well."""

    _esm = Path(__file__).with_name("heartbeat.js")
    _css = Path(__file__).with_name("heartbeat.css")

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        if content.get("type") == "there?":
            self.send({"type": "here"})
