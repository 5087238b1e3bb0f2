"""Colours and words that stand for the same thing in every view.

The palette is Okabe and Ito's (2008), which stays apart for colour-blind readers and on dark and light.
"""

from __future__ import annotations

from mnuts_core.views import colours

MIX, PLAIN, ROB, STD = colours.MIX, colours.PLAIN, colours.ROB, colours.STD

RIGHT = "#56B4E9"
WRONG = "#D55E00"
"""Right and wrong predictions."""

MUTED = "#8c8c8c"

MAPPED = "#66C2A5"
"""M(h) by itself: a lighter shade of the mix that it goes into."""

PAGE: dict[str, dict[str, str]] = {
    "light": {
        "ground": "#ffffff",
        "text": "#1f2328",
        "muted": "#59636e",
        "line": "#d1d9e0",
        "grid": "rgba(209,217,224,0.6)",
    },
    "dark": {
        "ground": "#15191e",
        "text": "#e3e8ee",
        "muted": "#9aa5b1",
        "line": "#3a424b",
        "grid": "rgba(58,66,75,0.6)",
    },
}
"""The paper that plots stand on: its colour, and those of text, of lesser text, of axes and of the grid."""
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'

CLASSIFIER: dict[str, str] = {
    "std": STD,
    "rob": ROB,
    "mapped": MAPPED,
    "adaptive": MUTED,
    "plain": PLAIN,
    "mix": MIX,
}


def translucent(colour: str, alpha: float) -> str:
    """A hex colour as rgba.

    Args:
        colour: Such as "#0072B2".
        alpha: Opacity in [0, 1].
    """
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
