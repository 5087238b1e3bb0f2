"""`mnuts gain`: where mixes on a bundle stand among RobustBench's entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import NONE, bundle_card, describe
from mnuts_core.cli.console import STDOUT, check_outputs, printable, show, warn, write_json
from mnuts_core.cli.options import DeviceOption, ForceOption, JsonOption, load_bundle, load_configs
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.leaderboard import Entry, Leaderboard
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.views.leaderboard import Rank, Standing

NAMED = 2
"""So many entries are named that dominate a mix, or that it dominates; the JSON has all."""
COLUMNS = (
    "clean, %",
    "place",
    "robust, %",
    "place",
    "to the\nfrontier",
    "short of\nrobust",
    "short of\nclean",
)
MEANING = (
    "place: among the entries and the mix, below it at the ends of its 95 % interval. to the frontier: "
    "points by which both accuracies must rise until no entry dominates it; negative where none does. short: "
    "of the best entry that is at least as clean, or as robust. Entries: AutoAttack, all test images."
)


def gain(
    rob: Annotated[
        str, typer.Option("--rob", metavar="BUNDLE", help="A bundle on RobustBench's own test images.")
    ],
    config: Annotated[
        list[Path] | None,
        typer.Option("--config", metavar="FILE.json", help="A mix; the bundle's own if not given."),
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Where mixes stand among RobustBench's entries: ranks, who dominates whom, how far to the frontier."""
    check_outputs({"--json": json_out}, force=force)
    bundle = load_bundle(rob)
    from mnuts_core.bundles.leaderboard import entries_of, leaderboard_of, not_comparable

    data, threat = bundle.manifest.data, bundle.manifest.threat
    board = leaderboard_of(data, threat)
    if (reasons := not_comparable(data, threat)) or board is None:
        raise MnutsError(f"{bundle.name} is not comparable with RobustBench's entries: {'; '.join(reasons)}")
    if not (entries := entries_of(board)):
        raise MnutsError(f"of RobustBench's leaderboard {board} no entries are at hand, only of those for ℓ∞")
    found = standings(bundle, _configs(bundle, config), entries, device)
    for each in found:
        if each.robust.kind != "verified":
            warn(f"{each.label}: not verified; its robust accuracy is an upper bound, and so is its place")
    if json_out is not None:
        card = {"bundle": bundle_card(bundle), "leaderboard": board._asdict(), "entries": len(entries)}
        write_json(json_out, {**card, "standings": [each.to_json() for each in found]})
    if json_out != STDOUT:
        show(*report(bundle, board, found, len(entries)))


def _configs(bundle: LogitBundle, paths: list[Path] | None) -> list[tuple[Path, MixConfig]]:
    """The configurations that were given, or those of the bundle."""
    from mnuts_core.export.belonging import Identity, configs_of

    configs = load_configs(paths or []) if paths else configs_of(bundle)
    for path, config in configs:
        Identity(bundle).check(config, f"--config {path}")
    return configs


def standings(
    bundle: LogitBundle, configs: list[tuple[Path, MixConfig]], entries: list[Entry], device: str
) -> list[Standing]:
    """The robust model and each mix among the entries, as far as their figures are known.

    Args:
        bundle: The bundle.
        configs: Its mixes, with their files.
        entries: The leaderboard's entries.
        device: Where to compute.

    Raises:
        MnutsError: If none has a figure under attack.
    """
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.leaderboard import standing

    engine, found = RemixEngine(bundle, device=device), []
    if (robust := engine.base.rob_attacked) is not None:
        found.append(standing("robust model", engine.base.rob_clean, robust, entries))
    for path, config in configs:
        remix = engine.remix(config.params)
        left = remix.attacked if config.verified is None else config.verified.accuracy.estimate
        if left is not None:
            found.append(standing(f"{config.level} ({path.name})", remix.clean, left, entries))
    if not found:
        raise MnutsError(
            f"{bundle.name} has no figure under attack, and no mix of it is verified: build it with attacked "
            "images, or give a verified --config"
        )
    return found


def report(
    bundle: LogitBundle, board: Leaderboard, found: list[Standing], n: int
) -> list[str | Table | Text]:
    """Ranks and distances as a table, then which entries dominate and are dominated."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{n} entries of\n{board}")
    for name in COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        ends = (each.short_of_robust, each.short_of_clean)
        table.add_row(
            printable(each.label),
            _figure(each.clean),
            _place(each.of_clean),
            _figure(each.robust),
            _place(each.of_robust),
            f"{each.distance:+.2f}",
            *(NONE if value is None else f"{value:+.2f}" for value in ends),
        )
    lines = [
        f"{each.label}: dominated by {_named(each.dominated_by)}; dominates {_named(each.dominates)}"
        for each in found
    ]
    return [describe(bundle), table, *lines, Text(MEANING, style="dim")]


def _figure(figure: Estimate) -> Text:
    low, high = figure.interval
    under = f"\n[{100 * low:.1f}, {100 * high:.1f}]\n{figure.kind}\nn = {figure.n:,}"
    return Text.assemble(f"{100 * figure.value:.2f}", (under, "dim"))


def _place(rank: Rank) -> Text:
    spread = "" if rank.best == rank.worst else f"\n{rank.best} to {rank.worst}"
    return Text.assemble(str(rank.place), (spread, "dim"))


def _named(entries: tuple[Entry, ...]) -> str:
    """How many entries, and the first of them by name."""
    names = [f"{entry.model} ({entry.clean:.2f}, {entry.robust:.2f})" for entry in entries[:NAMED]]
    return f"{len(entries)}: {', '.join(names)}{', ...' * (len(entries) > NAMED)}" if entries else "none"
