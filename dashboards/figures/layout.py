"""Parts that several figures share: layouts, names of a subplot's axes, a title above it, the legend below.

A figure is plain Plotly JSON: drawing only, no computing. The same description serves the board, a
notebook's `go.Figure(...)`, PNG export and reports. Colours of text, grid and paper are left to the page,
which knows whether it is dark.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Figure = dict[str, Any]
"""Plain Plotly JSON, or a part of it; arrays may be NumPy's."""

CLASSIFIERS = ("g", "h", "LN h", "M(h)")
"""Columns of the margin plots: standard, robust, layer-normed robust, transformed robust."""

LEGEND_BELOW: Figure = {
    "orientation": "h",
    "x": 0,
    "y": 0,
    "yref": "container",
    "yanchor": "bottom",
    "font": {"size": 11},
    "tracegroupgap": 0,
    "maxheight": 0.6,
}


def base_layout(x: str, y: str, *, legend: bool = False) -> Figure:
    """The layout that the explorer's figures start from.

    Args:
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        legend: Whether there is a legend.
    """
    return {
        "margin": {"l": 56, "r": 12, "t": 12, "b": 44},
        "xaxis": {"title": {"text": x, "standoff": 6}, "zeroline": False},
        "yaxis": {"title": {"text": y, "standoff": 6}, "zeroline": False},
        "showlegend": legend,
    }


def at_points(part: str, *, attacked_itself: bool) -> str:
    """A part of the bundle as a classifier meets it: of g's points none may have been found against it.

    Args:
        part: What it is to the others, such as `clean`, `attacked` or `attacked wrong`.
        attacked_itself: Whether the classifier stands at its own points.

    Example:
        >>> at_points("attacked wrong", attacked_itself=True)
        'attacked wrong'
        >>> at_points("attacked wrong", attacked_itself=False)
        "wrong at h's attack points (not attacked)"
    """
    if attacked_itself or not part.startswith("attacked"):
        return part
    return f"{part.removeprefix('attacked')} at h's attack points (not attacked)".strip()


def part_at(part: str, itself: str) -> Any:
    """`at_points` as a template, of a classifier of which a field says whether it was attacked itself.

    Args:
        part: See `at_points`.
        itself: Path of the field.
    """
    other = at_points(part, attacked_itself=False)
    return part if other == part else {"$if": itself, "then": part, "else": other}


def axis(name: str, number: int) -> str:
    """An axis of a subplot, as a trace names it (`x`) or the layout (`xaxis`); subplots count from 1.

    Example:
        >>> axis("x", 1), axis("x", 2), axis("xaxis", 2)
        ('x', 'x2', 'xaxis2')
    """
    return name if number == 1 else f"{name}{number}"


def above(text: str, x: float, y: float, anchor: str = "center") -> Figure:
    """A line of text that stands on a point of the paper."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "xanchor": anchor,
        "xref": "paper",
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
    }


def empty(text: str) -> Figure:
    """A plot that says why it shows nothing."""
    layout = base_layout("", "") | {"annotations": [above(text, 0.5, 0.5)]}
    layout["xaxis"]["visible"] = layout["yaxis"]["visible"] = False
    return {"data": [], "layout": layout}


def round_up(value: float) -> float:
    """The next round number: the end of an axis that need not change at every move of a slider.

    Example:
        >>> round_up(0.23), round_up(7.0), round_up(0.0)
        (0.3, 8.0, 1.0)
    """
    if not 0 < value < np.inf:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))
    )
