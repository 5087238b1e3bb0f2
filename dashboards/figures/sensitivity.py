"""Slices of the search's objective (Fig. 9), as plain Plotly JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnuts_dashboards.figures.layout import Figure, above, axis, base_layout
from mnuts_dashboards.theme import WRONG

if TYPE_CHECKING:
    from mnuts_core.views.tradeoff import Sensitivity


def slices_figure(view: Sensitivity) -> Figure:
    """The search's objective, one slice a power p (Fig. 9); darker is better; a click goes there.

    Args:
        view: The objective over the grid, and the current parameters.
    """
    layout = base_layout("", "") | {"annotations": [], "margin": {"l": 56, "r": 70, "t": 24, "b": 44}}
    layout["coloraxis"] = {
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": "objective (%)", "side": "right"}, "thickness": 10},
    }
    traces: list[Figure] = []
    log_s, n = np.log10(view.s), len(view.p)
    columns = -(-n // 2) if n > 4 else n  # two rows, once one would be crowded
    for j, p in enumerate(view.p):
        number, (row, column) = j + 1, divmod(j, columns)
        two = n > columns
        left, width = column / columns, 0.93 / columns
        bottom, height = (0.57 if two and row == 0 else 0.0), (0.43 if two else 1.0)
        last = row == (n - 1) // columns or j + columns >= n
        traces.append(_slice(view, j, number))
        layout[axis("xaxis", number)] = {
            "domain": [left, left + width],
            "anchor": axis("y", number),
            "title": {"text": "bias c" if last else "", "standoff": 4},
            "nticks": 4,
            "range": _cell_edges(view.c),
        }
        layout[axis("yaxis", number)] = {
            "domain": [bottom, bottom + height],
            "anchor": axis("x", number),
            "range": _cell_edges(log_s),
            "tickvals": log_s,
            "ticktext": [f"{value:.3g}" for value in view.s] if column == 0 else [""] * len(view.s),
            "title": {"text": "scale s" if column == 0 else "", "standoff": 4},
        }
        layout["annotations"].append(above(f"p = {p:.2f}", left + width / 2, bottom + height))
    traces.append(_mark(view, view.best, "star-open", "best of the grid at this β"))
    traces.append(_mark(view, view.at, "circle-open", "current s and c"))
    return {"data": traces, "layout": layout}


def _mark(view: Sensitivity, at: tuple[float, float, float], symbol: str, name: str) -> Figure:
    """A mark at (s, p, c), in the slice whose p is nearest; none where p lies beyond all slices."""
    s, p, c = at
    low, high = _cell_edges(view.p)
    shown = low <= p <= high
    number = int(np.abs(view.p - p).argmin()) + 1
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [c] if shown else [],
        "y": [float(np.log10(s))] if shown else [],
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "name": name,
        "showlegend": False,
        "marker": {"color": WRONG, "size": 11, "symbol": symbol, "line": {"width": 2.5}},
        "hovertemplate": f"{name} (p = {p:.2f})<extra></extra>",
    }


def _cell_edges(values: np.ndarray) -> list[float]:
    """From the outer edge of a heat map's first cell to that of its last."""
    half = (values[1] - values[0]) / 2 if len(values) > 1 else 0.5
    return [float(values[0] - half), float(values[-1] + half)]


def _slice(view: Sensitivity, j: int, number: int) -> Figure:
    return {
        "type": "heatmap",
        "x": view.c,
        "y": np.log10(view.s),
        "z": 100 * view.objective[:, j, :],
        "customdata": np.broadcast_to(view.s[:, None], (len(view.s), len(view.c))),
        "coloraxis": "coloraxis",
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "meta": {"name": f"objective in % at p = {view.p[j]:.6g} (x: c, y: s)", "y": view.s},
        "hoverongaps": False,
        "hovertemplate": f"p = {view.p[j]:.2f}, s = %{{customdata:.3g}}, c = %{{x:.2f}}<br>"
        "objective %{z:.2f} %<extra></extra>",
    }
