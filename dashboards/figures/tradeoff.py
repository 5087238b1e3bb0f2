"""The trade-off plane, as a template over views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, base_layout, empty, round_up
from mnuts_dashboards.figures.other_mixes import kept_points, leaderboard_points, stars
from mnuts_dashboards.figures.template import Fields, at, fill
from mnuts_dashboards.theme import MIX, MUTED, PLAIN, ROB, STD, translucent

if TYPE_CHECKING:
    from mnuts_core.remix.answers import Remix
    from mnuts_core.views.certified import CertifiedFigures
    from mnuts_core.views.headline import Headline, Row
    from mnuts_core.views.tradeoff import Curve, Frontier, Plane
    from mnuts_dashboards.bundles.verified import Known

FRONTIER = "best of the grid"
DIRECT = "frontier of the grid"
CURRENT = "this transform"
CURRENT_BY_MARGIN = f"{CURRENT}, by margin"
SNAPSHOTS = "snapshots"
OTHERS = "other verified mixes"
"""Names of the traces that a click can lead along."""
LEADERBOARD = "RobustBench"
METHODS = "other methods, at most"
CERTIFIED = "this mix, certified, at least"


def plane_figure(
    plane: Plane,
    plain: Curve,
    frontier: Frontier | None,
    table: Headline,
    kept: Sequence[Remix] = (),
    others: Sequence[Known] = (),
    direct: Frontier | None = None,
    methods: Sequence[Row] = (),
    certified: CertifiedFigures | None = None,
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
        methods: Other methods on the same images, each with a figure under attack.
        certified: Certified accuracies; the mix's has a place where it is at the ε of the attack.
    """
    fields = {
        "curve": plane.current,
        "plain_curve": plain,
        "frontier": frontier,
        "direct_frontier": direct,
        "headline": table,
        "remix": plane.point,
        "snapshots": kept,
        "certified": certified,
        "meta": {"configs": [known._asdict() for known in others], "methods": methods},
    }
    figure: Figure = fill(PLANE, fields | {"drawn": prepare_plane(fields)})
    return figure


# --- the template
def _curve(path: str, colour: str, name: str) -> list[Figure]:
    hover = "α = %{customdata:.5f}<br>clean %{x:.2f} %<br>%{y:.2f} %<extra>" + name
    common = {
        "type": "scatter",
        "mode": "lines",
        "x": {"$": f"{path}.clean", "times": 100},
        "customdata": {"$": f"{path}.alpha"},
        "legendgroup": name,
    }
    return [
        common
        | {
            "y": {"$": f"{path}.attacked", "times": 100},
            "line": {"width": 2.5, "color": colour},
            "name": name,
            "meta": f"{name}, attacked",
            "hovertemplate": f"{hover}, attacked</extra>",
        },
        common
        | {
            "y": {"$": f"{path}.by_margin", "times": 100},
            "line": {"width": 1, "color": colour, "dash": "dot"},
            "name": f"{name}, by margin",
            "showlegend": False,
            "hovertemplate": f"{hover}, right by margin</extra>",
        },
    ]


def _frontier(path: str, name: str, line: Figure) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "showlegend": _exists(path),
        "x": {"$": f"{path}.curve.clean", "times": 100, "else": []},
        "y": {"$": f"{path}.curve.attacked", "times": 100, "else": []},
        "customdata": {"$": f"{path}.curve.alpha", "else": []},
        "meta": {
            "name": name,
            "s": {"$": f"{path}.params.*.s", "else": []},
            "p": {"$": f"{path}.params.*.p", "else": []},
            "c": {"$": f"{path}.params.*.c", "else": []},
        },
        "line": line,
        "marker": {"color": line["color"], "size": 4},
        "hovertemplate": f"{name}<br>α = %{{customdata:.5f}}<br>clean %{{x:.2f}} %<br>"
        "attacked %{y:.2f} %<extra></extra>",
    }


def _exists(path: str) -> Figure:
    return {"$if": path, "then": True, "else": False}


def _point(clean: str, robust: str, colour: str, name: str, symbol: str, size: int = 11) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "showlegend": _exists(robust),
        "x": [{"$": f"{clean}.value", "times": 100}],
        "y": [{"$": f"{robust}.value", "times": 100}],
        "marker": {"color": colour, "size": size, "symbol": symbol, "line": {"color": colour, "width": 2}},
        "error_x": _bars(clean, colour),
        "error_y": {"$if": robust, "then": _bars(robust, colour), "else": {"visible": False}},
        "hovertemplate": f"{name}{_POINT_HOVER}",
    }


_POINT_HOVER = "<br>clean %{x:.2f} %<br>%{y:.2f} %<extra></extra>"


def _bars(path: str, colour: str) -> Figure:
    return {
        "type": "data",
        "symmetric": False,
        "array": [{"$": f"{path}.high", "minus": f"{path}.value", "times": 100}],
        "arrayminus": [{"$": f"{path}.value", "minus": f"{path}.low", "times": 100}],
        "color": translucent(colour, 0.6),
        "thickness": 1,
        "width": 3,
    }


def _verified() -> Figure:
    name, path = "this mix, verified", "headline.mix.verified"
    title = f"{name}, n = {{{path}.n:,}}"
    star = _point("remix.clean", path, MIX, name, "star", size=14)
    star |= {"meta": {"$text": title}, "hovertemplate": {"$text": title + _POINT_HOVER}}
    none = {"type": "scatter", "x": [], "y": [], "showlegend": False, "name": name}
    return {"$if": path, "then": star, "else": none}


_SNAPSHOTS: Figure = {
    "type": "scatter",
    "mode": "markers+text",
    "name": SNAPSHOTS,
    "showlegend": _exists("drawn.kept.x"),
    "x": {"$": "drawn.kept.x"},
    "y": {"$": "drawn.kept.y"},
    "text": {"$": "drawn.kept.text"},
    "textposition": {"$": "drawn.kept.places"},
    "textfont": {"size": 12},
    "marker": {"color": MUTED, "size": 9, "symbol": "diamond", "line": {"width": 1, "color": MUTED}},
    "hovertemplate": "snapshot %{text}<br>clean %{x:.2f} %<br>attacked %{y:.2f} %<extra></extra>",
}

_OTHERS: Figure = {
    "type": "scatter",
    "mode": "markers",
    "name": OTHERS,
    "showlegend": _exists("drawn.stars.x"),
    "x": {"$": "drawn.stars.x"},
    "y": {"$": "drawn.stars.y"},
    "hovertext": {"$": "drawn.stars.hover"},
    "customdata": {"$": "drawn.stars.number"},
    "marker": {
        "color": {"$": "drawn.stars.kind", "map": {"plain": PLAIN, "mix": MIX}},
        "size": 10,
        "symbol": "star",
    },
    "meta": {
        "name": "other verified mixes",
        "customdata": {"$": "drawn.stars.params.*.alpha"},
        "s": {"$": "drawn.stars.params.*.s"},
        "p": {"$": "drawn.stars.params.*.p"},
        "c": {"$": "drawn.stars.params.*.c"},
    },
    "hovertemplate": "%{hovertext}<br>clean %{x:.2f} %<extra></extra>",
}

_LEADERBOARD: Figure = {
    "$if": "drawn.leaderboard.x",
    "type": "scatter",
    "mode": "markers",
    "name": LEADERBOARD,
    "x": {"$": "drawn.leaderboard.x"},
    "y": {"$": "drawn.leaderboard.y"},
    "hovertext": {"$": "drawn.leaderboard.hover"},
    "marker": {"color": MUTED, "size": 5, "symbol": "circle-open"},
    "hovertemplate": "%{hovertext}<br>clean %{x:.2f} %<br>AutoAttack %{y:.2f} %<extra></extra>",
}


_METHODS: Figure = {
    "$if": "meta.methods",
    "type": "scatter",
    "mode": "markers",
    "name": METHODS,
    "x": {"$": "meta.methods.*.clean.value", "times": 100},
    "y": {"$": "meta.methods.*.attacked.value", "times": 100},
    "hovertext": {"$": "meta.methods.*.label"},
    "marker": {
        "color": MUTED,
        "size": 11,
        "symbol": "triangle-up-open",
        "line": {"width": 2, "color": MUTED},
    },
    "hovertemplate": "%{hovertext}<br>clean %{x:.2f} %<br>right at all known points %{y:.2f} %, at most: "
    "none was found against it<extra></extra>",
}

_CERTIFIED: Figure = {
    "$if": "certified.of_threat",
    **_point("remix.clean", "certified.mix", MIX, CERTIFIED, "triangle-down-open"),
}


def _plane() -> Figure:
    layout = base_layout("clean accuracy (%)", "accuracy under attack (%)", legend=True)
    layout |= {"hovermode": "closest", "legend": LEGEND_BELOW}
    layout["margin"] |= {"b": 92}
    layout["xaxis"]["range"], layout["yaxis"]["range"] = {"$": "drawn.x_range"}, {"$": "drawn.y_range"}
    for axis in (layout["xaxis"], layout["yaxis"]):
        axis |= {"minallowed": -5, "maxallowed": 105}  # there are no other accuracies, in per cent
    traces = [
        _LEADERBOARD,
        *_curve("plain_curve", PLAIN, "plain mix"),
        _frontier("frontier", FRONTIER, {"color": MUTED, "width": 1}),
        _frontier("direct_frontier", DIRECT, {"color": MIX, "width": 1.5, "dash": "dash"}),
        *_curve("curve", MIX, CURRENT),
        _point("headline.std.clean", "headline.std.attacked", STD, "standard model", "diamond"),
        _point("headline.rob.clean", "headline.rob.attacked", ROB, "robust model", "square"),
        _point("remix.clean", "remix.by_margin", MIX, "this mix, by margin", "circle-open"),
        _point("remix.clean", "remix.attacked", MIX, "this mix", "circle"),
        _SNAPSHOTS,
        _OTHERS,
        _verified(),
        _METHODS,
        _CERTIFIED,
    ]
    nothing = empty("This bundle has no attacked part: there is no trade-off to show.")
    return {"$if": "headline.rob.attacked", "then": {"data": traces, "layout": layout}, "else": nothing}


PLANE = _plane()


# --- what it draws beyond its views, as `charts/prepare/plane.js`
def prepare_plane(fields: Fields) -> Fields | None:
    """Ranges, and the points of other mixes; None without an attacked part.

    Args:
        fields: `curve`, `plain_curve`, `headline`, `remix`, and where there are any `snapshots` (mixes),
            `meta.configs` (configurations with `params`, `clean`, `verified`), `paper.robustbench` (rows of
            the paper's Fig. 2), shown where `options.robustbench` is set, `meta.methods` (other methods), and
            `certified`.
    """
    if at(fields, "headline.rob.attacked") is None:
        return None
    points = {
        "kept": kept_points(at(fields, "snapshots") or ()),
        "stars": stars(at(fields, "meta.configs") or (), fields["remix"].params),
        "leaderboard": leaderboard_points(fields),
    }
    x_range, y_range = _ranges(fields, list(points.values()))
    return {"x_range": x_range, "y_range": y_range, **points}


def _ranges(fields: Fields, points: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]]:
    """Ranges that stay put while a slider moves: the plain mix's, wider only where something else stands."""
    plain, current, table = fields["plain_curve"], fields["curve"], fields["headline"]
    clean = [x / 100 for one in points for x in one["x"]] + (at(fields, "meta.methods.*.clean.value") or [])
    robust = [y / 100 for one in points for y in one["y"]] + (
        at(fields, "meta.methods.*.attacked.value") or []
    )
    of_mix = ("headline.mix.verified", *(("certified.mix",) if at(fields, "certified.of_threat") else ()))
    robust += [at(fields, f"{path}.value") for path in of_mix if at(fields, path)]
    low = min(plain.clean.min(), current.clean.min(), table.rob.clean.low, *clean)
    high = max(plain.clean.max(), current.clean.max(), table.std.clean.high, *clean)
    top = max(plain.by_margin.max(), plain.attacked.max(), current.attacked.max(), *robust)
    step = round_up((high - low) / 4)
    low, high = step * np.floor(low / step), min(step * np.ceil(high / step), 1.0)
    x = [100 * (low - 0.1 * step), 100 * (high + 0.1 * step)]
    return [float(end) for end in x], [-3.0, float(np.ceil(20 * top) * 5 + 3)]
