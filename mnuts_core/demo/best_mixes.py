"""The best mixes of a demo pair: chosen by Algorithm 1, attacked adaptively, written as configurations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from torch import nn

from mnuts_core.attacks.plan import Plan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.datasets.base import LoadedData
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.models.inputs import Precision
from mnuts_core.params import BETAS
from mnuts_core.pipeline.build import progress_bar
from mnuts_core.pipeline.verify import evaluate
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import GridSearchResult


def choose_and_verify(
    bundle: LogitBundle,
    std: nn.Module,
    rob: nn.Module,
    images: LoadedData,
    grids: Sequence[GridSpec],
    folder: Path,
    *,
    work: Path,
    device: str = "cpu",
    precision: Precision,
    progress: bool = False,
) -> tuple[Path, ...]:
    """For each of `BETAS` the best mix of all grids, attacked adaptively (B.2.1), as `NAME-betaB.json`.

    Args:
        bundle: The pair's bundle.
        std: The accurate network.
        rob: The robust one.
        images: What is attacked, the bundle's first images.
        grids: Where to search; a later grid's best counts only if it is better by an example or more.
        folder: Where the configurations go.
        work: Folder for finished parts of the attacks.
        device: Where to compute.
        precision: Of APGD's gradients.
        progress: Show progress bars on standard error.
    """
    threat = bundle.manifest.threat
    assert threat is not None  # an attacked bundle has one
    plan = Plan(norm=threat.norm, eps=threat.eps, precision=precision)
    engine, paths = RemixEngine(bundle), []
    for beta in BETAS:
        found = best_of([grid_search(bundle, grid, beta) for grid in grids])
        config = MixConfig.from_remix(engine, found.best.params.with_(alpha=None, beta=beta))
        with progress_bar(f"verify β = {beta:g}") if progress else nullcontext() as show:
            verified = evaluate(
                MixedClassifier.from_config(config, std, rob).to(device),
                images.images,
                images.labels,
                plan=plan,
                channels_last=True,
                progress=show,
                work_dir=work / f"verify-{beta:g}",
            )
        paths.append(verified.into(config).save(folder / config_name(bundle.name, beta)))
    return tuple(paths)


def best_of(results: Sequence[GridSearchResult]) -> GridSearchResult:
    """The search with the lowest objective; the first of those within one example of it."""
    least = min(result.best.objective + 1 / result.n_wrong for result in results)
    return next(result for result in results if result.best.objective < least)


def config_name(bundle: str, beta: float) -> str:
    """The file of a pair's configuration.

    Example:
        >>> config_name("digits", 0.985)
        'digits-beta985.json'
    """
    return f"{bundle}-beta{f'{beta:g}'.removeprefix('0.')}.json"
