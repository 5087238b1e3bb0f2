"""Several mixes of one bundle verified one after another, all their points in its pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.devices import resolve_device
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.pool import check_n
from mnuts_core.pipeline.verified_points import add_verified, on_bundle, points_of
from mnuts_core.pipeline.verify import evaluate
from mnuts_core.remix.engine import RemixEngine


def verify_mixes(
    bundle: LogitBundle,
    configs: Mapping[str, MixConfig],
    run: Run,
    *,
    plan: Plan,
    n: int,
    so_far: Callable[[str, NDArray[np.bool_]], None] | None = None,
) -> tuple[LogitBundle, dict[str, MixConfig]]:
    """The full adaptive attack on each mix, shared among the run's processes; all points join the pool.

    Args:
        bundle: The bundle.
        configs: The mixes, by a name that is also that of their work folder.
        run: How attacks are run.
        plan: The attack.
        n: On how many of the attacked images, the first ones.
        so_far: Called as images are done, the first ones first, with the mix's name and whether it gets each
            of them right under the attack, bool, shape (n,).

    Returns:
        The bundle with the points, and the configurations with `verified` and all figures on that bundle.

    Raises:
        ParameterError: If an argument is out of range, or images, labels and models do not fit.
    """
    rows = bundle.require_attacked().index[: check_n(n, bundle.n_adv)]
    chosen, where, verified = torch.from_numpy(rows), resolve_device(run.device), dict(configs)

    def seen(name: str, right: NDArray[np.bool_]) -> bool:
        if so_far is not None:
            so_far(name, right)
        return False  # it goes on to the end

    for name, config in configs.items():
        result = evaluate(
            MixedClassifier.from_config(config, run.std_model, run.rob_model).to(where),
            run.images[chosen],
            run.labels[chosen],
            plan=plan,
            batch_size=run.batch_size,
            channels_last=run.channels_last,
            progress=run.progress(f"verify {name}") if run.progress else None,
            enough=partial(seen, name),
            work_dir=run.folder(f"verify-{name}"),
            fresh=run.fresh,
            world=run.world,
        )
        for diagnostic in result.warnings if run.on_diagnostic else ():
            run.on_diagnostic(diagnostic)  # type: ignore[misc]
        verified[name] = result.into(config)
        bundle = add_verified(bundle, verified[name], points_of(result, rows))
    engine = RemixEngine(bundle, device="cpu")
    return bundle, {name: on_bundle(config, engine) for name, config in verified.items()}
