"""`mnuts refine`: search, attack the choice, add the points, search again; resumes."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.attack import Settings, load_pair, plan_of
from mnuts_core.cli.console import STDOUT, note, show, warn, write_json
from mnuts_core.cli.grids import make_grid
from mnuts_core.cli.loading import DataDirOption, DatasetOption
from mnuts_core.cli.options import (
    BatchSizeOption,
    BetaOption,
    BiasRangeOption,
    BundleArgument,
    ChannelsLastOption,
    ComponentsOption,
    DeviceOption,
    EffortOption,
    ForceOption,
    FreshOption,
    GridOption,
    ImagesOption,
    JsonOption,
    NewBundleOption,
    NumberAttackedOption,
    PowerRangeOption,
    PrecisionOption,
    RobOption,
    ScaleRangeOption,
    SeedOption,
    StdOption,
    StepsOption,
    TargetsOption,
    WorkFolderOption,
    check_beta,
    load_bundle,
)
from mnuts_core.cli.precision import AUTO, chosen
from mnuts_core.cli.shared_run import note_resuming, run_shared
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.models.inputs import Progress
    from mnuts_core.pipeline.distributed import World
    from mnuts_core.pipeline.refine import Moved, Refined, Round
    from mnuts_core.search.grids import GridSpec

NAMES = ("choice", "plain-by-margin", "plain-by-clean")
"""The configurations that are written, as `mnuts_core.pipeline.refine` calls them."""


class Task(NamedTuple):
    """What is to be refined, beside how attacks are run."""

    grid: GridSpec
    beta: float
    rounds: int
    verify: int | None
    effort: str


def refine(
    bundle: BundleArgument,
    std: StdOption,
    rob: RobOption,
    data: ImagesOption,
    out: NewBundleOption,
    beta: BetaOption = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Rounds at most.")] = 5,
    grid: GridOption = None,
    s: ScaleRangeOption = None,
    p: PowerRangeOption = None,
    c: BiasRangeOption = None,
    configs: Annotated[
        Path | None, typer.Option("--configs", metavar="DIR", help="For the configurations; by --out.")
    ] = None,
    verify: Annotated[
        int | None,
        typer.Option("--verify", metavar="N", min=1, help="Verify all three on the first N attacked images."),
    ] = None,
    n_adv: NumberAttackedOption = None,
    n_iter: StepsOption = 100,
    n_targets: TargetsOption = 9,
    components: ComponentsOption = "apgd-ce,apgd-t",
    seed: SeedOption = 0,
    batch_size: BatchSizeOption = 250,
    precision: PrecisionOption = AUTO,
    effort: EffortOption = "full",
    channels_last: ChannelsLastOption = False,
    dataset: DatasetOption = None,
    data_dir: DataDirOption = None,
    work_dir: WorkFolderOption = None,
    device: DeviceOption = "auto",
    fresh: FreshOption = False,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Search, attack the choice and the plain mixes beside it, add the points, search again, until it stays.

    Killed, it resumes with the same command from FILE.mnuts-work. Under torchrun, processes share the work.
    """
    given = Settings(
        std, rob, data, [], [], n_adv, n_iter, n_targets, components, seed, batch_size, precision,
        channels_last, dataset, data_dir,
    )  # fmt: skip
    task = Task(make_grid(grid, s, p, c), check_beta(beta), rounds, verify, effort)
    paths = {name: (configs or out.parent) / f"{out.stem}-{name}.json" for name in NAMES}
    outputs = {"--out": out, "--json": json_out, **{f"--configs ({n})": path for n, path in paths.items()}}
    from mnuts_core.pipeline.workfolder import work_folder_of

    work, quiet = work_folder_of(out) if work_dir is None else work_dir, json_out == STDOUT
    run_shared(
        lambda: load_bundle(bundle),
        lambda before, world, anew: _refine(given, task, before, work, world, device, anew, quiet),
        lambda _, refined: _finish(refined, out, paths, work, json_out),
        out=out,
        work=work,
        outputs=outputs,
        device=device,
        fresh=fresh,
        force=force,
    )


def _refine(
    given: Settings,
    task: Task,
    bundle: LogitBundle,
    work: Path,
    world: World,
    device: str,
    fresh: bool,
    quiet: bool,
) -> Refined:
    from mnuts_core.attacks.plan import Plan
    from mnuts_core.pipeline.attack_run import Run
    from mnuts_core.pipeline.build import progress_bar
    from mnuts_core.pipeline.pool import check_n
    from mnuts_core.pipeline.refine import folders_of, refine, verify_refined

    plan, where = plan_of(given, bundle), world.device(device)
    if task.verify is not None:
        check_n(task.verify, bundle.n_adv)
    std, rob, images = load_pair(given, bundle, where)
    folders = [] if fresh else folders_of(work)
    taken = chosen(given, (std.module, rob.module), images.images, where, folders, world)
    plan = replace(plan, precision=taken)
    strength: dict[str, Any] = {
        **{name: getattr(plan, name) for name in ("norm", "eps", "n_iter", "seed", "precision")},
        "effort": task.effort,
    }
    own = Plan(**strength)
    note_resuming(folders_of(work), world, fresh=fresh)

    stdout = sys.stdout

    def report(finished: Round) -> None:
        if world.is_first and not quiet:
            with redirect_stdout(stdout):
                show(round_table(finished))
        for warning in finished.mild.warnings if world.is_first else ():
            warn(warning)

    with progress_bar("attack") as bar, redirect_stdout(sys.stderr):  # a model may print

        def progress(title: str) -> Progress:
            note(f"attack: {title}")
            return bar

        run = Run(
            std.module,
            rob.module,
            images.images,
            images.labels,
            n=given.n_adv,
            batch_size=given.batch_size,
            channels_last=given.channels_last,
            device=where,
            work_dir=work,
            fresh=fresh,
            world=world,
            on_diagnostic=(lambda diagnostic: warn(str(diagnostic))) if world.is_first else None,
            progress=progress if world.is_first else None,
        )
        refined = refine(
            bundle, run, grid=task.grid, beta=task.beta, plan=plan, rounds=task.rounds, on_round=report
        )
        if task.verify is None:
            return refined
        return verify_refined(refined, run, plan=own, n=task.verify)


def _finish(refined: Refined, out: Path, paths: dict[str, Path], work: Path, json_out: str | None) -> None:
    """Save bundle and configurations, clear the work folders, and say what came of it."""
    from mnuts_core.pipeline.refine import folders_of
    from mnuts_core.pipeline.workfolder import discard

    refined.bundle.save(out)
    written = {name: config.save(paths[name]) for name, config in refined.configs.items()}
    if json_out is not None:
        write_json(json_out, to_json(refined, out, written))
    if not refined.converged:
        warn(
            f"the choice's attacked accuracy still moved by {_points(refined.rounds[-1].moved)} in the last "
            "round: give more --rounds"
        )
    if json_out != STDOUT:
        show(final_table(refined), *(f"written: {path}" for path in (out, *written.values())))
    for folder in folders_of(work):
        discard(folder)  # not before the result is out


def to_json(refined: Refined, out: Path, written: dict[str, Path]) -> dict[str, Any]:
    """The refinement as plain JSON.

    Args:
        refined: The result.
        out: Where the bundle is.
        written: Where the configurations are.
    """
    return {
        "path": out,
        "digest": refined.bundle.digest,
        "converged": refined.converged,
        "rounds": [
            {
                "number": each.number,
                "moved": each.moved,
                "passed_over": each.mild.passed_over,
                "warnings": each.mild.warnings,
                "mixes": {name: _moved_card(moved) for name, moved in each.mixes.items()},
            }
            for each in refined.rounds
        ],
        "configs": {
            name: {"path": written[name], "config": json.loads(config.to_json())}
            for name, config in refined.configs.items()
        },
    }


def _moved_card(moved: Moved) -> dict[str, Any]:
    names = ("s", "p", "c", "clamp", "ln_k", "alpha", "temperature")
    figures = {name: getattr(moved, name).to_json() for name in ("clean", "before", "attacked", "by_margin")}
    return {**{name: getattr(moved.params, name) for name in names}, **figures, "moved": moved.by}


def round_table(finished: Round) -> Table:
    """One round: what was attacked, and what its points have changed."""
    from mnuts_core.pipeline.refine import LABELS

    title = f"round {finished.number}: the choice's attacked accuracy moved by {_points(finished.moved)}"
    headings = ("clean %", "attacked %\nbefore", "attacked %", "right by\nmargin %", "moved by\npoints")
    table = _table(title, *headings)
    if over := finished.mild.passed_over:
        table.caption = Text(f"{counted(over, 'better cell')} passed over: on the grid's edge, or not mild")
    for name, moved in finished.mixes.items():
        figures = (moved.clean, moved.before, moved.attacked, moved.by_margin)
        cells = (f"{100 * figure.value:.2f}" for figure in figures)
        params = moved.params
        transform = "" if params.plain else f", s = {params.s:.4g}, p = {params.p:.4g}, c = {params.c:.4g}"
        words = f"{LABELS[name]}\nα = {params.alpha:.6g}{transform}"
        table.add_row(words, *cells, f"{100 * moved.by:.2f}")
    return table


def final_table(refined: Refined) -> Table:
    """The three mixes on the final pool; beside what was verified the attacked accuracy of these images."""
    from mnuts_core.pipeline.refine import LABELS
    from mnuts_core.remix.engine import RemixEngine

    engine = RemixEngine(refined.bundle, device="cpu")
    n = min(config.verified.accuracy.n if config.verified else 0 for config in refined.configs.values())
    same = ("attacked %\nthere", "verified %\nthere") if n else ()
    title = f"on the final pool of {counted(refined.bundle.n_points, 'point')}"
    table = _table(title, "clean %", "attacked %", "right by\nmargin %", *same)
    for name, config in refined.configs.items():
        remix = engine.remix(config.params)
        shares = [each.value for each in (remix.clean, remix.attacked, remix.by_margin) if each is not None]
        if config.verified is not None and remix.on_images is not None:
            shares += [float(remix.on_images.mix_right[:n].mean()), config.verified.accuracy.value]
        cells = (f"{100 * share:.2f}" for share in shares)
        table.add_row(f"{LABELS[name]}\nα = {config.alpha:.6g}", *cells)
    if n:
        table.caption = Text(f"there: on the first {counted(n, 'attacked image')}, verified")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=Text(title, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("mix")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"
