"""What a step of the lesson is: one idea, controls, one prediction and its check against the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from mnuts_core.functional.statistics import Estimate, Verdict
from mnuts_core.params import PARAMS
from mnuts_dashboards.lesson import html
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.state import Answer, LessonState
from mnuts_dashboards.text.numbers import minus


@dataclass(frozen=True)
class Input:
    """One labelled input, a slider or radio buttons; the same for controls and for predictions.

    Attributes:
        label: What it asks for; plain text.
        options: `(value, text)` of each radio button; none means a slider.
        low, high, step: Of a slider.
        digits: Decimals shown.
        unit: Shown after the number.
        log: Whether the slider moves in powers of ten.
        trait: The state's trait that a control moves; empty for a prediction.
    """

    label: str
    options: tuple[tuple[str, str], ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    digits: int = 2
    unit: str = ""
    log: bool = False
    trait: str = ""

    @property
    def kind(self) -> Literal["range", "choice"]:
        """How the page draws it."""
        return "choice" if self.options else "range"

    def text(self, value: Answer) -> str:
        """An answer as plain text."""
        if self.options:
            return dict(self.options).get(str(value), str(value))
        return minus(f"{float(value or 0.0):.{self.digits}f}{self.unit}")

    def allows(self, value: Any) -> bool:
        """Whether a value can be an answer to it."""
        if self.options:
            return isinstance(value, str) and value in dict(self.options)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high


def percent(label: str) -> Input:
    """A prediction in whole per cent.

    Args:
        label: What it asks for; plain text.
    """
    return Input(label, high=100, step=1, digits=0, unit=" %")


class Claim(NamedTuple):
    """A claim that the data may bear out, contradict, or leave open.

    Attributes:
        text: The claim; plain text.
        verdict: What the data say.
        ground: HTML: the figures behind the verdict.
    """

    text: str
    verdict: Verdict
    ground: str


@dataclass(frozen=True)
class Check:
    """A prediction held against the data.

    Attributes:
        number: The honest number.
        truth: HTML: what the data say.
        close: Whether the prediction was right or near enough; None without one, or if the data cannot tell.
        claims: What follows, each with its verdict.
        note: HTML: what else has to be said, in fairness.
        short: HTML: the truth in a few words, where it is long.
    """

    number: Estimate
    truth: str
    close: bool | None = None
    claims: tuple[Claim, ...] = ()
    note: str = ""
    short: str = ""


class Step:
    """One step; subclasses fill it with life.

    Args:
        lab: The bundle.
        state: The reader's state.

    Attributes:
        key: Name in answers and in the page.
        title: One line.
        panels: The plots it shows.
        needs_attacked: Whether it needs attacked images.
        needs_wrong: Whether it needs images that h gets wrong.
        traits: Of the state, besides answers, that move its text.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    panels: ClassVar[tuple[str, ...]]
    needs_attacked: ClassVar[bool] = False
    needs_wrong: ClassVar[bool] = True
    traits: ClassVar[tuple[str, ...]] = ()

    def __init__(self, lab: Lab, state: LessonState) -> None:
        self.lab, self.state = lab, state

    def missing(self) -> str | None:
        """Why this bundle cannot carry the step; None if it can."""
        if self.needs_attacked and not self.lab.attacked:
            return (
                "This bundle has no attacked images that the robust model gets right, and this step is "
                "about them: nothing is shown rather than something made up."
            )
        if self.needs_wrong and not len(self.lab.unsure):
            return (
                "The robust model gets every clean image of this bundle right, and this step is about its "
                "mistakes: these data have none to show."
            )
        return None

    # --- what the reader said
    @property
    def slot(self) -> str:
        """Under which name the answer is kept."""
        return self.key

    @property
    def answered(self) -> bool:
        """Whether the reader has answered, or asked to be shown."""
        return self.slot in self.state.answers

    @property
    def said(self) -> Answer:
        """The answer; None if there is none, or the reader asked to be shown."""
        return self.state.answers.get(self.slot)

    @property
    def row(self) -> int:
        """The clean row of the example that the reader chose."""
        examples = self.lab.examples
        return int(examples[min(self.state.example, len(examples)) - 1])

    # --- the content
    def idea(self) -> str:
        """The idea, HTML."""
        raise NotImplementedError

    def formula(self) -> str:
        """The formula with the current numbers, HTML."""
        return ""

    def question(self) -> Input:
        """The prediction asked for."""
        raise NotImplementedError

    def check(self, said: Answer) -> Check:
        """The prediction against the data.

        Args:
            said: The answer, in the question's own units; None if the reader asked to be shown.
        """
        raise NotImplementedError

    def controls(self) -> tuple[Input, ...]:
        """What the reader may move."""
        return ()

    def live(self) -> str:
        """What the controls' current place means, HTML."""
        return ""

    def notes(self) -> Mapping[str, str]:
        """The small line under a plot's title: what it shows and which n it rests on."""
        return {}

    def cards(self) -> str:
        """Examples under the plots, HTML."""
        return ""

    def more(self) -> str:
        """The folded explanation, HTML."""
        return ""

    def figures(self) -> Mapping[str, Any]:
        """Plotly JSON of each of its panels."""
        raise NotImplementedError

    # --- told
    def result(self) -> str:
        """The check as HTML; empty until there is an answer."""
        if not self.answered:
            return ""
        check = self.check(self.said)
        said = None if self.said is None else self.question().text(self.said)
        told = html.answer(said, check.close, check.truth)
        told += "".join(html.verdict(claim.text, claim.verdict, claim.ground) for claim in check.claims)
        return told + (html.paragraph(check.note, kind="mnuts-fair") if check.note else "")

    def model(self, name: str) -> str:
        """A classifier's name with its colour."""
        return f"<span class='mnuts-model' data-model='{name}'>{NAMES[name]}</span>"

    def says(self, of: str, row: int) -> str:
        """What g or h says of a row, and with which probability, marked as right or wrong.

        Args:
            of: `g` or `h`.
            row: A row of the bundle.
        """
        p, right = self.lab.probabilities(row, of=of), bool(self.lab.right(of)[row])
        sure = f"<small>{p.max():.2f}, {'right' if right else 'wrong'}</small>"
        return html.mark(f"{html.escape(self.lab.name(p.argmax()))} {sure}", right=right)


POINTS = 0.05
"""A guess this near to a share or a margin counts as well guessed."""
NAMES = {"g": "standard model g", "h": "robust model h", "mix": "mix"}


def near(number: Estimate, said: Answer, tolerance: float, unit: float = 1.0) -> bool | None:
    """Whether a number said is in the interval or within `tolerance`; None if nothing was said.

    Args:
        number: The truth.
        said: In units of `unit`.
        tolerance: In the truth's own units.
        unit: What one of the answer's units is worth.
    """
    return None if said is None else number.holds(float(said) * unit, tolerance)


def knob(name: str, **changes: Any) -> Input:
    """A slider of a parameter, from its own range."""
    spec = PARAMS[name]
    made = {"low": spec.slider_low, "high": spec.slider_high, "step": spec.step, "log": spec.scale == "log"}
    made["digits"] = 3 if name == "beta" else 2
    return Input(spec.label, trait=name, **(made | changes))
