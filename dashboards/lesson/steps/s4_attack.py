"""Steps 4 and 5: under attack, and layer norm."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.functional.statistics import median, share
from mnuts_core.functional.superiority import superiority
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import POINTS, Check, Claim, Input, Step, near, percent
from mnuts_dashboards.theme import RIGHT, WRONG

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
                    of_g.over(of_h),
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
