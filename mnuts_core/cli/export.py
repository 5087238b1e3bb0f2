"""`mnuts export`: a chosen mix as a configuration file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnuts_core.cli.console import STDOUT, check_target, show, warn, write_json
from mnuts_core.cli.options import (
    DEFAULT_CLAMP,
    DEFAULT_LN_K,
    AlphaOption,
    BetaOption,
    BundleArgument,
    ClampOption,
    ConditionalOption,
    DeviceOption,
    GridOption,
    JsonOption,
    LnKOption,
    TemperatureOption,
    WidenOption,
    check_beta,
    load_bundle,
    mix_params,
)
from mnuts_core.cli.search import make_grid, run_search
from mnuts_core.cli.tables import describe, transform_words
from mnuts_core.errors import MnutsError
from mnuts_core.params import MixParams, check_clamp

if TYPE_CHECKING:
    from mnuts_core.config import EstimateCard, MixConfig

Value = float | None


def export(
    bundle: BundleArgument,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.json", help="Where to write.")],
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
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    device: DeviceOption = "auto",
    json_out: JsonOption = None,
) -> None:
    """Write a mix, of given s, p, c or the best of a search, as JSON for `MixedClassifier.from_config`."""
    check_target("--out", str(out))
    check_target("--json", json_out)
    if out.exists() and not force:
        raise MnutsError(f"{out} exists already: give another --out, or --force to overwrite it")
    _check_source(best, (s, p, c), alpha, searching=bool(grid or widen or conditional))
    by_hand = None
    if s is not None and p is not None and c is not None:
        by_hand = mix_params(s, p, c, beta, alpha, clamp, ln_k, temperature)
    level, cells = check_beta(beta), None if by_hand else make_grid(grid, None, None, None)
    check_clamp(clamp)
    logits = load_bundle(bundle)
    from mnuts_core.config import MixConfig
    from mnuts_core.remix import RemixEngine

    params = by_hand
    if cells is not None:
        result = run_search(
            logits, cells, level, widen=widen, clamp=clamp, ln_k=ln_k, conditional=conditional, device=device
        )
        for warning in result.warnings:
            warn(warning)
        params = result.best.params.with_(alpha=None, temperature=temperature)
    config = MixConfig.from_remix(RemixEngine(logits, device=device), params or MixParams())
    config.save(out)
    if json_out is not None:
        write_json(json_out, {"path": out, "config": json.loads(config.to_json())})
    if json_out != STDOUT:
        show(summary(config, out, describe(logits)))


def _check_source(best: bool, point: tuple[Value, Value, Value], alpha: Value, *, searching: bool) -> None:
    """Refuse what is neither a point by hand nor a search, or both."""
    if best and (point != (None,) * 3 or alpha is not None):
        raise MnutsError("give --best, or --s, --p, --c (and --beta or --alpha) by hand, not both")
    if not best and None in point:
        missing = [name for name, value in zip(("--s", "--p", "--c"), point, strict=True) if value is None]
        raise MnutsError(f"{', '.join(missing)} missing: give --s, --p and --c, or --best to search for them")
    if searching and not best:
        raise MnutsError("--grid, --widen and --conditional belong to a search: add --best")


def summary(config: MixConfig, path: Path, bundle: str) -> str:
    """What was written, in a few lines."""
    level = "" if config.beta is None else f"β = {config.beta:g} → "
    lines = [
        f"written: {path}",
        f"  bundle        {bundle}",
        f"  transform     {transform_words(config.params)}",
        f"  weight        {level}α = {config.alpha:.8g}",
    ]
    estimates = config.estimates
    if estimates is not None:
        figures = (estimates.clean, estimates.margin_bound, estimates.transfer)
        lines += [_figure(card) for card in figures if card is not None]
    return "\n".join([*lines, "  not verified: no adaptive attack has been run on this mix"])


def _figure(card: EstimateCard) -> str:
    low, high = card.ci95
    kind = "exact" if card.kind == "clean" else "estimate"
    interval = f"[{100 * low:.2f}, {100 * high:.2f}]"
    return f"  {card.kind:<13} {100 * card.value:.2f} % {interval}, n = {card.n:,} ({kind})"
