"""The headline: what a mix does on a bundle, beside what it is made of and the mix without a transform.

The page, the command line's tables and the report show these rows; each calls them in its own words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from mnuts_core.functional.paired import Paired
from mnuts_core.functional.quantiles import QuantileMethod
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.answers import BaseFigures, Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.result import CleanRows
from mnuts_core.views.paired import Right, pairs, right_of, right_of_robust

FIGURES = ("clean", "attacked", "by_margin", "verified")
"""The figures of a row."""
ESTIMATED = ("clean", "attacked", "by_margin")
"""Those that every mix has on a bundle with an attacked part, and in which mixes are compared."""
JSON_KEYS = {
    **{"std": "standard", "rob": "robust", "mapped": "transformed", "plain": "plain_mix", "mix": "mix"},
    "adaptive": "adaptive_alpha",
}
"""What the headline's rows are called in JSON, by their keys."""


@dataclass(frozen=True)
class Row:
    """One classifier's figures; None where there is no such figure.

    Attributes:
        key: Short name, unique in a table.
        label: What to call it.
        clean: Clean accuracy, exact on the bundle's images.
        attacked: Share of the attacked images that it gets right at all points of the bundle, an upper
            bound; of g only where an attack on g is among them.
        by_margin: What mixes get right whatever g says (Eq. 7), see `Remix`.
        verified: Accuracy under an adaptive attack on this very mix.
        params: The mix's parameters, α filled in.
        right: Which images count in each figure, where it is known, to compare rows in pairs.
    """

    key: str
    label: str
    clean: Estimate
    attacked: Estimate | None = None
    by_margin: Estimate | None = None
    verified: Estimate | None = None
    params: MixParams | None = None
    right: Right = field(default_factory=dict, compare=False, repr=False)

    @property
    def alpha(self) -> float | None:
        """The mixing weight; None if it is no mix."""
        return None if self.params is None else self.params.alpha

    def figure(self, name: str) -> Estimate | None:
        """One of `FIGURES`."""
        found: Estimate | None = getattr(self, name)
        return found

    def comparable(self, name: str) -> Estimate | None:
        """What a mix's figure of that name is compared with: the same one.

        The robust model's attacked accuracy stands in for its accuracy by margin and for `verified`.
        """
        return self.figure(name) or self.attacked

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON; what does not exist is null."""
        figures = {name: self.figure(name) for name in ESTIMATED}
        cells = {name: figure and figure.to_json() for name, figure in figures.items()}
        return {"label": self.label, "alpha": self.alpha, **cells}


class Change(NamedTuple):
    """From one accuracy to another.

    Attributes:
        points: The gain in points.
        relative_error: The change of the error rate relative to what it was, see `error_change`.
        paired: Both on the same images, with the gain's paired interval; None where they are not known.
    """

    points: float
    relative_error: float | None
    paired: Paired | None = None

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON."""
        return {**self._asdict(), "paired": self.paired and self.paired.to_json()}


def change(ours: Estimate | None, theirs: Estimate | None, paired: Paired | None = None) -> Change | None:
    """The change from their accuracy to ours, if both exist.

    Args:
        ours: An accuracy.
        theirs: What to compare with.
        paired: Both on the same images, where they are known.
    """
    if ours is None or theirs is None:
        return None
    return Change(100.0 * (ours.value - theirs.value), error_change(ours, theirs), paired)


def error_change(ours: Estimate | None, theirs: Estimate | None) -> float | None:
    """The relative change of the error rate from theirs to ours (Table 1), such as -0.29.

    Args:
        ours: An accuracy, or None.
        theirs: What to compare with, or None; where it makes no errors there is no change to state.
    """
    if ours is None or theirs is None or theirs.value == 1.0:
        return None
    return (1.0 - ours.value) / (1.0 - theirs.value) - 1.0


@dataclass(frozen=True)
class Headline:
    """The headline table: base models, M(h) by itself, the plain mix at the same level, and this mix.

    Attributes:
        std: The standard model g.
        rob: The robust model h.
        mapped: M(h).
        plain: The mix without a transform, at the same β, or at the same α where that is set by hand.
        mix: This mix.
        remix: Its parameters, threshold and warnings.
    """

    std: Row
    rob: Row
    mapped: Row
    plain: Row
    mix: Row
    remix: Remix

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows from top to bottom."""
        return (self.std, self.rob, self.mapped, self.plain, self.mix)

    def changes(self) -> dict[str, dict[str, Change | None]]:
        """This mix against the robust model and the plain mix, by their keys, for each of `ESTIMATED`."""
        return {other.key: changes(self.mix, other) for other in (self.rob, self.plain)}

    def to_json(self) -> dict[str, Any]:
        """The table as plain JSON."""
        against = {
            JSON_KEYS[key]: {name: found and found.to_json() for name, found in row.items()}
            for key, row in self.changes().items()
        }
        return {
            "figures": rows_json(self.rows),
            "optimistic": None if self.remix.attacked is None else self.remix.optimistic,
            "changes": against,
            "warnings": list(self.remix.warnings),
        }


def headline(
    engine: RemixEngine,
    params: MixParams,
    remix: Remix,
    *,
    quantile: QuantileMethod = "linear",
    verified: Estimate | None = None,
) -> Headline:
    """The headline figures of a mix.

    Args:
        engine: The engine of the bundle.
        params: The parameters; where α is set, the plain mix gets the same α, else the same β.
        remix: What the engine makes of them.
        quantile: How α follows from β.
        verified: What an adaptive attack has left of this very mix, if one was run.
    """
    std, rob = base_rows(engine.base)
    rob = replace(rob, right=right_of_robust(engine))
    level = "β" if params.alpha is None else "α"
    return Headline(
        std=std,
        rob=rob,
        mapped=Row("mapped", "transformed M(h)", remix.rob_clean, attacked=remix.rob_attacked),
        plain=mix_row(plain_remix(engine, params, quantile), "plain", f"plain mix, same {level}"),
        mix=replace(mix_row(remix, "mix", "this mix"), verified=verified),
        remix=remix,
    )


def plain_remix(engine: RemixEngine, params: MixParams, quantile: QuantileMethod = "linear") -> Remix:
    """The mix without a transform at the same level: the same β, or the same α where α is set by hand."""
    plain = IDENTITY.with_(beta=params.beta, alpha=params.alpha, temperature=params.temperature)
    return engine.remix(plain, quantile=quantile)


def base_rows(base: BaseFigures) -> tuple[Row, Row]:
    """The rows of the standard and of the robust model."""
    return (
        Row("std", "standard model g", base.std_clean, attacked=base.std_attacked),
        Row("rob", "robust model h", base.rob_clean, attacked=base.rob_attacked),
    )


def mix_row(remix: Remix, key: str, label: str) -> Row:
    """The row of a mix."""
    return Row(
        key,
        label,
        remix.clean,
        attacked=remix.attacked,
        by_margin=remix.by_margin,
        params=remix.params,
        right=right_of(remix),
    )


def changes(mix: Row, other: Row) -> dict[str, Change | None]:
    """A mix against another classifier, for each of `ESTIMATED`."""
    paired = pairs(mix.right, other.right)
    return {name: change(mix.figure(name), other.comparable(name), paired.get(name)) for name in ESTIMATED}


def rows_json(rows: Iterable[Row]) -> dict[str, Any]:
    """Rows of the headline as plain JSON, by their names there."""
    return {JSON_KEYS[row.key]: row.to_json() for row in rows}


class SeenAndUnseen(NamedTuple):
    """Clean accuracy of a mix on the images that a search sees by default, and on the others (Table 8).

    Attributes:
        seen: On the clean images of the attacked rows, on which `clean="attacked"` chooses; None without.
        unseen: On the other clean images; None if there are none.
    """

    seen: Estimate | None
    unseen: Estimate | None


def seen_and_unseen(engine: RemixEngine, remix: Remix, clean: CleanRows = "attacked") -> SeenAndUnseen:
    """Clean accuracy on seen and unseen images.

    Args:
        engine: The engine of a bundle.
        remix: A mix on it.
        clean: Which clean rows the search saw.
    """
    attacked, right = engine.bundle.attacked, remix.on_clean.mix_right
    seen = np.full(len(right), clean == "all")
    if attacked is not None:
        seen[attacked.index] = True
    parts = (right[seen], right[~seen])
    return SeenAndUnseen(*(share_of(p, "clean") if p.size else None for p in parts))
