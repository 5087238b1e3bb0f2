"""`mnuts remix`: the headline figures of one mix."""

from __future__ import annotations

from typing import Annotated

import typer

from mnuts_core.cli.answers import (
    bundle_card,
    describe,
    headline_table,
    legend,
    mix_card,
    mix_headline,
    other_rows,
    title,
)
from mnuts_core.cli.console import STDOUT, check_outputs, show, warn, write_json
from mnuts_core.cli.options import (
    DEFAULT_CLAMP,
    DEFAULT_LN_K,
    AlphaOption,
    BetaOption,
    BundleArgument,
    ClampOption,
    DeviceOption,
    ForceOption,
    JsonOption,
    LnKOption,
    TemperatureOption,
    load_bundle,
    mix_params,
)


def remix(
    bundle: BundleArgument,
    s: Annotated[float, typer.Option("--s", help="Scale s > 0.")],
    p: Annotated[float, typer.Option("--p", help="Power p > 0.")],
    c: Annotated[float, typer.Option("--c", help="Bias c.")],
    beta: BetaOption = None,
    alpha: AlphaOption = None,
    clamp: ClampOption = DEFAULT_CLAMP,
    ln_k: LnKOption = DEFAULT_LN_K,
    temperature: TemperatureOption = 0.0,
    device: DeviceOption = "auto",
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Show what one mix does: clean accuracy, attacked accuracy, accuracy by margin, and the changes."""
    params = mix_params(s, p, c, beta, alpha, clamp, ln_k, temperature)
    check_outputs({"--json": json_out}, force=force)
    logits = load_bundle(bundle)
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.headline import rows_json

    figures = mix_headline(RemixEngine(logits, device=device), params)
    others = other_rows(logits)
    if json_out is not None:
        card = mix_card(figures, params.alpha is None)
        card["figures"] |= rows_json(others)
        write_json(json_out, {"bundle": bundle_card(logits), **card})
    if json_out != STDOUT:
        show(headline_table(figures, title(figures, describe(logits), params.alpha is None), others), "")
        show(legend([*figures.rows, *others], logits))
    for warning in figures.remix.warnings:
        warn(warning)
