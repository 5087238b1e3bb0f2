"""Single cases: paths on the simplex (Fig. 4), probabilities (Fig. 3), as templates over views.

The paper's two cases stand there twice: under the transform that gives the printed margins, and under the
visitor's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, above, axis, base_layout
from mnuts_dashboards.figures.names import label, whole
from mnuts_dashboards.figures.template import Fields, fill
from mnuts_dashboards.theme import MAPPED, MIX, MUTED, ROB, STD

if TYPE_CHECKING:
    from mnuts_core.functional.simplex import Trajectory
    from mnuts_core.views.examples import Bars, SimplexCase

CASES = 2
"""At most so many stand side by side."""
TAU_MARKS = (3.0, 0.06, 0.003)
"""The temperatures that the paper's Fig. 4 marks."""
APART = 0.14
"""A dot that is nearer to the one before has no label."""
TITLE_ROOM = 60
"""Characters of a single example's title, which ends in the name of its class."""
STEP = 1.35
"""From one triangle to the next."""
BAR_COLOURS = {"g": STD, "h": ROB, "printed": MUTED, "M(h)": MAPPED, "mix": MIX}
BAR_NAMES = {
    "g": "standard g",
    "h": "robust h",
    "printed": "M(h) as in Fig. 3",
    "M(h)": "transformed M(h)",
    "mix": "this mix",
}
MARGIN_NAMES = {"g": "g", "h": "h", "printed": "Fig. 3", "M(h)": "M(h)", "mix": "mix"}
"""What they are called in the line of margins."""


def simplex_figure(cases: Sequence[SimplexCase]) -> Figure:
    """Trajectories on the probability simplex, raw and transformed (Fig. 4), one triangle a case."""
    fields = {"simplex": cases}
    figure: Figure = fill(SIMPLEX, fields | {"drawn": prepare_simplex(fields)})
    return figure


def bars_figure(cases: Sequence[Bars]) -> Figure:
    """Probabilities of single examples (Fig. 3), one group of bars a class; the true class is marked.

    Args:
        cases: The examples, side by side.
    """
    fields = {"bars": cases}
    figure: Figure = fill(BARS, fields | {"drawn": prepare_bars(fields)})
    return figure


# --- the simplex
def _simplex() -> Figure:
    layout = base_layout("", "", legend=True)
    layout["margin"] = {"l": 14, "r": 14, "t": 30, "b": 30}
    for name in ("xaxis", "yaxis"):
        layout[name] = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout["yaxis"] |= {"scaleanchor": "x", "range": [-0.12, 1.0]}
    layout["xaxis"] |= {"range": [-0.15, {"$": "drawn.right"}]}
    layout["legend"] = LEGEND_BELOW
    layout["annotations"] = [note for number in range(CASES) for note in _corner_names(number)]
    traces = [trace for number in range(CASES) for trace in _triangle(number)]
    return {"data": traces, "layout": layout}


_CORNERS = ((0.0, 0.0), (1.0, 0.0), (0.5, float(np.sqrt(0.75))), (0.0, 0.0))


def _triangle(number: int) -> list[Figure]:
    shift, case = STEP * number, f"drawn.cases.{number}"
    outline = {
        "$if": case,
        "type": "scatter",
        "mode": "lines",
        "x": [x + shift for x, _ in _CORNERS],
        "y": [y for _, y in _CORNERS],
        "line": {"color": MUTED, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    paths: list[Figure] = []
    for name, path, colour, symbol in (
        ("raw σ(h/τ)", f"{case}.raw", ROB, "square"),
        ("as in Fig. 3 and 4", f"{case}.printed", MUTED, "diamond"),
        ("transformed σ(M(h)/τ)", f"{case}.transformed", MAPPED, "circle"),
    ):
        common = {"$if": path, "type": "scatter", "legendgroup": name}
        paths += [
            common
            | {
                "mode": "lines",
                "name": name,
                "showlegend": number == 0,
                "x": {"$": f"{path}.x"},
                "y": {"$": f"{path}.y"},
                "customdata": {"$": f"{path}.hover"},
                "line": {"color": colour, "width": 2.5},
                "hovertemplate": _SIMPLEX_HOVER,
            },
            common | _tau_marks(name, path, colour, "top left" if symbol == "square" else "bottom right"),
            common
            | {
                "showlegend": False,
                "mode": "markers",
                "x": [{"$": f"{path}.at.0"}],
                "y": [{"$": f"{path}.at.1"}],
                "marker": {"color": colour, "size": 11, "symbol": symbol},
                "hovertemplate": f"{name} at τ = 1<extra></extra>",
            },
        ]
    return [outline, *paths]


def _tau_marks(name: str, path: str, colour: str, place: str) -> Figure:
    """Dots at the paper's temperatures, each with its τ unless it would stand on the one before."""
    return {
        "mode": "markers+text",
        "showlegend": False,
        "meta": f"{name}, marks",
        "x": {"$": f"{path}.marks.x"},
        "y": {"$": f"{path}.marks.y"},
        "text": {"$": f"{path}.marks.text"},
        "textposition": place,
        "textfont": {"size": 10},  # the colour of text: readable on dark paper as well
        "cliponaxis": False,
        "customdata": {"$": f"{path}.marks.hover"},
        "marker": {"color": colour, "size": 6},
        "hovertemplate": _SIMPLEX_HOVER,
    }


_SIMPLEX_HOVER = (
    "τ = %{customdata[3]:.3g}<br>"
    "(%{customdata[0]:.3f}, %{customdata[1]:.3f}, %{customdata[2]:.3f})<extra></extra>"
)


def _corner_names(number: int) -> list[Figure]:
    shift, case = STEP * number, f"simplex.{number}"
    places = ((0, -0.02, "top"), (1, -0.02, "top"), (0.5, 0.88, "bottom"))
    names = [
        {
            "$if": case,
            "x": x + shift,
            "y": y,
            "yanchor": anchor,
            "text": {"$": f"drawn.corners.{number}.{corner}"},
            "showarrow": False,
            "font": {"size": 13},
        }
        for corner, (x, y, anchor) in enumerate(places)
    ]
    title = {
        "$if": case,
        "x": 0.5 + shift,
        "xanchor": "center",
        "y": 1.0,
        "yref": "paper",
        "yanchor": "bottom",
        "text": {"$": f"drawn.titles.{number}"},
        "showarrow": False,
        "font": {"size": 12},
    }
    return [*names, title]


# --- probabilities
def _bars(cases: int) -> Figure:
    layout = base_layout("", "probability", legend=True)
    layout |= {"barmode": "group", "bargap": 0.3, "annotations": [], "legend": LEGEND_BELOW}
    layout["margin"] = {"l": 48, "r": 8, "t": 30, "b": 58}
    traces: list[Figure] = []
    for place in range(cases):
        number, width = place + 1, 1.0 / cases
        traces += [_probability_bars(key, place) for key in BAR_NAMES]
        layout[axis("xaxis", number)] = {
            "domain": [place * width, (place + 1) * width - (0.02 if number < cases else 0.0)],
            "anchor": axis("y", number),
            "type": "linear",
            "range": {"$": f"drawn.ranges.{place}"},
            "tickvals": {"$": f"drawn.places.{place}"},
            "ticktext": {"$": f"drawn.labels.{place}"},
            "ticklabeloverflow": "allow",
            "showgrid": False,
            "zeroline": False,
        }
        layout[axis("yaxis", number)] = {
            "anchor": axis("x", number),
            "range": [0, 1.24],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "showticklabels": not place,  # all have the first one's scale
            "title": {"text": "" if place else "probability", "standoff": 6},
        }
        name = above("", (place + 0.5) * width, 1.0) | {"text": {"$": f"drawn.titles.{place}"}}
        layout["annotations"].append(name)
    return {"data": [*traces, *map(_margin_line, range(cases))], "layout": layout}


def _probability_bars(key: str, place: int) -> Figure:
    number, case = place + 1, f"bars.{place}"
    margin = f"{{{case}.margin.{key}:.4f}}"
    return {
        "$if": f"{case}.values.{key}",
        "type": "bar",
        "name": BAR_NAMES[key],
        "legendgroup": key,
        "showlegend": number == 1,
        "meta": {
            "name": {"$text": f"{BAR_NAMES[key]}, case {number}, margin {margin}"},
            "x": {"$": f"drawn.names.{place}"},
        },
        "x": {"$": f"drawn.places.{place}"},
        "y": {"$": f"{case}.values.{key}"},
        "hovertext": {"$": f"drawn.hover.{place}"},
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "marker": {
            "color": BAR_COLOURS[key],
            "pattern": {"shape": "/" if key == "printed" else "", "size": 5},
        },
        "hovertemplate": {
            "$text": f"%{{hovertext}}<br>{BAR_NAMES[key]} %{{y:.4f}}<br>margin {margin}<extra></extra>"
        },
    }


def _margin_line(place: int) -> Figure:
    """The margins as text over the bars; a trace, since the page moves traces faster than annotations."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": "margins",
        "meta": {"furniture": True},
        "x": [1],
        "y": [1.02],
        "text": [{"$": f"drawn.margins.{place}"}],
        "textposition": "top center",
        "textfont": {"size": 10},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
        "xaxis": axis("x", place + 1),
        "yaxis": axis("y", place + 1),
    }


SIMPLEX = _simplex()
BARS: Any = {"$if": "bars.1", "then": _bars(2), "else": _bars(1)}


# --- what they draw beyond their views, as `charts/prepare/examples.js`
def prepare_simplex(fields: Fields) -> Fields:
    """Paths as columns, each case beside the one before, from `simplex`."""
    cases = fields["simplex"]
    return {
        "cases": [_paths(case, STEP * number) for number, case in enumerate(cases)],
        "titles": [label(case.name, TITLE_ROOM) for case in cases],
        "corners": [list(map(label, case.corners)) for case in cases],
        "right": STEP * len(cases) - 0.2,
    }


def _paths(case: SimplexCase, shift: float) -> Fields:
    """Of the paper's cases Fig. 4's own path bears the temperatures: it moves with no slider."""
    printed = None
    if case.printed is not None and case.printed_at is not None:
        printed = _path(case.printed, case.printed_at, shift)
    return {
        "raw": _path(case.raw, case.raw_at, shift),
        "printed": printed,
        "transformed": _path(case.transformed, case.at, shift, labelled=printed is None),
    }


def _path(path: Trajectory, at: np.ndarray, shift: float, *, labelled: bool = True) -> Fields:
    marks = [int(np.abs(np.log(path.tau / tau)).argmin()) for tau in TAU_MARKS]
    gaps = [float(np.linalg.norm(path.xy[i] - path.xy[j])) for i, j in pairwise(marks)]
    hover = np.column_stack([path.probabilities, path.tau])
    return {
        "x": path.xy[:, 0] + shift,
        "y": path.xy[:, 1],
        "hover": hover,
        "at": [float(at[0]) + shift, float(at[1])],
        "marks": {
            "x": path.xy[marks, 0] + shift,
            "y": path.xy[marks, 1],
            # a space and not nothing: Plotly keeps a node for it, so that a frame finds the label's place
            "text": [
                f"{tau:g}" if labelled and gap > APART else " "
                for tau, gap in zip(TAU_MARKS, [1.0, *gaps], strict=True)
            ],
            "hover": hover[marks],
        },
    }


def prepare_bars(fields: Fields) -> Fields:
    """Names of the classes, the true one marked, margins in words, and where M changes the class."""
    cases = fields["bars"]
    changed = [case for case in cases if case.answers["M(h)"] != case.answers["h"]]
    return {
        "titles": [label(case.name, TITLE_ROOM) for case in cases],
        "names": [_marked(case, str, "{} ✓") for case in cases],
        "labels": [_marked(case, label, "<b>{} ✓</b>") for case in cases],
        "hover": [_marked(case, whole, "<b>{} ✓</b>") for case in cases],
        "places": [list(range(len(case.classes))) for case in cases],
        "ranges": [[-0.5, len(case.classes) - 0.5] for case in cases],
        "margins": [_margins(case) for case in cases],
        "changes": [
            f"{case.name.partition(':')[0]} from {case.answers['h']} to {case.answers['M(h)']}"
            for case in changed
        ],
    }


def _marked(case: Bars, form: Callable[[str], str], marked: str) -> list[str]:
    """Names of a case's classes in some form, the label's marked."""
    names = map(form, case.classes)
    return [marked.format(name) if i == case.label else name for i, name in enumerate(names)]


def _margins(case: Bars) -> str:
    shown = [f"{MARGIN_NAMES[key]} {case.margin[key]:.2g}" for key in MARGIN_NAMES if key in case.margin]
    half = (len(shown) - 1) // 2 or 1  # in two lines, the longer one below
    return f"margin {', '.join(shown[:half])},<br>{', '.join(shown[half:])}"
