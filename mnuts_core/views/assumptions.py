"""How far the paper's assumptions hold on a bundle: the promised gain falls short exactly where they fail."""

from __future__ import annotations

from typing import NamedTuple

import torch

from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.functional.quantiles import least_kept
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine


class Assumptions(NamedTuple):
    """The assumptions behind Algorithm 1, counted on one mix.

    Attributes:
        std_right_too: Of the clean images that M(h) gets right, those that g gets right too (Assumption
            4.1: all).
        changed_clean: Clean images whose predicted class M changes (Assumption 4.2: none).
        changed_attacked: Attacked images likewise, at any of their attacked points; None without an attacked
            part.
        kept: Of the clean images that M(h) gets wrong, those whose margin reaches (1-α)/α, so that g cannot
            fix them: the objective of Algorithm 1.
        kept_std_right: The same among those that g gets right (independence in Theorem 4.4: the same share).
        promised: Clean images that the mix would gain over M(h), were the objective the whole story.
        not_second: Clean images that g gets right with M(h)'s margin below (1-α)/α, and that stay wrong all
            the same: their class is not M(h)'s second choice, and the objective looks at the second alone.
        fixed: Clean images that M(h) gets wrong and the mix right.
        broken: Clean images that M(h) gets right and the mix wrong.
    """

    std_right_too: Estimate
    changed_clean: Estimate
    changed_attacked: Estimate | None
    kept: Estimate
    kept_std_right: Estimate
    promised: float
    not_second: int
    fixed: int
    broken: int


def assumptions(engine: RemixEngine, remix: Remix) -> Assumptions:
    """How far Assumptions 4.1 and 4.2 and the independence of Theorem 4.4 hold.

    The promise takes them at their word: g is right wherever M(h) is, and among the images that M(h) gets
    wrong, low margins are no rarer where g is right.

    Args:
        engine: The engine of the bundle.
        remix: The mix.
    """
    n, clean = engine.n_clean, remix.on_clean
    std_right = (engine.std_class == engine.labels).cpu().numpy()[:n]
    wrong, reaches = ~clean.right, clean.margin >= least_kept(remix.threshold)
    kept, changed = share_of(reaches[wrong]), engine.changed(remix.params)[:n].cpu().numpy()
    return Assumptions(
        std_right_too=share_of(std_right[clean.right]),
        changed_clean=share_of(changed),
        changed_attacked=_changed_attacked(engine, remix),
        kept=kept,
        kept_std_right=share_of(reaches[wrong & std_right]),
        promised=float((wrong & std_right).sum()) * (1.0 - kept.value) if kept.n else 0.0,
        not_second=int((wrong & std_right & ~reaches & ~clean.mix_right).sum()),
        fixed=int((wrong & clean.mix_right).sum()),
        broken=int((clean.right & ~clean.mix_right).sum()),
    )


def _changed_attacked(engine: RemixEngine, remix: Remix) -> Estimate | None:
    """The share of the attacked images whose predicted class M changes at any attacked point."""
    attacked = engine.bundle.attacked
    if attacked is None:
        return None
    parts = [engine.changed(remix.params)[engine.n_clean :]]
    parts += [] if engine.further is None else [engine.further.changed(remix.params)]
    changed = torch.cat(parts).cpu().numpy()
    return share_of(at_any_point(changed, attacked.of, attacked.n_images))
