"""Step 5: what the layer norm does."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from mnuts_core.functional.superiority import superiority, superiority_change
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson.checks import Check
from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.text.mathml import bracketed, formula, number
from mnuts_dashboards.theme import RIGHT, WRONG


class LayerNorm(Step):
    """Every example on the same scale."""

    key, panels = "ln", ("normed",)
    texts = texts_of("s5_layer_norm")
    needs_attacked, traits = True, ("scale",)

    def formula(self) -> Markup:
        h, middle, spread, ln = self.lab.normed(self.row)
        top = int(h.argmax())
        digits = decimals(lambda h, m, s: (h - m) / s, h[top], middle, spread, result=2)
        numbers = (
            rf"\frac{{{number(h[top], digits)} - {bracketed(middle, digits)}}}{{{number(spread, digits)}}}"
        )
        return formula(
            r"{\text{LN}(h)}_{ŷ} = \frac{h_{ŷ} - \text{mean}(h)}{\text{std}(h)}",
            rf"= {numbers} \approx {number(ln[top], 2)}",
            caption=self.plain("caption", answer=self.lab.name(top)),
        )

    def question(self) -> Input:
        return Input(self.plain("question"), options=self.options("option", "better", "same", "worse"))

    def check(self, prediction: Answer) -> Check:
        lab = self.lab
        pairs = [(lab.margins[of][lab.sure], lab.margins[of][lab.unsure]) for of in ("h", "LN")]
        change = superiority_change((pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1]))
        verdict = change.over(0.0)
        fact = {"shown": "better", "contrary": "worse", "open": "same"}[verdict]
        before, after = (superiority(*pair) for pair in pairs)
        gaps = [float(np.median(sure) - np.median(unsure)) for sure, unsure in pairs]
        return Check(
            change,
            self.html("truth", fact=fact, before=before, after=after, change=change),
            None if prediction is None else prediction == fact,
            (self.claim("further_apart", verdict, change=change, before=gaps[0], after=gaps[1]),),
            self.html("short_truth", fact=fact, change=change),
            self.html("note"),
        )

    def controls(self) -> tuple[Input, ...]:
        if not self.answered:
            return ()
        return (Input(self.plain("control"), options=self.options("scale_option", "h", "LN"), trait="scale"),)

    def figures(self) -> Mapping[str, Any]:
        lab = self.lab
        margins = lab.margins[self.state.scale if self.answered else "h"]
        groups = [
            fig.Group(
                self.plain("group", attacked=attacked), margins[rows], colour, float(np.median(margins[rows]))
            )
            for attacked, rows, colour in ((True, lab.sure, RIGHT), (False, lab.unsure, WRONG))
        ]
        return {"normed": fig.margin_figure(groups)}
