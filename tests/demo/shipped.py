"""What holds of the mixes of a demo pair: their figures are the bundle's, and the chosen ones are mild."""

from __future__ import annotations

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import shipped_folder
from mnuts_core.demo.best_mixes import config_name
from mnuts_core.export.config import MixConfig
from mnuts_core.params import BETAS
from mnuts_core.pipeline.refine import BY_CLEAN, BY_MARGIN
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.mild import LEAST_SAME, same_when_rounded
from mnuts_core.search.result import MILD
from tests.configs import figures


def assert_figures(config: MixConfig, engine: RemixEngine, n: int) -> None:
    """A configuration's figures are the bundle's, and an attack's on at least n of its first images.

    Args:
        config: The configuration.
        engine: The engine of its bundle.
        n: How many images must be verified at least.
    """
    assert config.bundle is not None
    assert config.bundle.digest == engine.bundle.digest
    assert figures(MixConfig.from_remix(engine, config.params)) == figures(config)
    card, remix = config.verified, engine.remix(config.params)
    assert card is not None
    assert card.accuracy.n >= n
    assert card.accuracy.value == min(card.components.values())
    assert card.clean is not None
    assert card.clean.value == remix.on_clean.mix_right[: card.clean.n].mean()
    if engine.bundle.manifest.optimistic:
        return  # the verification's points are not in the pool
    assert card.outcomes is not None
    assert remix.on_images is not None
    index = engine.bundle.require_attacked().index[: engine.bundle.n_adv]
    there = index < card.outcomes.n
    fell = ~card.outcomes.attacked_right[index[there]]
    assert not (remix.on_images.mix_right[there] & fell).any(), "the points of the attack are in the pool"


def assert_choices(pair: str, bundle: LogitBundle, grid: GridSpec) -> None:
    """The shipped choices of a pair are mild cells inside the grid, with their plain mixes beside them.

    Args:
        pair: `digits` or `cifar10`.
        bundle: Its bundle.
        grid: The grid of its recipe.
    """
    engine = RemixEngine(bundle)
    for beta in BETAS:
        config = MixConfig.load(shipped_folder() / config_name(pair, beta))
        assert config.beta == beta
        for axis, values in grid.axes().items():
            value = getattr(config.transform, axis)
            assert value in values
            assert values[0] < value < values[-1], axis
        assert MILD[0] <= (1 - config.alpha) / config.alpha <= MILD[1]
        assert same_when_rounded(bundle, config.params) >= LEAST_SAME
        choice = engine.remix(config.params)
        for kind, name in ((BY_MARGIN, "by_margin"), (BY_CLEAN, "clean")):
            path = shipped_folder() / config_name(pair, beta, kind)
            if path.is_file():  # else it is another's
                plain = MixConfig.load(path)
                assert plain.params.plain
                apart = getattr(engine.remix(plain.params), name).value - getattr(choice, name).value
                assert round(abs(apart), 9) <= 0.005, "matched before the verifications, so not to the image"
