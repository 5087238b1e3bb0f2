"""Steps 2 and 3: the confidence margin, and benign confidence."""

# ruff: noqa: D102 (what the overridden methods are for stands in Step)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnuts_core.functional.statistics import share
from mnuts_dashboards.figures.lesson.examples import lead_figure
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.lesson.step import Check, Claim, Input, Step
from mnuts_dashboards.text import mathml
from mnuts_dashboards.theme import RIGHT, ROB, WRONG

SHOWN_CLASSES = 6


class ConfidenceMargin(Step):
    """One example's margin, and what it says of being right."""

    key, title, panels = "margin", "How sure is it? The confidence margin", ("probabilities",)
    needs_wrong, traits = False, ("example",)

    @property
    def slot(self) -> str:
        return f"{self.key}:{self.row}"

    @property
    def margin(self) -> float:
        """Its margin under h."""
        return float(self.lab.margins["h"][self.row])

    def idea(self) -> str:
        examples, wrong = self.lab.examples, len(self.lab.unsure)
        many = int((~self.lab.rob_right[examples]).sum())
        image = self.lab.picture(self.row)
        shown = (
            "" if image is None else f"<div class='mnuts-one'>{html.picture(image, 'the image shown')}</div>"
        )
        return shown + html.paragraph(
            "A classifier gives each class a probability and answers with the largest. Its <b>confidence "
            "margin</b> is how far the first leads the second: near 1 it is sure, near 0 it wavers.",
            f"Here are {len(examples)} clean images, drawn so that h gets {many} of them wrong (of all "
            f"{self.lab.n:,} it is {wrong:,}).",
        )

    def formula(self) -> str:
        first, second = np.argsort(-self.lab.probabilities(self.row), kind="stable")[:2]
        p = self.lab.probabilities(self.row)
        sigma = mathml.call("σ", mathml.ident("h"))
        y, i = mathml.ident("ŷ"), mathml.ident("i")
        rival = mathml.under(mathml.op("max"), mathml.row(i, mathml.op("≠"), y))
        start = mathml.row(mathml.sub(mathml.ident("m"), mathml.ident("h")), mathml.op("="))
        return mathml.formula(
            mathml.row(start, mathml.sub(sigma, y), mathml.op("−"), rival, mathml.sub(sigma, i)),
            mathml.row(
                mathml.op("="),
                mathml.num(p[first], 4),
                mathml.op("−"),
                mathml.num(p[second], 4),
                mathml.op("≈"),  # rounded on both sides, it need not come out to the last digit
                mathml.num(self.margin),
            ),
            caption=f"Definition 2.1, for the image shown: ŷ = “{self.lab.name(first)}”, then "
            f"“{self.lab.name(second)}”.",
        )

    def question(self) -> Input:
        said = self.lab.name(self.lab.probabilities(self.row).argmax())
        return Input(
            f"h answers “{said}” with a margin of {self.margin:.2f}. Is it right?",
            options=(("right", "right"), ("wrong", "wrong")),
        )

    def check(self, said: Answer) -> Check:
        lab, row, bar = self.lab, self.row, self.margin
        margins, right = lab.margins["h"][: lab.n], lab.rob_right[: lab.n]
        above, below = (share(int(right[at].sum()), int(at.sum())) for at in (margins >= bar, margins < bar))
        fact = "right" if right[row] else "wrong"
        judged, hits = self._record()
        return Check(
            above,
            f"The label is “{html.escape(lab.name(lab.labels[row]))}”: h is <b>{fact}</b>. "
            f"Where it leads by {bar:.2f} or more, it is right on {html.percent(above)} of the clean images"
            + (f"; where it leads by less, on {html.percent(below)}." if below.n else "."),
            None if said is None else said == fact,
            (Claim("h is more often right where it leads by more.", above.over(below), ""),),
            f"Of {len(lab.examples)} images you have judged {judged}, {hits} correctly. Try another.",
            short=f"h is {fact}.",
        )

    def _record(self) -> tuple[int, int]:
        """How many examples the reader has judged, and how many of them correctly; not those merely shown."""
        answers = self.state.answers
        judged = [row for row in self.lab.examples if answers.get(f"{self.key}:{row}") is not None]
        hits = [row for row in judged if (answers[f"{self.key}:{row}"] == "right") == self.lab.rob_right[row]]
        return len(judged), len(hits)

    def controls(self) -> tuple[Input, ...]:
        count = len(self.lab.examples)
        return (Input("Which image", low=1, high=count, step=1, digits=0, trait="example"),)

    def notes(self) -> Mapping[str, str]:
        marked = "; ✓: the label" if self.answered else ""
        return {"probabilities": f"Clean image {self.row}, most probable classes (Fig. 3){marked}"}

    def more(self) -> str:
        return html.folded(
            "Why the lead and not the largest probability?",
            html.paragraph(
                "The answer changes when the second class overtakes the first. So the lead says how much a "
                "vote against the classifier must weigh to change its answer, and that is what the mix will "
                "be about. An attack minimises the same quantity, with a sign: the label's probability less "
                "the largest other one."
            ),
        )

    def figures(self) -> Mapping[str, Any]:
        lab, p = self.lab, self.lab.probabilities(self.row)
        order = np.argsort(-p, kind="stable")[: min(SHOWN_CLASSES, len(p))]
        label = int(lab.labels[self.row])
        colours = [ROB] * len(order)
        if self.answered:
            marks = {label: RIGHT, int(order[0]): RIGHT if order[0] == label else WRONG}
            colours = [marks.get(int(place), ROB) for place in order]
        names = [lab.name(place) for place in order]
        if self.answered:
            names = [f"<b>{n} ✓</b>" if at == label else n for n, at in zip(names, order, strict=True)]
        return {"probabilities": lead_figure(names, p[order], colours, self.margin)}
