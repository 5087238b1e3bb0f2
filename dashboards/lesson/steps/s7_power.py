"""Step 7: power and scale."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch

from mnuts_core.clamps import gelu
from mnuts_core.functional.statistics import median, ratio_of_medians
from mnuts_core.functional.superiority import superiority, superiority_change
from mnuts_core.params import PAPER_OPTIMA, MixParams
from mnuts_core.views import examples
from mnuts_dashboards.figures.lesson import examples as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step, knob
from mnuts_dashboards.text import mathml
from mnuts_dashboards.text.numbers import minus
from mnuts_dashboards.theme import MAPPED, ROB

POWER = PAPER_OPTIMA["cifar10"].p
"""The power that the step asks about."""
TINIEST = np.finfo(np.float64).tiny


class PowerAndScale(Step):
    """A power that spreads the sure and the unsure."""

    key, title, panels = "power", "The power p and the scale s: who gets louder?", ("simplex", "bars")
    needs_attacked, traits = True, ("p", "s")

    @cached_property
    def c(self) -> float:
        """The bias of this step: the one that Algorithm 1 chooses."""
        return self.lab.best().c

    @property
    def params(self) -> MixParams:
        """What the sliders say."""
        return MixParams(s=self.state.s, p=self.state.p, c=self.c)

    @cached_property
    def rows(self) -> tuple[int, int]:
        """An attacked right answer and a clean mistake of median margin."""
        return self.lab.typical(self.lab.sure), self.lab.typical(self.lab.unsure)

    def _groups(self, params: MixParams) -> tuple[np.ndarray, np.ndarray]:
        margins = self.lab.margins_of(params)
        return margins[self.lab.sure], margins[self.lab.unsure]

    def idea(self) -> str:
        return html.paragraph(
            "What is left is raised to a <b>power p</b> and multiplied by a <b>scale s</b>. We watch two "
            "kinds of images: <b>sure</b>, attacked and still right, and <b>unsure</b>, clean and wrong. The "
            "triangles follow one typical image of each (Fig. 4) as its overall confidence grows."
        )

    def formula(self) -> str:
        v, i = mathml.ident("v"), mathml.ident("i")
        s, p = mathml.ident("s"), mathml.ident("p")
        size = mathml.row(mathml.op("|"), mathml.sub(v, i), mathml.op("|"))
        sign = mathml.row(mathml.words("sgn"), mathml.op("("), mathml.sub(v, i), mathml.op(")"))
        mapped = mathml.sub(mathml.call("M", mathml.ident("h")), i)
        times, ln = mathml.op("·"), self.lab.normed(self.rows[0])[3]
        return mathml.formula(
            mathml.row(mapped, mathml.op("="), s, times, mathml.power(size, p), times, sign),
            *(self._filled(place) for place in np.argsort(-ln, kind="stable")[:2]),
            caption=minus(
                f"Eq. 4, with c = {self.c:.2f} as Algorithm 1 chooses it here; below: the first two classes "
                "of the sure image. The further apart they come to lie, the larger the margin."
            ),
        )

    def _filled(self, place: int) -> str:
        """The formula with the numbers of a class of the sure image."""
        params, ln = self.params, self.lab.normed(self.rows[0])[3]
        value = float(gelu(torch.tensor(ln[place] + params.c)))
        size = mathml.row(mathml.op("|"), mathml.num(value), mathml.op("|"))
        return mathml.row(
            mathml.sub(mathml.call("M", mathml.ident("h")), mathml.words(self.lab.name(place))),
            mathml.op("="),
            mathml.num(params.s, 2),
            mathml.op("·"),
            mathml.power(size, mathml.num(params.p, 2)),
            mathml.op("·"),
            mathml.bracketed(float(np.sign(value)), 0),
            mathml.op("="),
            mathml.num(params.s * abs(value) ** params.p * float(np.sign(value))),
        )

    def question(self) -> Input:
        ratio = ratio_of_medians(*reversed(self._groups(_powered(1.0, self.c))))
        return Input(
            f"With p = 1 and s = 1 the unsure images' median margin is {ratio.value:.2f} of the sure ones'. "
            f"With p = {POWER:g} this fraction becomes …",
            options=(("smaller", "smaller"), ("same", "about the same"), ("larger", "larger")),
        )

    def check(self, said: Answer) -> Check:
        before, after = (self._groups(_powered(p, self.c)) for p in (1.0, POWER))
        number = ratio_of_medians(after[1], after[0])
        # by what factor each example's margin moves, compared between the groups: the examples are the same
        moved = [
            np.log(np.maximum(b, TINIEST)) - np.log(np.maximum(a, TINIEST))
            for a, b in zip(before, after, strict=True)
        ]
        pairs = superiority(moved[0], moved[1])
        verdict = pairs.over(0.5)
        truth = {"shown": "smaller", "contrary": "larger", "open": "same"}[verdict]
        order = superiority_change((before[0], after[0]), (before[1], after[1]))
        return Check(
            number,
            f"It becomes {html.margin(number)}; at p = 1 it was "
            f"{html.margin(ratio_of_medians(before[1], before[0]))}.",
            None if said is None else said == truth,
            (
                Claim(
                    "a higher power raises the margins of sure images by a larger factor than those of "
                    "unsure ones.",
                    verdict,
                    f"The sure image's margin gains the larger factor in {html.percent(pairs)} of pairs.",
                ),
            ),
            "This is about size, not order. How often the sure image has the larger margin of a pair changes "
            f"by {html.percent(order, signed=True)}.",
            short=f"{self.question().text(truth)}: {html.margin(number)}",
        )

    def controls(self) -> tuple[Input, ...]:
        return knob("p"), knob("s")

    def live(self) -> str:
        if not self.answered:
            return ""
        sure, unsure = self._groups(self.params)
        return html.paragraph(
            f"Median margin, sure: {html.margin(median(sure))}, unsure: {html.margin(median(unsure))}. Ratio "
            f"{html.margin(ratio_of_medians(unsure, sure))}."
        )

    def notes(self) -> Mapping[str, str]:
        rows = [
            f"{kind}: {'attacked' if row >= self.lab.n else 'clean'} image {self.lab.clean_row(row)}"
            for kind, row in zip(("sure", "unsure"), self.rows, strict=True)
        ]
        told = "; ".join(rows)
        return {"simplex": f"{told}; large marks: τ = 1 (Fig. 4)", "bars": f"{told}; first classes (Fig. 3)"}

    def cards(self) -> str:
        lab, mapped = self.lab, self.lab.margins_of(self.params)
        return html.table(
            ("the typical image", "image", "label", "h says", "margin of h", "margin of M(h)"),
            [
                (
                    kind,
                    html.picture(lab.picture(row), f"{kind} image"),
                    html.escape(lab.name(lab.labels[row])),
                    self.says("h", row),
                    html.plain(float(lab.margins["h"][row])),
                    html.plain(float(mapped[row])),
                )
                for kind, row in zip(("sure, attacked", "unsure, clean"), self.rows, strict=True)
            ],
        )

    def more(self) -> str:
        return html.folded(
            "How to read the triangles",
            html.paragraph(
                "Each corner is a class, the middle is “no idea”. A path shows all confidence levels: the "
                "temperature τ falls from the middle to the corner; the mark is τ = 1, where the mix reads "
                "the probabilities. With a high power an image whose two first classes are close stays near "
                "the middle for longer, while one with a clear first class runs straight to its corner. Set "
                "s larger and both run faster."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        lab = self.lab
        if lab.bundle.num_classes < 3:
            cases = examples.paper_cases(self.params)
        else:
            cases = tuple(
                examples.example_case(lab.engine, row, self.params)._replace(name=kind)
                for kind, row in zip(("sure", "unsure"), self.rows, strict=True)
            )
        return {"simplex": fig.triangle_figure(cases), "bars": self._bars()}

    def _bars(self) -> Mapping[str, Any]:
        """The first three classes of both images, before and after the transform (Fig. 3)."""
        groups, names, before, after = [], [], [], []
        for kind, row in zip(("sure", "unsure"), self.rows, strict=True):
            raw, mapped = self.lab.probabilities(row), self.lab.probabilities(row, self.params)
            top = np.argsort(-raw, kind="stable")[:3]
            groups += [kind] * len(top)
            names += [self.lab.name(place) for place in top]
            before += raw[top].tolist()
            after += mapped[top].tolist()
        series = [("σ(h)", before, ROB), ("σ(M(h))", after, MAPPED)]
        return fig.probability_figure([groups, names], series)


def _powered(p: float, c: float) -> MixParams:
    return MixParams(s=1.0, p=p, c=c)
