"""Step 6: the clamp."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from markupsafe import Markup

from mnuts_core.clamps import gelu
from mnuts_core.functional.statistics import mean, share
from mnuts_core.params import PAPER_OPTIMA, MixParams
from mnuts_core.views import transform
from mnuts_dashboards.figures.lesson import examples as fig
from mnuts_dashboards.lesson.checks import Check, is_near
from mnuts_dashboards.lesson.inputs import Input, slider
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.text.mathml import formula, number, text

CUTOFF = PAPER_OPTIMA["cifar10"].c
"""The bias that the step asks about: the paper's for CIFAR-10."""
TOLERATED = 0.01
"""The share of answers that the clamp may change (Assumption 4.2 says none)."""


class Clamp(Step):
    """Silencing the classes that do not compete."""

    key, panels = "clamp", ("cutoff",)
    texts = texts_of("s6_clamp")
    needs_wrong, traits = False, ("c", "example")

    def formula(self) -> Markup:
        ln = self.lab.normed(self.row)[3]
        order = np.argsort(-ln, kind="stable")
        shown = (order[0], order[min(2, len(order) - 1)])
        general = r"v_i = \text{GELU}({\text{LN}(h)}_i + c)"
        return formula(
            general, *(self._with_numbers(place, ln) for place in shown), caption=self.plain("caption")
        )

    def _with_numbers(self, place: int, ln: np.ndarray[Any, np.dtype[np.float64]]) -> str:
        """The formula for one class."""
        c, logit = self.state.c, float(ln[place])
        digits = decimals(lambda z: _gelu(z + c), logit, result=3)
        shifted = f"{number(logit, digits)} {'-' if c < 0 else '+'} {number(abs(c), 2)}"
        name, value = text(self.lab.name(place)), number(_gelu(logit + c))
        return rf"v_{{{name}}} = \text{{GELU}}({shifted}) \approx {value}"

    def question(self) -> Input:
        k = self.lab.bundle.num_classes
        few = k <= 20
        label = self.plain("question", c=CUTOFF, k=k)
        return Input(label, high=k, step=0.1 if few else 1, digits=1 if few else 0)

    def check(self, prediction: Answer) -> Check:
        lab, k = self.lab, self.lab.bundle.num_classes
        above = mean(lab.above_cutoff(CUTOFF))
        hits = lab.changed(_clamped(CUTOFF))
        kept, changed = share(lab.n - hits, lab.n), share(hits, lab.n)
        return Check(
            above,
            self.html("truth", number=above, k=k),
            is_near(above, prediction, 0.05 * k),
            (
                self.claim(
                    "keeps_answers",
                    kept.over(1.0 - TOLERATED),
                    tolerated=TOLERATED,
                    hits=hits,
                    changed=changed,
                ),
            ),
            self.html("short_truth", number=above),
        )

    def notes(self) -> Mapping[str, str]:
        return {"cutoff": self.plain("plot_note", n=self.lab.n, k=self.lab.bundle.num_classes)}

    def controls(self) -> tuple[Input, ...]:
        return (slider("c"),)

    def live(self) -> Markup:
        if not self.answered:
            return Markup()
        lab, c = self.lab, self.state.c
        return self.html(
            "live", c=c, above=mean(lab.above_cutoff(c)), changed=lab.changed(_clamped(c)), n=lab.n
        )

    def figures(self) -> Mapping[str, Any]:
        curve = transform.transform_curve(self.lab.density, _clamped(self.state.c))
        return {"cutoff": fig.cutoff_figure(curve, self.state.c)}


def _gelu(value: float) -> float:
    return float(gelu(torch.tensor(value, dtype=torch.float64)))


def _clamped(c: float) -> MixParams:
    """Layer norm, bias and clamp alone."""
    return MixParams(s=1.0, p=1.0, c=c)
