"""Step 6: the clamp."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from mnuts_core.clamps import gelu
from mnuts_core.functional.statistics import mean, share
from mnuts_core.params import PAPER_OPTIMA, MixParams
from mnuts_core.views import transform
from mnuts_dashboards.figures.lesson import examples as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step, knob, near
from mnuts_dashboards.text import mathml
from mnuts_dashboards.text.numbers import minus

CUTOFF = PAPER_OPTIMA["cifar10"].c
"""The bias that the step asks about: the paper's for CIFAR-10."""
CLAMP_KEEPS = 0.99
"""The share of answers that the clamp should leave as they are (Assumption 4.2 says all)."""


class Clamp(Step):
    """Silencing the classes that do not compete."""

    key, title, panels = "clamp", "The bias c and the clamp: who may speak", ("cutoff",)
    needs_wrong, traits = False, ("c", "example")

    def idea(self) -> str:
        return html.paragraph(
            "The transform first adds a <b>bias c</b> and <b>clamps</b>: what lies below zero is squeezed to "
            "almost nothing. The classes far behind fall silent, and only those that compete for the answer "
            "keep a voice. The line shows the clamp, the hills show where the logits lie."
        )

    def formula(self) -> str:
        ln = self.lab.normed(self.row)[3]
        order = np.argsort(-ln, kind="stable")
        shown = [order[0], order[min(2, len(order) - 1)]]
        v, h, i = mathml.ident("v"), mathml.ident("h"), mathml.ident("i")
        inside = mathml.row(mathml.sub(mathml.call("LN", h), i), mathml.op("+"), mathml.ident("c"))
        lines = [mathml.row(mathml.sub(v, i), mathml.op("="), mathml.call("GELU", inside))]
        for place in shown:
            value = float(gelu(torch.tensor(ln[place] + self.state.c)))
            sign, size = ("−", -self.state.c) if self.state.c < 0 else ("+", self.state.c)
            numbers = mathml.row(mathml.num(ln[place]), mathml.op(sign), mathml.num(size, 2))
            name = mathml.words(self.lab.name(place))
            call = mathml.call("GELU", numbers)
            lines.append(
                mathml.row(mathml.sub(v, name), mathml.op("="), call, mathml.op("="), mathml.num(value, 3))
            )
        return mathml.formula(
            *lines, caption="First part of Eq. 4, for the first and third class of step 2's image."
        )

    def question(self) -> Input:
        k = self.lab.bundle.num_classes
        return Input(
            f"With c = {minus(f'{CUTOFF:g}')} (the paper's choice on CIFAR-10) the cutoff lies at "
            f"{-CUTOFF:g}. How many of the {k} classes lie above it, on the average clean image?",
            high=k,
            step=0.1 if k <= 20 else 1,
            digits=1 if k <= 20 else 0,
        )

    def check(self, said: Answer) -> Check:
        lab = self.lab
        number = mean(lab.silenced(CUTOFF))
        changed = lab.changed(_clamped(CUTOFF))
        kept = share(lab.n - changed, lab.n)
        return Check(
            number,
            f"On average {html.margin(number, 2)} of {lab.bundle.num_classes}.",
            near(number, said, 0.05 * lab.bundle.num_classes),
            (
                Claim(
                    f"the clamp leaves at least {100 * CLAMP_KEEPS:g} % of h's answers as they are "
                    "(Assumption 4.2 says all).",
                    kept.over(CLAMP_KEEPS),
                    f"Of {lab.n:,} answers it changes {changed:,}: {html.percent(kept)} stay.",
                ),
            ),
            short=html.margin(number, 2),
        )

    def notes(self) -> Mapping[str, str]:
        k = self.lab.bundle.num_classes
        return {"cutoff": f"Densities of {self.lab.n:,} × {k} logits, clean images"}

    def controls(self) -> tuple[Input, ...]:
        return (knob("c"),)

    def live(self) -> str:
        if not self.answered:
            return ""
        lab, c = self.lab, self.state.c
        changed = lab.changed(_clamped(c))
        return html.paragraph(
            f"At c = {html.plain(c, 2)}: {html.margin(mean(lab.silenced(c)), 2)} classes above the cutoff; "
            f"the clamp changes <b>{changed:,}</b> of {lab.n:,} answers."
        )

    def more(self) -> str:
        return html.folded(
            "Why GELU and not a plain cut at zero?",
            html.paragraph(
                "A plain cut (ReLU) makes everything below the same, so the order of the silenced classes is "
                "lost, and where all classes are silenced so is the answer. GELU bends smoothly; the paper "
                "chose it because it gets by with the mildest s and p (appendix D.2). Its price: it dips "
                "below zero and so is not quite monotone, which is how it can change an answer at all "
                "(appendix D.8.2)."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        density = self.lab.density
        curve = transform.transform_curve(density, _clamped(self.state.c))
        return {"cutoff": fig.cutoff_figure(curve, self.state.c)}


def _clamped(c: float) -> MixParams:
    """Layer norm, bias and clamp alone."""
    return MixParams(s=1.0, p=1.0, c=c)
