"""Plain Plotly JSON for the lesson, in letters for a projector. Imports neither torch nor ipywidgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .figures import Figure, simplex_figure, transform_figure
from .lesson_numbers import Number
from .theme import MIX, MUTED, PLAIN, RIGHT, ROB, STD, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.tradeoff import Curve
    from mnuts_core.views import SimplexCase, TransformCurve

SIZE = 16
"""Letters of axis titles, ticks and legends, in pixels."""
BINS = 25
GUESS = "your guess"
GUESS_COLOUR = "#7a4fb5"
"""Not one of the classifiers' colours, nor right or wrong; with white letters on it in both themes."""


class Group(NamedTuple):
    """One group of a margin histogram.

    Attributes:
        name: What the examples have in common.
        margins: Their margins, shape (n,).
        colour: Of its bars.
        median: Marked where given.
    """

    name: str
    margins: NDArray[np.float64]
    colour: str
    median: float | None = None


class Bar(NamedTuple):
    """One bar with an interval; without a number it is still to be guessed."""

    place: str
    number: Number | None
    colour: str
    hollow: bool = False


class Point(NamedTuple):
    """A classifier in the trade-off plane, in shares; `hollow` ones are transfer figures."""

    name: str
    x: Number
    y: Number
    colour: str
    symbol: str


def accuracy_figure(bars: Sequence[Bar], guess: tuple[str, float] | None = None) -> Figure:
    """Accuracies as bars with 95 % intervals; the ones still to be guessed show a question mark.

    Args:
        bars: From left to right; `place` may hold `<br>`.
        guess: Place and share that the reader guessed.
    """
    shown = [bar for bar in bars if bar.number is not None]
    trace = {
        "type": "bar",
        "x": [bar.place for bar in shown],
        "y": [100 * bar.number.value for bar in shown],
        "customdata": [[100 * b.number.low, 100 * b.number.high, b.number.n] for b in shown],
        "error_y": _ends([bar.number for bar in shown], 100),
        "marker": {
            "color": [translucent(bar.colour, 0.25 if bar.hollow else 0.85) for bar in shown],
            "line": {"color": [bar.colour for bar in shown], "width": 2},
        },
        "text": [f"{100 * bar.number.value:.1f} %" for bar in shown],
        "textposition": "inside",
        "insidetextanchor": "start",
        "textangle": 0,
        "textfont": {"size": SIZE + 1},
        "name": "accuracy",
        "hovertemplate": "%{x}: %{y:.1f} %<br>95 %: %{customdata[0]:.1f} to %{customdata[1]:.1f}"
        "<br>n = %{customdata[2]}<extra></extra>",
    }
    layout = _layout("", "accuracy (%)")
    layout["yaxis"]["range"] = [0, 104]
    layout["xaxis"] |= {"type": "category", "categoryorder": "array", "fixedrange": True}
    layout["xaxis"]["categoryarray"] = [bar.place for bar in bars]
    layout["xaxis"]["range"] = [-0.5, len(bars) - 0.5]
    layout["annotations"] = [_note(bar.place, 46, "?", SIZE + 24) for bar in bars if bar.number is None]
    traces = [trace]
    if guess is not None:
        traces.append(_guess_mark([guess[0]], [100 * guess[1]], "line-ew-open"))
        layout |= {"showlegend": False}
        layout["annotations"].append(
            _tag(guess[0], 100 * guess[1], GUESS, GUESS_COLOUR) | {"yanchor": "bottom", "yshift": 4}
        )
    return {"data": traces, "layout": layout}


def probability_figure(classes: Sequence[Any], series: Sequence[tuple[str, Any, str]]) -> Figure:
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
    layout = _layout("", "probability", legend=len(series) > 1)
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
    note = _note(0.98, 0.97, f"margin {lead:.3f}", SIZE + 4, xref="paper", yref="paper", xanchor="right")
    figure["layout"]["annotations"] = [note]
    return figure


def margin_figure(
    groups: Sequence[Group], *, guess: float | None = None, threshold: float | None = None
) -> Figure:
    """Margins of groups of examples as overlaid histograms, each in per cent of its own n.

    Args:
        groups: The first lies at the back.
        guess: A median that the reader guessed.
        threshold: Marked where given.
    """
    edges = np.linspace(0.0, 1.0, BINS + 1)
    traces: list[Figure] = []
    layout = _layout("confidence margin", "share of the group (%)", legend=True)
    layout["xaxis"] |= {"range": [0, 1], "fixedrange": True}
    layout["yaxis"] |= {"rangemode": "tozero"}
    layout |= {"barmode": "overlay", "bargap": 0.03, "shapes": [], "annotations": []}
    for group in groups:
        counts = np.histogram(group.margins, edges)[0]
        name = f"{group.name} (n = {len(group.margins):,})"
        traces.append(
            {
                "type": "bar",
                "x": (edges[1:] + edges[:-1]) / 2,
                "y": 100 * counts / max(len(group.margins), 1),
                "customdata": counts,
                "name": name,
                "marker": {"color": translucent(group.colour, 0.6)},
                "hovertemplate": "margin %{x:.2f}<br>%{y:.1f} % (%{customdata})<extra>"
                + group.name
                + "</extra>",
            }
        )
        if group.median is not None and np.isfinite(group.median):
            layout["shapes"].append(_upright(group.median, group.colour, "solid"))
            layout["annotations"].append(
                _note(group.median, 1.0, f"median {group.median:.3f}", SIZE - 2, yref="paper")
                | _beside(group.median)
                | {
                    "yanchor": "top",
                    "yshift": -22 * sum("median" in a["text"] for a in layout["annotations"]),
                }
            )
    if guess is not None:
        layout["shapes"].append(_upright(guess, GUESS_COLOUR, "dash"))
        layout["annotations"].append(_tag(guess, 0.62, GUESS, GUESS_COLOUR, yref="paper") | _beside(guess))
    if threshold is not None:
        layout["shapes"].append(_upright(threshold, MIX, "dash"))
        layout["annotations"].append(
            _tag(threshold, 0.62, "threshold", MIX, yref="paper") | _beside(threshold)
        )
    return {"data": traces, "layout": layout}


def cutoff_figure(curve: TransformCurve, c: float) -> Figure:
    """The clamp over the densities of the layer-normed logits, with its cutoff marked.

    Args:
        curve: The transform with s = p = 1.
        c: The bias; the cutoff lies at -c.
    """
    figure = enlarged(transform_figure(curve, ln=True))
    layout = figure["layout"]
    figure["data"][-1]["name"] = "clamp(z + c)"
    figure["data"][-1]["hovertemplate"] = "z = %{x:.2f}<br>clamp(z + c) = %{y:.3f}<extra></extra>"
    layout["xaxis"]["title"]["text"] = "layer-normed logit z"
    layout["xaxis"]["range"] = [float(curve.z[0]), float(curve.z[-1])]
    layout["yaxis"]["title"]["text"] = "clamp(z + c)"
    layout["yaxis"]["range"] = [-0.6, float(max(curve.z[-1] + 1.0, 1.0))]
    layout["shapes"] = [_upright(-c, WRONG, "dash")]
    layout["annotations"] = [
        _note(-c, 0.97, f"cutoff z = {-c + 0.0:.2f}", SIZE, yref="paper") | _beside((-c + 4) / 8)
    ]
    return figure


def triangle_figure(cases: Sequence[SimplexCase]) -> Figure:
    """Trajectories on the simplex (Fig. 4), in the lesson's letters."""
    figure = enlarged(simplex_figure(cases))
    figure["layout"]["margin"] |= {"t": 40, "b": 48}
    left, right = figure["layout"]["xaxis"]["range"]
    figure["layout"]["xaxis"]["range"] = [left - 0.2, right + 0.1]  # room for larger letters at the corners
    below = [note for note in figure["layout"]["annotations"] if note["y"] < 0]
    for number, note in enumerate(below):  # left and right corners in turn: names grow towards each other
        side, way = (("left", -0.1), ("right", 0.1))[number % 2]
        note |= {"xanchor": side, "x": note["x"] + way}
    return figure


def flips_figure(
    thresholds: Any,
    mends: Any,
    breaks: Any,
    at: tuple[float, str],
    wrong: int,
    *,
    hidden: bool,
    log: bool = False,
) -> Figure:
    """How many clean images the mix mends and breaks, against the threshold.

    Args:
        thresholds: (1-α)/α, shape (n,), ascending.
        mends: Images mended, shape (n,).
        breaks: Images broken, shape (n,).
        at: The current threshold, and what to write beside it.
        wrong: How many there are to mend.
        hidden: Whether the curves are still to be guessed.
        log: Whether the thresholds of interest are small.
    """
    place, label = at
    layout = _layout("threshold (1−α)/α", "clean images", legend=not hidden)
    logarithmic = {"type": "log", "range": [-4.5, 0], "dtick": 1, "exponentformat": "power"}
    layout["xaxis"] |= logarithmic if log else {"range": [-0.01, 1.01]}
    layout["yaxis"] |= {"range": [0, 1.08 * max(wrong, 1, *(() if hidden else np.asarray(breaks)))]}
    layout["shapes"] = [
        _upright(max(place, 1e-9), MIX, "dash"),
        {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": wrong, "y1": wrong}
        | {"line": {"color": MUTED, "dash": "dot", "width": 2}},
    ]
    layout["annotations"] = [
        _note(0.99, wrong, f"all {wrong:,} that h gets wrong", SIZE - 1, xref="paper")
        | {"xanchor": "right", "yanchor": "top"},
        # an annotation on a logarithmic axis wants the logarithm, a shape does not
        _tag(np.log10(max(place, 1e-9)) if log else place, 0.08, label, MIX, yref="paper") | _beside(place),
    ]
    lines = [] if hidden else [("mended", mends, RIGHT, "solid"), ("broken", breaks, WRONG, "dash")]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.asarray(thresholds),
            "y": np.asarray(counts),
            "name": f"{name} by the mix",
            "line": {"color": colour, "width": 3.5, "dash": dash, "shape": "hv"},
            "hovertemplate": f"threshold %{{x:.3f}}<br>%{{y}} {name}<extra></extra>",
        }
        for name, counts, colour, dash in lines
    ]
    return {"data": traces, "layout": layout}


def price_figure(
    points: Sequence[Point], frontier: Curve | None, guess: tuple[float, float] | None
) -> Figure:
    """Clean accuracy against accuracy under attack, with intervals.

    Args:
        points: The classifiers.
        frontier: What the whole grid offers over β; None while it is to be guessed.
        guess: Where the reader expects the mix, in shares.
    """
    layout = _layout("clean accuracy (%)", "under attack (%)", legend=True)
    traces: list[Figure] = []
    if frontier is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": 100 * frontier.clean,
                "y": 100 * frontier.margin_bound,
                "name": "all β, bound",
                "line": {"color": translucent(MIX, 0.55), "width": 2.5},
                "hovertemplate": "clean %{x:.1f} %<br>margin bound %{y:.1f} %<extra></extra>",
            }
        )
    for point in points:
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [100 * point.x.value],
                "y": [100 * point.y.value],
                "name": point.name,
                "marker": {
                    "color": point.colour,
                    "size": 15,
                    "symbol": point.symbol,
                    "line": {"color": point.colour, "width": 2.5},
                },
                "error_x": _ends([point.x], 100) | {"color": translucent(point.colour, 0.6)},
                "error_y": _ends([point.y], 100) | {"color": translucent(point.colour, 0.6)},
                "hovertemplate": f"{point.name}<br>clean %{{x:.1f}} %<br>%{{y:.1f}} %<extra></extra>",
            }
        )
    if guess is not None:
        mark = _guess_mark([100 * guess[0]], [100 * guess[1]], "x-thin-open")
        traces.append(mark | {"showlegend": True})
    x = [100 * end for point in points for end in (point.x.low, point.x.high)]
    y = [100 * end for point in points for end in (point.y.low, point.y.high)]
    x += [100 * guess[0]] if guess else []
    layout["xaxis"]["range"] = [min(x) - 1, min(max(x) + 1, 101)]
    layout["yaxis"]["range"] = [max(min(y) - 12, 0), min(max(y) + 4, 103)]
    return {"data": traces, "layout": layout}


def enlarged(figure: Figure) -> Figure:
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


def _layout(x: str, y: str, *, legend: bool = False) -> Figure:
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


def _ends(numbers: Sequence[Number | None], factor: float) -> Figure:
    present = [number for number in numbers if number is not None]
    return {
        "type": "data",
        "symmetric": False,
        "array": [factor * (number.high - number.value) for number in present],
        "arrayminus": [factor * (number.value - number.low) for number in present],
        "thickness": 2,
        "width": 7,
        "color": MUTED,
    }


def _guess_mark(x: list[Any], y: list[float], symbol: str) -> Figure:
    marker = {
        "color": GUESS_COLOUR,
        "size": 34 if "line" in symbol else 15,
        "symbol": symbol,
        "line": {"width": 4},
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "name": GUESS,
        "marker": marker,
        "showlegend": False,
        "hovertemplate": f"{GUESS}<extra></extra>",
    }


def _upright(x: float, colour: str, dash: str) -> Figure:
    line = {"color": colour, "width": 3, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _beside(share: float) -> Figure:
    """On which side of its line a note stands, so that it stays within the plot."""
    left = share > 0.6
    return {"xanchor": "right" if left else "left", "xshift": -6 if left else 6}


def _note(x: Any, y: float, text: str, size: int, **more: Any) -> Figure:
    note = {"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": size}}
    return note | more


def _tag(x: Any, y: float, text: str, colour: str, **more: Any) -> Figure:
    """A note on a ground of its own, readable over bars and lines in either theme."""
    ground = {"bgcolor": colour, "borderpad": 3, "font": {"size": SIZE - 2, "color": "#ffffff"}}
    return _note(x, y, text, SIZE) | ground | more


CLASSIFIERS = {
    "g": ("standard g", STD),
    "h": ("robust h", ROB),
    "plain": ("plain mix", PLAIN),
    "mix": ("mix", MIX),
}
"""Name and colour of each classifier in the lesson's figures."""
