"""The lesson's state: the step, the reader's answers, and where every control stands. No widget in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import traitlets as tr

from mnuts_core.params import PARAMS

Answer = float | str | None
"""A number, the key of a choice, or None: the reader asked to be shown."""


class LessonState(tr.HasTraits):
    """What the reader did.

    Attributes:
        bundle: Name of the bundle.
        step: The step, from 1.
        answers: Answers given, by slot (the step's key; the example's too where each has its own).
        pair: Which attacked image step 1 shows, from 1.
        example: Which example is judged, from 1.
        of: Whose margins are shown, `h` or `g`.
        cut: A threshold on margins.
        scale: Margins of `h` or of `LN`.
        c, p, s: The transform that the reader plays with.
        alpha: The reader's α.
        beta: The reader's β.
    """

    bundle = tr.Unicode()
    step = tr.Int(1, min=1)
    answers = tr.Dict()
    pair = tr.Int(1, min=1)
    example = tr.Int(1, min=1)
    of = tr.Enum(("h", "g"), default_value="h")
    cut = tr.Float(0.1, min=0.0, max=1.0)
    scale = tr.Enum(("h", "LN"), default_value="h")
    c = tr.Float(-1.1)
    p = tr.Float(1.0)
    s = tr.Float(1.0)
    alpha = tr.Float(PARAMS["alpha"].default)
    beta = tr.Float(0.95)

    def answer(self, slot: str, value: Answer) -> None:
        """Note an answer."""
        self.answers = {**self.answers, slot: value}

    def forget(self, slot: str) -> None:
        """Take an answer back."""
        self.answers = {key: value for key, value in self.answers.items() if key != slot}


def link_of(query: str) -> Mapping[str, Any]:
    """What a URL's query asks for: `bundle` and `step`, as far as they are there and make sense.

    Example:
        >>> link_of("step=3&bundle=digits&theme=dark")
        {'bundle': 'digits', 'step': 3}
    """
    asked = parse_qs(query)
    found: dict[str, Any] = {}
    if asked.get("bundle"):
        found["bundle"] = asked["bundle"][0]
    number = asked.get("step", [""])[0]
    if number.isascii() and number.isdigit() and len(number) < 4:
        found["step"] = int(number)
    return found
