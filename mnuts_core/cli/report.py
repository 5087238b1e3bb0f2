"""`mnuts report`: the paper's main claims on a bundle, printed and written to files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.console import STDOUT, check_outputs, note, printable, progress, show, warn, write_json
from mnuts_core.cli.options import (
    BundleArgument,
    DeviceOption,
    ForceOption,
    JsonOption,
    check_beta,
    load_bundle,
    load_configs,
)
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.report.compute import Report
    from mnuts_core.report.render import Grid

MARKS = {True: "yes", False: "no", None: "?"}


def report(
    bundle: BundleArgument,
    config: Annotated[
        list[Path] | None,
        typer.Option(
            "--config",
            metavar="FILE.json",
            help="A mix to report on, with its verified accuracy if it has one; again for more. Those that "
            "ship with the bundle, if neither this nor --beta is given.",
        ),
    ] = None,
    beta: Annotated[
        list[float] | None,
        typer.Option("--beta", help="Level of a search, instead of configurations; again for more."),
    ] = None,
    paper: Annotated[
        str,
        typer.Option(
            "--paper", metavar="[cifar10|cifar100|imagenet]", help="Whose numbers, and whose grid to search."
        ),
    ] = "cifar10",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to write into; report-BUNDLE.")
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Fig. 5 and Table 1 on a bundle: base classifiers, Mixed and MixedNUTS, beside the paper's numbers.

    Writes report.md, .html, .csv and .png, and each mix that it found itself as a configuration.
    """
    if config and beta:
        raise MnutsError("give --config or --beta, not both: --beta is for the search without configurations")
    check_outputs({"--json": json_out}, force=force)
    levels = [check_beta(level) for level in beta or ()]
    given = load_configs(config or [])
    logits = load_bundle(bundle)
    from mnuts_core.export.config import configs_of
    from mnuts_core.params import BETAS
    from mnuts_core.report.compute import make_report
    from mnuts_core.report.files import check_folder, default_folder, write_report

    chosen = given if given or levels else configs_of(logits)
    configs = [(str(path), found) for path, found in chosen]
    folder = out or default_folder(logits.name)
    check_folder(folder, force=force)
    with progress("search") as advance:
        result = make_report(
            logits,
            configs,
            betas=levels or BETAS,
            paper=paper,
            command=command_line(bundle, config or [], levels, paper, out),
            device=device,
            progress=advance,
        )
    written = write_report(result, logits, folder, force=force, device=device)
    if json_out is not None:
        from mnuts_core.report.wording import to_json

        write_json(json_out, {**to_json(result), "files": written})
    if json_out != STDOUT:
        _print(result)
    _warn(result)
    note(f"written: {', '.join(map(str, written))}")


def command_line(bundle: str, configs: list[Path], betas: list[float], paper: str, out: Path | None) -> str:
    """The command that makes the report again, in a shell's words.

    Example:
        >>> command_line("digits", [], [0.95], "cifar10", None)
        'mnuts report digits --beta 0.95'
    """
    words = ["mnuts", "report", bundle]
    words += [word for path in configs for word in ("--config", str(path))]
    words += [word for level in betas for word in ("--beta", f"{level:g}")]
    words += ["--paper", paper] if paper != "cifar10" else []
    return shlex.join([*words, *(["--out", str(out)] if out else [])])


def _print(result: Report) -> None:
    from mnuts_core.report.claims import statements
    from mnuts_core.report.render import Grid
    from mnuts_core.report.wording import LEGEND, MATCHING, changes_grid, figures_grid, paper_grids

    show(Text(printable(f"MixedNUTS on {result.name}"), style="bold"), *result.missing)
    show(*_stacked(figures_grid(result)), Text(LEGEND, style="dim"))
    if result.trials:
        show(Text(MATCHING, style="dim"), "", Text("error rate changes, as in Table 1", style="bold"))
        show(_table(changes_grid(result)))
    show(Text("the paper's own numbers", style="bold"))
    show(*(_table(block) for block in paper_grids() if isinstance(block, Grid)))
    if claims := statements(result):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("holds")
        table.add_column("what the paper claims, and what the numbers say")
        for claim in claims:
            table.add_row(MARKS[claim.holds], printable(f"{claim.subject}: {claim.text}"))
        show(table)
    facts = [f"{heading}: {printable(text)}" for heading, text in result.provenance.items()]
    show(Text("\n".join(facts), style="dim"))


def _stacked(grid: Grid) -> list[Table]:
    """The figures two by two, since seven columns fit no terminal; empty columns are left out."""
    from mnuts_core.report.wording import NONE

    kept = [place for place in range(2, len(grid.header)) if any(row[place] != NONE for row in grid.rows)]
    pairs = [kept[start : start + 2] for start in range(0, len(kept), 2)]
    return [_table(grid, [0, *([] if number else [1]), *pair]) for number, pair in enumerate(pairs)]


def _table(grid: Grid, places: list[int] | None = None) -> Table:
    shown = list(range(len(grid.header))) if places is None else places
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place in shown:
        table.add_column(grid.header[place], justify="right" if place else "left", no_wrap=place > 0)
    for number, row in enumerate(grid.rows):
        cells = [printable(row[place]) for place in shown]
        table.add_row(*cells, style="bold" if number in grid.strong else "")
    return table


def _warn(result: Report) -> None:
    from mnuts_core.report.wording import warnings

    for warning in warnings(result):
        warn(warning)
