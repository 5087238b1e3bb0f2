"""Refinement: search on the pool, attack what was chosen, add the points, and search again.

As in program synthesis by counterexamples: each round's attack shows where the choice looked better than it
is. The plain mixes that the choice will be compared with are attacked beside it, equally hard, or else the
comparison would favour them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.devices import resolve_device
from mnuts_core.export.classifier import MixedClassifier
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.models.inputs import Progress, check_count
from mnuts_core.params import IDENTITY, PARAMS, MixParams
from mnuts_core.pipeline.diagnostics import Diagnostic
from mnuts_core.pipeline.distributed import ALONE, World
from mnuts_core.pipeline.pool import BATCH_SIZE, SourcePoints, add_points, attack_pool, check_n
from mnuts_core.pipeline.verified_points import add_verified, on_bundle, points_of
from mnuts_core.pipeline.verify import evaluate
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.mild import Mild, mild_best
from mnuts_core.views.tradeoff import best_bound, best_clean, plateau_curve

CHOICE, BY_MARGIN, BY_CLEAN = "choice", "plain-by-margin", "plain-by-clean"
LABELS = {
    CHOICE: "the choice",
    BY_MARGIN: "plain mix, same accuracy by margin",
    BY_CLEAN: "plain mix, same clean accuracy",
}
"""The mixes that are attacked in each round, in words."""
ROUNDS = 5
SETTLED = 0.002
"""The choice's attacked accuracy has to move by less than this in a round for it to be the last one."""

Mixes = dict[str, MixParams]


class Moved(NamedTuple):
    """One mix in one round.

    Attributes:
        params: The mix, its α filled in.
        clean: Its clean accuracy.
        before: Its attacked accuracy at the points that the pool held before this round's attack.
        attacked: The same with the points of this round.
        by_margin: Its accuracy by margin at all these.
    """

    params: MixParams
    clean: Estimate
    before: Estimate
    attacked: Estimate
    by_margin: Estimate

    @property
    def by(self) -> float:
        """By how much its attacked accuracy has moved, as a share."""
        return abs(self.before.value - self.attacked.value)


class Round(NamedTuple):
    """One round.

    Attributes:
        number: From 1.
        mixes: What was attacked: `CHOICE`, and `BY_MARGIN` and `BY_CLEAN` if there are such plain mixes.
        mild: The search's choice, and what was passed over for it.
        sources: What the attacks found.
    """

    number: int
    mixes: dict[str, Moved]
    mild: Mild
    sources: tuple[SourcePoints, ...]

    @property
    def moved(self) -> float:
        """By how much the choice's attacked accuracy has moved, as a share."""
        return self.mixes[CHOICE].by


@dataclass(frozen=True, eq=False)
class Refined:
    """What a refinement ends with.

    Attributes:
        bundle: With the points of all rounds, and of the verifications.
        rounds: One after another.
        configs: The choice and its plain mixes with their figures on that bundle.
    """

    bundle: LogitBundle
    rounds: tuple[Round, ...]
    configs: dict[str, MixConfig]

    @property
    def converged(self) -> bool:
        """Whether the last round moved the choice's attacked accuracy by less than `SETTLED`."""
        return self.rounds[-1].moved < SETTLED


class Run(NamedTuple):
    """How attacks are run, whatever they attack.

    Attributes:
        std_model: g.
        rob_model: h.
        images: Those of the bundle's clean rows in their order, at least up to the last attacked one.
        labels: Their true classes.
        n: How many of the attacked images; all if None.
        batch_size: Images at a time.
        channels_last: Lay images and weights out as NHWC.
        device: Where to compute.
        work_dir: Folder with a folder for each attack, by which a run that was cut off goes on; or None.
        fresh: Throw away what is there.
        world: The processes that share the work.
        on_diagnostic: Called with what puts the points in question.
        progress: For the title of an attack, what is called with (work done, work in all); or None.
    """

    std_model: nn.Module
    rob_model: nn.Module
    images: Tensor
    labels: Tensor
    n: int | None = None
    batch_size: int = BATCH_SIZE
    channels_last: bool = False
    device: str | torch.device = "auto"
    work_dir: str | os.PathLike[str] | None = None
    fresh: bool = False
    world: World = ALONE
    on_diagnostic: Callable[[Diagnostic], None] | None = None
    progress: Callable[[str], Progress] | None = None

    def folder(self, name: str) -> Path | None:
        """The work folder of one attack."""
        return None if self.work_dir is None else Path(self.work_dir) / name

    def attack(
        self, bundle: LogitBundle, targets: tuple[PoolTarget, ...], plan: PoolPlan, name: str
    ) -> tuple[SourcePoints, ...]:
        """The points that attacks on these targets find."""
        return attack_pool(
            bundle,
            self.std_model,
            self.rob_model,
            self.images,
            self.labels,
            targets=targets,
            plan=plan,
            n=self.n,
            batch_size=self.batch_size,
            channels_last=self.channels_last,
            progress=self.progress(name) if self.progress else None,
            on_diagnostic=self.on_diagnostic,
            device=self.device,
            work_dir=self.folder(name),
            fresh=self.fresh,
            world=self.world,
        )


def refine(
    bundle: LogitBundle,
    run: Run,
    *,
    grid: GridSpec,
    beta: float,
    plan: PoolPlan,
    rounds: int = ROUNDS,
    on_round: Callable[[Round], None] | None = None,
) -> Refined:
    """Search, attack the choice, add the points, search again, until the choice's attacked accuracy stays.

    The choice is the best mild cell of the grid by Algorithm 1 on the pool (`search.mild`). The plain mixes
    beside it are those of the highest clean accuracy at its accuracy by margin, and of the highest accuracy
    by margin at its clean accuracy. If no attack on g is in the pool, that is run first.

    Args:
        bundle: A bundle with an attacked part.
        run: Models, images, and how attacks are run.
        grid: The candidates.
        beta: The level β.
        plan: How each target is attacked. A round adds its number to the seed: what one has missed from one
            start, another may find.
        rounds: At most so many.
        on_round: Called after each round.

    Raises:
        ParameterError: If an argument is out of range, images, labels or models are not the bundle's, or a
            model lets no gradients through.
        WorkFolderError: If the work folder was begun with other settings, is in use, or cannot be written.
    """
    beta, rounds = PARAMS["beta"].check(beta), check_count("rounds", rounds, 1)
    if not bundle.manifest.std_attacked:
        bundle = add_points(bundle, run.attack(bundle, (PoolTarget(),), plan, "g"))
    finished: list[Round] = []
    for number in range(1, rounds + 1):
        mild, mixes = _choose(bundle, grid, beta)
        engine = RemixEngine(bundle, device="cpu")
        targets = tuple(_target(engine, params) for params in mixes.values())
        own = replace(plan, seed=plan.seed + number)
        sources = run.attack(bundle, targets, own, f"round-{number}")
        bundle = add_points(bundle, sources)
        finished.append(Round(number, _moved(mixes, engine, bundle), mild, sources))
        if on_round is not None:
            on_round(finished[-1])
        if finished[-1].moved < SETTLED:
            break
    return Refined(bundle, tuple(finished), _configs(bundle, finished[-1].mixes[CHOICE].params, beta))


def _choose(bundle: LogitBundle, grid: GridSpec, beta: float) -> tuple[Mild, Mixes]:
    """The best mild cell, and the mixes to attack: that one and its plain ones."""
    mild = mild_best(grid_search(bundle, grid, beta, device="cpu"), bundle)
    choice = RemixEngine(bundle, device="cpu").remix(mild.cell.params)
    return mild, {CHOICE: choice.params, **_plain_beside(bundle, choice)}


def _plain_beside(bundle: LogitBundle, choice: Remix) -> Mixes:
    """The plain mixes that a choice is compared with: each only if some α reaches it, and both only once."""
    assert choice.by_margin is not None  # the bundle has an attacked part
    curve = plateau_curve(RemixEngine(bundle, device="cpu"), IDENTITY)
    places = {
        BY_MARGIN: best_clean(curve, choice.by_margin.value),
        BY_CLEAN: best_bound(curve, choice.clean.value),
    }
    mixes: Mixes = {}
    for name, place in places.items():
        if place is not None and (params := IDENTITY.with_(alpha=float(curve.alpha[place]))) not in (
            mixes.values()
        ):
            mixes[name] = params
    return mixes


def _target(engine: RemixEngine, params: MixParams) -> PoolTarget:
    """A mix with the auxiliary classifier that its configuration would have."""
    return PoolTarget.of(MixConfig.from_remix(engine, params))._replace(params=params)


def _moved(mixes: Mixes, before: RemixEngine, bundle: LogitBundle) -> dict[str, Moved]:
    """The figures of the mixes before and after a round's points."""
    engine, moved = RemixEngine(bundle, device="cpu"), {}
    for name, params in mixes.items():
        old, new = before.remix(params), engine.remix(params)
        assert old.attacked is not None
        assert new.attacked is not None
        assert new.by_margin is not None
        moved[name] = Moved(params, new.clean, old.attacked, new.attacked, new.by_margin)
    return moved


def _configs(bundle: LogitBundle, choice: MixParams, beta: float) -> dict[str, MixConfig]:
    """The configurations on the final pool, by which α follows from β, and the plain mixes from that."""
    engine = RemixEngine(bundle, device="cpu")
    remix = engine.remix(choice.with_(alpha=None, beta=beta))
    mixes = {CHOICE: remix.params, **_plain_beside(bundle, remix)}
    configs = {name: MixConfig.from_remix(engine, params) for name, params in mixes.items()}
    configs[CHOICE] = configs[CHOICE].model_copy(update={"beta": beta})
    return configs


def verify_refined(refined: Refined, run: Run, *, plan: Plan, n: int) -> Refined:
    """The full adaptive attack on the choice and its plain mixes; its points join the pool.

    Args:
        refined: A refinement.
        run: As it was run.
        plan: The attack.
        n: On how many of the attacked images, the first ones.

    Returns:
        The same with `verified` in all configurations, and all figures on the bundle with these points.

    Raises:
        ParameterError: If an argument is out of range, or images, labels and models do not fit.
    """
    bundle, configs = refined.bundle, dict(refined.configs)
    rows = bundle.require_attacked().index[: check_n(n, bundle.n_adv)]
    chosen, where = torch.from_numpy(rows), resolve_device(run.device)
    for name, config in configs.items():
        verified = evaluate(
            MixedClassifier.from_config(config, run.std_model, run.rob_model).to(where),
            run.images[chosen],
            run.labels[chosen],
            plan=plan,
            batch_size=run.batch_size,
            channels_last=run.channels_last,
            progress=run.progress(f"verify {LABELS[name]}") if run.progress else None,
            work_dir=run.folder(f"verify-{name}"),
            fresh=run.fresh,
            world=run.world,
        )
        for diagnostic in verified.warnings if run.on_diagnostic else ():
            run.on_diagnostic(diagnostic)  # type: ignore[misc]
        configs[name] = verified.into(config)
        bundle = add_verified(bundle, configs[name], points_of(verified, rows))
    engine = RemixEngine(bundle, device="cpu")
    configs = {name: on_bundle(config, engine) for name, config in configs.items()}
    return replace(refined, bundle=bundle, configs=configs)


def folders_of(work_dir: str | os.PathLike[str]) -> list[Path]:
    """The work folders of a refinement's attacks, as far as they are there."""
    return sorted(path for path in Path(work_dir).glob("[!.]*") if path.is_dir())
