"""A plot's place on a page, without anything of how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One plot's place on a page.

    Attributes:
        name: Key of the plot, and the stem of its downloads.
        title: Heading above the plot.
        span: Width in columns of the page's 12-column grid, 1 to 12.
        height: Height of the plot in pixels.
        note: The small line under the title, where nothing else stands there.
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
