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

from mnuts_core.attacks.plan import Plan
from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.export.config import MixConfig
from mnuts_core.functional.statistics import Estimate
from mnuts_core.models.inputs import check_count
from mnuts_core.params import IDENTITY, PARAMS, MixParams
from mnuts_core.pipeline.attack_run import Run
from mnuts_core.pipeline.pool import SourcePoints, add_points
from mnuts_core.pipeline.verify_mixes import verify_mixes
from mnuts_core.remix.answers import Remix
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.mild import Mild, mild_best
from mnuts_core.views.tradeoff import best_place, plateau_curve

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
    return Refined(bundle, tuple(finished), choice_and_plain(bundle, finished[-1].mixes[CHOICE].params, beta))


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
        BY_MARGIN: best_place(curve, "clean", "by_margin", choice.by_margin.value),
        BY_CLEAN: best_place(curve, "by_margin", "clean", choice.clean.value),
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


def choice_and_plain(bundle: LogitBundle, choice: MixParams, beta: float) -> dict[str, MixConfig]:
    """The configurations of a choice and the plain mixes beside it on a bundle's pool.

    Args:
        bundle: A bundle with an attacked part.
        choice: Its transform and temperature.
        beta: The level, from which α follows on this pool, and the plain mixes from that.

    Returns:
        By name: `CHOICE`, and `BY_MARGIN` and `BY_CLEAN` if there are such plain mixes, each only once.
    """
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
        ParameterError: As `verify_mixes`.
    """
    bundle, configs = verify_mixes(refined.bundle, refined.configs, run, plan=plan, n=n)
    return replace(refined, bundle=bundle, configs=configs)


def folders_of(work_dir: str | os.PathLike[str]) -> list[Path]:
    """The work folders of a refinement's attacks, as far as they are there."""
    return sorted(path for path in Path(work_dir).glob("[!.]*") if path.is_dir())
