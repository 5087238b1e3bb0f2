"""`mnuts certify`: certified accuracy of a mix over the radius, from what is certified of h."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from mnuts_core.cli.answers import bundle_card, describe, percent, transform_words
from mnuts_core.cli.console import STDOUT, check_outputs, show, warn, write_json
from mnuts_core.cli.options import BundleArgument, ForceOption, JsonOption, load_bundle, parse_eps
from mnuts_core.errors import BundleError, MnutsError
from mnuts_core.text import shortened

if TYPE_CHECKING:
    from mnuts_core.bundles.certificate import CertificateCard
    from mnuts_core.params import MixParams
    from mnuts_core.remix.certified import Certified

FORMS = {
    "smoothing": "smoothing:SIGMA",
    "margin": "margin:MU:NORM",
    "lipschitz": "lipschitz:L:NORM:[probabilities|logits|differences]",
}
"""How a certificate of h is given."""
MEANING = (
    "share of the clean images that are right for every g and every perturbation within the radius: a lower "
    "bound of robust accuracy, as far as the certificate of h holds. h alone: the same of the robust model."
)


def certificate_of(text: str) -> CertificateCard:
    """The certificate that a person means.

    Args:
        text: One of `FORMS`, with numbers and names in place of the capitals.

    Raises:
        BundleError: If it is none.

    Example:
        >>> str(certificate_of("lipschitz:2:Linf:logits"))
        'of h, each of its logits is 2-Lipschitz, ℓ∞'
    """
    from pydantic import ValidationError

    from mnuts_core.bundles.certificate import CertificateCard

    kind, *words = text.split(":")
    names = {"smoothing": ("sigma",), "margin": ("margin", "norm"), "lipschitz": ("constant", "norm", "of")}
    try:
        fields: dict[str, Any] = {"norm": "L2", **dict(zip(names[kind], words, strict=True))}
        number = names[kind][0]
        return CertificateCard(**fields | {"kind": kind, number: float(fields[number])})
    except (KeyError, ValueError, ValidationError):
        allowed = ", ".join(FORMS.values())
        raise BundleError(
            f"--certificate must be one of {allowed}, with positive numbers and NORM Linf or L2, got "
            f"{shortened(text)}"
        ) from None


def certify(
    bundle: BundleArgument,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.json", help="The mix: a configuration.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option("--alpha", help="Or a plain mix (1-α)g + αh, by its weight in [0.5, 1].")
    ] = None,
    radius: Annotated[
        list[str] | None,
        typer.Option("--radius", metavar="8/255", help="In the certificate's norm; again for more."),
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Certified accuracy of a mix, from radii or a Lipschitz constant that are certified of h alone.

    `mnuts import --certificate` brings those in; docs/certificates.md says what follows, and why.
    """
    if (config is None) == (alpha is None):
        raise MnutsError("give --config FILE.json or --alpha, one of them: the mix that is to be certified")
    check_outputs({"--json": json_out}, force=force)
    radii = [0.0 if each == "0" else parse_eps(each, "--radius") for each in radius or ()]
    logits = load_bundle(bundle)
    from mnuts_core.remix.certified import certificate_warnings, certified, certified_model
    from mnuts_core.remix.engine import RemixEngine
    from mnuts_core.views.certified import RADII

    mix = _mix(config, alpha)
    found, alone = certified(logits, mix), certified_model(logits)
    warnings = certificate_warnings(RemixEngine(logits))
    for warning in warnings:
        warn(warning)
    threat, norm = logits.manifest.threat, found.certificate.norm
    own = [threat.eps] if threat is not None and threat.norm == norm else []
    radii = radii or sorted({*RADII[norm], *own})
    if json_out is not None:
        card = {
            "bundle": bundle_card(logits),
            "mix": {"alpha": mix.alpha, "plain": mix.plain},
            "warnings": warnings,
        }
        write_json(json_out, card | found.to_json(radii) | {"model": alone.to_json(radii)["accuracy"]})
    if json_out != STDOUT:
        show(
            describe(logits),
            f"certificate {found.certificate}",
            _table(found, alone, radii),
            Text(MEANING, style="dim"),
        )


def _mix(config: Path | None, alpha: float | None) -> MixParams:
    from mnuts_core.export.config import MixConfig
    from mnuts_core.params import IDENTITY

    return IDENTITY.with_(alpha=alpha) if config is None else MixConfig.load(config).params


def _table(found: Certified, alone: Certified, radii: list[float]) -> Table:
    mix = found.params
    words = (
        f"plain mix, α = {mix.alpha:.6g}" if mix.plain else f"{transform_words(mix)} · α = {mix.alpha:.6g}"
    )
    table = Table(title=Text(words, style="bold"), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column("within a radius of", justify="right")
    for name in ("certified, %", "h alone, %"):
        table.add_column(f"{name}\nn = {len(found.radius):,}", justify="right", no_wrap=True)
    for radius in radii:
        table.add_row(f"{radius:.4g}", *(percent(each.accuracy(radius)) for each in (found, alone)))
    return table
