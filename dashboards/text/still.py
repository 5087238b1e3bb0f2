"""Plots as they stand, for pages without a kernel: each as Plotly JSON beside a text that says what it shows.

Whoever shows the HTML draws them, as the docs site does; where nobody does, the texts stand there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup

from mnuts_core.remix.answers import Remix
from mnuts_dashboards.plotlyjs.plain import plain_json
from mnuts_dashboards.text.templates import Texts

_TEXTS = Texts("text/templates/still.html")


class Still(NamedTuple):
    """One plot.

    Attributes:
        title: Its heading.
        note: What it rests on.
        height: In pixels.
        figure: Plotly JSON, in which arrays may stand.
    """

    title: str
    note: str
    height: int
    figure: Mapping[str, Any]


def still_html(plots: Sequence[Still], mix: Remix | None = None) -> Markup:
    """The plots, under the figures of the mix that they show.

    Args:
        plots: The plots.
        mix: Whose figures stand above them, each with its interval and n; None for none.
    """
    drawn = [(plot, json.dumps(plain_json(plot.figure))) for plot in plots]
    return _TEXTS.html("still", mix=mix, plots=drawn)
