"""Two classifiers on the same images, figure by figure: on a bundle, and by two verifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnuts_core.bundles.manifest import Setting
from mnuts_core.export.cards import VerifiedCard
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import Estimate
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine

Bools = NDArray[np.bool_]
Right = Mapping[str, Bools]
"""By the name of a figure, which images count in it: bool, one for each image that the figure rests on."""
NOT_OF_THE_ATTACK = ("mix", "data_digest", "n")
"""What else a verification's settings hold: the mix and the images."""


def right_of(remix: Remix) -> Right:
    """Which images count in each figure of a mix."""
    right = {"clean": remix.on_clean.mix_right}
    if remix.on_images is not None:
        right["attacked"] = remix.on_images.mix_right
        right["by_margin"] = remix.on_images.held(remix.threshold)
    return right


def right_of_robust(engine: RemixEngine) -> Right:
    """The same for the robust model, whose attacked accuracy stands in for a mix's accuracy by margin."""
    right = {"clean": engine.rob_right[: engine.n_clean]}
    attacked = engine.rob_right_on_images
    return right if attacked is None else {**right, "attacked": attacked, "by_margin": attacked}


def right_of_standard(engine: RemixEngine) -> Right:
    """The same for the standard model; no attacked figure unless an attack on it is in the bundle."""
    right = engine.on_all_rows("std_right")
    found = {"clean": right[: engine.n_clean]}
    if engine.pool is not None and engine.bundle.manifest.std_attacked:
        found["attacked"] = engine.pool.all_right(right)
    return found


def unseen_images(engine: RemixEngine) -> NDArray[np.bool_]:
    """The clean images without attacked points, which no search looks at; none where no image has any."""
    attacked = engine.bundle.attacked
    unseen = np.full(engine.n_clean, attacked is not None)
    if attacked is not None:
        unseen[attacked.index] = False
    return unseen


def pairs(first: Right, second: Right) -> dict[str, Paired]:
    """Two classifiers on the images of one bundle, for each figure that both have."""
    return {name: Paired.of(right, second[name]) for name, right in first.items() if name in second}


def mix_pairs(one: Remix, other: Remix) -> dict[str, Paired]:
    """Two mixes on one bundle's images, for each figure."""
    return pairs(right_of(one), right_of(other))


class VerifiedPair(NamedTuple):
    """Two configurations by what their verifications found.

    Attributes:
        clean: Accuracy of each without an attack: on the verified images, else on the bundle; None if that is
            not known.
        verified: Accuracy of each under the attack on it; None where none was run.
        paired: Both figures in pairs, by name; empty where they cannot be paired.
        reason: Why they cannot; empty if they can.
        differing: Settings of the attacks that differ, each with both values; None where one has no such
            setting.
    """

    clean: tuple[Estimate | None, Estimate | None]
    verified: tuple[Estimate | None, Estimate | None]
    paired: dict[str, Paired]
    reason: str
    differing: dict[str, tuple[Setting | None, Setting | None]]

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON."""
        return {
            "paired": {name: pair.to_json() for name, pair in self.paired.items()} or None,
            "why_not_paired": self.reason or None,
            "differing_settings": self.differing,
        }


def verified_pair(first: MixConfig, second: MixConfig, names: tuple[str, str] = ("A", "B")) -> VerifiedPair:
    """Compare two configurations by their verifications, in pairs where these ran on the same images.

    Args:
        first: A configuration.
        second: Another.
        names: What to call them.
    """
    one, two = first.verified, second.verified
    reason = _why_not(one, two, names)
    return VerifiedPair(
        clean=(_clean(first), _clean(second)),
        verified=(_left(one), _left(two)),
        paired={} if reason else pairs(_right_of_card(one), _right_of_card(two)),
        reason=reason,
        differing=differing_settings(one, two),
    )


def _clean(config: MixConfig) -> Estimate | None:
    """The clean accuracy on the verified images, else on the bundle's."""
    if config.verified is not None and config.verified.clean is not None:
        return config.verified.clean.estimate
    return None if config.estimates is None else config.estimates.clean.estimate


def _left(card: VerifiedCard | None) -> Estimate | None:
    return None if card is None else card.accuracy.estimate


def _why_not(one: VerifiedCard | None, two: VerifiedCard | None, names: tuple[str, str]) -> str:
    """Why two verifications cannot be paired; empty if they can."""
    if one is None or two is None:
        missing = [name for name, card in zip(names, (one, two), strict=True) if card is None]
        return f"no attack was run on {' and '.join(missing)}: run `mnuts evaluate`"
    if one.accuracy.n != two.accuracy.n or (one.images and two.images and one.images != two.images):
        counts = f"n = {one.accuracy.n:,} and n = {two.accuracy.n:,}"
        return (
            f"they were verified on different images ({counts}): run `mnuts evaluate` on both with the same "
            "--data and --n"
        )
    silent = [
        name
        for name, card in zip(names, (one, two), strict=True)
        if card.outcomes is None or card.images is None
    ]
    again = "which images fell is not kept in {}: run `mnuts evaluate` again"
    return again.format(" and ".join(silent)) if silent else ""


def _right_of_card(card: VerifiedCard | None) -> Right:
    """Which images count in the figures of a verification; none where that is not kept."""
    if card is None or card.outcomes is None:
        return {}
    return {"clean": card.outcomes.clean_right, "verified": card.outcomes.attacked_right}


def differing_settings(
    one: VerifiedCard | None, two: VerifiedCard | None
) -> dict[str, tuple[Setting | None, Setting | None]]:
    """The settings of two attacks that differ, each with both values; none where one was not run.

    Args:
        one: A verification.
        two: Another.
    """
    if one is None or two is None:
        return {}
    names = [*one.settings, *(name for name in two.settings if name not in one.settings)]
    both = {name: (one.settings.get(name), two.settings.get(name)) for name in names}
    return {
        name: values
        for name, values in both.items()
        if name not in NOT_OF_THE_ATTACK and values[0] != values[1]
    }
