"""Which bundle a configuration belongs to: every one with the same clean logits, whatever points it holds.

A bundle's digest changes with each attack that joins its pool; its models and clean images do not. So a
configuration names the digest and that of the clean logits alone. An older one, without the second, belongs
where its digest is that of the bundle as it was: with the first points alone, or before one of its sources.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import shipped_folder, user_folder
from mnuts_core.errors import ConfigError
from mnuts_core.export.cards import BundleCard
from mnuts_core.export.config import MixConfig


class Identity:
    """What configurations of one bundle may name.

    Args:
        bundle: The bundle.
    """

    def __init__(self, bundle: LogitBundle) -> None:
        self.bundle = bundle

    @cached_property
    def _clean(self) -> str:
        return self.bundle.clean_digest

    @cached_property
    def _states(self) -> frozenset[str]:
        """The digests of the bundle as it is and as it is known to have been."""
        before = {card.before for card in self.bundle.manifest.attacks if card.before is not None}
        return frozenset({self.bundle.digest, self.bundle.first_digest, *before})

    def has(self, card: BundleCard | None) -> bool:
        """Whether a configuration with this card belongs to the bundle."""
        if card is None:
            return False
        return card.clean == self._clean or card.digest in self._states

    def check(self, config: MixConfig, name: str) -> None:
        """Check that a configuration's mix may be attacked for this bundle's pool.

        Args:
            config: The configuration; one that names no bundle fits any.
            name: How to call it in messages.

        Raises:
            ConfigError: If it was made on other clean logits (other models, classes or images), or for
                another threat model.
        """
        own, bundle = config.bundle, self.bundle
        if own is not None and not self.has(own):
            raise ConfigError(
                f"{name} was made on bundle {own.name!r}, whose models, images or classes are not those of "
                f"{bundle.name!r}: give a configuration made on this one, such as by `mnuts export`"
            )
        if config.threat is not None and bundle.manifest.threat not in (None, config.threat):
            raise ConfigError(
                f"{name} is for {config.threat}, bundle {bundle.name!r} for {bundle.manifest.threat}: "
                "give a configuration under the bundle's threat model"
            )


def belongs(config: MixConfig, bundle: LogitBundle) -> bool:
    """Whether a configuration was made on this bundle, or on it with other points in its pool.

    Args:
        config: The configuration.
        bundle: The bundle.
    """
    return Identity(bundle).has(config.bundle)


def configs_of(bundle: LogitBundle) -> list[tuple[Path, MixConfig]]:
    """The shipped and the user's own configurations that belong to a bundle, by β, then α, downwards.

    Args:
        bundle: The bundle. Files that are no configurations are passed over.
    """
    found: list[tuple[Path, MixConfig]] = []
    identity = Identity(bundle)
    for folder in (shipped_folder(), user_folder()):
        for path in sorted(folder.glob("*.json")) if folder is not None else ():
            try:
                config = MixConfig.load(path)
            except ConfigError:
                continue
            if identity.has(config.bundle):
                found.append((path, config))
    return sorted(found, key=lambda pair: (-(pair[1].beta or 0.0), -pair[1].alpha))
