"""Results by class, and what the mix takes each class for, as templates over views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, above, axis, base_layout
from mnuts_dashboards.figures.margins import selected_rows
from mnuts_dashboards.figures.names import name_ticks, whole
from mnuts_dashboards.figures.template import Fields, at
from mnuts_dashboards.theme import MIX, MUTED, PAGE, ROB, STD

if TYPE_CHECKING:
    from mnuts_core.views.classes import ClassResults

MOST_BARS = 20
"""Of more classes those that the mix changes most against h."""
MOST_ROWS = 30
"""Of more classes those with most mistakes."""
SERIES = (
    ("std", "standard g", STD),
    ("rob", "robust h", ROB),
    ("mix", "this mix", MIX),
    ("selected", "selected", MUTED),
)
"""The last one is the share of selected images, of the clean ones."""


NAMED: Figure = {
    "type": "linear",
    "range": {"$": "drawn.ticks.range"},
    "tickvals": {"$": "drawn.ticks.at"},
    "ticktext": {"$": "drawn.ticks.text"},
    "tickfont": {"size": 10},
    "ticklabeloverflow": "allow",
    "showgrid": False,
    "zeroline": False,
}
"""An axis of classes."""


# --- bars
def _classes(rows: tuple[str, ...]) -> Figure:
    layout = base_layout("", "") | {
        "barmode": "group",
        "bargap": 0.25,
        "legend": LEGEND_BELOW,
        "showlegend": True,
    }
    layout["margin"] = {"l": 52, "r": 8, "t": 24, "b": 84}
    layout["annotations"] = []
    traces = []
    for i, part in enumerate(rows):
        number, two = i + 1, len(rows) == 2
        traces += [_class_bars(part, number, *series) for series in SERIES]
        bottom, height = (0.57 if two and i == 0 else 0.0), (0.43 if two else 1.0)
        layout[axis("xaxis", number)] = {
            "anchor": axis("y", number),
            **NAMED,
            "showticklabels": i == len(rows) - 1,
        }
        layout[axis("yaxis", number)] = {
            "domain": [bottom, bottom + height],
            "anchor": axis("x", number),
            "range": [0, 100],
            "nticks": 5,
            "title": {"text": "right (%)", "standoff": 4},
        }
        layout["annotations"].append(above(part, 0.0, bottom + height, "left"))
    return {"data": traces, "layout": layout}


def _class_bars(part: str, number: int, key: str, name: str, colour: str) -> Figure:
    return {
        "$if": f"drawn.{part}.{key}",
        "type": "bar",
        "name": name,
        "meta": {"name": f"{name}, {part}", "part": part, "x": {"$": "drawn.names"}},
        "legendgroup": key,
        "showlegend": number == 1,
        "x": {"$": "drawn.places"},
        "y": {"$": f"drawn.{part}.{key}"},
        "customdata": {"$": f"drawn.{part}.n"},
        "hovertext": {"$": "drawn.hover"},
        "marker": {"color": colour},
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "hovertemplate": f"%{{hovertext}}, {part}<br>{name} %{{y:.1f}} % of n = %{{customdata}}"
        "<extra></extra>",
    }


CLASSES: Any = {
    "$if": "drawn.attacked",
    "then": _classes(("clean", "attacked")),
    "else": _classes(("clean",)),
}


# --- mistakes
def _confusion() -> Figure:
    layout = base_layout("predicted by the mix", "true class")
    layout["margin"] = {"l": 80, "r": 8, "t": 12, "b": 80}
    layout["xaxis"] |= NAMED
    layout["yaxis"] |= NAMED | {"range": {"$": "drawn.ticks.downwards"}}
    layout["coloraxis"] = {
        "colorscale": "Cividis",
        "cmin": 0,
        "cmax": {"$": "drawn.most"},
        "colorbar": {"title": {"text": "of the true class (%)", "side": "right"}, "thickness": 10},
    }
    trace = {
        "type": "heatmap",
        "name": "mistakes",
        "x": {"$": "drawn.places"},
        "y": {"$": "drawn.places"},
        "z": {"$": "drawn.share"},
        "customdata": {"$": "drawn.count"},
        "text": {"$": "drawn.hover"},
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "meta": {
            "name": {"$text": "{drawn.part}, % of the true class (x: predicted, y: true)"},
            "part": {"$": "drawn.part"},
            "x": {"$": "drawn.names"},
            "y": {"$": "drawn.names"},
        },
        "hovertemplate": "%{text}<br>images: %{customdata}, %{z:.1f} %<extra></extra>",
    }
    selected = {
        "$if": "drawn.selected.text",
        "type": "scatter",
        "mode": "markers+text",
        "name": "selected",
        "x": {"$": "drawn.selected.x"},
        "y": {"$": "drawn.selected.y"},
        "text": {"$": "drawn.selected.text"},
        "textfont": {"color": PAGE["light"]["text"], "size": 10},
        "marker": {"color": PAGE["light"]["ground"], "size": 19, "line": {"color": MUTED, "width": 1}},
        "showlegend": False,
        "meta": {
            "name": "selected",
            "x": {"$": "drawn.selected.predicted"},
            "y": {"$": "drawn.selected.true"},
        },
        "hovertext": {"$": "drawn.selected.hover"},
        "hovertemplate": "%{hovertext}<br>%{text} selected<extra></extra>",
    }
    return {"data": [trace, selected], "layout": layout}


CONFUSION = _confusion()


# --- what they draw beyond their views, as `charts/prepare/classes.js`
def prepare_classes(fields: Fields) -> Fields:
    """Shares of right predictions, of at most `MOST_BARS` classes, from `classes_clean` and `…_attacked`."""
    clean, attacked = fields["classes_clean"], at(fields, "classes_attacked")
    shown = _most_changed(clean)
    selected = _selected_by_class(fields, len(clean.n))
    names = [_name(fields, k) for k in shown]
    return {
        "classes": shown,
        "names": names,
        "places": list(range(len(names))),
        "hover": list(map(whole, names)),
        "ticks": name_ticks(names),
        "clean": _shares(clean, shown, selected),
        "attacked": None if attacked is None else _shares(attacked, shown, None),
    }


def _selected_by_class(fields: Fields, k: int) -> np.ndarray | None:
    """How many selected images each class has; None where none is selected."""
    view = at(fields, "images")
    rows = [] if view is None else selected_rows(at(fields, "selected"), len(view.label))
    return np.bincount(view.label[rows], minlength=k) if rows else None


def _most_changed(results: ClassResults) -> list[int]:
    """All classes where they are few, else those that lose and gain most, the largest loss first."""
    if len(results.n) <= MOST_BARS:
        return list(range(len(results.n)))
    gain = (results.mix.astype(np.float64) - results.rob) / np.maximum(results.n, 1)
    order = np.argsort(gain, kind="stable").tolist()
    return [*order[: MOST_BARS // 2], *order[-MOST_BARS // 2 :]]


def _shares(results: ClassResults, shown: Sequence[int], selected: np.ndarray | None) -> Fields:
    n = results.n[shown]
    columns = {"std": results.std, "rob": results.rob, "mix": results.mix, "selected": selected}
    shares = {
        key: None if right is None else 100 * right[shown] / np.maximum(n, 1)
        for key, right in columns.items()
    }
    return {"n": n, **shares}


def prepare_confusion(fields: Fields) -> Fields:
    """Mistakes in per cent of the true class, the diagonal empty, from `confusion_clean` or `…_attacked`.

    Of more than `MOST_ROWS` classes those with most mistakes; `options.confusion_attacked` chooses the part.
    """
    attacked = at(fields, "options.confusion_attacked") and at(fields, "confusion_attacked") is not None
    counts = fields["confusion_attacked" if attacked else "confusion_clean"]
    shown = _most_mistaken(counts)
    n, part = counts.sum(axis=1)[shown], counts[np.ix_(shown, shown)]
    share = 100 * part / np.maximum(n, 1)[:, None]
    blank = [[None if i == j else x for j, x in enumerate(row)] for i, row in enumerate(share.tolist())]
    names = [_name(fields, k) for k in shown]
    marked = _selected_cells(fields, len(counts), attacked=bool(attacked))[np.ix_(shown, shown)]
    cells = np.argwhere(marked).tolist()
    ticks, lines = name_ticks(names), list(map(whole, names))
    hover = [[f"{true}<br>taken for {predicted}" for predicted in lines] for true in lines]
    return {
        "classes": shown,
        "names": names,
        "places": list(range(len(names))),
        "hover": hover,
        "ticks": ticks | {"downwards": ticks["range"][::-1]},
        "share": blank,
        "most": max(1.0, *(x for row in blank for x in row if x is not None)),
        "count": part.tolist(),
        "part": "attacked" if attacked else "clean",
        "selected": {
            "x": [j for _, j in cells],
            "y": [i for i, _ in cells],
            "predicted": [names[j] for _, j in cells],
            "true": [names[i] for i, _ in cells],
            "hover": [hover[i][j] for i, j in cells],
            "text": [str(marked[i, j]) for i, j in cells],
        },
    }


def _selected_cells(fields: Fields, k: int, *, attacked: bool) -> np.ndarray:
    """How many selected images stand in each cell, shape (K, K)."""
    view = at(fields, "images")
    if view is None:
        return np.zeros((k, k), int)
    rows = np.array(selected_rows(at(fields, "selected"), len(view.label)), int)
    predicted = view.mix_class[rows]
    if attacked:
        among = np.isin(view.attacked.row, rows)
        rows, predicted = view.attacked.row[among], view.attacked.mix_class[among]
    return np.bincount(view.label[rows] * k + predicted, minlength=k * k).reshape(k, k)


def _most_mistaken(counts: np.ndarray) -> list[int]:
    k = len(counts)
    if k <= MOST_ROWS:
        return list(range(k))
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
    return sorted(np.argsort(-mistakes, kind="stable")[:MOST_ROWS].tolist())


def _name(fields: Fields, k: int) -> str:
    found = at(fields, f"meta.classes.{k}")
    return f"class {k}" if found is None else str(found)
