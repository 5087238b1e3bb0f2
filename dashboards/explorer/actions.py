"""What the buttons of the control column do: steps back, defaults, snapshots, and what leaves the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from mnuts_core.errors import MnutsError
from mnuts_dashboards.explorer.state import MAX_SNAPSHOTS
from mnuts_dashboards.figures.other_mixes import letter
from mnuts_dashboards.text import messages

if TYPE_CHECKING:
    from mnuts_dashboards.explorer.app import Explorer

JSON, HTML, BINARY = "application/json", "text/html", "application/octet-stream"
MAX_BUNDLE = 2**28
"""Bytes of a bundle that a page is sent at most."""


def connect_buttons(explorer: Explorer) -> None:
    """Let the buttons act.

    Args:
        explorer: The explorer, complete but for this.
    """
    controls, page = explorer.controls, explorer.page
    controls.toolbar.connect(explorer.navigator, page)
    controls.defaults.on_click(lambda _: _go_to_defaults(explorer))
    controls.keep.on_click(lambda _: _keep(explorer))
    page.on_copied = lambda text: controls.show_status(messages.remark_html(messages.copied_text(text)))
    controls.export.on_click(lambda _: _save(explorer, "json", lambda: explorer.config.to_json(), JSON))
    controls.save.on_click(lambda _: _save(explorer, "safetensors", lambda: _bundle_bytes(explorer), BINARY))
    controls.report.on_click(lambda _: _save(explorer, "html", explorer.report, HTML))
    controls.page.on_click(lambda _: _save(explorer, "page.html", explorer.page_file, HTML))


def _go_to_defaults(explorer: Explorer) -> None:
    state = explorer.state
    hidden = f"&hide={','.join(state.hidden)}" if state.hidden else ""
    explorer.show_link(f"bundle={quote(state.bundle)}{hidden}")


def _keep(explorer: Explorer) -> None:
    before = explorer.state.snapshots
    explorer.state.keep_snapshot()
    kept = explorer.state.snapshots
    remark = f"Snapshot {letter(len(kept) - 1)} kept: see the plane, and the table below the plots."
    if before and before[0] not in kept:
        remark += f" At most {MAX_SNAPSHOTS} are kept: the oldest was removed, the others moved up."
    explorer.controls.show_status(messages.remark_html(remark))


def _bundle_bytes(explorer: Explorer) -> bytes:
    content = explorer.opened.engine.bundle.to_bytes()
    if len(content) > MAX_BUNDLE:
        raise MnutsError(
            f"This bundle is too large to be saved from the page ({len(content) / 2**20:,.0f} MiB): verify "
            "with mnuts evaluate --into, which adds the points to its file."
        )
    return content


def _save(explorer: Explorer, ending: str, content: Callable[[], str | bytes], mime: str) -> None:
    try:
        explorer.board.download(f"mnuts-{explorer.state.bundle}.{ending}", content(), mime)
    except MnutsError as error:
        explorer.header.refuse(str(error))
