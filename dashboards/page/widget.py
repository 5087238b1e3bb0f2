"""An app in Voilà, JupyterLab and notebooks: the page of the file, as one widget with a kernel's services.

The page computes by itself. With the kernel it shares its state, one JSON object that goes to Python a moment
after each change and comes back when Python sets it, and it calls services; see `web/host/kernel.js`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar

import traitlets as tr

from mnuts_core.errors import ParameterError
from mnuts_dashboards.page.modules import pack, pack_widget, reachable
from mnuts_dashboards.page.one_file import WORKER, App
from mnuts_dashboards.page.styles import styles
from mnuts_dashboards.widgets.query import MAX_QUERY
from mnuts_dashboards.widgets.widget import PageWidget

ROOT = ".mnuts-page.mnuts-page"
"""Of the page's element, inside which alone its style sheets hold; twice, to come before JupyterLab's."""
RESET = "& { overflow: visible; } :where(:not(svg, svg *, .plot *)) { all: revert; }"
"""Nothing of JupyterLab's own style sheets holds inside; Plotly's drawings have attributes for styles."""
AROUND = (
    ".jp-Cell:not(.jp-mod-outputsScrolled) :is(.jp-OutputArea, .jp-OutputArea-child, .jp-OutputArea-output)"
    ":has(.mnuts-page) { overflow: visible; }"
)
"""What JupyterLab has around it clips nothing, so that its sliders stay in view."""
_ROOTED = re.compile(r":root((?:\[[^\]]*\]|:not\([^)]*\))*)")
_BODY = re.compile(r"(?<![\w.#-])body(?=\s*[,{])")


class PageApp(PageWidget):
    """An app whose page computes by itself.

    Args:
        app: Which app.
        bundles: Names and titles of the bundles at hand; the first is opened.

    Attributes:
        view: The page's state.
        query: The link of what is shown; set it, and the page goes there.
    """

    from_page: ClassVar[frozenset[str]] = frozenset({"view", "query"})
    _esm = tr.Unicode().tag(sync=True)
    _css = tr.Unicode().tag(sync=True)
    worker = tr.Unicode(help="The script of the page's engine.").tag(sync=True)
    page: dict[str, Any] = tr.Dict(help="What it knows besides bundles.").tag(sync=True)  # type: ignore[assignment]
    view: dict[str, Any] = tr.Dict().tag(sync=True)  # type: ignore[assignment] # a trait reads as its value
    query = tr.Unicode().tag(sync=True)

    def __init__(self, app: App, bundles: list[dict[str, str]]) -> None:
        script, sheet = _packed(app.renderer)
        super().__init__(_esm=script, _css=sheet, worker=pack(WORKER, ""), page=app.record(bundles))

    def share(
        self,
        state: tr.HasTraits,
        write: Callable[[], dict[str, Any]],
        read: Callable[[object], dict[str, Any]],
    ) -> None:
        """Keep a state and the page's `view` in step: what either sets, the other takes over.

        Args:
            state: The app's state; a page begins by itself if nobody has set it.
            write: The state as the page has it; raises `ParameterError` if a page cannot show it, which then
                keeps what it shows, and says why.
            read: The traits that a page's view stands for; raises `ParameterError` if it is not allowed: then
                the page goes back to the state.
        """
        taking = False

        def on_view(change: Mapping[str, Any]) -> None:
            nonlocal taking
            if change["new"] == write():
                return
            try:
                values = read(change["new"])
            except ParameterError:
                values = {}
            taking = True
            try:
                with state.hold_trait_notifications():
                    for name, value in values.items():
                        state.set_trait(name, value)
            finally:
                taking = False
            on_state(None)  # what somebody who observes has made of it

        def on_state(_change: object) -> None:
            if taking:
                return
            try:
                view = write()
            except ParameterError as error:
                self.send({"type": "refused", "message": str(error)})
            else:
                self.view = view

        state.observe(on_state, names=list(write()))
        self.observe(on_view, names="view")

    def open_link(self, query: str) -> None:
        """Let the page go to what a link asks for; what is wrong with it stands in the page's banner.

        Args:
            query: The URL's query string.
        """
        self.query = query

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take over what a page sent, as far as it may write it."""
        super().set_state({name: value for name, value in sync_data.items() if _fits(name, value)})

    def offer(self, bundles: list[dict[str, str]]) -> None:
        """Offer other bundles, to pages that come from now on."""
        self.page = {**self.page, "bundles": bundles}


def scoped(sheet: str, root: str = ROOT) -> str:
    """A style sheet of a whole page that holds inside one element.

    Args:
        sheet: The sheet; rules for `body` and for `:root` become the element's.
        root: A selector of the element.

    Example:
        >>> print(scoped("body { margin: 0 } :root { --a: 1 } :root:not([b]) { --a: 2 }"))
        .mnuts-page.mnuts-page {
        & { overflow: visible; } :where(:not(svg, svg *, .plot *)) { all: revert; }
        & { margin: 0 } & { --a: 1 } :root:not([b]) & { --a: 2 }
        }
    """
    inside = _ROOTED.sub(lambda found: f":root{found[1]} &" if found[1] else "&", sheet)
    return f"{root} {{\n{RESET}\n{_BODY.sub('&', inside)}\n}}"


def _fits(name: str, value: object) -> bool:
    if name == "query":
        return isinstance(value, str) and len(value) <= MAX_QUERY
    return name != "view" or isinstance(value, dict)


@cache
def _packed(entry: str) -> tuple[str, str]:
    return pack_widget(entry), f"{scoped(styles(reachable(entry)))}\n{AROUND}"
