"""`mnuts evaluate`: an adaptive attack on a configuration's mix, and its result in the configuration."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from mnuts_core.cli.console import STDOUT, check_outputs, note, progress, show, warn, write_json
from mnuts_core.cli.into import PoolFile
from mnuts_core.cli.loading import DataDirOption, DatasetOption, load_all
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
    check_norm,
    parse_eps,
)
from mnuts_core.cli.precision import before_models, chosen
from mnuts_core.cli.stopping import resumable
from mnuts_core.errors import MnutsError, ParameterError
from mnuts_core.params import check_eps

if TYPE_CHECKING:
    from mnuts_core.attacks.plan import Plan
    from mnuts_core.bundles.manifest import ModelCard, ThreatModel
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.models.passes import Passes
    from mnuts_core.pipeline.verify import Verified

EXPLAINED = (
    "each component attacks what those before it have left; forward, backward: passes through the mix for "
    "each image"
)


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
    n_iter: StepsOption = 100,
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 250,
    precision: PrecisionOption = "full",
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

    Finished parts are kept in a folder beside the target, so that a run that was cut off goes on there. It is
    one process; under torchrun, `mnuts refine --verify` shares this attack among all of them.
    """
    if in_place and out is not None:
        raise MnutsError("give --out or --in-place, not both")
    if out_bundle is not None and into is None:
        raise MnutsError("--out-bundle belongs to --into: give the bundle whose pool the points join")
    target = config if in_place else out
    outputs = {"--out": out, "--points": points, "--json": json_out, "--out-bundle": out_bundle}
    check_outputs(outputs, force=force)
    check_outputs({"--in-place": config if in_place else None}, force=True)
    pool = None if into is None else PoolFile.of(into, out_bundle)
    from mnuts_core.attacks.plan import ATTACKS, Plan
    from mnuts_core.export.config import MixConfig
    from mnuts_core.pipeline.diagnostics import diagnostics_of_config
    from mnuts_core.pipeline.distributed import ALONE
    from mnuts_core.pipeline.locks import refuse_held
    from mnuts_core.pipeline.workfolder import discard, work_folder_of

    mix = MixConfig.load(config)
    threat = _threat(mix, norm, eps)
    if pool is not None:
        check_outputs({"--into": pool.target}, force=True)
        pool.check(mix, str(config), threat)
    if attack not in ATTACKS:
        raise ParameterError(f"--attack must be one of {', '.join(ATTACKS)}, got {attack!r}")
    work = work_folder_of(f"{target or config}.{attack}")
    others = [work_folder_of(f"{target or config}.{other}") for other in ATTACKS if other != attack]
    models = {"std": std, "rob": rob, "data": data, "n": n, "dataset": dataset, "data_dir": data_dir}
    strength: dict[str, Any] = {
        "n_iter": n_iter,
        "seed": seed,
        "precision": before_models(precision),
        "effort": effort,
    }
    plan = Plan(norm=threat.norm, eps=threat.eps, attack=attack, **strength)
    run = {"batch_size": batch_size, "channels_last": channels_last, "work_dir": work, "fresh": fresh}
    with resumable(work, ALONE.patience, fresh=fresh):
        for other in others:  # they would write into the same target
            refuse_held(other)
        check_outputs(outputs, force=force)  # who had the folder until now may have written them
        verified, cards = _attack(config, plan, precision, models, run, device, pool)
        diagnostics = [
            *verified.warnings,
            *diagnostics_of_config(mix, threat, verified.clean, _bundle_cards(mix), cards),
        ]
        verified = verified._replace(warnings=tuple(diagnostics))
        check_outputs(outputs, force=force)  # and so may any program meanwhile
        if points is not None:
            verified.save_points(points)
        result = verified.into(mix)
        if pool is not None:
            result = pool.add(verified, result)
        if target is not None:
            result.save(target)
        for diagnostic in diagnostics:
            warn(str(diagnostic))
        if json_out is not None:
            write_json(json_out, to_json(verified, threat, target, result, pool))
        if json_out != STDOUT:
            show(*report(verified, threat, result, target, pool))
        discard(work)  # not before the result is out


def _threat(config: MixConfig, norm: str | None, eps: str | None) -> ThreatModel:
    """The threat model that was given, else the configuration's."""
    from mnuts_core.attacks.norms import make_ball
    from mnuts_core.bundles.manifest import ThreatModel

    known = config.threat
    if known is None and (norm is None or eps is None):
        raise MnutsError("the configuration has no threat model: give --norm and --eps")
    chosen = check_norm(norm) if norm is not None else (known and known.norm)
    radius = parse_eps(eps) if eps is not None else (known and known.eps)
    ball: dict[str, Any] = {"norm": chosen, "eps": radius}
    make_ball(**ball)
    check_eps(ball["norm"], ball["eps"])
    return ThreatModel(**ball)


def _attack(
    config: Path,
    plan: Plan,
    precision: str,
    models: dict[str, Any],
    run: dict[str, Any],
    device: str,
    pool: PoolFile | None,
) -> tuple[Verified, tuple[ModelCard, ...]]:
    """Load models and images, and attack; the result, and the cards of both models."""
    from mnuts_core.devices import resolve_device
    from mnuts_core.export.classifier import MixedClassifier
    from mnuts_core.pipeline.verify import evaluate as attack_mix

    where = resolve_device(device)
    std, rob, data = load_all(**models, norm=plan.norm, device=str(where))
    model = MixedClassifier.from_config(config, std.module, rob.module)
    folders = [] if run["fresh"] else [run["work_dir"]]
    taken = chosen(precision, (std.module, rob.module), data.images, str(where), folders)
    plan = replace(plan, precision=taken)
    if pool is not None:
        pool.check_images((std.module, rob.module), data, where, run["batch_size"])
    note(f"{plan.attack}, {plan.threat}: {len(data.labels):,} images on {where}")
    with progress("attack") as bar, redirect_stdout(sys.stderr):  # a model may print
        verified = attack_mix(
            model,
            data.images,
            data.labels,
            plan=plan,
            progress=lambda done, total: bar(done / total),
            **run,
        )
    return verified, (std.card, rob.card)


def _bundle_cards(config: MixConfig) -> tuple[ModelCard, ...]:
    """The cards of the models behind the configuration's bundle, if that very bundle is at hand."""
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.library import all_bundles
    from mnuts_core.export.belonging import belongs

    path = all_bundles().get(config.bundle.name) if config.bundle else None
    if path is None or config.bundle is None:
        return ()
    bundle = LogitBundle.load(path)
    return (bundle.manifest.std_model, bundle.manifest.rob_model) if belongs(config, bundle) else ()


def to_json(
    verified: Verified, threat: ThreatModel, target: Path | None, config: MixConfig, pool: PoolFile | None
) -> dict[str, Any]:
    """The result as plain JSON."""
    return {
        "path": target,
        "bundle": None if pool is None else {"path": pool.target, "points": pool.added},
        "accuracy": verified.accuracy.to_json(),
        "clean": verified.clean.to_json(),
        "components": [
            {
                "name": part.name,
                "broken": part.broken,
                **part.accuracy.to_json(),
                "passes": part.passes and part.passes._asdict(),
            }
            for part in verified.components
        ],
        "threat": threat.model_dump(),
        "attack": verified.attack,
        "settings": verified.settings,
        "warnings": [diagnostic._asdict() for diagnostic in verified.warnings],
        "digest": verified.digest,
        "config": json.loads(config.to_json()),
    }


def report(
    verified: Verified, threat: ThreatModel, config: MixConfig, target: Path | None, pool: PoolFile | None
) -> Sequence[str | Table]:
    """The result as a table, and what the configuration had estimated."""
    table = Table(box=box.SIMPLE)
    table.add_column("after")
    for column in ("right, %", "95 % interval", "broken", "forward", "backward"):
        table.add_column(column, justify="right")
    table.add_row("no attack", *_cells(verified.clean), "", "", "")
    for part in verified.components:
        table.add_row(part.name, *_cells(part.accuracy), f"{part.broken:,}", *_passes(part.passes))
    table.add_section()
    table.add_row("verified", *_cells(verified.accuracy), "", *_passes(verified.passes), style="bold")
    heading = f"{verified.attack}; {threat}; n = {verified.accuracy.n:,}"
    lines: list[str | Table] = [heading, table, EXPLAINED]
    if config.estimates is not None:
        cards = (config.estimates.attacked, config.estimates.by_margin)
        estimates = [f"{card.kind} {100 * card.value:.2f} % (n = {card.n:,})" for card in cards if card]
        where = "from cached logits" if pool is None else "from cached logits, these points included"
        lines += [f"{where}: {', '.join(estimates)}"] if estimates else []
    written = f"written: {target}" if target else "not written: give --out FILE.json or --in-place"
    if pool is not None:
        lines.append(f"written: {pool.target}, with {pool.added:,} more points")
    return [*lines, written]


def _passes(passes: Passes | None) -> tuple[str, str]:
    return ("–", "–") if passes is None else (f"{passes.forward:,.0f}", f"{passes.backward:,.0f}")


def _cells(figure: Estimate) -> tuple[str, str]:
    low, high = figure.interval
    return f"{100 * figure.value:.2f}", f"[{100 * low:.2f}, {100 * high:.2f}]"
