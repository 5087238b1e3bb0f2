"""What a board is made of, and what comes back from it: panels, and what the visitor did on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EVENT_KINDS = ("click", "hover", "unhover", "select", "relayout")


@dataclass(frozen=True)
class Panel:
    """One plot's place on the board.

    Attributes:
        name: Key of the plot in :meth:`Board.draw`, and the stem of its downloads.
        title: Heading above the plot.
        span: Width in columns of the board's 12-column grid, 1 to 12.
        height: Height of the plot in pixels.
        note: What the plot shows, for screen readers; also the small line under the title until a draw sets
            one.
    """

    name: str
    title: str
    span: int = 6
    height: int = 320
    note: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.span <= 12:
            raise ValueError(f"Panel {self.name!r}: span must be 1 to 12 columns, got {self.span}.")
        if self.height < 80:
            raise ValueError(f"Panel {self.name!r}: height must be at least 80 pixels, got {self.height}.")


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
