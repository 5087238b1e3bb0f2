"""Step 9: the price of a level β."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.functional.statistics import Estimate, paired_difference, sign_verdict
from mnuts_core.remix.engine import Remix
from mnuts_dashboards.bundles.verified import Known
from mnuts_dashboards.figures.lesson import accuracy as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.lab import LEVEL
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step, knob, near
from mnuts_dashboards.text import mathml
from mnuts_dashboards.theme import MIX, PLAIN, ROB, STD


class Price(Step):
    """What a level β buys and costs; estimates and verified figures."""

    key, title, panels = "price", "The price: accuracy, robustness, and what is verified", ("plane",)
    needs_attacked, traits = True, ("beta", "answers")

    def _mixes(self, beta: float) -> tuple[Remix, Remix]:
        """The mix that Algorithm 1 chooses at β, and the plain mix at the same β."""
        return self.lab.remix(self.lab.best(beta)), self.lab.engine.plain_mix(beta)

    def _gain(self, mix: Remix) -> Estimate:
        flips = self.lab.flips(mix)
        return paired_difference(len(flips.mends), len(flips.breaks), self.lab.n)

    def idea(self) -> str:
        return html.paragraph(
            "The level <b>β</b> is the deal: the mix must keep a share β of h's answers that withstood the "
            "attack. The rest is what you pay for clean accuracy. Algorithm 1 tries "
            f"{self.lab.searched().grid.size} triples (s, p, c) and takes the one that leaves the fewest of "
            "h's mistakes above the threshold; here without those that by themselves cost h more than "
            f"{100 * (self.lab.searched().max_accuracy_loss or 1.0):g} points of accuracy."
        )

    def formula(self) -> str:
        mix = self._mixes(self.state.beta)[0]
        q, alpha = mathml.ident("q"), mathml.ident("α")
        one = mathml.num("1")
        return mathml.formula(
            mathml.row(
                alpha,
                mathml.op("="),
                mathml.frac(one, mathml.row(one, mathml.op("+"), q)),
                mathml.op("="),
                mathml.frac(one, mathml.row(one, mathml.op("+"), mathml.significant(mix.threshold))),
                mathml.op("="),
                mathml.num(mix.alpha, max(4, self.lab.alpha_digits)),
            ),
            caption=f"Algorithm 1, line 9: q is the margin that a share β = {self.state.beta:g} of the "
            "attacked right answers reaches.",
        )

    def question(self) -> Input:
        base = self.lab.engine.base
        return Input(
            f"h is right on {100 * base.rob_clean.value:.1f} % of the clean images, g on "
            f"{100 * base.std_clean.value:.1f} %. At β = {LEVEL:g}, how many points of clean accuracy does "
            "the mix gain over h?",
            high=max(10.0, float(np.ceil(100 * (1 - base.rob_clean.value)))),
            step=0.1,
            digits=1,
            unit=" points",
        )

    def check(self, said: Answer) -> Check:
        lab, (mix, plain) = self.lab, self._mixes(LEVEL)
        flips = lab.flips(mix)
        number = self._gain(mix)
        ours, theirs = mix.on_clean.mix_right, plain.on_clean.mix_right
        only, other = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        return Check(
            number,
            f"It gains {html.percent(number, signed=True)}.",
            near(number, said, 0.005, 0.01),
            (
                Claim(
                    "the mix is more accurate on clean images than the robust model.",
                    sign_verdict(len(flips.mends), len(flips.breaks)),
                    f"It mends {len(flips.mends):,} and breaks {len(flips.breaks):,} of {lab.n:,}.",
                ),
                Claim(
                    "the transform pays: at the same β the mix is more accurate than the plain mix.",
                    sign_verdict(only, other),
                    f"The mix alone is right on {only:,} images, the plain mix alone on {other:,}.",
                ),
            ),
            self._verified(mix),
            short=html.percent(number, signed=True),
        )

    def _verified(self, mix: Remix) -> str:
        """What an adaptive attack found, where one has been run on a mix of this bundle."""
        assert mix.margin_bound is not None  # the step needs attacked images
        start = (
            "Margin bound and transfer are <b>estimates</b>: the images were attacked so as to fool h, not "
            "the mix. Only an attack on the mix itself <b>verifies</b>. "
        )
        found = self.lab.verified
        if not found:
            return start + (
                "For this bundle no verified configuration is at hand; <code>mnuts export</code> and "
                "<code>mnuts evaluate</code> make one."
            )
        lines = [f"{one.name}: {_in_percent(one.verified)}" for one in found]
        return start + "Verified: " + html.escape("; ".join(lines)) + "."

    def controls(self) -> tuple[Input, ...]:
        return (knob("beta", low=0.5, step=0.005),) if self.answered else ()

    def live(self) -> str:
        if not self.answered:
            return ""
        base, (mix, plain) = self.lab.engine.base, self._mixes(self.state.beta)
        n, m = (f"(n = {count:,})" for count in (self.lab.n, self.lab.bundle.n_adv))
        head = ("", f"clean {n}", f"attacked: h measured, mixes margin bound {m}", f"transfer {m}")
        rows = [
            ("robust h", base.rob_clean, base.rob_attacked, None),
            ("plain mix", plain.clean, plain.margin_bound, plain.transfer),
            (f"mix, β = {self.state.beta:g}", mix.clean, mix.margin_bound, mix.transfer),
        ]
        warned = "".join(html.paragraph(html.escape(line), kind="mnuts-fair") for line in mix.warnings)
        return (
            html.table(
                head,
                [(name, *("–" if e is None else html.brief(e) for e in figures)) for name, *figures in rows],
            )
            + warned
        )

    def notes(self) -> Mapping[str, str]:
        n, m = self.lab.n, self.lab.bundle.n_adv
        return {"plane": f"n = {n:,} clean and {m:,} attacked images; estimates with 95 % intervals"}

    def more(self) -> str:
        return html.folded(
            "Is this a free lunch?",
            html.paragraph(
                "No. A share 1 − β of the survivors is given up, the attack may be stronger once it knows "
                "the mix, and s, p, c were chosen on these very images (Table 8 of the paper says how much "
                "that flatters). It is a good deal only as far as h's mistakes are quiet and few of its "
                "right answers are; step 4 said how far that is so here."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        base, (mix, plain) = self.lab.engine.base, self._mixes(self.state.beta)
        points = [
            fig.Point("h, under attack", base.rob_clean, base.rob_attacked, ROB, "square"),
            fig.Point("g, transfer", base.std_clean, base.std_attacked, STD, "diamond-open"),
        ]
        guess = None
        if self.answered:
            points += [
                fig.Point("plain mix, bound", plain.clean, plain.margin_bound, PLAIN, "triangle-up"),
                fig.Point("mix, transfer", mix.clean, mix.transfer, MIX, "circle-open"),
                fig.Point("mix, bound", mix.clean, mix.margin_bound, MIX, "circle"),
            ]
            points += [_verified_point(one, one.clean) for one in self.lab.verified if one.clean]
        if self.said is not None:
            at_level = self._mixes(LEVEL)[0]
            assert at_level.margin_bound is not None  # the step needs attacked images
            guess = (base.rob_clean.value + float(self.said) / 100, at_level.margin_bound.value)
        return {"plane": fig.price_figure(points, self.lab.frontier if self.answered else None, guess)}


def _verified_point(one: Known, clean: Estimate) -> fig.Point:
    name, colour = ("plain mixes, verified", PLAIN) if one.params.plain else ("mixes, verified", MIX)
    return fig.Point(name, clean, one.verified, colour, "star", one.name)


def _in_percent(estimate: Estimate) -> str:
    low, high = (100 * end for end in estimate.interval)
    return f"{100 * estimate.value:.1f} % [{low:.1f}, {high:.1f}], n = {estimate.n:,}"
