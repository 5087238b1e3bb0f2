"""All plots of the explorer as plain JSON: their places, their templates, light and dark paper.

The page gets this once and draws from it by itself, see `dashboards/web/charts`.
"""

from __future__ import annotations

from typing import Any

from mnuts_dashboards.figures.plots import PLOTS
from mnuts_dashboards.figures.themes import theme
from mnuts_dashboards.theme import PAGE

PANELS = {name: plot.panel for name, plot in PLOTS.items()}
TEMPLATES = {name: plot.template for name, plot in PLOTS.items()}


def catalogue() -> dict[str, Any]:
    """Everything the page needs to draw all plots, as plain JSON.

    Returns:
        `panels` (name, title, span, height, views, templates of note and alternative, columns, options,
        selects), in reading order; `templates` by the panel's name; `themes`, `light` and `dark`, each a
        template of Plotly and the colour of its paper.
    """
    panels = [
        {
            "name": name,
            "title": plot.panel.title,
            "span": plot.panel.span,
            "height": plot.panel.height,
            "views": list(plot.views),
            "note": plot.note,
            "alternative": plot.alternative,
            "warning": list(plot.warning),
            "columns": plot.columns,
            "options": [{"name": option, "label": label} for option, label in plot.options],
            "selects": plot.selects,
        }
        for name, plot in PLOTS.items()
    ]
    return {
        "panels": panels,
        "templates": TEMPLATES,
        "themes": {name: theme(name) for name in PAGE},
    }
