"""Step 2: the confidence margin."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from mnuts_core.functional.statistics import share
from mnuts_dashboards.figures.lesson.examples import lead_figure
from mnuts_dashboards.figures.names import escaped
from mnuts_dashboards.lesson.checks import Check, is_larger
from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.numbers import decimals
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Step, texts_of
from mnuts_dashboards.text.mathml import formula, number
from mnuts_dashboards.theme import RIGHT, ROB, WRONG

SHOWN_CLASSES = 6


class ConfidenceMargin(Step):
    """One example's margin, and what it says of being right."""

    key, panels = "margin", ("probabilities",)
    texts = texts_of("s2_margin")
    needs_wrong, traits = False, ("example",)

    @property
    def slot(self) -> str:
        return f"{self.key}:{self.row}"

    @property
    def margin(self) -> float:
        """Its margin under h."""
        return float(self.lab.margins["h"][self.row])

    def idea(self) -> Markup:
        lab, examples = self.lab, self.lab.examples
        return self.html(
            "idea",
            image=lab.picture(self.row),
            shown=len(examples),
            shown_wrong=int((~lab.rob_right[examples]).sum()),
            n=lab.n,
            wrong=len(lab.unsure),
        )

    def formula(self) -> Markup:
        p = self.lab.probabilities(self.row)
        first, second = np.argsort(-p, kind="stable")[:2]
        digits = decimals(operator.sub, p[first], p[second], result=3, start=4)
        return formula(
            r"m_h = {\sigma(h)}_{ŷ} - \max\limits_{i \ne ŷ} {\sigma(h)}_i",
            rf"= {number(p[first], digits)} - {number(p[second], digits)} \approx {number(self.margin)}",
            caption=self.plain("caption", first=self.lab.name(first), second=self.lab.name(second)),
        )

    def question(self) -> Input:
        label = self.plain("question", answer=self.vote("h", self.row).answer, margin=self.margin)
        return Input(label, options=self.options("option", "right", "wrong"))

    def check(self, prediction: Answer) -> Check:
        lab, row, bar = self.lab, self.row, self.margin
        margins, right = lab.margins["h"][: lab.n], lab.rob_right[: lab.n]
        above, below = (share(int(right[at].sum()), int(at.sum())) for at in (margins >= bar, margins < bar))
        fact = bool(right[row])
        judged, hits = self._record()
        return Check(
            above,
            self.html(
                "truth", label=lab.name(lab.labels[row]), right=fact, bar=bar, above=above, below=below
            ),
            None if prediction is None else (prediction == "right") == fact,
            (self.claim("larger_lead", is_larger(above, below), above=above, below=below),),
            self.html("short_truth", right=fact),
            self.html("note", shown=len(lab.examples), judged=judged, hits=hits),
        )

    def _record(self) -> tuple[int, int]:
        """How many examples the reader has judged, and how many of them correctly; not those merely shown."""
        answers = self.state.answers
        judged = [row for row in self.lab.examples if answers.get(f"{self.key}:{row}") is not None]
        hits = [row for row in judged if (answers[f"{self.key}:{row}"] == "right") == self.lab.rob_right[row]]
        return len(judged), len(hits)

    def controls(self) -> tuple[Input, ...]:
        count = len(self.lab.examples)
        return (Input(self.plain("control"), low=1, high=count, step=1, digits=0, trait="example"),)

    def notes(self) -> Mapping[str, str]:
        return {"probabilities": self.plain("plot_note", row=self.row, answered=self.answered)}

    def figures(self) -> Mapping[str, Any]:
        lab, p = self.lab, self.lab.probabilities(self.row)
        order = np.argsort(-p, kind="stable")[: min(SHOWN_CLASSES, len(p))]
        label = int(lab.labels[self.row])
        colours = [ROB] * len(order)
        if self.answered:
            marks = {label: RIGHT, int(order[0]): RIGHT if order[0] == label else WRONG}
            colours = [marks.get(int(place), ROB) for place in order]
        names = [escaped(lab.name(place)) for place in order]
        if self.answered:
            names = [f"<b>{n} ✓</b>" if at == label else n for n, at in zip(names, order, strict=True)]
        return {"probabilities": lead_figure(names, p[order], colours, self.margin)}
