"""Median margins and the margin gap (Fig. 6), as a template over views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mnuts_dashboards.figures.layout import CLASSIFIERS, LEGEND_BELOW, Figure, at_points, base_layout
from mnuts_dashboards.figures.margins import BASE
from mnuts_dashboards.figures.template import Fields, fill
from mnuts_dashboards.theme import RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.views.margins import Histogram, MarginHistograms


def medians_figure(base: Mapping[str, MarginHistograms], mix: MarginHistograms) -> Figure:
    """Median margins in four groups, and the margin gap above each classifier (Fig. 6)."""
    fields = {"margins": base, "mix_margins": mix}
    figure: Figure = fill(MEDIANS, fields | {"drawn": prepare_medians(fields)})
    return figure


# --- the template
def _medians() -> Any:
    clean, attacked = (_group_bars(part) for part in ("clean", "attacked"))
    layout = base_layout("", "median margin") | {"barmode": "group", "bargap": 0.25}
    layout["yaxis"] |= {"range": [0, 1.2], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    layout["showlegend"] = True
    layout["legend"] = LEGEND_BELOW
    layout["margin"] |= {"b": 70}
    names = [name if name != "g" else "g<br>not attacked" for name in CLASSIFIERS]
    ticks = {"tickvals": list(CLASSIFIERS), "ticktext": names}
    both = layout | {"xaxis": layout["xaxis"] | ticks}
    gaps = _texts_above({"$": "drawn.gaps"}, "margin gap")
    return {
        "$if": "mix_margins.attacked",
        "then": {"data": [*clean, *attacked, gaps], "layout": both},
        "else": {"data": [*clean, gaps], "layout": layout},
    }


def _group_bars(part: str) -> list[Figure]:
    pattern = "/" if part == "attacked" else ""
    return [
        {
            "type": "bar",
            "name": f"{part} {side}",
            "x": list(CLASSIFIERS),
            "y": {"$": f"drawn.{part}.{side}"},
            "marker": {"color": translucent(colour, 0.75), "pattern": {"shape": pattern, "size": 6}},
            "customdata": {"$": f"drawn.{part}.n_{side}"},
            "hovertext": [f"{name}, {at_points(name, f'{part} {side}')}" for name in CLASSIFIERS],
            "hovertemplate": "%{hovertext}<br>median %{y:.3f}<br>n = %{customdata}<extra></extra>",
        }
        for side, colour in (("right", RIGHT), ("wrong", WRONG))
    ]


def _texts_above(texts: Figure, name: str) -> Figure:
    """Words over groups of bars; a trace, since the page moves traces faster than annotations."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": name,
        "showlegend": False,
        "x": list(CLASSIFIERS),
        "y": [1.01] * len(CLASSIFIERS),
        "text": texts,
        "textposition": "top center",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


MEDIANS = _medians()


# --- what it draws beyond its views, as `charts/prepare/margins.js`
def prepare_medians(fields: Fields) -> Fields:
    """Medians, group sizes and gaps of all classifiers, from `margins` and `mix_margins`."""
    columns = [*(fields["margins"][name] for name in BASE), fields["mix_margins"]]
    gaps = [f"gap<br>{column.gap:+z.3f}" if np.isfinite(column.gap) else "" for column in columns]
    clean = _groups([column.clean for column in columns])
    if columns[-1].attacked is None:
        return {"clean": clean, "attacked": None, "gaps": gaps}
    return {"clean": clean, "attacked": _groups([column.attacked for column in columns]), "gaps": gaps}


def _groups(histograms: list[Histogram]) -> Fields:
    """Medians and group sizes of one part, for every classifier."""
    return {
        "right": [one.median_right for one in histograms],
        "wrong": [one.median_wrong for one in histograms],
        "n_right": [int(one.right.sum()) for one in histograms],
        "n_wrong": [int(one.wrong.sum()) for one in histograms],
    }
