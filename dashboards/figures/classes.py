"""Results by class, and what the mix takes each class for, as templates over views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, above, axis, base_layout
from mnuts_dashboards.figures.template import Fields, at
from mnuts_dashboards.theme import MIX, ROB, STD

if TYPE_CHECKING:
    from mnuts_core.views.classes import ClassResults

MOST_BARS = 20
"""Of more classes those that the mix changes most against h."""
MOST_ROWS = 30
"""Of more classes those with most mistakes."""
SERIES = (("std", "standard g", STD), ("rob", "robust h", ROB), ("mix", "this mix", MIX))


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
            "type": "category",
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
        "meta": f"{name}, {part}",
        "legendgroup": key,
        "showlegend": number == 1,
        "x": {"$": "drawn.names"},
        "y": {"$": f"drawn.{part}.{key}"},
        "customdata": {"$": f"drawn.{part}.n"},
        "marker": {"color": colour},
        "xaxis": axis("x", number),
        "yaxis": axis("y", number),
        "hovertemplate": f"%{{x}}, {part}<br>{name} %{{y:.1f}} % of n = %{{customdata}}<extra></extra>",
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
    layout["xaxis"] |= {"type": "category", "showgrid": False}
    layout["yaxis"] |= {"type": "category", "autorange": "reversed", "showgrid": False}
    layout["coloraxis"] = {
        "colorscale": "Cividis",
        "cmin": 0,
        "colorbar": {"title": {"text": "of the true class (%)", "side": "right"}, "thickness": 10},
    }
    trace = {
        "type": "heatmap",
        "name": "mistakes",
        "x": {"$": "drawn.names"},
        "y": {"$": "drawn.names"},
        "z": {"$": "drawn.share"},
        "customdata": {"$": "drawn.count"},
        "coloraxis": "coloraxis",
        "hoverongaps": False,
        "meta": {"name": {"$text": "{drawn.part}, % of the true class (x: predicted, y: true)"}},
        "hovertemplate": "%{y} taken for %{x}<br>%{customdata} images, %{z:.1f} %<extra></extra>",
    }
    return {"data": [trace], "layout": layout}


CONFUSION = _confusion()


# --- what they draw beyond their views, as `charts/prepare/classes.js`
def prepare_classes(fields: Fields) -> Fields:
    """Shares of right predictions, of at most `MOST_BARS` classes, from `classes_clean` and `…_attacked`."""
    clean, attacked = fields["classes_clean"], at(fields, "classes_attacked")
    shown = _most_changed(clean)
    return {
        "names": [_name(fields, k) for k in shown],
        "clean": _shares(clean, shown),
        "attacked": None if attacked is None else _shares(attacked, shown),
    }


def _most_changed(results: ClassResults) -> list[int]:
    """All classes where they are few, else those that lose and gain most, the largest loss first."""
    if len(results.n) <= MOST_BARS:
        return list(range(len(results.n)))
    gain = (results.mix.astype(np.float64) - results.rob) / np.maximum(results.n, 1)
    order = np.argsort(gain, kind="stable").tolist()
    return [*order[: MOST_BARS // 2], *order[-MOST_BARS // 2 :]]


def _shares(results: ClassResults, shown: Sequence[int]) -> Fields:
    n = results.n[shown]
    columns = {key: getattr(results, key) for key, _, _ in SERIES}
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
    return {
        "names": [_name(fields, k) for k in shown],
        "share": blank,
        "count": part.tolist(),
        "part": "attacked" if attacked else "clean",
    }


def _most_mistaken(counts: np.ndarray) -> list[int]:
    k = len(counts)
    if k <= MOST_ROWS:
        return list(range(k))
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diagonal(counts)
    return sorted(np.argsort(-mistakes, kind="stable")[:MOST_ROWS].tolist())


def _name(fields: Fields, k: int) -> str:
    found = at(fields, f"meta.classes.{k}")
    return f"class {k}" if found is None else str(found)
