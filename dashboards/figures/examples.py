"""Single cases: paths on the simplex (Fig. 4), probabilities (Fig. 3), as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, above, axis, base_layout
from mnuts_dashboards.theme import MAPPED, MIX, MUTED, ROB, STD

if TYPE_CHECKING:
    from mnuts_core.functional.simplex import Trajectory
    from mnuts_core.views.examples import Bars, SimplexCase

TAU_MARKS = (3.0, 0.06, 0.003)
"""The temperatures that the paper's Fig. 4 marks."""
BAR_COLOURS = {"g": STD, "h": ROB, "M(h)": MAPPED, "mix": MIX}
BAR_NAMES = {"g": "standard g", "h": "robust h", "M(h)": "transformed M(h)", "mix": "this mix"}


def simplex_figure(cases: Sequence[SimplexCase]) -> Figure:
    """Trajectories on the probability simplex, raw and transformed (Fig. 4), one triangle a case."""
    traces: list[Figure] = []
    layout = base_layout("", "", legend=True)
    layout["annotations"] = []
    layout["margin"] = {"l": 8, "r": 8, "t": 30, "b": 30}
    for name in ("xaxis", "yaxis"):
        layout[name] = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout["yaxis"] |= {"scaleanchor": "x", "range": [-0.12, 1.0]}
    layout["xaxis"] |= {"range": [-0.15, 1.35 * len(cases) - 0.2]}
    layout["legend"] = LEGEND_BELOW
    for number, case in enumerate(cases):
        traces += _triangle(case, 1.35 * number, first=number == 0)
        layout["annotations"] += _corner_names(case, 1.35 * number)
    return {"data": traces, "layout": layout}


def _triangle(case: SimplexCase, shift: float, *, first: bool) -> list[Figure]:
    corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)], [0, 0]])
    outline = {
        "type": "scatter",
        "mode": "lines",
        "x": corners[:, 0] + shift,
        "y": corners[:, 1],
        "line": {"color": MUTED, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    paths = []
    for name, path, at, colour, symbol in (
        ("raw σ(h/τ)", case.raw, case.raw_at, ROB, "square"),
        ("transformed σ(M(h)/τ)", case.transformed, case.at, MAPPED, "circle"),
    ):
        common = {"type": "scatter", "legendgroup": name, "hovertemplate": _SIMPLEX_HOVER}
        paths += [
            common
            | {
                "mode": "lines",
                "name": name,
                "showlegend": first,
                "x": path.xy[:, 0] + shift,
                "y": path.xy[:, 1],
                "customdata": np.column_stack([path.probabilities, path.tau]),
                "line": {"color": colour, "width": 2.5},
            },
            _tau_marks(name, path, shift, colour, "bottom right" if symbol == "circle" else "top left"),
            {
                "type": "scatter",
                "mode": "markers",
                "legendgroup": name,
                "showlegend": False,
                "x": [float(at[0]) + shift],
                "y": [float(at[1])],
                "marker": {"color": colour, "size": 11, "symbol": symbol},
                "hovertemplate": f"{name} at τ = 1<extra></extra>",
            },
        ]
    return [outline, *paths]


def _tau_marks(name: str, path: Trajectory, shift: float, colour: str, place: str) -> Figure:
    """Dots at the paper's temperatures, each with its τ unless it would stand on the one before."""
    at = [int(np.abs(np.log(path.tau / tau)).argmin()) for tau in TAU_MARKS]
    gaps = [float(np.linalg.norm(path.xy[i] - path.xy[j])) for i, j in pairwise(at)]
    # A space and not nothing: Plotly keeps a node for it, so that a slider's frame finds the label's place.
    text = [f"{tau:g}" if gap > 0.14 else " " for tau, gap in zip(TAU_MARKS, [1.0, *gaps], strict=True)]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "legendgroup": name,
        "showlegend": False,
        "meta": f"{name}, marks",
        "x": path.xy[at, 0] + shift,
        "y": path.xy[at, 1],
        "text": text,
        "textposition": place,
        "textfont": {"size": 10},  # the colour of text: readable on dark paper as well
        "cliponaxis": False,
        "customdata": np.column_stack([path.probabilities[at], path.tau[at]]),
        "marker": {"color": colour, "size": 6},
        "hovertemplate": _SIMPLEX_HOVER,
    }


_SIMPLEX_HOVER = (
    "τ = %{customdata[3]:.3g}<br>"
    "(%{customdata[0]:.3f}, %{customdata[1]:.3f}, %{customdata[2]:.3f})<extra></extra>"
)


def _corner_names(case: SimplexCase, shift: float) -> list[Figure]:
    places = ((0, -0.02, "top"), (1, -0.02, "top"), (0.5, 0.88, "bottom"))
    names = [
        {"x": x + shift, "y": y, "yanchor": anchor, "text": name, "showarrow": False, "font": {"size": 13}}
        for (x, y, anchor), name in zip(places, case.corners, strict=True)
    ]
    title = {
        "x": 0.5 + shift,
        "xanchor": "center",
        "y": 1.0,
        "yref": "paper",
        "yanchor": "bottom",
        "text": case.name,
        "showarrow": False,
        "font": {"size": 12},
    }
    return [*names, title]


def bars_figure(cases: Sequence[Bars]) -> Figure:
    """Probabilities of single examples (Fig. 3), one group of bars a class; the true class is marked.

    Args:
        cases: The examples, side by side.
    """
    layout = base_layout("", "probability", legend=True)
    layout |= {"barmode": "group", "bargap": 0.3, "annotations": [], "legend": LEGEND_BELOW}
    layout["margin"] = {"l": 48, "r": 8, "t": 30, "b": 58}
    traces: list[Figure] = []
    for place, case in enumerate(cases):
        number, width = place + 1, 1.0 / len(cases)
        names = [f"<b>{n} ✓</b>" if i == case.label else n for i, n in enumerate(case.classes)]
        for key, values in case.values.items():
            traces.append(_probability_bars(key, names, values, number, case.margin[key]))
        layout[axis("xaxis", number)] = {
            "domain": [place * width, (place + 1) * width - (0.02 if number < len(cases) else 0.0)],
            "anchor": axis("y", number),
            "type": "category",
        }
        layout[axis("yaxis", number)] = {
            "anchor": axis("x", number),
            "range": [0, 1.02],
            "showticklabels": not place,  # all have the first one's scale
            "title": {"text": "" if place else "probability", "standoff": 6},
        }
        layout["annotations"].append(above(case.name, (place + 0.5) * width, 1.02))
    return {"data": traces, "layout": layout}


def _probability_bars(key: str, names: list[str], values: np.ndarray, number: int, margin: float) -> Figure:
    return {
        "type": "bar",
        "name": BAR_NAMES[key],
        "legendgroup": key,
        "showlegend": number == 1,
        "meta": f"{BAR_NAMES[key]}, case {number}, margin {margin:.4f}",
        "x": names,
        "y": values,
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "marker": {"color": BAR_COLOURS[key]},
        "hovertemplate": f"%{{x}}<br>{BAR_NAMES[key]} %{{y:.4f}}<br>margin {margin:.4f}<extra></extra>",
    }
