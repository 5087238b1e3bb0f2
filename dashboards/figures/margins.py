"""Confidence margins: histograms (Table 6), as templates over views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnuts_dashboards.figures.layout import (
    CLASSIFIERS,
    LEGEND_BELOW,
    Figure,
    above,
    axis,
    base_layout,
    part_at,
    round_up,
)
from mnuts_dashboards.figures.template import Fields, Template, at, fill
from mnuts_dashboards.theme import MIX, MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.views.margins import Histogram, MarginHistograms


def histogram_figure(columns: Mapping[str, MarginHistograms], threshold: float | None = None) -> Figure:
    """Margin histograms as in Table 6: clean above, attacked below, one column a classifier.

    Args:
        columns: The histograms by the classifier's name.
        threshold: (1-α)/α, marked where it is given: M(h) outvotes g where its margin reaches it.
    """
    template = histogram_template(tuple(columns), with_threshold=threshold is not None)
    drawn = _drawn(list(columns.values()), log=False) | {"threshold": threshold}
    fields = {"remix": {"threshold": threshold}, "drawn": drawn}
    figure: Figure = fill(template, fields)
    return figure


# --- histograms
def histogram_template(names: tuple[str, ...], *, with_threshold: bool) -> Any:
    """The template of `histogram_figure` for some columns, each a field of `drawn.columns`."""
    one, two = (_histograms(names, rows, with_threshold) for rows in (("clean",), ("clean", "attacked")))
    return {"$if": "drawn.attacked", "then": two, "else": one}


def _histograms(names: tuple[str, ...], rows: tuple[str, ...], with_threshold: bool) -> Figure:
    traces: list[Figure] = []
    layout = base_layout("", "") | {"barmode": "overlay", "bargap": 0.04, "showlegend": True}
    layout["margin"] = {"l": 44, "r": 8, "t": 24, "b": 64}
    layout |= {"legend": LEGEND_BELOW, "annotations": [], "dragmode": "select", "selectdirection": "h"}
    for i, row in enumerate(rows):
        for j, name in enumerate(names):
            number, column = i * len(names) + j + 1, f"drawn.columns.{j}"
            part, path = part_at(row, f"{column}.attacked_itself"), f"{column}.{row}"
            traces += _bars_of(path, number, {"$text": [f"{name}, ", part]}, {"of": name, "part": row})
            itself = {"$if": f"{column}.attacked_itself", "then": row, "else": "not attacked itself"}
            title = {"$text": [f"<b>{name}</b>, ", row if row == "clean" else itself]}
            _place_subplot(layout, number, (i, j), (len(rows), len(names)), title)
            if j == 0:
                layout[axis("yaxis", number)]["title"] = {"text": "images (%)", "standoff": 4}
            layout[axis("yaxis", number)]["range"] = [0, {"$": f"{path}.top"}]
            if with_threshold:
                traces.append(_threshold_line(f"{path}.top", number))
    return {"data": traces, "layout": layout}


def _bars_of(path: str, number: int, of: Template, what: dict[str, str]) -> list[Figure]:
    """Bars of right and wrong predictions; what they are of stands in `meta`, for a selection."""
    return [
        {
            "type": "bar",
            "x": {"$": f"{path}.x"},
            "y": {"$": f"{path}.{name}"},
            "customdata": {"$": f"{path}.{name}_count"},
            "hovertext": {"$": f"{path}.bins"},
            "name": name,
            "meta": {**what, "name": {"$text": [of, {"$text": f", {name}, % of n = {{{path}.n}}"}]}},
            "legendgroup": name,
            "showlegend": number == 1,
            "marker": {"color": translucent(colour, 0.7)},
            "xaxis": axis("x", number),
            "yaxis": axis("y", number),
            "hovertemplate": {
                "$text": [
                    of,
                    f"<br>margin %{{hovertext}}<br>%{{customdata}} {name} (%{{y:.1f}} %)<extra></extra>",
                ]
            },
        }
        for name, colour in (("right", RIGHT), ("wrong", WRONG))
    ]


def _place_subplot(
    layout: Figure, number: int, place: tuple[int, int], shape: tuple[int, int], title: Template
) -> None:
    (i, j), (rows, columns) = place, shape
    gap, height = (0.07 if columns > 1 else 0.0), (0.42 if rows == 2 else 1.0)
    width = (1.0 - gap * (columns - 1)) / columns
    left, bottom = j * (width + gap), (0.58 if i == 0 and rows == 2 else 0.0)
    layout[axis("xaxis", number)] = {
        "domain": [left, left + width],
        "anchor": axis("y", number),
        "range": {"$": "drawn.range"},
        "title": {"text": "confidence margin" if i == rows - 1 else "", "standoff": 4},
        "tickvals": {"$": "drawn.ticks"},
        "ticktext": {"$": "drawn.tick_texts"},
    }
    layout[axis("yaxis", number)] = {
        "domain": [bottom, bottom + height],
        "anchor": axis("x", number),
        "nticks": 5,
    }
    layout["annotations"].append(above(title, left + width / 2, bottom + height))


def _threshold_line(top: str, number: int) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "(1−α)/α",
        "legendgroup": "threshold",
        "showlegend": number == 1,
        "x": [{"$": "drawn.threshold"}, {"$": "drawn.threshold"}],
        "y": [0, {"$": top}],
        "customdata": [{"$": "remix.threshold"}, {"$": "remix.threshold"}],
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "line": {"color": MIX, "width": 2, "dash": "dash"},
        "hovertemplate": "(1−α)/α = %{customdata:.4g}<extra></extra>",
    }


def _with_rug(template: Any, columns: int) -> Any:
    """The histograms with a mark for each selected image, at the foot of those of clean images."""
    marks = [_rug(f"drawn.selected.{j}", j + 1) for j in range(columns)]
    ways = {way: template[way] | {"data": [*template[way]["data"], *marks]} for way in ("then", "else")}
    return template | ways


def _rug(path: str, number: int) -> Figure:
    return {
        "$if": f"{path}.x",
        "type": "scatter",
        "mode": "markers",
        "name": "selected",
        "legendgroup": "selected",
        "showlegend": number == 1,
        "x": {"$": f"{path}.x"},
        "y": {"$": f"{path}.y"},
        "customdata": {"$": f"{path}.row"},
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "cliponaxis": False,
        "marker": {"color": MUTED, "size": 12, "symbol": "line-ns-open", "line": {"width": 2}},
        "hovertemplate": "image %{customdata}<extra></extra>",
    }


BASE = CLASSIFIERS[:3]
MARGINS = _with_rug(histogram_template(BASE, with_threshold=False), len(BASE))
MIX_MARGINS = _with_rug(histogram_template(CLASSIFIERS[3:], with_threshold=True), 1)
OWN_MARGINS = ("std_margin", "rob_margin", "ln_margin")
"""Fields of `images` for the columns of `MARGINS`."""


# --- what they draw beyond their views, as `charts/prepare/margins.js`
def prepare_margins(fields: Fields) -> Fields:
    """The base models' histograms, from `margins`; on a log axis where `options.log_margins` is set.

    The images of `selected`, clean rows, have their marks where `images` is at hand.
    """
    log = bool(at(fields, "options.log_margins"))
    drawn = _drawn([fields["margins"][name] for name in BASE], log=log)
    return {**drawn, "selected": [_marks(fields, name, log=log) for name in OWN_MARGINS]}


def prepare_mix_margins(fields: Fields) -> Fields:
    """M(h)'s histograms, from `mix_margins`, likewise."""
    log = bool(at(fields, "options.log_margins"))
    threshold = fields["remix"].threshold
    drawn = _drawn([fields["mix_margins"]], log=log)
    selected = [_marks(fields, "margin", log=log)]
    return {**drawn, "threshold": log_place(threshold) if log else threshold, "selected": selected}


def _marks(fields: Fields, name: str, *, log: bool) -> Fields:
    """Where the selected images stand by one of their margins."""
    view = at(fields, "images")
    marked = [] if view is None else selected_rows(at(fields, "selected"), len(view.margin))[:MOST_MARKED]
    places = [float(getattr(view, name)[row]) for row in marked]
    return {"x": [log_place(one) if log else one for one in places], "y": [0] * len(marked), "row": marked}


MOST_MARKED = 500
"""Of more selected images the first ones are marked one by one."""


def selected_rows(rows: Iterable[int] | None, n: int) -> list[int]:
    """Of the selected images those that there are."""
    return [int(row) for row in rows or () if 0 <= row < n]


LOG_TICKS = (-6, -4, -2, 0)
LOG_TEXTS = ("10<sup>−6</sup>", "10<sup>−4</sup>", "0.01", "1 ")


def _drawn(columns: list[MarginHistograms], *, log: bool) -> dict[str, Any]:
    """Columns of histograms as they are drawn, with their common axis."""
    attacked = all(column.attacked is not None for column in columns)
    drawn = [
        {
            "clean": _histogram(column.clean, log=log),
            "attacked": _histogram(column.attacked, log=log) if column.attacked is not None else None,
            "attacked_itself": column.attacked_itself,
        }
        for column in columns
    ]
    axes = (LOG_TICKS, LOG_TEXTS) if log else ((0, 0.5, 1), ("0", "0.5", "1 "))
    return {
        "columns": drawn,
        "attacked": attacked,
        "range": [axes[0][0], axes[0][-1]],
        "ticks": list(axes[0]),
        "tick_texts": list(axes[1]),
    }


def _histogram(histogram: Histogram, *, log: bool) -> Fields:
    edges = np.log10(histogram.log_edges) if log else histogram.edges
    right, wrong = (histogram.log_right, histogram.log_wrong) if log else (histogram.right, histogram.wrong)
    n = max(histogram.n, 1)
    return {
        "x": (edges[:-1] + edges[1:]) / 2,
        "bins": _log_bins(histogram.log_edges) if log else _bins(histogram.edges),
        "right": 100 * right / n,
        "wrong": 100 * wrong / n,
        "right_count": right,
        "wrong_count": wrong,
        "n": histogram.n,
        "top": 1.05 * round_up(100 * float(max(right.max(), wrong.max())) / n),
    }


def _bins(edges: Array) -> list[str]:
    return [f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges)]


def _log_bins(edges: Array) -> list[str]:
    """The first bin holds everything below."""
    bins = [f"{low:.2g} to {high:.2g}" for low, high in pairwise(edges)]
    return [f"up to {edges[1]:.2g}", *bins[1:]]


def log_place(margin: float) -> float:
    """Where a margin stands on the log axis; what lies below it stands at its end."""
    return float(np.log10(max(margin, 10.0 ** LOG_TICKS[0])))


Array = NDArray[np.float64]


# --- the notebooks' own
def attack_figure(before: Array, after: Array) -> Figure:
    """Signed margin of each image before an attack and after it: right above 0, wrong below.

    Args:
        before: Signed margins at the clean images, shape (N,).
        after: At the points that the attack found, shape (N,).
    """
    held = after > 0
    ends = [min(before.min(), after.min()) - 0.03, max(before.max(), after.max()) + 0.03]
    diagonal = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": ends,
        "line": {"color": MUTED, "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    points = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{name}: {int(mask.sum())}",
            "x": before[mask],
            "y": after[mask],
            "marker": {"color": translucent(colour, 0.6), "size": 6},
            "hovertemplate": "clean %{x:.3f}<br>attacked %{y:.3f}<extra></extra>",
        }
        for name, mask, colour in (("still right", held, RIGHT), ("wrong", ~held, WRONG))
    ]
    layout = {
        "margin": {"l": 56, "r": 12, "t": 12, "b": 48},
        "xaxis": {"title": {"text": "signed margin at the clean image"}, "range": ends},
        "yaxis": {"title": {"text": "smallest signed margin found"}, "range": ends},
        "showlegend": True,
        "legend": {"x": 0.02, "y": 0.98},
    }
    return {"data": [diagonal, *points], "layout": layout}
