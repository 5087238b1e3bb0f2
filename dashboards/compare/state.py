"""What the comparison's visitor chose, and the link that says it: `?bundles=a,b&beta=0.95&alpha=source`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus

import traitlets as tr

from mnuts_core.errors import ParameterError
from mnuts_core.params import PARAMS
from mnuts_core.search.grids import DEFAULT_GRID, PAPER_RANGES
from mnuts_core.views.transfer_matrix import AlphaFrom
from mnuts_dashboards.widgets.query import FOREIGN, MAX_QUERY
from mnuts_dashboards.widgets.settings import choice, clamp_choice, number, settings_of

ALPHA_FROM: tuple[tuple[str, AlphaFrom], ...] = (
    ("recompute α there", "target"),
    ("keep α", "source"),
)

MAX_COMPARED = 6
"""So many bundles can stand beside each other and still be read."""


class CompareState(tr.HasTraits):
    """Every setting of the comparison, with no widget and no figure in it.

    Attributes:
        bundles: Names of the bundles to compare, in their order; at most `MAX_COMPARED`.
        beta: Level β of Algorithm 1.
        grid: Which grid is searched.
        clamp: Clamping function.
        alpha: Where α comes from on another bundle, see `mnuts_core.views.transfer_matrix`.
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

    SETTINGS = ("bundles", "beta", "grid", "clamp", "alpha")
    """The names of all."""

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by name."""
        return {name: getattr(self, name) for name in self.SETTINGS}

    def set(self, **values: Any) -> None:
        """Set several traits as one change: observers see the last state only."""
        with self.hold_trait_notifications():
            for name, value in values.items():
                self.set_trait(name, value)


class Link(NamedTuple):
    """What a query asks for.

    Attributes:
        values: Traits of the state, those that the query names.
        problems: What was wrong with it, one sentence each; the rest counts all the same.
    """

    values: dict[str, Any]
    problems: tuple[str, ...]


def write_link(state: CompareState) -> str:
    """The query of the state, without the question mark; what stands at its default is left out."""
    pairs = {"bundles": ",".join(quote(name, safe="") for name in state.bundles)}
    for name, setting in settings_of(state).items():
        value = getattr(state, name)
        if value != CompareState.class_traits()[name].default_value:
            pairs[setting.word] = quote(setting.write(value), safe="")
    return "&".join(f"{key}={value}" for key, value in pairs.items())


def read_link(query: str, *, bundles: Collection[str]) -> Link:
    """What a query asks for, validated; a wrong value is reported and left out.

    Args:
        query: The query, without the question mark.
        bundles: Names of the bundles at hand.
    """
    if len(query) > MAX_QUERY:
        return Link({}, (f"the link is longer than {MAX_QUERY:,} characters and was ignored",))
    settings = settings_of(CompareState)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, raw in (part.partition("=")[::2] for part in query.split("&") if part):
        text = unquote_plus(raw)
        try:
            if key == "bundles":
                values[key] = _bundles(raw, bundles, problems)
            elif key in settings:
                values[key] = settings[key].read(text)
            elif key not in FOREIGN:
                problems.append(
                    f"{key[:40]!r} is no setting: a link knows {', '.join(CompareState.SETTINGS)}"
                )
        except ParameterError as error:
            problems.append(str(error))
    return Link(values, tuple(problems))


def _bundles(raw: str, known: Collection[str], problems: list[str]) -> tuple[str, ...]:
    """The names that are at hand, each once; a name may hold a comma, which is then written %2C."""
    text = unquote_plus(raw)
    asked = [unquote_plus(part) for part in raw.split(",")]
    if len(asked) == 1 and text not in known:
        asked = text.split(",")  # somebody's tool has written every comma as %2C
    names = list(dict.fromkeys(name for name in asked if name))
    for name in names:
        if name not in known:
            problems.append(f"no bundle {name[:60]!r} here: there are {', '.join(known)}")
    found = [name for name in names if name in known]
    if len(found) > MAX_COMPARED:
        problems.append(f"at most {MAX_COMPARED} bundles are compared, got {len(found)}: the first are used")
    return tuple(found[:MAX_COMPARED])
