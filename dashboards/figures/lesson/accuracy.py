"""The lesson's accuracies, alone and against each other, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from mnuts_core.functional.statistics import Estimate
from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.lesson.layout import (
    GUESS,
    GUESS_COLOUR,
    INK,
    SIZE,
    lesson_layout,
    note_at,
    tag_at,
)
from mnuts_dashboards.theme import MIX, MUTED, STD, translucent

if TYPE_CHECKING:
    from mnuts_core.views.tradeoff import Curve


class Bar(NamedTuple):
    """One bar with an interval; without a number it is still to be guessed."""

    place: str
    number: Estimate | None
    colour: str
    hollow: bool = False


class Point(NamedTuple):
    """A classifier in the trade-off plane, in shares.

    Attributes:
        name: In the legend; points of one name, one behind the other, are one entry.
        x: Clean accuracy.
        y: Accuracy under attack.
        colour: Its colour.
        symbol: Its mark.
        detail: Shown on hovering; the name if empty.
    """

    name: str
    x: Estimate
    y: Estimate
    colour: str
    symbol: str
    detail: str = ""


def accuracy_figure(bars: Sequence[Bar], guess: tuple[str, float] | None = None) -> Figure:
    """Accuracies as bars with 95 % intervals; the ones still to be guessed show a question mark.

    Args:
        bars: From left to right; `place` may hold `<br>`.
        guess: Place and share that the reader guessed.
    """
    shown = [(bar, bar.number) for bar in bars if bar.number is not None]
    trace = {
        "type": "bar",
        "x": [bar.place for bar, _ in shown],
        "y": [100 * number.value for _, number in shown],
        "customdata": [[100 * number.low, 100 * number.high, number.n] for _, number in shown],
        "error_y": _ends([number for _, number in shown]),
        "marker": {
            "color": [translucent(bar.colour, 0.25 if bar.hollow else 0.85) for bar, _ in shown],
            "line": {"color": [bar.colour for bar, _ in shown], "width": 2},
        },
        "text": ["" if bar.hollow else _percent_text(number) for bar, number in shown],
        "textposition": "inside",
        "insidetextanchor": "start",
        "textangle": 0,
        "textfont": {
            "size": SIZE + 1,
            "color": [INK if bar.colour == STD else "#ffffff" for bar, _ in shown],
        },
        "name": "accuracy",
        "hovertemplate": "%{x}: %{y:.1f} %<br>95 %: %{customdata[0]:.1f} to %{customdata[1]:.1f}"
        "<br>n = %{customdata[2]}<extra></extra>",
    }
    layout = lesson_layout("", "accuracy (%)")
    layout["yaxis"]["range"] = [0, 104]
    layout["xaxis"] |= {"type": "category", "categoryorder": "array", "fixedrange": True}
    layout["xaxis"]["categoryarray"] = [bar.place for bar in bars]
    layout["xaxis"]["range"] = [-0.5, len(bars) - 0.5]
    layout["annotations"] = [note_at(bar.place, 46, "?", SIZE + 24) for bar in bars if bar.number is None]
    # what shines through is the page's ground: so is the colour of the letters
    layout["annotations"] += [
        note_at(bar.place, 0, _percent_text(number), SIZE + 1, yanchor="bottom")
        for bar, number in shown
        if bar.hollow
    ]
    traces = [trace]
    if guess is not None:
        traces.append(_guess_mark([guess[0]], [100 * guess[1]], "line-ew-open"))
        layout |= {"showlegend": False}
        layout["annotations"].append(
            tag_at(guess[0], 100 * guess[1], GUESS, GUESS_COLOUR) | {"yanchor": "bottom", "yshift": 4}
        )
    return {"data": traces, "layout": layout}


def _percent_text(number: Estimate) -> str:
    return f"{100 * number.value:.1f} %"


def price_figure(
    points: Sequence[Point], frontier: Curve | None, guess: tuple[float, float] | None
) -> Figure:
    """Clean accuracy against accuracy under attack, with intervals.

    Args:
        points: The classifiers.
        frontier: What the whole grid offers over β; None while it is to be guessed.
        guess: Where the reader expects the mix, in shares.
    """
    layout = lesson_layout("clean accuracy (%)", "under attack (%)", legend=True)
    traces: list[Figure] = []
    if frontier is not None:
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": 100 * frontier.clean,
                "y": 100 * frontier.attacked,
                "name": "all β, bound",
                "line": {"color": translucent(MIX, 0.55), "width": 2.5},
                "hovertemplate": "clean %{x:.1f} %<br>attacked %{y:.1f} %<extra></extra>",
            }
        )
    traces += [_marks(list(same)) for _, same in groupby(points, key=lambda point: point.name)]
    if guess is not None:
        mark = _guess_mark([100 * guess[0]], [100 * guess[1]], "x-thin-open")
        traces.append(mark | {"showlegend": True})
    x = [100 * end for point in points for end in (point.x.low, point.x.high)]
    y = [100 * end for point in points for end in (point.y.low, point.y.high)]
    x += [100 * guess[0]] if guess else []
    layout["xaxis"]["range"] = [min(x) - 1, min(max(x) + 1, 101)]
    layout["yaxis"]["range"] = [max(min(y) - 12, 0), min(max(y) + 4, 103)]
    return {"data": traces, "layout": layout}


def _marks(points: Sequence[Point]) -> Figure:
    """Points of one name, colour and symbol, with their intervals."""
    first, x, y = points[0], [point.x for point in points], [point.y for point in points]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [100 * number.value for number in x],
        "y": [100 * number.value for number in y],
        "name": first.name,
        "hovertext": [point.detail or point.name for point in points],
        "marker": {
            "color": first.colour,
            "size": 15,
            "symbol": first.symbol,
            "line": {"color": first.colour, "width": 2.5},
        },
        "error_x": _ends(x) | {"color": translucent(first.colour, 0.6)},
        "error_y": _ends(y) | {"color": translucent(first.colour, 0.6)},
        "hovertemplate": "%{hovertext}<br>clean %{x:.1f} %<br>%{y:.1f} %<extra></extra>",
    }


def _ends(numbers: Sequence[Estimate]) -> Figure:
    """The intervals' ends, from shares to per cent."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (number.high - number.value) for number in numbers],
        "arrayminus": [100 * (number.value - number.low) for number in numbers],
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
