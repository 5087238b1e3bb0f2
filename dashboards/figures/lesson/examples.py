"""The lesson's figures of single images and single logits, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.examples import simplex_figure
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.lesson.layout import SIZE, lesson_layout, moving_line, note_at
from mnuts_dashboards.figures.transform import clamp_figure
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import MIX, MUTED, ROB, translucent

if TYPE_CHECKING:
    from mnuts_core.views.examples import SimplexCase
    from mnuts_core.views.transform import TransformCurve

ROOMY = 0.1
"""A bar of this probability holds its number."""


def probability_figure(
    classes: Sequence[Any], series: Sequence[tuple[str, Any, str | Sequence[str]]]
) -> Figure:
    """Probabilities of a few classes as bars (Fig. 3), one colour a series.

    Args:
        classes: Names, from left to right; or two lists, of groups and of the names within them.
        series: Name, probabilities in [0, 1] and colour; a list of colours paints each bar.
    """
    traces = [
        {
            "type": "bar",
            "x": list(classes),
            "y": np.asarray(values, np.float64),
            "name": name,
            "marker": {"color": colour},
            "text": [f"{value:.2f}" if value >= 0.005 else "" for value in values],
            "textposition": "outside",
            "textangle": 0,
            "cliponaxis": False,
            "textfont": {"size": SIZE - 2},
            "hovertemplate": f"%{{x}}<br>{name}: %{{y:.4f}}<extra></extra>",
        }
        for name, values, colour in series
    ]
    layout = lesson_layout("", "probability", legend=len(series) > 1)
    layout["yaxis"] |= {"range": [0, 1.1], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    grouped = not isinstance(classes[0], str)
    layout["xaxis"] |= {"type": "multicategory" if grouped else "category", "fixedrange": True}
    layout["barmode"] = "group"
    return {"data": traces, "layout": layout}


def lead_figure(classes: Sequence[str], probabilities: Any, colours: Sequence[str], lead: float) -> Figure:
    """One classifier's probabilities, with the lead of the first class over the second marked.

    Args:
        classes: Names, the most probable first.
        probabilities: Shape (k,), descending.
        colours: One a bar.
        lead: The confidence margin.
    """
    figure = probability_figure(classes, [("probability", probabilities, list(colours))])
    # within the bars where there is room: the lines of the lead must not strike a number out
    places = ["inside" if value >= ROOMY else "outside" for value in probabilities]
    figure["data"][0] |= {"textposition": places, "insidetextanchor": "middle"}
    first, second = float(probabilities[0]), float(probabilities[1])
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "line": {"color": MUTED, "dash": "dot"}}
    middle = 1.5 if len(classes) > 2 else 0.5  # between two bars
    between = {
        "type": "line",
        "x0": middle,
        "x1": middle,
        "y0": second,
        "y1": first,
        "line": {"color": MIX, "width": 5},
    }
    figure["layout"]["shapes"] = [line | {"y0": y, "y1": y} for y in (first, second)] + [between]
    note = note_at(0.98, 1.0, f"margin {lead:.3f}", SIZE + 4, xref="paper", yref="paper", xanchor="right")
    figure["layout"]["annotations"] = [note | {"yanchor": "bottom"}]
    figure["layout"]["margin"]["t"] = 36
    return figure


def triangle_figure(cases: Sequence[SimplexCase]) -> Figure:
    """Trajectories on the simplex (Fig. 4), in the lesson's letters."""
    figure = _enlarged(simplex_figure(cases))
    layout = figure["layout"]
    layout["margin"] |= {"t": 12, "b": 48}
    left, right = layout["xaxis"]["range"]
    layout["xaxis"]["range"] = [left - 0.2, right + 0.1]  # room for larger letters at the corners
    lower = [note for note in layout["annotations"] if note["y"] < 0]
    for number, note in enumerate(lower):  # left and right corners in turn: names grow towards each other
        side, way = (("left", -0.1), ("right", 0.1))[number % 2]
        note |= {"xanchor": side, "x": note["x"] + way, "y": note["y"] - 0.08}  # τ stands between
    layout["yaxis"]["range"] = [layout["yaxis"]["range"][0] - 0.08, 1.0]
    titles = [note for note in layout["annotations"] if note.get("yref") == "paper"]
    for note in titles:  # beside the upper corner and not above it, where they would read as its name
        note |= {"x": note["x"] - 0.75, "xanchor": "left", "yanchor": "top", "text": f"<b>{note['text']}</b>"}
    for trace in figure["data"]:
        if "textfont" in trace:
            trace["textfont"] = {"size": SIZE - 4}
    return figure


def cutoff_figure(curve: TransformCurve, c: float) -> Figure:
    """The clamp over the densities of the layer-normed logits, with its cutoff marked.

    Args:
        curve: The transform with s = p = 1.
        c: The bias; the cutoff lies at -c.
    """
    figure = _enlarged(clamp_figure(curve, ln=True))
    layout = figure["layout"]
    figure["data"][-1]["name"] = "clamp(z + c)"
    figure["data"][-1]["hovertemplate"] = "z = %{x:.2f}<br>clamp(z + c) = %{y:.3f}<extra></extra>"
    layout["xaxis"]["title"]["text"] = "layer-normed logit z"
    left, right = float(curve.z[0]), float(curve.z[-1])
    low, high = -0.6, max(right + 1.0, 1.0)
    layout["xaxis"]["range"] = [left, right]
    layout["yaxis"]["title"]["text"] = "clamp(z + c)"
    layout["yaxis"]["range"] = [low, high]
    peak = 1.25 * max(float(curve.rest.max()), float(curve.top.max()), 1e-9)
    layout["yaxis2"]["range"] = [peak * low / high, peak]  # the hills stand on the curve's own zero line
    for trace, colour, opacity in zip(figure["data"], (MUTED, ROB), (0.3, 0.4), strict=False):
        trace["fillcolor"] = translucent(colour, opacity)
    label = minus(f"cutoff z = {-c + 0.0:.2f}")
    figure["data"].append(moving_line(-c, (low, high), label, (-c - left) / (right - left), at=0.92))
    return figure


def _enlarged(figure: Figure) -> Figure:
    """A figure of the explorer in the lesson's letters."""
    layout = {
        key: dict(value) if isinstance(value, dict) else value for key, value in figure["layout"].items()
    }
    layout["font"] = {"size": SIZE}
    for key in layout:
        if key.startswith(("xaxis", "yaxis")):
            title = layout[key].get("title", {})
            layout[key] |= {"tickfont": {"size": SIZE - 1}, "title": title | {"font": {"size": SIZE}}}
    if "legend" in layout:
        layout["legend"] = layout["legend"] | {"font": {"size": SIZE - 1}}
    layout["annotations"] = [
        note | {"font": {"size": max(SIZE, note.get("font", {}).get("size", 0))}}
        for note in layout.get("annotations", [])
    ]
    return {"data": [dict(trace) for trace in figure["data"]], "layout": layout}
