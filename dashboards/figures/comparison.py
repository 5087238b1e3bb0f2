"""The comparison's medians and margin gaps (Fig. 7), as plain Plotly JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mnuts_core.views.colours import ROB
from mnuts_dashboards.figures.layout import CLASSIFIERS, LEGEND_BELOW, Figure, above, at_points, axis
from mnuts_dashboards.figures.names import escaped, whole
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.views.comparison import Medians

GROUPS = (
    ("clean right", "clean_right", RIGHT, ""),
    ("clean wrong", "clean_wrong", WRONG, ""),
    ("attacked right", "attacked_right", RIGHT, "/"),
    ("attacked wrong", "attacked_wrong", WRONG, "/"),
)
PANE_NAMES = (
    "<b>g</b> standard",
    "<b>h</b> robust",
    "<b>LN h</b> layer-normed",
    "<b>M(h)</b> own best",
)
FADED = 0.25
"""Opacity of the bundles that are not the chosen one."""


class PaperGap(NamedTuple):
    """One of the paper's models in Fig. 7: its name, and the margin gap printed there."""

    name: str
    gap: float


def medians_figure(medians: Mapping[str, Mapping[str, Medians]], chosen: str | None = None) -> Figure:
    """Median margins in four groups for each bundle, one pane a classifier (Fig. 7), with 95 % intervals.

    Args:
        medians: By bundle, then by classifier.
        chosen: Bundle to stand out, or None for all alike.
    """
    names = list(medians)
    traces = [
        _group(medians, pane, group, chosen)
        for pane in range(len(CLASSIFIERS))
        for group in range(len(GROUPS))
    ]
    layout: Figure = {
        "margin": {"l": 52, "r": 8, "t": 26, "b": 74},
        "barmode": "group",
        "bargap": 0.28,
        "showlegend": True,
        "legend": LEGEND_BELOW,
        "annotations": [],
    }
    for pane, title in enumerate(PANE_NAMES):
        title += "" if _attacked_itself(medians, pane) else ", not attacked"
        row, column = divmod(pane, 2)
        x, y = [0.53 * column, 0.53 * column + 0.47], [0.58 - 0.58 * row, 1.0 - 0.58 * row]
        layout[axis("xaxis", pane + 1)] = name_axis(names, room=38) | {
            "domain": x,
            "anchor": axis("y", pane + 1),
        }
        layout[axis("yaxis", pane + 1)] = {
            "domain": y,
            "anchor": axis("x", pane + 1),
            "matches": "y" if pane else None,
            "range": [0, 1.14],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "zeroline": False,
            "title": {"text": "median margin" if column == 0 else "", "standoff": 6},
        }
        layout["annotations"].append(above(title, x[0], y[1], "left"))
        layout["annotations"] += _gap_texts(medians, pane)
    return {"data": traces, "layout": layout}


def _group(medians: Mapping[str, Mapping[str, Medians]], pane: int, group: int, chosen: str | None) -> Figure:
    """The bars of one group of examples in one pane; empty for a bundle that lacks the group."""
    label, field, colour, pattern = GROUPS[group]
    rows = []
    for name, classifiers in medians.items():
        groups = classifiers.get(CLASSIFIERS[pane])
        median = None if groups is None else getattr(groups, field)
        if median is not None and median.n:
            rows.append((name, median))
    itself = _attacked_itself(medians, pane)
    place = f"{CLASSIFIERS[pane]}, {at_points(label, attacked_itself=itself)}"
    return {
        "type": "bar",
        "name": label,
        "meta": {"name": place, "x": [name for name, _ in rows]},
        "legendgroup": label,
        "showlegend": pane == 0,
        "x": [escaped(name) for name, _ in rows],
        "y": [median.value for _, median in rows],
        "customdata": [name for name, _ in rows],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [median.high - median.value for _, median in rows],
            "arrayminus": [median.value - median.low for _, median in rows],
            "color": MUTED,
            "thickness": 1.2,
            "width": 2,
        },
        "text": [_interval_words(median) for _, median in rows],
        "textposition": "none",
        "marker": {
            "color": translucent(colour, 0.8),
            "opacity": [1.0 if chosen in (None, name) else FADED for name, _ in rows],
            "pattern": {"shape": pattern, "size": 6},
        },
        "xaxis": axis("x", pane + 1),
        "yaxis": axis("y", pane + 1),
        "hovertemplate": f"%{{x}}, {place}<br>median %{{y:.3f}}<br>%{{text}}<extra></extra>",
    }


def _attacked_itself(medians: Mapping[str, Mapping[str, Medians]], pane: int) -> bool:
    """Whether a pane's classifier stands at its own points in all bundles."""
    shown = (classifiers.get(CLASSIFIERS[pane]) for classifiers in medians.values())
    return all(groups.attacked_itself for groups in shown if groups is not None)


def _interval_words(median: Estimate) -> str:
    if math.isfinite(median.low):
        return f"95 % interval {median.low:.3f} to {median.high:.3f}, n = {median.n:,}"
    return f"too few for an interval, n = {median.n:,}"


def _gap_texts(medians: Mapping[str, Mapping[str, Medians]], pane: int) -> list[Figure]:
    texts = []
    for name, classifiers in medians.items():
        groups = classifiers.get(CLASSIFIERS[pane])
        text = "no best" if groups is None else signed(groups.gap, 2)
        if groups is None or math.isfinite(groups.gap):
            place = {"x": escaped(name), "y": 1.02, "xref": axis("x", pane + 1), "yref": axis("y", pane + 1)}
            texts.append(
                place | {"text": text, "yanchor": "bottom", "showarrow": False, "font": {"size": 11}}
            )
    return texts


def gaps_figure(
    medians: Mapping[str, Mapping[str, Medians]], paper: Sequence[PaperGap], chosen: str | None = None
) -> Figure:
    """Margin gaps of LN∘h, these bundles' above and those printed in the paper's Fig. 7 below.

    Args:
        medians: By bundle, then by classifier.
        paper: The paper's models.
        chosen: Bundle to stand out, or None for all alike.
    """
    ours = [(name, classifiers["LN h"].gap) for name, classifiers in medians.items()]
    rows = [(name, gap) for name, gap in ours if math.isfinite(gap)]
    places = list(range(len(rows) + len(paper)))[::-1]
    split = len(rows)
    traces = [
        _gap_bars("these bundles", rows, places[:split], ROB)
        | {"opacity": 1.0, "customdata": [name for name, _ in rows]},
        _gap_bars("the paper's models", [(row.name, row.gap) for row in paper], places[split:], MUTED),
    ]
    traces[0]["marker"]["opacity"] = [1.0 if chosen in (None, name) else FADED for name, _ in rows]
    labels = [*rows, *((row.name, row.gap) for row in paper)]
    low = min(0.0, *(gap for _, gap in rows), 0.0) if rows else 0.0
    layout = {
        "margin": {"l": 10, "r": 14, "t": 4, "b": 74},
        "barmode": "overlay",
        "showlegend": True,
        "legend": LEGEND_BELOW,
        "xaxis": {"title": {"text": "margin gap of LN h", "standoff": 6}, "range": [1.08 * low, 0.86]},
        "yaxis": {"visible": False, "range": [-0.6, len(labels) - 0.2]},
        "annotations": [
            {
                "x": 0,
                "y": place + 0.16,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                # the number first: in a narrow plot the end of a long name is cut off
                "text": f"<b>{signed(gap)}</b> {escaped(shortened(name, 30))}",
                "font": {"size": 11},
            }
            for (name, gap), place in zip(labels, places, strict=True)
        ],
    }
    return {"data": traces, "layout": layout}


def _gap_bars(label: str, rows: Sequence[tuple[str, float]], places: Sequence[int], colour: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": label,
        "width": 0.3,
        "x": [gap for _, gap in rows],
        "y": list(places),
        "text": [name for name, _ in rows],
        "hovertext": [whole(name) for name, _ in rows],
        "textposition": "none",
        "marker": {"color": colour},
        "hovertemplate": "%{hovertext}<br>gap %{x:.3f}<extra></extra>",
    }


def name_axis(names: Sequence[str], room: int) -> Figure:
    """An axis of bundles whose labels fit beside each other.

    Args:
        names: The bundles.
        room: Characters that the whole axis holds.
    """
    each = max(7, room // max(len(names), 1))
    return {
        "type": "category",
        "categoryarray": list(map(escaped, names)),
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "tickangle": 0,
        "tickvals": list(map(escaped, names)),
        "ticktext": [wrapped(name, each) for name in names],
        "tickfont": {"size": 10},
    }


def wrapped(name: str, room: int, lines: int = 3) -> str:
    """A label in a few short lines, broken at marks where there are any.

    Args:
        name: The name.
        room: Characters of a line.
        lines: So many at most.

    Example:
        >>> wrapped("digits-square-seed-3", 8)
        'digits-<br>square-<br>seed-3'
    """
    rows = [""]
    for piece in re.findall(r"[^-_ .]*[-_ .]?", name):
        if rows[-1] and len(rows[-1] + piece) > room:
            rows.append(piece)
        else:
            rows[-1] += piece
    rows[lines - 1 :] = ["".join(rows[lines - 1 :])] if len(rows) >= lines else []
    short = (line if len(line) <= room else f"{line[: room - 1]}…" for line in map(str.strip, rows))
    return "<br>".join(map(escaped, short))


def shortened(name: str, room: int) -> str:
    """A name in `room` characters: its beginning and its end, since names often differ there.

    Example:
        >>> shortened("digits-square-seed-3", 11)
        'digit…eed-3'
    """
    half = (room - 1) // 2
    return name if len(name) <= room else f"{name[: room - 1 - half]}…{name[-half:]}"


def signed(value: float, digits: int = 3) -> str:
    """A number with its sign, the minus as it is printed; what rounds to zero has a plus."""
    return minus(f"{round(value, digits) + 0.0:+.{digits}f}")
