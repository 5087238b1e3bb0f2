"""`mnuts evaluate`: an adaptive attack on a configuration's mix, and its result in the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mnuts_core.cli.console import check_outputs
from mnuts_core.cli.loading import DataDirOption, DatasetOption
from mnuts_core.cli.options import (
    BatchSizeOption,
    ChannelsLastOption,
    DeviceOption,
    EffortOption,
    ForceOption,
    FreshOption,
    JsonOption,
    PrecisionOption,
    RobOption,
    SeedOption,
    StdOption,
    StepsOption,
)
from mnuts_core.cli.precision import AUTO
from mnuts_core.cli.shared_run import check, run_shared
from mnuts_core.cli.verify import Settings, Targets, Task, attack_mix, finish
from mnuts_core.errors import MnutsError, ParameterError


def evaluate(
    config: Annotated[Path, typer.Argument(help="A configuration written by `mnuts export`.")],
    std: StdOption,
    rob: RobOption,
    data: Annotated[str, typer.Option("--data", metavar="SPEC", help="The images.")],
    attack: Annotated[
        str,
        typer.Option(
            "--attack", metavar="[transfer|bypass|autoattack]", help="B.2.1, B.2.2, the library's own."
        ),
    ] = "transfer",
    surrogate: Annotated[
        list[str] | None,
        typer.Option(
            "--surrogate",
            metavar="[auxiliary|bypass|soft|plain]",
            help="Run APGD along its gradients, too; again for more. What breaks along one is broken.",
        ),
    ] = None,
    n: Annotated[int | None, typer.Option("--n", min=1, help="How many images; all if not given.")] = None,
    norm: Annotated[
        str | None, typer.Option("--norm", metavar="[Linf|L2]", help="The configuration's if not given.")
    ] = None,
    eps: Annotated[
        str | None, typer.Option("--eps", metavar="8/255", help="The configuration's if not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.json", help="A new configuration.")
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Write into the configuration.")] = False,
    points: Annotated[
        Path | None,
        typer.Option("--points", metavar="FILE.npz", help="The points found, as data for npz:FILE.npz."),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into", metavar="BUNDLE", help="Add the points to this bundle; --data must be its images."
        ),
    ] = None,
    out_bundle: Annotated[
        Path | None,
        typer.Option(
            "--out-bundle", metavar="FILE", help="Where to write that bundle; in place if not given."
        ),
    ] = None,
    until_different: Annotated[
        Path | None,
        typer.Option(
            "--until-different", metavar="OTHER.json", help="Stop once this verified mix is told apart."
        ),
    ] = None,
    n_iter: StepsOption = 100,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 250,
    precision: PrecisionOption = AUTO,
    effort: EffortOption = "full",
    channels_last: ChannelsLastOption = False,
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    fresh: FreshOption = False,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Attack a mix adaptively (B.2), and write the accuracy that is left into the configuration.

    Images are attacked batch by batch. Stopped, the figures of those that are done are written; the same
    command then resumes from a folder beside the target. Under torchrun, processes share the batches.
    """
    if in_place and out is not None:
        raise MnutsError("give --out or --in-place, not both")
    if out_bundle is not None and into is None:
        raise MnutsError("--out-bundle belongs to --into: give the bundle whose pool the points join")
    from mnuts_core.attacks.plan import ATTACKS
    from mnuts_core.pipeline.workfolder import work_folder_of

    target = config if in_place else out
    outputs = {"--out": out, "--points": points, "--json": json_out, "--out-bundle": out_bundle}
    check_outputs(outputs | {"--in-place": config if in_place else None}, force=True)
    if attack not in ATTACKS:
        raise ParameterError(f"--attack must be one of {', '.join(ATTACKS)}, got {attack!r}")
    given = Settings(
        config, std, rob, data, attack, n, norm, eps, n_iter, seed, batch_size, precision, effort,
        channels_last, dataset, data_dir, tuple(surrogate or ()),
    )  # fmt: skip
    work = work_folder_of(f"{target or config}.{attack}")
    run_shared(
        lambda: Task.of(given, Targets(target, points, json_out), into, out_bundle, until_different, work),
        lambda task, world, anew: attack_mix(
            given, task, world, device, anew, lambda: check(outputs, work, force=force)
        ),
        finish,
        out=out,
        work=work,
        outputs=outputs,
        device=device,
        fresh=fresh,
        force=force,
    )
