"""The direct search of `mnuts search --clean-at-least` and `--attacked-at-least`: its tables and its JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import NONE, bundle_card, describe, percent, transform_words
from mnuts_core.cli.console import STDOUT, note, progress, show, warn, write_json, write_text
from mnuts_core.errors import ParameterError
from mnuts_core.text import counted

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.functional.paired import Paired
    from mnuts_core.params import MixParams
    from mnuts_core.search.direct_result import DirectSearch
    from mnuts_core.search.grids import GridSpec
    from mnuts_core.views.direct import Level, Match, Side

MEANING = (
    "attacked: right at the clean image and at every known point, an upper bound; all of these were seen.\n"
    "Clean accuracy on unseen images is free of the choice. T = 0. Differences: on the same images (Tango's\n"
    "95 % interval, McNemar's exact test); the choice was made on them, which favours the larger grid."
)


class Condition(NamedTuple):
    """What is asked for.

    Attributes:
        clean: The least clean accuracy, a share, or None.
        attacked: The least attacked accuracy, or None.
    """

    clean: float | None
    attacked: float | None

    def __str__(self) -> str:
        name, share = ("clean", self.clean) if self.clean is not None else ("attacked", self.attacked)
        return f"{name} accuracy ≥ {100 * (share or 0.0):.6g} %"


class Answer(NamedTuple):
    """Everything there is to report."""

    bundle: LogitBundle
    condition: Condition
    found: DirectSearch
    plain: DirectSearch
    best: Match
    levels: tuple[Level, ...]


def check_condition(clean: float | None, attacked: float | None) -> Condition | None:
    """The condition that the options mean; None if neither is given.

    Raises:
        ParameterError: If both are given, or one lies outside [0, 1].
    """
    given = {"--clean-at-least": clean, "--attacked-at-least": attacked}
    asked = {option: share for option, share in given.items() if share is not None}
    if len(asked) > 1:
        raise ParameterError("give --clean-at-least or --attacked-at-least, not both: the other is maximised")
    for option, share in asked.items():
        if not 0 <= share <= 1:
            raise ParameterError(f"{option} must lie in [0, 1], got {share:g}: give 0.95 for 95 %")
    return Condition(clean, attacked) if asked else None


def report_direct(
    bundle: LogitBundle,
    grid: GridSpec,
    condition: Condition,
    *,
    device: str,
    json_out: str | None,
    csv_out: str | None,
    **settings: Any,
) -> MixParams:
    """Search, and write what was found.

    Args:
        bundle: The bundle.
        grid: The cells.
        condition: What is asked for.
        device: Where to compute.
        json_out: Where its JSON goes.
        csv_out: Where the frontier goes, as CSV.
        **settings: As `direct_search` takes them.

    Returns:
        The best mix.

    Raises:
        MnutsError: If the search refuses, or no mix meets the condition.
    """
    answer = _search(bundle, grid, condition, device, settings)
    if csv_out is not None:
        write_text(csv_out, frontier_csv(answer.found))
    if json_out is not None:
        write_json(json_out, to_json(answer))
    if STDOUT not in (json_out, csv_out):
        show(*_words(answer))
    for line in _warnings(answer):
        warn(line)
    if answer.best.reason:
        note(answer.best.reason)
    return answer.best.ours.choice.params


def _warnings(answer: Answer) -> list[str]:
    ours = answer.best.ours
    return [*answer.found.notes, *ours.choice.warnings, *ours.remix.warnings]


def _search(
    bundle: LogitBundle, grid: GridSpec, condition: Condition, device: str, settings: dict[str, Any]
) -> Answer:
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.search.direct import direct_plain, direct_search
    from mnuts_core.views.direct import advantage, at_least, match

    with progress("search") as advance:
        found = direct_search(bundle, grid, device=device, progress=advance, **settings)
    plain, engine = direct_plain(bundle, clean=found.clean), RemixEngine(bundle, device=device)
    best = match(engine, found, plain, at_least(clean=condition.clean, attacked=condition.attacked))
    return Answer(bundle, condition, found, plain, best, advantage(engine, found, plain))


def frontier_csv(found: DirectSearch) -> str:
    """The frontier, one row a mix."""
    import pandas as pd

    rows = [{**{axis: getattr(params, axis) for axis in "spc"}} for params in found.frontier.params]
    return str(pd.DataFrame(rows).assign(**_columns(found)).to_csv(index=False))


def _columns(found: DirectSearch) -> dict[str, Any]:
    frontier = found.frontier
    return {name: getattr(frontier, name) for name in ("alpha", "quantile", "clean", "attacked")}


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON; the frontiers' clean accuracy is that on the images that the search saw."""
    found, grid = answer.found, answer.found.grid
    asked = ("clamp", "ln_k", "clean", "max_accuracy_loss")
    counts = ("n_clean", "n_attacked", "n_mixes", "left_out")
    return {
        "bundle": bundle_card(answer.bundle),
        "grid": {"name": grid.name, "shape": grid.shape, **grid.axes()},
        "settings": {
            "clean_at_least": answer.condition.clean,
            "attacked_at_least": answer.condition.attacked,
            **{name: getattr(found, name) for name in asked},
        },
        "counts": {name: getattr(found, name) for name in counts},
        "optimistic": found.optimistic,
        **answer.best.to_json(),
        "levels": [level.to_json() for level in answer.levels],
        "frontier": _columns(found) | {"index": found.frontier.index},
        "plain_frontier": _columns(answer.plain),
        "warnings": _warnings(answer),
    }


def _words(answer: Answer) -> list[str | Table | Text]:
    from mnuts_core.bundles.manifest import OPTIMISTIC

    found, params = answer.found, answer.best.ours.choice.params
    shape = " × ".join(map(str, found.grid.shape))
    basis = (
        f"{counted(found.n_mixes, 'mix', 'mixes')} compared: {shape} cells ({found.grid.name}) at every α "
        f"that changes a figure; {found.n_clean:,} clean and {found.n_attacked:,} attacked images seen"
    )
    head = f"{describe(answer.bundle)}\n{transform_words(params)} · α = {params.alpha:.7g}"
    lines: list[str | Table | Text] = [head, _choice_table(answer), _levels_table(answer.levels)]
    lines += [Text(basis, style="dim"), Text(MEANING, style="dim")]
    return [*lines, Text(OPTIMISTIC, style="dim")] if found.optimistic else lines


def _choice_table(answer: Answer) -> Table:
    best = answer.best
    table = _table(f"best mix at {answer.condition}", "accuracy in %\n[95 % interval]")
    for name in ("best of the grid", "plain mix", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    sides = (best.ours, best.plain)
    rows = (
        ("clean, seen", [side and side.clean.seen for side in sides], None),
        ("clean, unseen", [side and side.clean.unseen for side in sides], None),
        ("clean, all", [side and side.remix.clean for side in sides], "clean"),
        ("attacked", [side and side.attacked for side in sides], "attacked"),
    )
    for name, figures, pair in rows:
        cells = (percent(figure) for figure in figures)
        table.add_row(name, *cells, _difference(best.paired.get(pair) if pair else None))
    weights = [_weight(side) for side in sides]
    table.add_row("α", *weights, "")
    return table


def _weight(side: Side | None) -> str:
    return NONE if side is None else f"{side.choice.params.alpha:.7g}  "


def _levels_table(levels: tuple[Level, ...]) -> Table:
    """Where the transform is ahead of the plain mix."""
    table = _table("attacked accuracy at equal clean accuracy", "clean, seen\nat least")
    for name in ("best of the grid", "plain mix", "difference", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for level in levels:
        ours, plain = (percent(side.attacked) for side in (level.ours, level.plain))
        table.add_row(f"{100 * level.clean:.2f}", ours, plain, _difference(level.attacked), level.verdict)
    return table


def _table(title: str, first: str) -> Table:
    table = Table(title=Text(title, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column(first)
    return table


def _difference(pair: Paired | None) -> Text:
    if pair is None:
        return Text(NONE, style="dim")
    return Text.assemble(pair.points.replace(" points", ""), (f"  p = {pair.p_value:.2g}", "dim"))
