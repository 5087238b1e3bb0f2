"""A slider's way to the kernel: where the visitor moves it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets as w
import traitlets


class Drag(anywidget.AnyWidget):
    """Stands beside a slider that is made with `continuous_update=False`, and passes its drags on.

    With `continuous_update` a slider of ipywidgets sends back every place that the kernel gives it: rounded
    to its step, and clipped to a range that the same message is about to widen. That would be taken for a
    choice of the visitor's.

    Args:
        slider: A `FloatSlider` or `FloatLogSlider` of base 10, in the same row.
    """

    _esm = Path(__file__).with_name("drag.js")
    slider = traitlets.Unicode(help="The slider's model.").tag(sync=True)
    log = traitlets.Bool(help="Whether its places are powers of ten.").tag(sync=True)

    def __init__(self, slider: w.FloatSlider | w.FloatLogSlider) -> None:
        super().__init__(slider=slider.model_id, log=isinstance(slider, w.FloatLogSlider))
        self.layout.display = "none"
