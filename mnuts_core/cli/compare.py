"""`mnuts compare`: two configurations side by side, and in pairs where they met the same images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import (
    NONE,
    bundle_card,
    describe,
    figures_table,
    other_rows,
    percent,
    transform_words,
)
from mnuts_core.cli.console import STDOUT, check_outputs, printable, show, warn, write_json
from mnuts_core.cli.options import DeviceOption, ForceOption, JsonOption, load_bundle
from mnuts_core.text import one_line

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.manifest import Setting
    from mnuts_core.export.config import MixConfig
    from mnuts_core.functional.paired import Paired
    from mnuts_core.functional.statistics import Estimate
    from mnuts_core.views.paired import VerifiedPair

NAMES = ("A", "B")
MEANING = (
    "A - B on the same images, in points: 95 % interval of Tango (1998), p of McNemar's exact test, "
    "and how many images only one of them gets right."
)


class Line(NamedTuple):
    """One figure of both configurations, and the pair where there is one."""

    name: str
    figures: tuple[Estimate | None, Estimate | None]
    pair: Paired | None


class Comparison(NamedTuple):
    """All that is printed: two files, their verifications, and their mixes on a bundle, if one was named."""

    paths: tuple[Path, Path]
    configs: tuple[MixConfig, MixConfig]
    verified: VerifiedPair
    bundle: LogitBundle | None
    lines: list[Line]


def compare(
    a: Annotated[Path, typer.Argument(metavar="A.json", help="A configuration, verified or not.")],
    b: Annotated[Path, typer.Argument(metavar="B.json", help="The one to compare it with.")],
    bundle: Annotated[
        str | None,
        typer.Option("--bundle", metavar="BUNDLE", help="Compare the two mixes on this bundle's images too."),
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Compare two mixes: accuracies, and on the same images their paired difference and McNemar's p."""
    check_outputs({"--json": json_out}, force=force)
    from mnuts_core.export.config import MixConfig
    from mnuts_core.views.paired import verified_pair

    configs = MixConfig.load(a), MixConfig.load(b)
    logits = None if bundle is None else load_bundle(bundle)
    lines = [] if logits is None else _on_bundle(logits, configs, device)
    made = Comparison((a, b), configs, verified_pair(*configs), logits, lines)
    if json_out is not None:
        write_json(json_out, to_json(made))
    if json_out != STDOUT:
        show(*report(made))
    for warning in _warnings(made):
        warn(warning)


def _on_bundle(bundle: LogitBundle, configs: tuple[MixConfig, MixConfig], device: str) -> list[Line]:
    """Every figure of both mixes on a bundle, in pairs."""
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.headline import ESTIMATED, mix_row
    from mnuts_core.views.paired import mix_pairs

    engine = RemixEngine(bundle, device=device)
    one, two = (engine.remix(config.params) for config in configs)
    ours, theirs, paired = mix_row(one, "a", "A"), mix_row(two, "b", "B"), mix_pairs(one, two)
    return [Line(name, (ours.figure(name), theirs.figure(name)), paired.get(name)) for name in ESTIMATED]


def _warnings(made: Comparison) -> Iterable[str]:
    """Why the two may not be comparable, one line each."""
    from mnuts_core.export.belonging import belongs

    if made.verified.differing:
        yield attacks_differ(made.verified.differing)
    for name, config in zip(NAMES, made.configs, strict=True):
        own = config.bundle
        if made.bundle is not None and own is not None and not belongs(config, made.bundle):
            yield f"{name} was made on another bundle, {own.name}: it brings its α from there"


def attacks_differ(differing: Mapping[str, tuple[Setting | None, Setting | None]]) -> str:
    """That two verifications may not be comparable, in one line.

    Args:
        differing: Settings by their names, each with both values; see `views.paired.differing_settings`.
    """
    both = (
        f"{one_line(name, 30)} {_setting(ours)} and {_setting(theirs)}"
        for name, (ours, theirs) in differing.items()
    )
    return one_line(f"the attacks differ: {', '.join(both)}")


def _setting(value: object) -> str:
    return "not set" if value is None else one_line(str(value), 30)


def to_json(made: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON."""
    sides = {name.lower(): _side_json(made, place) for place, name in enumerate(NAMES)}
    bundle = None
    if made.bundle is not None:
        others = {row.key: row.to_json() for row in other_rows(made.bundle)}
        bundle = {**bundle_card(made.bundle), "figures": _lines_json(made.lines), "others": others}
    return {**sides, "verification": made.verified.to_json(), "bundle": bundle}


def _side_json(made: Comparison, place: int) -> dict[str, Any]:
    config, clean, left = made.configs[place], made.verified.clean[place], made.verified.verified[place]
    return {
        "path": made.paths[place],
        "transform": config.transform.model_dump(),
        "alpha": config.alpha,
        "beta": config.beta,
        "temperature": config.temperature,
        "clean": clean and clean.to_json(),
        "verified": left and left.to_json(),
    }


def _lines_json(lines: Iterable[Line]) -> dict[str, Any]:
    """Each figure of both mixes and their pair; null where they have no such figure."""
    return {line.name: line.pair and _line_json(line, line.pair) for line in lines}


def _line_json(line: Line, pair: Paired) -> dict[str, Any]:
    one, two = (figure and figure.to_json() for figure in line.figures)
    return {"a": one, "b": two, "paired": pair.to_json()}


def report(made: Comparison) -> list[str | Table | Text]:
    """The comparison as a table, and what it means."""
    heads = [
        f"{name}  {path}\n   {transform_words(config.params)} · α = {config.alpha:.6g}"
        for name, path, config in zip(NAMES, made.paths, made.configs, strict=True)
    ]
    table, verified = _table(), made.verified
    _add(table, Line("clean", verified.clean, verified.paired.get("clean")))
    _add(table, Line("verified", verified.verified, verified.paired.get("verified")))
    if made.bundle is not None:
        heads.append(describe(made.bundle))
        table.add_section()
        table.add_row(Text(f"on {printable(made.bundle.name)}", style="italic"))
    for line in made.lines:
        _add(table, line)
    unpaired = [f"not paired: {verified.reason}"] if verified.reason else []
    return [*heads, table, *unpaired, Text(MEANING, style="dim"), *_others(made.bundle)]


def _others(bundle: LogitBundle | None) -> list[str | Table | Text]:
    """Other methods on the bundle's images, if it has what they take."""
    from mnuts_core.views.adaptive_alpha import CAUTION

    rows = [] if bundle is None else other_rows(bundle)
    if not rows:
        return []
    return [figures_table(rows, "beside them", ("clean", "attacked")), Text(CAUTION, style="dim")]


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("accuracy in %\n[95 % interval]")
    for name in (*NAMES, "A - B"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _add(table: Table, line: Line) -> None:
    name = line.name.replace("_", " ")
    table.add_row(name, *(_figure(figure) for figure in line.figures), _difference(line.pair))


def _figure(figure: Estimate | None) -> Text:
    n = "" if figure is None else f"n = {figure.n:,}  "
    return Text.assemble(percent(figure), "\n", (n, "dim"))


def _difference(pair: Paired | None) -> Text:
    if pair is None:
        return Text(NONE, style="dim")
    counts = f"only A {pair.only_first:,}, only B {pair.only_second:,}"
    return Text.assemble(pair.points, "\n", (f"p = {pair.p_value:.2g}, {counts}", "dim"))
