"""Step 8: mixing."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from mnuts_core.functional.statistics import share, sign_verdict
from mnuts_core.remix.engine import STD as STD_WATCHED
from mnuts_core.remix.engine import Remix
from mnuts_core.views.tradeoff import right_between
from mnuts_dashboards.figures.lesson import margins as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.lab import LEVEL
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step, knob, near, percent
from mnuts_dashboards.text import mathml
from mnuts_dashboards.text.numbers import minus

SHOWN_FLIPS = (4, 3)
"""So many mended and broken images are shown."""
SMALL = 0.02
"""Below this threshold the mix is shown on a logarithmic axis."""


class Mixing(Step):
    """The standard model outvotes the robust one where that one wavers."""

    key, title, panels = "mixing", "Mixing: who outvotes whom", ("flips",)
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

    def idea(self) -> str:
        params = self.lab.best()
        return html.paragraph(
            "The mix gives the",
            self.model("h"),
            "(transformed) the weight α and the",
            self.model("g"),
            "the rest, with all of g's vote on its one answer. So g wins where h's lead over g's answer is "
            "at most <b>(1−α)/α</b>. Where h leads by more, nobody can outvote it, attacked or not.",
        ) + html.paragraph(
            minus(
                f"At β = {LEVEL:g} (step 9) Algorithm 1 chose s = {params.s:.3g}, p = {params.p:.3g}, "
                f"c = {params.c:.3g} here."
            )
        )

    def formula(self) -> str:
        mix, alpha, lab = self.mix, mathml.ident("α"), self.lab
        flips = lab.flips(mix)
        lead = mathml.row(
            mathml.sub(mathml.ident("p"), mathml.num("1")),
            mathml.op("−"),
            mathml.sub(mathml.ident("p"), mathml.sub(mathml.ident("ŷ"), mathml.ident("g"))),
        )
        odds = mathml.frac(mathml.row(mathml.num("1"), mathml.op("−"), alpha), alpha)
        a = mathml.num(mix.alpha, lab.alpha_digits)
        numbers = mathml.frac(mathml.row(mathml.num("1"), mathml.op("−"), a), a)
        threshold = mathml.significant(mix.threshold)
        lines = [mathml.row(lead, mathml.op("≤"), odds, mathml.op("="), numbers, mathml.op("="), threshold)]
        caption = "g wins exactly where this holds (T = 0; p are M(h)'s probabilities)."
        if len(flips.mends):
            row = int(flips.mends[0])
            p = lab.probabilities(row, mix.params)
            own = p[lab.std_class[row]]
            digits = max(4, lab.alpha_digits)
            lines.append(
                mathml.row(
                    mathml.num(p.max(), digits + 1),
                    mathml.op("−"),
                    mathml.num(own, digits + 1),
                    mathml.op("≈"),
                    mathml.num(p.max() - own, digits),
                    mathml.op("≤"),
                    threshold,
                )
            )
            caption += " Below: the first image that the mix mends."
        return mathml.formula(*lines, caption=caption)

    def question(self) -> Input:
        mix = self.start
        return percent(
            f"h gets {len(self.lab.unsure):,} of {self.lab.n:,} clean images wrong. Mixing at "
            f"α = {mix.alpha:.{self.lab.alpha_digits}f}, threshold {mix.threshold:.3g}: what share of these "
            "does the mix mend?",
        )

    def check(self, said: Answer) -> Check:
        flips = self.lab.flips(self.start)
        number = share(len(flips.mends), len(flips.wrong))
        m, b = len(flips.mends), len(flips.breaks)
        return Check(
            number,
            f"It mends {m:,} of {len(flips.wrong):,}: {html.percent(number)}.",
            near(number, said, 0.1, 0.01),
            (
                Claim(
                    "on clean images the mix mends more than it breaks.",
                    sign_verdict(m, b),
                    f"It mends {m:,} and breaks {b:,}.",
                ),
            ),
            "s, p, c and α were chosen on images of this bundle, which flatters them a little (Table 8). "
            "α is rounded here, so that the counts may differ a little from those of step 9.",
            short=html.percent(number),
        )

    def controls(self) -> tuple[Input, ...]:
        digits = self.lab.alpha_digits
        return (knob("alpha", step=10.0**-digits, digits=digits),)

    def live(self) -> str:
        if not self.answered:
            return ""
        mix, lab = self.mix, self.lab
        flips = lab.flips(mix)
        assert mix.margin_bound is not None  # the step needs attacked images
        return html.paragraph(
            f"At α = {mix.alpha:.{lab.alpha_digits}f} the mix mends <b>{len(flips.mends):,}</b> and breaks "
            f"<b>{len(flips.breaks):,}</b>. Under attack, margin bound: "
            f"{html.percent(mix.margin_bound)}."
        )

    def cards(self) -> str:
        if not self.answered:
            return ""
        mix, lab = self.mix, self.lab
        flips = lab.flips(mix)
        if not len(flips.mends) + len(flips.breaks):
            return html.paragraph("At this α no clean answer flips between right and wrong.")
        chosen = [("mended", row) for row in flips.mends[: SHOWN_FLIPS[0]]]
        chosen += [("broken", row) for row in flips.breaks[: SHOWN_FLIPS[1]]]
        deficit = lab.engine.margins(mix.params).deficit[:, STD_WATCHED].double().numpy()
        return html.table(
            ("", "image", "label", "M(h) says", "g says", "M(h)'s lead over g's answer"),
            [
                (
                    html.mark(kind, right=kind == "mended"),
                    html.picture(lab.picture(int(row)), f"{kind} image"),
                    html.escape(lab.name(lab.labels[row])),
                    html.escape(lab.name(mix.on_clean.rob_class[row])),
                    html.escape(lab.name(lab.std_class[row])),
                    f"{html.plain(float(deficit[row]))} ≤ {html.plain(mix.threshold)}",
                )
                for kind, row in chosen
            ],
        )

    def notes(self) -> Mapping[str, str]:
        return {"flips": f"Mended and broken of n = {self.lab.n:,} clean images, for every threshold"}

    def more(self) -> str:
        return html.folded(
            "Why α is at least one half",
            html.paragraph(
                "Below one half the threshold exceeds 1, and no margin is that large: g would always win, "
                "and under attack g is taken to be always wrong. At α = 1 the threshold is 0, and the mix "
                "answers as the transformed h."
            ),
            html.paragraph(
                "The <b>margin bound</b> counts attacked images that h gets right with a margin of at least "
                "the threshold (Eq. 7). It takes g to be always wrong there. It is an estimate: the attack "
                "was made against the layer-normed h, not against the mix."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        odds, mends, breaks = self._curves
        at = (1.0 - self.state.alpha) / self.state.alpha
        label = f"α = {self.state.alpha:.{self.lab.alpha_digits}f}"
        figure = fig.flips_figure(
            odds,
            mends,
            breaks,
            (at, label),
            len(self.lab.unsure),
            hidden=not self.answered,
            log=self.start.threshold < SMALL,
        )
        return {"flips": figure}

    @cached_property
    def _curves(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Odds (1-α)/α, and how many clean images are mended and broken at each."""
        lab, odds = self.lab, np.union1d(np.linspace(0.0, 1.0, 201), np.logspace(-6, 0, 181))
        low, high, closed = (part[: lab.n, None] for part in right_between(lab.engine, lab.best()))
        right = (odds >= low) & ((odds < high) | (closed & (odds <= high)))
        before = lab.rob_right[: lab.n]
        return odds, right[~before].sum(axis=0), (~right[before]).sum(axis=0)
