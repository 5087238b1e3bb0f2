"""Step 3: benign confidence, the property that MixedNUTS rests on."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.functional.statistics import median
from mnuts_core.functional.superiority import superiority
from mnuts_dashboards.figures.examples import BAR_NAMES
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import POINTS, Check, Claim, Input, Step, near
from mnuts_dashboards.theme import RIGHT, WRONG


class BenignConfidence(Step):
    """Right answers lead by more than wrong ones."""

    key, title, panels = "benign", "Benign confidence: right and wrong on clean images", ("margins",)
    traits = ("of",)

    def _split(self, of: str) -> tuple[np.ndarray, np.ndarray]:
        """Clean margins of a classifier's right and wrong answers."""
        margins, right = self.lab.margins[of][: self.lab.n], self.lab.right(of)[: self.lab.n]
        return margins[right], margins[~right]

    def idea(self) -> str:
        return html.paragraph(
            "Now all clean images at once. The paper speaks of a <b>benign confidence property</b>: a robust "
            "model is much more confident when it is right than when it is wrong. No training asks for that."
        )

    def question(self) -> Input:
        right, wrong = self._split("h")
        return Input(
            f"Half of h's {len(right):,} right answers have a margin above {np.median(right):.2f}. What is "
            f"the median margin of its {len(wrong):,} wrong answers?",
        )

    def check(self, said: Answer) -> Check:
        h, g = self._split("h"), self._split("g")
        number, of_g = median(h[1]), median(g[1])
        pairs = superiority(*h)
        return Check(
            number,
            f"The median margin of h's wrong answers is {html.margin(number)}, of its right ones "
            f"{html.margin(median(h[0]))}.",
            near(number, said, POINTS),
            (
                Claim(
                    "h is more confident when it is right.",
                    pairs.over(0.5),
                    "Of a right and a wrong answer drawn at random, the right one has the larger margin in "
                    f"{html.percent(pairs)} of pairs.",
                ),
                Claim(
                    "when it is wrong, the standard model g is surer than h.",
                    of_g.over(number),
                    f"Median margin of g's wrong answers: {html.margin(of_g)}."
                    if of_g.n
                    else "g gets no clean image wrong here.",
                ),
            ),
            short=html.margin(number),
        )

    def controls(self) -> tuple[Input, ...]:
        if not self.answered:
            return ()
        models = (("h", "robust h"), ("g", "standard g"))
        return (Input("Whose margins", options=models, trait="of"),)

    def more(self) -> str:
        return html.folded(
            "What would “malign” look like?",
            html.paragraph(
                "A classifier that is just as sure when it is wrong. Its margin would tell nothing, and the "
                "pairs above would come out at one half. That is why the robust model's confidence is worth "
                "listening to, and why MixedNUTS rounds the standard model's away (T = 0, section 3.1)."
            ),
            html.paragraph(
                "Intervals of medians lie between two order statistics; those of pairs are DeLong's."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        of = self.state.of if self.answered else "h"
        right, wrong = self._split(of)
        name = BAR_NAMES[of]
        groups = [fig.Group(f"{name}, right", right, RIGHT, float(np.median(right)) if len(right) else None)]
        if self.answered:
            middle = float(np.median(wrong)) if len(wrong) else None
            groups.append(fig.Group(f"{name}, wrong", wrong, WRONG, middle))
        guess = float(self.said) if self.said is not None and of == "h" else None
        return {"margins": fig.margin_figure(groups, guess=guess)}
