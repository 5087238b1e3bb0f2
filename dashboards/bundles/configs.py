"""Configurations made on a bundle: what they are called, and the settings that show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mnuts_core.bundles.library import shipped_folder
from mnuts_core.export.config import MixConfig
from mnuts_core.params import MixParams
from mnuts_core.text import visible
from mnuts_dashboards.bundles.verified import DIGITS

if TYPE_CHECKING:
    from mnuts_core.remix.engine import RemixEngine


def label_of(path: Path, config: MixConfig) -> str:
    """What a configuration is called where one is chosen: one of the package's own, or by its file's name.

    Args:
        path: Its file.
        config: What it holds.
    """
    kind = "shipped plain mix" if config.params.plain else "shipped best"
    name = kind if path.parent == shipped_folder() else visible(path.stem)
    return f"{name}, {config.level}"


def settings_of(engine: RemixEngine, config: MixConfig) -> MixParams:
    """A configuration's mix; α follows from its β where that gives its α on this bundle, else it is by hand.

    Args:
        engine: The engine of the bundle.
        config: The configuration, made on this bundle or on another.
    """
    params, derived = config.params, config.params.with_(alpha=None)
    if config.beta is None or not engine.bundle.n_adv:
        return params
    return derived if abs(engine.remix(derived).alpha - config.alpha) < 10.0**-DIGITS else params
