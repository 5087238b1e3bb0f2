"""The transform M of one logit, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mnuts_dashboards.figures.layout import LEGEND_BELOW, Figure, base_layout, round_up
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
    figure = clamp_figure(curve, ln)
    traces, layout = figure["data"], figure["layout"]
    unit, below = _unit(curve.m)
    traces[-1] |= {
        "y": curve.m / unit,
        "customdata": curve.m,
        "meta": {"name": "M", "y": curve.m},
        "hovertemplate": "logit %{x:.2f}<br>M %{customdata:.4g}<extra></extra>",
    }
    places = [place for place in HALVES if below or place >= 0]
    traces.append(_labels(float(curve.z[0]), places, unit))
    layout["xaxis"]["range"] = [float(curve.z[0]), float(curve.z[-1])]
    layout["yaxis"] |= {"range": [places[0] - ROOM, 1 + ROOM], "tickvals": places, "showticklabels": False}
    layout["yaxis"]["title"]["standoff"] = 42  # the labels stand between
    layout["margin"] |= {"l": 66}
    return figure


def clamp_figure(curve: TransformCurve, ln: bool) -> Figure:
    """The same on an axis of plain numbers, which the caller sets: for curves that keep to one scale.

    Args:
        curve: The curve, last of the traces, and the densities.
        ln: Whether the logits are layer-normed.
    """
    density = {
        "type": "scatter",
        "mode": "lines",
        "x": curve.z,
        "yaxis": "y2",
        "line": {"width": 0},
        "fill": "tozeroy",
        "hoverinfo": "skip",
    }
    traces = [
        density | {"y": curve.rest, "name": "other logits", "fillcolor": translucent(MUTED, 0.25)},
        density | {"y": curve.top, "name": "largest logit", "fillcolor": translucent(ROB, 0.25)},
        {
            "type": "scatter",
            "mode": "lines",
            "x": curve.z,
            "y": curve.m,
            "name": "M",
            "line": {"color": MAPPED, "width": 3},
        },
    ]
    layout = base_layout(
        f"{'layer-normed ' if ln else ''}logit of the robust model", "transformed logit M", legend=True
    )
    layout["legend"] = LEGEND_BELOW
    layout["margin"] |= {"b": 92}
    layout["yaxis2"] = {"overlaying": "y", "side": "right", "visible": False, "rangemode": "tozero"}
    layout["yaxis"] |= {"zeroline": True}
    return {"data": traces, "layout": layout}


def _unit(values: np.ndarray) -> tuple[float, bool]:
    """A round number that holds all values, and whether any lie below 0 by more than GELU's small dip."""
    finite = values[np.isfinite(values)]
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    below = -low > ROOM * max(high, -low)
    return round_up(max(high, -low) if below else high), below


def _labels(left: float, places: Sequence[float], unit: float) -> Figure:
    """Texts at the left end, as an axis' labels."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": "labels of the axis",
        "meta": {"furniture": True},
        "x": [left] * len(places),
        "y": list(places),
        "text": [f"{_label(place * unit)}\u00a0" for place in places],
        "textposition": "middle left",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


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
