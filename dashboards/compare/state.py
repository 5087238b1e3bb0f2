"""What the comparison's visitor chose, from which the page makes its controls and its links."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import traitlets as tr

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS, ParamSpec
from mnuts_core.search.grids import DEFAULT_GRID, PAPER_RANGES
from mnuts_dashboards.widgets.settings import choice, clamp_choice, number, settings_of, state_of

if TYPE_CHECKING:
    from mnuts_core.views.transfer_matrix import AlphaFrom

ALPHA_FROM: tuple[tuple[str, AlphaFrom], ...] = (
    ("recompute α there", "target"),
    ("keep α", "source"),
)
EQUAL = "equal"
POINTS = (("equal kinds", EQUAL), ("whole pools", "own"))

MAX_COMPARED = 6
"""So many bundles can stand beside each other and still be read."""
AT_FIRST = 3
"""So many bundles are compared when nobody says which."""
MAX_WORD = 300
"""Characters of what a mix of the two is called."""


class CompareState(tr.HasTraits):
    """Every setting of the comparison.

    Attributes:
        bundles: Names of the bundles to compare, in their order; at most `MAX_COMPARED`.
        beta: Level β of Algorithm 1.
        grid: Which grid is searched.
        clamp: Clamping function.
        alpha: Where α comes from on another bundle, see `mnuts_core.views.transfer_matrix`.
        points: Which attacked points count: `equal`, see `mnuts_core.views.equal_terms`, or `own`.
        on: The bundle on which two mixes are compared; empty for the first.
        first, second: These mixes: `best`, `plain`, `of:BUNDLE` for another bundle's best, or `file:NAME` for
            a configuration.
    """

    bundles: tuple[str, ...] = tr.Tuple()  # type: ignore[assignment] # a trait reads as its value
    beta = number(PARAMS["beta"])
    grid = choice(
        [(name, name) for name in PAPER_RANGES],
        DEFAULT_GRID,
        word="grid",
        label="grid",
        help="Where Algorithm 1 searches: s, p, c of Table 3",
    )
    clamp = clamp_choice()
    alpha = choice(ALPHA_FROM, "target", word="alpha", label="α", help="Where α comes from")
    points = choice(POINTS, EQUAL, word="points", label="points", help="Which attacked points count")
    on = tr.Unicode()
    first = tr.Unicode("best")
    second = tr.Unicode("plain")

    NAMES = ("bundles", "beta", "grid", "clamp", "alpha", "points", "on", "first", "second")
    """All that the page and Python share."""


def write_link(state: CompareState) -> str:
    """The query of a state, without the question mark, as the page writes it."""
    default, settings = CompareState(), settings_of(CompareState)
    pairs = {"bundles": ",".join(quote(name, safe="") for name in state.bundles)}
    for name in CompareState.NAMES[1:]:
        value = getattr(state, name)
        if value != getattr(default, name):
            known = settings.get(name)
            text = known.write(value) if known else value
            pairs[known.word if known else name] = quote(text, safe="")
    return "&".join(f"{key}={value}" for key, value in pairs.items())


def view_json(state: CompareState) -> dict[str, Any]:
    """A state as plain JSON."""
    return {name: getattr(state, name) for name in CompareState.NAMES} | {"bundles": list(state.bundles)}


def read_view(view: object, bundles: Collection[str]) -> dict[str, Any]:
    """The traits that a page's state stands for.

    Args:
        view: What the page sent.
        bundles: Names of the bundles at hand.

    Raises:
        ParameterError: If any of it is not allowed; nothing of it counts then.
    """
    if not isinstance(view, dict) or set(view) != set(CompareState.NAMES):
        raise ParameterError(f"a state has {', '.join(CompareState.NAMES)}, the page sent something else")
    chosen = view["bundles"]
    if (
        not isinstance(chosen, list)
        or len(chosen) > MAX_COMPARED
        or not all(one in bundles for one in chosen)
    ):
        raise ParameterError(f"bundles must be at most {MAX_COMPARED} of {', '.join(bundles)}")
    state = state_of(CompareState, view | {"bundles": tuple(chosen)})
    for name, setting in settings_of(CompareState).items():
        if isinstance(setting.values, ParamSpec):
            setting.values.check(getattr(state, name))
    if any(len(getattr(state, name)) > MAX_WORD for name in ("on", "first", "second")):
        raise ParameterError(f"on, first and second have at most {MAX_WORD} characters")
    return {name: getattr(state, name) for name in CompareState.NAMES}
