"""Parts of the lesson's figures: a layout in letters for a projector, notes, lines across the plot."""

from __future__ import annotations

from typing import Any

from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.theme import MIX

SIZE = 16
"""Letters of axis titles, ticks and legends, in pixels."""
GUESS = "your guess"
GUESS_COLOUR = "#8a5fc7"
"""Not one of the classifiers' colours, nor right or wrong; with white letters on it in both themes."""

INK = "#111111"
"""Letters on the colours of right, wrong and the standard model."""


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


def tag_at(x: Any, y: float, text: str, colour: str, *, ink: str = "#ffffff", **more: Any) -> Figure:
    """A note on a ground of its own, of that colour, readable over bars and lines in either theme."""
    ground = {"bgcolor": colour, "borderpad": 3, "font": {"size": SIZE - 2, "color": ink}}
    return note_at(x, y, text, SIZE) | ground | more


def upright(x: float, colour: str, dash: str) -> Figure:
    """A line over the whole height of the plot."""
    line = {"color": colour, "width": 3, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def moving_line(x: float, ends: tuple[float, float], label: str, share: float, *, at: float = 0.66) -> Figure:
    """A dashed line over the plot that a slider moves, with its label.

    A trace and not a shape: the page draws a trace whose numbers change in place, a shape only by drawing the
    whole plot anew.

    Args:
        x: Where it stands.
        ends: Its lower and upper end, which the plot's vertical axis keeps to.
        label: What it is.
        share: Where it stands, as a share of the plot's width.
        at: Height of the label, as a share of the plot's.
    """
    low, high = ends
    return {
        "type": "scatter",
        "mode": "lines+text",
        "name": label.partition(" ")[0],
        "meta": {"furniture": True},
        "x": [x, x, x],
        "y": [low, low + at * (high - low), high],
        # Spaces and not nothing: Plotly keeps a node for them, so that a slider's frame finds the label's.
        "text": [" ", f"<b>\u00a0{label}\u00a0</b>", " "],
        "textposition": "middle left" if share > 0.6 else "middle right",
        "textfont": {"size": SIZE - 1},
        "line": {"color": MIX, "width": 3, "dash": "dash"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def beside(share: float) -> Figure:
    """On which side of its line a note stands, so that it stays within the plot."""
    left = share > 0.6
    return {"xanchor": "right" if left else "left", "xshift": -6 if left else 6}
