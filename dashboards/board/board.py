"""The one custom widget: every Plotly plot of a page, in one message and one animation frame an update.

A ``FigureWidget`` a plot ships its own copy of Plotly and repaints on its own; a board loads the library
once, takes typed arrays in one binary message, draws all changed panels together and says when they are
painted. At most one update is on its way; the newest wins; a lost acknowledgement frees the way in time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import traitlets

from mnuts_dashboards.board.events import EVENT_KINDS, BoardEvent
from mnuts_dashboards.board.packing import Arrays, Packer
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.board.plotlyjs import plotly_source
from mnuts_dashboards.widgets.widget import PageWidget

PARTS = ("tools", "theme", "redraw", "panel", "board")
"""The page's side: these files one after the other are one module, since a widget has but one."""

Figures = Mapping[str, Mapping[str, Any]]
Maker = Callable[[frozenset[str]], Figures]


class Board(PageWidget):
    """All plots of a page in one widget.

    Args:
        panels: The plots, in reading order.
        on_error: Called with what a maker or an event handler raised, and with what the page could not draw.
            Without it such an exception is raised where it happened; the board works on either way.
    """

    _esm = "".join(Path(__file__).with_name(f"{part}.js").read_text("utf-8") for part in PARTS)
    _css = Path(__file__).with_name("board.css")

    from_page = frozenset({"visible", "dark"})
    panels = traitlets.List(traitlets.Dict()).tag(sync=True)
    visible = traitlets.List(traitlets.Unicode(), help="Panels on the screen; the page keeps it.").tag(
        sync=True
    )
    dark = traitlets.Bool(False, help="Whether the page is dark; the page keeps it.").tag(sync=True)
    wanted = traitlets.List(traitlets.Unicode(), help="Kinds of event that anyone asked for.").tag(sync=True)

    timeout = 2.0  # seconds after which an unacknowledged frame counts as lost; doubles with every loss
    patience = 4  # losses in a row after which nothing more is sent until the page speaks again

    def __init__(
        self,
        panels: Sequence[Panel],
        *,
        on_error: Callable[[Exception], None] | None = None,
        **kwargs: Any,
    ) -> None:
        names = [panel.name for panel in panels]
        if len(set(names)) < len(names):
            raise ValueError(f"Panel names must differ from each other, got {names}.")
        self.on_error = on_error
        self._names = frozenset(names)
        self._figures: dict[str, Mapping[str, Any]] = {}
        self._sent: dict[str, Arrays] = {}  # what every page has that reported ready
        self._notes: dict[str, str] = {}
        self._changed: set[str] = set()  # drawn since the last frame left
        self._maker: Maker | None = None  # waits for its turn
        self._last_maker: Maker | None = None
        self._unmade: frozenset[str] = frozenset()  # panels that the last maker was not asked for
        self._handlers: list[tuple[Callable[[BoardEvent], None], frozenset[str]]] = []
        self._connected = False
        self._frame = 0
        self._in_flight: int | None = None
        self._sent_at = 0.0
        self._losses = 0
        self._busy = False
        self._lock = threading.RLock()
        super().__init__(panels=[asdict(panel) for panel in panels], visible=names, **kwargs)
        self.on_msg(self._receive)
        self.observe(self._on_visible, names="visible")

    # --- drawing
    def draw(self, figures: Figures, notes: Mapping[str, str] | None = None) -> None:
        """Show `figures` (plain Plotly JSON per panel name, arrays welcome); other panels stay as they are.

        Args:
            figures: For each panel to change ``{"data": [...], "layout": {...}}``.
            notes: For each panel to change the small line under its title (n, units).

        Raises:
            ValueError: A name is not a panel's, or a figure has no ``"data"``.
        """
        with self._lock:
            self._keep(figures, notes or {})
            self._pump()

    def request(self, make: Maker) -> None:
        """Have `make` called with the visible panels' names as soon as a frame may be sent; the newest wins.

        A panel that comes into view later is made by the same function then.
        """
        with self._lock:
            self._maker = make
            self._pump()

    def on_event(self, handler: Callable[[BoardEvent], None], kinds: Iterable[str] = EVENT_KINDS) -> None:
        """Call `handler` for events of these `kinds`; kinds that nobody asked for never leave the page."""
        chosen = frozenset(kinds)
        if not chosen <= set(EVENT_KINDS):
            raise ValueError(f"kinds must be among {EVENT_KINDS}, got {sorted(chosen)}.")
        self._handlers.append((handler, chosen))
        self.wanted = sorted(chosen.union(self.wanted))

    def download(self, filename: str, content: str | bytes, mime: str = "application/json") -> None:
        """Have the page save text or bytes as a file."""
        data = content.encode() if isinstance(content, str) else content
        self.send({"type": "download", "filename": filename, "mime": mime}, [data])

    # --- the queue of one
    def _keep(self, figures: Figures, notes: Mapping[str, str]) -> None:
        unknown = sorted((set(figures) | set(notes)) - self._names)
        if unknown:
            raise ValueError(f"No such panel: {unknown}. This board has {sorted(self._names)}.")
        for name, figure in figures.items():
            if not isinstance(figure, Mapping) or "data" not in figure:
                raise ValueError(f"Figure {name!r} must be Plotly JSON with a 'data' list.")
        self._figures.update(figures)
        self._notes.update(notes)
        self._changed.update(figures, notes)

    def _pump(self) -> None:
        """Send what waits, if a page listens and nothing is on its way."""
        if self._busy or not self._connected or not self._is_free():
            return
        begin = time.perf_counter()
        self._busy = True  # a maker may draw or request: that joins this frame or waits for the next one
        try:
            self._make()
            if self._changed:
                self._send_frame(begin)
        except Exception as error:
            self._report(error)
        finally:
            self._busy = False

    def _make(self) -> None:
        make, self._maker = self._maker, None
        if make is None:
            return
        asked = frozenset(self.visible) & self._names
        self._last_maker, self._unmade = make, self._names - asked
        self._keep(make(asked), {})

    def _send_frame(self, begin: float) -> None:
        names, self._changed = self._changed, set()
        packer, figures = Packer(), {}
        after = self._frame if self._sent else 0
        for name in sorted(names & self._figures.keys()):
            figures[name] = packer.figure(self._figures[name], self._sent.get(name))
            self._sent[name] = packer.seen
        notes = {name: self._notes[name] for name in sorted(names & self._notes.keys())}
        self._frame += 1
        made = 1e3 * (time.perf_counter() - begin)
        head = {"type": "frame", "id": self._frame, "after": after, "made": made}
        self.send({**head, "figures": figures, "notes": notes}, [packer.buffer()])
        self._in_flight, self._sent_at = self._frame, time.monotonic()
        self._arm()

    def _arm(self) -> None:
        """Wake up when the frame on its way counts as lost; with no running loop the next call looks."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_later(self._deadline() + 0.01, self._wake)

    def _wake(self) -> None:
        with self._lock:
            if self._maker is not None or self._changed:
                self._pump()

    def _deadline(self) -> float:
        return self.timeout * 2.0**self._losses

    def _is_free(self) -> bool:
        if self._in_flight is None:
            return True
        if time.monotonic() - self._sent_at < self._deadline():
            return False
        self._in_flight = None
        self._losses += 1
        self._connected = self._losses < self.patience
        return self._connected

    def _report(self, error: Exception) -> None:
        if self.on_error is None:
            raise error
        self.on_error(error)

    # --- from the page
    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        answer = {
            "library": self._on_library,
            "ready": self._on_ready,
            "ack": self._on_ack,
            "event": self._on_page_event,
            "error": self._on_page_error,
        }.get(content.get("type", ""))
        if answer is not None:
            with self._lock:
                answer(content)

    def _on_library(self, _: Mapping[str, Any]) -> None:
        self.send({"type": "library"}, [plotly_source()])

    def _on_ready(self, _: Mapping[str, Any]) -> None:
        """A page came (again): it knows nothing, so it gets everything."""
        self._connected, self._in_flight, self._losses = True, None, 0
        self._sent.clear()
        self._changed |= self._figures.keys() | self._notes.keys()
        self._pump()

    def _on_ack(self, content: Mapping[str, Any]) -> None:
        self._connected, self._losses = True, 0
        if self._in_flight is not None and content.get("id", 0) >= self._in_flight:
            self._in_flight = None
        self._pump()

    def _on_page_event(self, content: Mapping[str, Any]) -> None:
        panel, kind = content.get("panel"), content.get("kind")
        if panel not in self._names or kind not in EVENT_KINDS:
            return
        event = BoardEvent(panel, kind, tuple(content.get("points") or ()), content.get("detail") or {})
        for handler, kinds in self._handlers:
            if kind in kinds:
                try:
                    handler(event)
                except Exception as error:
                    self._report(error)

    def _on_page_error(self, content: Mapping[str, Any]) -> None:
        self._report(
            RuntimeError(f"Panel {content.get('panel')!r} could not be drawn: {content.get('message')}")
        )

    def _on_visible(self, _: Any) -> None:
        """Make the panels that came into view since the last maker ran."""
        with self._lock:
            if self._maker is None and self._last_maker is not None and self._unmade & set(self.visible):
                self.request(self._last_maker)
