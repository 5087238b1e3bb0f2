"""Plain Plotly JSON for each view: drawing only, no computing. Imports neither torch nor ipywidgets.

The same description serves the board, a notebook's `go.Figure(...)`, PNG export and reports. Colours of
text, grid and paper are left to the page, which knows whether it is dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .theme import CLASSIFIER, MIX, MUTED, PLAIN, RIGHT, ROB, STD, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.estimates import Estimate
    from mnuts_core.example_views import Bars
    from mnuts_core.remix import Remix
    from mnuts_core.tradeoff import Curve
    from mnuts_core.views import (
        Frontier,
        Headline,
        Histogram,
        MarginHistograms,
        Plane,
        Sensitivity,
        SimplexCase,
        Trajectory,
        TransformCurve,
    )

Figure = dict[str, Any]
CLASSIFIERS = ("g", "h", "LN h", "M(h)")
"""Columns of the margin plots: standard, robust, layer-normed robust, transformed robust."""


PLANE_TRACES = (
    *("plain", "plain transfer", "frontier", "current", "current transfer"),
    *("std", "rob", "mix transfer", "mix bound", "snapshots", "verified"),
)
"""The plane's traces in their order, so that a click can be understood."""


def plane_figure(
    plane: Plane,
    plain: Curve,
    frontier: Frontier | None,
    table: Headline,
    kept: Sequence[Remix] = (),
    earlier: tuple[Estimate, Estimate] | None = None,
) -> Figure:
    """The trade-off plane: clean accuracy against the two robust estimates.

    The traces are always the same ones, empty where there is nothing to show: a trace that the visitor has
    hidden stays hidden.

    Args:
        plane: The current transform's curve and point.
        plain: The plain mix's curve.
        frontier: The β-frontier of the grid, once it is searched.
        table: The headline figures, for the base models' points and the verified one.
        kept: Snapshots, lettered in their order.
        earlier: Clean and verified accuracy of another setting, shown as no longer current.
    """
    if table.rob.attacked is None:
        return _empty("This bundle has no attacked part: there is no trade-off to show.")
    traces = [
        *_curve(plain, PLAIN, "plain mix"),
        _frontier(frontier),
        *_curve(plane.current, MIX, "this transform"),
        _point(
            table.std.clean,
            table.std.transfer,
            STD,
            "standard model, transfer",
            "diamond-open",
        ),
        _point(table.rob.clean, table.rob.attacked, ROB, "robust model, under attack", "square"),
        _point(plane.point.clean, plane.point.transfer, MIX, "this mix, transfer", "circle-open"),
        _point(plane.point.clean, plane.point.margin_bound, MIX, "this mix, margin bound", "circle"),
        _snapshots(kept),
        _verified(plane.point.clean, table.mix.attacked, earlier),
    ]
    layout = _layout("clean accuracy (%)", "accuracy under attack (%)", legend=True)
    layout |= {"hovermode": "closest", "legend": _LEGEND_BELOW}
    layout["margin"] |= {"b": 92}
    layout["xaxis"]["range"], layout["yaxis"]["range"] = _plane_ranges(plain, plane.current, table)
    return {"data": traces, "layout": layout}


def _plane_ranges(plain: Curve, current: Curve, table: Headline) -> tuple[list[float], list[float]]:
    """Ranges that stay put while a slider moves: the plain mix's, wider only if the current curve is."""
    low = min(plain.clean.min(), current.clean.min(), table.rob.clean.interval[0])
    high = max(plain.clean.max(), current.clean.max(), table.std.clean.interval[1])
    top = max(plain.margin_bound.max(), plain.transfer.max(), current.transfer.max())
    step = _round_up((high - low) / 4)
    low, high = step * np.floor(low / step), min(step * np.ceil(high / step), 1.0)
    x = [100 * (low - 0.1 * step), 100 * (high + 0.1 * step)]
    return [float(end) for end in x], [-3.0, float(np.ceil(20 * top) * 5 + 3)]


def _round_up(value: float) -> float:
    """The next round number: the end of an axis that need not change at every move of a slider."""
    if not 0 < value < np.inf:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))
    )


def _empty(text: str) -> Figure:
    """A plot that says why it shows nothing."""
    layout = _layout("", "") | {"annotations": [_above(text, 0.5, 0.5)]}
    layout["xaxis"]["visible"] = layout["yaxis"]["visible"] = False
    return {"data": [], "layout": layout}


def _curve(curve: Curve, colour: str, name: str) -> list[Figure]:
    hover = "α = %{customdata:.5f}<br>clean %{x:.2f} %<br>%{y:.2f} %<extra>" + name
    common = {
        "type": "scatter",
        "mode": "lines",
        "x": 100 * curve.clean,
        "customdata": curve.alpha,
        "legendgroup": name,
    }
    bound = {"width": 2.5, "color": colour}
    transfer = {"width": 1.5, "color": colour, "dash": "dot"}
    return [
        common
        | {
            "y": 100 * curve.margin_bound,
            "line": bound,
            "name": name,
            "meta": f"{name}, margin bound",
            "hovertemplate": f"{hover}, margin bound</extra>",
        },
        common
        | {
            "y": 100 * curve.transfer,
            "line": transfer,
            "name": f"{name}, transfer",
            "showlegend": False,
            "hovertemplate": f"{hover}, transfer</extra>",
        },
    ]


def _frontier(frontier: Frontier | None) -> Figure:
    curve, found = frontier and frontier.curve, frontier is not None
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "best of the grid at each β",
        "showlegend": found,
        "x": 100 * curve.clean if curve else [],
        "y": 100 * curve.margin_bound if curve else [],
        "customdata": curve.alpha if curve else [],
        "line": {"color": MUTED, "width": 1},
        "marker": {"color": MUTED, "size": 4},
        "hovertemplate": "best of the grid<br>α = %{customdata:.5f}<br>clean %{x:.2f} %<br>"
        "margin bound %{y:.2f} %<extra></extra>",
    }


def letter(place: int) -> str:
    """What a snapshot is called: A, B, ..."""
    return "ABCDEFGHIJ"[place]


def _snapshots(kept: Sequence[Remix]) -> Figure:
    shown = [(letter(i), mix) for i, mix in enumerate(kept) if mix.margin_bound is not None]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "snapshots, margin bound",
        "showlegend": bool(shown),
        "x": [100 * mix.clean.value for _, mix in shown],
        "y": [100 * mix.margin_bound.value for _, mix in shown if mix.margin_bound],
        "text": [name for name, _ in shown],
        "textposition": "top right",
        "textfont": {"size": 12},
        "marker": {"color": MUTED, "size": 9, "symbol": "diamond", "line": {"width": 1, "color": MUTED}},
        "hovertemplate": "snapshot %{text}<br>clean %{x:.2f} %<br>margin bound %{y:.2f} %<extra></extra>",
    }


def _verified(
    clean: Estimate, verified: Estimate | None, earlier: tuple[Estimate, Estimate] | None
) -> Figure:
    """The verified point; hollow and grey where it belongs to another setting."""
    point = (clean, verified) if verified is not None else earlier
    name = "this mix, verified" if verified is not None else "verified, other settings"
    if point is None:
        return {"type": "scatter", "x": [], "y": [], "showlegend": False, "name": name}
    colour, symbol = (MIX, "star") if verified is not None else (MUTED, "star-open")
    made = _point(*point, colour, f"{name}, n = {point[1].n:,}", symbol)
    made["marker"]["size"] = 14
    return made


def _point(clean: Estimate, robust: Estimate | None, colour: str, name: str, symbol: str) -> Figure:
    x, y = 100 * clean.value, None if robust is None else 100 * robust.value
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [x],
        "y": [y],
        "marker": {"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}},
        "error_x": _bars(clean, colour),
        "error_y": _bars(robust, colour),
        "hovertemplate": f"{name}<br>clean %{{x:.2f}} %<br>%{{y:.2f}} %<extra></extra>",
    }


def _bars(estimate: Estimate | None, colour: str) -> Figure:
    if estimate is None:
        return {"visible": False}
    low, high = estimate.interval
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - estimate.value)],
        "arrayminus": [100 * (estimate.value - low)],
        "color": translucent(colour, 0.6),
        "thickness": 1,
        "width": 3,
    }


def histogram_figure(columns: Mapping[str, MarginHistograms], threshold: float | None = None) -> Figure:
    """Margin histograms as in Table 6: clean above, attacked below, one column a classifier.

    Args:
        columns: The histograms by the classifier's name.
        threshold: (1-α)/α, marked where it is given: M(h) outvotes g where its margin reaches it.
    """
    rows = ("clean", "attacked") if all(column.attacked for column in columns.values()) else ("clean",)
    traces: list[Figure] = []
    layout = _layout("", "") | {"barmode": "overlay", "bargap": 0.04, "showlegend": True}
    layout["margin"] = {"l": 44, "r": 8, "t": 24, "b": 64}
    layout["legend"] = _LEGEND_BELOW
    layout["annotations"] = []
    for i, row in enumerate(rows):
        for j, (name, column) in enumerate(columns.items()):
            number = i * len(columns) + j + 1
            traces += _bars_of(getattr(column, row), number, f"{name}, {row}")
            _place_subplot(layout, number, (i, j), (len(rows), len(columns)), f"<b>{name}</b>, {row}")
            if j == 0:
                layout[_key("yaxis", number)]["title"] = {"text": f"{row} images (%)", "standoff": 4}
            top = 1.05 * _round_up(_tallest(getattr(column, row)))
            layout[_key("yaxis", number)]["range"] = [0, top]
            if threshold is not None:
                traces.append(_threshold_line(threshold, number, top, first=number == 1))
    return {"data": traces, "layout": layout}


def _tallest(histogram: Histogram) -> float:
    """The tallest bar, in per cent."""
    return 100 * float(max(histogram.right.max(), histogram.wrong.max())) / max(histogram.n, 1)


def _bars_of(histogram: Histogram, number: int, of: str) -> list[Figure]:
    middles = (histogram.edges[1:] + histogram.edges[:-1]) / 2
    return [
        {
            "type": "bar",
            "x": middles,
            "y": 100 * counts / max(histogram.n, 1),
            "customdata": counts,
            "name": name,
            "meta": f"{of}, {name}, % of n = {histogram.n}",
            "legendgroup": name,
            "showlegend": number == 1,
            "marker": {"color": translucent(colour, 0.7)},
            "xaxis": _axis("x", number),
            "yaxis": _axis("y", number),
            "hovertemplate": f"margin %{{x:.2f}}<br>%{{customdata}} {name} (%{{y:.1f}} %)<extra></extra>",
        }
        for name, counts, colour in (("right", histogram.right, RIGHT), ("wrong", histogram.wrong, WRONG))
    ]


def _place_subplot(
    layout: Figure, number: int, place: tuple[int, int], shape: tuple[int, int], title: str
) -> None:
    (i, j), (rows, columns) = place, shape
    gap, height = (0.03 if columns > 1 else 0.0), (0.42 if rows == 2 else 1.0)
    width = (1.0 - gap * (columns - 1)) / columns
    left, bottom = j * (width + gap), (0.58 if i == 0 and rows == 2 else 0.0)
    layout[_key("xaxis", number)] = {
        "domain": [left, left + width],
        "anchor": _axis("y", number),
        "range": [0, 1],
        "title": {"text": "confidence margin" if i == rows - 1 else "", "standoff": 4},
        "tickvals": [0, 0.5, 1],
        "ticktext": ["0", "0.5", "1 "],
    }
    layout[_key("yaxis", number)] = {
        "domain": [bottom, bottom + height],
        "anchor": _axis("x", number),
        "nticks": 5,
    }
    layout["annotations"].append(_above(title, left + width / 2, bottom + height))


def _threshold_line(threshold: float, number: int, top: float, *, first: bool) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "(1−α)/α",
        "legendgroup": "threshold",
        "showlegend": first,
        "x": [threshold, threshold],
        "y": [0, top],
        "xaxis": _axis("x", number),
        "yaxis": _axis("y", number),
        "line": {"color": MIX, "width": 2, "dash": "dash"},
        "hovertemplate": "(1−α)/α = %{x:.4g}<extra></extra>",
    }


def medians_figure(base: Mapping[str, MarginHistograms], mix: MarginHistograms) -> Figure:
    """Median margins in four groups, and the margin gap above each classifier (Fig. 6)."""
    columns = [*(base[name] for name in CLASSIFIERS[:3]), mix]
    parts = [
        ("clean right", "clean", "median_right", RIGHT, ""),
        ("clean wrong", "clean", "median_wrong", WRONG, ""),
    ]
    if mix.attacked is not None:
        parts += [
            ("attacked right", "attacked", "median_right", RIGHT, "/"),
            ("attacked wrong", "attacked", "median_wrong", WRONG, "/"),
        ]
    traces = [
        {
            "type": "bar",
            "name": name,
            "x": list(CLASSIFIERS),
            "y": [getattr(getattr(column, part), field) for column in columns],
            "marker": {"color": translucent(colour, 0.75), "pattern": {"shape": pattern, "size": 6}},
            "customdata": [_group_size(column, part, field) for column in columns],
            "hovertemplate": f"%{{x}}, {name}<br>median %{{y:.3f}}<br>n = %{{customdata}}<extra></extra>",
        }
        for name, part, field, colour, pattern in parts
    ]
    layout = _layout("", "median margin") | {"barmode": "group", "bargap": 0.25}
    layout["yaxis"] |= {"range": [0, 1.2], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    layout["showlegend"] = True
    layout["legend"] = _LEGEND_BELOW
    layout["margin"] |= {"b": 56}
    gaps = [f"gap<br>{column.gap + 0.0:+.3f}" if np.isfinite(column.gap) else "" for column in columns]
    traces.append(_texts_above(CLASSIFIERS, gaps, "margin gap"))
    return {"data": traces, "layout": layout}


def _texts_above(x: Sequence[str], texts: list[str], name: str) -> Figure:
    """Words over groups of bars; a trace, since the page moves traces faster than annotations."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": name,
        "showlegend": False,
        "x": list(x),
        "y": [1.01] * len(texts),
        "text": texts,
        "textposition": "top center",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _group_size(column: MarginHistograms, part: str, field: str) -> int:
    """How many examples a median rests on."""
    histogram = getattr(column, part)
    return int(getattr(histogram, field.removeprefix("median_")).sum())


def transform_figure(curve: TransformCurve, ln: bool) -> Figure:
    """M as a function of one logit, over the densities of the bundle's logits.

    Args:
        curve: The curve and the densities.
        ln: Whether the logits are layer-normed.
    """
    density = {
        "type": "scatter",
        "mode": "lines",
        "x": curve.z,
        "yaxis": "y2",
        "line": {"width": 0},
        "fill": "tozeroy",
        "hoverinfo": "skip",
    }
    traces = [
        density | {"y": curve.rest, "name": "other logits", "fillcolor": translucent(MUTED, 0.25)},
        density | {"y": curve.top, "name": "largest logit", "fillcolor": translucent(ROB, 0.25)},
        {
            "type": "scatter",
            "mode": "lines",
            "x": curve.z,
            "y": curve.m,
            "name": "M",
            "line": {"color": MIX, "width": 3},
            "hovertemplate": "logit %{x:.2f}<br>M %{y:.4g}<extra></extra>",
        },
    ]
    layout = _layout(
        f"{'layer-normed ' if ln else ''}logit of the robust model", "transformed logit M", legend=True
    )
    layout["legend"] = _LEGEND_BELOW
    layout["margin"] |= {"b": 92}
    layout["yaxis2"] = {"overlaying": "y", "side": "right", "visible": False, "rangemode": "tozero"}
    layout["yaxis"] |= {"zeroline": True, "exponentformat": "power", "range": _curve_range(curve.m)}
    return {"data": traces, "layout": layout}


def _curve_range(values: np.ndarray) -> list[float]:
    """Round ends around the values, zero among them, and a little room."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min(initial=0.0)), float(finite.max(initial=0.0)))
    room = 0.05 * ((high - low) or 1.0)  # enough for the small dip of GELU below 0
    low, high = -_round_up(-low) if -low > room else 0.0, _round_up(high) if high > room else 0.0
    room = 0.06 * (high - low)
    return [low - room, high + room]


def simplex_figure(cases: Sequence[SimplexCase]) -> Figure:
    """Trajectories on the probability simplex, raw and transformed (Fig. 4), one triangle a case."""
    traces: list[Figure] = []
    layout = _layout("", "", legend=True)
    layout["annotations"] = []
    layout["margin"] = {"l": 8, "r": 8, "t": 30, "b": 30}
    for axis in ("xaxis", "yaxis"):
        layout[axis] = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout["yaxis"] |= {"scaleanchor": "x", "range": [-0.12, 1.0]}
    layout["xaxis"] |= {"range": [-0.15, 1.35 * len(cases) - 0.2]}
    layout["legend"] = _LEGEND_BELOW
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
        ("transformed σ(M(h)/τ)", case.transformed, case.at, MIX, "circle"),
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


TAU_MARKS = (3.0, 0.06, 0.003)
"""The temperatures that the paper's Fig. 4 marks."""


def _tau_marks(name: str, path: Trajectory, shift: float, colour: str, place: str) -> Figure:
    """Dots at the paper's temperatures, each with its τ unless it would stand on the one before."""
    at = [int(np.abs(np.log(path.tau / tau)).argmin()) for tau in TAU_MARKS]
    gaps = [np.linalg.norm(path.xy[i] - path.xy[j]) for i, j in pairwise(at)]
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
        "textfont": {"size": 10, "color": colour},
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


BAR_COLOURS = {"g": STD, "h": ROB, "M(h)": CLASSIFIER["mapped"], "mix": MIX}
BAR_NAMES = {"g": "standard g", "h": "robust h", "M(h)": "transformed M(h)", "mix": "this mix"}


def bars_figure(cases: Sequence[Bars]) -> Figure:
    """Probabilities of single examples (Fig. 3), one group of bars a class; the true class is marked.

    Args:
        cases: The examples, side by side.
    """
    layout = _layout("", "probability", legend=True)
    layout |= {"barmode": "group", "bargap": 0.3, "annotations": [], "legend": _LEGEND_BELOW}
    layout["margin"] = {"l": 48, "r": 8, "t": 30, "b": 58}
    traces: list[Figure] = []
    for place, case in enumerate(cases):
        number, width = place + 1, 1.0 / len(cases)
        names = [f"<b>{n} ✓</b>" if i == case.label else n for i, n in enumerate(case.classes)]
        for key, values in case.values.items():
            traces.append(_probability_bars(key, names, values, number, case.margin[key]))
        layout[_key("xaxis", number)] = {
            "domain": [place * width, (place + 1) * width - (0.02 if number < len(cases) else 0.0)],
            "anchor": _axis("y", number),
            "type": "category",
        }
        layout[_key("yaxis", number)] = {
            "anchor": _axis("x", number),
            "range": [0, 1.02],
            "showticklabels": not place,  # all have the first one's scale
            "title": {"text": "" if place else "probability", "standoff": 6},
        }
        layout["annotations"].append(_above(case.name, (place + 0.5) * width, 1.02))
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
        "xaxis": _axis("x", number),
        "yaxis": _axis("y", number),
        "marker": {"color": BAR_COLOURS[key]},
        "hovertemplate": f"%{{x}}<br>{BAR_NAMES[key]} %{{y:.4f}}<br>margin {margin:.4f}<extra></extra>",
    }


def slices_figure(view: Sensitivity) -> Figure:
    """The search's objective, one slice a power p (Fig. 9); darker is better; a click goes there.

    Args:
        view: The objective over the grid, and the current parameters.
    """
    layout = _layout("", "") | {"annotations": [], "margin": {"l": 56, "r": 70, "t": 24, "b": 44}}
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
        layout[_key("xaxis", number)] = {
            "domain": [left, left + width],
            "anchor": _axis("y", number),
            "title": {"text": "bias c" if last else "", "standoff": 4},
            "nticks": 4,
            "range": _cell_edges(view.c),
        }
        layout[_key("yaxis", number)] = {
            "domain": [bottom, bottom + height],
            "anchor": _axis("x", number),
            "range": _cell_edges(log_s),
            "tickvals": log_s,
            "ticktext": [f"{value:.3g}" for value in view.s] if column == 0 else [""] * len(view.s),
            "title": {"text": "scale s" if column == 0 else "", "standoff": 4},
        }
        layout["annotations"].append(_above(f"p = {p:.2f}", left + width / 2, bottom + height))
    traces.append(_mark(view, view.best, "star-open", "best of the grid at this β"))
    traces.append(_mark(view, view.at, "circle-open", "current s and c"))
    return {"data": traces, "layout": layout}


def _mark(view: Sensitivity, at: tuple[float, float, float], symbol: str, name: str) -> Figure:
    """A mark at (s, p, c), in the slice whose p is nearest."""
    s, p, c = at
    number = int(np.abs(view.p - p).argmin()) + 1
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [c],
        "y": [float(np.log10(s))],
        "xaxis": _axis("x", number),
        "yaxis": _axis("y", number),
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
        "xaxis": _axis("x", number),
        "yaxis": _axis("y", number),
        "meta": {"name": f"objective in % at p = {view.p[j]:.6g} (x: c, y: s)", "y": view.s},
        "hoverongaps": False,
        "hovertemplate": f"p = {view.p[j]:.2f}, s = %{{customdata:.3g}}, c = %{{x:.2f}}<br>"
        "objective %{z:.2f} %<extra></extra>",
    }


def _above(text: str, x: float, y: float) -> Figure:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xanchor": "center",
        "xref": "paper",
        "yref": "paper",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12},
    }


def _layout(x: str, y: str, *, legend: bool = False) -> Figure:
    layout: Figure = {
        "margin": {"l": 56, "r": 12, "t": 12, "b": 44},
        "xaxis": {"title": {"text": x, "standoff": 6}, "zeroline": False},
        "yaxis": {"title": {"text": y, "standoff": 6}, "zeroline": False},
        "showlegend": legend,
    }
    return layout


_LEGEND_BELOW = {
    "orientation": "h",
    "x": 0,
    "y": 0,
    "yref": "container",
    "yanchor": "bottom",
    "font": {"size": 11},
}


def _axis(letter: str, number: int) -> str:
    return letter if number == 1 else f"{letter}{number}"


def _key(name: str, number: int) -> str:
    return name if number == 1 else f"{name}{number}"
