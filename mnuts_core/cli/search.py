"""`mnuts search`: Algorithm 1 over a grid, its best cells, and what the best one does; or a direct search."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.clamps import check_clamp
from mnuts_core.cli.answers import (
    bundle_card,
    describe,
    headline_table,
    legend,
    mix_card,
    mix_headline,
    title,
)
from mnuts_core.cli.console import STDOUT, check_outputs, note, progress, show, warn, write_json, write_text
from mnuts_core.cli.direct import check_condition, report_direct
from mnuts_core.cli.grids import DEFAULT_GRID, STEPS, check_grid_file, grid_file_text, make_grid
from mnuts_core.cli.options import (
    DEFAULT_CLAMP,
    DEFAULT_LN_K,
    BetaOption,
    BiasRangeOption,
    BundleArgument,
    ClampOption,
    ConditionalOption,
    DeviceOption,
    ForceOption,
    GridOption,
    JsonOption,
    LnKOption,
    PowerRangeOption,
    ScaleRangeOption,
    WidenOption,
    check_beta,
    load_bundle,
)
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.params import MixParams
    from mnuts_core.search.grids import GridSpec
    from mnuts_core.search.result import Cell, GridSearchResult

MAX_LOSS = 0.001


def search(
    bundle: BundleArgument,
    beta: BetaOption = None,
    clean_at_least: Annotated[
        float | None,
        typer.Option(
            "--clean-at-least",
            metavar="X",
            help="Instead of Algorithm 1: highest attacked accuracy at this clean accuracy; 0.95 is 95 %.",
        ),
    ] = None,
    attacked_at_least: Annotated[
        float | None,
        typer.Option(
            "--attacked-at-least",
            metavar="Y",
            help="Instead of Algorithm 1: highest clean accuracy at this attacked accuracy.",
        ),
    ] = None,
    grid: GridOption = None,
    s: ScaleRangeOption = None,
    p: PowerRangeOption = None,
    c: BiasRangeOption = None,
    steps: Annotated[int, typer.Option("--steps", help="Values per range.")] = STEPS,
    clamp: ClampOption = DEFAULT_CLAMP,
    ln_k: LnKOption = DEFAULT_LN_K,
    conditional: ConditionalOption = False,
    quantile: Annotated[
        str,
        typer.Option("--quantile", metavar="[linear|lower]", help="lower never undercuts β."),
    ] = "linear",
    clean: Annotated[
        str,
        typer.Option(
            "--clean", metavar="[attacked|all]", help="Clean rows to search on: the attacked, or all."
        ),
    ] = "attacked",
    points: Annotated[
        str,
        typer.Option("--points", metavar="[pool|mmaa]", help="Attacked points for q: all, or MMAA's alone."),
    ] = "pool",
    max_accuracy_loss: Annotated[
        float | None,
        typer.Option(
            "--max-accuracy-loss",
            help=f"Leave out cells where M costs h more of its accuracy than this; {MAX_LOSS} if not given.",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="The paper's plain rule: no cell is left out for its losses.")
    ] = False,
    widen: WidenOption = 0,
    top: Annotated[int, typer.Option("--top", min=1, help="Cells to list.")] = 10,
    save_grid: Annotated[
        str | None,
        typer.Option(
            "--save-grid",
            metavar="FILE[:ENTRY]",
            help="Write the grid as .yaml or .json; ENTRY, DATASET/MODEL: in the authors' form.",
        ),
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
    csv_out: Annotated[
        str | None, typer.Option("--csv", metavar="OUT", help="Every cell as CSV; - for standard output.")
    ] = None,
) -> None:
    """Find the best transform: by Algorithm 1 for a level β, or directly for a clean or attacked accuracy."""
    if json_out == csv_out == STDOUT:
        raise MnutsError("--json and --csv cannot both go to standard output: give one of them a file")
    if plain and max_accuracy_loss is not None:
        raise MnutsError("give --max-accuracy-loss or --plain, not both")
    grid_out = check_grid_file(save_grid)
    check_outputs({"--json": json_out, "--csv": csv_out, "--save-grid": grid_out}, force=force)
    condition = check_condition(clean_at_least, attacked_at_least)
    level, cells = check_beta(beta), make_grid(grid, s, p, c, steps)
    kind = check_clamp(clamp)
    if save_grid is not None:
        write_text(str(grid_out), grid_file_text(cells, save_grid, kind))
    most_lost = None if plain else MAX_LOSS if max_accuracy_loss is None else max_accuracy_loss
    if condition is not None:
        needless = {
            "--beta": beta is not None, "--conditional": conditional, "--quantile": quantile != "linear",
            "--points": points != "pool", "--widen": widen > 0,
        }  # fmt: skip
        _refuse_options([option for option, given in needless.items() if given])
        params = report_direct(
            load_bundle(bundle),
            cells,
            condition,
            clamp=clamp,
            ln_k=ln_k,
            clean=clean,
            max_accuracy_loss=most_lost,
            device=device,
            json_out=json_out,
            csv_out=csv_out,
        )
        if STDOUT not in (json_out, csv_out):
            note(f"keep the best with: {export_words(bundle, params, None)}")
        return
    logits = load_bundle(bundle)
    result = run_search(
        logits,
        cells,
        level,
        widen=widen,
        clamp=clamp,
        ln_k=ln_k,
        conditional=conditional,
        quantile=quantile,
        clean=clean,
        points=points,
        max_accuracy_loss=most_lost,
        device=device,
    )
    _report(logits, result, top, device, json_out, csv_out)
    if grid is None and None in (s, p, c):
        note(f"no --grid given: the ranges that were not given are the paper's for {DEFAULT_GRID}")
    if STDOUT not in (json_out, csv_out):
        note(f"keep the best with: {export_command(bundle, result)}")


def _refuse_options(needless: list[str]) -> None:
    """Refuse what belongs to Algorithm 1 alone."""
    if needless:
        raise MnutsError(
            f"{', '.join(needless)}: only for Algorithm 1; leave out, or search without --clean-at-least and "
            "--attacked-at-least"
        )


def export_command(bundle: str, result: GridSearchResult) -> str:
    """The command line that writes the best cell of a search as a configuration."""
    follows = result.quantile_method == "linear" and result.points == "pool"
    return export_words(bundle, result.best.params, result.beta if follows else None)


def export_words(bundle: str, params: MixParams, beta: float | None) -> str:
    """The command line that writes a mix as a configuration.

    Args:
        bundle: Name or path of the bundle.
        params: The mix, α filled in.
        beta: The level from which its α follows; None to give α itself.
    """
    point = f"--s {params.s!r} --p {params.p!r} --c {params.c!r}"
    level = f"--alpha {params.alpha!r}" if beta is None else f"--beta {beta!r}"
    transform = f"--clamp {params.clamp} --ln-k {params.ln_k}"
    return f"mnuts export {shlex.quote(bundle)} {point} {level} {transform} --out mix.json"


def run_search(
    bundle: LogitBundle, grid: GridSpec, beta: float, *, widen: int = 0, **settings: Any
) -> GridSearchResult:
    """Search with a progress bar, and again on wider grids while the best cell sits on an edge.

    Args:
        bundle: The bundle.
        grid: The first grid.
        beta: The level.
        widen: How many times to widen at most.
        **settings: As `grid_search` takes them.
    """
    from mnuts_core.search.algorithm1 import grid_search

    with progress("search") as advance:
        result = grid_search(bundle, grid, beta, progress=advance, **settings)
        for _ in range(widen):
            if not result.edges:
                break
            note(f"best at {_place(result.best)}, on the edge of {', '.join(result.edges)}: widening")
            result = grid_search(bundle, result.widened_grid(), beta, progress=advance, **settings)
    return result


def _report(
    bundle: LogitBundle,
    result: GridSearchResult,
    top: int,
    device: str,
    json_out: str | None,
    csv_out: str | None,
) -> None:
    from mnuts_core.remix.engine import RemixEngine

    params = result.best.params.with_(alpha=None)
    figures = mix_headline(
        RemixEngine(bundle, device=device, points=result.points), params, result.quantile_method
    )
    if csv_out is not None:
        write_text(csv_out, result.to_frame().to_csv(index=False))
    if json_out is not None:
        answer = {"bundle": bundle_card(bundle), **search_card(result, top), "mix": mix_card(figures, True)}
        write_json(json_out, answer)
    if STDOUT not in (json_out, csv_out):
        show(cells_table(result, top), _basis(result), "")
        show(headline_table(figures, f"the best cell on {title(figures, describe(bundle), True)}"), "")
        show(legend(figures.rows, bundle))
    for warning in (*result.warnings, *figures.remix.warnings):
        warn(warning)
    if result.edges:
        note("--widen 1 searches on beyond the edge")


def cells_table(result: GridSearchResult, top: int) -> Table:
    """The best cells as a table."""
    shape = " × ".join(map(str, result.grid.shape))
    table = Table(
        title=Text(f"best cells of {shape} ({result.grid.name}) at β = {result.beta:g}", style="bold"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
    )
    headings = ("", "s", "p", "c", f"wrong kept\nof {result.n_wrong:,}", "q", "α")
    for heading in (*headings, "M costs\npoints", "M changes %\nclean / adv"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in result.ranked(top):
        table.add_row(*_cell_words(result, cell), style="bold" if cell is result.best else "")
    return table


def _cell_words(result: GridSearchResult, cell: Cell) -> list[str]:
    params, place = cell.params, cell.index
    kept = round(cell.objective * result.n_wrong)
    tie = "tie" if cell.objective == result.best.objective else ""
    return [
        "best" if cell is result.best else tie,
        *(f"{value:.4g}" for value in (params.s, params.p, params.c)),
        f"{kept:,} ({100 * cell.objective:.1f} %)",
        f"{cell.quantile:.3g}",
        f"{params.alpha:.7g}",
        f"{100 * result.accuracy_loss[place]:.2f}",
        f"{100 * result.clean_changes[place]:.2f} / {100 * result.attacked_changes[place]:.2f}",
    ]


def _basis(result: GridSearchResult) -> Text:
    which = "h is wrong and g right on" if result.conditional else "h is wrong on"
    lines = (
        f"{len(result.ties):,} of {result.grid.size:,} cells share the best objective, wrong kept: {which} "
        f"{result.n_wrong:,} of {result.n_clean:,} clean",
        "examples; where M(h) keeps a margin ≥ q there, g cannot correct the mistake. Fewer is better.",
        f"q: {1 - result.beta:.4g}-quantile ({result.quantile_method}) of M(h)'s margins at the "
        f"{result.n_right:,} of {result.n_attacked:,} attacked examples",
        "that h gets right; α = 1/(1+q). M costs, M changes: against h alone, in accuracy and predictions.",
    )
    return Text("\n".join(lines), style="dim")


def search_card(result: GridSearchResult, top: int) -> dict[str, Any]:
    """A search in a JSON answer: what was asked, the best cells, and all tables."""
    from mnuts_core.search.result import TABLES

    asked = ("beta", "clamp", "ln_k", "conditional", "clean", "points", "max_accuracy_loss")
    counts = ("n_clean", "n_wrong", "n_attacked", "n_right")
    return {
        "grid": {"name": result.grid.name, "shape": result.grid.shape, **result.grid.axes()},
        "settings": {name: getattr(result, name) for name in asked} | {"quantile": result.quantile_method},
        "counts": {name: getattr(result, name) for name in counts},
        "best": _cell_card(result.best),
        "ties": [_cell_card(cell) for cell in result.ties],
        "top": [_cell_card(cell) for cell in result.ranked(top)],
        "edges": result.edges,
        "warnings": result.warnings,
        "tables": {name: getattr(result, name) for name in TABLES},
    }


def _cell_card(cell: Cell) -> dict[str, Any]:
    params = {name: getattr(cell.params, name) for name in ("s", "p", "c", "alpha")}
    return {"index": cell.index, **params, "objective": cell.objective, "quantile": cell.quantile}


def _place(cell: Cell) -> str:
    return f"s = {cell.params.s:.4g}, p = {cell.params.p:.4g}, c = {cell.params.c:.4g}"
