"""The trade-off plane, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, above, base_layout, round_up
from mnuts_dashboards.text.numbers import alpha_text, settings_text
from mnuts_dashboards.theme import MIX, MUTED, PLAIN, ROB, STD, translucent

if TYPE_CHECKING:
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.params import MixParams
    from mnuts_core.remix.answers import Remix
    from mnuts_core.views.headline import Headline
    from mnuts_core.views.tradeoff import Curve, Frontier, Plane
    from mnuts_dashboards.bundles.verified import Known

FRONTIER = "best of the grid"
DIRECT = "frontier of the grid"
CURRENT = "this transform"
CURRENT_BY_MARGIN = f"{CURRENT}, by margin"
SNAPSHOTS = "snapshots"
OTHERS = "other verified mixes"
"""Names of the traces that a click can lead along."""


def plane_figure(
    plane: Plane,
    plain: Curve,
    frontier: Frontier | None,
    table: Headline,
    kept: Sequence[Remix] = (),
    others: Sequence[Known] = (),
    direct: Frontier | None = None,
) -> Figure:
    """The trade-off plane: clean accuracy against accuracy under attack.

    The traces are always the same ones, empty where there is nothing to show: a trace that the visitor has
    hidden stays hidden. Their names are short, so that all fit into the three rows of the legend and the
    plane keeps its size when one more appears.

    Args:
        plane: The current transform's curve and point.
        plain: The plain mix's curve.
        frontier: The β-frontier of the grid, once it is searched.
        table: The headline figures, for the base models' points and the verified one.
        kept: Snapshots, lettered in their order.
        others: Other mixes that were attacked.
        direct: The grid's frontier by attacked accuracy, once it is searched.
    """
    if table.rob.attacked is None:
        return _empty("This bundle has no attacked part: there is no trade-off to show.")
    traces = [
        *_curve(plain, PLAIN, "plain mix"),
        _frontier(frontier, FRONTIER, {"color": MUTED, "width": 1}),
        _frontier(direct, DIRECT, {"color": MIX, "width": 1.5, "dash": "dash"}),
        *_curve(plane.current, MIX, CURRENT),
        _point(table.std.clean, table.std.attacked, STD, "standard model", "diamond"),
        _point(table.rob.clean, table.rob.attacked, ROB, "robust model", "square"),
        _point(plane.point.clean, plane.point.by_margin, MIX, "this mix, by margin", "circle-open"),
        _point(plane.point.clean, plane.point.attacked, MIX, "this mix", "circle"),
        _snapshots(kept),
        _others(others),
        _verified(plane.point.clean, table.mix.verified),
    ]
    layout = base_layout("clean accuracy (%)", "accuracy under attack (%)", legend=True)
    layout |= {"hovermode": "closest", "legend": LEGEND_BELOW}
    layout["margin"] |= {"b": 92}
    layout["xaxis"]["range"], layout["yaxis"]["range"] = _plane_ranges(plain, plane.current, table)
    return {"data": traces, "layout": layout}


def _plane_ranges(plain: Curve, current: Curve, table: Headline) -> tuple[list[float], list[float]]:
    """Ranges that stay put while a slider moves: the plain mix's, wider only if the current curve is."""
    low = min(plain.clean.min(), current.clean.min(), table.rob.clean.interval[0])
    high = max(plain.clean.max(), current.clean.max(), table.std.clean.interval[1])
    top = max(plain.by_margin.max(), plain.attacked.max(), current.attacked.max())
    step = round_up((high - low) / 4)
    low, high = step * np.floor(low / step), min(step * np.ceil(high / step), 1.0)
    x = [100 * (low - 0.1 * step), 100 * (high + 0.1 * step)]
    return [float(end) for end in x], [-3.0, float(np.ceil(20 * top) * 5 + 3)]


def _empty(text: str) -> Figure:
    """A plot that says why it shows nothing."""
    layout = base_layout("", "") | {"annotations": [above(text, 0.5, 0.5)]}
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
    return [
        common
        | {
            "y": 100 * curve.attacked,
            "line": {"width": 2.5, "color": colour},
            "name": name,
            "meta": f"{name}, attacked",
            "hovertemplate": f"{hover}, attacked</extra>",
        },
        common
        | {
            "y": 100 * curve.by_margin,
            "line": {"width": 1, "color": colour, "dash": "dot"},
            "name": f"{name}, by margin",
            "showlegend": False,
            "hovertemplate": f"{hover}, right by margin</extra>",
        },
    ]


def _frontier(frontier: Frontier | None, name: str, line: Figure) -> Figure:
    curve, found = frontier and frontier.curve, frontier is not None
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "showlegend": found,
        "x": 100 * curve.clean if curve else [],
        "y": 100 * curve.attacked if curve else [],
        "customdata": curve.alpha if curve else [],
        "line": line,
        "marker": {"color": line["color"], "size": 4},
        "hovertemplate": f"{name}<br>α = %{{customdata:.5f}}<br>clean %{{x:.2f}} %<br>"
        "attacked %{y:.2f} %<extra></extra>",
    }


LETTERS_AT = ("top right", "bottom left", "top left", "bottom right", "top center", "bottom center")
"""Where snapshots' letters stand in turn: mixes that are compared lie close together."""


def letter(place: int) -> str:
    """What a snapshot is called: A, B, ..."""
    return "ABCDEFGHIJ"[place]


def _snapshots(kept: Sequence[Remix]) -> Figure:
    shown = [(letter(i), mix) for i, mix in enumerate(kept) if mix.attacked is not None]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": SNAPSHOTS,
        "showlegend": bool(shown),
        "x": [100 * mix.clean.value for _, mix in shown],
        "y": [100 * mix.attacked.value for _, mix in shown if mix.attacked],
        "text": [name for name, _ in shown],
        "textposition": [LETTERS_AT[i % len(LETTERS_AT)] for i in range(len(shown))],
        "textfont": {"size": 12},
        "marker": {"color": MUTED, "size": 9, "symbol": "diamond", "line": {"width": 1, "color": MUTED}},
        "hovertemplate": "snapshot %{text}<br>clean %{x:.2f} %<br>attacked %{y:.2f} %<extra></extra>",
    }


def _others(others: Sequence[Known]) -> Figure:
    """Small stars, in the plain mix's colour where nothing is transformed; the hover says what they are."""
    measured = [(known, known.clean) for known in others if known.clean is not None]
    hover = [f"{_called(known.params)}<br>verified, {known.verified}" for known, _ in measured]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": OTHERS,
        "showlegend": bool(measured),
        "x": [100 * clean.value for _, clean in measured],
        "y": [100 * known.verified.value for known, _ in measured],
        "hovertext": hover,
        "customdata": [known.number for known, _ in measured],
        "marker": {
            "color": [PLAIN if known.params.plain else MIX for known, _ in measured],
            "size": 10,
            "symbol": "star",
        },
        "meta": "other verified mixes",
        "hovertemplate": "%{hovertext}<br>clean %{x:.2f} %<extra></extra>",
    }


def _called(params: MixParams) -> str:
    if params.plain and params.alpha is not None:
        return f"plain mix, α = {alpha_text(params.alpha)}"
    return settings_text(params)


def _verified(clean: Estimate, verified: Estimate | None) -> Figure:
    name = "this mix, verified"
    if verified is None:
        return {"type": "scatter", "x": [], "y": [], "showlegend": False, "name": name}
    star = _point(clean, verified, MIX, name, "star")
    star["marker"]["size"] = 14
    star["meta"] = f"{name}, n = {verified.n:,}"  # in the CSV
    star["hovertemplate"] = star["hovertemplate"].replace(name, star["meta"])
    return star


def _point(clean: Estimate, robust: Estimate | None, colour: str, name: str, symbol: str) -> Figure:
    x, y = 100 * clean.value, None if robust is None else 100 * robust.value
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "showlegend": robust is not None,
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
