"""Parts of the lesson's figures: a layout in letters for a projector, notes, lines across the plot."""

from __future__ import annotations

from typing import Any

from .figures_parts import Figure

SIZE = 16
"""Letters of axis titles, ticks and legends, in pixels."""
GUESS = "your guess"
GUESS_COLOUR = "#7a4fb5"
"""Not one of the classifiers' colours, nor right or wrong; with white letters on it in both themes."""


def lesson_layout(x: str, y: str, *, legend: bool = False) -> Figure:
    """The layout that the lesson's figures start from.

    Args:
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        legend: Whether there is a legend, above the plot.
    """

    def axis(title: str) -> Figure:
        return {
            "title": {"text": title, "standoff": 8, "font": {"size": SIZE}},
            "tickfont": {"size": SIZE - 1},
            "zeroline": False,
        }

    return {
        "font": {"size": SIZE},
        "margin": {"l": 64, "r": 16, "t": 44 if legend else 16, "b": 44},
        "xaxis": axis(x),
        "yaxis": axis(y),
        "showlegend": legend,
        "legend": {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "font": {"size": SIZE - 1}},
        "hoverlabel": {"font": {"size": SIZE - 1}},
    }


def note_at(x: Any, y: float, text: str, size: int, **more: Any) -> Figure:
    """Words at a point; `more` are further settings of the annotation."""
    note = {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size}}
    return note | more


def tag_at(x: Any, y: float, text: str, colour: str, **more: Any) -> Figure:
    """A note on a ground of its own, readable over bars and lines in either theme."""
    ground = {"bgcolor": colour, "borderpad": 3, "font": {"size": SIZE - 2, "color": "#ffffff"}}
    return note_at(x, y, text, SIZE) | ground | more


def upright(x: float, colour: str, dash: str) -> Figure:
    """A line over the whole height of the plot."""
    line = {"color": colour, "width": 3, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def beside(share: float) -> Figure:
    """On which side of its line a note stands, so that it stays within the plot."""
    left = share > 0.6
    return {"xanchor": "right" if left else "left", "xshift": -6 if left else 6}
