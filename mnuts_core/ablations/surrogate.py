"""How good LN∘h is as a surrogate for M(s, p, c)∘h in the attack behind Algorithm 1: appendix D.9."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from mnuts_core.ablations.common import (
    attacked_part,
    frame,
    grid_or_paper,
    grid_words,
    mix_columns,
    objective_columns,
)
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.functional.statistics import columns
from mnuts_core.models.inputs import Model
from mnuts_core.params import PARAMS
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import GridSearchResult

if TYPE_CHECKING:
    import pandas as pd

CLOSE = 1e-2
"""Clean logits may differ from the cached ones by this much, relative to the largest."""


def d9(
    bundle: LogitBundle,
    *,
    models: tuple[Model, Model],
    data: tuple[Tensor, Tensor],
    beta: float = PARAMS["beta"].default,
    grid: GridSpec | None = None,
    n: int | None = None,
    n_iter: int | None = None,
    seed: int = 0,
    batch_size: int = 256,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """D.9: attack M(s*, p*, c*)∘h instead of LN∘h, and run Algorithm 1 again on the new points.

    If the objective of Eq. 7 at (s*, p*, c*) is nearly the same by the points found against M∘h, then LN∘h
    is a good surrogate, and Algorithm 1 optimises Eq. 6 indirectly.

    Args:
        bundle: A bundle whose first points were found against LN∘h; its others do not count here.
        models: The bundle's accurate and robust classifier.
        data: The bundle's images (N, C, H, W) in [0, 1] and labels (N,), row by row as in its clean part.
        beta: Level β.
        grid: The grid; the paper's for CIFAR-10 if None.
        n: How many of the attacked examples to attack again, the first ones; all if None.
        n_iter: Steps of each run of APGD; the bundle's own if None.
        seed: Seed of the attack.
        batch_size: Images at a time.
        device: `auto`, `cpu`, `cuda`, ...
        progress: Called with (work done, work in all).

    Returns:
        Two rows, points found against `LN∘h` and against `M∘h`, on the same n images: `objective` at
        (s*, p*, c*) with interval and n, its quantile and α; `best_objective` and the parameters that
        Algorithm 1 would choose by these points; and, for the mix of (s*, p*, c*) and its original α, the
        accuracy by margin and attacked accuracy at these points.

    Raises:
        ParameterError: If n is out of range, or the bundle records no threat model.
        MnutsError: If models and images do not give the bundle's own logits.
    """
    from mnuts_core.attacks.base import Transformed
    from mnuts_core.attacks.mmaa import N_ITER, Mmaa

    bundle.require_attacked()
    threat, attack = bundle.manifest.threat, bundle.manifest.attack
    if threat is None:
        raise ParameterError("the bundle must record its threat model for d9, and it records none")
    rows = np.arange(bundle.n_adv if n is None else n)
    if not 1 <= len(rows) <= bundle.n_adv:
        raise ParameterError(f"n must lie in [1, {bundle.n_adv}], the attacked examples, got {n}")
    first = replace(bundle, attacked=bundle.require_attacked().first)
    original, cells = attacked_part(first, rows), grid_or_paper(grid)
    before = grid_search(original, cells, beta)
    best = before.best.params
    attacked = _attacked_anew(
        original,
        models,
        data,
        attack=Mmaa(
            norm=threat.norm,
            eps=threat.eps,
            seed=seed,
            surrogate=Transformed(best.s, best.p, best.c),
            n_iter=n_iter or (attack.n_iter if attack and attack.n_iter else N_ITER),
        ),
        batch_size=batch_size,
        device=device,
        progress=progress,
    )
    after = grid_search(attacked, cells, beta)
    pairs = (("LN∘h", original, before), ("M∘h", attacked, after))
    table = [_row(name, part, result, before) for name, part, result in pairs]
    settings = {
        "mix": mix_columns(best),
        "beta": beta,
        "grid": grid_words(cells),
        "n": len(rows),
        "seed": seed,
    }
    return frame("d9", bundle, table, **settings)


def _attacked_anew(
    original: LogitBundle, models: tuple[Model, Model], data: tuple[Tensor, Tensor], **options: Any
) -> LogitBundle:
    """The bundle of the same attacked images, at the points that MMAA finds against the surrogate."""
    from mnuts_core.pipeline.build import build_bundle

    attacked, (images, labels) = original.require_attacked(), data
    if len(images) <= int(attacked.index.max()):
        raise MnutsError(
            f"the data must hold the bundle's {original.n_clean:,} images, row by row, got {len(images):,}"
        )
    chosen, manifest = torch.from_numpy(attacked.index), original.manifest
    if not np.array_equal(labels[chosen].numpy(), attacked.labels):
        raise MnutsError("the data's labels are not the bundle's: give the images that it was built from")
    rebuilt = build_bundle(
        *models,
        images[chosen],
        labels[chosen],
        name=original.name,
        classes=manifest.classes,
        data=manifest.data,
        std_card=manifest.std_model,
        rob_card=manifest.rob_model,
        **options,
    )
    for what, ours, cached in (
        ("accurate", rebuilt.clean_std_logits, original.clean_std_logits[attacked.index]),
        ("robust", rebuilt.clean_rob_logits, original.clean_rob_logits[attacked.index]),
    ):
        if np.abs(ours - cached).max() > CLOSE * np.abs(cached).max():
            raise MnutsError(
                f"the {what} model does not give the bundle's clean logits on these images: give the models "
                "and the images that it was built from"
            )
    return rebuilt


def _row(name: str, part: LogitBundle, result: GridSearchResult, before: GridSearchResult) -> dict[str, Any]:
    place = before.best.index
    remix = RemixEngine(part).remix(before.best.params)
    chosen = {f"best_{key}": value for key, value in mix_columns(result.best.params).items()}
    return {
        "points": name,
        **objective_columns(float(result.objective[place]), result.n_wrong),
        "quantile": float(result.quantile[place]),
        "alpha": float(result.alpha[place]),
        "n_right": result.n_right,
        "n_attacked": result.n_attacked,
        "best_objective": result.best.objective,
        **{key: chosen[key] for key in ("best_s", "best_p", "best_c", "best_alpha")},
        **columns("by_margin", remix.by_margin),
        **columns("attacked", remix.attacked),
    }
