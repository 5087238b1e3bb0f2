"""The plane of Fig. 5, clean accuracy against accuracy under attack, as a PNG picture."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from mnuts_core.functional.statistics import Estimate
from mnuts_core.report.compute import Report
from mnuts_core.report.rows import ReportRow, Role
from mnuts_core.views.colours import MIX, OTHER, PLAIN, ROB, STD

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR: dict[Role, str] = {"abc": STD, "rbc": ROB, "adaptive": OTHER, "mixed": PLAIN, "mixednuts": MIX}
MARKERS = "osD^vP*X"
"""One for each row of a role, so that rows are told apart without colours as well."""
SIZE = (8.0, 5.6)
DPI = 150
LABEL = 50
"""Letters in a line of the legend: two columns of them are as wide as the figure."""


class Point(NamedTuple):
    """One point of the plane, in percent.

    Attributes:
        row: Whose it is.
        clean: Clean accuracy.
        attacked: Figure under attack.
        measured: Whether an attack on that very classifier measured it; else it is an upper bound.
    """

    row: ReportRow
    clean: Estimate
    attacked: Estimate
    measured: bool


def points(report: Report) -> list[Point]:
    """What the plane shows: for each mix its attacked accuracy and, where there is one, its verified one.

    RBC stands at its attacked accuracy; ABC has a point only where an attack on it is among the bundle's.
    """
    found = []
    for row in report.rows:
        if row.attacked is not None:
            found.append(Point(row, row.clean, row.attacked, row.params is None))
        found += [Point(row, row.clean, row.verified, True)] if row.verified is not None else []
    return found


def plane_png(report: Report) -> bytes | None:
    """The plane as PNG; None where nothing is known under attack.

    Args:
        report: The numbers.
    """
    shown = points(report)
    if not shown:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for point in shown:
        _draw(axes, report, point)
    abc = report.base[0]
    if abc.attacked is None:
        label = f"{_literal(abc.label)}: clean only, not attacked itself"
        axes.axvline(100 * abc.clean.value, color=COLOUR["abc"], linestyle="--", label=label)
    axes.set_xlabel("clean accuracy, %")
    axes.set_ylabel("accuracy under attack, %")
    counts = sorted({point.attacked.n for point in shown})
    n = f"n = {shown[0].clean.n:,} clean, {' or '.join(f'{count:,}' for count in counts)} attacked"
    axes.set_title(f"{_literal(report.name)}: {n}; bars are 95 % intervals", fontsize=10)
    axes.grid(alpha=0.3)
    handles, labels = axes.get_legend_handles_labels()
    labels = [textwrap.fill(label, LABEL) for label in labels]
    axes.legend(
        handles, labels, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, frameon=False
    )
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def _draw(axes: Axes, report: Report, point: Point) -> None:
    row, colour = point.row, COLOUR[point.row.role]
    same = [other.key for other in report.rows if other.role == row.role]
    across, up = _bar(point.clean), _bar(point.attacked)
    axes.errorbar(
        [across[1]],
        [up[1]],
        xerr=[[across[1] - across[0]], [across[2] - across[1]]],
        yerr=[[up[1] - up[0]], [up[2] - up[1]]],
        fmt=MARKERS[same.index(row.key) % len(MARKERS)],
        color=colour,
        markerfacecolor=colour if point.measured else "white",
        markersize=8,
        elinewidth=1,
        capsize=2,
        label=f"{_literal(row.label)}: {_kind(point)}",
    )


def _bar(figure: Estimate) -> tuple[float, float, float]:
    low, high = figure.interval
    return 100 * low, 100 * figure.value, 100 * high


def _kind(point: Point) -> str:
    return point.attacked.kind if point.measured else f"{point.attacked.kind}, at most"


def _literal(text: str) -> str:
    """Text in which no dollar sign begins a formula."""
    return text.replace("$", r"\$")
