"""The attack that found a bundle's first points, as its manifest records it: name, budget, kind."""

from __future__ import annotations

from typing import Literal, NamedTuple

from mnuts_core.bundles.bundle import LogitBundle

AttackKind = Literal["white box", "black box", "not recorded", "none"]


class FoundBy(NamedTuple):
    """An attack as recorded.

    Attributes:
        name: Its name; empty if there is none.
        budget: Its steps, targets or queries, as far as recorded.
        kind: Whether gradients were used (MMAA: white box) or queries only (Square: black box).
    """

    name: str
    budget: str
    kind: AttackKind


def found_by(bundle: LogitBundle) -> FoundBy:
    """The attack that found a bundle's first points.

    Args:
        bundle: The bundle.
    """
    if not bundle.n_adv:
        return FoundBy("", "", "none")
    card = bundle.manifest.attack
    if card is None:
        return FoundBy("", "", "not recorded")
    counts = {"steps": card.n_iter, "targets": card.n_targets, "queries": card.n_queries}
    budget = ", ".join(f"{count:,} {unit}" for unit, count in counts.items() if count is not None)
    if card.n_queries is not None:
        return FoundBy(card.name, budget, "black box")
    return FoundBy(card.name, budget, "not recorded" if card.n_iter is None else "white box")
