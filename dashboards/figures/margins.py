"""Confidence margins: histograms (Table 6) and medians (Fig. 6), as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnuts_dashboards.figures.layout import (
    CLASSIFIERS,
    LEGEND_BELOW,
    Figure,
    above,
    at_points,
    axis,
    base_layout,
    round_up,
)
from mnuts_dashboards.theme import MIX, MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.views.margins import Histogram, MarginHistograms


def histogram_figure(columns: Mapping[str, MarginHistograms], threshold: float | None = None) -> Figure:
    """Margin histograms as in Table 6: clean above, attacked below, one column a classifier.

    Args:
        columns: The histograms by the classifier's name.
        threshold: (1-α)/α, marked where it is given: M(h) outvotes g where its margin reaches it.
    """
    rows = ("clean", "attacked") if all(column.attacked for column in columns.values()) else ("clean",)
    traces: list[Figure] = []
    layout = base_layout("", "") | {"barmode": "overlay", "bargap": 0.04, "showlegend": True}
    layout["margin"] = {"l": 44, "r": 8, "t": 24, "b": 64}
    layout["legend"] = LEGEND_BELOW
    layout["annotations"] = []
    for i, row in enumerate(rows):
        for j, (name, column) in enumerate(columns.items()):
            number, part = i * len(columns) + j + 1, at_points(row, attacked_itself=column.attacked_itself)
            traces += _bars_of(getattr(column, row), number, f"{name}, {part}")
            _place_subplot(layout, number, (i, j), (len(rows), len(columns)), f"<b>{name}</b>, {part}")
            if j == 0:
                layout[axis("yaxis", number)]["title"] = {"text": "images (%)", "standoff": 4}
            top = 1.05 * round_up(_tallest(getattr(column, row)))
            layout[axis("yaxis", number)]["range"] = [0, top]
            if threshold is not None:
                traces.append(_threshold_line(threshold, number, top, first=number == 1))
    return {"data": traces, "layout": layout}


def _tallest(histogram: Histogram) -> float:
    """The tallest bar, in per cent."""
    return 100 * float(max(histogram.right.max(), histogram.wrong.max())) / max(histogram.n, 1)


def _bars_of(histogram: Histogram, number: int, of: str) -> list[Figure]:
    low, high = histogram.edges[:-1], histogram.edges[1:]
    bins = [f"{left:.2f} to {right:.2f}" for left, right in zip(low, high, strict=True)]
    return [
        {
            "type": "bar",
            "x": (low + high) / 2,
            "y": 100 * counts / max(histogram.n, 1),
            "customdata": counts,
            "hovertext": bins,
            "name": name,
            "meta": f"{of}, {name}, % of n = {histogram.n}",
            "legendgroup": name,
            "showlegend": number == 1,
            "marker": {"color": translucent(colour, 0.7)},
            "xaxis": axis("x", number),
            "yaxis": axis("y", number),
            "hovertemplate": f"{of}<br>margin %{{hovertext}}<br>"
            f"%{{customdata}} {name} (%{{y:.1f}} %)<extra></extra>",
        }
        for name, counts, colour in (("right", histogram.right, RIGHT), ("wrong", histogram.wrong, WRONG))
    ]


def _place_subplot(
    layout: Figure, number: int, place: tuple[int, int], shape: tuple[int, int], title: str
) -> None:
    (i, j), (rows, columns) = place, shape
    gap, height = (0.07 if columns > 1 else 0.0), (0.42 if rows == 2 else 1.0)
    width = (1.0 - gap * (columns - 1)) / columns
    left, bottom = j * (width + gap), (0.58 if i == 0 and rows == 2 else 0.0)
    layout[axis("xaxis", number)] = {
        "domain": [left, left + width],
        "anchor": axis("y", number),
        "range": [0, 1],
        "title": {"text": "confidence margin" if i == rows - 1 else "", "standoff": 4},
        "tickvals": [0, 0.5, 1],
        "ticktext": ["0", "0.5", "1 "],
    }
    layout[axis("yaxis", number)] = {
        "domain": [bottom, bottom + height],
        "anchor": axis("x", number),
        "nticks": 5,
    }
    layout["annotations"].append(above(title, left + width / 2, bottom + height))


def _threshold_line(threshold: float, number: int, top: float, *, first: bool) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "(1−α)/α",
        "legendgroup": "threshold",
        "showlegend": first,
        "x": [threshold, threshold],
        "y": [0, top],
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
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
            "hovertext": [
                f"{classifier}, {at_points(name, attacked_itself=column.attacked_itself)}"
                for classifier, column in zip(CLASSIFIERS, columns, strict=True)
            ],
            "hovertemplate": "%{hovertext}<br>median %{y:.3f}<br>n = %{customdata}<extra></extra>",
        }
        for name, part, field, colour, pattern in parts
    ]
    layout = base_layout("", "median margin") | {"barmode": "group", "bargap": 0.25}
    layout["yaxis"] |= {"range": [0, 1.2], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    layout["showlegend"] = True
    layout["legend"] = LEGEND_BELOW
    layout["margin"] |= {"b": 70}
    if mix.attacked is not None:
        names = [
            name if column.attacked_itself else f"{name}<br>not attacked"
            for name, column in zip(CLASSIFIERS, columns, strict=True)
        ]
        layout["xaxis"] |= {"tickvals": list(CLASSIFIERS), "ticktext": names}
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


Array = NDArray[np.float64]


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
