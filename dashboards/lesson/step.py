"""What every step of the lesson is made of: texts, a prediction, its check against the data, plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from markupsafe import Markup

from mnuts_core.functional.statistics import Verdict
from mnuts_dashboards.board.panels import Panel
from mnuts_dashboards.lesson.checks import Check, Claim
from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.numbers import HELPERS, unbroken
from mnuts_dashboards.lesson.state import Answer, LessonState
from mnuts_dashboards.text.templates import Texts

PAGE = Texts("lesson/templates/page.html", **HELPERS)
"""What the pages of all steps share."""


def texts_of(step: str) -> Texts:
    """A step's template, which stands beside its module.

    Args:
        step: Name of both, such as `s1_failures`.
    """
    return Texts(f"lesson/steps/{step}.html", **HELPERS)


class Vote(NamedTuple):
    """What a classifier answers for one row, with which probability, and whether that is right."""

    answer: str
    probability: float
    right: bool


class Step:
    """One step; its words stand in the template of the same name, the subclass works out what they need.

    Args:
        lab: The bundle.
        state: The reader's state.

    Attributes:
        key: Name in answers and in the page.
        texts: Its template.
        panels: The plots it shows.
        height: Height of each of them, in pixels.
        needs_attacked: Whether it needs attacked images.
        needs_wrong: Whether it needs images that h gets wrong.
        traits: Of the state, besides answers, that change its texts.
    """

    key: ClassVar[str]
    texts: ClassVar[Texts]
    panels: ClassVar[tuple[str, ...]]
    height: ClassVar[int] = 400
    needs_attacked: ClassVar[bool] = False
    needs_wrong: ClassVar[bool] = True
    traits: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lab: Lab, state: LessonState) -> None:
        self.lab, self.state = lab, state

    # --- its texts
    @classmethod
    def title(cls) -> str:
        """Its heading."""
        return cls.texts.plain("title")

    @classmethod
    def places(cls) -> tuple[Panel, ...]:
        """A place on the page for each of its plots."""
        return tuple(
            Panel(
                name,
                cls.texts.plain("heading", panel=name),
                12,
                cls.height,
                cls.texts.plain("summary", panel=name),
            )
            for name in cls.panels
        )

    def html(self, piece: str, **values: object) -> Markup:
        """A piece of its template.

        Args:
            piece: Name of the macro.
            **values: What the macro needs.
        """
        return Markup(unbroken(self.texts.html(piece, **values)))

    def plain(self, piece: str, **values: object) -> str:
        """A piece of its template as plain text, for labels and plots.

        Args:
            piece: Name of the macro.
            **values: What the macro needs.
        """
        return self.texts.plain(piece, **values)

    def options(self, piece: str, *values: str) -> tuple[tuple[str, str], ...]:
        """Radio buttons.

        Args:
            piece: Name of the macro that names a value.
            *values: What can be chosen.
        """
        return tuple((value, self.plain(piece, value=value)) for value in values)

    def claim(self, piece: str, verdict: Verdict, **values: object) -> Claim:
        """A claim with its verdict.

        Args:
            piece: Name of the macro, which gets the words of the verdict as `outcome`.
            verdict: What the data say.
            **values: What the macro needs besides.
        """
        return Claim(verdict, self.html(piece, outcome=PAGE.html("outcome", verdict=verdict), **values))

    # --- what it has to go on
    def missing(self) -> str | None:
        """Why this bundle cannot carry the step; None if it can."""
        if self.needs_attacked and not self.lab.attacked:
            return PAGE.plain("no_survivors")
        if self.needs_wrong and not len(self.lab.unsure):
            return PAGE.plain("no_mistakes")
        return None

    @property
    def slot(self) -> str:
        """Under which name the answer is kept."""
        return self.key

    @property
    def answered(self) -> bool:
        """Whether the reader has answered, or asked to be shown."""
        return self.slot in self.state.answers

    @property
    def prediction(self) -> Answer:
        """The answer; None if there is none, or the reader asked to be shown."""
        return self.state.answers.get(self.slot)

    @property
    def row(self) -> int:
        """The clean row of the example that the reader chose."""
        examples = self.lab.examples
        return int(examples[min(self.state.example, len(examples)) - 1])

    def vote(self, of: Literal["g", "h"], row: int) -> Vote:
        """What g or h answers for a row.

        Args:
            of: Which of them.
            row: A row of the bundle.
        """
        p = self.lab.probabilities(row, of=of)
        return Vote(self.lab.name(int(p.argmax())), float(p.max()), bool(self.lab.right(of)[row]))

    # --- what a subclass fills in
    def idea(self) -> Markup:
        """The idea."""
        return self.html("idea")

    def formula(self) -> Markup:
        """The formula with the current numbers."""
        return Markup()

    def question(self) -> Input:
        """The prediction asked for."""
        raise NotImplementedError

    def check(self, prediction: Answer) -> Check:
        """The prediction against the data.

        Args:
            prediction: The answer, in the question's own units; None if the reader asked to be shown.
        """
        raise NotImplementedError

    def controls(self) -> tuple[Input, ...]:
        """What the reader may move."""
        return ()

    def live(self) -> Markup:
        """What the present place of the controls means."""
        return Markup()

    def notes(self) -> Mapping[str, str]:
        """The small line under a plot's title: what it shows and which n it rests on."""
        return {}

    def cards(self) -> Markup:
        """Examples under the plots."""
        return Markup()

    def more(self) -> Markup:
        """The folded explanation."""
        return self.html("more")

    def figures(self) -> Mapping[str, Any]:
        """Plotly JSON of each of its panels."""
        raise NotImplementedError

    # --- the check as the page shows it
    def result(self) -> Markup:
        """The check; empty until there is an answer."""
        if not self.answered:
            return Markup()
        check = self.check(self.prediction)
        given = None if self.prediction is None else _quoted(self.question(), self.prediction)
        parts = [PAGE.html("answer", given=given, correct=check.correct, truth=check.truth)]
        parts += [PAGE.html("claim", verdict=claim.verdict, text=claim.text) for claim in check.claims]
        parts += [PAGE.html("fair", text=check.note)] if check.note else []
        return Markup().join(parts)


def _quoted(question: Input, prediction: Answer) -> str:
    text = question.text(prediction)
    return f"“{text}”" if question.options else text
