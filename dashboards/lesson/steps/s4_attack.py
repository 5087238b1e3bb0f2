"""Step 4: under attack."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from mnuts_core.functional.statistics import median, share
from mnuts_core.functional.superiority import superiority
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson.checks import POINTS, Check, is_larger, is_near
from mnuts_dashboards.lesson.inputs import Input, percentage
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.theme import RIGHT, WRONG


class UnderAttack(Step):
    """Survivors of the attack still lead by more than clean mistakes."""

    key, panels = "attack", ("survivors",)
    texts = texts_of("s4_attack")
    needs_attacked, traits = True, ("cut",)

    def _groups(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Margins of h where it is right under attack, and where it is wrong on clean images."""
        margins = self.lab.margins["h"]
        return margins[self.lab.sure], margins[self.lab.unsure]

    def question(self) -> Input:
        return percentage(self.plain("question"))

    def check(self, prediction: Answer) -> Check:
        lab, (sure, unsure) = self.lab, self._groups()
        number = superiority(sure, unsure)
        fooled = lab.margins["g"][lab.n :][~lab.std_right[lab.n :]]
        of_g, of_h = median(fooled), median(sure)
        return Check(
            number,
            self.html("truth", number=number),
            is_near(number, prediction, POINTS, 0.01),
            (
                self.claim("still_surer", number.over(0.5), of_right=of_h, of_wrong=median(unsure)),
                self.claim("no_help_from_g", is_larger(of_g, of_h), of_g=of_g),
            ),
            self.html("short_truth", number=number),
        )

    def controls(self) -> tuple[Input, ...]:
        return (Input(self.plain("control"), trait="cut"),) if self.answered else ()

    def live(self) -> Markup:
        if not self.answered:
            return Markup()
        right, wrong = (share(int((m >= self.state.cut).sum()), len(m)) for m in self._groups())
        return self.html("live", right=right, wrong=wrong)

    def figures(self) -> Mapping[str, Any]:
        sure, unsure = self._groups()
        groups = [fig.Group(self.plain("group", attacked=False), unsure, WRONG, float(np.median(unsure)))]
        if self.answered:
            survivors = self.plain("group", attacked=True)
            groups.insert(0, fig.Group(survivors, sure, RIGHT, float(np.median(sure))))
        return {"survivors": fig.margin_figure(groups, threshold=self.state.cut if self.answered else None)}
