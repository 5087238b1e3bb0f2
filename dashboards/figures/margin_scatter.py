"""M(h)'s margin on each clean image, by whether g is right there, as a template over views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, base_layout
from mnuts_dashboards.figures.margins import LOG_TEXTS, LOG_TICKS, MOST_MARKED, log_place, selected_rows
from mnuts_dashboards.figures.template import Fields, at
from mnuts_dashboards.theme import MIX, MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.views.images import Images

MOST_POINTS = 800
"""Of more images every second, third, ... is drawn."""
SPREAD = 0.7
"""Of two strips, how much of its height the points of each fill."""
GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, spread evenly however many there are."""


def _scatter() -> Figure:
    points = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"M(h) {side}",
            "x": {"$": f"drawn.{side}"},
            "y": {"$": "drawn.y"},
            "customdata": {"$": "drawn.row"},
            "marker": {"color": translucent(colour, 0.65), "size": 5, "symbol": symbol},
            "hovertemplate": f"image %{{customdata}}, M(h) {side}<extra></extra>",
        }
        for side, colour, symbol in (("right", RIGHT, "circle"), ("wrong", WRONG, "x"))
    ]
    threshold = {
        "type": "scatter",
        "mode": "lines",
        "name": "(1−α)/α",
        "x": [{"$": "drawn.threshold"}, {"$": "drawn.threshold"}],
        "y": [-0.5, 1.5],
        "line": {"color": MIX, "width": 2, "dash": "dash"},
        "hoverinfo": "skip",
    }
    selected = {
        "type": "scatter",
        "mode": "markers",
        "name": "selected",
        "showlegend": {"$if": "drawn.selected.row", "then": True, "else": False},
        "x": {"$": "drawn.selected.x"},
        "y": {"$": "drawn.selected.y"},
        "customdata": {"$": "drawn.selected.row"},
        "marker": {"color": MUTED, "size": 9, "symbol": "circle-open", "line": {"width": 2}},
        "hovertemplate": "image %{customdata}<extra></extra>",
    }
    layout = base_layout("margin of M(h)", "", legend=True)
    layout["xaxis"] |= {
        "range": {"$": "drawn.range"},
        "tickvals": {"$": "drawn.ticks"},
        "ticktext": {"$": "drawn.tick_texts"},
    }
    layout["yaxis"] |= {"range": [-0.5, 1.5], "tickvals": [0, 1], "ticktext": ["g wrong", "g right"]}
    layout |= {"legend": LEGEND_BELOW, "dragmode": "select", "hovermode": "closest"}
    layout["margin"] |= {"l": 64, "b": 70}
    return {"data": [*points, threshold, selected], "layout": layout}


MARGIN_SCATTER = _scatter()


# --- what it draws beyond its view, as `charts/prepare/margin_scatter.js`
def prepare_margin_scatter(fields: Fields) -> Fields:
    """Points of a sample that no slider changes, each a little off its strip's middle, from `images`.

    Args:
        fields: Also `remix`, `options.log_margins`, and `selected`, the clean rows that are selected.
    """
    view, log = fields["images"], bool(at(fields, "options.log_margins"))
    n = len(view.margin)
    rows = np.arange(0, n, -(-n // MOST_POINTS) or 1)
    x, y = _places(view, rows, log=log)
    right = view.mapped_right[rows]
    counts = {
        f"{name}_{side}": int((mask & (view.mapped_right == (side == "right"))).sum())
        for name, mask in (("std_right", view.std_right), ("std_wrong", ~view.std_right))
        for side in ("right", "wrong")
    }
    axes = (LOG_TICKS, LOG_TEXTS) if log else ((0, 0.5, 1), ("0", "0.5", "1"))
    threshold = fields["remix"].threshold
    return {
        "right": [value if one else None for value, one in zip(x, right, strict=True)],
        "wrong": [None if one else value for value, one in zip(x, right, strict=True)],
        "y": y,
        "row": rows.tolist(),
        "shown": len(rows),
        "n": n,
        **counts,
        "threshold": log_place(threshold) if log else threshold,
        "range": [
            axes[0][0] - 0.02 * (axes[0][-1] - axes[0][0]),
            axes[0][-1] + 0.02 * (axes[0][-1] - axes[0][0]),
        ],
        "ticks": list(axes[0]),
        "tick_texts": list(axes[1]),
        "selected": _selected(view, at(fields, "selected"), log=log),
    }


def _places(view: Images, rows: np.ndarray, *, log: bool) -> tuple[list[float], list[float]]:
    margin = view.margin[rows].tolist()
    off = (rows * GOLDEN) % 1.0 - 0.5
    return [log_place(one) if log else one for one in margin], (view.std_right[rows] + SPREAD * off).tolist()


def _selected(view: Images, rows: Any, *, log: bool) -> Fields:
    shown = np.array(selected_rows(rows, len(view.margin))[:MOST_MARKED], int)
    x, y = _places(view, shown, log=log)
    return {"x": x, "y": y, "row": shown.tolist()}
