"""The lesson's margins, and what a threshold on them does, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.figures.lesson.layout import (
    GUESS,
    GUESS_COLOUR,
    INK,
    SIZE,
    beside,
    lesson_layout,
    moving_line,
    note_at,
    tag_at,
    upright,
)
from mnuts_dashboards.theme import MUTED, RIGHT, WRONG, translucent

BINS = 25


class Group(NamedTuple):
    """One group of a margin histogram.

    Attributes:
        name: What the examples have in common.
        margins: Their margins, shape (n,).
        colour: Of its bars.
        median: Marked where given.
    """

    name: str
    margins: NDArray[np.float64]
    colour: str
    median: float | None = None


def margin_figure(
    groups: Sequence[Group], *, guess: float | None = None, threshold: float | None = None
) -> Figure:
    """Margins of groups of examples as overlaid histograms, each in per cent of its own n.

    Args:
        groups: The first lies at the back.
        guess: A median that the reader guessed.
        threshold: Marked where given.
    """
    edges = np.linspace(0.0, 1.0, BINS + 1)
    traces: list[Figure] = []
    layout = lesson_layout("confidence margin", "share of the group (%)", legend=True)
    layout["xaxis"] |= {"range": [0, 1], "fixedrange": True}
    layout |= {"barmode": "overlay", "bargap": 0.03, "shapes": [], "annotations": []}
    for group in groups:
        counts = np.histogram(group.margins, edges)[0]
        name = f"{group.name} (n = {len(group.margins):,})"
        traces.append(
            {
                "type": "bar",
                "x": (edges[1:] + edges[:-1]) / 2,
                "y": 100 * counts / max(len(group.margins), 1),
                "customdata": counts,
                "name": name,
                "marker": {"color": translucent(group.colour, 0.6)},
                "hovertemplate": "margin %{x:.2f}<br>%{y:.1f} % (%{customdata})<extra>"
                + group.name
                + "</extra>",
            }
        )
        if group.median is not None and np.isfinite(group.median):
            layout["shapes"].append(upright(group.median, group.colour, "solid"))
            layout["annotations"].append(
                tag_at(group.median, 1.0, f"median {group.median:.3f}", group.colour, ink=INK, yref="paper")
                | beside(group.median)
                | {
                    "yanchor": "top",
                    "yshift": -26 * sum("median" in a["text"] for a in layout["annotations"]),
                }
            )
    if guess is not None:
        layout["shapes"].append(upright(guess, GUESS_COLOUR, "dash"))
        layout["annotations"].append(tag_at(guess, 0.62, GUESS, GUESS_COLOUR, yref="paper") | beside(guess))
    top = 1.06 * max([1.0, *(float(trace["y"].max()) for trace in traces)])
    layout["yaxis"]["range"] = [0, top]
    if threshold is not None:
        traces.append(moving_line(threshold, (0, top), "threshold", threshold))
    return {"data": traces, "layout": layout}


LOG_LEFT = -4.5
"""Where the logarithmic axis of thresholds begins: log10."""


def flips_figure(
    thresholds: Any,
    fixes: Any,
    breaks: Any,
    at: tuple[float, str],
    wrong: int,
    *,
    hidden: bool,
    log: bool = False,
) -> Figure:
    """How many clean images the mix fixes and breaks, against the threshold.

    Args:
        thresholds: (1-α)/α, shape (n,), ascending.
        fixes: Images fixed, shape (n,).
        breaks: Images broken, shape (n,).
        at: The current threshold, and what to write beside it.
        wrong: How many there are to fix.
        hidden: Whether the curves are still to be guessed.
        log: Whether the thresholds of interest are small.
    """
    place, label = at
    layout = lesson_layout("threshold (1−α)/α", "clean images", legend=not hidden)
    logarithmic = {"type": "log", "range": [LOG_LEFT, 0], "dtick": 1, "exponentformat": "power"}
    layout["xaxis"] |= logarithmic if log else {"range": [-0.01, 1.01]}
    top = float(1.08 * max(wrong, 1, *(() if hidden else np.asarray(breaks))))
    layout["yaxis"] |= {"range": [0, top]}
    layout["shapes"] = [
        {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": wrong, "y1": wrong}
        | {"line": {"color": MUTED, "dash": "dot", "width": 2}},
    ]
    layout["annotations"] = [
        note_at(0.01 if log else 0.99, wrong, f"all {wrong:,} that h gets wrong", SIZE - 1, xref="paper")
        | {"xanchor": "left" if log else "right", "yanchor": "top"}  # away from the thresholds of interest
    ]
    lines = [] if hidden else [("fixed", fixes, RIGHT, "solid"), ("broken", breaks, WRONG, "dash")]
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.asarray(thresholds),
            "y": np.asarray(counts),
            "name": f"{name} by the mix",
            "line": {"color": colour, "width": 3.5, "dash": dash, "shape": "hv"},
            "hovertemplate": f"threshold %{{x:.3g}}<br>%{{y}} {name} against h<extra></extra>",
        }
        for name, counts, colour, dash in lines
    ]
    place = max(place, 1e-9)
    share = 1.0 - np.log10(place) / LOG_LEFT if log else place
    traces.append(moving_line(place, (0, top), label, float(share)))
    return {"data": traces, "layout": layout}
