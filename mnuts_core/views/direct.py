"""A direct search in figures: its choice, seen and unseen images, and where it beats the plain mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.errors import ParameterError
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.direct_result import Choice, DirectSearch
from mnuts_core.views.headline import SeenAndUnseen, seen_and_unseen
from mnuts_core.views.paired import mix_pairs

NAMES = ("s", "p", "c", "clamp", "ln_k", "alpha", "temperature")
LEVELS = 9
"""At so many levels of clean accuracy the transform is compared with the plain mix."""


class Side(NamedTuple):
    """One mix of a comparison.

    Attributes:
        choice: The mix, and its figures as the search counts them.
        remix: What the engine makes of it.
        clean: Its clean accuracy on the images that the search saw, and on the others.
    """

    choice: Choice
    remix: Remix
    clean: SeenAndUnseen

    @property
    def attacked(self) -> Estimate:
        """Its attacked accuracy."""
        assert self.remix.attacked is not None  # a direct search needs an attacked part
        return self.remix.attacked

    def to_json(self) -> dict[str, Any]:
        """The mix as plain JSON."""
        params, (seen, unseen) = self.choice.params, self.clean
        return {
            **{name: getattr(params, name) for name in NAMES},
            "quantile": self.choice.quantile,
            "index": self.choice.index,
            "clean": self.remix.clean.to_json(),
            "clean_seen": seen and seen.to_json(),
            "clean_unseen": unseen and unseen.to_json(),
            "attacked": self.attacked.to_json(),
        }


class Match(NamedTuple):
    """The transform's best mix and the plain mix's, under one condition.

    Attributes:
        ours: With the transform.
        plain: Without; None where no α of the plain mix meets the condition.
        paired: The two on the same images, for each figure; empty likewise.
        reason: Why there is no plain mix; empty if there is one.
    """

    ours: Side
    plain: Side | None
    paired: dict[str, Paired]
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON."""
        return {
            "best": self.ours.to_json(),
            "plain_mix": self.plain and self.plain.to_json(),
            "against_plain_mix": {name: pair.to_json() for name, pair in self.paired.items()} or None,
            "why_no_plain_mix": self.reason or None,
        }


Ask = Callable[[DirectSearch], Choice]
"""Chooses from a search, such as `lambda found: found.clean_at_least(0.95)`."""


def match(engine: RemixEngine, found: DirectSearch, plain: DirectSearch, ask: Ask) -> Match:
    """The best mix of a direct search beside the plain mix under the same condition.

    Args:
        engine: The engine of the bundle that was searched.
        found: The search.
        plain: That of the plain mix.
        ask: What is asked of either.

    Raises:
        ParameterError: If no mix of the grid meets the condition.
    """
    ours = _side(engine, found, ask(found))
    try:
        theirs = _side(engine, plain, ask(plain))
    except ParameterError as error:
        return Match(ours, None, {}, f"the plain mix cannot do it: {error}")
    return Match(ours, theirs, mix_pairs(ours.remix, theirs.remix))


def at_least(*, clean: float | None = None, attacked: float | None = None) -> Ask:
    """What to ask of a search.

    Args:
        clean: The least clean accuracy, a share; or
        attacked: the least attacked accuracy.

    Raises:
        ParameterError: If not exactly one of them is given.
    """
    if clean is not None and attacked is None:
        return lambda found: found.clean_at_least(clean)
    if attacked is not None and clean is None:
        return lambda found: found.attacked_at_least(attacked)
    raise ParameterError("give the least clean accuracy or the least attacked accuracy, one of them")


def _side(engine: RemixEngine, found: DirectSearch, choice: Choice) -> Side:
    remix = engine.remix(choice.params)
    return Side(choice, remix, seen_and_unseen(engine, remix, found.clean))


class Level(NamedTuple):
    """The transform against the plain mix at one level of clean accuracy.

    Attributes:
        clean: Both have at least this, on the images that the search saw.
        ours: The best mix with the transform.
        plain: The best plain one.
        attacked: Their attacked accuracies on the same images.
    """

    clean: float
    ours: Side
    plain: Side
    attacked: Paired

    @property
    def verdict(self) -> str:
        """Which is ahead: `ahead`, `behind`, or `open` where the paired interval holds 0."""
        if not self.attacked.clear:
            return "open"
        return "ahead" if self.attacked.difference.value > 0 else "behind"

    def to_json(self) -> dict[str, Any]:
        """The level as plain JSON."""
        return {
            "clean_at_least": self.clean,
            "best": self.ours.to_json(),
            "plain_mix": self.plain.to_json(),
            "attacked": self.attacked.to_json(),
            "verdict": self.verdict,
        }


def advantage(
    engine: RemixEngine, found: DirectSearch, plain: DirectSearch, levels: int = LEVELS
) -> tuple[Level, ...]:
    """Where on the frontier the transform is ahead of the plain mix, by how much, and where it is not.

    Args:
        engine: The engine of the bundle that was searched.
        found: The search.
        plain: That of the plain mix.
        levels: At how many levels of clean accuracy, up to the highest that both reach.
    """
    high = min(found.frontier.clean[-1], plain.frontier.clean[-1])
    low = min(found.frontier.clean[0], plain.frontier.clean[0], high)
    counts = np.unique(np.rint(found.n_clean * np.linspace(low, high, levels)))
    rows = []
    for clean in (counts / found.n_clean).tolist():
        pair = match(engine, found, plain, at_least(clean=clean))
        assert pair.plain is not None  # no level is above what it reaches
        rows.append(Level(clean, pair.ours, pair.plain, pair.paired["attacked"]))
    return tuple(rows)
