"""`mnuts export`: a chosen mix as a configuration file, or a verified one as a hand-in to RobustBench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mnuts_core.clamps import check_clamp
from mnuts_core.cli.answers import describe, transform_words
from mnuts_core.cli.console import STDOUT, check_outputs, show, warn, write_json
from mnuts_core.cli.grids import make_grid
from mnuts_core.cli.options import (
    DEFAULT_CLAMP,
    DEFAULT_LN_K,
    AlphaOption,
    BetaOption,
    BundleArgument,
    ClampOption,
    ConditionalOption,
    DeviceOption,
    ForceOption,
    GridOption,
    JsonOption,
    LnKOption,
    TemperatureOption,
    WidenOption,
    check_beta,
    load_bundle,
    mix_params,
)
from mnuts_core.cli.robustbench import (
    AdditionalOption,
    ArchitectureOption,
    AuthorsOption,
    CodeOption,
    ConfigOption,
    DraftOption,
    FootnoteOption,
    IdOption,
    LinkOption,
    PointsOption,
    RobustBenchOption,
    StandardOption,
    TitleOption,
    VenueOption,
    Wanted,
    hand_in,
)
from mnuts_core.cli.search import run_search
from mnuts_core.errors import MnutsError
from mnuts_core.params import BETA_D, MixParams

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.export.cards import EstimateCard
    from mnuts_core.export.config import MixConfig

Value = float | None


def export(
    bundle: BundleArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.json", help="Where to write.")
    ] = None,
    s: Annotated[Value, typer.Option("--s", help="Scale s > 0.")] = None,
    p: Annotated[Value, typer.Option("--p", help="Power p > 0.")] = None,
    c: Annotated[Value, typer.Option("--c", help="Bias c.")] = None,
    beta: BetaOption = None,
    alpha: AlphaOption = None,
    best: Annotated[bool, typer.Option("--best", help="Search for s, p, c instead.")] = False,
    grid: GridOption = None,
    widen: WidenOption = 0,
    conditional: ConditionalOption = False,
    clamp: ClampOption = DEFAULT_CLAMP,
    ln_k: LnKOption = DEFAULT_LN_K,
    temperature: TemperatureOption = 0.0,
    beta_d: Annotated[
        Value,
        typer.Option(
            "--beta-d", help="Level that gives α_d, for gradients alone (B.2.1); 0.95 if not given."
        ),
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
    robustbench: RobustBenchOption = None,
    config_file: ConfigOption = None,
    autoattack: StandardOption = None,
    points: PointsOption = None,
    id_: IdOption = None,
    title: TitleOption = None,
    authors: AuthorsOption = None,
    link: LinkOption = None,
    venue: VenueOption = None,
    architecture: ArchitectureOption = None,
    additional_data: AdditionalOption = None,
    footnote: FootnoteOption = "",
    code: CodeOption = "",
    draft: DraftOption = False,
) -> None:
    """Write a mix, of given s, p, c or the best of a search, as JSON for `MixedClassifier.from_config`.

    With --robustbench write all that a RobustBench entry needs instead, of a mix that is verified already.
    """
    paper = {
        "id": id_,
        "title": title,
        "authors": authors,
        "link": link,
        "venue": venue,
        "architecture": architecture,
        "additional_data": additional_data,
        "footnote": footnote,
        "code": code,
    }
    wanted = Wanted(config_file, autoattack, points, paper, draft)
    if robustbench is not None:
        new = {"--out": out, "--s": s, "--p": p, "--c": c, "--beta": beta, "--alpha": alpha}
        _refuse_a_new_mix(new | {"--best": best or None})
        hand_in(bundle, robustbench, wanted, force=force, json_out=json_out)
        return
    if wanted.given:
        raise MnutsError(f"{wanted.given[0]} belongs to --robustbench: give a DIR for that, or leave it out")
    if out is None:
        raise MnutsError("--out is missing: give --out FILE.json, or --robustbench DIR")
    check_outputs({"--out": out, "--json": json_out}, force=force)
    point = _point(best, s, p, c, alpha, searching=bool(grid or widen or conditional))
    by_hand = None if point is None else mix_params(*point, beta, alpha, clamp, ln_k, temperature)
    level = None if beta_d is None else check_beta(beta_d, "--beta-d")
    logits = load_bundle(bundle)
    from mnuts_core.export.config import MixConfig
    from mnuts_core.remix.engine import RemixEngine

    settings = {"clamp": check_clamp(clamp), "ln_k": ln_k, "conditional": conditional, "device": device}
    params = by_hand or _searched(logits, grid, beta, widen, settings).with_(temperature=temperature)
    auxiliary_beta = BETA_D if level is None else level
    config = MixConfig.from_remix(RemixEngine(logits, device=device), params, auxiliary_beta=auxiliary_beta)
    if level is not None and config.auxiliary is None:
        raise MnutsError(
            "--beta-d gives α_d by attacked examples that the robust model gets right, and the bundle has "
            "none: leave --beta-d out"
        )
    config.save(out)
    for warning in config.warnings:
        warn(warning)
    if json_out is not None:
        write_json(json_out, {"path": out, "config": json.loads(config.to_json())})
    if json_out != STDOUT:
        show(summary(config, out, describe(logits)))


def _refuse_a_new_mix(options: dict[str, Any]) -> None:
    """A hand-in is of a mix that is verified, not of one that the options name."""
    if given := [name for name, value in options.items() if value is not None]:
        raise MnutsError(f"--robustbench takes the mix of --config: leave {', '.join(given)} out")


def _point(
    best: bool, s: Value, p: Value, c: Value, alpha: Value, *, searching: bool
) -> tuple[float, float, float] | None:
    """The point given by hand, or None for a search; neither and both are refused."""
    given = {"--s": s, "--p": p, "--c": c}
    if best:
        if alpha is not None or any(value is not None for value in given.values()):
            raise MnutsError("give --best, or --s, --p, --c (and --beta or --alpha) by hand, not both")
        return None
    if s is None or p is None or c is None:
        missing = ", ".join(name for name, value in given.items() if value is None)
        raise MnutsError(f"{missing} missing: give --s, --p and --c, or --best to search for them")
    if searching:
        raise MnutsError("--grid, --widen and --conditional belong to a search: add --best")
    return s, p, c


def _searched(
    bundle: LogitBundle, grid: str | None, beta: Value, widen: int, settings: dict[str, Any]
) -> MixParams:
    """The best parameters of a search, α still to follow from β."""
    cells = make_grid(grid, None, None, None)
    result = run_search(bundle, cells, check_beta(beta), widen=widen, **settings)
    for warning in result.warnings:
        warn(warning)
    return result.best.params.with_(alpha=None)


def summary(config: MixConfig, path: Path, bundle: str) -> str:
    """What was written, in a few lines."""
    level = "" if config.beta is None else f"β = {config.beta:g} → "
    lines = [
        f"written: {path}",
        f"  bundle          {bundle}",
        f"  transform       {transform_words(config.params)}",
        f"  weight          {level}α = {config.alpha:.8g}",
    ]
    if config.auxiliary is not None:
        auxiliary = config.auxiliary
        lines.append(f"  gradients       β_d = {auxiliary.beta:g} → α_d = {auxiliary.alpha_d:.8g} (Eq. 8)")
    estimates = config.estimates
    if estimates is not None:
        figures = (estimates.clean, estimates.attacked, estimates.by_margin)
        lines += [_figure(card) for card in figures if card is not None]
    return "\n".join([*lines, "  not verified: no adaptive attack has been run on this mix"])


_STANDS_FOR = {"clean": "exact", "attacked": "at most"}


def _figure(card: EstimateCard) -> str:
    return f"  {card.kind:<15} {card.estimate} ({_STANDS_FOR.get(card.kind, 'at all known points')})"
