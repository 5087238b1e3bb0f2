"""Landmarks: what a part of an app is to those who go from part to part by keyboard or hear the page."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import traitlets

from mnuts_dashboards.widgets.widget import PageWidget


class Landmark(PageWidget):
    """Stands in a box and gives that box a role; boxes of ipywidgets cannot have one.

    Args:
        role: `main` is the whole app. JupyterLab, which shows several notebooks, has it as a region.
        label: What the part is called.
    """

    _esm = Path(__file__).with_name("landmark.js")
    role = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)

    def __init__(self, role: Literal["main", "region"], label: str) -> None:
        super().__init__(role=role, label=label)
        self.layout.display = "none"
