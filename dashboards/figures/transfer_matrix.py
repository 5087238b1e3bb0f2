"""The comparison's transfer matrix, as plain Plotly JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mnuts_core.views.colours import ROB
from mnuts_dashboards.figures.comparison import name_axis, shortened
from mnuts_dashboards.figures.layout import Figure, above, axis
from mnuts_dashboards.figures.names import escaped, whole
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import MUTED, RIGHT, WRONG, translucent

if TYPE_CHECKING:
    from mnuts_core.views.transfer_matrix import Transfer

FIGURES = (("clean", "clean accuracy"), ("attacked", "attacked, at most"), ("by_margin", "right by margin"))


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
        return _empty("No bundle here has best parameters: Algorithm 1 needs attacked images.")
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
        layout[axis("xaxis", pane + 1)] = name_axis(names, room=27) | {
            "domain": [left, left + 0.31],
            "anchor": axis("y", pane + 1),
            "title": {"text": "applied to", "standoff": 4},
        }
        layout[axis("yaxis", pane + 1)] = {
            "anchor": axis("x", pane + 1),
            "type": "category",
            "categoryarray": list(map(escaped, sources)),
            "autorange": "reversed",
            "showgrid": False,
            "tickvals": list(map(escaped, sources)),
            "ticktext": [escaped(shortened(name, 15)) if pane == 0 else "" for name in sources],
            "title": {"text": "best parameters of" if pane == 0 else "", "standoff": 8},
        }
        layout["annotations"].append(above(f"<b>{title}</b> (%), loss below", left, 1.0, "left"))
        layout["annotations"] += [_cell_text(cell, pane, 12 if len(names) < 5 else 10) for cell in cells]
        if chosen is not None and chosen[0] in sources and chosen[1] in names:
            layout["shapes"].append(_frame(sources.index(chosen[0]), list(names).index(chosen[1]), pane))
    return {"data": traces, "layout": layout}


def _empty(text: str) -> Figure:
    """A plot that says why it shows nothing."""
    layout = {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return {"data": [], "layout": layout | {"annotations": [above(text, 0.5, 0.5)]}}


def _matrix(cells: Sequence[Transfer], sources: list[str], names: Sequence[str], pane: int) -> Figure:
    field, title = FIGURES[pane]
    of = {(cell.source, cell.target): cell for cell in cells}
    table = [[of[source, target] for target in names] for source in sources]
    return {
        "type": "heatmap",
        "meta": {
            "name": f"{title}: loss in points against the own best (y: parameters of, x: applied to)",
            "x": list(names),
            "y": sources,
        },
        "x": list(map(escaped, names)),
        "y": list(map(escaped, sources)),
        "z": [[_percent(_loss(cell, field)) for cell in row] for row in table],
        "customdata": [[_hover(cell, field) for cell in row] for row in table],
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": True,
        "coloraxis": "coloraxis",
        "xgap": 2,
        "ygap": 2,
        "xaxis": axis("x", pane + 1),
        "yaxis": axis("y", pane + 1),
    }


def _loss(cell: Transfer, field: str) -> float | None:
    loss: float | None = getattr(cell, f"{field}_loss")
    return loss


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
    place = {
        "x": escaped(cell.target),
        "y": escaped(cell.source),
        "xref": axis("x", pane + 1),
        "yref": axis("y", pane + 1),
    }
    return place | {"text": text, "showarrow": False, "font": {"size": size}}


def _plain(value: float) -> str:
    return minus(f"{round(value, 1) + 0.0:.1f}")


def _hover(cell: Transfer, field: str) -> str:
    text = f"parameters of {whole(cell.source)}, applied to {whole(cell.target)}"
    estimate, loss = getattr(cell, field), _loss(cell, field)
    if estimate is None:
        return f"{text}<br>{'no attacked part' if cell.refused is None else 'no figures: see the table'}"
    low, high = estimate.interval
    interval = f"[{100 * low:.1f}, {100 * high:.1f}], n = {estimate.n:,}"
    text += f"<br>{estimate.kind} {100 * estimate.value:.2f} % {interval}"
    return text + ("" if loss is None else f"<br>loss against its own best {100 * loss + 0.0:.2f} points")


def _frame(row: int, column: int, pane: int) -> Figure:
    """A frame around one cell; categories count from 0."""
    return {
        "type": "rect",
        "x0": column - 0.5,
        "x1": column + 0.5,
        "y0": row - 0.5,
        "y1": row + 0.5,
        "xref": axis("x", pane + 1),
        "yref": axis("y", pane + 1),
        "line": {"color": ROB, "width": 3},
    }
