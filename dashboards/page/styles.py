"""The style sheets of a page: those that lie beside its modules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mnuts_dashboards.page.modules import WEB, Module

ROOMS = ("charts", "controls", "app")
"""Folders of `web` whose style sheets come before those of the app itself."""


def styles(modules: Iterable[Module], folder: Path = WEB) -> str:
    """The style sheets that lie beside modules, in one: those of shared rooms first.

    Args:
        modules: The modules of the page.
        folder: Where all modules are.
    """
    rooms = {module.name.split("/")[0] for module in modules}
    in_order = sorted(rooms, key=lambda room: (ROOMS.index(room) if room in ROOMS else len(ROOMS), room))
    sheets = (
        sheet.read_text("utf-8") for room in in_order for sheet in sorted((folder / room).rglob("*.css"))
    )
    return "".join(sheets).replace("<", r"\3c ")
