"""How true the live figures are: mixes that the pool has not seen, against attacks of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mnuts_core.ablations.common import frame, grid_or_paper, grid_words
from mnuts_core.attacks.mmaa import N_ITER, N_TARGETS
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.attacked import at_any_point
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.errors import ParameterError
from mnuts_core.functional.mixing import required_alpha
from mnuts_core.functional.paired import Paired
from mnuts_core.functional.statistics import columns, share_of
from mnuts_core.params import MixParams
from mnuts_core.pipeline.pool import BATCH_SIZE, SourcePoints, attack_pool
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.remix.rows import Rows
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.views.sources import sources_words

if TYPE_CHECKING:
    import pandas as pd

Bools = NDArray[np.bool_]

LEVELS = (0.99, 0.95, 0.9, 0.8, 0.97, 0.85, 0.93)
"""Levels β at which Algorithm 1 chooses mixes, until `N_MIXES` are found that the pool does not know."""
PLAIN_LEVELS = (0.95, 0.8, 0.9, 0.99)
"""The same for the plain mix."""
N_MIXES, N_PLAIN = 4, 2
SAME_WEIGHT = 1e-9
"""Mixes whose α differ by less are one."""


def pool(
    bundle: LogitBundle,
    *,
    models: tuple[nn.Module, nn.Module],
    data: tuple[Tensor, Tensor],
    grid: GridSpec | None = None,
    mixes: Sequence[MixParams] | None = None,
    n: int | None = None,
    n_iter: int = N_ITER,
    n_targets: int = N_TARGETS,
    components: Sequence[str] = ("apgd-ce", "apgd-t"),
    seed: int = 0,
    batch_size: int = BATCH_SIZE,
    channels_last: bool = False,
    device: str = "auto",
    work_dir: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The attacked accuracy of mixes that no source of the pool attacked, and their own (beyond the paper).

    Args:
        bundle: A bundle with an attacked part and a threat model.
        models: Its accurate and its robust classifier.
        data: The bundle's images (N, C, H, W) in [0, 1] and labels (N,), row by row as in its clean part.
        grid: The grid that mixes are chosen from; the paper's for CIFAR-10 if None.
        mixes: Mixes with α set; if None, four that Algorithm 1 chooses on the pool, and two plain ones.
        n: How many of the attacked images, from the first on; all if None.
        n_iter: Steps of each run of APGD.
        n_targets: Other classes that targeted attacks drive at.
        components: What is run (see `PoolPlan`).
        seed: Seed of the attacks.
        batch_size: Images at a time.
        channels_last: Lay images and weights out as NHWC.
        device: `auto`, `cpu`, `cuda`, ...
        work_dir: Folder for finished batches; the same call goes on from there.
        progress: Called with (work done, work in all).

    Returns:
        One row a mix, all on the same n images: `live`, right at every point of the pool; `own`, right under
        the attack on this very mix, run as if there were only the bundle's first points; `both`, right at
        all of these points; and what these first points alone say: `first`, right there, and `first_margin`,
        M(h) right there with a margin of at least (1-α)/α. All with Wilson intervals, and `live`, `first` and
        `first_margin` less `own` with the paired 95 % interval. `attrs["mixes"]` has the mixes' parameters.

    Raises:
        ParameterError: If n is out of range, a mix is one that the pool knows, models or images are not the
            bundle's, or the bundle records no threat model.
    """
    first = bundle.require_attacked().first
    threat, there = bundle.manifest.threat, bundle.n_adv
    if threat is None:
        raise ParameterError("the bundle must record its threat model for pool, and it records none")
    n = there if n is None else n
    if not 1 <= n <= there:
        raise ParameterError(f"n must lie in [1, {there}], the attacked images, got {n}")
    plan = PoolPlan(
        norm=threat.norm,
        eps=threat.eps,
        n_iter=n_iter,
        n_targets=n_targets,
        components=tuple(components),
        seed=seed,
    )
    cells = grid_or_paper(grid)
    chosen = left_out(bundle, cells) if mixes is None else _checked(bundle, mixes)
    bare = replace(bundle, attacked=first)
    engines = RemixEngine(bundle), RemixEngine(bare)
    table = []
    for number, mix in enumerate(chosen):
        (source,) = attack_pool(
            bare,
            *models,
            *data,
            targets=[PoolTarget(mix)],
            plan=plan,
            n=n,
            batch_size=batch_size,
            channels_last=channels_last,
            progress=_part_of(progress, number, len(chosen)),
            device=device,
            work_dir=None if work_dir is None else Path(work_dir) / f"mix-{number + 1}",
        )
        table.append(_row(bundle, engines, mix, source, n))
    settings = {
        "grid": grid_words(cells),
        "n": n,
        **plan.settings(),
        "sources": sources_words(bundle),
        "optimistic": bundle.manifest.optimistic,
    }
    made = frame("pool", bundle, table, **settings)
    made.attrs["mixes"] = [asdict(mix) for mix in chosen]
    return made


def left_out(bundle: LogitBundle, grid: GridSpec) -> list[MixParams]:
    """Four mixes of Algorithm 1 and two plain ones, β from .8 to .99, that no source of the pool attacked.

    Args:
        bundle: A bundle with an attacked part.
        grid: The grid to search.
    """
    search, engine = grid_search(bundle, grid), RemixEngine(bundle)
    best = (search.at_beta(beta).best.params for beta in LEVELS)
    plain = (engine.plain_mix(beta).params for beta in PLAIN_LEVELS)
    new = [[mix for mix in dict.fromkeys(some) if not attacked_in(bundle, mix)] for some in (best, plain)]
    return new[0][:N_MIXES] + new[1][:N_PLAIN]


def attacked_in(bundle: LogitBundle, mix: MixParams) -> bool:
    """Whether a source of the pool attacked this very mix; β does not count.

    Args:
        bundle: The bundle.
        mix: With α set.
    """
    wanted = asdict(mix.with_(beta=0.0))
    alpha = required_alpha(mix)
    for source in bundle.manifest.sources:
        own = dict(source.params or {})
        known = own.pop("alpha", None)
        same = all(own.get(name) == value for name, value in wanted.items() if name not in ("alpha", "beta"))
        if same and isinstance(known, float) and abs(known - alpha) < SAME_WEIGHT:
            return True
    return False


def _checked(bundle: LogitBundle, mixes: Sequence[MixParams]) -> Sequence[MixParams]:
    for mix in mixes:
        if attacked_in(bundle, mix):
            raise ParameterError(
                f"mixes must be such that the pool does not know, but a source of bundle {bundle.name!r} "
                f"attacked {mix}: leave it out"
            )
    return mixes


def _part_of(
    progress: Callable[[int, int], None] | None, number: int, of: int
) -> Callable[[int, int], None] | None:
    """The progress of one of several attacks as that of all."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, of * total)


def _row(
    bundle: LogitBundle,
    engines: tuple[RemixEngine, RemixEngine],
    mix: MixParams,
    source: SourcePoints,
    n: int,
) -> dict[str, Any]:
    """One mix's row; the engines are those of the pool and of its first points alone."""
    remix, bare = (engine.remix(mix) for engine in engines)
    assert remix.on_images is not None  # there is an attacked part
    assert bare.on_images is not None
    live, first = remix.on_images.mix_right[:n], bare.on_images.mix_right[:n]
    margin = bare.on_images.held(bare.threshold)[:n]
    own = _right_under(bundle, mix, source, n, remix.on_clean.mix_right)
    return {
        "mix": _words(mix),
        "beta": mix.beta,
        "clean": remix.clean.value,
        **columns("live", share_of(live, "attacked")),
        **columns("own", share_of(own, "attacked")),
        **columns("both", share_of(live & own, "attacked")),
        **columns("live_minus_own", Paired.of(live, own).difference),
        **columns("first", share_of(first, "attacked")),
        **columns("first_margin", share_of(margin, "right by margin")),
        **columns("first_minus_own", Paired.of(first, own).difference),
        **columns("first_margin_minus_own", Paired.of(margin, own).difference),
    }


def _words(mix: MixParams) -> str:
    """A mix in a few words: `attrs["mixes"]` has all of it."""
    return f"s {mix.s:.3g}, p {mix.p:.3g}, c {mix.c:.3g}, α {required_alpha(mix):.4g}"


def _right_under(bundle: LogitBundle, mix: MixParams, source: SourcePoints, n: int, clean: Bools) -> Bools:
    """Whether the mix is right at the clean image and at all points of its own attack, shape (n,).

    An image that the attack passed over, since its first point fools both models, is not.
    """
    first = bundle.require_attacked().first
    index = first.index[:n]
    right = clean[index] & ~first.settled[:n]
    if not len(source.index):
        return right
    places = {row: place for place, row in enumerate(index.tolist())}
    of = np.array([places[row] for row in source.index.tolist()], np.int64)
    labels = bundle.clean_labels[source.index]
    rows = Rows(source.std_logits, source.rob_logits, labels, device=torch.device("cpu"), dtype=torch.float64)
    alpha = required_alpha(mix)
    wrong = ~rows.part(mix, (1.0 - alpha) / alpha).mix_right
    return right & ~at_any_point(wrong, of, n)
