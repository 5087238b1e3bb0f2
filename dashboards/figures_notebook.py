"""What only the notebooks draw, margins before and after an attack, as plain Plotly JSON."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .figures_parts import Figure
from .theme import MUTED, RIGHT, WRONG, translucent

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
