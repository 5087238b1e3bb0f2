"""`mnuts remix`: the headline figures of one mix."""

from __future__ import annotations

from typing import Annotated, Any

import typer

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
from mnuts_core.cli.tables import Headline, describe, headline, headline_table, legend, transform_words


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
    """Show what one mix does: clean accuracy, margin bound, transfer, and the changes."""
    params = mix_params(s, p, c, beta, alpha, clamp, ln_k, temperature)
    check_outputs({"--json": json_out}, force=force)
    logits = load_bundle(bundle)
    from mnuts_core.remix.engine import RemixEngine

    figures = headline(RemixEngine(logits, device=device), params)
    if json_out is not None:
        write_json(json_out, {"bundle": bundle_card(logits), **mix_card(figures, params.alpha is None)})
    if json_out != STDOUT:
        show(headline_table(figures, title(figures, describe(logits), params.alpha is None)), "")
        show(legend(figures.rows, logits))
    for warning in figures.warnings:
        warn(warning)


def title(figures: Headline, bundle: str, from_beta: bool) -> str:
    """What a headline table is about: bundle, parameters, level and weight."""
    level = f"β = {figures.params.beta:g} → " if from_beta else ""
    weight = f"{level}α = {figures.params.alpha:.6g}, margin threshold {figures.threshold:.4g}"
    return f"{bundle}\n{transform_words(figures.params)}\n{weight}"


def bundle_card(bundle: Any) -> dict[str, Any]:
    """The bundle in a JSON answer."""
    counts = {"n_clean": bundle.n_clean, "n_attacked": bundle.n_adv, "classes": bundle.num_classes}
    return {"name": bundle.name, "digest": bundle.digest, **counts}


def mix_card(figures: Headline, from_beta: bool) -> dict[str, Any]:
    """A mix in a JSON answer: parameters, threshold, figures, changes."""
    params = figures.params
    values = {name: getattr(params, name) for name in ("s", "p", "c", "clamp", "ln_k", "temperature")}
    level = {"alpha": params.alpha, "beta": params.beta if from_beta else None}
    return {"params": values | level, "threshold": figures.threshold, **figures.to_json()}
