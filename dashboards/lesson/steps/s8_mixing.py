"""Step 8: mixing."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from mnuts_core.functional.statistics import share, sign_verdict
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.rows import STD as STD_WATCHED
from mnuts_core.views.stretches import right_between
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson.checks import Check, is_near, measured
from mnuts_dashboards.lesson.inputs import Input, percentage, slider
from mnuts_dashboards.lesson.lab import LEVEL
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.text.mathml import formula, number, significant

SHOWN_FLIPS = (4, 3)
"""How many fixed and how many broken images are shown."""
SMALL = 0.02
"""The mix is shown on a logarithmic axis if its threshold is smaller."""


class Flip(NamedTuple):
    """A clean image that the mix fixes or breaks: both answers, and the lead of M(h) over g's."""

    fixed: bool
    picture: str | None
    label: str
    h: str
    g: str
    lead: float


class Mixing(Step):
    """The standard model overrules the robust one where that one wavers."""

    key, panels = "mixing", ("flips",)
    texts = texts_of("s8_mixing")
    traits = ("alpha",)
    needs_attacked = True  # α follows from β there

    @cached_property
    def start(self) -> Remix:
        """The mix that the question is about: Algorithm 1's at the lesson's level, α as printed."""
        return self.lab.remix(self.lab.best().with_(alpha=self.lab.start_alpha))

    @property
    def mix(self) -> Remix:
        """The mix at the reader's α."""
        return self.lab.remix(self.lab.best().with_(alpha=self.state.alpha))

    def idea(self) -> Markup:
        params = self.lab.best()
        return self.html("idea", level=LEVEL, s=params.s, p=params.p, c=params.c)

    def formula(self) -> Markup:
        mix, threshold = self.mix, significant(self.mix.threshold)
        alpha = number(mix.alpha, self.lab.alpha_digits)
        rule = (
            r"p_1 - p_{ŷ_g} \le \frac{1 - \alpha}{\alpha} = "
            rf"\frac{{1 - {alpha}}}{{{alpha}}} = {threshold}"
        )
        fixes = self.lab.flips(mix).fixes
        example = (self._example(int(fixes[0]), mix, threshold),) if len(fixes) else ()
        return formula(rule, *example, caption=self.plain("caption", example=bool(example)))

    def _example(self, row: int, mix: Remix, threshold: str) -> str:
        """The rule with the numbers of one image."""
        p = self.lab.probabilities(row, mix.params)
        first, own, result = p.max(), p[self.lab.std_class[row]], max(4, self.lab.alpha_digits)
        digits = decimals(operator.sub, first, own, result=result, start=result + 1)
        difference = rf"{number(first, digits)} - {number(own, digits)}"
        return rf"{difference} \approx {number(first - own, result)} \le {threshold}"

    def question(self) -> Input:
        lab, mix = self.lab, self.start
        label = self.plain(
            "question",
            wrong=len(lab.unsure),
            n=lab.n,
            alpha=mix.alpha,
            digits=lab.alpha_digits,
            threshold=mix.threshold,
        )
        return percentage(label)

    def check(self, prediction: Answer) -> Check:
        flips = self.lab.flips(self.start)
        fixes, breaks, wrong = len(flips.fixes), len(flips.breaks), len(flips.wrong)
        number = share(fixes, wrong)
        return Check(
            number,
            self.html("truth", fixes=fixes, wrong=wrong, number=number),
            is_near(number, prediction, 0.1, 0.01),
            (self.claim("fixes_more", sign_verdict(fixes, breaks), fixes=fixes, breaks=breaks),),
            self.html("short_truth", number=number),
            self.html("note"),
        )

    def controls(self) -> tuple[Input, ...]:
        digits = self.lab.alpha_digits
        return (slider("alpha", step=10.0**-digits, digits=digits),)

    def live(self) -> Markup:
        if not self.answered:
            return Markup()
        mix, flips = self.mix, self.lab.flips(self.mix)
        return self.html(
            "live",
            alpha=mix.alpha,
            digits=self.lab.alpha_digits,
            fixes=len(flips.fixes),
            breaks=len(flips.breaks),
            bound=measured(mix.by_margin),
        )

    def cards(self) -> Markup:
        if not self.answered:
            return Markup()
        flips = self._flips(self.mix)
        return (
            self.html("cards", flips=flips, threshold=self.mix.threshold) if flips else self.html("no_flips")
        )

    def _flips(self, mix: Remix) -> list[Flip]:
        """The first images that the mix fixes and breaks."""
        lab, flips = self.lab, self.lab.flips(mix)
        leads = lab.engine.margins(mix.params).deficit[:, STD_WATCHED].double().numpy()
        shown = [(True, int(row)) for row in flips.fixes[: SHOWN_FLIPS[0]]]
        shown += [(False, int(row)) for row in flips.breaks[: SHOWN_FLIPS[1]]]
        return [
            Flip(
                fixed=fixed,
                picture=lab.picture(row),
                label=lab.name(lab.labels[row]),
                h=lab.name(mix.on_clean.rob_class[row]),
                g=lab.name(lab.std_class[row]),
                lead=float(leads[row]),
            )
            for fixed, row in shown
        ]

    def notes(self) -> Mapping[str, str]:
        return {"flips": self.plain("plot_note", n=self.lab.n)}

    def figures(self) -> Mapping[str, Any]:
        odds, fixes, breaks = self._curves
        alpha = self.state.alpha
        label = self.plain("line", alpha=alpha, digits=self.lab.alpha_digits)
        figure = fig.flips_figure(
            odds,
            fixes,
            breaks,
            ((1.0 - alpha) / alpha, label),
            len(self.lab.unsure),
            hidden=not self.answered,
            log=self.start.threshold < SMALL,
        )
        return {"flips": figure}

    @cached_property
    def _curves(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Odds (1-α)/α, and how many clean images are fixed and broken at each."""
        lab, odds = self.lab, np.union1d(np.linspace(0.0, 1.0, 201), np.logspace(-6, 0, 181))
        low, high, closed = right_between(lab.engine, lab.best())
        low, high, closed = low[: lab.n, None], high[: lab.n, None], closed[: lab.n, None]
        right = (odds >= low) & ((odds < high) | (closed & (odds <= high)))
        before = lab.rob_right[: lab.n]
        return odds, right[~before].sum(axis=0), (~right[before]).sum(axis=0)
