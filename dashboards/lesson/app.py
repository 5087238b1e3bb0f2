"""The teaching app: *Why a robust model knows when it is wrong*, in steps, on real data."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as w
from markupsafe import Markup

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import all_bundles, default_bundle, find_bundle
from mnuts_core.errors import BundleError, MnutsError
from mnuts_dashboards.board.board import Board
from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.lab import Lab
from mnuts_dashboards.lesson.plan import NAME, PANELS, STEPS
from mnuts_dashboards.lesson.state import Answer, LessonState, link_of
from mnuts_dashboards.lesson.step import PAGE, Step
from mnuts_dashboards.lesson.storage import KEPT, kept, move, recall
from mnuts_dashboards.lesson.widgets import Field, Nav
from mnuts_dashboards.text.messages import banner_html
from mnuts_dashboards.widgets.heartbeat import Heartbeat
from mnuts_dashboards.widgets.landmark import Landmark

log = logging.getLogger(__name__)

FIELDS = 2
"""The largest number of controls that a step may have."""


class Lesson(w.VBox):
    """The lesson as one widget, for Voilà and JupyterLab alike.

    Args:
        bundle: Name or path of the bundle; the shipped default if None.

    Attributes:
        state: The step, the answers, every control; set it from Python and the page follows.
        lab: The bundle with all that was computed from it.
        steps: The steps.

    Raises:
        BundleError: If there is no such bundle, or it is broken.
    """

    def __init__(self, bundle: str | os.PathLike[str] | None = None) -> None:
        self.state = LessonState()
        self.board = Board(PANELS, on_error=self._on_error).add_class("mnuts-lesson-board")
        self.nav = Nav(name=NAME, titles=[step.title() for step in STEPS])
        self.banner, self.idea, self.formula, self.result = (w.HTML() for _ in range(4))
        self.live, self.cards, self.more, self.source = (w.HTML() for _ in range(4))
        self.live.add_class("mnuts-live")
        self.asked = Field(self._chosen)
        self.fields = [Field(self._moved) for _ in range(FIELDS)]
        self.check = w.Button(description="Check").add_class("mnuts-check")
        self.show = w.Button(description="Just show me")
        self._shown_class = ""
        self._open(find_bundle(bundle) if bundle is not None else default_bundle())
        self._connect()
        buttons = w.HBox([self.check, self.show]).add_class("mnuts-buttons")
        self.question = w.VBox([self.asked, buttons]).add_class("mnuts-question")
        self.controls = w.VBox(self.fields).add_class("mnuts-controls-row")
        texts = w.VBox([self.idea, self.question, self.result, self.formula, self.more])
        plots = w.VBox([self.board, self.controls, self.live, self.cards])
        for place, part in enumerate(self._in_reading_order(), 1):
            part.add_class(f"mnuts-at-{place}")  # on a narrow page the two columns become one
        body = w.Box([texts, plots]).add_class("mnuts-lesson-body")
        super().__init__([self.nav, self.banner, body, self.source, Landmark("main", NAME), Heartbeat(self)])
        self.add_class("mnuts-lesson")
        self.enter()

    def _in_reading_order(self) -> tuple[w.DOMWidget, ...]:
        first = (self.idea, self.question, self.result)
        return (*first, self.board, self.controls, self.live, self.formula, self.cards, self.more)

    # --- bundle and link
    def _open(self, path: os.PathLike[str]) -> None:
        self.lab = Lab(LogitBundle.load(path))
        self.steps = [make(self.lab, self.state) for make in STEPS]
        if self.lab.attacked:
            self.state.pair = self.lab.first_fooled
            if len(self.lab.unsure):
                self.state.alpha = self.lab.start_alpha
        self.state.bundle, self.nav.bundle = self.lab.bundle.name, self.lab.bundle.digest
        self.source.value = _source_html(self.lab.bundle)

    def open_link(self, query: str) -> None:
        """Take over what a URL's query asks for: `step`, and `bundle` by name."""
        asked, problem = link_of(query), ""
        if "bundle" in asked:
            named = all_bundles()
            try:
                if asked["bundle"] not in named:
                    raise BundleError(f"bundle must be one of {', '.join(named)}, got {asked['bundle']!r}")
                self._open(named[asked["bundle"]])
                self.state.answers = {}
            except BundleError as error:
                problem = str(error)
        self.state.step = min(max(asked.get("step", self.state.step), 1), len(STEPS))
        self.enter()
        if problem:
            self.banner.value = banner_html(problem)

    @property
    def step(self) -> Step:
        """The current step."""
        return self.steps[min(self.state.step, len(self.steps)) - 1]

    # --- what the visitor does
    def _connect(self) -> None:
        w.link((self.state, "step"), (self.nav, "step"))
        self.state.observe(self._on_step, names="step")
        self.state.observe(
            self._on_state, names=tuple({t for step in STEPS for t in step.traits} | {"answers"})
        )
        self.state.observe(self._keep, names=KEPT)
        self.nav.on_recall = self._recall
        self.check.on_click(self._checked)
        self.show.on_click(lambda _: self.answer(None))

    def answer(self, value: Answer) -> None:
        """Answer the current step's question.

        Args:
            value: The answer; None asks to be shown.

        Raises:
            ValueError: If the question does not allow the value.
        """
        if value is not None and not self.step.question().allows(value):
            raise ValueError(f"{value!r} is no answer to: {self.step.question().label}")
        self.state.answer(self.step.slot, value)

    def _checked(self, _: object) -> None:
        """One button for both, so that the focus stays where it is."""
        if self.step.answered:
            self.state.forget(self.step.slot)
        else:
            self.answer(self.asked.value)

    def _chosen(self, _: Input, value: Answer) -> None:
        self.check.disabled = value is None

    def _moved(self, control: Input, value: Answer) -> None:
        move(self.state, control, value)

    def _keep(self, _: object) -> None:
        self.nav.kept = kept(self.state)

    def _recall(self, found: Mapping[str, Any]) -> None:
        self._guarded(lambda: recall(self.steps, self.state, found))
        self.enter()

    def _on_step(self, _: object) -> None:
        self.banner.value = ""
        self.enter()

    def _on_state(self, change: Mapping[str, Any]) -> None:
        step = self.step
        if change["name"] == "answers" or step.slot.startswith(f"{step.key}:"):
            self.enter()  # the question itself may have changed
        elif change["name"] in step.traits:
            self.refresh()

    # --- what the page shows
    def enter(self) -> None:
        """Show the current step: its words, question, controls and plots."""
        self._guarded(self._enter)
        self.nav.shown = self.state.step

    def refresh(self) -> None:
        """Show what the controls changed."""
        self._guarded(self._refresh)

    def _enter(self) -> None:
        step = self.step
        missing = step.missing()
        self.nav.done = [at for at, one in enumerate(self.steps, 1) if _is_answered(one)]
        self._show_panels(() if missing else step.panels)
        if missing:
            self.idea.value = PAGE.html("missing", reason=missing)
            self._set_texts(formula="", result="", live="", cards="", more="")
            self.question.layout.display = self.controls.layout.display = "none"
            return
        self.idea.value = step.idea()
        self._set_texts(more=step.more())
        self._ask(step)
        self.board.draw({}, step.notes())
        controls = step.controls()
        self.controls.layout.display = None if controls else "none"
        for field, control in zip(self.fields, [*controls, *[None] * FIELDS], strict=False):
            field.ask(control, getattr(self.state, control.trait) if control else None)
        self._refresh()

    def _ask(self, step: Step) -> None:
        question = step.question()
        self.question.layout.display = None
        start = None if question.options else _middle(question)
        self.asked.ask(
            question, start if step.prediction is None else step.prediction, disabled=step.answered
        )
        self.check.disabled = self.asked.value is None and not step.answered
        self.check.description = "Try again" if step.answered else "Check"
        self.show.layout.display = "none" if step.answered else None

    def _refresh(self) -> None:
        step = self.step
        if step.missing():
            return
        cards = step.cards()
        if step is self.steps[-1] and step.answered:
            cards += self._recap()
        self._set_texts(formula=step.formula(), result=step.result(), live=step.live(), cards=cards)
        self.board.request(self.make)

    def make(self, _: frozenset[str]) -> Mapping[str, Mapping[str, Any]]:
        """Figures of the current step."""
        step = self.step
        return {} if step.missing() else step.figures()

    def _set_texts(self, **texts: str) -> None:
        """Set parts of the page, HTML; empty ones take no room."""
        for name, html in texts.items():
            part = getattr(self, name)
            part.value, part.layout.display = html, None if html else "none"

    def _show_panels(self, names: tuple[str, ...]) -> None:
        """Panels are shown by a class on the whole page; see `lesson.css`."""
        shown = " ".join(names)
        if shown == self._shown_class:
            return
        for name in self._shown_class.split():
            self.remove_class(f"mnuts-shows-{name}")
        for name in names:
            self.add_class(f"mnuts-shows-{name}")
        self._shown_class = shown

    def _recap(self) -> Markup:
        """All predictions beside what the data say."""
        rows = []
        for at, step in enumerate(self.steps, 1):
            if step.missing() or step.prediction is None:
                continue
            check = step.check(step.prediction)
            word = PAGE.html("recap_word", correct=check.correct)
            answer = step.question().text(step.prediction)
            rows.append((f"{at}. {step.title()}", answer, word, check.short))
        return PAGE.html("recap", rows=rows) if rows else Markup()

    def _guarded(self, show: Callable[[], None]) -> None:
        try:
            show()
        except MnutsError as error:
            self.banner.value = banner_html(str(error))
        except Exception as error:
            self._on_error(error)

    def _on_error(self, error: Exception) -> None:
        log.error("the lesson could not show a step", exc_info=error)
        message = str(error) if isinstance(error, MnutsError) else PAGE.plain("failed")
        self.banner.value = banner_html(message)


def _is_answered(step: Step) -> bool:
    answers = step.state.answers
    return any(slot.partition(":")[0] == step.key for slot in answers)


def _middle(question: Input) -> float:
    """Where a prediction's slider starts: halfway, on a step."""
    steps = round((question.high - question.low) / 2 / question.step)
    return round(question.low + steps * question.step, 6)


def _source_html(bundle: LogitBundle) -> Markup:
    """What all numbers rest on."""
    return PAGE.html(
        "source",
        data=bundle.manifest.data.name,
        n_clean=bundle.n_clean,
        n_attacked=bundle.n_adv,
        threat=str(bundle.manifest.threat or ""),
        bundle=bundle.name,
        digest=bundle.digest[:19],
    )
