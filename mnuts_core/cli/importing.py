"""`mnuts import`: logits that a user already has, as a bundle."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mnuts_core.cli.answers import bundle_card, describe, figures_table, other_rows
from mnuts_core.cli.certify import certificate_of
from mnuts_core.cli.console import STDOUT, check_outputs, show, warn, write_json
from mnuts_core.cli.options import ForceOption, JsonOption
from mnuts_core.errors import MnutsError

if TYPE_CHECKING:
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.remix.answers import BaseFigures


def import_(
    file: Annotated[Path, typer.Argument(help="A .npz, .pt, .csv or .parquet file of logits.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="BUNDLE.safetensors", help="Where to write.")],
    attacked: Annotated[
        Path | None,
        typer.Option(
            "--attacked",
            metavar="FILE.pt",
            help="Beside the authors' ..._clean_ln_Nexamples.pt: their ..._aa_ln_Nexamples.pt.",
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The bundle's name; FILE's if not given.")
    ] = None,
    certificate: Annotated[
        str | None,
        typer.Option(
            "--certificate",
            metavar="KIND",
            help="What is certified of h: smoothing:SIGMA, margin:MU:NORM, lipschitz:L:NORM:logits; "
            "see docs/certificates.md.",
        ),
    ] = None,
    force: ForceOption = False,
    json_out: JsonOption = None,
) -> None:
    """Make a bundle of logits that you have; the names of arrays and columns stand in `bundles.importers`.

    Compare the counts and accuracies that it prints with what you know: no checksum guards a table.
    """
    check_outputs({"--out": out, "--json": json_out}, force=force)
    from mnuts_core.bundles.authors_margins import examples_bundle
    from mnuts_core.bundles.importers import for_search_only, import_logits
    from mnuts_core.bundles.logit_warnings import logit_warnings
    from mnuts_core.views.headline import base_rows, rows_json

    if attacked is not None and certificate is not None:
        raise MnutsError(
            "--certificate belongs to a FILE of logits of your own, not to the authors' examples"
        )
    if attacked is None:
        bundle = import_logits(
            file, name=name, certificate=None if certificate is None else certificate_of(certificate)
        )
    else:
        bundle = examples_bundle(file, attacked, name=file.stem if name is None else name)
    bundle.save(out)
    warnings = [str(warning) for warning in logit_warnings(bundle)]
    if for_search_only(bundle):
        warnings.append(
            "labels and standard logits are not in this file and were made up: read no accuracy off the "
            f"bundle. Algorithm 1 alone: mnuts search {shlex.quote(str(out))} --clean all --plain"
        )
    for warning in warnings:
        warn(warning)
    counts, rows = images_per_class(bundle), [*base_rows(base_figures(bundle)), *other_rows(bundle)]
    if json_out is not None:
        more = {"images_per_class": counts, "figures": rows_json(rows), "warnings": warnings}
        write_json(json_out, {"path": out, "bundle": bundle_card(bundle), **more})
    if json_out != STDOUT:
        spread = f"{min(counts):,} to {max(counts):,} clean images a class"
        show(f"written: {out}", f"  {describe(bundle)} · {spread}")
        show(figures_table(rows, "the models on these images", ("clean", "attacked")))
        show(f"look at it with: {shlex.join(['mnuts', 'info', str(out)])}")


def images_per_class(bundle: LogitBundle) -> list[int]:
    """How many clean images each class has."""
    import numpy as np

    counts: list[int] = np.bincount(bundle.clean_labels, minlength=bundle.num_classes).tolist()
    return counts


def base_figures(bundle: LogitBundle) -> BaseFigures:
    """The two models by themselves: what the arg max of the numbers in the bundle says."""
    from mnuts_core.bundles.attacked import at_any_point
    from mnuts_core.functional.statistics import share_of
    from mnuts_core.remix.answers import BaseFigures

    attacked, labels = bundle.attacked, bundle.clean_labels
    std_right = bundle.clean_std_logits.argmax(axis=1) == labels
    rob_right = bundle.clean_rob_logits.argmax(axis=1) == labels
    rob_attacked = None
    if attacked is not None:
        fooled = attacked.rob_logits.argmax(axis=1) != attacked.labels
        standing = rob_right[attacked.first.index] & ~at_any_point(fooled, attacked.of, attacked.n_images)
        rob_attacked = share_of(standing, "attacked")
    return BaseFigures(
        std_clean=share_of(std_right, "clean"),
        rob_clean=share_of(rob_right, "clean"),
        std_attacked=None,  # nobody has said that g was attacked
        rob_attacked=rob_attacked,
    )
