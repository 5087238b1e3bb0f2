"""Step 9: the price of a level β."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from mnuts_core.functional.paired import paired_difference
from mnuts_core.functional.statistics import Estimate, sign_verdict
from mnuts_core.remix.answers import Remix
from mnuts_dashboards.bundles.verified import Known
from mnuts_dashboards.figures.lesson import accuracy as fig
from mnuts_dashboards.lesson.checks import Check, is_near, measured
from mnuts_dashboards.lesson.inputs import Input, slider
from mnuts_dashboards.lesson.lab import LEVEL
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.text.mathml import formula, number, significant
from mnuts_dashboards.theme import MIX, PLAIN, ROB, STD


class Row(NamedTuple):
    """A classifier's figures; a mix has an accuracy by margin, too."""

    name: str
    clean: Estimate
    attacked: Estimate
    by_margin: Estimate | None


class Price(Step):
    """What a level β buys and costs; attacked and verified figures."""

    key, panels = "price", ("plane",)
    texts = texts_of("s9_price")
    needs_attacked, traits = True, ("beta", "answers")

    def _mixes(self, beta: float) -> tuple[Remix, Remix]:
        """The mix that Algorithm 1 chooses at β, and the plain mix at the same β."""
        return self.lab.remix(self.lab.best(beta)), self.lab.engine.plain_mix(beta)

    def idea(self) -> Markup:
        searched = self.lab.searched()
        return self.html("idea", triples=searched.grid.size, max_loss=searched.max_accuracy_loss or 1.0)

    def formula(self) -> Markup:
        mix = self._mixes(self.state.beta)[0]
        result = max(4, self.lab.alpha_digits)
        digits = decimals(_weight, mix.threshold, result=result, rounded=_to_significant)
        odds = significant(mix.threshold, digits)
        return formula(
            rf"\alpha = \frac{{1}}{{1 + q}} = \frac{{1}}{{1 + {odds}}} \approx {number(mix.alpha, result)}",
            caption=self.plain("caption", beta=self.state.beta),
        )

    def question(self) -> Input:
        h, g = (
            accuracy.value for accuracy in (self.lab.engine.base.rob_clean, self.lab.engine.base.std_clean)
        )
        return Input(
            self.plain("question", h=h, g=g, level=LEVEL),
            high=max(10.0, float(np.ceil(100 * (1 - h)))),
            step=0.1,
            digits=1,
            unit=f" {self.plain('unit')}",
        )

    def check(self, prediction: Answer) -> Check:
        lab, (mix, plain) = self.lab, self._mixes(LEVEL)
        flips = lab.flips(mix)
        fixes, breaks = len(flips.fixes), len(flips.breaks)
        gain = paired_difference(fixes, breaks, lab.n)
        ours, theirs = mix.on_clean.mix_right, plain.on_clean.mix_right
        only, other = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        return Check(
            gain,
            self.html("truth", gain=gain),
            is_near(gain, prediction, 0.005, 0.01),
            (
                self.claim("more_accurate", sign_verdict(fixes, breaks), fixes=fixes, breaks=breaks, n=lab.n),
                self.claim("transform_pays", sign_verdict(only, other), only_mix=only, only_plain=other),
            ),
            self.html("short_truth", gain=gain),
            self.html("note", verified=lab.verified, rivals=lab.rivals, optimistic=mix.optimistic),
        )

    def controls(self) -> tuple[Input, ...]:
        return (slider("beta", low=0.5, step=0.005),) if self.answered else ()

    def live(self) -> Markup:
        if not self.answered:
            return Markup()
        base, (mix, plain) = self.lab.engine.base, self._mixes(self.state.beta)
        rows = [Row("h", base.rob_clean, measured(base.rob_attacked), None)]
        rows += [
            Row(name, one.clean, measured(one.attacked), measured(one.by_margin))
            for name, one in (("plain", plain), ("mix", mix))
        ]
        n, m = self.lab.n, self.lab.bundle.n_adv
        return self.html("live", rows=rows, beta=self.state.beta, n=n, m=m, warnings=mix.warnings)

    def notes(self) -> Mapping[str, str]:
        return {"plane": self.plain("plot_note", n=self.lab.n, m=self.lab.bundle.n_adv)}

    def figures(self) -> Mapping[str, Any]:
        base, (mix, plain) = self.lab.engine.base, self._mixes(self.state.beta)
        points = [self._point("h", base.rob_clean, base.rob_attacked, ROB, "square")]
        if base.std_attacked is not None:
            points.append(self._point("g", base.std_clean, base.std_attacked, STD, "diamond"))
        guess = None
        if self.answered:
            points += [
                self._point("plain", plain.clean, plain.attacked, PLAIN, "triangle-up"),
                self._point("by_margin", mix.clean, mix.by_margin, MIX, "circle-open"),
                self._point("mix", mix.clean, mix.attacked, MIX, "circle"),
            ]
            points += [self._verified_point(one, one.clean) for one in self.lab.verified if one.clean]
        if self.prediction is not None:
            at_level = measured(self._mixes(LEVEL)[0].attacked)
            guess = (base.rob_clean.value + float(self.prediction) / 100, at_level.value)
        return {"plane": fig.price_figure(points, self.lab.frontier if self.answered else None, guess)}

    def _point(self, name: str, x: Estimate, y: Estimate | None, colour: str, symbol: str) -> fig.Point:
        return fig.Point(self.plain("point", name=name), x, measured(y), colour, symbol)

    def _verified_point(self, one: Known, clean: Estimate) -> fig.Point:
        name, colour = ("plain_verified", PLAIN) if one.params.plain else ("verified", MIX)
        return self._point(name, clean, one.verified, colour, "star")._replace(detail=one.name)


def _weight(q: float) -> float:
    """α of a threshold."""
    return 1.0 / (1.0 + q)


def _to_significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")
