"""The comparison's figures as plain Plotly JSON: drawing only. Imports neither torch nor ipywidgets."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mnuts_core.colours import ROB

from .theme import MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.comparison import Medians, Transfer

Figure = dict[str, Any]
GROUPS = (
    ("clean right", "clean_right", RIGHT, ""),
    ("clean wrong", "clean_wrong", WRONG, ""),
    ("attacked right", "attacked_right", RIGHT, "/"),
    ("attacked wrong", "attacked_wrong", WRONG, "/"),
)
PANES = ("g", "h", "LN h", "M(h)")
PANE_NAMES = ("<b>g</b> standard", "<b>h</b> robust", "<b>LN h</b> layer-normed", "<b>M(h)</b> own best")
FIGURES = (("clean", "clean accuracy"), ("margin_bound", "margin bound"), ("transfer", "transfer"))
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
        _group(medians, pane, group, chosen) for pane in range(len(PANES)) for group in range(len(GROUPS))
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
        row, column = divmod(pane, 2)
        x, y = [0.53 * column, 0.53 * column + 0.47], [0.58 - 0.58 * row, 1.0 - 0.58 * row]
        layout[key("xaxis", pane)] = _name_axis(names, room=38) | {"domain": x, "anchor": axis("y", pane)}
        layout[key("yaxis", pane)] = {
            "domain": y,
            "anchor": axis("x", pane),
            "matches": "y" if pane else None,
            "range": [0, 1.14],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "zeroline": False,
            "title": {"text": "median margin" if column == 0 else "", "standoff": 6},
        }
        layout["annotations"].append(_above(title, x[0], y[1], "left"))
        layout["annotations"] += _gap_texts(medians, pane)
    return {"data": traces, "layout": layout}


def _group(medians: Mapping[str, Mapping[str, Medians]], pane: int, group: int, chosen: str | None) -> Figure:
    """The bars of one group of examples in one pane; empty for a bundle that lacks the group."""
    label, field, colour, pattern = GROUPS[group]
    rows = []
    for name, classifiers in medians.items():
        groups = classifiers.get(PANES[pane])
        median = None if groups is None else getattr(groups, field)
        if median is not None and median.n:
            rows.append((name, median))
    return {
        "type": "bar",
        "name": label,
        "meta": f"{PANES[pane]}, {label}",
        "legendgroup": label,
        "showlegend": pane == 0,
        "x": [name for name, _ in rows],
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
        "text": [f"95 % interval {m.low:.3f} to {m.high:.3f}, n = {m.n:,}" for _, m in rows],
        "textposition": "none",
        "marker": {
            "color": translucent(colour, 0.8),
            "opacity": [1.0 if chosen in (None, name) else FADED for name, _ in rows],
            "pattern": {"shape": pattern, "size": 6},
        },
        "xaxis": axis("x", pane),
        "yaxis": axis("y", pane),
        "hovertemplate": f"%{{x}}, {PANES[pane]}, {label}<br>median %{{y:.3f}}<br>%{{text}}<extra></extra>",
    }


def _gap_texts(medians: Mapping[str, Mapping[str, Medians]], pane: int) -> list[Figure]:
    texts = []
    for name, classifiers in medians.items():
        groups = classifiers.get(PANES[pane])
        text = "no best" if groups is None else signed(groups.gap, 2)
        if groups is None or math.isfinite(groups.gap):
            place = {"x": name, "y": 1.02, "xref": axis("x", pane), "yref": axis("y", pane)}
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
        _gap_bars("the paper's models", [tuple(row) for row in paper], places[split:], MUTED),
    ]
    traces[0]["marker"]["opacity"] = [1.0 if chosen in (None, name) else FADED for name, _ in rows]
    labels = [(name, gap) for name, gap in rows] + [tuple(row) for row in paper]
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
                "text": f"{shortened(name, 30)} <b>{signed(gap)}</b>",
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
        "textposition": "none",
        "marker": {"color": colour},
        "hovertemplate": "%{text}<br>gap %{x:.3f}<extra></extra>",
    }


def transfers_figure(
    cells: Sequence[Transfer], names: Sequence[str], chosen: tuple[str, str] | None = None
) -> Figure:
    """The transfer matrix: accuracy and loss of each bundle's best parameters on each bundle.

    Args:
        cells: The pairs.
        names: All bundles, in order.
        chosen: (source, target) to mark.
    """
    sources = list(dict.fromkeys(cell.source for cell in cells))
    if not sources:
        return empty("No bundle here has best parameters: Algorithm 1 needs attacked images.")
    reach = max([0.005, *(abs(_loss(cell, field) or 0.0) for cell in cells for field, _ in FIGURES)])
    layout: Figure = {
        "margin": {"l": 120, "r": 84, "t": 26, "b": 58},
        "annotations": [],
        "shapes": [],
        "coloraxis": {
            "colorscale": [
                [0, translucent(RIGHT, 0.55)],
                [0.5, translucent(MUTED, 0.1)],
                [1, translucent(WRONG, 0.55)],
            ],
            "cmin": -100 * reach,
            "cmax": 100 * reach,
            "colorbar": {"title": {"text": "loss,<br>points", "font": {"size": 11}}, "thickness": 10},
        },
    }
    traces = []
    for pane, (_, title) in enumerate(FIGURES):
        left = 0.345 * pane
        traces.append(_matrix(cells, sources, names, pane))
        layout[key("xaxis", pane)] = _name_axis(names, room=27) | {
            "domain": [left, left + 0.31],
            "anchor": axis("y", pane),
            "title": {"text": "used on", "standoff": 4},
        }
        layout[key("yaxis", pane)] = {
            "anchor": axis("x", pane),
            "type": "category",
            "categoryarray": sources,
            "autorange": "reversed",
            "showgrid": False,
            "tickvals": sources,
            "ticktext": [shortened(name, 15) if pane == 0 else "" for name in sources],
            "title": {"text": "best parameters of" if pane == 0 else "", "standoff": 8},
        }
        layout["annotations"].append(_above(f"<b>{title}</b> (%), loss below", left, 1.0, "left"))
        layout["annotations"] += [_cell_text(cell, pane, 12 if len(names) < 5 else 10) for cell in cells]
        if chosen is not None and chosen[0] in sources and chosen[1] in names:
            layout["shapes"].append(_frame(sources.index(chosen[0]), list(names).index(chosen[1]), pane))
    return {"data": traces, "layout": layout}


def _matrix(cells: Sequence[Transfer], sources: list[str], names: Sequence[str], pane: int) -> Figure:
    field, title = FIGURES[pane]
    of = {(cell.source, cell.target): cell for cell in cells}
    table = [[of[source, target] for target in names] for source in sources]
    return {
        "type": "heatmap",
        "meta": f"{title}: loss in points against the own best (y: parameters of, x: used on)",
        "x": list(names),
        "y": sources,
        "z": [[_percent(_loss(cell, field)) for cell in row] for row in table],
        "customdata": [[_hover(cell, field) for cell in row] for row in table],
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": True,
        "coloraxis": "coloraxis",
        "xgap": 2,
        "ygap": 2,
        "xaxis": axis("x", pane),
        "yaxis": axis("y", pane),
    }


def _loss(cell: Transfer, field: str) -> float | None:
    return getattr(cell, f"{field}_loss")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _cell_text(cell: Transfer, pane: int, size: int) -> Figure:
    """What stands in a cell. As annotation, since a heat map's own text disregards the page's colours."""
    field = FIGURES[pane][0]
    estimate, loss = getattr(cell, field), _loss(cell, field)
    if estimate is None:
        text = "–"
    else:
        own = "own" if cell.source == cell.target else "" if loss is None else _plain(100 * loss)
        text = f"{100 * estimate.value:.1f}<br>{own}"
    place = {"x": cell.target, "y": cell.source, "xref": axis("x", pane), "yref": axis("y", pane)}
    return place | {"text": text, "showarrow": False, "font": {"size": size}}


def _plain(value: float) -> str:
    return f"{round(value, 1) + 0.0:.1f}".replace("-", "−")


def _hover(cell: Transfer, field: str) -> str:
    told = f"parameters of {cell.source}, used on {cell.target}"
    estimate, loss = getattr(cell, field), _loss(cell, field)
    if estimate is None:
        return f"{told}<br>{'no attacked part' if cell.refused is None else 'no figures: see the table'}"
    low, high = estimate.interval
    interval = f"[{100 * low:.1f}, {100 * high:.1f}], n = {estimate.n:,}"
    told += f"<br>{estimate.kind} {100 * estimate.value:.2f} % {interval}"
    return told + ("" if loss is None else f"<br>loss against its own best {100 * loss + 0.0:.2f} points")


def _frame(row: int, column: int, pane: int) -> Figure:
    """A frame around one cell; categories count from 0."""
    return {
        "type": "rect",
        "x0": column - 0.5,
        "x1": column + 0.5,
        "y0": row - 0.5,
        "y1": row + 0.5,
        "xref": axis("x", pane),
        "yref": axis("y", pane),
        "line": {"color": ROB, "width": 3},
    }


def empty(text: str) -> Figure:
    """A plot that says why it shows nothing."""
    layout = {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return {"data": [], "layout": layout | {"annotations": [_above(text, 0.5, 0.5, "center")]}}


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
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def _name_axis(names: Sequence[str], room: int) -> Figure:
    """An axis of bundles whose labels fit beside each other.

    Args:
        names: The bundles.
        room: Characters that the whole axis holds.
    """
    each = max(7, room // max(len(names), 1))
    return {
        "type": "category",
        "categoryarray": list(names),
        "range": [-0.5, len(names) - 0.5],
        "showgrid": False,
        "tickangle": 0,
        "tickvals": list(names),
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
    made = [""]
    for piece in re.findall(r"[^-_ .]*[-_ .]?", name):
        if made[-1] and len(made[-1] + piece) > room:
            made.append(piece)
        else:
            made[-1] += piece
    made[lines - 1 :] = ["".join(made[lines - 1 :])] if len(made) >= lines else []
    short = (line if len(line) <= room else f"{line[: room - 1]}…" for line in map(str.strip, made))
    return "<br>".join(short)


def _above(text: str, x: float, y: float, anchor: str) -> Figure:
    place = {"x": x, "y": y, "xanchor": anchor, "yanchor": "bottom", "xref": "paper", "yref": "paper"}
    return place | {"text": text, "showarrow": False, "font": {"size": 12}}


LEGEND_BELOW = {
    "orientation": "h",
    "x": 0,
    "y": 0,
    "yref": "container",
    "yanchor": "bottom",
    "font": {"size": 11},
}


def axis(letter: str, pane: int) -> str:
    """A subplot's axis as a trace names it; panes count from 0."""
    return letter if pane == 0 else f"{letter}{pane + 1}"


def key(name: str, pane: int) -> str:
    """A subplot's axis as the layout names it."""
    return name if pane == 0 else f"{name}{pane + 1}"
