"""What a reader of the lesson chooses: the step, the answers, and each step's one control.

Of what is declared the page makes the controls and their words in links; their labels are in the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import traitlets as tr

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS, ParamSpec
from mnuts_dashboards.widgets.settings import choice, number, settings_of, state_of, whole

STEPS = 10
"""Places of the lesson: nine steps and the end."""
MAX_ANSWERS = 100
MAX_SLOT = 40
CUT = ParamSpec(
    name="cut",
    symbol="",
    label="line",
    low=0.0,
    high=1.0,
    low_open=False,
    slider_low=0.0,
    slider_high=0.5,
    default=0.1,
    step=0.001,
    scale="linear",
    help="A margin, from which on h is trusted.",
)


STARTS = {
    "attack": "off",
    "example": 1,
    "of": "h",
    "cut": 0.1,
    "scale": "raw",
    "c": 0.0,
    "p": 1.0,
    "alpha": None,
    "beta": 0.95,
}
"""Where each control stands before the answer; that of α at what β gives."""
Control = TypeVar("Control", bound=tr.TraitType[Any, Any])


def _unmoved(trait: Control) -> Control:
    """A control's trait that is None as long as the reader has not moved it."""
    trait.allow_none, trait.default_value = True, None
    return trait


class LessonState(tr.HasTraits):
    """Where the reader is. A control that nobody has moved is None: it stands where its step puts it.

    Attributes:
        bundle: Name of the bundle.
        step: The step, from 1; the last place is the end.
        said: Answers by step, of step 2 by image (`margin-17`), in the question's units; None for who asked
            to be shown.
        attack: Step 1: `on` or `off`.
        example: Step 2: place among the images for guessing, from 1.
        of: Step 3: whose margins, `h` or `g`.
        cut: Step 4: the line.
        scale: Step 5: `raw` logits, or `normed` ones.
        c, p: Steps 6 and 7.
        alpha: Step 8.
        beta: Step 9.
    """

    bundle = tr.Unicode()
    step = tr.Int(1, min=1, max=STEPS)
    said = tr.Dict()
    attack = _unmoved(choice((("off", "off"), ("on", "on")), "off", word="attack", label="attack", help=""))
    example = _unmoved(whole(1, 1, 1000, word="image", label="image", help=""))
    of = _unmoved(choice((("h", "h"), ("g", "g")), "h", word="of", label="whose margins", help=""))
    cut = _unmoved(number(CUT, word="line"))
    scale = _unmoved(
        choice((("raw", "raw"), ("normed", "normed")), "raw", word="scale", label="scale", help="")
    )
    c = _unmoved(number(PARAMS["c"]))
    p = _unmoved(number(PARAMS["p"]))
    alpha = _unmoved(number(PARAMS["alpha"]))
    beta = _unmoved(number(PARAMS["beta"]))

    NAMES = ("bundle", "step", "said", "attack", "example", "of", "cut", "scale", "c", "p", "alpha", "beta")
    """All that the page and Python share."""


def view_json(state: LessonState) -> dict[str, Any]:
    """A state as plain JSON."""
    return {name: getattr(state, name) for name in LessonState.NAMES}


def read_view(view: object, bundles: Collection[str]) -> dict[str, Any]:
    """The traits that a page's state stands for.

    Args:
        view: What the page sent.
        bundles: Names of the bundles at hand.

    Raises:
        ParameterError: If any of it is not allowed; nothing of it counts then.
    """
    if not isinstance(view, dict) or set(view) != set(LessonState.NAMES) or view["bundle"] not in bundles:
        raise ParameterError(f"a state has {', '.join(LessonState.NAMES)}, the page sent something else")
    if not _are_answers(view["said"]):
        raise ParameterError("the page sent answers that no question allows")
    state = state_of(LessonState, view)
    for name, setting in settings_of(LessonState).items():
        value = getattr(state, name)
        if isinstance(setting.values, ParamSpec) and value is not None:
            setting.values.check(value)
    return view_json(state)


def _are_answers(said: object) -> bool:
    if not isinstance(said, Mapping) or len(said) > MAX_ANSWERS:
        return False
    return all(
        isinstance(slot, str)
        and len(slot) <= MAX_SLOT
        and (answer is None or isinstance(answer, str | int | float))
        for slot, answer in said.items()
    )
