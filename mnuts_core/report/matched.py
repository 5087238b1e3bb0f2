"""One MixedNUTS in pairs with RBC, and with Mixed brought to the same clean, attacked or margin accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.functional.paired import Paired
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.report.rows import Mix, ReportRow
from mnuts_core.views.paired import Right, pairs, right_of_robust, unseen_images, verified_pair
from mnuts_core.views.tradeoff import Figure, best_place, plateau_curve

MIXED_TEMPERATURES = (1.0, 0.0)
"""Mixed is shown with σ(g) as in Eq. 1 (the paper's baseline), and with g's one-hot, as in MixedNUTS."""
WANTED: Mapping[Figure, Figure] = {"clean": "by_margin", "attacked": "clean", "by_margin": "clean"}
"""By which of MixedNUTS's figures Mixed is matched, and which of its own is then as high as it can be."""
COMPARED: Mapping[Figure, Figure] = {"clean": "attacked", "attacked": "clean", "by_margin": "clean"}
"""The figure by which the two are then compared."""
OPTIMISTIC: tuple[Figure, ...] = ("by_margin",)
"""By which Mixed is matched where the points are MMAA's alone, so that attacked accuracies are too high."""
WORDS: Mapping[Figure, str] = {
    "clean": "clean accuracy",
    "attacked": "attacked accuracy",
    "by_margin": "accuracy by margin",
}
"""The figures by which Mixed is matched, in words."""
UNSEEN = "unseen"
"""The pair of clean accuracies on the images without attacked points: no search looked at them."""

Pairs = Mapping[str, Paired]
"""By figure: `clean`, `attacked`, `by_margin`, `verified`, and `UNSEEN`, as far as there are such pairs."""


class Match(NamedTuple):
    """Mixed with one of MixedNUTS's figures.

    Attributes:
        temperature: T of the accurate classifier.
        by: The figure: Mixed has as much of it or more.
        key: Its row; None if no α has so much.
    """

    temperature: float
    by: Figure
    key: str | None


@dataclass(frozen=True)
class Trial:
    """One MixedNUTS and what it is held against.

    Attributes:
        mix: MixedNUTS.
        mixed: Mixed with its figures, see `matches`; one row where one α serves for several.
        matches: How these were matched; empty without an attacked part.
        paired: By row key, MixedNUTS against that row.
        unpaired: By row key, why two verified mixes cannot be compared in pairs.
        twins: Keys of given rows that are one of `mixed`.
        warnings: What puts the figures in doubt.
    """

    mix: ReportRow
    mixed: tuple[ReportRow, ...]
    matches: tuple[Match, ...]
    paired: Mapping[str, Pairs]
    unpaired: Mapping[str, str]
    twins: frozenset[str]
    warnings: tuple[str, ...]


def try_mix(engine: RemixEngine, mix: Mix, key: str, label: str, given: Sequence[ReportRow]) -> Trial:
    """One MixedNUTS held against RBC, against Mixed with the same figures, and against given mixes.

    Mixed's α: of all α in [1/2, 1] at which it has at least MixedNUTS's clean accuracy the one with the
    highest accuracy by margin; at its attacked accuracy, and at its accuracy by margin, the one with the
    highest clean accuracy.

    Args:
        engine: The engine of the bundle.
        mix: MixedNUTS.
        key: Its row's key.
        label: Its row's label.
        given: Mixed as configurations give it, for comparison; where one gets the same images right as a
            matched mix, its verified accuracy goes into the matched row.
    """
    row, remix = mix.row(engine, key, label)
    matches, mixed, twins = _matched(engine, row, given) if row.attacked else ((), (), frozenset())
    unseen = unseen_images(engine)
    paired = {"rbc": _pairs(row.right, right_of_robust(engine), unseen) | _verified_rbc(engine, row)}
    unpaired = {}
    for other in (*mixed, *given):
        paired[other.key] = _pairs(row.right, other.right, unseen)
        if row.config is not None and other.config is not None:
            verified = verified_pair(row.config, other.config, (row.label, other.label))
            if verified.reason:
                unpaired[other.key] = verified.reason
            else:
                paired[other.key]["verified"] = verified.paired["verified"]
    return Trial(row, mixed, matches, paired, unpaired, twins, (*mix.warnings, *remix.warnings))


def _pairs(ours: Right, theirs: Right, unseen: NDArray[np.bool_]) -> dict[str, Paired]:
    """Both on the bundle's images, and on the unseen ones apart, if there are such."""
    found = pairs(ours, theirs)
    if unseen.any():
        found[UNSEEN] = Paired.of(ours["clean"][unseen], theirs["clean"][unseen])
    return found


def _verified_rbc(engine: RemixEngine, row: ReportRow) -> dict[str, Paired]:
    """A verified mix against RBC under the bundle's attack, where both are known on the same images."""
    card, right = row.config.verified if row.config else None, engine.rob_right_on_images
    if card is None or card.outcomes is None or row.rbc_same is None or right is None:
        return {}
    index = engine.bundle.require_attacked().first.index
    there = index < card.outcomes.n
    return {"verified": Paired.of(card.outcomes.attacked_right[index[there]], right[there])}


def _matched(
    engine: RemixEngine, row: ReportRow, given: Sequence[ReportRow]
) -> tuple[tuple[Match, ...], tuple[ReportRow, ...], frozenset[str]]:
    """How Mixed is matched to a mix, the rows that come of it, and which given ones these are."""
    places: list[tuple[float, Figure, MixParams | None]] = []
    for temperature in MIXED_TEMPERATURES:
        plain = IDENTITY.with_(temperature=temperature)
        curve = plateau_curve(engine, plain)
        for by in OPTIMISTIC if engine.bundle.manifest.optimistic else WANTED:
            figure = row.figure(by)
            assert figure is not None  # there is an attacked part
            place = best_place(curve, WANTED[by], by, figure.value)
            params = None if place is None else plain.with_(alpha=float(curve.alpha[place]))
            places.append((temperature, by, params))
    rows: dict[MixParams, ReportRow] = {}
    twins: set[str] = set()
    for params in dict.fromkeys(params for _, _, params in places if params is not None):
        found = _row(engine, row, params, [by for _, by, same in places if same == params])
        twin = next((own for own in given if _same(own, found)), None)
        if twin is not None:
            twins.add(twin.key)
            found = replace(
                found, verified=twin.verified, attack=twin.attack, rbc_same=twin.rbc_same, config=twin.config
            )
        rows[params] = found
    matches = (Match(t, by, None if params is None else rows[params].key) for t, by, params in places)
    return tuple(matches), tuple(rows.values()), frozenset(twins)


def _row(engine: RemixEngine, row: ReportRow, params: MixParams, bys: Sequence[Figure]) -> ReportRow:
    names = " and ".join(WORDS[by] for by in bys)
    label = f"Mixed, T = {params.temperature:g}, {names} of {row.label.removeprefix('MixedNUTS, ')}"
    mix = Mix(params, f"α at which it has the {names} of {row.label} or more")
    key = f"{row.key}-mixed-t{params.temperature:g}-{'-'.join(bys).replace('_', '-')}"
    return mix.row(engine, key, label)[0]


def _same(one: ReportRow, other: ReportRow) -> bool:
    """Whether two mixes of one temperature get the same images right, by every figure."""
    assert one.params is not None  # both are mixes
    assert other.params is not None
    if one.params.temperature != other.params.temperature:
        return False
    return not any(pair.only_first or pair.only_second for pair in pairs(one.right, other.right).values())
