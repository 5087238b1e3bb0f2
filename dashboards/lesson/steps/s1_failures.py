"""Step 1: how a standard and a robust model fail."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mnuts_core.functional.statistics import sign_verdict
from mnuts_dashboards.figures.lesson import accuracy as fig
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import POINTS, Check, Claim, Input, Step, near, percent
from mnuts_dashboards.theme import ROB, STD


class TwoFailures(Step):
    """What accuracy costs, and what robustness costs."""

    key, title, panels = "failures", "Two classifiers: what does each one pay?", ("accuracy",)
    needs_attacked, needs_wrong, traits = True, False, ("pair",)

    def idea(self) -> str:
        data, threat = self.lab.bundle.manifest.data, self.lab.bundle.manifest.threat
        ball = f" ({threat})" if threat else ""
        return html.paragraph(
            f"Two networks look at the same images of <b>{html.escape(data.name)}</b>. The",
            self.model("g"),
            "was trained to be accurate. The",
            self.model("h"),
            f"was trained to withstand attacks: small changes of the image{ball}, made to fool it.",
        )

    def question(self) -> Input:
        clean, attacked = self.lab.engine.base.rob_clean, self.lab.bundle.n_adv
        images = "they are all" if attacked == clean.n else f"{attacked:,} of them are"
        return percent(
            f"Unattacked, h gets {100 * clean.value:.1f} % of {clean.n:,} images right. Now {images} "
            "attacked so as to fool h. What share of these does it still get right?",
        )

    def check(self, said: Answer) -> Check:
        lab, base = self.lab, self.lab.engine.base
        number, transfer = base.rob_attacked, base.std_attacked
        g, h = lab.std_right[: lab.n], lab.rob_right[: lab.n]
        only_g, only_h = int((g & ~h).sum()), int((h & ~g).sum())
        before = h[[lab.clean_row(row) for row in range(lab.n, len(lab.labels))]]
        after = lab.rob_right[lab.n :]
        lost, won = int((before & ~after).sum()), int((after & ~before).sum())
        return Check(
            number,
            f"Under attack h gets {html.percent(number)} right.",
            near(number, said, POINTS, 0.01),
            (
                Claim(
                    "unattacked, g is the more accurate one.",
                    sign_verdict(only_g, only_h),
                    f"g alone is right on {only_g:,} images, h alone on {only_h:,}.",
                ),
                Claim(
                    "the attack costs h accuracy.",
                    sign_verdict(lost, won),
                    f"Of the attacked images h loses {lost:,} and wins {won:,}.",
                ),
            ),
            f"At the same points g gets {html.percent(transfer)} right. That is no robust accuracy of g: "
            "these points were made to fool h, and nobody attacked g here. From now on we take the worst "
            "case: under attack g is always wrong.",
            short=html.percent(number),
        )

    def controls(self) -> tuple[Input, ...]:
        count = self.lab.bundle.n_adv
        return (Input("Leaf through the attacked images", low=1, high=count, step=1, digits=0, trait="pair"),)

    def cards(self) -> str:
        lab = self.lab
        row = lab.n + min(self.state.pair, lab.bundle.n_adv) - 1
        rows = [("before", lab.clean_row(row)), ("attacked", row)]
        return html.table(
            ("", "image", "label", "g says", "h says"),
            [
                (
                    kind,
                    html.picture(lab.picture(place), f"{kind} image"),
                    html.escape(lab.name(lab.labels[place])),
                    self.says("g", place),
                    self.says("h", place),
                )
                for kind, place in rows
            ],
        )

    def notes(self) -> Mapping[str, str]:
        n, m = self.lab.n, self.lab.bundle.n_adv
        return {"accuracy": f"n = {n:,} clean and {m:,} attacked images, 95 % intervals"}

    def more(self) -> str:
        manifest = self.lab.bundle.manifest
        attack, threat = manifest.attack, manifest.threat
        how = (
            f"The attack is {attack.name}, {attack.n_iter} steps, against {attack.surrogate}"
            if attack
            else "The bundle does not record the attack"
        )
        return html.folded(
            "How were the images attacked?",
            html.paragraph(
                html.escape(f"{how}; threat: {threat or 'not recorded'}."),
                "A minimum-margin attack keeps, of all perturbations it tries, the one where h leads least "
                "(or errs most), whether it fools h or not (Definition 2.2, appendix B.1).",
            ),
            html.paragraph(
                "Intervals of shares are Wilson's, at 95 %. Whether one model is better than another is read "
                "from the images on which they differ: the interval of the share that goes one way must "
                "leave out one half."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        base = self.lab.engine.base
        hidden = not self.answered
        bars = [
            fig.Bar("standard g<br>clean", base.std_clean, STD),
            fig.Bar("robust h<br>clean", base.rob_clean, ROB),
            fig.Bar("robust h<br>attacked", None if hidden else base.rob_attacked, ROB),
        ]
        if not hidden:
            bars.append(fig.Bar("g at h's points<br>(transfer)", base.std_attacked, STD, True))
        guess = None if self.said is None else ("robust h<br>attacked", float(self.said) / 100)
        return {"accuracy": fig.accuracy_figure(bars, guess)}
