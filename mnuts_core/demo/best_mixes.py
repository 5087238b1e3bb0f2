"""The best mixes of a demo pair and the plain ones beside them: refined, verified, all in one pool.

Both levels share one bundle: its pool is refined for one level, then for the other; all mixes are chosen on
what has come of it, verified, and their figures read from the pool with the points of all verifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path

from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool_plan import PoolPlan
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.config import MixConfig
from mnuts_core.models.inputs import Precision
from mnuts_core.params import BETAS, MixParams
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.build import progress_bar
from mnuts_core.pipeline.refine import BY_CLEAN, BY_MARGIN, CHOICE, choice_and_plain, refine
from mnuts_core.pipeline.verify_mixes import verify_mixes
from mnuts_core.search.grids import GridSpec

FILES = {CHOICE: "beta", BY_MARGIN: "plain-bound", BY_CLEAN: "plain-clean"}
"""How the file of a level's mix begins, after the pair's name."""


def refine_and_verify(
    bundle: LogitBundle,
    run: Run,
    work: Path,
    *,
    grid: GridSpec,
    precision: Precision,
    n: int,
    progress: bool = False,
) -> tuple[LogitBundle, dict[str, MixConfig]]:
    """Refine a pair's pool for each of `BETAS`, and verify the choices and their plain mixes.

    Args:
        bundle: The pair's bundle, with MMAA's points.
        run: How attacks are run, on which images, with which models.
        work: Folder for finished parts, by which a killed run goes on.
        grid: Where to search.
        precision: Of APGD's gradients.
        n: How many of the attacked images are verified, the first ones.
        progress: Show a progress bar on standard error.

    Returns:
        The bundle with all points, and the configurations by file name. A plain mix that is already there
        for another reason has no second file.
    """
    threat = bundle.manifest.threat
    assert threat is not None  # an attacked bundle has one
    attack = PoolPlan(norm=threat.norm, eps=threat.eps, precision=precision)
    full = Plan(norm=threat.norm, eps=threat.eps, precision=precision)
    choices: dict[float, MixParams] = {}
    with progress_bar("attack the mixes") if progress else nullcontext() as bar:
        run = run._replace(progress=None if bar is None else lambda _: bar)
        for beta in BETAS:
            own = run._replace(work_dir=work / f"refine-{beta:g}")
            refined = refine(bundle, own, grid=grid, beta=beta, plan=attack)
            bundle, choices[beta] = refined.bundle, refined.rounds[-1].mixes[CHOICE].params
        return verify_mixes(
            bundle, all_mixes(bundle, choices), run._replace(work_dir=work / "verify"), plan=full, n=n
        )


def all_mixes(bundle: LogitBundle, choices: Mapping[float, MixParams]) -> dict[str, MixConfig]:
    """The configurations of the choices and of their plain mixes on a bundle's pool, by file name.

    Args:
        bundle: The refined bundle.
        choices: By level, what was chosen for it.
    """
    configs: dict[str, MixConfig] = {}
    for beta, choice in choices.items():
        for kind, config in choice_and_plain(bundle, choice, beta).items():
            if not _is_among(config.params, configs.values()):
                configs[config_name(bundle.name, beta, kind)] = config
    return configs


def _is_among(params: MixParams, configs: Iterable[MixConfig]) -> bool:
    """Whether one of these is the same plain mix."""
    return params.plain and any(
        config.params.with_(beta=params.beta) == params for config in configs if config.params.plain
    )


def config_name(pair: str, beta: float, kind: str = CHOICE) -> str:
    """The file of one of a pair's configurations.

    Example:
        >>> config_name("digits", 0.985), config_name("digits", 0.95, "plain-by-margin")
        ('digits-beta985.json', 'digits-plain-bound95.json')
    """
    return f"{pair}-{FILES[kind]}{f'{beta:g}'.removeprefix('0.')}.json"


def config_names(pair: str) -> tuple[str, ...]:
    """The files of all of them; see `refine_and_verify` for when one is not written."""
    return tuple(config_name(pair, beta, kind) for beta in BETAS for kind in FILES)
