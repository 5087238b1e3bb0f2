"""What comes back from a board: what the visitor did on its plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EVENT_KINDS = ("click", "hover", "unhover", "select", "relayout")


@dataclass(frozen=True)
class BoardEvent:
    """What the visitor did on a plot.

    Attributes:
        panel: The panel's name.
        kind: One of :data:`EVENT_KINDS`.
        points: The points concerned, each with keys ``curve``, ``trace`` (its name), ``point``, ``x``, ``y``,
            ``customdata``.
        detail: For ``relayout`` the changed layout keys, e.g. ``{"xaxis.range[0]": 0.1}``; else empty.
    """

    panel: str
    kind: str
    points: tuple[dict[str, Any], ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
