"""`mnuts attack`: more points for a bundle, by attacks on mixes and on the standard model; resumes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich import box
from rich.table import Table

from mnuts_core.cli.console import STDOUT, printable, show, warn, write_json
from mnuts_core.cli.loading import DataDirOption, DatasetOption, load_all
from mnuts_core.cli.options import (
    BatchSizeOption,
    BundleArgument,
    ChannelsLastOption,
    ComponentsOption,
    DeviceOption,
    ForceOption,
    FreshOption,
    ImagesOption,
    JsonOption,
    NewBundleOption,
    NumberAttackedOption,
    PrecisionOption,
    RobOption,
    SeedOption,
    StdOption,
    StepsOption,
    TargetsOption,
    WorkFolderOption,
    component_names,
    load_bundle,
)
from mnuts_core.cli.precision import AUTO, before_models, chosen
from mnuts_core.cli.shared_run import note_resuming, run_shared
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.attacks.pool_plan import PoolPlan, PoolTarget
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.datasets.base import LoadedData
    from mnuts_core.models.specs import LoadedModel
    from mnuts_core.params import MixParams
    from mnuts_core.pipeline.distributed import World
    from mnuts_core.pipeline.pool import SourcePoints

STANDARD = "g"
"""How the standard model is named as a target."""


class Settings(NamedTuple):
    """The options that the points depend on, as given; what they mean is said at `attack`."""

    std: str
    rob: str
    data: str
    on: list[str]
    watch: list[Path]
    n_adv: int | None
    n_iter: int
    n_targets: int
    components: str
    seed: int
    batch_size: int
    precision: str
    channels_last: bool
    dataset: str | None
    data_dir: Path | None


def attack(
    bundle: BundleArgument,
    std: StdOption,
    rob: RobOption,
    data: ImagesOption,
    on: Annotated[
        list[str],
        typer.Option(
            "--on", metavar="[g|FILE.json]", help="What to attack: g alone, or a configuration's mix; again."
        ),
    ],
    out: NewBundleOption,
    watch: Annotated[
        list[Path] | None,
        typer.Option("--watch", metavar="FILE.json", help="Keep this mix's worst points, too; again."),
    ] = None,
    n_adv: NumberAttackedOption = None,
    n_iter: StepsOption = 100,
    n_targets: TargetsOption = 9,
    components: ComponentsOption = "apgd-ce,apgd-t",
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 250,
    precision: PrecisionOption = AUTO,
    channels_last: ChannelsLastOption = False,
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    work_dir: WorkFolderOption = None,
    device: DeviceOption = "auto",
    fresh: FreshOption = False,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Attack mixes without early stopping (B.2.1), and write the bundle with the points that fool them most.

    Killed, it resumes with the same command from FILE.mnuts-work. Under torchrun, processes share the work.
    """
    given = Settings(
        std, rob, data, on, watch or [], n_adv, n_iter, n_targets, components, seed, batch_size, precision,
        channels_last, dataset, data_dir,
    )  # fmt: skip
    if repeated := [name for name in dict.fromkeys(on) if on.count(name) > 1]:
        raise MnutsError(f"--on must name each target once, got {repeated[0]} twice")
    from mnuts_core.pipeline.workfolder import work_folder_of

    work = work_folder_of(out) if work_dir is None else work_dir
    run_shared(
        lambda: load_bundle(bundle),
        lambda before, world, anew: _attack(given, before, work, world, device, anew),
        lambda before, found: _finish(before, dict(zip(on, found, strict=True)), out, work, json_out),
        out=out,
        work=work,
        outputs={"--out": out, "--json": json_out},
        device=device,
        fresh=fresh,
        force=force,
    )


def _attack(
    given: Settings, bundle: LogitBundle, work: Path, world: World, device: str, fresh: bool
) -> tuple[SourcePoints, ...]:
    from mnuts_core.pipeline.build import progress_bar
    from mnuts_core.pipeline.pool import attack_pool

    plan = plan_of(given, bundle)
    targets, watched = targets_of(given, bundle)
    where = world.device(device)
    std, rob, images = load_pair(given, bundle, where)
    folders = [] if fresh else [work]
    taken = chosen(given, (std.module, rob.module), images.images, where, folders, world)
    plan = replace(plan, precision=taken)
    note_resuming([work], world, fresh=fresh)
    with progress_bar("attack") as show_progress, redirect_stdout(sys.stderr):  # a model may print
        return attack_pool(
            bundle,
            std.module,
            rob.module,
            images.images,
            images.labels,
            targets=targets,
            watch=watched,
            plan=plan,
            n=given.n_adv,
            batch_size=given.batch_size,
            channels_last=given.channels_last,
            progress=show_progress if world.is_first else None,
            on_diagnostic=(lambda diagnostic: warn(str(diagnostic))) if world.is_first else None,
            device=where,
            work_dir=work,
            fresh=fresh,
            world=world,
        )


def load_pair(
    given: Settings, bundle: LogitBundle, device: str
) -> tuple[LoadedModel, LoadedModel, LoadedData]:
    """Both models, and the images up to the last one that is attacked.

    Raises:
        MnutsError: If one of them cannot be loaded, or the bundle has no threat model or no attacked part.
    """
    last = int(bundle.require_attacked().index.max())
    return load_all(
        given.std,
        given.rob,
        given.data,
        n=last + 1,
        norm=plan_of(given, bundle).norm,
        dataset=given.dataset,
        data_dir=given.data_dir,
        device=device,
    )


def plan_of(given: Settings, bundle: LogitBundle) -> PoolPlan:
    """The attack that the options mean, under the bundle's threat model.

    Raises:
        MnutsError: If the bundle has none, or an option is out of range.
    """
    from mnuts_core.attacks.pool_plan import PoolPlan

    threat = bundle.manifest.threat
    if threat is None:
        raise MnutsError(
            f"bundle {bundle.name!r} has no threat model, which an attack needs: build it with "
            "`mnuts build`, or import it with --norm and --eps"
        )
    return PoolPlan(
        norm=threat.norm,
        eps=threat.eps,
        n_iter=given.n_iter,
        n_targets=given.n_targets,
        components=component_names(given.components),
        seed=given.seed,
        precision=before_models(given.precision),
    )


def targets_of(given: Settings, bundle: LogitBundle) -> tuple[list[PoolTarget], list[MixParams]]:
    """The targets that `--on` names, and the mixes that `--watch` names.

    Args:
        given: The options.
        bundle: Whose pool is filled: configurations must be of this one.

    Raises:
        ConfigError: If there is no such configuration, or it is of another bundle.
    """
    from mnuts_core.attacks.pool_plan import PoolTarget
    from mnuts_core.export.belonging import Identity
    from mnuts_core.export.config import MixConfig

    identity = Identity(bundle)

    def config(option: str, path: str | Path) -> MixConfig:
        found = MixConfig.load(path)
        identity.check(found, f"{option} {path}")
        return found

    targets = [PoolTarget() if name == STANDARD else PoolTarget.of(config("--on", name)) for name in given.on]
    return targets, [config("--watch", path).params for path in given.watch]


def _finish(
    before: LogitBundle, found: dict[str, SourcePoints], out: Path, work: Path, json_out: str | None
) -> None:
    """Save the bundle with the points, clear the work folder, and say what came of it."""
    from mnuts_core.pipeline.pool import add_points
    from mnuts_core.pipeline.workfolder import discard

    bundle = add_points(before, list(found.values()))
    bundle.save(out)
    if json_out is not None:
        write_json(json_out, to_json(bundle, found, out))
    if json_out != STDOUT:
        show(f"written: {out}", _table(found))
    discard(work)  # not before the result is out


def to_json(bundle: LogitBundle, found: Mapping[str, SourcePoints], out: Path) -> dict[str, Any]:
    """What was found as plain JSON.

    Args:
        bundle: With the points.
        found: The sources by what `--on` named.
        out: Where the bundle is.
    """
    return {
        "path": out,
        "digest": bundle.digest,
        "sources": [
            {
                "on": name,
                "target": str(source.target),
                "plan": source.plan.settings(),
                "images": source.images,
                "settled": source.images - source.unsettled,
                "points": len(source.index),
                "not_finite": source.not_finite,
            }
            for name, source in found.items()
        ],
    }


def _table(found: Mapping[str, SourcePoints]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("attacked")
    for heading in ("images", "settled", "points found"):
        table.add_column(heading, justify="right")
    for name, source in found.items():
        settled = source.images - source.unsettled
        table.add_row(printable(name), f"{source.images:,}", f"{settled:,}", f"{len(source.index):,}")
    return table
