"""The page around the app: its address, the clipboard, and the downloads of text. Nothing to be seen."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets

from mnuts_dashboards.widgets.widget import PageWidget


class Page(PageWidget):
    """Keeps the browser's address in step where the page is ours (Voilà), and leaves JupyterLab's alone.

    Args:
        variable: What the app is called in its notebook.

    Attributes:
        on_arrive: Called with the step (None if it is of an earlier visit) and the query when the visitor
            goes back or forward in the browser.
        on_copied: Called with what was copied, or with None if the browser did not let us.
    """

    _esm = Path(__file__).with_name("browser.js")
    link = traitlets.Unicode(help="The query of the current view.").tag(sync=True)
    place = traitlets.Int(0, help="Which step of the history it is.").tag(sync=True)
    visit = traitlets.Unicode(help="Tells the entries of this visit from those before a reload.").tag(
        sync=True
    )

    def __init__(self, variable: str) -> None:
        super().__init__(visit=secrets.token_hex(8))
        self._variable = variable
        self.layout.display = "none"
        self.on_arrive: Callable[[int | None, str], None] = lambda place, query: None
        self.on_copied: Callable[[str | None], None] = lambda text: None
        self.on_msg(self._receive)

    def push(self, link: str, place: int) -> None:
        """A new entry of the browser's history."""
        self._address("push", link, place)

    def replace(self, link: str, place: int) -> None:
        """Another address for the current entry."""
        self._address("replace", link, place)

    def go(self, steps: int) -> None:
        """Move in the browser's history; the state is there already."""
        self.send({"type": "go", "steps": steps})

    def copy(self, link: str) -> None:
        """Put the address of a view into the clipboard; in JupyterLab the Python line that opens it."""
        self.send({"type": "copy", "link": link, "code": f'{self._variable}.open_link("{link}")'})

    def _address(self, kind: str, link: str, place: int) -> None:
        self.link, self.place = link, place
        self.send({"type": kind, "link": link, "place": place})

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        match content.get("type"):
            case "arrive":
                place = content.get("place")
                self.on_arrive(place if isinstance(place, int) else None, str(content.get("query", "")))
            case "copied":
                text = content.get("text")
                self.on_copied(text if isinstance(text, str) else None)
