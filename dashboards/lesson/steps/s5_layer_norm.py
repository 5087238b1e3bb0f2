"""Step 5: what the layer norm does."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.functional.superiority import superiority, superiority_change
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step
from mnuts_dashboards.text import mathml
from mnuts_dashboards.theme import RIGHT, WRONG


class LayerNorm(Step):
    """Every example on the same scale."""

    key, title, panels = "ln", "Layer norm: every image on the same scale", ("normed",)
    needs_attacked, traits = True, ("scale",)

    def idea(self) -> str:
        return html.paragraph(
            "Some images get large logits, some small ones. A transform that is to treat all alike first "
            "needs one scale: <b>layer norm</b> takes each image's logits, subtracts their mean and divides "
            "by their standard deviation. Answers stay as they are; margins do not."
        )

    def formula(self) -> str:
        h, middle, spread, ln = self.lab.normed(self.row)
        top = int(h.argmax())
        y, of = mathml.ident("ŷ"), mathml.ident("h")
        above = mathml.row(
            mathml.sub(of, y), mathml.op("−"), mathml.words("mean"), mathml.op("("), of, mathml.op(")")
        )
        below = mathml.row(mathml.words("std"), mathml.op("("), of, mathml.op(")"))
        numbers = mathml.row(mathml.num(h[top]), mathml.op("−"), mathml.bracketed(middle))
        return mathml.formula(
            mathml.row(
                mathml.sub(mathml.call("LN", of), y),
                mathml.op("="),
                mathml.frac(above, below),
                mathml.op("="),
                mathml.frac(numbers, mathml.num(spread)),
                mathml.op("≈"),
                mathml.num(ln[top], 2),
            ),
            caption=f"Section 4.2, for the image of step 2 (ŷ = “{self.lab.name(top)}”).",
        )

    def question(self) -> Input:
        return Input(
            "After layer norm, are the attacked right answers set apart from the clean mistakes better than "
            "before, worse, or about as well?",
            options=(("better", "better"), ("same", "about as well"), ("worse", "worse")),
        )

    def check(self, said: Answer) -> Check:
        lab = self.lab
        pairs = [(lab.margins[of][lab.sure], lab.margins[of][lab.unsure]) for of in ("h", "LN")]
        number = superiority_change((pairs[0][0], pairs[1][0]), (pairs[0][1], pairs[1][1]))
        verdict = number.over(0.0)
        truth = {"shown": "better", "contrary": "worse", "open": "same"}[verdict]
        before, after = (superiority(*pair) for pair in pairs)
        gaps = [float(np.median(sure) - np.median(unsure)) for sure, unsure in pairs]
        how = {"better": "It is better", "worse": "It is worse", "same": "No difference can be told"}[truth]
        return Check(
            number,
            f"{how}. The attacked right answer has the larger margin in {html.percent(before)} of pairs "
            f"before, in {html.percent(after)} after: a change of {html.percent(number, signed=True)}.",
            None if said is None else said == truth,
            (
                Claim(
                    "layer norm by itself already sets right answers further apart from mistakes (the paper "
                    "saw a slight gain, section 4.2).",
                    verdict,
                    f"The gap between the two medians goes from {html.plain(gaps[0])} to "
                    f"{html.plain(gaps[1])}, but it shrinks whenever all margins do; pairs do not mind.",
                ),
            ),
            "Its purpose is another: after it, one c and one p mean the same for every image.",
            short=f"{how}: a change of {html.percent(number, signed=True)}.",
        )

    def controls(self) -> tuple[Input, ...]:
        scales = (("h", "raw logits h"), ("LN", "after layer norm"))
        return (Input("Margins of", options=scales, trait="scale"),) if self.answered else ()

    def more(self) -> str:
        return html.folded(
            "With many classes",
            html.paragraph(
                "Mean and deviation are those of the 250 largest logits (appendix D.7): of a thousand "
                "classes most lie far below and would only blur the scale."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        lab = self.lab
        margins = lab.margins[self.state.scale if self.answered else "h"]
        groups = [
            fig.Group("attacked, still right", margins[lab.sure], RIGHT, float(np.median(margins[lab.sure]))),
            fig.Group("clean, wrong", margins[lab.unsure], WRONG, float(np.median(margins[lab.unsure]))),
        ]
        return {"normed": fig.margin_figure(groups)}
