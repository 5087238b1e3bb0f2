"""Step 3: benign confidence, the property that MixedNUTS rests on."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnuts_core.functional.statistics import median
from mnuts_core.functional.superiority import superiority
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson.checks import POINTS, Check, is_larger, is_near
from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.theme import RIGHT, WRONG


class BenignConfidence(Step):
    """Right answers lead by more than wrong ones."""

    key, panels = "benign", ("margins",)
    texts = texts_of("s3_benign")
    traits = ("of",)

    def _split(self, of: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Clean margins of a classifier's right and wrong answers."""
        margins, right = self.lab.margins[of][: self.lab.n], self.lab.right(of)[: self.lab.n]
        return margins[right], margins[~right]

    def question(self) -> Input:
        right, wrong = self._split("h")
        return Input(
            self.plain("question", right=len(right), middle=float(np.median(right)), wrong=len(wrong))
        )

    def check(self, prediction: Answer) -> Check:
        right, wrong = self._split("h")
        number, of_g = median(wrong), median(self._split("g")[1])
        pairs = superiority(right, wrong)
        return Check(
            number,
            self.html("truth", of_wrong=number, of_right=median(right)),
            is_near(number, prediction, POINTS),
            (
                self.claim("surer_when_right", pairs.over(0.5), pairs=pairs),
                self.claim("g_surer_when_wrong", is_larger(of_g, number), of_g=of_g),
            ),
            self.html("short_truth", number=number),
        )

    def controls(self) -> tuple[Input, ...]:
        if not self.answered:
            return ()
        return (Input(self.plain("control"), options=self.options("model_option", "h", "g"), trait="of"),)

    def figures(self) -> Mapping[str, Any]:
        of = self.state.of if self.answered else "h"
        right, wrong = self._split(of)
        groups = [self._group(of, right, right=True)]
        if self.answered:
            groups.append(self._group(of, wrong, right=False))
        guess = float(self.prediction) if self.prediction is not None and of == "h" else None
        return {"margins": fig.margin_figure(groups, guess=guess)}

    def _group(self, of: str, margins: NDArray[np.float64], *, right: bool) -> fig.Group:
        middle = float(np.median(margins)) if len(margins) else None
        name = self.plain("group", of=of, right=right)
        return fig.Group(name, margins, RIGHT if right else WRONG, middle)
