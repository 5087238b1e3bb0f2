"""Step 1: how a standard and a robust model fail."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from markupsafe import Markup

from mnuts_core.functional.statistics import sign_verdict
from mnuts_dashboards.figures.lesson import accuracy as fig
from mnuts_dashboards.lesson.checks import POINTS, Check, is_near, measured
from mnuts_dashboards.lesson.inputs import Input, percentage
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, Vote, texts_of
from mnuts_dashboards.theme import ROB, STD


class Case(NamedTuple):
    """One image with both answers; `picture` is a data URL."""

    picture: str | None
    label: str
    g: Vote
    h: Vote


class TwoFailures(Step):
    """What accuracy costs, and what robustness costs."""

    key, panels = "failures", ("accuracy",)
    texts = texts_of("s1_failures")
    needs_attacked, needs_wrong, traits = True, False, ("pair",)

    @property
    def threat(self) -> str:
        """The threat model in words; empty if the bundle does not record it."""
        return str(self.lab.bundle.manifest.threat or "")

    def idea(self) -> Markup:
        return self.html("idea", data=self.lab.bundle.manifest.data.name, threat=self.threat)

    def question(self) -> Input:
        clean = self.lab.engine.base.rob_clean
        return percentage(self.plain("question", clean=clean.value, n=clean.n, m=self.lab.bundle.n_adv))

    def check(self, prediction: Answer) -> Check:
        lab, base = self.lab, self.lab.engine.base
        number = measured(base.rob_attacked)
        g, h = lab.std_right[: lab.n], lab.rob_right[: lab.n]
        before = h[[lab.clean_row(row) for row in range(lab.n, len(lab.labels))]]
        only_g, only_h = int((g & ~h).sum()), int((h & ~g).sum())
        lost = int(before.sum()) - number.successes  # right at all points means right without an attack, too
        return Check(
            number,
            self.html("truth", number=number),
            is_near(number, prediction, POINTS, 0.01),
            (
                self.claim("more_accurate", sign_verdict(only_g, only_h), only_g=only_g, only_h=only_h),
                self.claim("attack_costs", sign_verdict(lost, 0), lost=lost),
            ),
            self.html("short_truth", number=number),
            self.html("note", at_points=measured(base.std_at_first)),
        )

    def controls(self) -> tuple[Input, ...]:
        count = self.lab.bundle.n_adv
        return (Input(self.plain("control"), low=1, high=count, step=1, digits=0, trait="pair"),)

    def cards(self) -> Markup:
        row = self.lab.n + min(self.state.pair, self.lab.bundle.n_adv) - 1
        return self.html("cards", before=self._case(self.lab.clean_row(row)), attacked=self._case(row))

    def _case(self, row: int) -> Case:
        lab = self.lab
        label = lab.name(lab.labels[row])
        return Case(lab.picture(row), label, self.vote("g", row), self.vote("h", row))

    def notes(self) -> Mapping[str, str]:
        return {"accuracy": self.plain("plot_note", n=self.lab.n, m=self.lab.bundle.n_adv)}

    def more(self) -> Markup:
        return self.html("more", attack=self.lab.bundle.manifest.attack, threat=self.threat)

    def figures(self) -> Mapping[str, Any]:
        base = self.lab.engine.base
        attacked = self._bar_name("h", "attacked")
        bars = [
            fig.Bar(self._bar_name("g", "clean"), base.std_clean, STD),
            fig.Bar(self._bar_name("h", "clean"), base.rob_clean, ROB),
            fig.Bar(attacked, measured(base.rob_attacked) if self.answered else None, ROB),
        ]
        if self.answered:
            there = measured(base.std_at_first)
            bars.append(fig.Bar(self._bar_name("g_at_h", "not_attacked"), there, STD, hollow=True))
        guess = None if self.prediction is None else (attacked, float(self.prediction) / 100)
        return {"accuracy": fig.accuracy_figure(bars, guess)}

    def _bar_name(self, *lines: str) -> str:
        return "<br>".join(self.plain("bar", name=line) for line in lines)
