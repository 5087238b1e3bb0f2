"""The transform M of one logit, as a template over views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, base_layout, round_up
from mnuts_dashboards.figures.template import Fields, fill
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import MAPPED, MUTED, ROB, translucent

if TYPE_CHECKING:
    from mnuts_core.views.transform import TransformCurve


HALVES = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Where the labels of M's axis stand, in units of the round number that holds the curve."""

ROOM = 0.1
"""And so much room above and below: GELU's small dip below 0 mostly fits."""


def transform_figure(curve: TransformCurve, ln: bool) -> Figure:
    """M as a function of one logit, over the densities of the bundle's logits.

    M spans many orders of magnitude as s and p move. So its axis is fixed in units of a round number, and
    the axis' labels are texts, which cost a frame far less than a new axis does.

    Args:
        curve: The curve and the densities.
        ln: Whether the logits are layer-normed.
    """
    fields = _fields(curve, ln)
    figure: Figure = fill(TRANSFORM, {**fields, "drawn": prepare_transform(fields)})
    return figure


def _fields(curve: TransformCurve, ln: bool) -> Fields:
    return {"transform": curve, "remix": {"params": {"ln_k": int(ln)}}}


# --- the template
def _clamp() -> Figure:
    density = {
        "type": "scatter",
        "mode": "lines",
        "x": {"$": "transform.z"},
        "yaxis": "y2",
        "line": {"width": 0},
        "fill": "tozeroy",
        "hoverinfo": "skip",
    }
    traces = [
        density
        | {"y": {"$": "transform.rest"}, "name": "other logits", "fillcolor": translucent(MUTED, 0.25)},
        density | {"y": {"$": "transform.top"}, "name": "largest logit", "fillcolor": translucent(ROB, 0.25)},
        {
            "type": "scatter",
            "mode": "lines",
            "x": {"$": "transform.z"},
            "y": {"$": "transform.m"},
            "name": "M",
            "line": {"color": MAPPED, "width": 3},
        },
    ]
    layout = base_layout("", "transformed logit M", legend=True)
    layout["xaxis"]["title"]["text"] = {
        "$if": "remix.params.ln_k",
        "then": "layer-normed logit of the robust model",
        "else": "logit of the robust model",
    }
    layout["legend"] = LEGEND_BELOW
    layout["margin"] |= {"b": 92}
    layout["yaxis2"] = {"overlaying": "y", "side": "right", "visible": False, "rangemode": "tozero"}
    layout["yaxis"] |= {"zeroline": True}
    return {"data": traces, "layout": layout}


def _transform() -> Figure:
    figure = _clamp()
    traces, layout = figure["data"], figure["layout"]
    traces[-1] |= {
        "y": {"$": "drawn.y"},
        "customdata": {"$": "transform.m"},
        "meta": {"name": "M", "y": {"$": "transform.m"}},
        "hovertemplate": "logit %{x:.2f}<br>M %{customdata:.4g}<extra></extra>",
    }
    traces.append(_LABELS)
    layout["xaxis"]["range"] = [{"$": "transform.z.0"}, {"$": "transform.z.-1"}]
    layout["yaxis"] |= {
        "range": [{"$": "drawn.low"}, 1 + ROOM],
        "tickvals": {"$": "drawn.places"},
        "showticklabels": False,
    }
    layout["yaxis"]["title"]["standoff"] = 42  # the labels stand between
    layout["margin"] |= {"l": 66}
    return figure


_LABELS: Figure = {
    "type": "scatter",
    "mode": "text",
    "name": "labels of the axis",
    "meta": {"furniture": True},
    "x": {"$": "drawn.left"},
    "y": {"$": "drawn.places"},
    "text": {"$": "drawn.labels"},
    "textposition": "middle left",
    "textfont": {"size": 11},
    "cliponaxis": False,
    "hoverinfo": "skip",
    "showlegend": False,
}
"""Texts at the left end, as an axis' labels: always as many, those below the axis are not seen."""

TRANSFORM = _transform()


# --- what it draws beyond its view, as `charts/prepare/transform.js`
def prepare_transform(fields: Fields) -> Fields:
    """M in units of a round number, and the labels of its axis, from `transform`."""
    curve = fields["transform"]
    unit, below = _unit(curve.m)
    return {
        "y": curve.m / unit,
        "low": (HALVES[0] if below else 0.0) - ROOM,
        "places": list(HALVES),
        "left": [float(curve.z[0])] * len(HALVES),
        "labels": [f"{_label(place * unit)}\u00a0" for place in HALVES],
    }


def _unit(values: np.ndarray) -> tuple[float, bool]:
    """A round number that holds all values, and whether any lie below 0 by more than GELU's small dip."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    below = -low > ROOM * max(high, -low)
    return round_up(max(high, -low) if below else high), below


def _label(value: float) -> str:
    """A round number, short.

    Example:
        >>> _label(0.0), _label(-7.5), _label(15000.0)
        ('0', '−7.5', '1.5·10<sup>4</sup>')
    """
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return minus(f"{value:g}")
    power = int(np.floor(np.log10(abs(value))))
    return minus(f"{value / 10.0**power:g}·10<sup>{power}</sup>")
