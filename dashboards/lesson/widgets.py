"""The lesson's inputs as widgets: its steps, and one labelled slider or group of radio buttons.

The browser's own inputs, because ipywidgets' sliders have no label that a screen reader would find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import traitlets as tr

from mnuts_dashboards.lesson.inputs import Input
from mnuts_dashboards.lesson.numbers import unbroken
from mnuts_dashboards.lesson.state import Answer
from mnuts_dashboards.widgets.widget import PageWidget

HERE = Path(__file__)


class Nav(PageWidget):
    """Heading, steps, previous and next. It brings the lesson's style sheet.

    Attributes:
        name: The lesson's title.
        titles: Of the steps.
        step: The one asked for, from 1.
        shown: The one that the rest of the page shows: heading and text change together.
        done: Those that are answered.
        bundle: Digest of the bundle, by which the browser keeps `kept`.
        kept: What a reload must not lose, see `lesson_memory`.
        on_recall: Called with what was kept before a reload.
    """

    _esm = HERE.with_name("lesson.js")
    _css = HERE.with_name("lesson.css")

    from_page = frozenset({"step"})
    kind = tr.Unicode("nav").tag(sync=True)
    name = tr.Unicode().tag(sync=True)
    titles = tr.List(tr.Unicode()).tag(sync=True)
    step = tr.Int(1).tag(sync=True)
    shown = tr.Int(1).tag(sync=True)
    done = tr.List(tr.Int()).tag(sync=True)
    bundle = tr.Unicode().tag(sync=True)
    kept = tr.Dict().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_recall: Callable[[Mapping[str, Any]], None] = lambda found: None
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        del buffers
        found = content.get("kept")
        if content.get("type") == "recall" and isinstance(found, Mapping):
            self.on_recall(found)


class Field(PageWidget):
    """One input; what it asks for may change.

    Args:
        on_input: Called with what the visitor chose, if it is something that may be chosen.
    """

    _esm = HERE.with_name("lesson.js")

    from_page = frozenset({"value"})
    kind = tr.Unicode("field").tag(sync=True)
    spec = tr.Dict().tag(sync=True)
    value = tr.Any(None, allow_none=True).tag(sync=True)
    disabled = tr.Bool(False).tag(sync=True)

    def __init__(self, on_input: Callable[[Input, Answer], None] | None = None, **kwargs: Any) -> None:
        self._asked: Input | None = None
        self._on_input = on_input
        self._showing = False
        super().__init__(**kwargs)
        self.observe(self._chosen, names="value")

    def ask(self, asked: Input | None, value: Answer = None, *, disabled: bool = False) -> None:
        """Show an input at a value, or nothing.

        Args:
            asked: What to ask for; None hides the field.
            value: Where it stands.
            disabled: Whether the visitor may only look.
        """
        self._showing = True
        try:
            self._asked = asked
            with self.hold_sync():
                self.spec = {} if asked is None else _spec(asked)
                self.value = value
                self.disabled = disabled
            self.layout.display = "none" if asked is None else None
        finally:
            self._showing = False

    def _chosen(self, change: Any) -> None:
        if self._showing or self._asked is None or self._on_input is None:
            return
        if self._asked.allows(change["new"]):
            self._on_input(self._asked, change["new"])


def _spec(asked: Input) -> dict[str, Any]:
    spec = {"kind": asked.kind, "label": unbroken(asked.label)}
    if asked.options:
        return spec | {"options": [list(option) for option in asked.options]}
    names: Sequence[str] = ("low", "high", "step", "digits", "unit", "log")
    return spec | {name: getattr(asked, name) for name in names}
