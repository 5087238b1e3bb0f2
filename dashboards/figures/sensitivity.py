"""Slices of the search's objective (Fig. 9), as a template over views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import Figure, above, axis, base_layout, empty
from mnuts_dashboards.figures.template import Fields, at, fill
from mnuts_dashboards.theme import WRONG

if TYPE_CHECKING:
    from mnuts_core.views.tradeoff import Sensitivity


def slices_figure(view: Sensitivity) -> Figure:
    """The search's objective, one slice a power p (Fig. 9); darker is better; a click goes there.

    Args:
        view: The objective over the grid, and the current parameters.
    """
    fields = {"sensitivity": view}
    figure: Figure = fill(SLICES, fields | {"drawn": prepare_slices(fields)})
    return figure


# --- the template
_SLICE: Figure = {
    "$each": "drawn.slices",
    "type": "heatmap",
    "x": {"$": "sensitivity.c"},
    "y": {"$": "drawn.log_s"},
    "z": {"$": "item.objective"},
    "customdata": {"$": "drawn.s_of_cells"},
    "coloraxis": "coloraxis",
    "xaxis": {"$": "item.x"},
    "yaxis": {"$": "item.y"},
    "meta": {
        "name": {"$text": "objective in % at p = {item.p:.6g} (x: c, y: s)"},
        "y": {"$": "sensitivity.s"},
    },
    "hoverongaps": False,
    "hovertemplate": {
        "$text": "p = {item.p:.2f}, s = %{customdata:.3g}, c = %{x:.2f}<br>"
        "objective %{z:.2f} %<extra></extra>"
    },
}

_MARK: Figure = {
    "$each": "drawn.marks",
    "type": "scatter",
    "mode": "markers+text",
    "x": {"$": "item.c"},
    "y": {"$": "item.log_s"},
    "text": {"$": "item.text"},
    "textposition": "top center",
    "textfont": {"color": WRONG, "size": 11},
    "xaxis": {"$": "item.x"},
    "yaxis": {"$": "item.y"},
    "name": {"$": "item.name"},
    "meta": {"name": {"$": "item.name"}, "y": {"$": "item.s"}},
    "showlegend": False,
    "marker": {"color": WRONG, "size": 11, "symbol": {"$": "item.symbol"}, "line": {"width": 2.5}},
    "hovertemplate": {"$text": "{item.name} (p = {item.p:.2f})<extra></extra>"},
}


def _slices() -> Any:
    layout = base_layout("", "") | {"margin": {"l": 56, "r": 70, "t": 24, "b": 44}}
    layout["annotations"] = [above("", 0, 0) | _TITLE]
    layout["coloraxis"] = {
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": "objective (%)", "side": "right"}, "thickness": 10},
    }
    layout["$entries"] = [
        {"$each": "drawn.slices", "$key": "item.xaxis", "value": _X_AXIS},
        {"$each": "drawn.slices", "$key": "item.yaxis", "value": _Y_AXIS},
    ]
    none = empty("It needs a search of the grid: Find best.")
    return {"$if": "sensitivity", "then": {"data": [_SLICE, _MARK], "layout": layout}, "else": none}


_TITLE = {
    "$each": "drawn.slices",
    "text": {"$text": ["p {item.p:.2f}", {"$if": "item.shown", "else": ": left out"}]},
    "font": {"size": 11},
    "x": {"$": "item.middle"},
    "y": {"$": "item.top"},
}

_X_AXIS = {
    "visible": {"$": "item.shown"},
    "domain": {"$": "item.x_domain"},
    "anchor": {"$": "item.y"},
    "title": {"text": {"$if": "item.last", "then": "bias c", "else": ""}, "standoff": 4},
    "nticks": 4,
    "range": {"$": "drawn.c_range"},
}

_Y_AXIS = {
    "visible": {"$": "item.shown"},
    "domain": {"$": "item.y_domain"},
    "anchor": {"$": "item.x"},
    "range": {"$": "drawn.s_range"},
    "tickvals": {"$": "drawn.log_s"},
    "ticktext": {"$if": "item.first", "then": {"$": "drawn.s_texts"}, "else": {"$": "drawn.no_texts"}},
    "title": {"text": {"$if": "item.first", "then": "scale s", "else": ""}, "standoff": 4},
}

SLICES = _slices()


NO_STEP = 1e-6
"""A p this close to a slice's is that one."""


# --- what it draws beyond its view, as `charts/prepare/sensitivity.js`
def prepare_slices(fields: Fields) -> Fields | None:
    """One subplot a power p, and the marks of two mixes, from `sensitivity`; None before a search."""
    view = at(fields, "sensitivity")
    if view is None:
        return None
    log_s = np.log10(view.s)
    marks = [
        _mark(view, view.best, "star-open", "best of the grid at this β"),
        _mark(view, view.at, "circle-open", "current s and c"),
    ]
    return {
        "log_s": log_s,
        "c_range": _cell_edges(view.c),
        "s_range": _cell_edges(log_s),
        "s_texts": [f"{value:.3g}" for value in view.s],
        "no_texts": [""] * len(view.s),
        "s_of_cells": np.broadcast_to(view.s[:, None], (len(view.s), len(view.c))),
        "slices": [_slice(view, j, marks) for j in range(len(view.p))],
        "marks": marks,
        "outside": not _inside(view),
        "importance": _importance(view),
    }


def _importance(view: Sensitivity) -> dict[str, str]:
    """By how many points the objective rises, at most, one step from the best cell along each axis."""
    axes = {"s": view.s, "p": view.p, "c": view.c}
    best = [int(np.abs(values - at).argmin()) for values, at in zip(axes.values(), view.best, strict=True)]
    found = {}
    for axis_number, (name, values) in enumerate(axes.items()):
        steps = [best[axis_number] + step for step in (-1, 1)]
        cells = [
            tuple(step if i == axis_number else place for i, place in enumerate(best))
            for step in steps
            if 0 <= step < len(values)
        ]
        rises = [100 * float(view.objective[cell] - view.objective[tuple(best)]) for cell in cells]
        known = [rise for rise in rises if np.isfinite(rise)]
        found[name] = f"{max(known):.2f}" if known else "–"
    return found


def _inside(view: Sensitivity) -> bool:
    """Whether the current mix lies in a cell of the grid, or between two slices."""
    s, p, c = view.at
    placed = ((np.log10(view.s), float(np.log10(s))), (view.p, p), (view.c, c))
    return all(low <= value <= high for axes, value in placed for low, high in [_cell_edges(axes)])


def _slice(view: Sensitivity, j: int, marks: Sequence[Fields]) -> Fields:
    """A subplot; Plotly makes none for a heat map without a number, and has no place for its axes then."""
    n = len(view.p)
    columns = -(-n // 2) if n > 4 else n  # two rows, once one would be crowded
    number, (row, column), two = j + 1, divmod(j, columns), n > columns
    left, width = column / columns, 0.93 / columns
    bottom, height = (0.57 if two and row == 0 else 0.0), (0.43 if two else 1.0)
    objective, axes = 100 * view.objective[:, j, :], _axes(number)
    marked = any(mark["c"] and mark["x"] == axes["x"] for mark in marks)
    return {
        "p": float(view.p[j]),
        "objective": objective,
        "shown": marked or bool(np.isfinite(objective).any()),
        **axes,
        "xaxis": axis("xaxis", number),
        "yaxis": axis("yaxis", number),
        "x_domain": [left, left + width],
        "y_domain": [bottom, bottom + height],
        "middle": left + width / 2,
        "top": bottom + height,
        "first": column == 0,
        "last": row == (n - 1) // columns or j + columns >= n,
    }


def _axes(number: int) -> dict[str, str]:
    return {"x": axis("x", number), "y": axis("y", number)}


def _mark(view: Sensitivity, at: tuple[float, float, float], symbol: str, name: str) -> Fields:
    """A mark at (s, p, c), in the slice whose p is nearest, and with p beside it where that is another.

    None where p lies beyond all slices.
    """
    s, p, c = at
    low, high = _cell_edges(view.p)
    shown = low <= p <= high
    nearest = int(np.abs(view.p - p).argmin())
    between = abs(float(view.p[nearest]) - p) > NO_STEP
    return {
        "c": [c] if shown else [],
        "s": [s] if shown else [],
        "log_s": [float(np.log10(s))] if shown else [],
        # a space and not nothing: Plotly keeps a node for it, so that a frame finds the label's place
        "text": [f"p = {p:.3g}" if between else " "] if shown else [],
        "p": p,
        "symbol": symbol,
        "name": name,
        **_axes(nearest + 1),
    }


def _cell_edges(values: np.ndarray) -> list[float]:
    """From the outer edge of a heat map's first cell to that of its last."""
    half = (values[1] - values[0]) / 2 if len(values) > 1 else 0.5
    return [float(values[0] - half), float(values[-1] + half)]
