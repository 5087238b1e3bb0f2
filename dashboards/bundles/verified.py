"""The adaptive attacks whose results are at hand for one bundle: what each left of its mix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.belonging import Identity
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.params import PARAMS, MixParams

DIGITS = 12
"""Of α, to which two mixes are one: a configuration's came from the same β on another machine, perhaps."""


class Known(NamedTuple):
    """A verified mix.

    Attributes:
        params: The mix, its α filled in.
        name: What it is, in few words.
        clean: Its clean accuracy on the bundle.
        verified: What the adaptive attack left.
        config: The whole result.
        number: Its own among the results of a bundle, by which a click finds it.
    """

    params: MixParams
    name: str
    clean: Estimate | None
    verified: Estimate
    config: MixConfig
    number: int = 0


class VerifiedMixes:
    """The results at hand.

    Args:
        bundle: What they must belong to; without one, none is kept.
        configs: Configurations that are at hand already; those of no use are passed over.
    """

    def __init__(self, bundle: LogitBundle | None = None, configs: Iterable[MixConfig] = ()) -> None:
        self._bundle = None if bundle is None else Identity(bundle)
        self._results: dict[MixParams, Known] = {}
        for config in configs:
            self.take(config)

    def take(self, config: MixConfig) -> bool:
        """Keep a configuration's `verified`, if it has one and is of this bundle; whether it was kept."""
        card = config.verified
        if card is None or self._bundle is None or not self._bundle.has(config.bundle):
            return False
        if card.settings.get("mix", str(config.params)) != str(config.params):
            return False  # somebody changed the settings after the attack
        name = f"{'plain mix' if config.params.plain else 'mix'} at {config.level}"
        clean = config.estimates.clean.estimate if config.estimates else None
        key = key_of(config.params)
        number = self._results[key].number if key in self._results else len(self._results)
        self._results[key] = Known(config.params, name, clean, card.accuracy.estimate, config, number)
        return True

    def all(self) -> tuple[Known, ...]:
        """All results, in the order in which they were taken."""
        return tuple(self._results.values())

    def of(self, params: MixParams) -> Known | None:
        """The result for this very mix, if there is one.

        Args:
            params: The mix, its α filled in.
        """
        return self._results.get(key_of(params))

    def others(self, params: MixParams) -> tuple[Known, ...]:
        """All results but the one for this very mix, of those whose clean accuracy is known."""
        here = key_of(params)
        return tuple(known for key, known in self._results.items() if key != here and known.clean)


def key_of(params: MixParams) -> MixParams:
    """What a verification depends on: the mix itself, not the β that its α may have come from."""
    alpha = None if params.alpha is None else round(params.alpha, DIGITS)
    return params.with_(alpha=alpha, beta=PARAMS["beta"].default)
