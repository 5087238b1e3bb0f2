"""Step 7: power and scale."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from numpy.typing import NDArray

from mnuts_core.clamps import gelu
from mnuts_core.functional.statistics import median, ratio_of_medians
from mnuts_core.functional.superiority import superiority, superiority_change
from mnuts_core.params import PAPER_OPTIMA, MixParams
from mnuts_core.views import examples
from mnuts_dashboards.figures.lesson import examples as fig
from mnuts_dashboards.figures.names import escaped
from mnuts_dashboards.lesson.checks import Check
from mnuts_dashboards.lesson.inputs import Input, slider
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, Vote, texts_of
from mnuts_dashboards.text.mathml import bracketed, formula, number, text
from mnuts_dashboards.theme import MAPPED, ROB

POWER = PAPER_OPTIMA["cifar10"].p
"""The power that the step asks about."""
TINIEST = np.finfo(np.float64).tiny


class Typical(NamedTuple):
    """One of the two typical images: `number` among the clean ones, `picture` as a data URL, both margins."""

    kind: str
    attacked: bool
    number: int
    picture: str | None
    label: str
    h: Vote
    margin: float
    mapped_margin: float


class PowerAndScale(Step):
    """A power that spreads the sure and the unsure."""

    key, panels, height = "power", ("simplex", "bars"), 300
    texts = texts_of("s7_power")
    needs_attacked, traits = True, ("p", "s")

    @cached_property
    def c(self) -> float:
        """The bias of this step: the one that Algorithm 1 chooses."""
        return self.lab.best().c

    @property
    def params(self) -> MixParams:
        """The transform at the sliders' present place."""
        return MixParams(s=self.state.s, p=self.state.p, c=self.c)

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """An attacked right answer and a clean mistake of median margin, by the names of their kinds."""
        lab = self.lab
        return {"sure": lab.typical(lab.sure), "unsure": lab.typical(lab.unsure)}

    def _groups(self, params: MixParams) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        margins = self.lab.margins_of(params)
        return margins[self.lab.sure], margins[self.lab.unsure]

    def formula(self) -> Markup:
        ln = self.lab.normed(self.rows["sure"])[3]
        return formula(
            r"{M(h)}_i = s \cdot {|v_i|}^p \cdot \text{sgn}(v_i)",
            *(self._with_numbers(place, ln) for place in np.argsort(-ln, kind="stable")[:2]),
            caption=self.plain("caption", c=self.c),
        )

    def _with_numbers(self, place: int, ln: NDArray[np.float64]) -> str:
        """The formula for one class of the sure image."""
        s, p = self.state.s, self.state.p
        v = float(gelu(torch.tensor(ln[place] + self.c)))
        sign = float(np.sign(v))
        settings = decimals(lambda s, p: s * abs(v) ** p, s, p, result=3, start=2)
        s, p = round(s, settings), round(p, settings)
        size = number(abs(v), decimals(lambda size: s * size**p, abs(v), result=3))
        return (
            rf"{{M(h)}}_{{{text(self.lab.name(place))}}} = {number(s, settings)} \cdot "
            rf"{{|{'-' if v < 0 else ''}{size}|}}^{{{number(p, settings)}}} \cdot {bracketed(sign, 0)} "
            rf"\approx {number(s * abs(v) ** p * sign)}"
        )

    def question(self) -> Input:
        sure, unsure = self._groups(_powered(1.0, self.c))
        label = self.plain("question", ratio=ratio_of_medians(unsure, sure).value, power=POWER)
        return Input(label, options=self.options("option", "smaller", "same", "larger"))

    def check(self, prediction: Answer) -> Check:
        before, after = (self._groups(_powered(p, self.c)) for p in (1.0, POWER))
        number = ratio_of_medians(after[1], after[0])
        # by what factor each example's margin moves, compared between the groups: the examples are the same
        moved = [
            np.log(np.maximum(b, TINIEST)) - np.log(np.maximum(a, TINIEST))
            for a, b in zip(before, after, strict=True)
        ]
        pairs = superiority(moved[0], moved[1])
        verdict = pairs.over(0.5)
        fact = {"shown": "smaller", "contrary": "larger", "open": "same"}[verdict]
        order = superiority_change((before[0], after[0]), (before[1], after[1]))
        return Check(
            number,
            self.html("truth", after=number, before=ratio_of_medians(before[1], before[0])),
            None if prediction is None else prediction == fact,
            (self.claim("larger_factor", verdict, pairs=pairs),),
            self.html("short_truth", fact=fact, number=number),
            self.html("note", order=order),
        )

    def controls(self) -> tuple[Input, ...]:
        return slider("p"), slider("s")

    def live(self) -> Markup:
        if not self.answered:
            return Markup()
        sure, unsure = self._groups(self.params)
        return self.html(
            "live", sure=median(sure), unsure=median(unsure), ratio=ratio_of_medians(unsure, sure)
        )

    def notes(self) -> Mapping[str, str]:
        images = self._typical_images()
        return {panel: self.plain("plot_note", panel=panel, images=images) for panel in self.panels}

    def cards(self) -> Markup:
        return self.html("cards", images=self._typical_images())

    def _typical_images(self) -> list[Typical]:
        lab, mapped = self.lab, self.lab.margins_of(self.params)
        return [
            Typical(
                kind=kind,
                attacked=row >= lab.n,
                number=lab.clean_row(row),
                picture=lab.picture(row),
                label=lab.name(lab.labels[row]),
                h=self.vote("h", row),
                margin=float(lab.margins["h"][row]),
                mapped_margin=float(mapped[row]),
            )
            for kind, row in self.rows.items()
        ]

    def figures(self) -> Mapping[str, Any]:
        lab = self.lab
        if lab.bundle.num_classes < 3:
            cases = examples.paper_cases(self.params)
        else:
            cases = tuple(
                examples.example_case(lab.engine, row, self.params)._replace(
                    name=self.plain("kind", name=kind)
                )
                for kind, row in self.rows.items()
            )
        return {"simplex": fig.triangle_figure(cases), "bars": self._bars()}

    def _bars(self) -> Mapping[str, Any]:
        """The first three classes of both images, before and after the transform (Fig. 3)."""
        groups, names, before, after = [], [], [], []
        for kind, row in self.rows.items():
            raw, mapped = self.lab.probabilities(row), self.lab.probabilities(row, self.params)
            top = np.argsort(-raw, kind="stable")[:3]
            groups += [self.plain("kind", name=kind)] * len(top)
            names += [escaped(self.lab.name(place)) for place in top]
            before += raw[top].tolist()
            after += mapped[top].tolist()
        series = [("σ(h)", before, ROB), ("σ(M(h))", after, MAPPED)]
        return fig.probability_figure([groups, names], series)


def _powered(p: float, c: float) -> MixParams:
    return MixParams(s=1.0, p=p, c=c)
