"""What Plotly starts from on light and on dark paper."""

from __future__ import annotations

from mnuts_dashboards.figures.layout import Figure
from mnuts_dashboards.theme import FONT, PAGE

COLOURWAYS = {
    "light": ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c8c8c"],
    "dark": ["#4aa3df", "#f08a4b", "#2fc79a", "#e2a3c7", "#8fd0f5", "#f2b632", "#a9a9a9"],
}
"""Okabe and Ito's colours; black and yellow give way to what both themes can show."""
CLEAR = "rgba(0,0,0,0)"


def theme(name: str) -> Figure:
    """What Plotly starts from on light or dark paper.

    Args:
        name: `light` or `dark`.
    """
    page = PAGE[name]
    ticks = {"size": 11, "color": page["muted"]}
    ground: Figure = {
        "gridcolor": page["grid"],
        "linecolor": page["line"],
        "zerolinecolor": page["line"],
        "tickcolor": page["line"],
        "automargin": True,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickfont": ticks,
        "title": {"standoff": 8, "font": {"size": 12}},
    }
    colourbar: Figure = {
        "outlinewidth": 0,
        "thickness": 12,
        "tickfont": ticks,
        "title": {"font": {"size": 12}},
    }
    layout: Figure = {
        "font": {"family": FONT, "size": 12, "color": page["text"]},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": COLOURWAYS[name],
        "legend": {"bgcolor": CLEAR, "font": {"size": 11}},
        "xaxis": ground,
        "yaxis": ground,
        "hoverlabel": {
            "bgcolor": page["ground"],
            "bordercolor": page["line"],
            "font": {"color": page["text"], "size": 12},
        },
        "hovermode": "closest",
        "modebar": {"bgcolor": CLEAR},
        "coloraxis": {"colorbar": colourbar},
    }
    return {
        "template": {"layout": layout},
        "ground": page["ground"],
        "text": page["text"],
        "muted": page["muted"],
    }
