"""Steps 4 and 5: under attack, and layer norm."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from . import figures_lesson_margins as fig
from . import lesson_words as html
from .lesson_numbers import median, share, superiority, superiority_change
from .lesson_state import Answer
from .lesson_step import POINTS, Check, Claim, Input, Step, apart, near, percent
from .theme import RIGHT, WRONG

SHOWN_CLASSES = 6


class UnderAttack(Step):
    """Survivors of the attack still lead by more than clean mistakes."""

    key, title, panels = "attack", "Under attack: is what survives still surer?", ("survivors",)
    needs_attacked, traits = True, ("cut",)

    def idea(self) -> str:
        return html.paragraph(
            "The attack pushes margins down as far as it can. If one threshold is to tell h's good answers "
            "from its bad ones, then <b>attacked images that h still gets right</b> must lead by more than "
            "<b>clean images that h gets wrong</b>."
        )

    def question(self) -> Input:
        return percent(
            "Take one image of each kind at random. How often does the attacked, still right one have the "
            "larger margin? (50 % would be a coin.)",
        )

    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        margins = self.lab.margins["h"]
        return margins[self.lab.sure], margins[self.lab.unsure]

    def check(self, said: Answer) -> Check:
        lab, (sure, unsure) = self.lab, self._groups()
        number = superiority(sure, unsure)
        fooled = lab.margins["g"][lab.n :][~lab.std_right[lab.n :]]
        of_g, of_h = median(fooled), median(sure)
        return Check(
            number,
            f"In {html.percent(number)} of pairs.",
            near(number, said, POINTS, 0.01),
            (
                Claim(
                    "even under attack, h's right answers lead by more than its clean mistakes.",
                    number.over(0.5),
                    f"Medians: {html.margin(of_h)} against {html.margin(median(unsure))}.",
                ),
                Claim(
                    "g's confidence is no such help: where it is wrong at the attacked points, it is surer "
                    "than h is where h is right.",
                    apart(of_g, of_h),
                    f"Median margin of g's wrong answers there: {html.margin(of_g)}."
                    if of_g.n
                    else "g gets none of these points wrong.",
                ),
            ),
            short=html.percent(number),
        )

    def controls(self) -> tuple[Input, ...]:
        if not self.answered:
            return ()
        return (Input("Threshold on the margin", trait="cut"),)

    def live(self) -> str:
        if not self.answered:
            return ""
        sure, unsure = (share(int((m >= self.state.cut).sum()), len(m)) for m in self._groups())
        return html.paragraph(
            f"At the threshold or above: {html.percent(sure)} of the attacked right answers, and "
            f"{html.percent(unsure)} of the clean mistakes. The first should be many, the second few."
        )

    def more(self) -> str:
        return html.folded(
            "This is the whole optimisation problem",
            html.paragraph(
                "MixedNUTS asks (Eq. 3): keep a share β of the attacked right answers above a threshold, and "
                "of all ways to do so choose the one that leaves the fewest clean mistakes above it. Those "
                "below it are left to the standard model."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        sure, unsure = self._groups()
        groups = [fig.Group("clean, wrong", unsure, WRONG, float(np.median(unsure)))]
        if self.answered:
            groups.insert(0, fig.Group("attacked, still right", sure, RIGHT, float(np.median(sure))))
        return {"survivors": fig.margin_figure(groups, threshold=self.state.cut if self.answered else None)}


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
        y, of = html.ident("ŷ"), html.ident("h")
        above = html.row(html.sub(of, y), html.op("−"), html.words("mean"), html.op("("), of, html.op(")"))
        below = html.row(html.words("std"), html.op("("), of, html.op(")"))
        numbers = html.row(html.num(h[top]), html.op("−"), html.bracketed(middle))
        return html.formula(
            html.row(
                html.sub(html.call("LN", of), y),
                html.op("="),
                html.frac(above, below),
                html.op("="),
                html.frac(numbers, html.num(spread)),
                html.op("≈"),
                html.num(ln[top], 2),
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
